"""What a source says of itself."""

from dataclasses import fields

import pytest

from server.core.source import DEFAULT_LAYOUTS, Source, SourceKind

SOURCES: list[tuple[Source, dict[str, str | int]]] = [
    (Source(SourceKind.TEXT, text="en-1"), {"kind": "text", "text": "en-1"}),
    (
        Source(SourceKind.RANDOM, language="en", length="short"),
        {"kind": "random", "language": "en", "length": "short"},
    ),
    (
        Source(SourceKind.WORDS, language="ru", count=25),
        {"kind": "words", "language": "ru", "count": 25},
    ),
    (
        Source(SourceKind.TIME, language="en", seconds=60),
        {"kind": "time", "language": "en", "seconds": 60},
    ),
    (Source(SourceKind.CUSTOM, text="my own words"), {"kind": "custom"}),
    (Source(SourceKind.LESSON, lesson="en-7"), {"kind": "lesson", "lesson": "en-7"}),
    (
        Source(SourceKind.PRACTICE, language="en", layout="qwerty"),
        {"kind": "practice", "language": "en", "layout": "qwerty"},
    ),
    (Source(SourceKind.RACE), {"kind": "race"}),
]


@pytest.mark.parametrize(("source", "shown"), SOURCES, ids=[s.kind.value for s, _ in SOURCES])
def test_source_shows_what_was_chosen_but_no_custom_text(
    source: Source, shown: dict[str, str | int]
) -> None:
    assert source.public() == shown


def test_every_kind_is_shown_above_and_every_field() -> None:
    assert {source.kind for source, _ in SOURCES} == set(SourceKind)
    assert {name for _, shown in SOURCES for name in shown} == {f.name for f in fields(Source)}


def test_only_a_timed_source_has_a_limit() -> None:
    limits_ms = {source.kind: source.limit_ms for source, _ in SOURCES}
    assert limits_ms.pop(SourceKind.TIME) == 60_000
    assert set(limits_ms.values()) == {None}


def test_both_languages_have_a_layout() -> None:
    assert DEFAULT_LAYOUTS == {"en": "qwerty", "ru": "jcuken"}
