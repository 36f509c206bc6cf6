"""Scores computed a second time, straight from the definitions and apart from the product.

For the rules `free` alone. Slow and plain on purpose: it is what the server is compared with.
"""

import math
import unicodedata
from collections import Counter
from collections.abc import Sequence
from statistics import fmean, pstdev
from typing import Any, NamedTuple

import regex

DELETE = "\b"
DELETE_WORD = "\x17"
_EQUALS = ("'’‘", '"“”«»„', "-–—‑")


class Event(NamedTuple):
    """One keystroke as it goes over the wire."""

    dt_ms: int
    key: str


class Press(NamedTuple):
    """One press, with all that a score can ask about it."""

    at_ms: int
    dt_ms: int
    typed: str
    expected: str | None  # None past the end of the text
    right: bool
    after_right: bool  # the event before was a right press


def graphemes(text: str) -> list[str]:
    return regex.findall(r"\X", unicodedata.normalize("NFC", text))


def canonical(grapheme: str) -> str:
    """The first of all graphemes that count as equal to this one."""
    for group in _EQUALS:
        if grapheme in group:
            return group[0]
    if len(grapheme) == 1 and unicodedata.category(grapheme) == "Zs":
        return " "
    return grapheme


def replay(text: str, events: Sequence[Event]) -> tuple[list[str], list[Press]]:
    """What stands typed after `events`, and every press of them."""
    target = graphemes(text)
    typed: list[str] = []
    presses: list[Press] = []
    at_ms = 0
    after_right = False
    for dt_ms, key in events:
        at_ms += dt_ms
        if key in (DELETE, DELETE_WORD):
            _delete(typed, key)
            after_right = False
            continue
        grapheme = unicodedata.normalize("NFC", key)
        expected = target[len(typed)] if len(typed) < len(target) else None
        right = expected is not None and canonical(grapheme) == canonical(expected)
        presses.append(Press(at_ms, dt_ms, grapheme, expected, right, after_right))
        typed.append(grapheme)
        after_right = right
    return typed, presses


def _delete(typed: list[str], key: str) -> None:
    if key == DELETE:
        del typed[-1:]
        return
    while typed and canonical(typed[-1]) in " \n\t":
        typed.pop()
    while typed and canonical(typed[-1]) not in " \n\t":
        typed.pop()


def expected_live(text: str, events: Sequence[Event]) -> dict[str, Any]:
    """What `opened` and `ack` say after `events`."""
    typed, presses = replay(text, events)
    at_ms = sum(event.dt_ms for event in events)
    keys = _keys(presses)
    return {
        "typed": "".join(typed),
        "at_ms": at_ms,
        "position": len(typed),
        "wpm": _per_minute(_equal_places(text, typed), at_ms),
        "raw_wpm": _per_minute(len(presses), at_ms),
        "accuracy": _accuracy(presses),
        "errors": sum(not press.right for press in presses),
        "keys": {key: [counts["presses"], counts["errors"]] for key, counts in keys.items()},
    }


def expected_result(text: str, events: Sequence[Event]) -> dict[str, Any]:
    """The scores in `done.result` of an untimed attempt that `events` complete, typed honestly."""
    typed, presses = replay(text, events)
    duration_ms = sum(event.dt_ms for event in events[1:])
    correct = _equal_places(text, typed)
    return {
        "position": len(typed),
        "duration_ms": duration_ms,
        "wpm": _per_minute(correct, duration_ms),
        "raw_wpm": _per_minute(len(presses), duration_ms),
        "accuracy": _accuracy(presses),
        "errors": sum(not press.right for press in presses),
        "uncorrected": len(typed) - correct,
        "consistency": _consistency(presses, duration_ms),
        "keys": _keys(presses),
        "text_length": len(graphemes(text)),
        "events": len(events),
        "late_ms": 0,
        "scorer": 1,
    }


def _equal_places(text: str, typed: Sequence[str]) -> int:
    pairs = zip(typed, graphemes(text), strict=False)
    return sum(canonical(here) == canonical(there) for here, there in pairs)


def _per_minute(count: int, duration_ms: int) -> float:
    return round(count / 5 / (duration_ms / 60_000), 2) if duration_ms else 0.0


def _accuracy(presses: Sequence[Press]) -> float:
    return round(fmean(press.right for press in presses), 4) if presses else 1.0


def _consistency(presses: Sequence[Press], duration_ms: int) -> float:
    whole, rest_ms = divmod(duration_ms, 1000)
    seconds = whole + (rest_ms >= 500)
    if not seconds:
        return 0.0
    counted = Counter(press.at_ms // 1000 for press in presses)
    rates = [float(counted[second]) for second in range(seconds)]
    if rest_ms >= 500:
        rates[-1] *= 1000 / rest_ms
    if not fmean(rates):
        return 0.0
    c = pstdev(rates) / fmean(rates)
    return round(1 - math.tanh(c + c**3 / 3 + c**5 / 5), 4)


def _keys(presses: Sequence[Press]) -> dict[str, dict[str, Any]]:
    by_key: dict[str, list[Press]] = {}
    for press in presses:
        if press.expected is not None:
            by_key.setdefault(canonical(press.expected).casefold(), []).append(press)
    return {key: _key_stats(of_key) for key, of_key in by_key.items()}


def _key_stats(presses: Sequence[Press]) -> dict[str, Any]:
    wrong = [press.typed for press in presses if not press.right]
    timed = [p.dt_ms for p in presses if p.right and p.after_right and p.dt_ms <= 5000]
    return {
        "presses": len(presses),
        "errors": len(wrong),
        "latency_ms": round(fmean(timed), 1) if timed else None,
        "confusions": dict(Counter(wrong)),
    }


def expected_counters(text: str, events: Sequence[Event]) -> dict[str, tuple[int, int, int, int]]:
    """What an attempt adds to each key: presses, errors, sum and number of its latencies."""
    _, presses = replay(text, events)
    counters: dict[str, tuple[int, int, int, int]] = {}
    for press in presses:
        if press.expected is None:
            continue
        key = canonical(press.expected).casefold()
        timed = press.right and press.after_right and press.dt_ms <= 5000
        step = (1, int(not press.right), press.dt_ms * timed, int(timed))
        before = counters.get(key, (0, 0, 0, 0))
        counters[key] = (
            before[0] + step[0],
            before[1] + step[1],
            before[2] + step[2],
            before[3] + step[3],
        )
    return counters
