"""Budgets are kept in memory and in Redis alike, and while Redis is away."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import aclosing, asynccontextmanager

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from server import budgets as budgets_module
from server import redis_link
from server.budgets import PER_HOUR, Budgets, OverBudget, counted_address
from server.clock import Clock
from server.redis_link import RedisLink
from tests.valkey import Valkey


def now_s() -> float:
    return Clock().now_ms() / 1_000


@asynccontextmanager
async def opened(url: str | None) -> AsyncIterator[Budgets]:
    async with aclosing(RedisLink(url)) as link:
        yield Budgets(now_s, link=link)


@pytest_asyncio.fixture(params=["memory", "redis"])
async def either(request: pytest.FixtureRequest) -> AsyncIterator[Budgets]:
    """Budgets of one process, and budgets of all."""
    if request.param == "memory":
        async with opened(None) as budgets:
            yield budgets
        return
    valkey = Valkey()
    await valkey.start()
    try:
        async with aclosing(RedisLink(valkey.url)) as link:
            yield Budgets(now_s, link=link)
            assert await link.state() == "ok"
    finally:
        valkey.stop()


async def refused(spending: Awaitable[None]) -> int:
    """How long the refusal says to wait."""
    with pytest.raises(OverBudget) as over:
        await spending
    return over.value.retry_s


async def spend(budgets: Budgets, budget: str, times: int, subject: str = "somebody") -> None:
    for _ in range(times):
        await budgets.spend(budget, subject)


@pytest.mark.parametrize("budget", ["login", "register", "mail", "requests_free"])
async def test_one_more_than_the_budget_is_refused(either: Budgets, budget: str) -> None:
    await spend(either, budget, PER_HOUR[budget])
    wait_s = await refused(either.spend(budget, "somebody"))
    assert 3_590 <= wait_s <= 3_600


async def test_budgets_and_subjects_do_not_share(either: Budgets) -> None:
    await spend(either, "login", 5)
    await spend(either, "login", 5, "somebody else")
    await spend(either, "mail", 5)
    await refused(either.spend("login", "somebody"))


async def test_many_at_once_get_no_more_than_one_after_the_other(either: Budgets) -> None:
    tries = [either.spend("register", "somebody") for _ in range(40)]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert outcomes.count(None) == PER_HOUR["register"]
    assert {type(one) for one in outcomes} == {type(None), OverBudget}


async def test_failures_make_the_next_wait_longer_each_time(either: Budgets) -> None:
    waits = []
    for _ in range(4):
        await either.failed("login", "somebody")
        waits.append(await refused(either.spend("login", "somebody")))
    assert waits == [1, 2, 4, 8]
    await either.spend("login", "somebody else")


async def test_pause_ends(either: Budgets) -> None:
    await either.failed("login", "somebody")
    await refused(either.spend("login", "somebody"))
    await asyncio.sleep(1.1)
    await either.spend("login", "somebody")


async def test_forgiven_begin_anew(either: Budgets) -> None:
    await spend(either, "login", 5)
    await either.failed("login", "somebody")
    await either.forgive("login", "somebody")
    await spend(either, "login", 5)
    await either.failed("login", "somebody")
    await either.forgive("login", "somebody")
    await either.failed("login", "somebody")
    assert await refused(either.spend("login", "somebody")) == 1


async def test_success_ends_the_waiting_and_gives_nothing_back(either: Budgets) -> None:
    await spend(either, "login", 4)
    for _ in range(2):
        await either.failed("login", "somebody")
    await either.succeeded("login", "somebody")
    await either.spend("login", "somebody")
    assert await refused(either.spend("login", "somebody")) > 3_000
    await either.failed("login", "somebody else")
    assert await refused(either.spend("login", "somebody else")) == 1


async def test_window_moves() -> None:
    now_s = 1_000.0
    budgets = Budgets(lambda: now_s)
    for _ in range(5):
        await budgets.spend("login", "somebody")
        now_s += 600
    assert await refused(budgets.spend("login", "somebody")) == 600
    now_s += 600
    await budgets.spend("login", "somebody")
    assert await refused(budgets.spend("login", "somebody")) == 600


async def test_turned_off_it_refuses_nothing() -> None:
    budgets = Budgets(now_s, enabled=False)
    await budgets.failed("login", "somebody")
    await spend(budgets, "login", 50)


async def test_settings_may_raise_a_budget() -> None:
    budgets = Budgets(now_s, {**PER_HOUR, "login": 7})
    await spend(budgets, "login", 7)
    await refused(budgets.spend("login", "somebody"))


async def test_memory_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budgets_module, "SUBJECTS_MAX", 10)
    budgets = Budgets(now_s)
    await spend(budgets, "login", 5, "first")
    for number in range(9):
        await budgets.spend("login", f"address {number}")
    await refused(budgets.spend("login", "first"))
    await budgets.spend("login", "address 10")
    await budgets.spend("login", "first")  # forgotten: the one unheard for longest


async def test_cost_of_one_does_not_grow_with_the_number_of_others() -> None:
    """The storage that `limits` brings looks at all of them for each: some fifty times the cost."""
    assert await cost_s(known=10_000) < 10 * await cost_s(known=100)


async def cost_s(known: int) -> float:
    """CPU seconds of a hundred hits when so many addresses have been heard of."""
    budgets = Budgets(now_s)
    for number in range(known):
        await budgets.spend("login", f"address {number}")
    before_s = time.process_time()
    for number in range(100):
        await budgets.spend("register", f"address {number}")
        await asyncio.sleep(0)
    return time.process_time() - before_s


# Several processes


async def test_processes_share_a_budget(valkey: Valkey) -> None:
    async with opened(valkey.url) as one, opened(valkey.url) as other:
        await spend(one, "login", 3)
        await spend(other, "login", 2)
        await refused(one.spend("login", "somebody"))
        await refused(other.spend("login", "somebody"))
        await one.failed("login", "somebody else")
        await refused(other.spend("login", "somebody else"))


async def test_nobody_is_named_in_redis(valkey: Valkey) -> None:
    async with (
        opened(valkey.url) as budgets,
        Redis.from_url(valkey.url, decode_responses=True) as redis,
    ):
        await budgets.spend("login", "ann@example.org")
        await budgets.failed("login", "ann@example.org")
        keys = [str(key) for key in await redis.keys("*")]
        assert len(keys) == 3
        assert not [key for key in keys if "ann" in key or "example" in key]
        assert [key for key in keys if await redis.ttl(key) < 0] == []  # all of it is forgotten


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Redis is asked again at once."""
    monkeypatch.setattr(redis_link, "AGAIN_S", 0.0)


