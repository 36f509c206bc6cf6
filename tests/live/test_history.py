"""Typists behind a bad network, on a server that keeps being killed: nothing acked is lost."""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from tests.chaos_proxy import STORM, ChaosProxy
from tests.conftest import MakeServer
from tests.expected_score import expected_counters, expected_result
from tests.history import highest_ack, violations, wrong_result
from tests.honest_client import HonestClient, with_mistakes
from tests.processes import ServerProcess
from tests.raw_client import Message, raw_client

SEED = 20
TYPISTS = 12
TYPING_S = 9.0  # how long the server keeps being killed; what is typed lasts about as long
CUSTOM_TEXT = (
    "Nobody’s keys are lost — not one. «Ни одна клавиша не теряется», сказала она, "
    "and the server died again; it came back, as it always did, and went on counting "
    "where it had stopped. Ёжик спешит домой, хотя дождь идёт с самого утра."
)
SOURCES: Sequence[Message] = (
    {"kind": "custom", "text": CUSTOM_TEXT},
    {"kind": "words", "count": 45, "language": "en"},
    {"kind": "words", "count": 35, "language": "ru"},
)


@dataclass
class Run:
    """What a run under fire left behind."""

    clients: list[HonestClient]
    dones: list[Message]
    kills: int
    cuts: int

    def violations(self) -> list[str]:
        return [fault for client in self.clients for fault in violations(client.history)]


async def type_under_fire(server: ServerProcess, *, typing_s: float = TYPING_S) -> Run:
    """Let typists type to the end through a storm while the server is killed again and again."""
    async with ChaosProxy(server.port, seed=SEED, weather=STORM).listening() as proxy:
        clients = [
            HonestClient(
                proxy.ws_url,
                source=SOURCES[number % len(SOURCES)],
                seed=SEED + number,
                back_off_s_max=1.0,
                forgets=False,
                repeats=0.05,
            )
            for number in range(TYPISTS)
        ]
        async with _killed_again_and_again(server, until_s=time.monotonic() + typing_s):
            typing = (
                client.type(with_mistakes(SEED + number), finish="done" if number % 2 else None)
                for number, client in enumerate(clients)
            )
            dones = await asyncio.gather(*typing)
        return Run(clients, list(dones), kills=server.starts - 1, cuts=proxy.cuts)


@asynccontextmanager
async def _killed_again_and_again(server: ServerProcess, *, until_s: float) -> AsyncIterator[None]:
    random = Random(SEED)

    async def kill() -> None:
        while time.monotonic() < until_s:
            await asyncio.sleep(random.uniform(0.6, 1.8))
            await server.kill()
            await server.start()

    killing = asyncio.create_task(kill())
    try:
        yield
    finally:
        await killing


async def test_every_keystroke_counts_once_through_kills_and_cuts(
    make_server: MakeServer, database_url: str
) -> None:
    server = make_server(database_url)
    await server.start()

    run = await type_under_fire(server)

    assert run.kills >= 3
    assert run.cuts >= 1
    assert run.violations() == []
    for client, done in zip(run.clients, run.dones, strict=True):
        _check_done(client, done)
        await _check_done_is_repeated_until_got(server, client, done)
    await server.terminate()
    await _check_store(database_url, run)


def _check_done(client: HonestClient, done: Message) -> None:
    history = client.history
    assert done["seq"] == len(history.events)
    assert highest_ack(history.moments) == done["seq"]
    assert wrong_result(done["result"], expected_result(history.text, history.events)) == []


async def _check_done_is_repeated_until_got(
    server: ServerProcess, client: HonestClient, done: Message
) -> None:
    async with raw_client(server.ws_url) as again:
        await again.hello(client.token)
        opened = await again.open(client.attempt)
        assert (opened["state"], opened["seq"]) == ("finished", done["seq"])
        repeated = await again.expect("done", attempt=client.attempt)
        assert _without_address(repeated) == _without_address(done)
        await again.send(type="got", attempt=client.attempt)
        await again.open(client.attempt)
        await again.send(type="ping", c=1)
        await again.expect("pong", c=1)


def _without_address(done: Message) -> Message:
    return {name: value for name, value in done.items() if name not in ("re", "h")}


async def _check_store(database_url: str, run: Run) -> None:
    engine = create_async_engine(database_url)
    try:
        async with engine.connect() as connection:
            for client in run.clients:
                await _check_rows(connection, client)
    finally:
        await engine.dispose()


async def _check_rows(connection: AsyncConnection, client: HonestClient) -> None:
    attempts = await _rows(
        connection,
        "SELECT user_id, state, events FROM attempts WHERE id = :attempt",
        attempt=client.attempt,
    )
    assert [tuple(row)[1:] for row in attempts] == [("finished", len(client.history.events))]
    # A connection cut before its welcome arrived leaves a token behind that nobody uses.
    counted = await _rows(
        connection,
        "SELECT key, presses, errors, latency_sum_ms, latency_count FROM key_counters"
        " WHERE user_id = :user",
        user=attempts[0][0],
    )
    expected = expected_counters(client.history.text, client.history.events)
    assert {key: tuple(counts) for key, *counts in counted} == expected
    confused = await _rows(
        connection,
        "SELECT key, SUM(count) FROM key_confusions WHERE user_id = :user GROUP BY key",
        user=attempts[0][0],
    )
    errors = Counter({key: counts[1] for key, counts in expected.items() if counts[1]})
    assert {key: int(count) for key, count in confused} == errors


async def _rows(connection: AsyncConnection, query: str, **values: Any) -> Sequence[Any]:
    return (await connection.execute(text(query), values)).all()


async def test_a_restart_in_good_order_costs_nobody_a_keystroke(
    make_server: MakeServer, sqlite_url: str
) -> None:
    server = make_server(sqlite_url, environment={"DRAIN_MS": "500"})
    await server.start()
    clients = [
        HonestClient(server.ws_url, source=SOURCES[0], seed=number, back_off_s_max=1.0)
        for number in range(6)
    ]

    async def restart() -> None:
        await asyncio.sleep(1.5)
        # uvicorn hands the signal on when everything is done; a crash would end otherwise.
        assert await server.terminate() in (0, -signal.SIGTERM)
        await server.start()

    typing = asyncio.gather(*(client.type(dt_ms=(8, 16)) for client in clients))
    await restart()
    dones = await typing

    for client, done in zip(clients, dones, strict=True):
        assert violations(client.history) == []
        assert len(client.history.of("drain")) == 1
        assert {close.fields["code"] for close in client.history.of("close")} <= {1012, 1006}
        _check_done(client, done)


async def test_the_check_finds_a_server_that_acks_too_early(
    make_server: MakeServer, sqlite_url: str
) -> None:
    server = make_server(sqlite_url, module="tests.live.wrong_server")
    await server.start()

    run = await type_under_fire(server, typing_s=6.0)

    assert any(fault.startswith("lost ack") for fault in run.violations())
