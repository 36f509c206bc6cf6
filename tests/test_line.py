"""Our reader of frames beside that of the websockets library: the same bytes mean the same.

Thousands of connections, each drawn from its number: lawful and unlawful frames, some of them
damaged, cut anywhere on their way. What `DirectLine` hears, answers and closes with must be what
websockets makes of it.
"""

import asyncio
import random
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from websockets.exceptions import PayloadTooBig
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

from server.line import DirectLine, Patience
from tests.live.raw_socket import BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, TEXT, frame

MESSAGE_MAX = 300
CONNECTIONS = 4_000
PORTION = 500  # of them in one test
BAD_FRAME, REFUSED_BYTES, TOO_BIG = 1002, 1003, 1009
LAST = "the last one"
# Comes after everything else: what a frame lacks is filled up by it, unless it claims too much.
AFTERWARDS = frame(PING, b"x" * 120, mask=b"wxyz") * 4 + frame(TEXT, LAST.encode(), mask=b"wxyz")


@dataclass
class Told:
    """What became of a connection: the messages, and the frames that were sent back."""

    messages: list[str] = field(default_factory=list)
    pongs: list[bytes] = field(default_factory=list)
    closes: list[int | None] = field(default_factory=list)  # their codes; None: without one

    def sent(self, data: bytes) -> None:
        for opcode, payload in frames_in(data):
            if opcode == PONG:
                self.pongs.append(payload)
            elif opcode == CLOSE:
                self.closes.append(struct.unpack("!H", payload[:2])[0] if payload else None)


