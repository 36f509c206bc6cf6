"""What an operator sees: readiness, numbers, and a log that keeps secrets."""

import asyncio
import json
import re
from contextlib import AsyncExitStack
from http import HTTPStatus
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from server.api.operations import operations
from server.db.database import Database
from server.log import strike_out
from server.metrics import Metrics
from server.redis_link import RedisLink
from tests.bench.process import files_open
from tests.conftest import MakeServer
from tests.db.stored import eventually
from tests.live.guest import change, guest
from tests.processes import JWT_SECRET, ServerProcess

SENTENCE = "xylophones quietly judge my vexing kazoo"
EMAIL = "zebediah.quill@example.org"
PASSWORD = "Wombat-Lattice-77"
OK = HTTPStatus.OK
UNAVAILABLE = HTTPStatus.SERVICE_UNAVAILABLE


async def get(process: ServerProcess, path: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=process.http_url) as client:
        return await client.get(path)


# Readiness


async def test_ready_names_each_check(server: ServerProcess) -> None:
    answer = await get(server, "/health/ready")
    assert answer.status_code == OK
    assert answer.json() == {
        "status": "ok",
        "checks": {
            "database": "ok",
            "migrations": "ok",
            "redis": "unused",
            "draining": "no",
            "load": "calm",
        },
    }
    assert answer.headers["cache-control"] == "no-store"


async def test_not_ready_over_an_older_schema(server: ServerProcess, database_url: str) -> None:
    await change(database_url, "UPDATE alembic_version SET version_num = 'older'")
    answer = await get(server, "/health/ready")
    assert answer.status_code == UNAVAILABLE
    assert answer.json()["checks"]["migrations"] == "behind"
    assert (await get(server, "/health")).status_code == OK


async def test_not_ready_while_the_store_is_away() -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/nothing")
    routes = operations(database, RedisLink(), Metrics(), lambda: False, lambda: "calm")
    transport = httpx.ASGITransport(Starlette(routes=routes))
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        answer = await client.get("/health/ready")
    assert answer.status_code == UNAVAILABLE
    assert answer.json() == {
        "status": "unavailable",
        "checks": {
            "database": "away",
            "migrations": "away",
            "redis": "unused",
            "draining": "no",
            "load": "calm",
        },
    }
    await database.close()


async def test_not_ready_while_draining(make_server: MakeServer, sqlite_url: str) -> None:
    server = make_server(sqlite_url, environment={"DRAIN_MS": "1500"})
    await server.start()
    async with guest(server.ws_url):
        ended = asyncio.create_task(server.terminate())
        await asyncio.sleep(0.3)
        answer = await get(server, "/health/ready")
        assert answer.status_code == UNAVAILABLE
        assert answer.json()["checks"] == {
            "database": "ok",
            "migrations": "ok",
            "redis": "unused",
            "draining": "yes",
            "load": "calm",
        }
    await ended


# Numbers


async def numbers(process: ServerProcess) -> dict[str, float]:
    text = (await get(process, "/metrics")).text
    lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


async def come_and_go(server: ServerProcess) -> None:
    """Eight people type, and half of them drop without a word."""
    async with AsyncExitStack() as stack:
        for number in range(8):
            person = await stack.enter_async_context(guest(server.ws_url))
            await person.begin(SENTENCE)
            await person.typed(SENTENCE[:5])
            if number % 2:
                person.socket.transport.abort()


async def test_who_has_left_leaves_nothing_behind(server: ServerProcess) -> None:
    await come_and_go(server)  # the first to come have the store's connections opened
    held = []
    for _ in range(2):
        await asyncio.sleep(0.5)
        held.append(((await numbers(server))["typing_tasks"], files_open(server.pid)))
        await come_and_go(server)
    (tasks, files), (tasks_after, files_after) = held
    assert tasks_after == tasks
    assert files_after <= files + 2  # the store's connections come and go


async def test_a_session_moves_its_numbers(server: ServerProcess) -> None:
    async with guest(server.ws_url) as person:
        assert (await numbers(server))["typing_connections"] == 1
        await person.begin(SENTENCE)
        await person.typed(SENTENCE[:5])
        await person.press(SENTENCE[5:])
        await person.done()
    await get(server, "/nowhere")
    await get(server, "/api/v1/users/me")
    found = await numbers(server)
    assert found["typing_connections"] == 0
    assert found["typing_acks_total"] >= 1
    assert found['typing_results_total{verdict="unranked"}'] == 1
    assert found['typing_journal_entries_total{outcome="committed"}'] >= 2
    assert found["typing_journal_lag_seconds_count"] >= 2
    assert found["typing_journal_waiting"] == found["typing_journal_oldest_seconds"] == 0
    assert sum(value for name, value in found.items() if name.startswith("typing_closes")) > 0
    labels = 'method="GET",route="{}",status="{}"'
    of_404 = f"http_request_seconds_count{{{labels.format('none', 404)}}}"
    of_401 = f"http_request_seconds_count{{{labels.format('/api/v1/users/me', 401)}}}"
    assert (found[of_404], found[of_401]) == (1, 1)


