"""Fields of a JSON object, read strictly: a refusal says in a sentence what should stand there."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from server.core.source import Source, SourceKind
from server.core.text import TextRefused, normal_text

Fields = dict[str, Any]
TEXT_CHARS_MAX = 65_536


class BadField(Exception):
    """A field is missing or out of range; the message names it and repeats no value."""


def integer(fields: Fields, name: str, least: int, most: int) -> int:
    value = fields.get(name)
    # Not isinstance: true is an int to Python, and no number to a client.
    if type(value) is not int or not least <= value <= most:
        raise BadField(f"`{name}` must be an integer from {least} to {most}.")
    return value


def boolean(fields: Fields, name: str) -> bool:
    value = fields.get(name)
    if not isinstance(value, bool):
        raise BadField(f"`{name}` must be true or false.")
    return value


def string(fields: Fields, name: str, length_max: int) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or len(value) > length_max:
        raise BadField(f"`{name}` must be a string of at most {length_max} characters.")
    return value


def printable(fields: Fields, name: str, length_max: int) -> str:
    value = string(fields, name, length_max)
    if not value.isprintable():
        raise BadField(f"`{name}` must hold no control characters.")
    return value


def choice(fields: Fields, name: str, choices: Iterable[str]) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or value not in choices:
        raise BadField(f"`{name}` must be one of: {', '.join(choices)}.")
    return value


def inner(fields: Fields, name: str) -> Fields:
    """An object within the object."""
    value = fields.get(name)
    if not isinstance(value, dict):
        raise BadField(f"`{name}` must be an object.")
    return value


_uuid = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def uuid(fields: Fields, name: str) -> str:
    """A UUID in lower case, however it was written."""
    value = string(fields, name, 36).lower()
    if not _uuid.fullmatch(value):
        raise BadField(f"`{name}` must be a UUID.")
    return value


def uuids(fields: Fields, name: str, most: int) -> tuple[str, ...]:
    """A list of different UUIDs."""
    values = fields.get(name)
    if not isinstance(values, list) or len(values) > most:
        raise BadField(f"`{name}` must be a list of at most {most} UUIDs.")
    found = tuple(uuid({name: value}, name) for value in values)
    if len(set(found)) < len(found):
        raise BadField(f"`{name}` must hold no UUID twice.")
    return found


def optional(read: Callable[..., Any], fields: Fields, name: str, *bounds: Any) -> Any:
    """What `read` reads; None if the field is absent or null."""
    return None if fields.get(name) is None else read(fields, name, *bounds)


# Sources


def source(fields: Fields) -> Source:
    """What a person chose to type; never a race, which the server alone makes."""
    kind = SourceKind(choice(fields, "kind", list(SourceKind)))
    return _SOURCE_READERS[kind](fields)


def _text_source(fields: Fields) -> Source:
    return Source(SourceKind.TEXT, text=printable(fields, "text", 64))


def _random_source(fields: Fields) -> Source:
    length = choice(fields, "length", ("short", "medium", "long"))
    return Source(SourceKind.RANDOM, language=language(fields), length=length)


def _words_source(fields: Fields) -> Source:
    count = integer(fields, "count", 10, 500)
    return Source(SourceKind.WORDS, language=language(fields), count=count)


def _time_source(fields: Fields) -> Source:
    seconds = integer(fields, "seconds", 15, 600)
    return Source(SourceKind.TIME, language=language(fields), seconds=seconds)


def _custom_source(fields: Fields) -> Source:
    try:
        text = normal_text(string(fields, "text", TEXT_CHARS_MAX))
    except TextRefused as refused:
        raise BadField(str(refused)) from None
    return Source(SourceKind.CUSTOM, text=text)


def _lesson_source(fields: Fields) -> Source:
    return Source(
        SourceKind.LESSON,
        lesson=printable(fields, "lesson", 64),
        language=optional(printable, fields, "language", 16),
        layout=optional(printable, fields, "layout", 32),
    )


def _practice_source(fields: Fields) -> Source:
    layout = printable(fields, "layout", 32)
    return Source(SourceKind.PRACTICE, language=language(fields), layout=layout)


def _race_source(fields: Fields) -> Source:
    raise BadField("A race opens its attempts itself; `kind` cannot be race here.")


_SOURCE_READERS: dict[SourceKind, Callable[[Fields], Source]] = {
    SourceKind.TEXT: _text_source,
    SourceKind.RANDOM: _random_source,
    SourceKind.WORDS: _words_source,
    SourceKind.TIME: _time_source,
    SourceKind.CUSTOM: _custom_source,
    SourceKind.LESSON: _lesson_source,
    SourceKind.PRACTICE: _practice_source,
    SourceKind.RACE: _race_source,
}


def language(fields: Fields) -> str:
    """The name of a language, whether there is such a one or not."""
    return printable(fields, "language", 16)
