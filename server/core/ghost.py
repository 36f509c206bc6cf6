"""A ghost: an attempt typed before, asked where it was at a time of the race."""

from bisect import bisect_right
from collections.abc import Iterable

from server.core.score import Progress
from server.core.text import Text
from server.core.typed_text import ErrorRule, Keystroke, TypedText

NOT_BEGUN = Progress(0, 0.0, 0.0, 1.0, 0)


class Ghost:
    """Plays the keystrokes of a stored attempt by their own times."""

    def __init__(
        self, text: Text, rule: ErrorRule, keystrokes: Iterable[Keystroke], from_start: bool
    ) -> None:
        typed_text = TypedText(text, rule, from_start=from_start)
        self._at_ms: list[int] = []
        self._progress: list[Progress] = []
        for keystroke in keystrokes:
            if not typed_text.apply(keystroke):
                break
            self._at_ms.append(typed_text.at_ms)
            self._progress.append(typed_text.progress())

    def at(self, now_ms: int) -> Progress:
        """Where it was so long after the start."""
        typed = bisect_right(self._at_ms, now_ms)
        return self._progress[typed - 1] if typed else NOT_BEGUN
