"""A client that keeps the client's side of the wire contract, whatever the network does."""

import asyncio
import json
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import cycle
from random import Random
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage, InvalidStatus
from websockets.typing import Subprotocol

from tests.expected_score import DELETE, DELETE_WORD, Event, graphemes
from tests.history import History
from tests.raw_client import SUBPROTOCOL, Message

BATCH_EVERY_S = 0.05
EVENTS_AT_ONCE = 16
BACK_OFF_S = 0.25
# A connection silent for this long after a ping is taken for dead. A page may wait longer.
SILENCE_S = 1.5
PING_EVERY_S = 0.5
STOP_CODES = {1003, 1007, 1009, *range(4500, 5000)}
TOKEN_REFUSED = 4003
# The sources of everything a network, a proxy or a killed server can do to a connection.
_LOST = (OSError, TimeoutError, ConnectionClosed, InvalidHandshake, InvalidMessage)


# What somebody who is shown a text presses, key by key.
Plan = Callable[[str], Sequence[str]]


class Stopped(Exception):
    """The server said something an honest client never deserves, or told it to stop."""


def with_mistakes(seed: int) -> Plan:
    """A plan that hits wrong keys now and then and mends most of them, sometimes by the word."""

    def plan(text: str) -> list[str]:
        random = Random(seed)
        target = graphemes(text)
        keystrokes: list[str] = []
        for place, right in enumerate(target):
            mistake = random.random()
            near_end = place >= len(target) - 2  # where a wrong key would complete the text
            if near_end or mistake >= 0.06:
                keystrokes.append(right)
            elif mistake < 0.01:
                keystrokes.append(random.choice("ёq7"))  # stays wrong
            elif mistake < 0.04 or not keystrokes or not keystrokes[-1].isspace():
                keystrokes += [random.choice("abcхя–"), DELETE, right]
            else:
                keystrokes += ["x", "y", DELETE_WORD, right]
        return keystrokes

    return plan


