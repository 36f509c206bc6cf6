"""How loaded this process is, and what it does without for those who type.

A process is loaded when it is late and busy at once. Late: its timers, its commits or those who
wait for their turn. Busy: it has used most of a core; else somebody else of the machine is, and
refusing people would not help. One that stands still for a moment is neither: what counts is the
median over `WINDOW_S`, and a level is left only after it was low for `CALM_S`.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from random import Random
from statistics import median
from typing import NamedTuple

STEP_S = 0.25
WINDOW_S = 3.0
RISE_S = 0.75  # from one level to the next at least: what the last one spares must be felt
CALM_S = 4.0
# Of what `late_ms` allows, from where each level holds. It ends at half of that.
THIN_FROM = 0.5
CLOSED_FROM = 0.75
FULL_FROM = 1.0
# Who waits for a commit or a turn waits longer than a timer: these are as bad as one late by 1.
COMMIT_TIMES = 3.0
TURN_TIMES = 6.0
WATCHERS_THINNED = 4  # of so many frames they still get one
# New websockets in a step. When the door opens again, all who have waited come at once: they would
# be too many before anything is late.
THIN_SOCKETS = 5
SOCKET_RETRY_S = (5.0, 15.0)
ATTEMPT_RETRY_S = (2.0, 6.0)


class Level(IntEnum):
    """What is done without; each level includes those below."""

    CALM = 0
    THIN = 1  # watchers see less of how a race goes, and few websockets are let in; then none
    CLOSED = 2  # new websockets are refused, but of those who come back to something
    FULL = 3  # new attempts and races are refused


@dataclass(frozen=True, slots=True)
class LoadLimits:
    """From when on it is too much; `late_ms` 0: never. More `sockets` there are not."""

    late_ms: int
    core_share: float
    sockets: int


class Sample(NamedTuple):
    """What was measured at a time: how late things are, and the CPU used so far."""

    at_s: float
    cpu_s: float
    timer_s: float
    commit_s: float
    turn_s: float


class Load:
    """The level, from samples. `refused` is told each kind of refusal, for whoever counts."""

    def __init__(self, limits: LoadLimits, rng: Random, refused: Callable[[str], None]) -> None:
        self.level = Level.CALM
        self._limits = limits
        self._rng = rng
        self._refused = refused
        self._samples: deque[Sample] = deque()
        self._let_in = 0  # since the last sample
        self._risen_at_s = self._strained_at_s = float("-inf")

    def note(self, sample: Sample) -> None:
        """Take a sample; times go on from one to the next."""
        samples = self._samples
        samples.append(sample)
        self._let_in = 0
        while samples[0].at_s < sample.at_s - WINDOW_S:
            samples.popleft()
        if not self._limits.late_ms or sample.at_s - samples[0].at_s < WINDOW_S / 2:
            return
        strain = self._strain()
        wanted = _level(strain)
        if wanted > self.level and sample.at_s >= self._risen_at_s + RISE_S:
            self.level = Level(self.level + 1)
            self._risen_at_s = self._strained_at_s = sample.at_s
        elif _level(strain * 2) >= self.level:
            self._strained_at_s = sample.at_s
        elif sample.at_s >= self._strained_at_s + CALM_S:
            self.level = Level(self.level - 1)
            self._strained_at_s = sample.at_s

    def _strain(self) -> float:
        """How late it is, of what is allowed; 0 if it is not busy."""
        first, last = self._samples[0], self._samples[-1]
        share = (last.cpu_s - first.cpu_s) / (last.at_s - first.at_s)
        if share < self._limits.core_share:
            return 0.0
        late_s = median(
            max(one.timer_s, one.commit_s / COMMIT_TIMES, one.turn_s / TURN_TIMES)
            for one in self._samples
        )
        return late_s * 1_000 / self._limits.late_ms

    # What follows from it

    def show_watchers(self, frame: int) -> bool:
        """Whether the frame of this number is for watchers, too."""
        if self.level is Level.CALM:
            return True
        return self.level is Level.THIN and frame % WATCHERS_THINNED == 0

    def socket_wait_s(self, connected: int, comes_back: bool) -> float:
        """How long until one more may try again to connect; 0 if they may now."""
        few = self.level is Level.THIN and self._let_in >= THIN_SOCKETS
        room = comes_back or (self.level < Level.CLOSED and not few)
        if room and connected < self._limits.sockets:
            self._let_in += 1
            return 0.0
        return self._wait_s("socket", SOCKET_RETRY_S)

    def attempt_wait_s(self, comes_back: bool) -> float:
        """How long until something new may be begun; 0 if it may now.

        Who was let in to come back may begin nothing new where others may not even come in.
        """
        if self.level < (Level.CLOSED if comes_back else Level.FULL):
            return 0.0
        return self.refuse_attempt()

    def refuse_attempt(self) -> float:
        """Count something new that was refused; how long until it may be tried again."""
        return self._wait_s("attempt", ATTEMPT_RETRY_S)

    def _wait_s(self, kind: str, range_s: tuple[float, float]) -> float:
        # Each another time, so that those who were refused together do not come back together.
        self._refused(kind)
        return self._rng.uniform(*range_s)


def _level(strain: float) -> Level:
    if strain >= FULL_FROM:
        return Level.FULL
    if strain >= CLOSED_FROM:
        return Level.CLOSED
    return Level.THIN if strain >= THIN_FROM else Level.CALM


async def watch_load(
    load: Load, commit_s: Callable[[], float], turn_s: Callable[[], float]
) -> None:
    """Measure this process until cancelled. `commit_s` and `turn_s`: the longest waits of late."""
    loop = asyncio.get_running_loop()
    while True:
        due_s = loop.time() + STEP_S
        await asyncio.sleep(STEP_S)
        now_s = loop.time()
        late_s = max(0.0, now_s - due_s)
        load.note(Sample(now_s, time.process_time(), late_s, commit_s(), turn_s()))
