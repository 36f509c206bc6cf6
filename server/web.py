"""uvicorn as we run it: its four open doors closed, and a farewell before it hangs up.

The protocol classes reach into uvicorn 0.54; tests/test_web.py holds every reach to account.
"""

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import FrameType
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.http11 import Request

from server.api.endpoint import PATIENCE
from server.line import DIRECT, ODD_FRAMES_MAX, DirectLine, Listener, Patience
from server.protocol import MESSAGE_BYTES_MAX, CloseCode
from server.turns import Door

if sys.platform != "win32":
    import resource

log = logging.getLogger(__name__)
log.setLevel(logging.WARNING)
# A client's bad frame is its own fault and closed with 1007: no error of ours, no traceback.
log.addFilter(lambda record: not record.getMessage().startswith("Invalid UTF-8"))

REQUEST_S = 5.0  # for a request's headers to arrive, and as long for its body
HANDSHAKE_S = 5.0
EARLY_BYTES_MAX = 65_536  # that may arrive before it is somebody's turn
UNREAD_S = 60.0  # for a client to read what it has asked for, a buffer's worth at a time
CLOSE_S = 3.0  # for a client to take our close before the line is cut
PING_S = 20.0
SHUTDOWN_S = 5
FILES_WANTED = 4_096
WINDOWS_FILES = 8_192


class Config(uvicorn.Config):
    """uvicorn's, and the door at which new connections wait."""

    door: Door


