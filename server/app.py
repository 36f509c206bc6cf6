"""The wiring: every part built once and joined. Only here the clock and the dice are named."""

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path
from random import SystemRandom
from uuid import uuid4

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from server.api import (
    accounts,
    attempts,
    charts,
    collection_texts,
    collections,
    history,
    imports,
    key_stats,
    layouts,
    leaderboards,
    lessons,
    passwords,
    practice,
    races,
    subscriptions,
    users,
)
from server.api import endpoint as api
from server.api.docs_page import documents
from server.api.endpoint import ApiError, Endpoint, json_error
from server.api.headers import with_cors, with_headers
from server.api.kept import KeptAnswers, Shared
from server.api.operations import operations, with_measures
from server.api.routes import PREFIX, broken, refused, request_id, routes, with_request_ids
from server.auth import Passwords, Tokens
from server.billing import Billing
from server.boards import Boards
from server.budgets import Budgets, counted_address
from server.bus import Bus, MemoryBus, RedisBus
from server.clock import Clock
from server.db.database import STORE_ERRORS, Database, store_now_us
from server.db.imports import Imports
from server.db.journal import Journal
from server.db.mails import Mails
from server.lessons import Lessons
from server.line import DIRECT, AsgiLine
from server.live.connection import Connection
from server.live.hub import AddressLimits, Hub
from server.live.load import Load, LoadLimits, watch_load
from server.live.neighbours import Neighbours
from server.live.parts import Parts
from server.live.races import Races
from server.live.racing import RacingParts
from server.live.revoker import Revoker
from server.live.sweeper import Sweeper
from server.metrics import Metrics
from server.post import MailServer, Post
from server.protocol import SUBPROTOCOL, CloseCode
from server.redis_link import RedisLink
from server.settings import Settings
from server.texts import Texts
from server.turns import Door, Turns

log = logging.getLogger(__name__)

ENDPOINTS: list[Endpoint] = [
    *accounts.ENDPOINTS,
    *passwords.ENDPOINTS,
    *users.ENDPOINTS,
    *history.ENDPOINTS,
    *charts.ENDPOINTS,
    *attempts.ENDPOINTS,
    *imports.ENDPOINTS,
    *key_stats.ENDPOINTS,
    *lessons.ENDPOINTS,
    *practice.ENDPOINTS,
    *leaderboards.ENDPOINTS,
    *races.ENDPOINTS,
    *layouts.ENDPOINTS,
    *collections.ENDPOINTS,
    *collection_texts.ENDPOINTS,
    *subscriptions.ENDPOINTS,
]
STATIC = Path(__file__).resolve().parents[1] / "static"
PAGES = {
    "/": "typing",
    "/history": "history",
    "/attempts/{attempt}": "attempt",
    "/leaderboards": "leaderboards",
    "/lessons": "lessons",
    "/account": "account",
    "/import": "import",
    "/practice": "practice",
    "/keyboard": "keyboard",
    "/race": "race",
    "/race/{race}": "race",
    "/plans": "plans",
    "/collections": "collections",
    "/collections/{collection}": "collections",
}
FLUSH_S = 10
AT_ONCE = 4  # who open, or otherwise want more than to type
FILES_USUAL = 1_024
FILES_KEPT = 128  # for the store, for other requests, for whatever is imported late
CLOCK_S = 60
CLOCK_MS_MAX = 1_000  # by which it should never be wrong once it was right


