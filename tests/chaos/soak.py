"""People come, type, drop, resume, race and leave; when all have gone, nothing of them is left."""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from random import Random

import httpx
from websockets.exceptions import ConnectionClosed

from tests.bench.process import files_open, memory_kb
from tests.chaos.crowd import CUSTOM_TEXT, SOURCES, all_violations, check_done
from tests.chaos.lanes import BAD_WEATHER
from tests.chaos_proxy import ChaosProxy
from tests.honest_client import HonestClient, with_mistakes
from tests.live.racer import racer
from tests.live.typist import typist
from tests.processes import ServerProcess

# Caches fill, and memory comes to rest, only after a thousand attempts or so.
WARM_UP_S = 300.0
PEOPLE = 16
AT_ONCE = 64
SETTLE_S = 15.0  # a dropped connection is found, sweeps and pools come to rest
MEMORY_SHARE_MAX = 0.15
FILES_MORE_MAX = 2


@dataclass(frozen=True)
class Held:
    """What a process holds: memory, files, tasks, connections."""

    memory_kb: int
    files: int
    tasks: int
    connections: int

    def __str__(self) -> str:
        return (
            f"{self.memory_kb} kB, {self.files} files, {self.tasks} tasks, "
            f"{self.connections} connections"
        )


async def held(server: ServerProcess) -> Held:
    """Asked from outside: the kernel, and /metrics."""
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"{server.http_url}/metrics")).text
    shown = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    tasks, connections = (int(float(shown[f"typing_{what}"])) for what in ("tasks", "connections"))
    return Held(memory_kb(server.pid), files_open(server.pid), tasks, connections)


class Churn:
    """Each of the people does one thing after the other until the time is up."""

    def __init__(self, server: ServerProcess, seed: int) -> None:
        self.server = server
        self.seed = seed
        self.done: dict[str, int] = {}

    async def go_on(self, people: int, until_s: float) -> None:
        storm = ChaosProxy(self.server.port, seed=self.seed, weather=BAD_WEATHER)
        async with storm.listening() as proxy, asyncio.TaskGroup() as tasks:
            for number in range(people):
                random = Random(f"{self.seed}:{number}")
                tasks.create_task(self._live(proxy.ws_url, random, until_s))

    async def _live(self, stormy_url: str, random: Random, until_s: float) -> None:
        acts = [self._type, self._drop, self._quit, self._race]
        while time.monotonic() < until_s:
            act = random.choices(acts, (5, 3, 2, 1))[0]
            await act(stormy_url, random.randrange(1 << 30))
            self.done[act.__name__[1:]] = self.done.get(act.__name__[1:], 0) + 1

    async def _type(self, stormy_url: str, seed: int) -> None:
        """One attempt to its end, over as many connections as the storm makes of it."""
        source = SOURCES[seed % len(SOURCES)]
        client = HonestClient(stormy_url, source=source, seed=seed, repeats=0.05)
        done = await client.type(with_mistakes(seed), dt_ms=(8, 24), within_s=120)
        check_done(client, done)
        assert (faults := all_violations([client])) == [], f"broken promises: {faults}"

    async def _drop(self, _stormy_url: str, seed: int) -> None:
        """Gone without a word in the middle; back once; gone for good."""
        with suppress(ConnectionClosed):
            async with typist(self.server.ws_url) as person:
                await person.type_for(1.0)
                person.client.socket.transport.abort()
        await asyncio.sleep(seed % 100 / 100)
        again = typist(self.server.ws_url, token=person.token, attempt=person.attempt)
        async with again as person:
            await person.type_for(0.5)

    async def _quit(self, _stormy_url: str, seed: int) -> None:
        """An attempt given up."""
        async with typist(self.server.ws_url) as person:
            await person.type_for(seed % 100 / 50)
            await person.client.send(type="finish", id=9, h=person.h, seq=person.seq, why="quit")
            await person.until(lambda: bool(person.of("done")), within_s=10)

    async def _race(self, _stormy_url: str, _seed: int) -> None:
        """A race of two to its end, and one who leaves it before."""
        url = self.server.ws_url
        async with racer(url) as host, racer(url) as other, racer(url) as fickle:
            code = (await host.create(CUSTOM_TEXT[:60]))["code"]
            for person in (other, fickle):
                await person.ask("join", code=code)
            await fickle.ask("leave")
            await host.ask("start")
            for person in (host, other):
                if "h" not in person.race:
                    await person.begun()
                await person.event("go")
            await asyncio.sleep(0.5)
            for person in (host, other):
                await person.typed_to_the_end(CUSTOM_TEXT[:60], 100)
            await host.event("over", within_s=20)


async def fill_pools(server: ServerProcess) -> None:
    """Ask for so much at once that the server has all connections to its store it will ever have.

    Each has files and a thread of its own: opened later, they would look like a leak.
    """
    async with httpx.AsyncClient(base_url=server.http_url, timeout=30) as client:
        answers = await asyncio.gather(*(client.get("/health/ready") for _ in range(AT_ONCE)))
    assert {answer.status_code for answer in answers} == {200}


async def soak(server: ServerProcess, *, minutes: float) -> list[str]:
    """Churn for so long; compare what is held with what it was after the warm-up."""
    churn = Churn(server, seed=1)
    await fill_pools(server)
    await churn.go_on(PEOPLE, time.monotonic() + WARM_UP_S)
    await asyncio.sleep(SETTLE_S)
    before = await held(server)
    churn = Churn(server, seed=2)
    at_work = asyncio.create_task(churn.go_on(PEOPLE, time.monotonic() + minutes * 60))
    while not (await asyncio.wait([at_work], timeout=30))[0]:
        print(f"  at work: {await held(server)}", flush=True)
    await at_work
    await asyncio.sleep(SETTLE_S)
    after = await held(server)
    figures = [f"{what}: {times}" for what, times in sorted(churn.done.items())]
    print(f"  {', '.join(figures)}\n  before: {before}\n  after:  {after}", flush=True)
    assert after.connections == before.connections == 0, "connections are left"
    assert after.tasks == before.tasks, "tasks are left"
    assert after.files - before.files <= FILES_MORE_MAX, "files are left open"
    assert after.memory_kb < before.memory_kb * (1 + MEMORY_SHARE_MAX), "memory is left"
    share = after.memory_kb / before.memory_kb - 1
    return [f"{minutes:g} minutes: memory {share:+.1%}, files {after.files - before.files:+d}"]
