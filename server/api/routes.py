"""Endpoints become routes: who calls, how often, with what; and one shape for every refusal."""

import logging
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from uuid import uuid4

from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.api.endpoint import (
    Answer,
    ApiError,
    Call,
    Caller,
    Endpoint,
    Parts,
    Query,
    Who,
    json_error,
    read_body,
    read_query,
)
from server.api.kept import entity_tag, is_known, kept_headers
from server.auth import TokenRefused, TooManyHashes
from server.budgets import OverBudget, counted_address
from server.core.plan import Plan, plan_at
from server.db.accounts import find_standing
from server.db.database import STORE_ERRORS, refused_for_good

log = logging.getLogger(__name__)

PREFIX = "/api/v1"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
STORE_RETRY_S = 2
Asked = Callable[[Request], Awaitable[Response]]


# Each refusal is made anew: an exception raised twice carries the traces of both.


def not_found() -> ApiError:
    return ApiError(404, "not_found", "There is no such thing here.")


def unauthorized() -> ApiError:
    headers = {"WWW-Authenticate": "Bearer"}
    return ApiError(401, "unauthorized", "A valid access token is needed.", headers=headers)


def account_required() -> ApiError:
    return ApiError(403, "account_required", "A guest cannot do that: register first.")


def disabled() -> ApiError:
    return ApiError(403, "disabled", "The account is disabled.")


def cross_site() -> ApiError:
    return ApiError(403, "cross_site", "The request comes from another site's page.")


def routes(parts: Parts, endpoints: Iterable[Endpoint]) -> list[Route]:
    """Starlette's routes for these endpoints: paths without parameters first."""
    by_path: dict[str, dict[str, Endpoint]] = {}
    for endpoint in endpoints:
        at = by_path.setdefault(endpoint.path, {})
        if endpoint.method in at:
            raise ValueError(f"{endpoint.method} {endpoint.path} is there twice")
        at[endpoint.method] = endpoint
    return [
        Route(PREFIX + path, _asked(parts, by_path[path]), methods=list(by_path[path]))
        for path in sorted(by_path, key=lambda path: (path.count("{"), path))
    ]


