"""What somebody should practise next: which keys, bigrams and mix-ups, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from server.core.forecast import Forecast, forecast
from server.core.key_model import Evidence, KeyModel, Known, read_evidence
from server.core.key_stats import KeyStats
from server.core.layout import KeyPlace
from server.core.letters import MET, letter_order, open_letters
from server.core.lexicon import Lexicon
from server.core.strength import (
    STRONG,
    USUAL_ACCURACY,
    Strength,
    Target,
    due_at_ms,
    speed_wpm,
    strength,
    usual_wpm,
)

KEYS_MAX = 4
BIGRAMS_MAX = 2
BIGRAM_SLOWER = 1.15  # than its second key is else
MIXED_UP_MIN = 2.0
MIXED_UP_SHARE = 0.4  # of the errors of a key that are one and the same


class Reason(StrEnum):
    """Why something was chosen."""

    NEW = "new"  # hardly ever pressed
    ERRORS = "errors"
    MIXED_UP = "mixed_up"  # errors, most of them with one other key
    SLOW = "slow"
    UNSURE = "unsure"  # as good as the target by what was seen, which is too little
    DUE = "due"  # strong, but not practised for long
    KEPT = "kept"  # strong, and nothing else has more need


@dataclass(frozen=True, slots=True)
class Focus:
    """A key, or two keys in a row, to make the text for; `other` is what it is mixed up with."""

    part: str
    reason: Reason
    known: Known
    strength: Strength
    other: str | None = None


@dataclass(frozen=True, slots=True)
class Practice:
    """All that can be said to somebody of their practice, at one time.

    `strengths` and `due_at_ms` hold every key that was ever pressed; `order` all letters of the
    language that the layout has, the first to learn first, `opened` those that are open. `before`
    and `opened_before` are without the newest attempt.
    """

    model: KeyModel
    target: Target
    strengths: Mapping[str, Strength]
    due_at_ms: Mapping[str, int]
    order: Sequence[str]
    opened: Sequence[str]
    focus: Sequence[Focus]
    forecast: Forecast
    before: Mapping[str, Strength]
    opened_before: Sequence[str]


def plan_practice(
    newest_first: Sequence[Evidence],
    totals: Mapping[str, KeyStats],
    lexicon: Lexicon,
    places: Mapping[str, KeyPlace],
    now_ms: int,
    wpm: float | None = None,
    accuracy: float = USUAL_ACCURACY,
) -> Practice:
    """The practice for what somebody has typed; without a speed to reach, for the usual one.

    `totals` counts every press of each key, whenever it was.
    """
    model = read_evidence(newest_first, totals, now_ms)
    target = Target(usual_wpm(model) if wpm is None else wpm, accuracy)
    order = letter_order(lexicon.letters, places)

    def opened(keys: Mapping[str, Known], strengths: Mapping[str, Strength]) -> list[str]:
        ever = {key: known.ever for key, known in keys.items()}
        return open_letters(order, lexicon.letters, ever, strengths, speed_wpm(model))

    strengths = {key: strength(known, target) for key, known in model.keys.items()}
    before = {key: strength(known, target) for key, known in model.before.items()}
    due = {
        key: at_ms
        for key, known in model.keys.items()
        if (at_ms := due_at_ms(known, strengths[key].value)) is not None
    }
    now_open = opened(model.keys, strengths)
    keys = _choose_keys(model, target, now_open, strengths, due, now_ms)
    return Practice(
        model,
        target,
        strengths,
        due,
        order,
        now_open,
        [*keys, *_choose_bigrams(model, target, frozenset(now_open))],
        forecast(newest_first, max(1, model.ever), target),
        before,
        opened(model.before, before) if newest_first else now_open,
    )


def _choose_keys(
    model: KeyModel,
    target: Target,
    opened: Sequence[str],
    strengths: Mapping[str, Strength],
    due: Mapping[str, int],
    now_ms: int,
) -> list[Focus]:
    """New ones, then the weakest that are not there, then who is due, then who is least sure."""
    found: list[tuple[tuple[int, float], Focus]] = []
    for key in opened:
        known = model.key(key)
        strong = strengths.get(key) or strength(known, target)
        is_due = due.get(key, now_ms) <= now_ms
        reason, other = _reason(known, strong, target, opened, is_due)
        turn = _TURNS.get(reason, 1)
        by = float(due.get(key, 0)) if reason is Reason.DUE else _reached(strong)
        found.append(((turn, by), Focus(key, reason, known, strong, other)))
    found.sort(key=lambda one: one[0])
    return [focus for _, focus in found[:KEYS_MAX]]


# Nobody knows how weak a new key is, so it comes first; what is not named here comes next.
_TURNS = {Reason.NEW: 0, Reason.DUE: 2, Reason.UNSURE: 3, Reason.KEPT: 4}


def _reached(found: Strength) -> float:
    return min(found.speed, found.accuracy)


def _reason(
    known: Known, found: Strength, target: Target, opened: Sequence[str], is_due: bool
) -> tuple[Reason, str | None]:
    if known.ever < MET:
        return Reason.NEW, None
    slow = known.latency_ms > target.latency_ms
    wrong = known.error_rate > target.error_rate
    if wrong and (found.accuracy <= found.speed or not slow):
        return _of_errors(known, opened)
    if slow:
        return Reason.SLOW, None
    if is_due and found.value >= STRONG:
        return Reason.DUE, None
    return (Reason.UNSURE if found.value < 100 else Reason.KEPT), None


def _of_errors(known: Known, opened: Sequence[str]) -> tuple[Reason, str | None]:
    errors = sum(known.instead.values())
    other, count = max(known.instead.items(), key=lambda hit: hit[1], default=("", 0.0))
    if other in opened and count >= max(MIXED_UP_MIN, MIXED_UP_SHARE * errors):
        return Reason.MIXED_UP, other
    return Reason.ERRORS, None


def _choose_bigrams(model: KeyModel, target: Target, letters: frozenset[str]) -> list[Focus]:
    """Those that are surely slower than the target, and slower than their second key is else."""
    slow: list[tuple[float, Focus]] = []
    for name, known in model.bigrams.items():
        if not letters.issuperset(name):
            continue
        key = model.keys.get(name[-1])
        if key is None or known.latency_ms < BIGRAM_SLOWER * key.latency_ms:
            continue
        if known.latency_low_ms > target.latency_ms:
            focus = Focus(name, Reason.SLOW, known, strength(known, target))
            slow.append((known.latency_low_ms, focus))
    slow.sort(key=lambda found: (-found[0], found[1].part))
    return [focus for _, focus in slow[:BIGRAMS_MAX]]
