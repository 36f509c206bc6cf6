"""The store stopped, killed or locked in the middle of an attempt: acks wait, nothing is lost."""

import asyncio
import sqlite3
import time
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from server.db.database import store_url
from tests.chaos.stores import postgresql_ends, sqlite_may_not_grow
from tests.conftest import MakeServer
from tests.db.stored import opened_database, rows
from tests.live.own_postgres import OwnPostgres, own_postgres
from tests.live.typist import TEXT, Typist, typist
from tests.postgres import Postgres
from tests.processes import ServerProcess, migrate
from tests.raw_client import raw_client

STALL_WITHIN_S = 0.25 + 0.15  # the contract's 250 ms, and what two busy cores may add


async def heard_nothing_but_a_stall(person: Typist, acked: int, since_s: float) -> None:
    """No ack came since the store went away, and word of it came in time."""
    await person.until(lambda: bool(person.of("stall")))
    (stall,) = [heard for heard in person.heard if heard.message["type"] == "stall"]
    assert (stall.message["h"], stall.message["on"]) == (person.h, True)
    assert stall.at_s - since_s < STALL_WITHIN_S
    assert person.acked == acked


async def status(server: ServerProcess, path: str) -> int:
    async with httpx.AsyncClient() as client:
        return (await client.get(server.http_url + path, timeout=5)).status_code


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def own(postgres: Postgres) -> AsyncIterator[OwnPostgres]:
    """A PostgreSQL with the schema in place, for tests that start it again after they end it.

    The one of the whole run comes first: its folder, not ours, is where the embedded servers
    keep their lock to the end.
    """
    async with own_postgres() as own_one:
        await migrate(own_one.url)
        yield own_one


@pytest_asyncio.fixture
async def own_server(own: OwnPostgres, make_server: MakeServer) -> ServerProcess:
    """A running server on that PostgreSQL."""
    await own.start()
    server = make_server(own.url)
    await server.start()
    return server


@pytest.mark.parametrize("leave", [OwnPostgres.stop, OwnPostgres.stop_at_once, OwnPostgres.kill])
async def test_postgresql_goes_away_and_comes_back(
    own: OwnPostgres, own_server: ServerProcess, leave: Callable[[OwnPostgres], None]
) -> None:
    async with typist(own_server.ws_url) as person:
        await person.type_for(0.3)
        await person.all_acked()
        acked = person.acked
        leave(own)

        left_s = time.monotonic()
        await person.type_for(1.0)
        await heard_nothing_but_a_stall(person, acked, left_s)
        await nobody_new_gets_in(own_server)
        await person.client.send(type="ping", c=1)
        await person.until(lambda: bool(person.of("pong")), within_s=0.5)

        await own.start()
        await person.type_for(0.3)
        await person.all_acked(within_s=5.0)
        assert [stall["on"] for stall in person.of("stall")] == [True, False]
        assert person.of("ack")[-1]["position"] == person.seq
        assert await status(own_server, "/health/ready") == 200
        await the_same_after_another_start(own_server, person)


async def nobody_new_gets_in(server: ServerProcess) -> None:
    """Who opens an attempt is told to try again; whoever asks for our health hears the truth."""
    assert await status(server, "/health") == 200
    assert await status(server, "/health/ready") == 503
    async with raw_client(server.ws_url) as client:
        await client.hello()
        source = {"kind": "custom", "text": TEXT}
        await client.send(type="open", id=7, attempt=str(uuid.uuid4()), source=source)
        error = await client.expect("error", re=7, code="store", within_s=8)
        assert error["retry_ms"] > 0


async def the_same_after_another_start(server: ServerProcess, person: Typist) -> None:
    """Everything acked is there for the next process."""
    await server.kill()
    await server.start()
    async with typist(server.ws_url, token=person.token, attempt=person.attempt) as again:
        assert again.seq == person.seq
        await again.type(4)
        await again.all_acked()


async def test_what_several_type_while_postgresql_is_away_counts_once(
    own: OwnPostgres, own_server: ServerProcess
) -> None:
    await postgresql_ends(own, own_server, "immediate", away_s=1.5, typists=5)


async def test_an_attempt_that_ends_while_the_store_is_away_gets_its_result_once(
    own: OwnPostgres, own_server: ServerProcess
) -> None:
    async with typist(own_server.ws_url) as person:
        await person.type(8)
        await person.all_acked()
        own.kill()
        await person.type(8)
        await person.client.send(type="finish", id=9, h=person.h, seq=16, why="quit")
        await asyncio.sleep(0.5)
        assert not person.of("done")

        await own.start()
        await person.until(lambda: bool(person.of("done")))
        (done,) = person.of("done")
        assert (done["re"], done["seq"], done["result"]["events"]) == (9, 16, 16)
    question = (
        "SELECT sum(presses) AS presses FROM key_counters JOIN attempts USING (user_id) "
        "WHERE attempts.id = :id"
    )
    async with opened_database(own.url) as database:
        assert [row["presses"] for row in await rows(database, question, id=person.attempt)] == [16]


async def test_a_sqlite_file_that_another_process_has_locked(
    make_server: MakeServer, sqlite_url: str
) -> None:
    server = make_server(sqlite_url)
    await server.start()
    async with typist(server.ws_url) as person:
        await person.type_for(0.3)
        await person.all_acked()
        acked = person.acked
        stranger = sqlite3.connect(store_url(sqlite_url).database or "", isolation_level=None)
        stranger.execute("BEGIN EXCLUSIVE")

        locked_s = time.monotonic()
        await person.type_for(2.0)
        await heard_nothing_but_a_stall(person, acked, locked_s)
        stranger.execute("ROLLBACK")
        stranger.close()

        await person.all_acked(within_s=1.0)
        assert [stall["on"] for stall in person.of("stall")] == [True, False]
        await the_same_after_another_start(server, person)


async def test_no_room_for_what_is_typed(make_server: MakeServer, sqlite_url: str) -> None:
    server = make_server(sqlite_url)
    await server.start()
    path = Path(store_url(sqlite_url).database or "")
    await sqlite_may_not_grow(server, path, away_s=1.5, typists=5)


async def test_more_than_the_window_is_not_read_but_never_dropped(
    make_server: MakeServer, sqlite_url: str
) -> None:
    server = make_server(sqlite_url)
    await server.start()
    async with typist(server.ws_url) as person:
        stranger = sqlite3.connect(store_url(sqlite_url).database or "", isolation_level=None)
        stranger.execute("BEGIN EXCLUSIVE")
        await asyncio.sleep(0.8)  # so that the clock allows what comes now
        for _ in range(11):
            await person.type(64)
        assert person.seq > 512
        await asyncio.sleep(0.3)
        assert person.acked == 0
        stranger.execute("ROLLBACK")
        stranger.close()
        await person.all_acked()
        assert not person.of("reject")
