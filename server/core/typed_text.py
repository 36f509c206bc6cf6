"""A text being typed: every keystroke changes it in O(1), whatever the text's length."""

from enum import StrEnum
from typing import NamedTuple

from server.core.key_stats import KeyStats
from server.core.score import (
    MS_PER_SECOND,
    Progress,
    Score,
    accuracy,
    consistency,
    words_per_minute,
)
from server.core.text import Text, canonical, is_space, key_name

DELETE = "\b"
DELETE_WORD = "\u0017"
ELLIPSIS = "…"
PAST_END_MAX = 20


class ErrorRule(StrEnum):
    """What a wrong character does: it stays, it is not typed, or it must be mended."""

    FREE = "free"
    STOP = "stop"
    CORRECT = "correct"


class Keystroke(NamedTuple):
    """One event: `dt_ms` after the one before, a grapheme in NFC or one of the two deletes."""

    dt_ms: int
    key: str


class TypedText:
    """What stands typed, and every count the score is made of.

    A pure function of its arguments and the keystrokes applied: replayed anywhere it is the same.
    `limit_ms` ends a timed text. `from_start` (races) counts the first `dt_ms` from the start.
    """

    __slots__ = (
        "_after_right_press",
        "_length",
        "_right",
        "_touched",
        "at_ms",
        "complete",
        "errors",
        "from_start",
        "keys",
        "keystrokes",
        "limit_ms",
        "presses",
        "presses_per_second",
        "right_places",
        "rule",
        "text",
        "time_over",
        "typed",
    )

    def __init__(
        self, text: Text, rule: ErrorRule, limit_ms: int | None = None, from_start: bool = False
    ) -> None:
        self.text = text
        self.rule = rule
        self.limit_ms = limit_ms
        self.typed: list[str] = []
        self.complete = False
        self.time_over = False
        self.at_ms = 0
        self.keystrokes = 0
        self.presses = 0
        self.errors = 0
        self.right_places = 0
        self.keys: dict[str, KeyStats] = {}
        self.presses_per_second: list[int] = []
        self.from_start = from_start
        self._right = bytearray()  # beside `typed`: 1 where it equals the text
        self._after_right_press = False
        self._length = len(text)
        self._touched: set[str] = set()

    @property
    def over(self) -> bool:
        """Nothing counts any more."""
        return self.complete or self.time_over

    def apply(self, keystroke: Keystroke) -> bool:
        """Type one keystroke. False if it does not count: the text is over, or the time is."""
        if self.complete or self.time_over:
            return False
        dt_ms, key = keystroke
        if self.keystrokes == 0 and not self.from_start:
            dt_ms = 0
        at_ms = self.at_ms + dt_ms
        if self.limit_ms is not None and at_ms > self.limit_ms:
            self.time_over = True
            return False
        self.at_ms = at_ms
        self.keystrokes += 1
        if key == DELETE:
            self._delete()
        elif key == DELETE_WORD:
            self._delete_word()
        elif key == ELLIPSIS:
            self._press_dots(dt_ms)
        else:
            self._press(dt_ms, key)
        if len(self.typed) >= self._length:
            self.complete = self._filled()
        return True

    def _press_dots(self, dt_ms: int) -> None:
        # One key on some keyboards, three characters in the text. A text that its first dot
        # completes has no room for the others.
        for dot_dt_ms in (dt_ms, 0, 0):
            if self._filled():
                return
            self._press(dot_dt_ms, ".")

    def _filled(self) -> bool:
        if self.rule is ErrorRule.CORRECT:
            return self.right_places == self._length == len(self.typed)
        return len(self.typed) >= self._length

    def _press(self, dt_ms: int, key: str) -> None:
        self.presses += 1
        second = self.at_ms // MS_PER_SECOND
        missing = second + 1 - len(self.presses_per_second)
        if missing > 0:
            self.presses_per_second += [0] * missing
        self.presses_per_second[second] += 1
        typed = self.typed
        place = len(typed)
        right = place < self._length and self._count(dt_ms, key, self.text.graphemes[place])
        if not right:
            self.errors += 1
        self._after_right_press = right
        if right or self._keeps_wrong(place):
            typed.append(key)
            self._right.append(right)
            self.right_places += right

    def _count(self, dt_ms: int, key: str, expected: str) -> bool:
        name = key_name(expected)
        stats = self.keys.get(name)
        if stats is None:
            stats = self.keys[name] = KeyStats()
        self._touched.add(name)
        right = key == expected or canonical(key) == canonical(expected)
        if right:
            stats.right(dt_ms, self._after_right_press)
        else:
            stats.wrong(key)
        return right

    def _keeps_wrong(self, place: int) -> bool:
        if self.rule is ErrorRule.CORRECT:
            return place < self._length + PAST_END_MAX
        return self.rule is ErrorRule.FREE

    def _delete(self) -> None:
        self._after_right_press = False
        if self.typed:
            self.typed.pop()
            self.right_places -= self._right.pop()

    def _delete_word(self) -> None:
        self._after_right_press = False
        while self.typed and is_space(self.typed[-1]):
            self._delete()
        while self.typed and not is_space(self.typed[-1]):
            self._delete()

    def take_touched(self) -> dict[str, tuple[int, int]]:
        """(presses, errors) so far of the keys touched since the last call."""
        touched = {}
        for name in self._touched:
            stats = self.keys[name]
            touched[name] = (stats.presses, stats.errors)
        self._touched.clear()
        return touched

    def progress(self) -> Progress:
        """The live score, its time taken up to the last keystroke."""
        return Progress(
            len(self.typed),
            words_per_minute(self.right_places, self.at_ms),
            words_per_minute(self.presses, self.at_ms),
            accuracy(self.presses, self.errors),
            self.errors,
        )

    def score(self, late_ms: int = 0) -> Score:
        """The final numbers. `late_ms` is added to the duration."""
        typing_ms = self.at_ms
        if self.limit_ms is not None and not self.complete:
            typing_ms = self.limit_ms
        duration_ms = typing_ms + late_ms
        return Score(
            position=len(self.typed),
            duration_ms=duration_ms,
            wpm=words_per_minute(self.right_places, duration_ms),
            raw_wpm=words_per_minute(self.presses, duration_ms),
            accuracy=accuracy(self.presses, self.errors),
            errors=self.errors,
            uncorrected=len(self.typed) - self.right_places,
            consistency=consistency(self.presses_per_second, typing_ms),
            keys={name: stats.score() for name, stats in self.keys.items()},
        )