async def test_while_redis_is_away_memory_goes_on_from_where_it_was(
    valkey: Valkey, soon: None, caplog: pytest.LogCaptureFixture
) -> None:
    async with aclosing(RedisLink(valkey.url)) as link:
        budgets = Budgets(now_s, link=link)
        await spend(budgets, "login", 3)
        valkey.stop()
        assert await link.state() == "away"
        await spend(budgets, "login", 2)
        await refused(budgets.spend("login", "somebody"))
        await valkey.start()
        assert await link.state() == "ok"
        await refused(budgets.spend("login", "somebody"))  # Redis forgot; this process did not
        await spend(budgets, "login", 5, "somebody else")
    async with opened(valkey.url) as other:
        await refused(other.spend("login", "somebody else"))  # shared again
    assert [record.message.split(",")[0] for record in caplog.records] == [
        "Redis is away",
        "Redis is back",
    ]


async def test_redis_that_hangs_is_waited_for_once() -> None:
    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)

    writers: list[asyncio.StreamWriter] = []
    listener = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    async with opened(f"redis://127.0.0.1:{port}/0") as budgets:
        started_s = time.monotonic()
        await spend(budgets, "requests_free", 50)
        assert time.monotonic() - started_s < 1.0
    for writer in writers:
        writer.close()
    listener.close()
    await listener.wait_closed()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("203.0.113.7", "203.0.113.8", False),
        ("203.0.113.7", "::ffff:203.0.113.7", True),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::1", True),
        ("::1", "::2", False),
        ("", "", True),
        ("testclient", "other", False),
    ],
)
def test_address_is_that_of_a_host_or_its_network(one: str, other: str, same: bool) -> None:
    assert (counted_address(one) == counted_address(other)) is same
