"""The one clock of the process."""

import time
from collections.abc import Awaitable, Callable

NS_PER_US = 1_000
NS_PER_MS = 1_000_000
QUESTIONS = 5
SLEW = 1_000  # ns that pass for each that the clock is put right by: 1 ms a second


class Clock:
    """Unix time in ms that neither steps nor goes back, whatever the wall clock does.

    The wall clock is read once, then a monotonic one. Processes that `follow` one clock agree to
    within what it takes to ask it.
    """

    def __init__(self, monotonic_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._monotonic_ns = monotonic_ns
        self._since_ns = monotonic_ns()
        self._from_ns = self._to_ns = time.time_ns() - self._since_ns

    def now_ms(self) -> int:
        """The present, in Unix ms."""
        now_ns = self._monotonic_ns()
        return (now_ns + self._ahead_ns(now_ns)) // NS_PER_MS

    def _ahead_ns(self, now_ns: int) -> int:
        """How far it is ahead of the monotonic clock: on the way from one number to another."""
        way_ns = self._to_ns - self._from_ns
        gone_ns = (now_ns - self._since_ns) // SLEW
        return self._from_ns + max(-gone_ns, min(gone_ns, way_ns))

    async def follow(self, ask_us: Callable[[], Awaitable[int]], *, at_once: bool = False) -> int:
        """Go with the clock that `ask_us` reads, in Unix µs; by how many ms it was ahead of ours.

        It is asked five times and the quickest answer holds. With `at_once` ours steps there: that
        is for before anybody has read it. Else it gets there by 1 ms a second.
        """
        answers = [await self._answer(ask_us) for _ in range(QUESTIONS)]
        _, ahead_ns = min(answers)
        now_ns = self._monotonic_ns()
        was_ns = self._ahead_ns(now_ns)
        self._from_ns = ahead_ns if at_once else was_ns
        self._to_ns = ahead_ns
        self._since_ns = now_ns
        return (ahead_ns - was_ns) // NS_PER_MS

    async def _answer(self, ask_us: Callable[[], Awaitable[int]]) -> tuple[int, int]:
        """How long the answer took, and how far the other is ahead of the monotonic clock."""
        before_ns = self._monotonic_ns()
        there_ns = await ask_us() * NS_PER_US
        took_ns = self._monotonic_ns() - before_ns
        return took_ns, there_ns - before_ns - took_ns // 2
