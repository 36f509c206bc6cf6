"""What the servers that are compared understand: ours, an echo, and socket.io."""

import time

import orjson

from tests.bench.crowd import Person, receive
from tests.bench.frames import frame, new_id
from tests.bench.people import Batch


def keys(batch: Batch, h: int = 1) -> bytes:
    """The message that carries a batch."""
    events = [[press.dt_ms, press.key] for press in batch.presses]
    return orjson.dumps({"type": "keys", "h": h, "seq": batch.seq, "events": events})


def said(**message: object) -> bytes:
    """A message as a frame."""
    return frame(orjson.dumps(message))


class Ours:
    """The product's protocol; everybody types `text`."""

    path = "/ws"

    def __init__(self, text: str) -> None:
        self._source = {"kind": "custom", "text": text}

    def greet(self, person: Person) -> None:
        person.socket.sendall(said(type="hello"))
        _expect(b'{"type":"welcome"', receive(person))

    def open(self, person: Person) -> None:
        """Open an attempt."""
        self.ask_to_open(person)
        self.opened(person)

    def ask_to_open(self, person: Person) -> None:
        person.socket.sendall(said(type="open", id=1, attempt=new_id(), source=self._source))

    def opened(self, person: Person) -> None:
        """Wait until it is; a busy server is asked again when it says."""
        while (answer := receive(person)).startswith(b'{"type":"error"'):
            time.sleep(orjson.loads(answer)["retry_ms"] / 1_000)
            self.ask_to_open(person)
        _expect(b'{"type":"opened"', answer)

    def heard(self, person: Person, payload: bytes) -> None:
        """Nothing is counted."""

    def frame(self, batch: Batch) -> bytes:
        return frame(keys(batch))

    def answered(self, payload: bytes, first_waiting: int) -> int:
        if payload.startswith(b'{"type":"ack"') or payload.startswith(b'{"type":"done"'):
            at = payload.index(b'"seq":') + 6
            return int(payload[at : payload.index(b",", at)])
        if payload.startswith(b'{"type":"stall"'):
            return 0
        raise RuntimeError(f"the server says {payload!r}")


class Echo:
    """What comes back is what was sent."""

    path = "/"

    def greet(self, person: Person) -> None:
        """An echo wants no greeting."""

    def heard(self, person: Person, payload: bytes) -> None:
        """Nothing is counted."""

    def frame(self, batch: Batch) -> bytes:
        return frame(keys(batch))

    def answered(self, payload: bytes, first_waiting: int) -> int:
        return first_waiting


class SocketIo:
    """The same message as an event of socket.io, which comes back as one."""

    path = "/socket.io/?EIO=4&transport=websocket"

    def greet(self, person: Person) -> None:
        _expect(b"0{", receive(person))
        person.socket.sendall(frame(b"40"))
        _expect(b"40{", receive(person))

    def heard(self, person: Person, payload: bytes) -> None:
        """Nothing is counted."""

    def frame(self, batch: Batch) -> bytes:
        return frame(b'42["keys",' + keys(batch) + b"]")

    def answered(self, payload: bytes, first_waiting: int) -> int:
        # Its own pings may stay unanswered for as long as a measurement takes.
        return first_waiting if payload.startswith(b"42[") else 0


def _expect(start: bytes, payload: bytes) -> None:
    if not payload.startswith(start):
        raise RuntimeError(f"expected {start!r}, got {payload!r}")
