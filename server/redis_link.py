"""The one Redis of all processes, if there is one, and what to do while it is away: not to wait."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

ANSWER_S = 0.25
AGAIN_S = 2.0
AWAY_ERRORS = (RedisError, OSError, TimeoutError)

T = TypeVar("T")


class RedisLink:
    """Asks Redis. Whoever asks must be able to do without an answer.

    Once it was away, one question in two seconds tries again and the others are not even sent, so
    that a Redis that hangs costs those who ask nothing.
    """

    def __init__(self, url: str | None = None) -> None:
        # One more try: after a restart, the first use of an older connection fails.
        again = Retry(NoBackoff(), 1)
        self.redis = None if url is None else Redis.from_url(url, retry=again)
        self._away = False
        self._again_at_s = 0.0

    @property
    def away(self) -> bool:
        """Whether it did not answer when it was last asked."""
        return self._away

    @property
    def resting(self) -> bool:
        """Whether a question now would not be sent."""
        return self.redis is None or (
            self._away and asyncio.get_running_loop().time() < self._again_at_s
        )

    async def ask(self, question: Callable[[Redis], Awaitable[T]]) -> T | None:
        """What Redis answers; None if there is none, or it is away."""
        if self.redis is None or self.resting:
            return None
        if self._away:
            self._again_at_s = asyncio.get_running_loop().time() + AGAIN_S  # this one tries for all
        return await self._ask(self.redis, question)

    async def state(self) -> str:
        """`ok`, `away` or `unused`, asked anew."""
        if self.redis is None:
            return "unused"
        answer = await self._ask(self.redis, lambda redis: redis.ping())
        return "away" if answer is None else "ok"

    async def aclose(self) -> None:
        if self.redis is not None:
            await self.redis.aclose()

    async def _ask(self, redis: Redis, question: Callable[[Redis], Awaitable[T]]) -> T | None:
        try:
            async with asyncio.timeout(ANSWER_S):
                answer = await question(redis)
        except AWAY_ERRORS as error:
            self._again_at_s = asyncio.get_running_loop().time() + AGAIN_S
            if not self._away:
                log.warning("Redis is away, each process is on its own: %r", type(error))
            self._away = True
            return None
        if self._away:
            log.warning("Redis is back")
        self._away = False
        return answer
