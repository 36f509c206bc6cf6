"""People who type one attempt after the other, whatever happens to the servers meanwhile."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from random import Random

from tests.chaos.crowd import all_violations, check_done, check_store
from tests.chaos_proxy import STORM, ChaosProxy
from tests.honest_client import HonestClient, with_mistakes
from tests.processes import ServerProcess
from tests.raw_client import Message

# What comes more than half a second late over a connection that never broke is scored as late.
BAD_WEATHER = replace(STORM, stall_ms=300)
WORDS = (
    "Who is sent away goes on elsewhere, and what was typed before is there: «всё, что "
    "набрано, на месте»."
)


@dataclass
class Lanes:
    """Each attempt is a new guest's, who begins at one of `urls` and may go on at any."""

    urls: Sequence[str]
    database_url: str
    words: str = WORDS
    clients: list[HonestClient] = field(default_factory=list)
    dones: dict[str, Message] = field(default_factory=dict)
    over: bool = False

    async def _lane(self, number: int) -> None:
        first, *others = [*self.urls[number % len(self.urls) :], *self.urls][: len(self.urls)]
        attempts = 0
        while not self.over:
            seed = number * 1_000 + attempts
            attempts += 1
            client = HonestClient(
                first,
                others=others,
                source={"kind": "custom", "text": self.words},
                seed=seed,
                back_off_s_max=1.0,
                repeats=0.05,
            )
            self.clients.append(client)
            self.dones[client.attempt] = await client.type(with_mistakes(seed), within_s=120)

    @asynccontextmanager
    async def typing(self, typists: int) -> AsyncIterator[None]:
        """Have them type while the block runs, to the end of what they are at by then."""
        lanes = [asyncio.create_task(self._lane(number)) for number in range(typists)]
        try:
            yield
            self.over = True
            await asyncio.gather(*lanes)
        finally:
            for lane in lanes:
                lane.cancel()
            await asyncio.gather(*lanes, return_exceptions=True)

    async def check(self) -> str:
        """Nothing is lost or counted twice, as all have seen and as the store has it."""
        faults = all_violations(self.clients)
        assert faults == [], f"{len(faults)} broken promises: {faults[:5]}"
        for client in self.clients:
            check_done(client, self.dones[client.attempt])
        await check_store(self.database_url, self.clients)
        typed = sum(len(client.history.events) for client in self.clients)
        return f"{len(self.clients)} attempts, {typed} keystrokes: none lost, none counted twice"


@asynccontextmanager
async def killed_again_and_again(
    server: ServerProcess, *, until_s: float, seed: int
) -> AsyncIterator[None]:
    """SIGKILL in the block and beyond, by the monotonic clock, at times that the seed decides."""
    random = Random(seed)

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


async def type_while_it_is_killed(
    server: ServerProcess, database_url: str, *, seconds: float, typists: int, words: str = WORDS
) -> list[str]:
    """The server dies every second or so, behind a network that is bad."""
    storm = ChaosProxy(server.port, seed=1, weather=BAD_WEATHER)
    starts = server.starts
    async with storm.listening() as proxy:
        lanes = Lanes([proxy.ws_url], database_url, words)
        async with lanes.typing(typists):
            until_s = time.monotonic() + seconds
            async with killed_again_and_again(server, until_s=until_s, seed=1):
                pass
    kills = server.starts - starts
    assert kills >= seconds / 6
    figure = f"{kills} kills, {storm.cuts} connections cut, {storm.stalls} stalled"
    return [figure, await lanes.check()]
