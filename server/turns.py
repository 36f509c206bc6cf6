"""Who waits for whom, where a crowd must not hold up a key.

What the loop has to do for those who come, or begin, is some milliseconds each. So there are never
many at it at once: in each turn of the loop a few steps of theirs, however many wait, and then all
keys that have arrived. And where all must write one after the other, keys are written first.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


class Door:
    """Lets in one new connection in each turn of the loop."""

    def __init__(self) -> None:
        self._free = True
        self._waiting: deque[tuple[Callable[[], None], float]] = deque()

    def enter(self, step: Callable[[], None]) -> None:
        """Do the step as soon as it is this one's turn, at once if nobody waits."""
        loop = asyncio.get_running_loop()
        if self._free:
            self._free = False
            loop.call_soon(self._next)
            step()
        else:
            self._waiting.append((step, loop.time()))

    def _next(self) -> None:
        self._free = not self._waiting
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._next)
            step, _ = self._waiting.popleft()
            step()

    def waited_s(self) -> float:
        """For how long the one has waited whose turn is next."""
        return asyncio.get_running_loop().time() - self._waiting[0][1] if self._waiting else 0.0


class TurnTooLate(Exception):
    """There was no turn in time."""


class Turns:
    """So many at a time; of those who wait, the `first` come first, then all in their order."""

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._first: deque[tuple[asyncio.Future[None], float]] = deque()
        self._others: deque[tuple[asyncio.Future[None], float]] = deque()

    @asynccontextmanager
    async def turn(
        self, *, first: bool = False, within_s: float | None = None
    ) -> AsyncIterator[None]:
        """Hold a turn while the block runs. Raises TurnTooLate if there is none in that time."""
        if self._free > 0:
            self._free -= 1
        else:
            await self._wait(first, within_s)
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, first: bool, within_s: float | None) -> None:
        loop = asyncio.get_running_loop()
        given: asyncio.Future[None] = loop.create_future()
        (self._first if first else self._others).append((given, loop.time()))
        try:
            async with asyncio.timeout(within_s):
                await given
        except (asyncio.CancelledError, TimeoutError) as ended:
            # It may have been given in the very moment in which nobody wanted it any more.
            if given.done() and not given.cancelled():
                self._pass_on()
            if isinstance(ended, TimeoutError):
                raise TurnTooLate from None
            raise

    def _pass_on(self) -> None:
        for waiting in (self._first, self._others):
            while waiting:
                given, _ = waiting.popleft()
                if not given.done():
                    given.set_result(None)
                    return
        self._free += 1

    def waited_s(self) -> float:
        """For how long the first has waited who wants a turn."""
        now_s = asyncio.get_running_loop().time()
        return max((now_s - one[0][1] for one in (self._first, self._others) if one), default=0.0)
