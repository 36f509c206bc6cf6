"""Where a text comes from, and which attempts may be compared with one another."""

from dataclasses import dataclass
from enum import StrEnum

DEFAULT_LAYOUTS = {"en": "qwerty", "ru": "jcuken"}
UNKNOWN_LANGUAGE = "und"  # ISO 639-2: a text of one's own says nothing of its language


class SourceKind(StrEnum):
    TEXT = "text"
    RANDOM = "random"
    WORDS = "words"
    TIME = "time"
    CUSTOM = "custom"
    LESSON = "lesson"
    PRACTICE = "practice"
    RACE = "race"


@dataclass(frozen=True, slots=True)
class Source:
    """What a person chose to type. Only the fields of its kind are set."""

    kind: SourceKind
    text: str | None = None  # the id of a stored text; for `custom` the text itself
    language: str | None = None
    length: str | None = None
    count: int | None = None
    seconds: int | None = None
    lesson: str | None = None
    layout: str | None = None

    @property
    def limit_ms(self) -> int | None:
        """How long a timed text lasts; None for the others."""
        return None if self.seconds is None else self.seconds * 1_000

    @property
    def mode(self) -> str:
        """What is typed, in whatever language: time:60, words:25, text:<id>, custom."""
        parameter = self.text if self.kind is SourceKind.TEXT else None
        for value in (parameter, self.length, self.count, self.seconds, self.lesson):
            if value is not None:
                return f"{self.kind.value}:{value}"
        return self.kind.value

    def public(self) -> dict[str, str | int]:
        """As `opened` and `result` show it: a custom text is left out."""
        shown: dict[str, str | int] = {"kind": self.kind.value}
        for name in ("text", "language", "length", "count", "seconds", "lesson", "layout"):
            value = getattr(self, name)
            if value is not None and not (self.kind is SourceKind.CUSTOM and name == "text"):
                shown[name] = value
        return shown