def frames_in(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The frames of a server: short, whole and without a mask."""
    at = 0
    while at < len(data):
        end = at + 2 + data[at + 1]
        yield data[at] & 0x0F, data[at + 2 : end]
        at = end


# Ours


class Pipe(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.closed, "written to a transport that is closed"
        self.written += data

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Ear:
    """A listener that refuses binary messages, and is too busy after some others to hear more."""

    line: DirectLine

    def __init__(self, told: Told, busy_after: set[int]) -> None:
        self.busy = False
        self.ended = 0  # by us, or by the peer
        self._told = told
        self._busy_after = busy_after

    def received(self, text: str) -> None:
        assert not self.ended
        assert not self.busy, "it was not to be read on"
        self._told.messages.append(text)
        if len(self._told.messages) in self._busy_after:
            self.busy = True
            self.line.pause()

    def received_bytes(self) -> None:
        self.ended += 1
        self.line.close(REFUSED_BYTES, "")

    def flooded(self) -> None:
        raise AssertionError("a few frames are no flood")

    def writable(self) -> None: ...

    def lost(self) -> None:
        self.ended += 1


async def ours(pieces: list[bytes], busy_after: set[int]) -> Told:
    """What a line of ours makes of what comes in these pieces."""
    told, pipe = Told(), Pipe()
    ear = Ear(told, busy_after)
    line = ear.line = DirectLine(pipe, ear, MESSAGE_MAX, Patience(1_000, 1_000), set())
    for piece in pieces:
        if pipe.closed:
            break
        line.data_received(piece)
        while ear.busy:
            ear.busy = False
            line.resume()
            await asyncio.sleep(0)
    line.connection_lost(None)
    assert ear.ended == 1
    told.sent(bytes(pipe.written))
    assert len(told.closes) <= 1, "nothing follows a goodbye"
    return told


# Theirs


class Oracle(ServerProtocol):
    """websockets' protocol, and what it leaves to others: messages, their length, their UTF-8.

    In one point it is not asked: it takes a close within a message in fragments for a fault (its
    documents say so), though control frames may stand there.
    """

    def __init__(self) -> None:
        super().__init__(state=OPEN, max_size=None)
        self.told = Told()
        self.wrong_twice = False  # which of two faults is told is anybody's choice
        self._message = bytearray()

    def hear(self, data: bytes) -> Told:
        """What it makes of everything that is sent."""
        self.receive_data(data)
        self.told.sent(b"".join(self.data_to_send()))
        return self.told

    def recv_frame(self, frame: Frame) -> None:
        if frame.opcode is Opcode.CLOSE:
            self.current_size = None
        if frame.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            super().recv_frame(frame)
            return
        misplaced = (frame.opcode is Opcode.CONT) == (self.current_size is None)
        if len(self._message) + len(frame.data) > MESSAGE_MAX:
            self.wrong_twice = misplaced
            raise PayloadTooBig(len(frame.data), MESSAGE_MAX)
        super().recv_frame(frame)
        self._message += frame.data
        if frame.opcode is Opcode.BINARY:
            self.fail(REFUSED_BYTES)
        elif frame.fin:
            self.told.messages.append(self._message.decode())
            self._message.clear()
        else:
            must_begin_text(bytes(self._message))


def must_begin_text(data: bytes) -> None:
    """Raises UnicodeDecodeError for what is no text, whatever may follow."""
    try:
        data.decode()
    except UnicodeDecodeError as wrong:
        if wrong.reason != "unexpected end of data":
            raise


# What is sent

WORDS = "the quick ёж — 🦔\0 \U0010ffff".encode()
CODES = [0, 999, 1000, 1001, 1004, 1005, 1006, 1007, 1012, 1015, 1016, 2999, 3000, 4999, 5000]
SIZES = [0, 1, 5, 124, 125, 126, 127, 128, 200, MESSAGE_MAX - 1, MESSAGE_MAX, MESSAGE_MAX + 1]
CLAIMS = [126, MESSAGE_MAX, 2**16 - 1, 2**16, 2**62, 2**63, 2**64 - 1]


def drawn(dice: random.Random, opcode: int, payload: bytes = b"", **odd: Any) -> bytes:
    """A frame whose mask, too, is drawn."""
    return frame(opcode, payload, mask=dice.randbytes(4), **odd)


def text_bytes(dice: random.Random) -> bytes:
    """Some UTF-8 of a length that matters; now and then it breaks within a character."""
    size = dice.choice(SIZES)
    data = (WORDS * (size // len(WORDS) + 1))[:size]
    return data if dice.random() < 0.3 else data.decode(errors="ignore").encode()


def whole_message(dice: random.Random) -> bytes:
    return drawn(dice, TEXT, text_bytes(dice))


def message_in_parts(dice: random.Random) -> bytes:
    """Cut anywhere, within characters too; control frames may stand between the parts."""
    data, sent = text_bytes(dice), b""
    cuts = sorted(dice.randrange(len(data) + 1) for _ in range(dice.randrange(4)))
    parts = [data[at:end] for at, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    for number, part in enumerate(parts):
        last = FIN if number == len(parts) - 1 else 0
        sent += drawn(dice, CONTINUATION if number else TEXT, part, first_bits=last)
        sent += control(dice) if dice.random() < 0.2 else b""
    return sent


def control(dice: random.Random) -> bytes:
    return drawn(dice, dice.choice([PING, PONG]), dice.randbytes(dice.choice([0, 1, 5, 124, 125])))


def goodbye(dice: random.Random) -> bytes:
    code = struct.pack("!H", dice.choice(CODES))
    return drawn(dice, CLOSE, dice.choice([b"", b"\x03", code, code + b"bye", b"\x03\xe8\xff"]))


def unfinished(dice: random.Random) -> bytes:
    """The beginning of a message, with which no other may begin."""
    return drawn(dice, dice.choice([TEXT, TEXT, BINARY]), text_bytes(dice), first_bits=0)


def odd_frame(dice: random.Random) -> bytes:
    """Any opcode, any bits, any length, and a length of which not all is there."""
    return drawn(
        dice,
        dice.choice([TEXT, TEXT, BINARY, CONTINUATION, PING, CLOSE, dice.randrange(16)]),
        dice.randbytes(dice.choice([0, 2, 9, 126])),
        first_bits=dice.choice([FIN, FIN, 0, FIN | 0x40, 0x20, 0x10]),
        masked=dice.random() < 0.8,
        length=dice.choice([None, None, None, *CLAIMS]),
    )


def damaged(dice: random.Random, data: bytes) -> bytes:
    """The same with a few bytes changed, lost, or said twice."""
    changed = bytearray(data)
    for _ in range(dice.randrange(1, 4)):
        at = dice.randrange(len(changed) + 1)
        kind = dice.randrange(3)
        if kind == 0:
            changed[at : at + 1] = dice.randbytes(1)
        elif kind == 1:
            del changed[at : at + dice.randrange(1, 9)]
        else:
            changed[at:at] = changed[at : at + dice.randrange(1, 9)]
    return bytes(changed)


FRAMES = [whole_message, whole_message, message_in_parts, message_in_parts, control]


def conversation(dice: random.Random) -> bytes:
    """What one client sends: mostly good, at the end perhaps a goodbye or something odd."""
    sent = b"".join(dice.choice(FRAMES)(dice) for _ in range(dice.randrange(1, 7)))
    if dice.random() < 0.5:
        sent += dice.choice([goodbye, odd_frame, unfinished])(dice)
    return damaged(dice, sent) if dice.random() < 0.4 else sent


def in_pieces(dice: random.Random, data: bytes) -> list[bytes]:
    """All at once, byte by byte, or cut anywhere."""
    cuts: Sequence[int] = range(1, len(data))
    if dice.random() < 0.8:
        cuts = sorted(dice.choices(cuts, k=dice.randrange(9)))
    return [data[at:end] for at, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]


@pytest.mark.parametrize("first", range(0, CONNECTIONS, PORTION))
async def test_a_line_makes_of_bytes_what_websockets_makes_of_them(first: int) -> None:
    for seed in range(first, first + PORTION):
        dice = random.Random(seed)
        sent = conversation(dice) + AFTERWARDS + dice.choice([b"", frame(PING, mask=b"wxyz")])
        told = await ours(in_pieces(dice, sent), {dice.randrange(1, 5)})
        oracle = Oracle()
        expected = oracle.hear(sent)
        # Or else it still waits for the rest of a frame that claims too much; ours has had enough.
        waits = not expected.closes and LAST not in expected.messages
        if waits or oracle.wrong_twice:
            assert told.closes in ([BAD_FRAME], [TOO_BIG]), seed
            expected.closes = told.closes
        assert told == expected, seed