class HonestClient:
    """Types one attempt to its end over as many connections as that takes.

    Everything typed stays in `history.events` until the end, and whatever `opened.seq` says is
    where sending goes on, even below an earlier ack. A connection lost in any way is replaced.
    `repeats` is how often, of all batches, it goes back a little and sends some events once more.
    After each connection it turns to the next of `url` and `others`.
    """

    def __init__(
        self,
        url: str,
        *,
        source: Message,
        rules: Message | None = None,
        token: str | None = None,
        attempt: str | None = None,
        seed: int = 0,
        back_off_s_max: float = 10.0,
        forgets: bool = True,
        repeats: float = 0.0,
        others: Sequence[str] = (),
    ) -> None:
        self.url = url
        self.token = token
        self.attempt = attempt or str(uuid.uuid4())
        self.history = History()
        self._first_open: Message = {"source": source} | ({"rules": rules} if rules else {})
        self._urls = cycle([*others, url])
        self._random = Random(seed)
        self._back_off_s_max = back_off_s_max
        self._forgets = forgets
        self._repeats = repeats
        self._opened = asyncio.Event()
        self._finish: str | None = None
        self._done: Message | None = None
        self._failures = 0
        self._told_to_wait_s = 0.0
        self._durable = 0

    async def type(
        self,
        plan: Plan = graphemes,
        *,
        dt_ms: tuple[int, int] = (20, 40),
        finish: str | None = "done",
        within_s: float = 60.0,
    ) -> Message:
        """Type what `plan` makes of the text, in real time, and return the `done`.

        The pause before each keystroke is drawn from `dt_ms`. `finish` is the `why` sent after
        the last one; None leaves the end to the server.
        """
        typing = asyncio.create_task(self._type(plan, dt_ms, finish))
        try:
            async with asyncio.timeout(within_s):
                return await self._stay_connected(typing)
        except TimeoutError:
            raise Stopped(
                f"no done in {within_s} s; at last: {self.history.moments[-5:]}"
            ) from None
        finally:
            typing.cancel()
            with suppress(asyncio.CancelledError):
                await typing

    async def _type(self, plan: Plan, dt_ms: tuple[int, int], finish: str | None) -> None:
        await self._opened.wait()
        keystrokes = plan(self.history.text)
        first_at_s = time.monotonic()
        at_ms = 0
        for number, key in enumerate(keystrokes):
            if number:
                await asyncio.sleep(self._random.uniform(*dt_ms) / 1000)
            # Rounded down, so that the sum never runs ahead of the clock.
            now_ms = int((time.monotonic() - first_at_s) * 1000) if number else 0
            self.history.events.append(Event(now_ms - at_ms, key))
            at_ms = now_ms
        self._finish = finish

    async def _stay_connected(self, typing: asyncio.Task[None]) -> Message:
        while self._done is None:
            connection = _Connection(self)
            try:
                await connection.talk()
            except _LOST as lost:
                self._lost(lost)
            if typing.done() and not typing.cancelled() and (error := typing.exception()):
                raise error
            if self._done is None:
                await asyncio.sleep(self._back_off_s(connection))
                self.url = next(self._urls)
        return self._done

    def _lost(self, lost: Exception) -> None:
        code = lost.rcvd.code if isinstance(lost, ConnectionClosed) and lost.rcvd else 1006
        self.history.record("close", code=code, why=repr(lost))
        if code in STOP_CODES:
            raise Stopped(f"closed with {code}")
        if code == TOKEN_REFUSED:
            self.token = None
        if isinstance(lost, InvalidStatus):
            # As told, and a little more, or all who were told so would come back together.
            told_s = float(lost.response.headers.get("Retry-After", "0"))
            self._told_to_wait_s = told_s * self._random.uniform(1.0, 1.5)

    def _back_off_s(self, connection: "_Connection") -> float:
        """Full jitter; at once after a silence; when it said so after a drain or a refusal."""
        if connection.leave_at_s is not None:
            return max(0.0, connection.leave_at_s - time.monotonic())
        if connection.given_up:
            return 0.0
        told_s, self._told_to_wait_s = self._told_to_wait_s, 0.0
        if told_s:
            return told_s
        self._failures += 1
        longest_s: float = min(self._back_off_s_max, BACK_OFF_S * 2.0 ** (self._failures - 1))
        return self._random.random() * longest_s

    def address(self) -> str:
        """Where to connect; whoever has something to go on with says so."""
        return f"{self.url}?resume" if self._opened.is_set() else self.url

    def hello(self) -> Message:
        return {"type": "hello", "token": self.token, "client": "honest/1.0"}

    def welcomed(self, message: Message) -> None:
        self.token = message.get("token") or self.token

    def open_message(self) -> Message:
        first = {} if self._opened.is_set() else self._first_open
        return {"type": "open", "id": 1, "attempt": self.attempt, **first}

    def opened(self, message: Message) -> None:
        self._failures = 0
        self.history.text = message["text"]
        self._durable = message["seq"]
        self._opened.set()

    def acked(self, seq: int) -> None:
        self._durable = max(self._durable, seq)

    def finished(self, message: Message) -> None:
        self._done = message

    def batch_from(self, seq: int, *, batch: int, window: int) -> list[Event]:
        """The events to send from number `seq` on: no more than a batch, within the window."""
        room = max(0, self._durable + window - (seq - 1))
        return self.history.events[seq - 1 : seq - 1 + min(batch, room)]

    def seq_to_send(self, next_seq: int) -> int:
        """`next_seq`, or a little less where this client repeats itself."""
        if self._random.random() >= self._repeats:
            return next_seq
        return max(1, next_seq - self._random.randint(1, 20))

    def finish_at(self, next_seq: int) -> str | None:
        """Why the attempt ends, once everything typed before `next_seq` is everything."""
        return self._finish if next_seq == len(self.history.events) + 1 else None

    @property
    def forgets(self) -> bool:
        return self._forgets


