"""Whether a result is believed, and why not: rules with numbers, never a silent no.

Thresholds come from 34,995 real sentences: each strong signal is seen in fewer than 1 of 1,000.
"""

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from math import sqrt
from typing import NamedTuple

from server.core.attempt import Attempt, EndReason
from server.core.score import Score

PRESSES_MIN = 40  # fewer say nothing of a rhythm
WPM_REVIEW = 200
WPM_MAX = 300
WPM_MAX_DURATION_MS = 15_000
WPM_TRUSTED = 130  # below it one strong signal alone proves nothing
VARIATION_MIN = 0.20
SAME_INTERVAL_SHARE_MAX = 0.30
INSTANT_MS = 20
INSTANT_SHARE_MAX = 0.10
STEADY_KEYS = 8
STEADY_MS = 5


class Verdict(StrEnum):
    RANKED = "ranked"
    UNRANKED = "unranked"
    REVIEW = "review"
    VOID = "void"


class Reason(NamedTuple):
    """A rule that spoke: the value it saw, and the limit it holds."""

    rule: str
    value: float
    limit: float


def judge(attempt: Attempt, score: Score, reason: EndReason) -> tuple[Verdict, list[Reason]]:
    """The verdict on an ended attempt with at least one keystroke and no conflict."""
    unranked = _unranked(attempt, score, reason)
    review = _review([keystroke.dt_ms for keystroke in attempt.log[1:]], attempt, score)
    if unranked:
        return Verdict.UNRANKED, unranked + review
    return (Verdict.REVIEW if review else Verdict.RANKED), review


def _unranked(attempt: Attempt, score: Score, reason: EndReason) -> list[Reason]:
    found = []
    if reason in (EndReason.QUIT, EndReason.IDLE, EndReason.LIMIT):
        found.append(Reason("incomplete", score.position, len(attempt.typed_text.text)))
    if attempt.late_ms:
        found.append(Reason("late_ms", attempt.late_ms, 0))
    if score.duration_ms == 0:
        found.append(Reason("duration_ms", 0, 1))
    if score.duration_ms >= WPM_MAX_DURATION_MS and score.wpm > WPM_MAX:
        found.append(Reason("wpm_max", score.wpm, WPM_MAX))
    return found


def _review(intervals_ms: Sequence[int], attempt: Attempt, score: Score) -> list[Reason]:
    if attempt.typed_text.presses < PRESSES_MIN:
        return []
    signals = strong_signals(intervals_ms)
    if len(signals) < 2 and score.wpm < WPM_TRUSTED:
        signals = []
    if score.wpm >= WPM_REVIEW:
        signals.append(Reason("wpm_review", score.wpm, WPM_REVIEW))
    return signals


def strong_signals(intervals_ms: Sequence[int]) -> list[Reason]:
    """The signs of a machine among the times between keystrokes (at least one)."""
    count = len(intervals_ms)
    variation = _variation(intervals_ms)
    same = Counter(intervals_ms).most_common(1)[0][1] / count
    instant = sum(interval <= INSTANT_MS for interval in intervals_ms) / count
    steady = _steady_keys(intervals_ms)
    signals = []
    if variation < VARIATION_MIN:
        signals.append(Reason("rhythm_variation", round(variation, 4), VARIATION_MIN))
    if same > SAME_INTERVAL_SHARE_MAX:
        signals.append(Reason("same_interval_share", round(same, 4), SAME_INTERVAL_SHARE_MAX))
    if instant > INSTANT_SHARE_MAX:
        signals.append(Reason("instant_share", round(instant, 4), INSTANT_SHARE_MAX))
    if steady >= STEADY_KEYS:
        signals.append(Reason("steady_intervals", steady, STEADY_KEYS - 1))
    return signals


def _variation(intervals_ms: Sequence[int]) -> float:
    mean = sum(intervals_ms) / len(intervals_ms)
    if mean == 0:
        return 0.0
    return sqrt(sum((ms - mean) ** 2 for ms in intervals_ms) / len(intervals_ms)) / mean


def _steady_keys(intervals_ms: Sequence[int]) -> int:
    """STEADY_KEYS if so many intervals in a row lie within STEADY_MS of their mean, else 0."""
    for start in range(len(intervals_ms) - STEADY_KEYS + 1):
        window = intervals_ms[start : start + STEADY_KEYS]
        mean = sum(window) / STEADY_KEYS
        if max(window) - mean <= STEADY_MS and mean - min(window) <= STEADY_MS:
            return STEADY_KEYS
    return 0
