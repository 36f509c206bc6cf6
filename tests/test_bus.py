"""What processes tell each other: in order, never twice, lost at worst, and never in anybody's way.

The same holds for both; what Redis does to it comes after.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
from redis.asyncio import Redis

import server.bus
from server.bus import HEAD, MESSAGE_BYTES_MAX, QUEUE_MAX, Bus, MemoryBus, RedisBus
from server.metrics import Metrics
from server.protocol import pack
from tests.db.stored import eventually
from tests.valkey import Valkey

TOPIC = "race:1"
PROBE = {"probe": True}


class Ear:
    """Remembers what it heard, probes apart."""

    def __init__(self) -> None:
        self.probed = False
        self.heard: list[Any] = []

    def __call__(self, message: dict[str, Any]) -> None:
        if message == PROBE:
            self.probed = True
        else:
            self.heard.append(message["n"])


@dataclass
class Process:
    """A bus that runs, and what it has counted."""

    bus: Bus
    metrics: Metrics
    running: "asyncio.Task[None]" = field(init=False)

    def __post_init__(self) -> None:
        self.running = asyncio.create_task(self.bus.run())

    async def listen(self, speaker: "Process", topic: str = TOPIC) -> Ear:
        """An ear that is known to hear what the speaker says."""
        ear = Ear()
        self.bus.subscribe(topic, ear)
        await self.reached(speaker, ear, topic)
        return ear

    async def reached(self, speaker: "Process", ear: Ear, topic: str = TOPIC) -> None:
        ear.probed = False
        async with asyncio.timeout(5):
            while not ear.probed:
                speaker.bus.publish(topic, PROBE)
                await asyncio.sleep(0.01)

    def say(self, *numbers: int, topic: str = TOPIC) -> None:
        for number in numbers:
            self.bus.publish(topic, {"n": number})

    def counted(self, outcome: str) -> float:
        name = f'typing_bus_messages_total{{outcome="{outcome}"}} '
        lines = self.metrics.text().decode().splitlines()
        return sum(float(line.removeprefix(name)) for line in lines if line.startswith(name))

    async def end(self) -> None:
        self.running.cancel()
        async with asyncio.timeout(5):
            await asyncio.gather(self.running, return_exceptions=True)


Make = Callable[[], Process]


MakeBus = Callable[[Metrics], Bus]


@pytest.fixture(params=["memory", "redis"])
def make_bus(request: pytest.FixtureRequest) -> MakeBus:
    """Makes buses that reach each other."""
    if request.param == "memory":
        joined: list[MemoryBus] = []
        return lambda metrics: MemoryBus(metrics, joined)
    url: str = request.getfixturevalue("valkey").url
    return lambda metrics: RedisBus(url, metrics)


@pytest_asyncio.fixture
async def make(make_bus: MakeBus) -> AsyncIterator[Make]:
    """Processes on one bus, each of which must run until the test ends it."""
    made: list[Process] = []

    def make_one() -> Process:
        metrics = Metrics()
        made.append(Process(make_bus(metrics), metrics))
        return made[-1]

    yield make_one
    ended = [process.running.done() and not process.running.cancelled() for process in made]
    for process in made:
        await process.end()
    assert not any(ended), "a bus has ended by itself"


# Both


async def test_the_others_hear_and_who_says_it_does_not(make: Make) -> None:
    a, b, c = make(), make(), make()
    heard_by_b, heard_by_c, heard_by_a = (
        await b.listen(a),
        await c.listen(a),
        await a.listen(b),
    )
    a.say(1)
    b.say(2)
    await eventually(lambda: len(heard_by_b.heard + heard_by_c.heard + heard_by_a.heard) == 4)
    assert (heard_by_a.heard, heard_by_b.heard) == ([2], [1])
    assert sorted(heard_by_c.heard) == [1, 2]


async def test_each_topic_has_its_own_hearers(make: Make) -> None:
    a, b = make(), make()
    one, other = await b.listen(a, "race:1"), await b.listen(a, "race:2")
    also_one = await b.listen(a, "race:1")
    a.say(1, topic="race:1")
    a.say(2, topic="race:2")
    a.say(3, topic="race:3")
    a.say(4, topic="race:1")
    await eventually(lambda: one.heard == [1, 4])
    assert (other.heard, also_one.heard) == ([2], [1, 4])


async def test_a_burst_comes_in_order_from_each(make: Make) -> None:
    a, b, c = make(), make(), make()
    ear = await c.listen(a)
    await c.reached(b, ear)
    for number in range(QUEUE_MAX - 100):  # a few probes may still wait
        a.say(number)
        b.say(-number)
    await eventually(lambda: len(ear.heard) == 2 * (QUEUE_MAX - 100))
    assert [n for n in ear.heard if n > 0] == list(range(1, QUEUE_MAX - 100))
    assert [n for n in ear.heard if n < 0] == list(range(-1, 100 - QUEUE_MAX, -1))


async def test_who_unsubscribes_hears_nothing_more_even_of_what_is_on_its_way(make: Make) -> None:
    a, b = make(), make()
    first = await b.listen(a)
    heard: list[int] = []

    def until_ten(message: dict[str, Any]) -> None:
        if message != PROBE:
            heard.append(message["n"])
            if len(heard) == 10:
                b.bus.unsubscribe(TOPIC, until_ten)

    b.bus.subscribe(TOPIC, until_ten)
    last = await b.listen(a)
    a.say(*range(100))
    await eventually(lambda: last.heard == list(range(100)))
    assert (heard, first.heard) == (list(range(10)), list(range(100)))
    for ear in (first, last):
        b.bus.unsubscribe(TOPIC, ear)
        b.bus.unsubscribe(TOPIC, ear)
    again = await b.listen(a)
    a.say(100)
    await eventually(lambda: again.heard == [100])
    assert first.heard == last.heard == list(range(100))


async def test_one_that_ends_the_next_is_obeyed_at_once(make: Make) -> None:
    a, b = make(), make()
    next_one = Ear()
    b.bus.subscribe(TOPIC, lambda message: b.bus.unsubscribe(TOPIC, next_one))
    b.bus.subscribe(TOPIC, next_one)
    last = await b.listen(a)
    a.say(1)
    await eventually(lambda: last.heard == [1])
    assert not next_one.heard
    assert not next_one.probed


@pytest.mark.parametrize("error", [ValueError, KeyError])
async def test_one_that_finds_no_sense_in_it_is_alone_with_that(
    make: Make, error: type[Exception]
) -> None:
    a, b = make(), make()

    def deaf(message: dict[str, Any]) -> None:
        if message != PROBE:
            raise error("what?")

    b.bus.subscribe(TOPIC, deaf)
    ear = await b.listen(a)
    a.say(1, 2)
    await eventually(lambda: ear.heard == [1, 2])
    assert b.counted("malformed") == 2


async def test_a_message_is_what_it_was_when_it_was_said(make: Make) -> None:
    a, b = make(), make()
    ear = await b.listen(a)
    message: dict[str, Any] = {"n": [1, (2, "é’")]}
    a.bus.publish(TOPIC, message)
    message["n"][0] = 9
    await eventually(lambda: ear.heard == [[1, [2, "é’"]]])


async def test_what_is_no_json_is_a_fault_of_who_says_it(make: Make) -> None:
    a, b = make(), make()
    await b.listen(a)
    with pytest.raises(TypeError):
        a.bus.publish(TOPIC, {"n": object()})


async def test_alone_and_not_running_one_can_talk_all_the_same(valkey: Valkey) -> None:
    for bus in (MemoryBus(Metrics()), RedisBus(valkey.url, Metrics())):
        bus.subscribe(TOPIC, Ear())
        for number in range(2 * QUEUE_MAX):
            bus.publish(TOPIC, {"n": number})


async def test_nothing_is_left_of_it(make: Make) -> None:
    before = len(asyncio.all_tasks()), len(os.listdir("/proc/self/fd"))
    a, b = make(), make()
    await b.listen(a)
    a.say(1)
    for process in (a, b):
        await process.end()
        assert process.running.cancelled()
    await eventually(lambda: before == (len(asyncio.all_tasks()), len(os.listdir("/proc/self/fd"))))
    make()  # the fixture looks whether one ended by itself


# Redis


@dataclass
class Pair:
    """Two processes on Redis, and an ear in the second that hears the first."""

    a: Process
    b: Process
    ear: Ear
    valkey: Valkey

    async def on_speaking_terms(self) -> None:
        await self.b.reached(self.a, self.ear)

    async def has_clients(self, count: int) -> None:
        """Redis has so many connections, but for the one that asks, and keeps no others."""
        async with Redis.from_url(self.valkey.url) as redis:
            for _ in range(100):
                if len(await redis.client_list()) - 1 == count:
                    return
                await asyncio.sleep(0.05)
        raise AssertionError(f"Redis has not {count} clients")


@pytest_asyncio.fixture
async def pair(valkey: Valkey) -> AsyncIterator[Pair]:
    a, b = [Process(RedisBus(valkey.url, metrics), metrics) for metrics in (Metrics(), Metrics())]
    yield Pair(a, b, await b.listen(a), valkey)
    for process in (a, b):
        assert not process.running.done()
        await process.end()


def published(a: Process, count: int) -> None:
    """It takes no time, whatever Redis does."""
    began_s = time.monotonic()
    a.say(*range(count))
    assert time.monotonic() - began_s < 0.001 * count


async def test_redis_that_was_restarted_is_found_again(pair: Pair) -> None:
    topics = [f"race:{number}" for number in range(2, 300)]
    ears = [await pair.b.listen(pair.a, topic) for topic in topics[:3]]
    for topic in topics[3:]:
        pair.b.bus.subscribe(topic, Ear())
    pair.valkey.stop()
    await asyncio.sleep(0.1)
    lost = pair.a.counted("lost")
    published(pair.a, 1_000)
    assert pair.a.counted("lost") == lost + 1_000
    pair.b.bus.unsubscribe(topics[0], ears[0])
    late = Ear()
    pair.b.bus.subscribe("race:1000", late)
    await asyncio.sleep(1)
    await pair.valkey.start()
    await pair.on_speaking_terms()
    await pair.b.reached(pair.a, late, "race:1000")
    await pair.b.reached(pair.a, ears[1], topics[1])
    pair.a.say(1)
    for topic in topics:
        pair.a.say(7, topic=topic)
    await eventually(lambda: ears[2].heard == [7])
    assert (pair.ear.heard, ears[0].heard) == ([1], [])
    await pair.has_clients(2)
    async with Redis.from_url(pair.valkey.url) as redis:
        assert len(await redis.pubsub_channels("race:*")) == len(topics) - 1 + 2


async def test_redis_that_forgets_everything_is_no_matter(pair: Pair) -> None:
    async with Redis.from_url(pair.valkey.url) as redis:
        pair.a.say(1)
        await redis.flushall()
        pair.a.say(2)
    await eventually(lambda: pair.ear.heard == [1, 2])


async def test_frozen_redis_is_given_up_and_says_nothing_old_once_it_is_back(pair: Pair) -> None:
    pair.a.say(1)
    await eventually(lambda: pair.ear.heard == [1])
    pair.valkey.freeze()
    lost = pair.a.counted("lost")
    number = 1
    deadline_s = time.monotonic() + 3
    while time.monotonic() < deadline_s:
        pair.a.say(number := number + 1)
        await asyncio.sleep(0.01)
    assert pair.a.counted("lost") > lost + 10  # for the last second it was known to be away
    pair.valkey.thaw()
    while pair.ear.heard[-1] < number:
        pair.a.say(number := number + 1)
        await asyncio.sleep(0.01)
        assert time.monotonic() < deadline_s + 5
    assert pair.ear.heard == sorted(set(pair.ear.heard))
    await pair.has_clients(2)


async def test_what_a_frozen_redis_does_not_take_is_dropped_oldest_first(pair: Pair) -> None:
    pair.valkey.freeze()
    text = "x" * 10_000
    for _ in range(4):  # megabytes go into the socket; then nothing goes any more
        for _ in range(QUEUE_MAX):
            pair.a.bus.publish(TOPIC, {"n": text})
        await asyncio.sleep(0.1)
    pair.a.say(*range(QUEUE_MAX))
    pair.valkey.thaw()
    await eventually(lambda: pair.ear.heard[-1:] == [QUEUE_MAX - 1])
    assert pair.ear.heard[-QUEUE_MAX:] == list(range(QUEUE_MAX))
    assert pair.a.counted("lost") > QUEUE_MAX


async def test_a_connection_that_is_cut_is_made_anew(pair: Pair) -> None:
    async with Redis.from_url(pair.valkey.url) as redis:
        for _ in range(3):
            await redis.client_kill_filter(_type="pubsub")
            await pair.on_speaking_terms()
    await pair.has_clients(2)


@pytest.mark.parametrize("turns", range(8))
async def test_it_ends_even_in_the_moment_in_which_redis_is_lost(
    pair: Pair, turns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.bus, "AGAIN_S", 60)
    pair.valkey.stop()
    for _ in range(turns):  # of the loop, after which the loss is known, or half known
        pair.a.say(1)
        await asyncio.sleep(0)
    await pair.a.end()
    assert pair.a.running.cancelled()
    pair.a.__post_init__()  # the fixture ends it


GARBAGE = {
    "nothing": b"",
    "a byte": b"\0",
    "a head alone": HEAD.pack(b"somebody", 1),
    "no JSON": HEAD.pack(b"somebody", 2) + b"{",
    "no UTF-8": HEAD.pack(b"somebody", 3) + b'{"n":"\xff"}',
    "a list": HEAD.pack(b"somebody", 4) + b"[1]",
    "a number": HEAD.pack(b"somebody", 5) + b"1",
    "not a number": HEAD.pack(b"somebody", 6) + b'{"n":NaN}',
    "brackets": HEAD.pack(b"somebody", 7) + b"[" * 60_000,
    "too much": HEAD.pack(b"somebody", 8) + pack({"n": "x" * MESSAGE_BYTES_MAX}),
    "far too much": b"x" * 10_000_000,
    "no field the hearer knows": HEAD.pack(b"somebody", 9) + b"{}",
}


async def test_garbage_is_counted_and_forgotten(pair: Pair) -> None:
    async with Redis.from_url(pair.valkey.url) as redis:
        for garbage in GARBAGE.values():
            await redis.publish(TOPIC, garbage)
        await redis.publish(TOPIC, HEAD.pack(b"somebody", 10) + b'{"n":1}')
    pair.a.say(2)
    await eventually(lambda: pair.ear.heard == [1, 2])
    assert pair.b.counted("malformed") == len(GARBAGE)


async def test_nothing_is_heard_twice_or_after_what_was_said_later(pair: Pair) -> None:
    async with Redis.from_url(pair.valkey.url) as redis:
        for number in (1, 1, 3, 2, 3, 4):
            data = HEAD.pack(b"somebody", number) + pack({"n": number})
            await redis.publish(TOPIC, data)
    await eventually(lambda: pair.ear.heard == [1, 3, 4])
    assert pair.b.counted("late") == 3


async def test_a_message_that_is_too_long_is_lost_and_the_next_is_not(pair: Pair) -> None:
    lost = pair.a.counted("lost")
    fits = "x" * (MESSAGE_BYTES_MAX - len(pack({"n": ""})))
    pair.a.bus.publish(TOPIC, {"n": fits + "x"})
    pair.a.bus.publish(TOPIC, {"n": fits})
    await eventually(lambda: pair.ear.heard == [fits])
    assert pair.a.counted("lost") == lost + 1


async def test_topics_come_and_go_on_one_connection(pair: Pair) -> None:
    ears = {f"race:{number}": Ear() for number in range(2, 200)}
    for _ in range(20):
        for topic, ear in ears.items():
            pair.b.bus.subscribe(topic, ear)
        await asyncio.sleep(0)
        for topic, ear in ears.items():
            pair.b.bus.unsubscribe(topic, ear)
        await asyncio.sleep(0)
    await pair.on_speaking_terms()
    async with Redis.from_url(pair.valkey.url) as redis:
        assert await redis.pubsub_channels() == [TOPIC.encode()]
    await pair.has_clients(2)
    await pair.b.end()
    await pair.a.end()
    await pair.has_clients(0)
    for process in (pair.a, pair.b):  # the fixture ends them
        process.__post_init__()