class _Connection:
    """One connection of an honest client, from hello to its end."""

    def __init__(self, client: HonestClient) -> None:
        self.given_up = False
        self.leave_at_s: float | None = None
        self._client = client
        self._history = client.history
        self._handle: int | None = None
        self._next_seq = 1
        self._finish_sent = False
        self._hold_until_s = 0.0
        self._limits = {"batch": 64, "window": 512}

    async def talk(self) -> None:
        """Send and receive until `done`, a drain, or a silence; raises when the connection ends."""
        async with connect(
            self._client.address(),
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            compression=None,
            proxy=None,
            open_timeout=SILENCE_S * 2,
            ping_interval=None,
            close_timeout=0.5,
        ) as socket:
            sending = asyncio.create_task(self._send(socket))
            try:
                await self._say(socket, self._client.hello())
                await self._listen(socket)
            finally:
                sending.cancel()
                with suppress(asyncio.CancelledError, *_LOST):
                    await sending

    async def _listen(self, socket: ClientConnection) -> None:
        while True:
            try:
                async with asyncio.timeout(self._patience_s()):
                    frame = await socket.recv()
            except TimeoutError:
                self.given_up = True
                self._history.record("left", drained=self.leave_at_s is not None)
                if self.leave_at_s is None:
                    # Nobody may be there to answer a close: do not wait for it.
                    socket.transport.abort()
                return
            if await self._take(socket, json.loads(frame)):
                return

    def _patience_s(self) -> float:
        if self.leave_at_s is None:
            return SILENCE_S
        return max(0.0, min(SILENCE_S, self.leave_at_s - time.monotonic()))

    async def _take(self, socket: ClientConnection, message: Message) -> bool:
        """Act on one message; true when it was the last that matters."""
        kind = message["type"]
        self._history.record(kind, **message)
        if kind == "welcome":
            await self._welcome(socket, message)
        elif kind == "opened":
            self._opened(message)
        elif kind == "ack":
            self._client.acked(message["seq"])
        elif kind == "reject":
            self._rejected(message)
        elif kind == "error":
            await self._refused(socket, message)
        elif kind == "drain":
            self.leave_at_s = time.monotonic() + message["in_ms"] / 1000
        elif kind == "done":
            return await self._done(socket, message)
        return False

    async def _welcome(self, socket: ClientConnection, message: Message) -> None:
        self._limits |= message["limits"]
        self._client.welcomed(message)
        await self._say(socket, self._client.open_message())

    def _opened(self, message: Message) -> None:
        self._client.opened(message)
        self._handle = message["h"]
        self._next_seq = message["seq"] + 1

    def _rejected(self, message: Message) -> None:
        code = message["code"]
        if code == "bad_event":
            raise Stopped(f"an honest event was refused: {message}")
        if code in ("gap", "early"):
            self._next_seq = message["seq"]
            self._finish_sent = False
        if code == "early":
            self._hold_until_s = time.monotonic() + 0.2

    async def _refused(self, socket: ClientConnection, message: Message) -> None:
        if "retry_ms" not in message:
            raise Stopped(f"an honest request was refused: {message}")
        if message.get("re") == 1:
            await asyncio.sleep(message["retry_ms"] / 1000)
            await self._say(socket, self._client.open_message())

    async def _done(self, socket: ClientConnection, message: Message) -> bool:
        if message["attempt"] != self._client.attempt:
            return False
        self._client.finished(message)
        if self._client.forgets:
            await self._say(socket, {"type": "got", "attempt": message["attempt"]})
        return True

    async def _send(self, socket: ClientConnection) -> None:
        """What waits goes out every 50 ms; while 16 or more wait, without a pause."""
        pinged_at_s = time.monotonic()
        while True:
            await asyncio.sleep(BATCH_EVERY_S)
            if self._handle is not None and time.monotonic() >= self._hold_until_s:
                await self._send_waiting(socket, self._handle)
            if time.monotonic() - pinged_at_s >= PING_EVERY_S:
                pinged_at_s = time.monotonic()
                await self._say(socket, {"type": "ping", "c": int(pinged_at_s * 1000)})

    async def _send_waiting(self, socket: ClientConnection, handle: int) -> None:
        if self._next_seq <= len(self._history.events):
            self._next_seq = self._client.seq_to_send(self._next_seq)
        while events := self._client.batch_from(self._next_seq, **self._limits_of_batch()):
            seq = self._next_seq
            self._next_seq += len(events)
            self._history.record("sent", seq=seq, count=len(events))
            await self._say(socket, {"type": "keys", "h": handle, "seq": seq, "events": events})
            if len(events) < EVENTS_AT_ONCE:
                break
        why = self._client.finish_at(self._next_seq)
        if why and not self._finish_sent:
            self._finish_sent = True
            seq = self._next_seq - 1
            await self._say(
                socket, {"type": "finish", "id": 2, "h": handle, "seq": seq, "why": why}
            )

    def _limits_of_batch(self) -> dict[str, int]:
        return {"batch": self._limits["batch"], "window": self._limits["window"]}

    async def _say(self, socket: ClientConnection, message: dict[str, Any]) -> None:
        await socket.send(json.dumps(message, ensure_ascii=False))
