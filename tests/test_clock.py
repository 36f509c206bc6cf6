"""The clock of a process: it goes with the store's, and neither steps nor goes back on the way."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from random import Random

import pytest

from server.clock import Clock
from server.db.database import store_now_us
from tests.conftest import MakeServer
from tests.db.stored import opened_database
from tests.live.guest import guest

S = 1_000_000_000
HOUR_MS = 3_600_000


class World:
    """Time as the test wants it, and a store whose clock is right."""

    def __init__(self) -> None:
        self.monotonic_ns = 77 * S
        self.store_ms = 0  # ahead of the machine of the clock
        self.began_ms = 0

    def monotonic(self) -> int:
        return self.monotonic_ns

    def clock(self) -> Clock:
        clock = Clock(self.monotonic)
        self.began_ms = clock.now_ms() - self.monotonic_ns // 1_000_000
        return clock

    def now_ms(self) -> int:
        """What the store's clock says."""
        return self.began_ms + self.monotonic_ns // 1_000_000 + self.store_ms

    def store(self, *, there_ms: int = 0, back_ms: int = 0) -> Callable[[], Awaitable[int]]:
        """Asked, the store answers after this way there and back."""

        async def ask() -> int:
            self.monotonic_ns += there_ms * 1_000_000
            now_us = self.now_ms() * 1_000
            self.monotonic_ns += back_ms * 1_000_000
            return now_us

        return ask

    def off_ms(self, clock: Clock) -> int:
        return clock.now_ms() - self.now_ms()


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize("store_ms", [0, 1, -1, 5_000, -5_000, HOUR_MS, -HOUR_MS])
async def test_at_the_start_it_steps_to_the_stores(world: World, store_ms: int) -> None:
    clock = world.clock()
    world.store_ms = store_ms
    assert await clock.follow(world.store(), at_once=True) in (store_ms, store_ms - 1)
    for _ in range(10):
        assert abs(world.off_ms(clock)) <= 1
        world.monotonic_ns += 100 * S


@pytest.mark.parametrize("store_ms", [40, -40])
async def test_later_it_gets_there_by_a_millisecond_a_second(world: World, store_ms: int) -> None:
    clock = world.clock()
    world.store_ms = store_ms
    before_ms = clock.now_ms()
    await clock.follow(world.store())
    assert clock.now_ms() == before_ms
    for second in range(1, 60):
        world.monotonic_ns += S
        left_ms = max(0, 40 - second)
        assert abs(abs(world.off_ms(clock)) - left_ms) <= 1
        assert abs(clock.now_ms() - before_ms - second * 1_000) <= second


async def test_the_quickest_answer_holds(world: World) -> None:
    clock = world.clock()
    world.store_ms = 500
    ways = [(300, 0), (0, 900), (20, 24), (50, 0), (0, 400)]
    asked = (world.store(there_ms=there, back_ms=back) for there, back in ways)

    async def ask() -> int:
        return await next(asked)()

    await clock.follow(ask, at_once=True)
    assert abs(world.off_ms(clock)) <= 3  # half of the difference between 20 and 24


@pytest.mark.parametrize("seed", range(20))
async def test_whatever_it_is_told_it_never_steps_and_never_goes_back(
    world: World, seed: int
) -> None:
    random = Random(seed)
    clock = world.clock()
    was_ms, at_ns = clock.now_ms(), world.monotonic_ns
    for _ in range(2_000):
        world.monotonic_ns += random.choice([0, 1, 999, 100_000, 999_999, S // 100, 7 * S])
        if random.random() < 0.05:
            world.store_ms = random.choice([0, 3, -3, 10**4, -HOUR_MS, world.store_ms + 1])
            await clock.follow(world.store(there_ms=random.choice([0, 0, 20])))
        now_ms = clock.now_ms()
        passed_ms = (world.monotonic_ns - at_ns) / 1_000_000
        assert now_ms >= was_ms
        assert abs(now_ms - was_ms - passed_ms) <= passed_ms / 1_000 + 1
        was_ms, at_ns = now_ms, world.monotonic_ns


async def test_a_store_that_does_not_answer_changes_nothing(world: World) -> None:
    clock = world.clock()

    async def away() -> int:
        raise TimeoutError

    before_ms = clock.now_ms()
    with pytest.raises(TimeoutError):
        await clock.follow(away, at_once=True)
    assert clock.now_ms() == before_ms


async def test_postgresql_says_what_time_it_is(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    right_ns = time.time_ns
    monkeypatch.setattr("time.time_ns", lambda: right_ns() - HOUR_MS * 1_000_000)
    clock = Clock()
    assert abs(clock.now_ms() - right_ns() // 1_000_000 + HOUR_MS) < 100
    async with opened_database(postgresql_url) as database, database.read() as connection:
        await clock.follow(lambda: store_now_us(connection), at_once=True)
        now_ms = await store_now_us(connection) // 1_000
    assert abs(clock.now_ms() - now_ms) < 50


async def test_processes_whose_machines_disagree_agree_on_one_postgresql(
    make_server: MakeServer, postgresql_url: str
) -> None:
    """One is an hour behind, one five seconds ahead."""
    servers = [
        make_server(postgresql_url, module="tests.skewed_server", environment={"SKEW_MS": skew})
        for skew in (str(-HOUR_MS), "5000")
    ]
    await asyncio.gather(*(server.start() for server in servers))
    for server in servers:
        async with guest(server.ws_url) as person:
            before_ms = time.time_ns() // 1_000_000
            await person.send(type="ping", c=1)
            server_ms = (await person.expect("pong"))["server_ms"]
            assert before_ms - 50 < server_ms < time.time_ns() // 1_000_000 + 50


async def test_a_process_on_a_file_goes_by_its_machine(
    make_server: MakeServer, sqlite_url: str
) -> None:
    server = make_server(sqlite_url, module="tests.skewed_server", environment={"SKEW_MS": "5000"})
    await server.start()
    async with guest(server.ws_url) as person:
        assert abs(person.welcome["server_ms"] - time.time_ns() // 1_000_000 - 5_000) < 1_000


async def test_a_running_process_keeps_going_with_the_store(
    make_server: MakeServer, postgresql_url: str
) -> None:
    """Its first look was wrong, as after a night in which its machine slept."""
    server = make_server(
        postgresql_url,
        module="tests.skewed_server",
        environment={"SKEW_MS": "0", "FIRST_LOOK_MS": "-5000", "HASTE": "1"},
    )
    await server.start()
    async with guest(server.ws_url) as person:
        first_ms = person.welcome["server_ms"] - time.time_ns() // 1_000_000
        await asyncio.sleep(2)
        await person.send(type="ping", c=1)
        then_ms = (await person.expect("pong"))["server_ms"] - time.time_ns() // 1_000_000
    assert -5_100 < first_ms < -4_900
    assert 50 < then_ms - first_ms < 1_000  # by 100 ms a second
    assert "ms behind the store's" in server.log()
