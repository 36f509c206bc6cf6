"""When there is too much to do, by samples as they might be measured; and who waits for whom."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random

import pytest

from server.live.load import CALM_S, STEP_S, WINDOW_S, Level, Load, LoadLimits, Sample
from server.live.turns import AT_ONCE, Door, Turns, TurnTooLate

LATE_MS = 100
BUSY = 0.95
SOCKETS = 1_000


class Measured:
    """A process measured every quarter of a second."""

    def __init__(self, late_ms: int = LATE_MS) -> None:
        self.refused: list[str] = []
        self.load = Load(LoadLimits(late_ms, 0.8, SOCKETS), Random(1), self.refused.append)
        self._at_s = self._cpu_s = 0.0

    def during(
        self, seconds: float, *, late_s: float, share: float = BUSY, what: str = "timer_s"
    ) -> list[Level]:
        """The levels while it is as late as that, and uses that share of a core."""
        return list(self._levels(seconds, late_s, share, what))

    def _levels(self, seconds: float, late_s: float, share: float, what: str) -> Iterator[Level]:
        for _ in range(round(seconds / STEP_S)):
            self._at_s += STEP_S
            self._cpu_s += STEP_S * share
            late = {"timer_s": 0.0, "commit_s": 0.0, "turn_s": 0.0} | {what: late_s}
            self.load.note(Sample(self._at_s, self._cpu_s, **late))
            yield self.load.level


def test_levels_rise_one_by_one_while_it_is_late_and_busy() -> None:
    levels = Measured().during(10, late_s=0.2)
    assert sorted(set(levels)) == levels_in_order(levels) == list(Level)


def levels_in_order(levels: list[Level]) -> list[Level]:
    return [level for at, level in enumerate(levels) if not at or levels[at - 1] is not level]


@pytest.mark.parametrize(
    ("late_s", "level"),
    [(0.04, Level.CALM), (0.06, Level.THIN), (0.08, Level.CLOSED), (0.11, Level.FULL)],
)
def test_each_level_begins_at_its_share_of_what_is_allowed(late_s: float, level: Level) -> None:
    assert Measured().during(10, late_s=late_s)[-1] is level


@pytest.mark.parametrize(("what", "times"), [("commit_s", 3), ("turn_s", 6)])
def test_commits_and_turns_may_take_longer(what: str, times: int) -> None:
    assert Measured().during(10, late_s=0.04 * times, what=what)[-1] is Level.CALM
    assert Measured().during(10, late_s=0.11 * times, what=what)[-1] is Level.FULL


def test_a_hiccup_is_nothing_however_long() -> None:
    process = Measured()
    process.during(5, late_s=0.0)
    for _ in range(5):
        assert set(process.during(STEP_S, late_s=5.0)) == {Level.CALM}
        assert set(process.during(2, late_s=0.0)) == {Level.CALM}


def test_who_is_late_because_others_use_the_machine_refuses_nobody() -> None:
    assert set(Measured().during(60, late_s=1.0, share=0.5)) == {Level.CALM}


def test_who_is_busy_and_in_time_refuses_nobody() -> None:
    assert set(Measured().during(60, late_s=0.01, share=1.0)) == {Level.CALM}


def test_the_setting_turns_it_off() -> None:
    assert set(Measured(late_ms=0).during(60, late_s=9.0)) == {Level.CALM}


def test_a_level_ends_only_after_it_was_calm_for_a_while() -> None:
    process = Measured()
    process.during(10, late_s=0.2)
    # More than half of what made it rise is not low enough.
    assert set(process.during(30, late_s=0.06)) == {Level.FULL}
    assert set(process.during(CALM_S, late_s=0.0)) == {Level.FULL}
    falling = process.during(WINDOW_S + 4 * CALM_S, late_s=0.0)
    assert levels_in_order(falling) == [Level.FULL, Level.CLOSED, Level.THIN, Level.CALM]


def load_at(level: Level) -> Measured:
    process = Measured()
    process.load.level = level
    return process


def test_what_each_level_does_without() -> None:
    socket, back, attempt, watched = [], [], [], []
    for level in Level:
        load = load_at(level).load
        socket.append(load.socket_wait_s(1, comes_back=False) > 0)
        back.append(load.socket_wait_s(1, comes_back=True) > 0)
        attempt.append(load.attempt_wait_s(comes_back=False) > 0)
        watched.append(sum(load.show_watchers(frame) for frame in range(100)))
    assert socket == [False, False, True, True]
    assert back == [False, False, False, False]
    assert attempt == [False, False, False, True]
    assert watched == [100, 25, 0, 0]


def test_who_says_to_come_back_begins_nothing_new_where_others_may_not_come_in() -> None:
    waits = [load_at(level).load.attempt_wait_s(comes_back=True) > 0 for level in Level]
    assert waits == [False, False, True, True]


def test_nobody_gets_a_socket_that_is_not_there() -> None:
    load = load_at(Level.CALM).load
    assert load.socket_wait_s(SOCKETS - 1, comes_back=False) == 0.0
    assert load.socket_wait_s(SOCKETS, comes_back=False) > 0
    assert load.socket_wait_s(SOCKETS, comes_back=True) > 0


def test_refusals_are_counted_and_come_back_at_different_times() -> None:
    process = load_at(Level.FULL)
    waits_s = {process.load.socket_wait_s(1, comes_back=False) for _ in range(20)}
    waits_s |= {process.load.attempt_wait_s(comes_back=False) for _ in range(20)}
    assert len(waits_s) == 40
    assert process.refused == ["socket"] * 20 + ["attempt"] * 20


# Turns


@asynccontextmanager
async def all_taken(turns: Turns) -> AsyncIterator[None]:
    """No turn is free while the block runs."""
    async with AsyncExitStack() as stack:
        for _ in range(AT_ONCE):
            await stack.enter_async_context(turns.turn())
        yield


async def test_so_many_are_at_it_at_once_and_who_comes_back_is_next() -> None:
    turns, done = Turns(), list[str]()
    go = asyncio.Event()

    async def take(name: str, *, new: bool) -> None:
        async with turns.turn(new=new):
            done.append(name)
            await go.wait()

    tasks = [asyncio.create_task(take(f"first {n}", new=True)) for n in range(AT_ONCE)]
    tasks += [asyncio.create_task(take(f"new {n}", new=True)) for n in range(3)]
    tasks += [asyncio.create_task(take(f"back {n}", new=False)) for n in range(3)]
    await asyncio.sleep(0)
    assert done == [f"first {n}" for n in range(AT_ONCE)]
    go.set()
    await asyncio.gather(*tasks)
    back, new = [f"back {n}" for n in range(3)], [f"new {n}" for n in range(3)]
    assert done[AT_ONCE:] == [*back, *new]
    assert turns.waited_s() == 0.0


async def test_a_turn_nobody_wants_any_more_goes_to_the_next() -> None:
    turns, done = Turns(), list[int]()

    async def take(number: int) -> None:
        async with turns.turn():
            done.append(number)

    async with all_taken(turns):
        tasks = [asyncio.create_task(take(number)) for number in range(4)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        await asyncio.sleep(0)
        tasks[2].cancel()
    tasks[1].cancel()  # in the moment in which the turn is given
    await asyncio.gather(*tasks, return_exceptions=True)
    assert done == [3]
    for number in range(AT_ONCE):
        await asyncio.wait_for(take(number), 1)


async def test_what_is_new_waits_only_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.live.turns.NEW_WAIT_S", 0.01)
    turns = Turns()
    async with all_taken(turns):
        with pytest.raises(TurnTooLate):
            async with turns.turn(new=True):
                pass
    async with turns.turn(new=True):
        assert turns.waited_s() == 0.0


async def test_the_door_lets_one_in_for_each_turn_of_the_loop() -> None:
    door, entered = Door(), list[int]()
    for number in range(5):
        door.enter(lambda number=number: entered.append(number))  # type: ignore[misc]
    seen = [len(entered)]
    for _ in range(5):
        await asyncio.sleep(0)
        seen.append(len(entered))
    assert entered == [0, 1, 2, 3, 4]
    assert seen == [1, 2, 3, 4, 5, 5]
    door.enter(lambda: entered.append(5))
    assert entered[-1] == 5