def build(settings: Settings, files: int = FILES_USUAL) -> Parts:
    """Every part, joined; nothing runs yet. So many files and sockets may be open at once."""
    clock = Clock()
    database = Database(settings.database_url)
    metrics = Metrics()
    limits = AddressLimits(
        connections=settings.connections_per_address,
        handshakes_s=settings.handshakes_per_address_s,
        guests_hour=settings.guests_per_address_hour,
        loopback_free=not settings.production,
    )
    bus: Bus = RedisBus(settings.redis_url, metrics) if settings.redis_url else MemoryBus(metrics)
    sockets = max(files - FILES_KEPT, files // 2)
    much = LoadLimits(settings.overload_ms, settings.overload_core_percent / 100, sockets)
    racing = Races(database, bus, clock, uuid4().hex)
    sells = settings.stripe_secret_key is not None
    texts = Texts(database, Lessons(), SystemRandom(), clock.now_ms, sells=sells)
    return Parts(
        clock=clock,
        database=database,
        journal=Journal(database, metrics, clock.now_ms),
        hub=Hub(limits, time.monotonic, metrics),
        load=Load(much, SystemRandom(), metrics.refused),
        door=Door(),
        turns=Turns(AT_ONCE),
        bus=bus,
        races=racing,
        racing=RacingParts(racing, database, texts, SystemRandom()),
        texts=texts,
        tokens=Tokens(settings.jwt_secret),
    )


def build_api(parts: Parts, settings: Settings, redis_link: RedisLink) -> api.Parts:
    """What the endpoints use beside or instead of what the connections do."""
    public_url = settings.public_url or f"http://{settings.host}:{settings.port}"
    pages = {"verify": "verify-email", "change": "verify-email", "reset": "reset-password"}

    def link(purpose: str, seed: str) -> str:
        # After the #, so that no server and no other site ever hears of it.
        return f"{public_url}/account#{pages[purpose]}={parts.tokens.mailed(seed)}"

    post = Post(
        Mails(parts.database),
        MailServer.of(settings.mail_url) if settings.mail_url else None,
        link,
        parts.clock.now_ms,
        show=settings.environment == "development",
    )
    boards = Boards(parts.database, redis_link, parts.journal.metrics, parts.clock.now_ms)
    parts.journal.heard = boards.heard
    return api.Parts(
        clock=parts.clock,
        database=parts.database,
        tokens=parts.tokens,
        passwords=Passwords(cheap=settings.environment == "test"),
        budgets=Budgets(
            lambda: parts.clock.now_ms() / 1_000,
            settings.per_hour,
            redis_link,
            enabled=settings.rate_limit_enabled,
        ),
        boards=boards,
        post=post,
        origins=settings.allowed_origins,
        secure_cookies=settings.production,
        kept=KeptAnswers(),
        billing=_billing(settings, public_url, parts.clock),
        days=Shared(),
        lessons=parts.texts.lessons,
        imports=Imports(parts.database),
        importing=[],
        coach=parts.texts.coach,
    )


def _billing(settings: Settings, public_url: str, clock: Clock) -> Billing | None:
    account = settings.stripe
    if account is None:
        return None
    return Billing(account, f"{public_url}/plans", lambda: clock.now_ms() / 1_000)


def create_app(parts: Parts, settings: Settings, fail: Callable[[], None]) -> ASGIApp:
    """The ASGI application over `parts`; its lifespan runs the journal and the sweeper.

    `fail` is called if one of them breaks: a server that cannot store what it hears must end.
    """

    redis_link = RedisLink(settings.redis_url)
    api_parts = build_api(parts, settings, redis_link)
    metrics = parts.journal.metrics
    metrics.watch("typing_process_id", "Which process answers.", os.getpid)
    metrics.watch("typing_connections", "Open websockets.", parts.hub.connections)
    metrics.watch("typing_tasks", "Tasks of the event loop.", lambda: len(asyncio.all_tasks()))
    metrics.watch("typing_load_level", "0 calm to 3 full.", lambda: parts.load.level)
    metrics.watch("typing_journal_waiting", "Entries not settled.", parts.journal.waiting)
    metrics.watch("typing_redis_up", "1 unless it is away.", lambda: not redis_link.away)
    metrics.watch("typing_journal_oldest_seconds", "Their oldest.", parts.journal.waiting_s)

    async def live(websocket: WebSocket) -> None:
        await _live(websocket, parts, settings)

    async def not_a_websocket(request: Request) -> Response:
        return await _not_a_websocket(request, parts)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with aclosing(redis_link), _running(parts, api_parts, fail):
            yield

    paths = [
        *(Route(path, _page(name)) for path, name in PAGES.items()),
        WebSocketRoute("/ws", live),
        Route("/ws", not_a_websocket),
        *routes(api_parts, ENDPOINTS),
        *documents(ENDPOINTS, PREFIX, STATIC / "docs" / "index.html"),
        *operations(parts.database, redis_link, metrics, *_standing(parts)),
        Mount("/static", GZipMiddleware(StaticFiles(directory=STATIC))),
    ]
    handlers = {HTTPException: refused, Exception: broken}
    app = Starlette(routes=paths, lifespan=lifespan, exception_handlers=handlers)
    return with_request_ids(
        with_measures(
            with_headers(with_cors(app, settings.allowed_origins), settings.production), metrics
        )
    )


@asynccontextmanager
async def _running(
    parts: Parts, api_parts: api.Parts, fail: Callable[[], None]
) -> AsyncIterator[None]:
    def must_not_end(task: "asyncio.Task[None]") -> None:
        if not task.cancelled():
            log.critical("the server cannot go on", exc_info=task.exception())
            fail()

    await parts.texts.publish()
    await api_parts.imports.sweep()
    await _follow_store(parts, at_once=True)
    sweeper = Sweeper(parts.database, parts.journal, parts.hub, parts.clock.now_ms)
    journal = asyncio.create_task(parts.journal.run())
    revoker = Revoker(parts.database, parts.hub)
    neighbours = Neighbours(parts.database, parts.races)
    metrics = parts.journal.metrics
    others = (
        sweeper.run(),
        revoker.run(),
        parts.bus.run(),
        parts.races.run(parts.load),
        neighbours.run(),
        api_parts.post.run(),
        api_parts.boards.run(),
        metrics.watch_loop(),
        watch_load(parts.load, metrics.take_slowest_commit_s, parts.waited_s),
        _keep_following(parts),
    )
    tasks = [journal, *(asyncio.create_task(other) for other in others)]
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
        with suppress(*STORE_ERRORS):
            await neighbours.sign_off()
        await parts.database.close()


# The clock


async def _follow_store(parts: Parts, *, at_once: bool = False) -> None:
    """All processes on one store go by its clock. The one on a file has none to agree with."""
    if not parts.database.embedded:
        async with parts.database.read() as connection:
            behind_ms = await parts.clock.follow(lambda: store_now_us(connection), at_once=at_once)
        if not at_once and abs(behind_ms) > CLOCK_MS_MAX:
            log.warning("the clock is %d ms behind the store's, and goes there slowly", behind_ms)


async def _keep_following(parts: Parts) -> None:
    while True:
        await asyncio.sleep(CLOCK_S)
        try:
            await _follow_store(parts)
        except STORE_ERRORS as error:
            log.warning("the store does not say what time it is: %s", type(error).__name__)


# Pages and health


def _page(name: str) -> Callable[[Request], Awaitable[Response]]:
    """The document of a page; what stands in its path, the page reads itself."""

    async def answered(_request: Request) -> Response:
        path = STATIC / "pages" / f"{name}.html"
        return FileResponse(path, headers={"Cache-Control": "no-cache"})

    return answered


async def _not_a_websocket(request: Request, parts: Parts) -> Response:
    """Also how a page learns why it was refused: a browser does not tell it."""
    error = _busy(parts, comes_back=False)
    if error is None:
        headers = {"Upgrade": "websocket", "Connection": "Upgrade"}
        error = ApiError(426, "upgrade_required", "A websocket is spoken here.", headers=headers)
    return json_error(error, request_id(request))


def _standing(parts: Parts) -> tuple[Callable[[], bool], Callable[[], str]]:
    return lambda: parts.hub.draining, lambda: parts.load.level.name.lower()


# The socket


async def _live(websocket: WebSocket, parts: Parts, settings: Settings) -> None:
    if not _origin_allowed(websocket, settings):
        await _deny(websocket, ApiError(403, "cross_site", "Not from that page."))
        return
    address = counted_address(websocket.client.host if websocket.client else "")
    comes_back = "resume" in websocket.query_params
    busy = _busy(parts, comes_back) or _too_many(parts, address, comes_back)
    if busy is not None:
        await _deny(websocket, busy)
        return
    offered = websocket.scope["subprotocols"]
    if offered and SUBPROTOCOL not in offered:
        await websocket.accept()
        await websocket.close(CloseCode.NO_COMMON_VERSION, f"this server speaks {SUBPROTOCOL}")
        return
    await websocket.accept(SUBPROTOCOL if offered else None)
    connection = Connection(address, parts, comes_back)
    take_over = websocket.scope["extensions"].get(DIRECT)
    if take_over is not None:
        connection.listen(take_over(connection))
        return
    line = AsgiLine(websocket)
    connection.listen(line)
    await line.serve(connection)


def _busy(parts: Parts, comes_back: bool) -> ApiError | None:
    """Why nobody is let in just now; None if they are."""
    if parts.hub.draining:
        return _later(503, "busy", "The server is restarting.", 1.0)
    wait_s = parts.load.socket_wait_s(parts.hub.connections(), comes_back)
    if wait_s > 0:
        return _later(503, "overloaded", "The server has as much to do as it can.", wait_s)
    return None


def _too_many(parts: Parts, address: str, comes_back: bool) -> ApiError | None:
    wait_s = parts.hub.admit(address, comes_back)
    return _later(429, "rate", "Too many connections; try again.", wait_s) if wait_s > 0 else None


def _later(status: int, code: str, message: str, wait_s: float) -> ApiError:
    return ApiError(status, code, message, headers={"Retry-After": str(int(wait_s) + 1)})


async def _deny(websocket: WebSocket, error: ApiError) -> None:
    await websocket.send_denial_response(json_error(error, uuid4().hex))


def _origin_allowed(websocket: WebSocket, settings: Settings) -> bool:
    origins = websocket.headers.getlist("origin")
    if not origins:
        return True  # not a browser
    scheme = "https" if websocket.url.scheme == "wss" else "http"
    own = f"{scheme}://{websocket.headers.get('host', '')}"
    return len(origins) == 1 and (origins[0] == own or origins[0] in settings.allowed_origins)


def drain(parts: Parts, settings: Settings) -> Callable[[], Awaitable[None]]:
    """What to do before the process hangs up."""

    async def drained() -> None:
        await parts.hub.drain(settings.drain_ms)
        with suppress(TimeoutError):
            await asyncio.wait_for(parts.journal.flush(), FLUSH_S)

    return drained
