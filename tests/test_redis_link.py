"""Nobody waits long for a Redis that is away, nor all at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from server import redis_link
from server.redis_link import RedisLink
from tests.db.stored import eventually
from tests.valkey import Valkey


class Asking:
    """Counts the questions that are sent."""

    def __init__(self, link: RedisLink) -> None:
        self.link = link
        self.sent = 0

    async def __call__(self) -> bool | None:
        return await self.link.ask(self._ping)

    async def _ping(self, redis: Redis) -> bool:
        self.sent += 1
        return bool(await redis.ping())

    async def many(self) -> int:
        """How many of fifty questions at once are sent."""
        before = self.sent
        await asyncio.gather(*(self() for _ in range(50)))
        return self.sent - before


@pytest_asyncio.fixture
async def ask(valkey: Valkey) -> AsyncIterator[Asking]:
    async with aclosing(RedisLink(valkey.url)) as link:
        yield Asking(link)


@pytest.mark.parametrize("how", ["stop", "freeze"])
async def test_while_it_is_away_one_asks_for_all(
    ask: Asking, valkey: Valkey, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await ask.many() == 50
    getattr(valkey, how)()
    monkeypatch.setattr(redis_link, "AGAIN_S", 0.05)
    assert await ask() is None
    assert ask.link.resting
    monkeypatch.setattr(redis_link, "AGAIN_S", 60)
    assert await ask.many() == 0
    await eventually(lambda: not ask.link.resting)
    assert await ask.many() == 1
    assert await ask.link.state() == "away"  # this asks, whatever was a moment ago
    assert await ask.many() == 0


@pytest.mark.parametrize("how", ["stop", "freeze"])
async def test_once_back_all_ask_again(ask: Asking, valkey: Valkey, how: str) -> None:
    assert await ask() is True
    getattr(valkey, how)()
    assert await ask() is None
    if how == "stop":
        await valkey.start()
    else:
        valkey.thaw()
    assert await ask.link.state() == "ok"
    assert await ask.many() == 50
    assert [await ask() for _ in range(5)] == [True] * 5


async def test_restart_between_two_questions_is_not_noticed(ask: Asking, valkey: Valkey) -> None:
    assert await ask() is True
    valkey.stop()
    await valkey.start()
    assert await ask() is True


async def test_none_is_asked_where_there_is_none() -> None:
    ask = Asking(RedisLink())
    assert (await ask(), ask.sent, ask.link.resting) == (None, 0, True)
    assert await ask.link.state() == "unused"
    await ask.link.aclose()
