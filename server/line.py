"""One websocket as callbacks: `Line` is how to speak, `Listener` who hears.

Two lines do the same. `DirectLine` reads frames off the transport itself: no task, no queue and no
wake-up stands between a frame and its listener. `AsgiLine` goes through any ASGI server.
"""

import asyncio
import struct
from collections import deque
from typing import Protocol

from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.speedups import apply_mask

from server.frames import (
    CLOSE,
    CLOSE_REASON_MAX,
    CONTINUATION,
    CONTROL,
    FIN,
    GONE,
    LENGTH,
    MASKED,
    NOT_TEXT,
    OP_BINARY,
    OPCODE,
    PING,
    PONG,
    PROTOCOL_ERROR,
    RESERVED,
    RESTART,
    SHORT_MAX,
    TEXT,
    TOO_BIG,
    Fragments,
    frame,
    is_lawful,
    wrong_close,
)

# The ASGI extension that, after `websocket.accept`, makes a line of the connection: it is called
# with the listener, and the ASGI application may return.
DIRECT = "typing.direct"

FAREWELL_S = 0.25  # for what is on its way, before the goodbye
HEAD_BYTES = 6  # of a short frame from a client: two bytes and the mask
FRAMES_A_TURN = 32  # then others have a turn, too
# Controls and fragments, which are no message and so counted by nobody else, between two pings.
ODD_FRAMES_MAX = 4_000
LATE_FRAMES_MAX = 256  # that may have been on their way when we said goodbye


class Listener(Protocol):
    """Who is at our end of a line. Nothing is called after `lost`."""

    def received(self, text: str) -> None: ...

    def received_bytes(self) -> None:
        """A binary message has come: the line must be closed, and hears nothing until then."""

    def flooded(self) -> None:
        """More frames have come that are no message than anybody needs; as for `received_bytes`."""

    def writable(self) -> None:
        """There is room again after `Line.full`."""

    def lost(self) -> None:
        """The peer has closed, or is gone."""


class Line(Protocol):
    """A websocket that is open."""

    full: bool  # what is sent now waits in memory for the peer to read

    def send(self, text: str) -> None: ...

    def close(self, code: int, reason: str) -> None:
        """Say goodbye and hang up. The listener hears nothing more."""

    def pause(self) -> None:
        """Read no more, so that the peer is held back."""

    def resume(self) -> None: ...


class Patience:
    """How long a line waits for its peer, in seconds."""

    __slots__ = ("close_s", "ping_s")

    def __init__(self, ping_s: float, close_s: float) -> None:
        self.ping_s = ping_s
        self.close_s = close_s


