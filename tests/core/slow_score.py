"""Scores a second time, straight from docs/protocol.md, section 3, and apart from the product.

Slow on purpose: no running totals, everything is looked at anew after each event, and the numbers
are exact fractions. What it says is what the product must say, to the rounding of the wire.
"""

import math
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import regex

QUOTES_AND_DASHES = [set("'’‘"), set('"“”«»„'), set("-–—‑")]
KEY_OF = {"’": "'", "‘": "'", "–": "-", "—": "-", "‑": "-"} | dict.fromkeys("“”«»„", '"')


def is_zs(grapheme: str) -> bool:
    return len(grapheme) == 1 and unicodedata.category(grapheme) == "Zs"


def same(one: str, other: str) -> bool:
    """Whether two graphemes are equal to a typist."""
    return (
        one == other
        or (is_zs(one) and is_zs(other))
        or any(one in group and other in group for group in QUOTES_AND_DASHES)
    )


def key_of(expected: str) -> str:
    """The name a key is counted under."""
    return (" " if is_zs(expected) else KEY_OF.get(expected, expected)).casefold()


@dataclass
class Press:
    """One press, with all that a score asks about it."""

    at_ms: int
    dt_ms: int
    typed: str
    expected: str | None  # None past the end of the text
    after_right: bool

    @property
    def right(self) -> bool:
        return self.expected is not None and same(self.typed, self.expected)


@dataclass
class SlowAttempt:
    """A text and what was done to it. `counted` is the number of events that count."""

    text: str
    rule: str = "free"
    limit_ms: int | None = None
    race: bool = False
    typed: list[str] = field(default_factory=list)
    presses: list[Press] = field(default_factory=list)
    counted: int = 0
    at_ms: int = 0

    def __post_init__(self) -> None:
        self.target: list[str] = regex.findall(r"\X", unicodedata.normalize("NFC", self.text))

    @property
    def right_places(self) -> int:
        return sum(same(a, b) for a, b in zip(self.typed, self.target, strict=False))

    @property
    def complete(self) -> bool:
        if self.rule == "correct":
            return len(self.typed) == len(self.target) == self.right_places
        return len(self.typed) >= len(self.target)

    def type(self, events: Iterable[tuple[int, str]]) -> "SlowAttempt":
        """Type events until one does not count."""
        after_right = False
        for dt_ms, key in events:
            if self.counted == 0 and not self.race:
                dt_ms = 0  # the clock of a solo attempt starts with its first event
            over = self.limit_ms is not None and self.at_ms + dt_ms > self.limit_ms
            if (self.counted and self.complete) or over:
                break
            self.counted += 1
            self.at_ms += dt_ms
            after_right = self._event(dt_ms, key, after_right)
        return self

    def _event(self, dt_ms: int, key: str, after_right: bool) -> bool:
        if key == "\b":
            self.typed = self.typed[:-1]
            return False
        if key == "\x17":
            self.typed = without_last_word(self.typed)
            return False
        for nth, char in enumerate("..." if key == "…" else [key]):
            if not self.complete:
                after_right = self._press(0 if nth else dt_ms, char, after_right)
        return after_right

    def _press(self, dt_ms: int, key: str, after_right: bool) -> bool:
        place = len(self.typed)
        expected = self.target[place] if place < len(self.target) else None
        press = Press(self.at_ms, dt_ms, key, expected, after_right)
        self.presses.append(press)
        kept = {
            "free": True,
            "stop": press.right,
            "correct": place < len(self.target) + 20,
        }[self.rule]
        if kept:
            self.typed = [*self.typed, key]
        return press.right

    # The score

    @property
    def typing_ms(self) -> int:
        if self.limit_ms is not None and not self.complete:
            return self.limit_ms
        return self.at_ms

    def score(self, late_ms: int = 0) -> dict[str, Any]:
        """All numbers of section 3, not rounded."""
        wrong = sum(not press.right for press in self.presses)
        presses = len(self.presses)
        duration_ms = self.typing_ms + late_ms
        return {
            "position": len(self.typed),
            "duration_ms": duration_ms,
            "wpm": per_minute(self.right_places, duration_ms),
            "raw_wpm": per_minute(presses, duration_ms),
            "accuracy": Fraction(presses - wrong, presses) if presses else Fraction(1),
            "errors": wrong,
            "uncorrected": len(self.typed) - self.right_places,
            "consistency": self._consistency(),
            "keys": self._keys(),
        }

    def _consistency(self) -> float:
        seconds, rest_ms = divmod(self.typing_ms, 1_000)
        rates = [
            Fraction(sum(1_000 * k <= press.at_ms < 1_000 * (k + 1) for press in self.presses))
            for k in range(seconds)
        ]
        if rest_ms >= 500:
            last = sum(press.at_ms >= 1_000 * seconds for press in self.presses)
            rates.append(Fraction(last * 1_000, rest_ms))
        if sum(rates) == 0:
            return 0.0
        mean = sum(rates) / len(rates)
        variance = sum((rate - mean) ** 2 for rate in rates) / len(rates)
        c = math.sqrt(variance) / float(mean)
        return 1 - math.tanh(c + c**3 / 3 + c**5 / 5)

    def _keys(self) -> dict[str, dict[str, Any]]:
        names = {key_of(press.expected) for press in self.presses if press.expected is not None}
        return {name: self._key(name) for name in names}

    def _key(self, name: str) -> dict[str, Any]:
        mine = [p for p in self.presses if p.expected is not None and key_of(p.expected) == name]
        timed = [p.dt_ms for p in mine if p.right and p.after_right and p.dt_ms <= 5_000]
        return {
            "presses": len(mine),
            "errors": sum(not press.right for press in mine),
            "latency_ms": Fraction(sum(timed), len(timed)) if timed else None,
            "confusions": dict(Counter(press.typed for press in mine if not press.right)),
        }


