"""What an operator asks: is it alive, may it be sent work, what has it done."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.db.database import STORE_ERRORS, Database
from server.metrics import CONTENT_TYPE, Metrics
from server.redis_link import RedisLink

log = logging.getLogger(__name__)

CHECK_S = 2.0
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
QUIET = ("/health", "/health/ready", "/metrics", "/static")  # asked all the time


def operations(
    database: Database,
    link: RedisLink,
    metrics: Metrics,
    draining: Callable[[], bool],
    load: Callable[[], str],
) -> list[Route]:
    """The routes: /health, /health/ready and /metrics. `load` says what is done without."""

    async def health(_request: Request) -> Response:
        return JSONResponse({"status": "ok"}, headers=NO_STORE)

    async def ready(_request: Request) -> Response:
        checks = {
            "database": await _answered(_database(database)),
            "migrations": await _answered(_migrations(database)),
            "redis": await link.state(),
            "draining": "yes" if draining() else "no",
            "load": load(),
        }
        # Without Redis everything is still answered, and who has too much to do still answers
        # those who are there: both stay in service.
        fit = checks | {"redis": "any", "load": "any"} == READY
        served = "degraded" if checks["redis"] == "away" or checks["load"] != "calm" else "ok"
        status = {"status": served if fit else "unavailable", "checks": checks}
        return JSONResponse(status, 200 if fit else 503, NO_STORE)

    async def read_metrics(_request: Request) -> Response:
        return Response(metrics.text(), headers={**NO_STORE, "Content-Type": CONTENT_TYPE})

    return [
        Route("/health", health),
        Route("/health/ready", ready),
        Route("/metrics", read_metrics),
    ]


NO_STORE = {"Cache-Control": "no-store"}
READY = {
    "database": "ok",
    "migrations": "ok",
    "redis": "any",
    "draining": "no",
    "load": "any",
}


async def _answered(check: Awaitable[str]) -> str:
    try:
        async with asyncio.timeout(CHECK_S):
            return await check
    except STORE_ERRORS:
        return "away"


async def _database(database: Database) -> str:
    async with database.read():
        return "ok"


async def _migrations(database: Database) -> str:
    return "ok" if await database.is_migrated() else "behind"


def with_measures(app: ASGIApp, metrics: Metrics) -> ASGIApp:
    """Every request is counted and logged by its route, never by its URL or what it carries."""

    async def measured(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        started_s = time.perf_counter()
        status = 500

        async def send_measured(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        name = scope.get("state", {}).get("request_id", "")
        with structlog.contextvars.bound_contextvars(request_id=name):
            try:
                await app(scope, receive, send_measured)
            finally:
                _report(scope, status, time.perf_counter() - started_s, metrics)

    return measured


def _report(scope: Scope, status: int, seconds: float, metrics: Metrics) -> None:
    route = getattr(scope.get("route"), "path", "none")
    method = scope["method"] if scope["method"] in METHODS else "other"
    metrics.requested(method, route, status, seconds)
    if route not in QUIET:
        fields = {"method": method, "route": route, "status": status, "ms": round(seconds * 1_000)}
        log.info("request", extra=fields)
