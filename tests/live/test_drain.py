"""A deployment seen from a connection: told to go, served until it goes, sent away at last."""

import asyncio
import os
import signal
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.conftest import MakeServer
from tests.live.typist import TEXT, Typist, typist
from tests.processes import ENDED_WELL, ServerProcess
from tests.raw_client import raw_client

RESTART = 1012


READERS = pytest.mark.parametrize("reader", ["direct", "sansio"])  # of frames


async def draining_server(
    make_server: MakeServer, database_url: str, drain_ms: int, reader: str = "direct"
) -> ServerProcess:
    environment = {"DRAIN_MS": str(drain_ms), "WEBSOCKETS": reader}
    server = make_server(database_url, environment=environment)
    await server.start()
    return server


@asynccontextmanager
async def terminating(server: ServerProcess) -> AsyncIterator[asyncio.Task[int]]:
    """SIGTERM sent; the task ends with the process and gives its exit code."""
    ended = asyncio.create_task(server.terminate())
    await asyncio.sleep(0)
    try:
        yield ended
    finally:
        await ended


@READERS
async def test_a_drain_serves_until_it_sends_away(
    make_server: MakeServer, sqlite_url: str, reader: str
) -> None:
    server = await draining_server(make_server, sqlite_url, 1_500, reader)
    async with typist(server.ws_url) as person:
        await person.type_for(0.3)
        await person.all_acked()
        started_s = time.monotonic()
        async with terminating(server) as ended:
            await person.told_to_go()
            assert 0 <= person.of("drain")[0]["in_ms"] <= 1_500
            await nobody_new_gets_in(server, person)
            await type_until_closed(person)
            closed_s = time.monotonic() - started_s
            assert await person.client.closed() == RESTART
            assert await ended in ENDED_WELL
        assert 1.4 < closed_s < 2.5
        assert time.monotonic() - started_s < 5
        assert [message["type"] for message in person.of("stall") + person.of("reject")] == []
        acked_while_draining(person)

    await server.start()
    async with typist(server.ws_url, token=person.token, attempt=person.attempt) as again:
        assert again.seq >= person.acked
        await again.type(4)
        await again.all_acked()
    assert "Traceback" not in server.log()


async def type_until_closed(person: Typist) -> None:
    with suppress(ConnectionClosed):
        await person.type_for(10)


def acked_while_draining(person: Typist) -> None:
    drained_s = next(heard.at_s for heard in person.heard if heard.message["type"] == "drain")
    acks = [
        heard for heard in person.heard if heard.message["type"] == "ack" and heard.at_s > drained_s
    ]
    assert len(acks) >= 5
    assert acks[-1].at_s > drained_s + 0.8


async def nobody_new_gets_in(server: ServerProcess, person: Typist) -> None:
    async with httpx.AsyncClient() as client:
        ready = await client.get(f"{server.http_url}/health/ready")
        assert ready.status_code == 503
        assert (await client.get(f"{server.http_url}/health")).status_code == 200
    with pytest.raises(InvalidStatus) as refused:
        await raw_client(server.ws_url).__aenter__()
    assert refused.value.response.status_code == 503
    assert int(refused.value.response.headers["Retry-After"]) >= 1
    source = {"kind": "custom", "text": TEXT}
    attempt = str(uuid.uuid4())
    await person.client.send(type="open", id=5, attempt=attempt, source=source)
    await person.until(lambda: bool(person.of("error")))
    (error,) = person.of("error")
    assert (error["re"], error["code"]) == (5, "busy")
    assert error["retry_ms"] > 0


async def test_a_drain_ends_with_its_last_client(make_server: MakeServer, sqlite_url: str) -> None:
    server = await draining_server(make_server, sqlite_url, 20_000)
    async with AsyncExitStack() as stack:
        people = [await stack.enter_async_context(typist(server.ws_url)) for _ in range(5)]
        async with terminating(server) as ended:
            for person in people:
                await person.told_to_go()
            delays_ms = [person.of("drain")[0]["in_ms"] for person in people]
            assert len(set(delays_ms)) > 1  # they do not all come back at once
            left_s = time.monotonic()
            for person in people:
                await person.client.socket.close()
            assert await ended in ENDED_WELL
            assert time.monotonic() - left_s < 2


@READERS
async def test_many_are_sent_away_in_time_and_all_with_the_same_word(
    make_server: MakeServer, sqlite_url: str, reader: str
) -> None:
    server = await draining_server(make_server, sqlite_url, 300, reader)
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(raw_client(server.ws_url)) for _ in range(60)]
        for client in clients[::2]:  # the others have not said hello yet
            await client.hello()
        async with terminating(server) as ended:
            codes = await asyncio.gather(*(client.closed() for client in clients))
            assert set(codes) == {RESTART}
            assert await ended in ENDED_WELL


async def test_a_client_that_hears_nothing_cannot_hold_the_process(
    make_server: MakeServer, sqlite_url: str
) -> None:
    server = await draining_server(make_server, sqlite_url, 200)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(
        b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    assert b"101" in await reader.readuntil(b"\r\n\r\n")
    async with terminating(server) as ended:
        assert await asyncio.wait_for(ended, 9) in ENDED_WELL
    writer.close()


async def test_a_second_signal_ends_it_at_once(make_server: MakeServer, sqlite_url: str) -> None:
    for second in (signal.SIGTERM, signal.SIGINT):
        server = await draining_server(make_server, sqlite_url, 20_000)
        async with typist(server.ws_url) as person:
            await person.type(4)
            await person.all_acked()
            async with terminating(server) as ended:
                await person.told_to_go()
                again_s = time.monotonic()
                os.kill(server.pid, second)
                await ended
                assert time.monotonic() - again_s < 2
            assert await person.client.closed() == RESTART


async def test_what_was_typed_before_the_signal_is_stored(
    make_server: MakeServer, database_url: str
) -> None:
    """The keystrokes are on their way when the signal comes, and nobody waits for their ack."""
    server = await draining_server(make_server, database_url, 0)
    async with typist(server.ws_url) as person:
        await person.type_for(0.3)
        await person.client.send(type="ping", c=1)
        await person.until(lambda: bool(person.of("pong")))  # so they have arrived
        async with terminating(server) as ended:
            assert await ended in ENDED_WELL
    await server.start()
    async with typist(server.ws_url, token=person.token, attempt=person.attempt) as again:
        assert again.seq == person.seq
