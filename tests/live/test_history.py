"""Typists behind a bad network, on a server that keeps being killed: nothing acked is lost."""

import asyncio
import time
from dataclasses import dataclass

from tests.chaos.crowd import SOURCES, all_violations, check_done, check_store
from tests.chaos.lanes import killed_again_and_again
from tests.chaos_proxy import STORM, ChaosProxy
from tests.conftest import MakeServer
from tests.history import violations
from tests.honest_client import HonestClient, with_mistakes
from tests.processes import ENDED_WELL, ServerProcess
from tests.raw_client import Message, raw_client

SEED = 20
TYPISTS = 12
TYPING_S = 9.0  # how long the server keeps being killed; what is typed lasts about as long


@dataclass
class Run:
    """What a run under fire left behind."""

    clients: list[HonestClient]
    dones: list[Message]
    kills: int
    cuts: int

    def violations(self) -> list[str]:
        return all_violations(self.clients)


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
        async with killed_again_and_again(server, until_s=time.monotonic() + typing_s, seed=SEED):
            typing = (
                client.type(with_mistakes(SEED + number), finish="done" if number % 2 else None)
                for number, client in enumerate(clients)
            )
            dones = await asyncio.gather(*typing)
        return Run(clients, list(dones), kills=server.starts - 1, cuts=proxy.cuts)


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
        check_done(client, done)
        await _check_done_is_repeated_until_got(server, client, done)
    await server.terminate()
    await check_store(database_url, run.clients)


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
        assert await server.terminate() in ENDED_WELL
        await server.start()

    typing = asyncio.gather(*(client.type(dt_ms=(8, 16)) for client in clients))
    await restart()
    dones = await typing

    for client, done in zip(clients, dones, strict=True):
        assert violations(client.history) == []
        assert len(client.history.of("drain")) == 1
        assert {close.fields["code"] for close in client.history.of("close")} <= {1012, 1006}
        check_done(client, done)
