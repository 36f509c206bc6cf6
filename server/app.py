"""The wiring: every part built once and joined. Only here the clock and the dice are named."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from random import SystemRandom

from starlette.applications import Starlette
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from server.auth import Tokens
from server.clock import Clock
from server.db.database import STORE_ERRORS, Database
from server.db.journal import Journal
from server.live.connection import Connection, Parts
from server.live.hub import AddressLimits, Hub
from server.live.sweeper import Sweeper
from server.protocol import SUBPROTOCOL, CloseCode
from server.settings import Settings
from server.texts import Texts

log = logging.getLogger(__name__)

STATIC = Path(__file__).resolve().parents[1] / "static"
FLUSH_S = 10
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
        "connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
# Asked for anew each time and answered 304: a page never mixes modules of two versions.
STATIC_CACHE = (b"cache-control", b"no-cache")


def build(settings: Settings) -> Parts:
    """Every part, joined; nothing runs yet."""
    database = Database(settings.database_url)
    limits = AddressLimits(
        connections=settings.connections_per_address,
        handshakes_s=settings.handshakes_per_address_s,
        guests_hour=settings.guests_per_address_hour,
        loopback_free=not settings.production,
    )
    return Parts(
        clock=Clock(),
        database=database,
        journal=Journal(database),
        hub=Hub(limits, time.monotonic),
        texts=Texts(database, SystemRandom()),
        tokens=Tokens(settings.jwt_secret),
    )


def create_app(parts: Parts, settings: Settings, fail: Callable[[], None]) -> ASGIApp:
    """The ASGI application over `parts`; its lifespan runs the journal and the sweeper.

    `fail` is called if one of them breaks: a server that cannot store what it hears must end.
    """

    async def live(websocket: WebSocket) -> None:
        await _live(websocket, parts, settings)

    async def ready(_request: Request) -> Response:
        return await _ready(parts)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with _running(parts, fail):
            yield

    routes = [
        Route("/", _page),
        Route("/health", _health),
        Route("/health/ready", ready),
        WebSocketRoute("/ws", live),
        Route("/ws", _not_a_websocket),
        Mount("/static", GZipMiddleware(StaticFiles(directory=STATIC))),
    ]
    return _with_headers(Starlette(routes=routes, lifespan=lifespan))


@asynccontextmanager
async def _running(parts: Parts, fail: Callable[[], None]) -> AsyncIterator[None]:
    def must_not_end(task: "asyncio.Task[None]") -> None:
        if not task.cancelled():
            log.critical("the server cannot go on", exc_info=task.exception())
            fail()

    await parts.texts.publish()
    sweeper = Sweeper(parts.database, parts.journal, parts.hub, parts.clock.now_ms)
    journal = asyncio.create_task(parts.journal.run())
    tasks = [journal, asyncio.create_task(sweeper.run())]
    for task in tasks:
        task.add_done_callback(must_not_end)
    try:
        yield
    finally:
        flush = asyncio.create_task(parts.journal.flush())
        await asyncio.wait([flush, journal], timeout=FLUSH_S, return_when=asyncio.FIRST_COMPLETED)
        for task in (*tasks, flush):
            task.cancel()
        await asyncio.gather(*tasks, flush, return_exceptions=True)
        await parts.database.close()


# Pages and health


async def _page(_request: Request) -> Response:
    return FileResponse(STATIC / "index.html", headers={"Cache-Control": "no-cache"})


async def _health(_request: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _ready(parts: Parts) -> Response:
    if parts.hub.draining:
        return JSONResponse({"status": "draining"}, 503)
    try:
        async with asyncio.timeout(2), parts.database.read():
            return JSONResponse({"status": "ok"})
    except STORE_ERRORS:
        return JSONResponse({"status": "the store does not answer"}, 503)


async def _not_a_websocket(_request: Request) -> Response:
    headers = {"Upgrade": "websocket", "Connection": "Upgrade"}
    return JSONResponse({"error": {"code": "upgrade_required"}}, 426, headers)


# The socket


async def _live(websocket: WebSocket, parts: Parts, settings: Settings) -> None:
    if not _origin_allowed(websocket, settings):
        await websocket.send_denial_response(Response(status_code=403))
        return
    address = websocket.client.host if websocket.client else ""
    wait_s = 1.0 if parts.hub.draining else parts.hub.admit(address)
    if wait_s > 0:
        status = 503 if parts.hub.draining else 429
        headers = {"Retry-After": str(int(wait_s) + 1)}
        await websocket.send_denial_response(Response(status_code=status, headers=headers))
        return
    offered = websocket.scope["subprotocols"]
    if offered and SUBPROTOCOL not in offered:
        await websocket.accept()
        await websocket.close(CloseCode.NO_COMMON_VERSION, f"this server speaks {SUBPROTOCOL}")
        return
    await websocket.accept(SUBPROTOCOL if offered else None)
    await Connection(websocket, address, parts).run()


def _origin_allowed(websocket: WebSocket, settings: Settings) -> bool:
    origins = websocket.headers.getlist("origin")
    if not origins:
        return True  # not a browser
    scheme = "https" if websocket.url.scheme == "wss" else "http"
    own = f"{scheme}://{websocket.headers.get('host', '')}"
    return len(origins) == 1 and (origins[0] == own or origins[0] in settings.allowed_origins)


def _with_headers(app: ASGIApp) -> ASGIApp:
    """The same security headers on every answer, errors too."""
    extra = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]

    async def with_headers(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *extra]
                if scope["path"].startswith("/static"):
                    message["headers"].append(STATIC_CACHE)
            await send(message)

        await app(scope, receive, send_with_headers if scope["type"] == "http" else send)

    return with_headers


def drain(parts: Parts, settings: Settings) -> Callable[[], Awaitable[None]]:
    """What to do before the process hangs up."""

    async def drained() -> None:
        await parts.hub.drain(settings.drain_ms)
        with suppress(TimeoutError):
            await asyncio.wait_for(parts.journal.flush(), FLUSH_S)

    return drained
