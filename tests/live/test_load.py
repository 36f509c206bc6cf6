"""When there is too much to do, by samples as they might be measured."""

from collections.abc import Iterator
from random import Random

import pytest

from server.live.load import (
    CALM_S,
    STEP_S,
    THIN_SOCKETS,
    WINDOW_S,
    Level,
    Load,
    LoadLimits,
    Sample,
)

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


def test_a_door_that_opens_again_lets_a_few_in_at_a_time() -> None:
    process = load_at(Level.THIN)
    for _ in range(2):
        waits_s = [process.load.socket_wait_s(1, comes_back=False) for _ in range(20)]
        assert [wait_s > 0 for wait_s in waits_s] == [False] * THIN_SOCKETS + [True] * 15
        assert process.load.socket_wait_s(1, comes_back=True) == 0.0
        process.during(STEP_S, late_s=0.0)


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
