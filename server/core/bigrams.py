"""How each key goes right after another: the same counts as for keys, by two keys in a row."""

from collections.abc import Iterable

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
            stats = bigrams.setdefault(before + key, KeyStats())
            if right:
                stats.right(keystroke.dt_ms, after_right_press=True)
            else:
                stats.wrong(keystroke.key)
        before = key if right else None
    return bigrams


def add_stats(totals: dict[str, KeyStats], more: dict[str, KeyStats]) -> None:
    """Add the counts of each key, or bigram, to `totals`."""
    for name, stats in more.items():
        total = totals.get(name)
        if total is None:
            total = totals[name] = KeyStats()
        total.add(stats)
