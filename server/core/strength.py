"""How strong a key is, from 0 to 100, and when it should be practised again."""

from dataclasses import dataclass
from math import ceil, exp, log
from statistics import NormalDist

from server.core.beta import beta_cdf
from server.core.key_model import SKEW, KeyModel, Known

STRONG = 70  # from here on a key may rest until it is due
MINUTE_MS = 60_000
DAY_MS = 86_400_000
SHORTEST_MS = 10 * MINUTE_MS  # from one practice to the next of a key of strength 0,
LONGEST_MS = 30 * DAY_MS  # and of one of strength 100
FAILED_SHARE = 4  # of the usual wait after a practice in which the key failed
FAILED_ERRORS = 2

USUAL_ACCURACY = 0.96
PROVABLE_ERROR_RATE = 0.01
FIRST_WPM = 30  # the target of somebody of whom nothing is known
AHEAD = 1.1  # the target of all others is so much above what they type
WPM_STEP = 5
WPM_MAX = 400
MS_PER_WPM = 12_000  # a word is five characters


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be reached on every key."""

    wpm: float
    accuracy: float = USUAL_ACCURACY

    @property
    def latency_ms(self) -> float:
        """How long a press takes at this speed."""
        return MS_PER_WPM / self.wpm

    @property
    def error_rate(self) -> float:
        return 1 - self.accuracy


def speed_wpm(model: KeyModel) -> float:
    """How fast somebody types as long as nothing goes wrong, the slower presses included."""
    return MS_PER_WPM / exp(model.latency + SKEW)


def usual_wpm(model: KeyModel) -> int:
    """A little above one's own speed, in steps of 5 wpm."""
    if model.ever == 0:
        return FIRST_WPM
    wpm = ceil(speed_wpm(model) * AHEAD / WPM_STEP) * WPM_STEP
    return min(WPM_MAX, max(FIRST_WPM, wpm))


@dataclass(frozen=True, slots=True)
class Strength:
    """Each 0..1: what is surely reached of the target. `value` is the weaker of them, of 100."""

    speed: float
    accuracy: float

    @property
    def value(self) -> int:
        return round(100 * min(self.speed, self.accuracy))


def strength(known: Known, target: Target) -> Strength:
    """By the credible bounds that speak against the key: what is not shown is not believed."""
    # What the presses that have not faded could never prove is not asked for.
    allowed = max(target.error_rate, PROVABLE_ERROR_RATE)
    return Strength(
        min(1.0, target.latency_ms / known.latency_high_ms),
        min(1.0, allowed / known.error_high),
    )


def lacking(known: Known, target: Target) -> float:
    """The chance that the key has not reached the target yet, in speed or in accuracy."""
    fast = NormalDist(known.latency, known.latency_sd).cdf(log(target.latency_ms) - SKEW)
    right = beta_cdf(max(target.error_rate, PROVABLE_ERROR_RATE), known.wrong, known.right)
    return 1 - fast * right


def wait_ms(known: Known, value: int) -> int:
    """How long a key may rest: the longer the stronger, a quarter of that after a failure."""
    wait: float = SHORTEST_MS * (LONGEST_MS / SHORTEST_MS) ** (value / 100)
    return round(wait / FAILED_SHARE if failed(known) else wait)


def failed(known: Known) -> bool:
    """Whether its last practice went badly: two errors or more, in over a tenth of the presses."""
    errors = known.last_errors
    return errors >= FAILED_ERRORS and errors * 10 > known.last_presses


def due_at_ms(known: Known, value: int) -> int | None:
    """When the key should be practised again; None if it never was."""
    return None if known.last_at_ms is None else known.last_at_ms + wait_ms(known, value)
