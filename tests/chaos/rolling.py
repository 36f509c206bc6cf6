"""Processes on one store that go and come while people type; who is sent away goes to another."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import httpx

from tests.chaos.lanes import WORDS, Lanes
from tests.history import Moment
from tests.processes import ENDED_WELL, ServerProcess

DRAINED_S = 30.0
RESTART = 1012


async def restart_in_turn(
    servers: Sequence[ServerProcess], database_url: str, *, restarts: int, typists: int
) -> list[str]:
    """One process after the other is asked to go and started again, while people type."""
    lanes = Lanes([server.ws_url for server in servers], database_url)
    drains: list[Drain] = []
    async with lanes.typing(typists):
        for number in range(restarts):
            await asyncio.sleep(1)
            server = servers[number % len(servers)]
            drains.append(await drain(server))
            await server.start()
    # Somebody was there each time, was told to go, and saw nothing worse than a going away.
    told = sum(len(client.history.of("drain")) for client in lanes.clients)
    assert told >= restarts, "nobody was told to go"
    rude = [wrong for client in lanes.clients for wrong in _rude(client.history.moments)]
    assert rude == [], f"sent away without a good word: {rude}"
    assert all(one.unready for one in drains), "ready while it drains"
    slowest_s = max(one.took_s for one in drains)
    return [
        f"{restarts} restarts, {told} times somebody was told to go; "
        f"the slowest took {slowest_s:.1f} s to go",
        await lanes.check(),
    ]


@dataclass(frozen=True)
class Drain:
    """How a process went."""

    took_s: float
    unready: bool  # it said so, and never the opposite once it had


async def drain(server: ServerProcess) -> Drain:
    """Ask it to go; it must have gone well within 30 s."""
    began_s = time.monotonic()
    ending = asyncio.create_task(server.terminate(within_s=DRAINED_S))
    said = []
    async with httpx.AsyncClient() as client:
        while not ending.done():
            try:
                answer = await client.get(f"{server.http_url}/health/ready", timeout=2)
            except httpx.TransportError:
                break  # it listens no more
            said.append(answer.status_code)
            await asyncio.sleep(0.05)
    code = await ending
    assert code in ENDED_WELL, f"it ended with {code}"
    # The first may have been asked before the signal arrived.
    return Drain(time.monotonic() - began_s, set(said[1:]) == {503})


def _rude(moments: Sequence[Moment]) -> list[str]:
    """Ends of connections other than a good restart, or no connection where none is taken."""
    return [
        str(close.fields)
        for close in moments
        if close.kind == "close"
        and close.fields["code"] != RESTART
        and "ConnectionClosed" in close.fields["why"]
    ]


async def stand_still_in_turn(
    servers: Sequence[ServerProcess], database_url: str, *, rounds: int, typists: int
) -> list[str]:
    """A process stands still until its people have gone on elsewhere, then awakes.

    What they sent to it before lies there still, and must not count. Then the other is killed, so
    that what the store has is seen, too.
    """
    lanes = Lanes([server.ws_url for server in servers], database_url, WORDS * 3)
    async with lanes.typing(typists):
        for number in range(rounds):
            await asyncio.sleep(1)
            still = servers[number % len(servers)]
            other = servers[(number + 1) % len(servers)]
            still.freeze()
            await asyncio.sleep(2.5)
            still.thaw()
            await asyncio.sleep(0.7)
            await other.kill()
            await other.start()
    moves = sum(len(client.history.of("opened")) - 1 for client in lanes.clients)
    assert moves >= typists, "people waited where nobody answered"
    return [f"{rounds} times, {moves} times somebody went on elsewhere", await lanes.check()]