async def test_closes_are_counted_by_code(sqlite_server: ServerProcess) -> None:
    async with guest(sqlite_server.ws_url) as person:
        await person.send_raw(b"binary")
        assert await person.closed() == 1003
    await asyncio.sleep(0.1)
    assert (await numbers(sqlite_server))['typing_closes_total{code="1003"}'] == 1


async def test_event_loop_is_watched(sqlite_server: ServerProcess) -> None:
    await asyncio.sleep(1.2)
    assert (await numbers(sqlite_server))["event_loop_lag_seconds_count"] >= 1


async def test_no_client_makes_numbers_without_end(sqlite_server: ServerProcess) -> None:
    async with httpx.AsyncClient(base_url=sqlite_server.http_url) as client:
        for number in range(20):
            await client.get(f"/nowhere/{number}")
            await client.request(f"ODD{number}", "/")
            await client.get(f"/static/none-{number}.js")
    names = [name for name in await numbers(sqlite_server) if "seconds_count{" in name]
    assert len(names) < 10


# The log


async def use_everything(process: ServerProcess) -> list[str]:
    """Type, register, log in and make mistakes; return all that must not be in the log."""
    async with guest(process.ws_url) as person:
        await person.begin(SENTENCE)
        await person.press(SENTENCE)
        await person.done()
        await person.send_raw(json.dumps({"type": "open", "attempt": SENTENCE, "note": EMAIL}))
        await person.send_raw(SENTENCE)
        guest_token = person.token
    secrets = [SENTENCE, SENTENCE[4:18], EMAIL, PASSWORD, guest_token, JWT_SECRET]
    account = {"email": EMAIL, "password": PASSWORD, "refresh": "body"}
    headers = {"Authorization": f"Bearer {guest_token}"}
    async with httpx.AsyncClient(base_url=f"{process.http_url}/api/v1/auth") as client:
        answers = [
            await client.post("/register", json=account, headers=headers),
            await client.post("/register", json=account),
            await client.post("/login", json=account),
            await client.post("/login", json=account | {"password": "Wrong-Lattice-78"}),
            await client.post("/forgot-password", json={"email": EMAIL}),
            await client.get(f"/login?token={guest_token}&email={EMAIL}"),
            await client.post("/login", content=json.dumps(account)[:-1]),
        ]
        assert answers[0].status_code == HTTPStatus.CREATED
        for answer in answers:
            body: dict[str, Any] = answer.json()
            secrets += [body[name] for name in ("access_token", "refresh_token") if name in body]
    async with guest(process.ws_url, secrets[-2]) as person:
        await person.begin(SENTENCE)
    return secrets


async def test_log_of_a_full_run_keeps_every_secret(
    make_server: MakeServer, database_url: str
) -> None:
    environment = {"ENVIRONMENT": "production"}
    server = make_server(database_url, environment=environment)
    await server.start()
    secrets = await use_everything(server)
    await server.terminate()
    log = server.log()
    assert len(secrets) >= 9
    assert [secret for secret in secrets if secret in log] == []
    lines = [json.loads(line) for line in log.splitlines()]
    requests = [line for line in lines if line["event"] == "request"]
    assert {"method", "route", "status", "ms", "request_id", "timestamp"} <= requests[0].keys()
    assert {line["status"] for line in requests} >= {201, 401, 409}
    connections = [line for line in lines if line["event"] == "connection"]
    assert {"connection_id", "user_id", "code", "seconds"} <= connections[0].keys()
    assert len({line["connection_id"] for line in connections}) == 2


async def test_log_of_development_is_for_reading(sqlite_server: ServerProcess) -> None:
    await get(sqlite_server, "/nowhere")
    # The line is written once the answer has left.
    await eventually(lambda: re.search(r"request .*status=404", sqlite_server.log()) is not None)


async def test_store_that_fails_says_nothing_of_what_was_typed(
    make_server: MakeServer, sqlite_url: str
) -> None:
    server = make_server(sqlite_url)
    await server.start()
    async with guest(server.ws_url) as person:
        await person.begin(SENTENCE)
        await change(sqlite_url, "ALTER TABLE commits RENAME TO commits_away")
        await person.press(SENTENCE)
        await asyncio.sleep(0.5)
    log = server.log()
    assert "no such table" in log
    assert "[parameters" not in log
    assert "xylophone" not in log


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("token eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl is bad", "eyJhbGci"),
        ("to ann+x@mail.example.org: 451", "ann"),
        ("cannot connect to postgresql://app:hunter2@db/typing", "hunter2"),
        ("[SQL: INSERT]\n[parameters: ('typed', 1)]", "typed"),
        ("duplicate key\nDETAIL:  Key (email)=(ann) already exists.", "ann"),
    ],
)
def test_what_looks_like_a_secret_is_struck_out(text: str, secret: str) -> None:
    struck = strike_out(None, "info", {"event": text, "exception": text, "count": 3})
    assert secret not in str(struck)
    assert struck["count"] == 3
    assert strike_out(None, "info", {"event": "GET /api/v1"}) == {"event": "GET /api/v1"}