def without_last_word(typed: Sequence[str]) -> list[str]:
    """What a word delete leaves: first the blanks go, then everything up to the next blank."""

    def blank(grapheme: str) -> bool:
        return grapheme in ("\n", "\t") or is_zs(grapheme)

    end = max((i for i, char in enumerate(typed, 1) if not blank(char)), default=0)
    start = max((i for i, char in enumerate(typed[:end], 1) if blank(char)), default=0)
    return list(typed[:start])


def per_minute(chars: int, duration_ms: int) -> Fraction:
    return Fraction(chars * 60_000, 5 * duration_ms) if duration_ms else Fraction(0)


DECIMALS = {"wpm": 2, "raw_wpm": 2, "accuracy": 4, "consistency": 4, "latency_ms": 1}


def differences(slow: dict[str, Any], told: dict[str, Any]) -> list[str]:
    """Where `told` (a result as on the wire) is not what `slow` rounds to."""
    found = [f"fields {sorted(slow.keys() ^ told.keys())}"] if slow.keys() != told.keys() else []
    for name in slow.keys() & told.keys():
        if name == "keys":
            found += _key_differences(slow[name], told[name])
        elif not agrees(name, slow[name], told[name]):
            found.append(f"{name} is {told[name]}, expected {float(slow[name])}")
    return found


def _key_differences(slow: dict[str, Any], told: dict[str, Any]) -> list[str]:
    found = [f"keys {sorted(slow.keys() ^ told.keys())}"] if slow.keys() != told.keys() else []
    for key in slow.keys() & told.keys():
        for name, value in slow[key].items():
            if not agrees(name, value, told[key][name]):
                found.append(f"{name} of {key!r} is {told[key][name]}, expected {value}")
    return found


def agrees(name: str, exact: Any, told: Any) -> bool:
    """Whether `told` is `exact` rounded to the decimals of `name`; of two as near, either."""
    decimals = DECIMALS.get(name)
    if decimals is None or exact is None:
        return bool(exact == told)
    half = 0.5 * 10**-decimals
    return bool(round(told, decimals) == told and abs(float(exact) - told) <= half + 1e-9)
