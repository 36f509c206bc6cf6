"""`make bench`: how soon history and stats are answered, from a store that is full.

    python -m tests.bench_history [--rate 200] [--seconds 20] [DATABASE_URL]

The store is one that `tests.fill` has filled with as many people. Requests leave at their own
times, whether the ones before were answered or not, and each is timed from when it was due; so a
server that falls behind cannot hide it.
"""

import argparse
import asyncio
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count, cycle
from pathlib import Path
from random import Random
from statistics import quantiles
from typing import Any
from urllib.parse import urlsplit

import orjson
import uvloop

from server.auth import Tokens
from server.clock import Clock
from tests.bench.process import cpu_s
from tests.fill import DAY_MS, add_sizes, person_ids, run
from tests.postgres import running_postgres
from tests.processes import JWT_SECRET, ServerProcess, migrate

WARM_UP_S = 5
CONNECTIONS = 64
SAMPLE = 200  # people with few attempts whose attempts are asked for one by one
PAGES_IN = 20
BLOCK = 8  # rounds of every kind of call, about a second, between two attempts that are stored
HEAVY_EVERY = 15  # of these one is of the person with most: nobody ends a text more often
HISTORY, STATS, KEYS = "/users/me/progress", "/progress/stats", "/key-stats"
CHARTS = "/progress/charts"


@dataclass(frozen=True, slots=True)
class Ask:
    """One request, ready to send, and the row of the table it counts for."""

    name: str
    request: bytes


class Line:
    """One keep-alive connection, for one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, request: bytes) -> bytes:
        """The body of the answer, which must be a success."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        status = int(head[9:12])
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        body = await self._reader.readexactly(int(length or 0))
        if status >= 300:
            raise RuntimeError(f"{status} to {request!r}: {body!r}")
        return body


class People:
    """Who asks. Tokens are made as the server makes them."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._tokens = Tokens(JWT_SECRET)
        self._now_ms = Clock().now_ms()
        self._known: dict[str, str] = {}

    def request(self, who: str, path: str, body: bytes = b"") -> bytes:
        token = self._known.get(who) or self._known.setdefault(
            who, self._tokens.guest(who, self._now_ms)
        )
        head = (
            f"{'POST' if body else 'GET'} /api/v1{path} HTTP/1.1\r\nHost: {self._host}\r\n"
            f"Authorization: Bearer {token}\r\n"
        )
        if body:
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        return head.encode() + b"\r\n" + body


@dataclass
class Load:
    """What came of the requests, in ms by name."""

    lines: asyncio.Queue[Line]
    took_ms: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    async def ask(self, ask: Ask, due_s: float, counts: bool) -> None:
        line = await self.lines.get()
        await line.send(ask.request)
        self.lines.put_nowait(line)
        if counts:
            self.took_ms[ask.name].append((time.monotonic() - due_s) * 1_000)

    async def run(self, asks: Iterator[Ask], rate: int, seconds: float) -> None:
        began_s = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            for number in range(int(rate * (WARM_UP_S + seconds))):
                due_s = began_s + number / rate
                await asyncio.sleep(max(0.0, due_s - time.monotonic()))
                tasks.create_task(self.ask(next(asks), due_s, number >= rate * WARM_UP_S))


@dataclass
class Asker:
    """Endless requests of every kind: as many of the heaviest person as of all the others."""

    people: People
    rng: Random
    heavy: str
    others: list[str]
    deep: list[str]  # cursors far into the history of the heaviest
    attempts: Iterator[tuple[str, str]]  # whose, and which
    since_ms: int
    far: int  # an offset that still leaves a page

    @classmethod
    async def of(cls, people: People, ids: list[str], line: Line, rng: Random) -> "Asker":
        heavy, *others = ids

        async def page(who: str, query: str) -> Any:
            return orjson.loads(await line.send(people.request(who, f"{HISTORY}?limit=100{query}")))

        total = (await page(heavy, ""))["total"]
        step = (total - 101) // PAGES_IN
        deep = [await page(heavy, f"&offset={n * step}") for n in range(PAGES_IN)]
        theirs = [(heavy, row) for one in deep[:2] for row in one["results"]]
        for who in rng.sample(others, min(SAMPLE, len(others))):
            theirs += [(who, row) for row in (await page(who, ""))["results"]]
        typed = cycle([(who, row["id"]) for who, row in theirs if not row["self_reported"]])
        cursors = [one["next"] for one in deep]
        since_ms = Clock().now_ms() - 200 * DAY_MS
        return cls(people, rng, heavy, others, cursors, typed, since_ms, total - 100)

    def endless(self) -> Iterator[Ask]:
        """Everything in a shuffled order; about once a second somebody gets one attempt more."""
        report = {"wpm": 60.0, "accuracy": 0.97, "errors": 3, "duration_ms": 60_000}
        body = orjson.dumps(report)
        for number in count():
            block = [ask for _ in range(BLOCK) for ask in self._every_kind()]
            self.rng.shuffle(block)
            yield from block
            who = self.rng.choice(self.others) if number % HEAVY_EVERY else self.heavy
            yield Ask("report", self.people.request(who, "/progress", body))

    def _every_kind(self) -> Iterator[Ask]:
        for who, whose in ((self.heavy, "heaviest"), (self.rng.choice(self.others), "others")):
            yield self._ask(f"history, newest, {whose}", who, HISTORY)
            yield self._ask(f"history, a mode, {whose}", who, f"{HISTORY}?mode=time:60&language=en")
            since = f"{HISTORY}?from_date={self.since_ms}"
            yield self._ask(f"history, since, {whose}", who, since)
            for period in ("all", "year", "month", "week", "day"):
                yield self._ask(f"stats, {period}, {whose}", who, f"{STATS}?period={period}")
            yield self._ask(f"charts, {whose}", who, CHARTS)
            for period in ("all", "month"):
                yield self._ask(f"key stats, {period}, {whose}", who, f"{KEYS}?period={period}")
            yield self._ask(f"key stats, a language, {whose}", who, f"{KEYS}?language=en")
        deep = f"{HISTORY}?cursor={self.rng.choice(self.deep)}"
        yield self._ask("history, by cursor, heaviest", self.heavy, deep)
        far = f"{HISTORY}?offset={self.rng.randrange(self.far)}"
        yield self._ask("history, far offset, heaviest", self.heavy, far)
        for name in ("attempt", "replay"):
            who, attempt_id = next(self.attempts)
            path = f"/attempts/{attempt_id}" + ("/replay" if name == "replay" else "")
            yield self._ask(name, who, path)

    def _ask(self, name: str, who: str, path: str) -> Ask:
        return Ask(name, self.people.request(who, path))


async def measure(database_url: str, arguments: argparse.Namespace) -> None:
    """Ask a server on that store, and print how long each kind of call took."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            "ENVIRONMENT": "production",
            "REQUESTS_FREE_PER_HOUR": "100000000",  # counted, and never too many
        }
        server = ServerProcess(database_url, Path(folder) / "server.log", environment=environment)
        await server.start()
        try:
            host = urlsplit(server.http_url).netloc
            line = await _line(host)
            asker = await Asker.of(People(host), person_ids(arguments.people), line, Random(11))
            load = Load(asyncio.Queue())
            for _ in range(CONNECTIONS):
                load.lines.put_nowait(await _line(host))
            before_s, began_s = cpu_s(server.pid), time.monotonic()
            await load.run(asker.endless(), arguments.rate, arguments.seconds)
            busy = (cpu_s(server.pid) - before_s) / (time.monotonic() - began_s)
        finally:
            await server.kill()
    _print(load, busy)