def _asked(parts: Parts, by_method: Mapping[str, Endpoint]) -> Asked:
    async def asked(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        try:
            response = await _answer(parts, by_method[method], request)
        except ApiError as error:
            response = json_error(error, request_id(request))
        except Exception as error:
            response = _broken(error, request)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return asked


async def _answer(parts: Parts, endpoint: Endpoint, request: Request) -> Response:
    if request.method not in SAFE_METHODS and not same_site(request, parts.origins):
        raise cross_site()
    caller = await _caller(parts, request)
    if endpoint.counted:
        await _spend(parts, request, caller)
    _admit(endpoint, caller)
    for name, pattern in endpoint.path_patterns.items():
        if not re.fullmatch(pattern, request.path_params[name]):
            raise not_found()
    query = read_query(request, endpoint.query or Query)
    body = await read_body(request, endpoint.body) if endpoint.body else None
    call = Call(request, caller, body, query)
    tag = _tag(parts, endpoint, call)
    if tag is None:
        return _response(await endpoint.handle(parts, call), endpoint.status)
    if is_known(tag, request.headers.get("if-none-match", "")):
        return Response(status_code=304, headers=kept_headers(tag))
    kept = parts.kept.find(tag)
    if kept is None:
        made = _response(await endpoint.handle(parts, call), endpoint.status)
        kept = bytes(made.body)
        parts.kept.keep(tag, kept)
    return Response(kept, endpoint.status, kept_headers(tag), "application/json")


def _tag(parts: Parts, endpoint: Endpoint, call: Call) -> str | None:
    caller = call.caller
    if endpoint.kept is None or (caller is not None and caller.history is None):
        return None
    url = call.request.url
    besides = endpoint.kept(parts, call, parts.clock.now_ms())
    whose = None if caller is None else (caller.user_id, caller.history)
    return entity_tag(whose, url.path, url.query, besides)


def _response(found: BaseModel | Answer | Response, status: int) -> Response:
    if isinstance(found, Response):
        return found
    answer = Answer(found, status) if isinstance(found, BaseModel) else found
    if answer.model is None:
        return Response(status_code=answer.status, headers=answer.headers)
    content = answer.model.model_dump_json().encode()
    return Response(content, answer.status, answer.headers, "application/json")


# Who calls, and how often


async def _caller(parts: Parts, request: Request) -> Caller | None:
    given = request.headers.getlist("authorization")
    if not given:
        return None
    scheme, _, token = given[0].partition(" ")
    if len(given) > 1 or scheme.lower() != "bearer":
        raise unauthorized()
    try:
        claims = parts.tokens.read(token.strip())
    except TokenRefused:
        raise unauthorized() from None
    standing = await find_standing(parts.database, claims.user_id, claims.login_id)
    if standing is None and claims.guest:
        return Caller(claims.user_id, True, None, plan=Plan.FREE if parts.billing else Plan.PREMIUM)
    good = (claims.guest, claims.version)
    if standing is None or (standing.guest, standing.token_version) != good:
        raise unauthorized()
    if standing.disabled:
        raise disabled()
    if not claims.guest and standing.login_id is None:
        raise unauthorized()
    history = (standing.created_at_ms, standing.history_version)
    tier = plan_at(standing.tier, standing.tier_until_ms, parts.clock.now_ms())
    plan, until_ms = (tier, standing.tier_until_ms) if parts.billing else (Plan.PREMIUM, None)
    return Caller(standing.id, claims.guest, standing.login_id, tier, history, plan, until_ms)


async def _spend(parts: Parts, request: Request, caller: Caller | None) -> None:
    if caller is None:
        await spend(parts, "requests_address", address(request))
    else:
        await spend(parts, f"requests_{caller.tier.value}", f"user {caller.user_id}")


async def spend(parts: Parts, budget: str, subject: str) -> None:
    """Count one. Raises ApiError 429 that says when it may be tried again."""
    try:
        await parts.budgets.spend(budget, subject)
    except OverBudget as over:
        headers = {"Retry-After": str(over.retry_s)}
        raise ApiError(429, "rate", "Too often; try again later.", headers=headers) from None


def address(request: Request) -> str:
    """Whom to count for the other end of the line."""
    return f"address {counted_address(request.client.host if request.client else '')}"


def _admit(endpoint: Endpoint, caller: Caller | None) -> None:
    if endpoint.who is Who.ANYONE:
        return
    if caller is None:
        raise unauthorized()
    if endpoint.who is Who.MEMBER and caller.guest:
        raise account_required()


def same_site(request: Request, origins: frozenset[str], proven: bool = False) -> bool:
    """Whether no other site's page sent this. `proven`: a browser must say so itself."""
    site = request.headers.get("sec-fetch-site")
    if site == "same-origin":
        return True
    origin = request.headers.getlist("origin")
    if not origin:
        return not proven and site in (None, "none")
    own = f"{request.url.scheme}://{request.headers.get('host', '')}"
    return len(origin) == 1 and (origin[0] == own or origin[0] in origins)


# Refusals outside an endpoint


def _broken(error: Exception, request: Request) -> Response:
    if isinstance(error, STORE_ERRORS) and not refused_for_good(error):
        log.warning("the store does not answer: %s", type(error).__name__)
        headers = {"Retry-After": str(STORE_RETRY_S)}
        away = ApiError(503, "store", "The store does not answer; try again.", headers=headers)
        return json_error(away, request_id(request))
    if isinstance(error, TooManyHashes):
        busy = ApiError(503, "busy", "Too many at once; try again.", headers={"Retry-After": "1"})
        return json_error(busy, request_id(request))
    log.error("request %s failed", request_id(request), exc_info=error)
    return json_error(ApiError(500, "internal", "Something broke here."), request_id(request))


async def refused(request: Request, error: Exception) -> Response:
    """What Starlette refuses by itself, in the one shape: no such path, or method."""
    if not isinstance(error, HTTPException):
        raise error
    known = {404: not_found(), 405: ApiError(405, "method_not_allowed", "Not with this method.")}
    other = ApiError(error.status_code, "refused", "The request was refused.")
    response = json_error(known.get(error.status_code, other), request_id(request))
    response.headers.update(error.headers or {})
    response.headers["Cache-Control"] = "no-store"
    return response


async def broken(request: Request, error: Exception) -> Response:
    """What went wrong outside any endpoint."""
    return json_error(ApiError(500, "internal", "Something broke here."), request_id(request))


def request_id(request: Request) -> str:
    """The name of this request in answers and logs."""
    name: str = request.scope.get("state", {}).get("request_id", "")
    return name


def with_request_ids(app: ASGIApp) -> ASGIApp:
    """Every request gets a name of its own, which its answer carries."""

    async def named(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        name = uuid4().hex
        scope.setdefault("state", {})["request_id"] = name

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-request-id", name.encode())]
            await send(message)

        await app(scope, receive, send_named)

    return named
