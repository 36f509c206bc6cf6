"""Races between two processes on one PostgreSQL and Redis, of which any may die, freeze or go."""

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from tests.conftest import MakeServer
from tests.live.guest import stored
from tests.live.racer import TEXT, Racer, racer
from tests.processes import ServerProcess
from tests.raw_client import Message
from tests.valkey import Valkey

TAKEOVER_S = 8.0  # five, and what a busy machine takes to notice


@dataclass
class Pair:
    """Two servers on one store; the first drives the races that are opened on it."""

    first: ServerProcess
    second: ServerProcess
    valkey: Valkey
    database_url: str


@pytest_asyncio.fixture
async def pair(make_server: MakeServer, postgresql_url: str, valkey: Valkey) -> Pair:
    environment = {"REDIS_URL": valkey.url}
    servers = [make_server(postgresql_url, environment=environment) for _ in range(2)]
    await asyncio.gather(*(server.start() for server in servers))
    return Pair(servers[0], servers[1], valkey, postgresql_url)


async def come_together(stack: AsyncExitStack, pair: Pair) -> tuple[Racer, Racer, Racer]:
    """Two racers on the first process, one of them the host, and one on the second."""
    host = await stack.enter_async_context(racer(pair.first.ws_url))
    near = await stack.enter_async_context(racer(pair.first.ws_url))
    far = await stack.enter_async_context(racer(pair.second.ws_url))
    code = (await host.create())["code"]
    for person in (near, far):
        await person.ask("join", code=code)
    return host, near, far


async def start(people: list[Racer]) -> None:
    await people[0].ask("start")
    for person in people:
        if "h" not in person.race:
            await person.begun()
        person.seq = 0


async def begin(stack: AsyncExitStack, pair: Pair) -> tuple[Racer, Racer, Racer]:
    """The same people, in a race that has just begun."""
    people = await come_together(stack, pair)
    await start(list(people))
    for person in people:
        await person.event("go")
    return people


async def come_back(stack: AsyncExitStack, server: ServerProcess, was: Racer) -> Racer:
    """Somebody whose process is gone, on another one, with all that was known to them."""
    person = await stack.enter_async_context(racer(server.ws_url, was.token))
    person.told = was.told
    if "attempt" in was.race:
        person.attempt = was.race["attempt"]
        opened = await person.resume(person.attempt)
        assert opened["text"] == TEXT
    await person.sync(was.race["race"], was.n)
    return person


async def finish(person: Racer, first_ms: int = 0) -> Message:
    """Type what is missing."""
    left = TEXT[person.seq :]
    await person.keys(person.seq + 1, [[first_ms if n == 0 else 0, k] for n, k in enumerate(left)])
    return await person.got("done")


async def check(pair: Pair, people: list[Racer]) -> None:
    """All were told the same, without a hole, and it is what the store holds."""
    race = people[0].race["race"]
    rows = await stored(
        pair.database_url,
        "SELECT slot, place, duration_ms FROM racers WHERE race_id = :race AND place IS NOT NULL"
        " ORDER BY place",
        race=race,
    )
    events = await stored(
        pair.database_url, "SELECT n FROM race_events WHERE race_id = :race ORDER BY n", race=race
    )
    assert [row.n for row in events] == list(range(1, len(events) + 1))
    for person in people:
        assert person.told[-1]["places"] == [[row.slot, row.place, row.duration_ms] for row in rows]
        numbers = [told["n"] for told in person.told]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        assert person.n == len(events)


async def test_a_race_spans_two_processes(pair: Pair) -> None:
    async with AsyncExitStack() as stack:
        host, near, far = people = await come_together(stack, pair)
        watcher = await stack.enter_async_context(racer(pair.second.ws_url))
        await watcher.ask("watch", code=host.race["code"])
        await start(list(people))
        for person in (*people, watcher):
            await person.event("go")
        await asyncio.sleep(0.5)
        await host.press("the quick", 20)
        for person in (far, watcher):
            assert (await person.got("race.progress"))["racers"][0][:2] == [0, 9]
        await far.press("the", 20)
        while (moved := (await near.got("race.progress"))["racers"]) and moved[-1][0] != 2:
            pass
        assert moved[-1][:2] == [2, 3]
        for person in people:
            await finish(person, 30)
        for person in (*people, watcher):
            await person.event("over")
        await check(pair, [*people, watcher])
        state = await far.ask("again")
        assert (await host.event("again"))["code"] == state["code"]


PHASES = ["lobby", "countdown", "running", "finishing"]


async def bring_to(phase: str, people: list[Racer]) -> None:
    """Have the race get so far: nothing, counting down, something typed, the host done."""
    if phase != "lobby":
        await start(people)
    if phase in ("running", "finishing"):
        for person in people:
            await person.event("go")
        await asyncio.sleep(0.2)
        await people[1].press("the quick", 5)
        await people[1].acked(9)
    if phase == "finishing":
        await finish(people[0], 100)


async def go_on(phase: str, people: list[Racer]) -> None:
    """From where `bring_to` left it to the end."""
    if phase == "lobby":
        await start(people)
    for person in people:
        if "go" not in person.names():
            await person.event("go")
    for person in people[phase == "finishing" :]:
        await finish(person)
    for person in people:
        if "over" not in person.names():
            await person.event("over", within_s=12)


