"""How each key goes right after another: the same counts as for keys, by two keys in a row."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from server.core.key_stats import KeyStats
from server.core.text import key_name
from server.core.typed_text import Keystroke, TypedText


def type_bigrams(typed_text: TypedText, keystrokes: Iterable[Keystroke]) -> dict[str, KeyStats]:
    """Type the keystrokes; the counts of every key pressed directly after a right press.

    A delete, or a wrong press, between two keys parts them.
    """
    bigrams: dict[str, KeyStats] = {}
    text = typed_text.text
    before: str | None = None  # the key whose right press was the last event
    for keystroke in keystrokes:
        place, presses, errors = len(typed_text.typed), typed_text.presses, typed_text.errors
        if not typed_text.apply(keystroke):
            break
        if typed_text.presses != presses + 1 or place >= len(text):
            before = None
            continue
        key = key_name(text.graphemes[place])
        right = typed_text.errors == errors
        if before is not None:
            stats = bigrams.get(before + key)
            if stats is None:
                stats = bigrams[before + key] = KeyStats()
            if right:
                stats.right(keystroke.dt_ms, after_right_press=True)
            else:
                stats.wrong(keystroke.key)
        before = key if right else None
    return bigrams


# presses, errors, latency_sum_ms, latency_count and, if there are any, confusions
Packed = list[Any]


@dataclass(frozen=True, slots=True)
class Counts:
    """All that the keystrokes of an attempt, or of several, say of keys and bigrams."""

    keys: dict[str, Packed] = field(default_factory=dict)
    bigrams: dict[str, Packed] = field(default_factory=dict)

    def add(self, more: "Counts") -> None:
        """Count what the other has counted, which may be changed by it."""
        _add_packed(self.keys, more.keys)
        _add_packed(self.bigrams, more.bigrams)


def pack_stats(stats: KeyStats) -> Packed:
    """The counts of one key, or bigram, as they are kept."""
    counts = [stats.presses, stats.errors, stats.latency_sum_ms, stats.latency_count]
    return [*counts, stats.confusions] if stats.confusions else counts


def _add_packed(totals: dict[str, Packed], more: Mapping[str, Packed]) -> None:
    # Very many are added for one answer: so they stay packed.
    for name, packed in more.items():
        total = totals.setdefault(name, packed)
        if total is packed:
            continue
        total[0] += packed[0]
        total[1] += packed[1]
        total[2] += packed[2]
        total[3] += packed[3]
        if len(packed) == 5:
            if len(total) == 4:
                total.append({})
            for typed, count in packed[4].items():
                total[4][typed] = total[4].get(typed, 0) + count


def add_stats(totals: dict[str, KeyStats], more: dict[str, KeyStats]) -> None:
    """Add the counts of each key, or bigram, to `totals`."""
    for name, stats in more.items():
        total = totals.get(name)
        if total is None:
            total = totals[name] = KeyStats()
        total.add(stats)
