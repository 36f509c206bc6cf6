"""Processes on one store that go and come while people type; who is sent away goes to another."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from tests.chaos.crowd import all_violations, check_done, check_store
from tests.history import Moment
from tests.honest_client import HonestClient, with_mistakes
from tests.processes import ENDED_WELL, ServerProcess
from tests.raw_client import Message

DRAINED_S = 30.0
RESTART = 1012
WORDS = (
    "Who is sent away goes on elsewhere, and what was typed before is there: «всё, что "
    "набрано, на месте»."
)


@dataclass
class Lanes:
    """People who type one attempt after the other, each as a new guest, until told to stop."""

    servers: Sequence[ServerProcess]
    database_url: str
    words: str = WORDS
    clients: list[HonestClient] = field(default_factory=list)
    dones: list[Message] = field(default_factory=list)
    over: bool = False

    async def _lane(self, number: int) -> None:
        urls = [server.ws_url for server in self.servers]
        urls = urls[number % len(urls) :] + urls[: number % len(urls)]
        attempts = 0
        while not self.over:
            seed = number * 1_000 + attempts
            attempts += 1
            client = HonestClient(
                urls[0],
                others=urls[1:],
                source={"kind": "custom", "text": self.words},
                seed=seed,
                back_off_s_max=1.0,
                repeats=0.05,
            )
            self.clients.append(client)
            self.dones.append(await client.type(with_mistakes(seed), within_s=120))

    @asynccontextmanager
    async def typing(self, typists: int) -> AsyncIterator[None]:
        """Have them type while the block runs, to the end of what they are at by then."""
        lanes = asyncio.gather(*(self._lane(number) for number in range(typists)))
        try:
            yield
            self.over = True
            await lanes
        finally:
            lanes.cancel()
            await asyncio.gather(lanes, return_exceptions=True)

    async def check(self) -> str:
        """Nothing is lost or counted twice, as all have seen and as the store has it."""
        assert all_violations(self.clients) == []
        dones = {done["attempt"]: done for done in self.dones}
        for client in self.clients:
            check_done(client, dones[client.attempt])
        await check_store(self.database_url, self.clients)
        typed = sum(len(client.history.events) for client in self.clients)
        return f"{len(self.clients)} attempts, {typed} keystrokes: none lost, none counted twice"


async def restart_in_turn(
    servers: Sequence[ServerProcess], database_url: str, *, restarts: int, typists: int
) -> list[str]:
    """One process after the other is asked to go and started again, while people type."""
    lanes = Lanes(servers, database_url)
    drains: list[Drain] = []
    async with lanes.typing(typists):
        for number in range(restarts):
            await asyncio.sleep(1)
            server = servers[number % len(servers)]
            drains.append(await drain(server))
            await server.start()
    # Somebody was there each time, was told to go, and saw nothing worse than a going away.
    told = sum(len(client.history.of("drain")) for client in lanes.clients)
    assert told >= restarts
    assert [wrong for client in lanes.clients for wrong in _rude(client.history.moments)] == []
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
    lanes = Lanes(servers, database_url, words=WORDS * 3)
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
    assert moves >= typists
    return [f"{rounds} times, {moves} times somebody went on elsewhere", await lanes.check()]
