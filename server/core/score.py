"""The numbers of an attempt, scorer version 1. Defined in docs/protocol.md, section 3."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt, tanh
from typing import Any, NamedTuple

SCORER_VERSION = 1
CHARS_PER_WORD = 5  # A "word" in words per minute is five characters, by convention.
MS_PER_MINUTE = 60_000
MS_PER_SECOND = 1_000
LAST_PART_MS_MIN = 500


class Progress(NamedTuple):
    """The score so far, rounded as on the wire."""

    position: int
    wpm: float
    raw_wpm: float
    accuracy: float
    errors: int


class KeyScore(NamedTuple):
    """How one key went in one attempt. `latency_ms` is None without a right press after another."""

    presses: int
    errors: int
    latency_ms: float | None
    confusions: dict[str, int]


@dataclass(frozen=True, slots=True)
class Score:
    """The final numbers, rounded as on the wire; the same keystrokes give the same, always."""

    position: int
    duration_ms: int
    wpm: float
    raw_wpm: float
    accuracy: float
    errors: int
    uncorrected: int
    consistency: float
    keys: dict[str, KeyScore]

    def columns(self) -> dict[str, Any]:
        """The numbers by name, those of each key too."""
        numbers: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        numbers["keys"] = {name: key._asdict() for name, key in self.keys.items()}
        return numbers


def words_per_minute(chars: int, duration_ms: int) -> float:
    """`chars` over `duration_ms`, to 0.01; 0 when no time has passed."""
    if duration_ms <= 0:
        return 0.0
    # One division of integers: the same float on every machine and in JavaScript.
    return round(chars * MS_PER_MINUTE / (CHARS_PER_WORD * duration_ms), 2)


def accuracy(presses: int, errors: int) -> float:
    """The share of right presses, 0..1 to 0.0001; 1 before the first press."""
    if presses == 0:
        return 1.0
    return round((presses - errors) / presses, 4)


def consistency(presses_per_second: Sequence[int], duration_ms: int) -> float:
    """How even the pace was, 0..1 to 0.0001.

    `presses_per_second[k]` counts presses in [k, k+1) s. Whole seconds of `duration_ms` count; a
    last part of half a second or more is scaled up, a shorter one is left out. The curve is
    1 - tanh(c + c^3/3 + c^5/5) of the coefficient of variation c (known as "kogasa").
    """
    whole_s, rest_ms = divmod(duration_ms, MS_PER_SECOND)
    rates = [float(n) for n in presses_per_second[:whole_s]]
    rates += [0.0] * (whole_s - len(rates))
    if rest_ms >= LAST_PART_MS_MIN:
        last = presses_per_second[whole_s] if whole_s < len(presses_per_second) else 0
        rates.append(last * MS_PER_SECOND / rest_ms)
    mean = sum(rates) / len(rates) if rates else 0.0
    if mean == 0:
        return 0.0
    c = sqrt(sum((rate - mean) ** 2 for rate in rates) / len(rates)) / mean
    return round(1 - tanh(c + c * c * c / 3 + c * c * c * c * c / 5), 4)