async def _line(host: str) -> Line:
    name, _, port = host.partition(":")
    return Line(*await asyncio.open_connection(name, int(port), limit=2**22))


def _print(load: Load, busy: float) -> None:
    print(f"{'':36}{'calls':>7}{'p50':>8}{'p95':>8}{'p99':>8}  ms")
    everything = [ms for took in load.took_ms.values() for ms in took]
    for name, took in [*sorted(load.took_ms.items()), ("all", everything)]:
        cuts = quantiles(took * 2, n=100)  # twice: one call alone has none
        shown = "".join(f"{cuts[at]:8.1f}" for at in (49, 94, 98))
        print(f"{name:36}{len(took):7}{shown}")
    print(f"the server used {busy:.0%} of a core")


async def measure_new_stores(arguments: argparse.Namespace) -> None:
    """Fill a SQLite file and a PostgreSQL database of this run alone, and measure either."""
    with tempfile.TemporaryDirectory() as folder:
        print("SQLite")
        await _fill_and_measure(f"sqlite:///{folder}/full.db", arguments)
    with running_postgres() as postgres:
        print("PostgreSQL")
        name = await postgres.create()
        await _fill_and_measure(postgres.url(name), arguments)
        await postgres.drop(name)


async def _fill_and_measure(database_url: str, arguments: argparse.Namespace) -> None:
    await migrate(database_url)
    await run(database_url, arguments)
    await measure(database_url, arguments)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", nargs="?", help="a filled store; else two are made and filled")
    add_sizes(parser)
    parser.add_argument("--rate", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=20)
    arguments = parser.parse_args()
    if arguments.database is None:
        uvloop.run(measure_new_stores(arguments))
    else:
        uvloop.run(measure(arguments.database, arguments))


if __name__ == "__main__":
    main()
