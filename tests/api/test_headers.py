"""Every answer tells browsers what they may do with it, refusals and errors included."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from http import HTTPStatus

import httpx
import pytest
import pytest_asyncio
from starlette.types import Receive, Scope, Send
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from server.api.headers import HTTPS_ONLY, SECURITY, with_cors, with_headers
from tests.conftest import MakeServer
from tests.processes import ServerProcess

ALLOWED = "https://typing.example"
REQUESTS = [
    ("GET", "/", 200),
    ("GET", "/docs", 200),
    ("GET", "/openapi.json", 200),
    ("GET", "/health", 200),
    ("GET", "/metrics", 200),
    ("GET", "/static/pages/typing.js", 200),
    ("GET", "/static/none.js", 404),
    ("GET", "/nowhere", 404),
    ("POST", "/health", 405),
    ("GET", "/ws", 426),
    ("GET", "/api/v1/users/me", 401),
    ("DELETE", "/api/v1/auth/login", 405),
    ("POST", "/api/v1/auth/login", 415),
]


@pytest_asyncio.fixture
async def here(
    make_server: MakeServer, sqlite_url: str
) -> AsyncIterator[tuple[ServerProcess, httpx.AsyncClient]]:
    process = make_server(sqlite_url, environment={"ALLOWED_ORIGINS": ALLOWED})
    await process.start()
    async with httpx.AsyncClient(base_url=process.http_url) as client:
        yield process, client


def lacks(headers: httpx.Headers) -> list[str]:
    return [name for name, value in SECURITY.items() if headers.get_list(name) != [value]]


async def test_every_answer_has_them_all_once(
    here: tuple[ServerProcess, httpx.AsyncClient],
) -> None:
    _, client = here
    answers = {(method, path): await client.request(method, path) for method, path, _ in REQUESTS}
    assert {key: lacks(answer.headers) for key, answer in answers.items()} == {
        (method, path): [] for method, path, _ in REQUESTS
    }
    assert {key: answer.status_code for key, answer in answers.items()} == {
        (method, path): status for method, path, status in REQUESTS
    }
    assert {answer.headers.get("strict-transport-security") for answer in answers.values()} == {
        None
    }
    assert not [key for key, answer in answers.items() if "x-request-id" not in answer.headers]


async def test_every_refusal_has_the_one_shape(
    here: tuple[ServerProcess, httpx.AsyncClient],
) -> None:
    _, client = here
    for method, path, status in REQUESTS:
        if status < HTTPStatus.BAD_REQUEST:
            continue
        answer = await client.request(method, path)
        body = answer.json()
        assert body.keys() == {"error", "request_id"}, (method, path)
        assert {"code", "message"} <= body["error"].keys()
        assert body["request_id"] == answer.headers["x-request-id"]


async def test_refused_websocket_has_them_too(
    here: tuple[ServerProcess, httpx.AsyncClient],
) -> None:
    process, _ = here
    with pytest.raises(InvalidStatus) as refused:
        await connect(process.ws_url, origin=Origin("https://evil.example"), proxy=None)
    response = refused.value.response
    assert response.status_code == HTTPStatus.FORBIDDEN
    assert [name for name, value in SECURITY.items() if response.headers[name] != value] == []
    assert b'"cross_site"' in bytes(response.body or b"")


async def test_production_is_for_https_alone() -> None:
    app = with_headers(nothing, https_only=True)
    async with client_of(app) as client:
        answer = await client.get("/")
    assert {name: answer.headers.get(name) for name in HTTPS_ONLY} == HTTPS_ONLY


# Other origins


def cors(headers: httpx.Headers) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.startswith("access-control")}


async def test_allowed_origin_may_read_with_credentials(
    here: tuple[ServerProcess, httpx.AsyncClient],
) -> None:
    _, client = here
    answer = await client.get("/api/v1/users/me", headers={"Origin": ALLOWED})
    assert answer.headers["access-control-allow-origin"] == ALLOWED
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert "Origin" in answer.headers["vary"]


async def test_allowed_origin_may_ask_before(
    here: tuple[ServerProcess, httpx.AsyncClient],
) -> None:
    _, client = here
    answer = await client.options("/api/v1/users/me", headers=preflight(ALLOWED))
    assert answer.status_code == HTTPStatus.OK
    assert answer.headers["access-control-allow-origin"] == ALLOWED
    assert "PATCH" in answer.headers["access-control-allow-methods"]


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://typing.example",
        "https://typing.example:444",
        "https://sub.typing.example",
        "https://typing.example.evil.example",
        "https://TYPING.example",
        "null",
        "",
    ],
)
async def test_other_origins_hear_nothing_of_it(
    here: tuple[ServerProcess, httpx.AsyncClient], origin: str
) -> None:
    _, client = here
    plain = await client.get("/api/v1/users/me", headers={"Origin": origin})
    before = await client.options("/api/v1/users/me", headers=preflight(origin))
    assert cors(plain.headers) == cors(before.headers) == {}
    assert before.status_code == HTTPStatus.METHOD_NOT_ALLOWED


def preflight(origin: str) -> dict[str, str]:
    return {
        "Origin": origin,
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "authorization",
    }


async def nothing(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def client_of(app: object) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=transport, base_url="http://here")


async def test_two_origins_are_none() -> None:
    async with client_of(with_cors(nothing, {ALLOWED})) as client:
        answer = await client.get("/", headers=[("Origin", ALLOWED), ("Origin", "https://evil")])
    assert cors(answer.headers) == {}


# Proxies


@pytest.mark.parametrize("trusted", [None, "127.0.0.1", "10.0.0.1"])
async def test_only_the_proxies_that_are_named_are_believed(
    make_server: MakeServer, sqlite_url: str, trusted: str | None
) -> None:
    environment = {"REQUESTS_ADDRESS_PER_HOUR": "1"} | (
        {} if trusted is None else {"FORWARDED_ALLOW_IPS": trusted}
    )
    process = make_server(sqlite_url, environment=environment)
    await process.start()
    async with httpx.AsyncClient(base_url=process.http_url) as client:
        statuses = [
            (
                await client.get(
                    "/api/v1/users/me", headers={"X-Forwarded-For": f"203.0.113.{number}"}
                )
            ).status_code
            for number in (1, 2)
        ]
    believed = trusted == "127.0.0.1"
    assert statuses == [401, 401 if believed else 429]


@pytest.mark.parametrize(
    ("second", "admitted"), [("2001:db8::ffff:2", False), ("2001:db8:0:1::1", True)]
)
async def test_a_network_of_ipv6_opens_as_many_websockets_as_an_address(
    make_server: MakeServer, sqlite_url: str, second: str, admitted: bool
) -> None:
    environment = {
        "ENVIRONMENT": "production",
        "CONNECTIONS_PER_ADDRESS": "1",
        "FORWARDED_ALLOW_IPS": "127.0.0.1",
    }
    process = make_server(sqlite_url, environment=environment)
    await process.start()
    async with AsyncExitStack() as stack:
        first = {"X-Forwarded-For": "2001:db8::1"}
        await stack.enter_async_context(connect(process.ws_url, additional_headers=first))
        again = connect(process.ws_url, additional_headers={"X-Forwarded-For": second})
        if admitted:
            await stack.enter_async_context(again)
            return
        with pytest.raises(InvalidStatus) as refused:
            await stack.enter_async_context(again)
        assert refused.value.response.status_code == 429