@pytest.mark.parametrize("phase", PHASES)
async def test_the_race_goes_on_when_its_driver_dies(pair: Pair, phase: str) -> None:
    async with AsyncExitStack() as stack:
        host, near, far = await come_together(stack, pair)
        await bring_to(phase, [host, near, far])

        await pair.first.kill()
        killed_at_s = time.monotonic()
        for _ in range(2):
            await far.event("connection", within_s=TAKEOVER_S, connected=False)
        assert time.monotonic() - killed_at_s < TAKEOVER_S

        host, near = [await come_back(stack, pair.second, person) for person in (host, near)]
        await go_on(phase, [host, near, far])
        await check(pair, [host, near, far])
        (race,) = await stored(pair.database_url, "SELECT epoch FROM races")
        assert race.epoch == 2


async def test_a_driver_that_stood_still_writes_nothing(pair: Pair) -> None:
    async with AsyncExitStack() as stack:
        host, near, far = await begin(stack, pair)
        pair.first.freeze()
        await near.send(type="race.leave")  # it is read when they race elsewhere
        await far.event("connection", within_s=TAKEOVER_S, connected=False)
        host, near = [await come_back(stack, pair.second, person) for person in (host, near)]
        await asyncio.sleep(6)  # it stands still for ten seconds
        for person in (host, near, far):
            await finish(person, 10)
        for person in (host, near, far):
            await person.event("over", within_s=12)
        before = (
            await stored(pair.database_url, "SELECT * FROM races"),
            await stored(pair.database_url, "SELECT * FROM racers ORDER BY slot"),
        )
        pair.first.thaw()
        await asyncio.sleep(3)
        after = (
            await stored(pair.database_url, "SELECT * FROM races"),
            await stored(pair.database_url, "SELECT * FROM racers ORDER BY slot"),
        )
        assert after == before
        await check(pair, [host, near, far])
        # It is one of the two again: a race that is opened there can be entered here.
        again = await stack.enter_async_context(racer(pair.first.ws_url))
        code = (await again.create())["code"]
        await host.ask("leave")
        assert (await host.ask("join", code=code))["you"] == 1


async def test_a_driver_that_stands_still_in_a_transaction_holds_no_race_up(
    make_server: MakeServer, postgresql_url: str, valkey: Valkey, tmp_path: Path
) -> None:
    flag = tmp_path / "freeze"
    redis = {"REDIS_URL": valkey.url}
    # In the midst of a command: the row of the race is locked.
    inside = {"FREEZE_IN": "server.db.races.store_changes", "FREEZE_FLAG": str(flag)}
    driver = make_server(
        postgresql_url, module="tests.live.frozen_inside", environment=redis | inside
    )
    pair = Pair(driver, make_server(postgresql_url, environment=redis), valkey, postgresql_url)
    await asyncio.gather(pair.first.start(), pair.second.start())
    async with AsyncExitStack() as stack:
        host, near, far = await begin(stack, pair)
        flag.touch()
        await near.send(type="race.leave", id=9)
        for _ in range(2):  # and what was not committed has not happened
            await far.event("connection", within_s=TAKEOVER_S, connected=False)
        host, near = [await come_back(stack, pair.second, person) for person in (host, near)]
        pair.first.thaw()
        for person in (host, near, far):
            await finish(person, 10)
        for person in (host, near, far):
            await person.event("over", within_s=12)
        await check(pair, [host, near, far])
        again = await stack.enter_async_context(racer(pair.first.ws_url))
        assert (await again.create())["type"] == "race"


async def test_people_of_a_process_that_stood_still_sit_again(pair: Pair) -> None:
    async with AsyncExitStack() as stack:
        host, near, far = await begin(stack, pair)
        pair.first.freeze()
        await far.event("connection", within_s=TAKEOVER_S, connected=False)
        await far.event("connection", connected=False)
        pair.first.thaw()
        # Their connections have never ended, and they never noticed.
        for _ in range(2):
            await far.event("connection", connected=True)
        for person in (host, near, far):
            await finish(person, 10)
        for person in (host, near, far):
            await person.event("over", within_s=12)
        await check(pair, [host, near, far])


async def test_a_redis_that_forgets_all_costs_a_race_nothing(pair: Pair) -> None:
    async with AsyncExitStack() as stack:
        host, near, far = await begin(stack, pair)
        await asyncio.sleep(0.5)
        await host.press("the", 20)
        assert (await far.got("race.progress"))["racers"][0][:2] == [0, 3]
        await pair.valkey.forget()
        await host.press(" quick", 20)
        while (moved := (await far.got("race.progress"))["racers"])[0][:2] != [0, 9]:
            assert moved[0][0] == 0
        for person in (host, near, far):
            await finish(person, 30)
        for person in (host, near, far):
            await person.event("over")
        await check(pair, [host, near, far])


async def test_races_need_no_redis(pair: Pair) -> None:
    async with AsyncExitStack() as stack:
        host, near, far = await begin(stack, pair)
        pair.valkey.stop()
        await asyncio.sleep(0.5)
        await host.press("the quick", 10)
        await host.acked(9)
        await near.ask("leave")
        await far.event("dnf", slot=1)
        await finish(host, 50)
        for person in (host, far):
            await person.event("placed", slot=0)
        await asyncio.sleep(6)
        await pair.valkey.start()  # and it knows nothing of what was
        state = await far.sync(far.race["race"], far.n)
        assert state["racers"][0]["position"] == len(TEXT)
        while not any(moved[:1] == [2] for told in host.progress for moved in told["racers"]):
            await far.press("x\b", 10)
            await asyncio.sleep(0.3)
            await host.sync(host.race["race"], host.n)
        await far.press(TEXT)
        for person in (host, far):
            over = await person.event("over", within_s=12)
            assert [place[:2] for place in over["places"]] == [[0, 1], [2, 2]]
