"""Which results are believed: people nearly always, machines as often as is written here."""

from bisect import bisect
from collections.abc import Callable, Sequence
from math import exp
from random import Random
from time import thread_time_ns

import pytest

from server.core.attempt import Attempt, EndReason
from server.core.text import Text
from server.core.typed_text import DELETE, ErrorRule, Keystroke, TypedText
from server.core.verdict import Reason, Verdict, judge, strong_signals

OPENED_AT_MS = 1_000_000
SENTENCE = "it was raining again when the last bus left the square"

Intervals = Sequence[float]
Bot = Callable[[Random], Intervals]


def typed(text: str, events: Sequence[tuple[float, str]], late_ms: int = 0) -> Attempt:
    """An attempt in which `events` arrived one by one, the last of them late."""
    attempt = Attempt(TypedText(Text.of(text), ErrorRule.CORRECT), OPENED_AT_MS)
    at_ms = 0
    for seq, (dt_ms, key) in enumerate(events, 1):
        dt_ms = round(dt_ms) if seq > 1 else 0
        at_ms += dt_ms
        lag_ms = late_ms + 500 if late_ms and seq == len(events) else 0
        attempt.receive(seq, [Keystroke(dt_ms, key)], OPENED_AT_MS + at_ms + lag_ms)
    return attempt


def verdict(attempt: Attempt, reason: EndReason = EndReason.DONE) -> tuple[Verdict, list[Reason]]:
    reason = attempt.end(reason, OPENED_AT_MS + attempt.typed_text.at_ms)
    score = attempt.typed_text.score(attempt.late_ms)
    found, why = judge(attempt, score, reason)
    return found, why


def with_intervals(intervals_ms: Intervals) -> Attempt:
    """A text of one letter, typed without a slip at these intervals."""
    text = "a" * (len(intervals_ms) + 1)
    return typed(text, [(0, "a"), *((dt_ms, "a") for dt_ms in intervals_ms)])


# People: quantiles measured over 34,995 real sentences of 2,333 people


def drawn(quantiles: Sequence[tuple[float, float]], random: Random) -> float:
    """A number of the distribution that has these (share, value) quantiles."""
    share = random.random()
    place = min(max(bisect([q for q, _ in quantiles], share), 1), len(quantiles) - 1)
    (q0, v0), (q1, v1) = quantiles[place - 1], quantiles[place]
    return v0 + (v1 - v0) * (share - q0) / (q1 - q0)


WPM = [(0, 12), (0.01, 16), (0.1, 27), (0.5, 48), (0.9, 80), (0.99, 103), (1, 125)]
SPREAD = [(0, 0.40), (0.05, 0.46), (0.5, 0.57), (0.95, 0.76), (1, 0.9)]  # sd of ln(interval)
DEVIATION = [
    (0, -2.6), (0.01, -2.05), (0.05, -1.36), (0.5, -0.14), (0.95, 1.86), (0.99, 2.81), (1, 4.5),
]  # fmt: skip


class Person:
    """Somebody who types: a speed, an evenness, a clock, and slips that are mended."""

    def __init__(self, seed: int, faster: float = 1.0) -> None:
        self.random = Random(seed)
        self.median_ms = 8_000 / drawn(WPM, self.random) / faster
        self.spread = drawn(SPREAD, self.random)
        self.tick_ms = 8 if self.random.random() < 0.37 else 1  # of many clocks

    def interval_ms(self, before: str, key: str) -> float:
        factor = 1.0
        if key == DELETE:
            factor = 0.9 if before == DELETE else 2.7
        elif before == DELETE:
            factor = 1.5
        elif " " in (before, key):
            factor = 0.86 if key == " " else 1.3
        deviation = drawn(DEVIATION, self.random)
        ms = self.median_ms * factor * exp(self.spread * deviation)
        return self.tick_ms * round(ms / self.tick_ms)

    def keys(self, text: str) -> list[str]:
        keys = []
        for char in text:
            if self.random.random() < 0.03:
                slips = self.random.choice([1, 1, 1, 2, 2, 3])
                keys += ["x"] * slips + [DELETE] * slips
            keys.append(char)
        return keys

    def types(self, text: str) -> Attempt:
        events: list[tuple[float, str]] = []
        for key in self.keys(text):
            events.append((self.interval_ms(events[-1][1] if events else "", key), key))
        return typed(text, events)