class DirectLine(asyncio.Protocol):
    """Frames by RFC 6455 on a transport whose handshake is done; it agreed to no extension.

    `peers` holds it as long as it lives, so that a server which ends can `shutdown` it.
    """

    __slots__ = (
        "_closing",
        "_data",
        "_fragments",
        "_listener",
        "_loop",
        "_message_max",
        "_odd_frames",
        "_patience",
        "_paused",
        "_peers",
        "_pinged",
        "_resting",
        "_timer",
        "_transport",
        "full",
    )

    def __init__(
        self,
        transport: asyncio.Transport,
        listener: Listener,
        message_max: int,
        patience: Patience,
        peers: set[object],
    ) -> None:
        self.full = False
        self._transport = transport
        self._listener: Listener | None = listener
        self._message_max = message_max
        self._patience = patience
        self._peers = peers
        self._loop = asyncio.get_running_loop()
        self._data = b""  # the beginning of a frame
        self._fragments: Fragments | None = None
        self._paused = False
        self._resting = False  # until the next turn of the loop
        self._closing = False
        self._odd_frames = 0
        self._pinged = False
        self._timer = self._loop.call_later(patience.ping_s, self._tick)
        peers.add(self)

    # Out

    def send(self, text: str) -> None:
        if not self._closing:
            self._transport.write(frame(TEXT, text.encode()))

    def close(self, code: int, reason: str) -> None:
        self._listener = None
        if self._closing:
            return
        self._goodbye(struct.pack("!H", code) + reason.encode()[:CLOSE_REASON_MAX])
        self.resume()
        # Until the peer has said goodbye, too; one that does not is cut off.
        self._timer = self._loop.call_later(self._patience.close_s, self._transport.abort)

    def shutdown(self) -> None:
        """The server ends: what was sent still leaves."""
        if not self._closing:
            self._fail(RESTART, "")
        self._transport.close()

    def _goodbye(self, payload: bytes) -> None:
        self._closing = True
        self._odd_frames = ODD_FRAMES_MAX - LATE_FRAMES_MAX
        self._timer.cancel()
        self._transport.write(frame(CLOSE, payload))

    def _fail(self, code: int, reason: str) -> None:
        if not self._closing:  # nothing may follow a goodbye, not even another
            self._goodbye(struct.pack("!H", code) + reason.encode())
        self._hang_up()

    def _hang_up(self) -> None:
        self._transport.close()  # once everything is sent, which a dead peer never lets happen
        self._timer.cancel()
        self._timer = self._loop.call_later(self._patience.close_s, self._transport.abort)
        self._tell_lost()

    def _tell_lost(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.lost()

    def _tick(self) -> None:
        """Ping; who has not answered the last one is gone."""
        if self._pinged:
            self._fail(GONE, "keepalive ping timeout")
            return
        self._pinged = True
        self._odd_frames = 0
        self._transport.write(frame(PING, b""))
        self._timer = self._loop.call_later(self._patience.ping_s, self._tick)

    # From the transport

    def pause_writing(self) -> None:
        self.full = True

    def resume_writing(self) -> None:
        self.full = False
        if self._listener is not None:
            self._listener.writable()

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        self._closing = True
        self._peers.discard(self)
        self._tell_lost()

    def pause(self) -> None:
        self._paused = True
        self._transport.pause_reading()

    def resume(self) -> None:
        if not self._paused:
            return
        self._paused = False
        if self._data and not self._resting:
            # Not now: whoever resumes is in the middle of a message.
            self._resting = True
            self._loop.call_soon(self._go_on)
        elif not self._transport.is_closing():
            self._transport.resume_reading()

    def _rest(self) -> None:
        """Let others have a turn; who sends without end is read no faster than that."""
        self._resting = True
        self._transport.pause_reading()
        self._loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        self._resting = False
        if not self._paused and not self._transport.is_closing():
            self._transport.resume_reading()
            self.data_received(b"")

    def data_received(self, data: bytes) -> None:
        if self._data:
            data = self._data + data
        at, end, left = 0, len(data), FRAMES_A_TURN
        while end - at >= 2 and left and not self._paused and not self._transport.is_closing():
            start = self._frame_at(data, at, end)
            if start < 0:
                break
            at = start
            left -= 1
        self._data = data[at:] if at < end else b""
        if not left and self._data and not self._paused and not self._resting:
            self._rest()

    def _frame_at(self, data: bytes, at: int, end: int) -> int:
        """Take the frame that begins at `at`; where the next begins, or -1 if it is not whole."""
        first, second = data[at], data[at + 1]
        size = second & LENGTH
        if first != FIN | TEXT or size > SHORT_MAX or second < MASKED or self._listener is None:
            return self._other_frame_at(data, at, end)
        # What nearly all frames are.
        body = at + HEAD_BYTES
        if body + size > end:
            return -1
        if self._fragments is not None:
            self._fail(PROTOCOL_ERROR, "")
        else:
            self._text(apply_mask(data[body : body + size], data[at + 2 : body]))
        return body + size

    def _other_frame_at(self, data: bytes, at: int, end: int) -> int:
        first, second = data[at], data[at + 1]
        opcode, size, body = first & OPCODE, second & LENGTH, at + 2
        held = self._fragments.size if self._fragments is not None else 0
        if first & RESERVED or not second & MASKED or not is_lawful(opcode, first, size):
            self._fail(PROTOCOL_ERROR, "")
            return end
        if size > SHORT_MAX:
            wide = 2 if size == SHORT_MAX + 1 else 8
            if body + wide > end:
                return -1
            size = int.from_bytes(data[body : body + wide], "big")
            body += wide
        if size + held > self._message_max and opcode < CONTROL:
            self._fail(TOO_BIG, "")
            return end
        if body + 4 + size > end:
            return -1
        payload = apply_mask(data[body + 4 : body + 4 + size], data[body : body + 4])
        self._wholeframe(opcode, bool(first & FIN), payload)
        return body + 4 + size

    def _wholeframe(self, opcode: int, final: bool, payload: bytes) -> None:
        if opcode != TEXT or not final or self._closing:
            self._odd_frames += 1
        if self._odd_frames > ODD_FRAMES_MAX:
            self._give_up(flood=True)
        elif opcode >= CONTROL:
            self._control(opcode, payload)
        elif self._listener is not None:
            self._dataframe(opcode, final, payload)

    def _dataframe(self, opcode: int, final: bool, payload: bytes) -> None:
        if (opcode == CONTINUATION) != (self._fragments is not None):
            self._fail(PROTOCOL_ERROR, "")
        elif opcode == OP_BINARY:
            self._give_up(flood=False)
        elif self._fragments is not None or not final:
            self._fragment(final, payload)
        else:
            self._text(payload)

    def _give_up(self, *, flood: bool) -> None:
        listener, self._listener = self._listener, None
        if listener is None:
            if self._closing:  # not a word more of it, until the line is cut
                self.pause()
        elif flood:
            listener.flooded()
        else:
            listener.received_bytes()

    def _fragment(self, final: bool, payload: bytes) -> None:
        fragments = self._fragments = self._fragments or Fragments()
        try:
            fragments.add(payload, final)
        except UnicodeDecodeError:
            self._fail(NOT_TEXT, "")
            return
        if final:
            self._fragments = None
            if self._listener is not None:
                self._listener.received(fragments.text())

    def _text(self, payload: bytes) -> None:
        try:
            text = payload.decode()
        except UnicodeDecodeError:
            self._fail(NOT_TEXT, "")
            return
        if self._listener is not None:
            self._listener.received(text)

    def _control(self, opcode: int, payload: bytes) -> None:
        if opcode == PONG:
            self._pinged = False
        elif opcode == PING:
            if not self._closing and not self.full:  # who reads nothing misses no pong
                self._transport.write(frame(PONG, payload))
        elif self._closing:
            self._hang_up()
        else:
            wrong = wrong_close(payload)
            if wrong:
                self._fail(wrong, "")
            else:
                self._goodbye(payload)
                self._hang_up()


class AsgiLine:
    """A line over an accepted websocket of any ASGI server; one message at a time is on its way."""

    def __init__(self, websocket: WebSocket) -> None:
        self.full = False
        self._websocket = websocket
        self._listener: Listener | None = None
        self._waiting: deque[str] = deque()
        self._some = asyncio.Event()
        self._reading = asyncio.Event()
        self._reading.set()
        self._farewell: tuple[int, str] | None = None

    async def serve(self, listener: Listener) -> None:
        """Carry messages until the websocket is closed."""
        self._listener = listener
        reading = asyncio.create_task(self._read())
        self._writing = asyncio.create_task(self._write())
        try:
            await asyncio.wait([self._writing])
            if self._farewell is not None:
                await self._websocket.close(*self._farewell)
        except (WebSocketDisconnect, RuntimeError):
            self._tell_lost()
        finally:
            for task in (reading, self._writing):
                task.cancel()
            await asyncio.gather(reading, self._writing, return_exceptions=True)
            self._tell_lost()

    async def _read(self) -> None:
        while True:
            await self._reading.wait()
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                self._tell_lost()
                self._some.set()
                return
            if self._listener is None:
                continue
            text = message.get("text")
            if text is None:
                self._listener.received_bytes()
            else:
                self._listener.received(text)

    async def _write(self) -> None:
        while self._listener is not None or self._waiting:
            while self._waiting:
                await self._websocket.send({"type": "websocket.send", "text": self._waiting[0]})
                self._waiting.popleft()
            self.full = False
            self._some.clear()
            if self._listener is not None:
                self._listener.writable()
            if self._listener is not None and not self._waiting:
                await self._some.wait()

    def _tell_lost(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.lost()

    def send(self, text: str) -> None:
        self._waiting.append(text)
        self.full = True
        self._some.set()

    def close(self, code: int, reason: str) -> None:
        self._listener = None
        self._farewell = code, reason
        self._some.set()
        # A peer that does not read would hold up its own close.
        asyncio.get_running_loop().call_later(FAREWELL_S, self._writing.cancel)

    def pause(self) -> None:
        self._reading.clear()

    def resume(self) -> None:
        self._reading.set()