class HttpProtocol(HttpToolsProtocol):
    """Cuts a connection whose request never ends, be it the first or a later one, and one whose
    answer is not read.

    The first request of each waits at the door.
    """

    _deadline: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    _in_request = False
    _entered = False
    _early = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._set_deadline(REQUEST_S)

    def data_received(self, data: bytes) -> None:
        if not self._entered:
            self._come(data)
            return
        if self._deadline is None and not self._in_request:
            self._set_deadline(REQUEST_S)
        super().data_received(data)

    def _come(self, data: bytes) -> None:
        if not self._early:
            cast("Config", self.config).door.enter(self._enter)
            if self._entered:
                self.data_received(data)
                return
        self._early += data
        if len(self._early) > EARLY_BYTES_MAX:
            self.transport.abort()

    def _enter(self) -> None:
        self._entered = True
        if self._early and not self.transport.is_closing():
            self._set_deadline(REQUEST_S)  # the wait was of our making
            self.data_received(self._early)
        self._early = b""

    def on_headers_complete(self) -> None:
        self._in_request = True
        self._set_deadline(REQUEST_S)  # once more, for the body
        extensions: Any = {PATIENCE: self._be_patient}
        self.scope["extensions"] = extensions
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_request = False
        self._met_deadline()
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        self._met_deadline()
        self._has_read()  # from now on it is another's to say
        super().handle_websocket_upgrade()
        # They know this object, which knows them: all would wait for the garbage collector.
        self.parser = None  # type: ignore[assignment]
        self.scope["extensions"] = {}

    def pause_writing(self) -> None:
        super().pause_writing()
        self._wait_for_reader()

    def resume_writing(self) -> None:
        self._has_read()
        super().resume_writing()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._see_to_close()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._see_to_close()

    def _see_to_close(self) -> None:
        # Closing waits until all is sent, which one who reads nothing never lets happen.
        if self.transport.is_closing():
            self._wait_for_reader()

    def _wait_for_reader(self) -> None:
        if self._unread is None:
            self._unread = self.loop.call_later(UNREAD_S, self.transport.abort)

    def _has_read(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def connection_lost(self, exc: Exception | None) -> None:
        self._met_deadline()
        self._has_read()
        super().connection_lost(exc)

    def _be_patient(self, seconds: float) -> None:
        if self._in_request:
            self._set_deadline(seconds)

    def _set_deadline(self, seconds: float) -> None:
        self._met_deadline()
        self._deadline = self.loop.call_later(seconds, self.transport.abort)

    def _met_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """Cuts a handshake that never ends, and a client that neither reads nor goes.

    Sends away who sends more frames that are no message than anybody needs between two pings.
    """

    _odd_frames = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Its lines repeat the whole URL, in which somebody may have put a token.
        self.logger = log
        super().connection_made(transport)
        self._deadline = self.loop.call_later(HANDSHAKE_S, self._handshake_is_due)

    def _handshake_is_due(self) -> None:
        if not self.handshake_complete:
            self.transport.abort()

    def handle_ping(self) -> None:
        super().handle_ping()
        self._count_odd_frame()

    def handle_pong(self, event: Frame) -> None:
        super().handle_pong(event)
        self._count_odd_frame()

    def handle_text(self, event: Frame) -> None:
        super().handle_text(event)
        if not event.fin:
            self._count_odd_frame()

    def handle_cont(self, event: Frame) -> None:
        super().handle_cont(event)
        self._count_odd_frame()

    def _count_odd_frame(self) -> None:
        self._odd_frames += 1
        if self._odd_frames > ODD_FRAMES_MAX and not self.close_sent:
            code, reason = CloseCode.MESSAGE_RATE, "too many messages"
            self.conn.send_close(code, reason)
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.close_sent = True
            self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
            self.transport.pause_reading()
            self.loop.call_later(CLOSE_S, self.transport.abort)

    def send_keepalive_ping(self) -> None:
        super().send_keepalive_ping()
        self._odd_frames = 0

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        # `close` waits until everything is sent, which a dead client never lets happen.
        self.loop.call_later(CLOSE_S, self.transport.abort)

    async def send(self, message: Any) -> None:
        if message["type"] == "websocket.close":
            self.loop.call_later(CLOSE_S, self.transport.abort)
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            # A refusal is a whole answer, and nothing for uvicorn to complain about in the log.
            self.handshake_complete = True


class DirectProtocol(WebSocketProtocol):
    """Does the handshake; a `DirectLine` reads the frames, if the application asks for it."""

    _early = b""

    def data_received(self, data: bytes) -> None:
        # Frames that come before the handshake is answered are for whoever reads frames then.
        if self.handshake_initiated and not self.handshake_complete:
            self._early += data
            if len(self._early) > MESSAGE_BYTES_MAX:
                self.transport.abort()
        else:
            super().data_received(data)

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if self.response.status_code == 101:
            extensions = cast("dict[str, Any]", self.scope["extensions"])
            extensions[DIRECT] = self.take_over

    def take_over(self, listener: Listener) -> DirectLine:
        """Let frames go to the listener without a way through ASGI; this object is done then."""
        self.stop_keepalive()
        self.connections.discard(self)
        self._deadline.cancel()
        # Set, it tells uvicorn not to hang up when the application returns.
        self.close_timer = self.loop.call_later(0, int)
        patience = Patience(PING_S, CLOSE_S)
        line = DirectLine(
            self.transport,
            listener,
            MESSAGE_BYTES_MAX,
            patience,
            cast("set[object]", self.connections),
        )
        self.transport.set_protocol(line)
        if self._early:
            self.loop.call_soon(line.data_received, self._early)
        self._part()
        return line

    def _part(self) -> None:
        """Break the rings of which this object is, which would wait for the garbage collector."""
        cast("dict[str, Any]", self.scope["extensions"]).clear()
        self.conn.parser.close()


PROTOCOLS: dict[str, type[WebSocketProtocol]] = {
    "direct": DirectProtocol,
    "sansio": WebSocketProtocol,
}


class Server(uvicorn.Server):
    """On SIGTERM `drain` first moves everybody on; a second signal, or SIGINT, ends at once."""

    def __init__(self, config: uvicorn.Config, drain: Callable[[], Awaitable[None]]) -> None:
        super().__init__(config)
        self._drain = drain
        self._draining = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._drained: asyncio.Future[None] | None = None
        self.failed = False

    async def startup(self, sockets: Any = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)

    def fail(self) -> None:
        """End now, and let `failed` say that it was no good end."""
        self.failed = True
        self.should_exit = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if sig != signal.SIGTERM or self._draining or self._loop is None:
            super().handle_exit(sig, frame)
            return
        self._draining = True
        self._loop.call_soon_threadsafe(self._begin_drain, sig, frame)

    def _begin_drain(self, sig: int, frame: FrameType | None) -> None:
        self._drained = asyncio.ensure_future(self._drain())
        self._drained.add_done_callback(lambda _: uvicorn.Server.handle_exit(self, sig, frame))


def server(
    app: ASGIApp,
    host: str,
    port: int,
    drain: Callable[[], Awaitable[None]],
    door: Door,
    proxies: str | None = None,
    websockets: str = "direct",
) -> Server:
    """A server ready to `run`, which lets people in at `door`.

    Only `proxies` are believed when they say who is behind them.
    `websockets` names who reads frames: a line of ours, or uvicorn.
    """
    config = Config(
        app,
        host=host,
        port=port,
        http=HttpProtocol,
        ws=PROTOCOLS[websockets],
        ws_max_size=MESSAGE_BYTES_MAX,
        ws_per_message_deflate=False,
        ws_ping_interval=PING_S,
        ws_ping_timeout=PING_S,
        timeout_graceful_shutdown=SHUTDOWN_S,
        proxy_headers=proxies is not None,
        forwarded_allow_ips=proxies or "",
        server_header=False,
        log_config=None,
        lifespan="on",
        access_log=False,
        log_level="info",
    )
    config.door = door
    return Server(config, drain)


def raise_files_limit() -> int:
    """Let this process have as many files and sockets open as it may; how many those are."""
    if sys.platform == "win32":
        return WINDOWS_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        # Some systems name a limit that they do not grant.
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most < FILES_WANTED:
        log.warning("this process may have only %d files and sockets open (ulimit -n)", most)
    return most


def listening(host: str, port: int) -> socket.socket:
    """A socket that several processes may serve on. Ends the program if it cannot be had."""
    return uvicorn.Config("", host=host, port=port, log_config=None).bind_socket()