def test_people_are_believed() -> None:
    """All of these 400; fewer than one in a thousand may be doubted."""
    verdicts = {seed: verdict(Person(seed).types(SENTENCE)) for seed in range(400)}
    assert {seed: found for seed, found in verdicts.items() if found[0] != Verdict.RANKED} == {}


def test_simulated_people_are_like_the_measured_ones() -> None:
    """Else the test above would prove nothing."""
    wpms = sorted(Person(seed).types(SENTENCE).typed_text.score().wpm for seed in range(200))
    assert 40 < wpms[100] < 56
    assert 20 < wpms[20] < 35
    assert 65 < wpms[180] < 95
    intervals = sorted(
        keystroke.dt_ms for seed in range(60) for keystroke in Person(seed).types(SENTENCE).log[1:]
    )
    assert 140 < intervals[len(intervals) // 2] < 220
    assert 60 < intervals[len(intervals) // 10] < 110


# Machines

LENGTH = 54


def even(wpm: int, width: float) -> Bot:
    """Intervals spread evenly, `width` of their mean to either side."""
    ms = 12_000 / wpm
    return lambda dice: [ms * dice.uniform(1 - width, 1 + width) for _ in range(LENGTH)]


def gaussian(wpm: int, width: float) -> Bot:
    ms = 12_000 / wpm
    return lambda dice: [max(0, dice.gauss(ms, width * ms)) for _ in range(LENGTH)]


def pasted_words(dice: Random) -> Intervals:
    return [0 if place % 6 else dice.uniform(300, 700) for place in range(LENGTH)]


def person(faster: float) -> Bot:
    """Somebody's own rhythm, played back `faster`."""

    def bot(dice: Random) -> Intervals:
        typist = Person(dice.randrange(10_000), faster)
        return [typist.interval_ms("a", "a") for _ in range(LENGTH)]

    return bot


@pytest.mark.parametrize(
    ("bot", "caught"),
    [
        pytest.param(even(60, 0), 100, id="constant"),
        pytest.param(lambda _: [0] * LENGTH, 100, id="all at once"),
        pytest.param(pasted_words, 100, id="words pasted whole"),
        pytest.param(even(160, 0.2), 100, id="uniform at 160 wpm"),
        pytest.param(even(100, 0.2), 0, id="uniform at 100 wpm"),
        pytest.param(even(60, 0.02), 100, id="nearly constant at 60 wpm"),
        pytest.param(even(160, 0.7), 0, id="widely uniform at 160 wpm"),
        pytest.param(gaussian(160, 0.18), 90, id="gaussian at 160 wpm"),
        pytest.param(gaussian(60, 0.18), 0, id="gaussian at 60 wpm"),
        pytest.param(person(1.3), 1, id="a person, a third faster"),
        pytest.param(person(4), 61, id="a person, four times as fast"),
        pytest.param(person(1), 0, id="like a person"),  # who types like one is taken for one
    ],
)
def test_machines_are_caught_as_often_as_written_here(bot: Bot, caught: int) -> None:
    """Of 100. A change of the rules shows as a change of these numbers."""
    verdicts = [verdict(with_intervals(bot(Random(seed))))[0] for seed in range(100)]
    assert sum(found != Verdict.RANKED for found in verdicts) == caught


# Each rule

RHYTHM_MS = [42, 61, 88, 55, 97, 48, 70, 59, 103, 37]  # 66 on average, with no sign of a machine


def at_wpm(wpm: int, times: int) -> Attempt:
    """The rhythm above so many times over, at a speed."""
    return with_intervals([ms * 12_000 / wpm / 66 for ms in RHYTHM_MS] * times)


@pytest.mark.parametrize(
    ("intervals_ms", "rules"),
    [
        pytest.param([100, 180, 90, 260, 70, 400], [], id="a person"),
        pytest.param([100, 120, 131] * 9, ["rhythm_variation", "same_interval_share"], id="even"),
        pytest.param([90, 90, 90, 300, 70, 500, 200, 110, 250], ["same_interval_share"], id="same"),
        pytest.param([90, 90, 90, 300, 70, 500, 200, 110, 250, 333], [], id="same, 30 %"),
        pytest.param([20, 20, 20, *range(100, 900, 33)], ["instant_share"], id="instant"),
        pytest.param([21, 22, 23, *range(100, 900, 33)], [], id="nearly instant"),
        pytest.param(
            [*range(100, 900, 50), 99, 101, 103, 97, 104, 96, 100, 102],
            ["steady_intervals"],
            id="eight within 5 ms of their mean",
        ),
        pytest.param(
            [*range(100, 900, 50), 99, 101, 103, 97, 104, 96, 100], [], id="seven of them"
        ),
        pytest.param(
            [0] * 9,
            ["rhythm_variation", "same_interval_share", "instant_share", "steady_intervals"],
            id="all at once",
        ),
        pytest.param([150], ["rhythm_variation", "same_interval_share"], id="one interval"),
    ],
)
def test_strong_signals(intervals_ms: list[int], rules: list[str]) -> None:
    assert [reason.rule for reason in strong_signals(intervals_ms)] == rules


def test_few_presses_say_nothing_of_a_rhythm() -> None:
    assert verdict(with_intervals([100] * 38))[0] is Verdict.RANKED
    assert verdict(with_intervals([100] * 39))[0] is Verdict.REVIEW


def test_one_signal_below_130_wpm_proves_nothing() -> None:
    one_signal = [60.0, 60, 60, 60, 150, 90, 210, 100, 180, 250] * 5
    slow = [2 * ms for ms in one_signal]
    assert verdict(with_intervals(slow)) == (Verdict.RANKED, [])
    fast = [ms / 2 for ms in one_signal]
    assert verdict(with_intervals(fast))[0] is Verdict.REVIEW


def test_200_wpm_is_looked_at_and_300_over_15_s_not_believed() -> None:
    assert verdict(at_wpm(190, times=8)) == (Verdict.RANKED, [])
    found, why = verdict(at_wpm(210, times=8))
    assert (found, [rule for rule, _, _ in why]) == (Verdict.REVIEW, ["wpm_review"])
    found, why = verdict(at_wpm(310, times=36))  # 14 s
    assert (found, [rule for rule, _, _ in why]) == (Verdict.REVIEW, ["wpm_review"])
    found, why = verdict(at_wpm(310, times=40))  # 15.5 s
    assert found is Verdict.UNRANKED
    assert [(rule, limit) for rule, _, limit in why] == [("wpm_max", 300), ("wpm_review", 200)]


@pytest.mark.parametrize(
    ("keys", "reason", "rule"),
    [
        pytest.param("a", EndReason.QUIT, "incomplete", id="quit"),
        pytest.param("a", EndReason.DONE, "incomplete", id="done before the end"),
        pytest.param("ab", EndReason.IDLE, "incomplete", id="idle"),
        pytest.param("ab", EndReason.LIMIT, "incomplete", id="too long"),
    ],
)
def test_incomplete_attempt_is_unranked(keys: str, reason: EndReason, rule: str) -> None:
    found, why = verdict(typed("abc", [(300, key) for key in keys]), reason)
    assert found is Verdict.UNRANKED
    assert why[0] == (rule, len(keys), 3)


def test_late_attempt_is_unranked_and_says_by_how_much() -> None:
    on_time = typed("abc", [(0, "a"), (300, "b"), (250, "c")])
    assert verdict(on_time) == (Verdict.RANKED, [])
    late = typed("abc", [(0, "a"), (300, "b"), (250, "c")], late_ms=1)
    assert verdict(late) == (Verdict.UNRANKED, [("late_ms", 1, 0)])


def test_attempt_without_duration_is_unranked() -> None:
    assert verdict(typed("a", [(0, "a")])) == (Verdict.UNRANKED, [("duration_ms", 0, 1)])


def test_flawless_is_no_sign() -> None:
    assert verdict(at_wpm(120, times=9)) == (Verdict.RANKED, [])


def signals_ns(count: int) -> int:
    """What judging `count` intervals costs, most of them different."""
    random = Random(2)
    intervals_ms = [random.randrange(1, count) for _ in range(count)]
    best = 1 << 62
    for _ in range(3):
        began_ns = thread_time_ns()
        strong_signals(intervals_ms)
        best = min(best, thread_time_ns() - began_ns)
    return best


def test_judging_a_long_attempt_costs_in_proportion() -> None:
    assert signals_ns(4_000) < 4 * 8 * signals_ns(500)  # 8 times as many; all pairs: 64 times
