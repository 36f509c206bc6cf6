"""Whatever comes over the wire is understood or refused with a code: nothing else ever comes out.

Text of no sense, JSON of no sense, and, to get further in, lawful messages of every type with a
field or two that are not. What is drawn is the same in every run.
"""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server import protocol
from server.protocol import (
    STRIKES,
    BadKeystroke,
    ErrorCode,
    Keys,
    Message,
    Refused,
    decode,
)

ATTEMPT = "0f8fad5b-d9cb-469f-a165-70867728950e"
OTHER = "1f8fad5b-d9cb-469f-a165-70867728950e"
SOURCE = {"kind": "words", "count": 25, "language": "en"}
RULES = {"errors": "stop"}
# A message of each type that is as it should be.
GOOD: dict[str, dict[str, Any]] = {
    "hello": {"token": "abc", "client": "web/1.0"},
    "open": {"attempt": ATTEMPT, "source": SOURCE, "rules": RULES},
    "keys": {"h": 1, "seq": 1, "events": [[0, "a"], [90, "\b"], [90, "é"]]},
    "finish": {"h": 1, "seq": 3, "why": "done"},
    "got": {"attempt": ATTEMPT},
    "ping": {"c": 1},
    "race.create": {
        **{"source": SOURCE, "rules": RULES, "private": True, "racers_max": 9},
        "ghosts": [ATTEMPT, OTHER],
    },
    "race.join": {"code": "ABC234", "race": ATTEMPT},
    "race.watch": {"race": ATTEMPT},
    "race.quick": {"language": "en"},
    "race.ready": {"ready": True},
    "race.sync": {"race": ATTEMPT, "n": 0},
    **{f"race.{step}": {} for step in ("start", "leave", "again", "unwatch")},
}
SOURCES: list[dict[str, Any]] = [
    SOURCE,
    {"kind": "text", "text": "en-short-001"},
    {"kind": "random", "language": "en", "length": "long"},
    {"kind": "time", "language": "ru", "seconds": 60},
    {"kind": "custom", "text": "the quick…"},
    {"kind": "lesson", "lesson": "one"},
    {"kind": "practice", "language": "en", "layout": "qwerty"},
    {"kind": "race"},
]
FIELDS = sorted(
    {"id", "type", *(name for fields in (*GOOD.values(), *SOURCES) for name in fields), "errors"}
)
DRAWN = settings(max_examples=200, deadline=None, derandomize=True, database=None)


def outcome(text: str) -> Message | Refused | BadKeystroke:
    """What becomes of a text; any other exception is a bug."""
    try:
        decoded = decode(text)
        if isinstance(decoded, Keys):
            decoded.keystrokes()
    except (Refused, BadKeystroke) as refused:
        return refused
    return decoded


def understood_or_refused(text: str) -> None:
    found = outcome(text)
    if isinstance(found, Refused):
        assert found.code in (*STRIKES, ErrorCode.UNKNOWN_TYPE)
        assert found.retry_ms is None
    if isinstance(found, Refused | BadKeystroke):
        assert found.message.endswith(".")


def test_every_type_has_a_good_message_here() -> None:
    assert set(GOOD) == set(protocol._READERS)
    for kind, fields in GOOD.items():
        found = outcome(json.dumps({"type": kind, "id": 1, **fields}))
        assert not isinstance(found, Refused | BadKeystroke), kind


# Of no sense


@DRAWN
@given(st.one_of(st.text(st.characters()), st.binary().map(lambda raw: raw.decode("latin-1"))))
def test_any_text_is_a_message_or_refused(text: str) -> None:
    understood_or_refused(text)
    understood_or_refused('{"type":"ping","c":' + text + "}")


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(), max_size=9),
    st.sampled_from([*GOOD, "free", "text", "words", ATTEMPT, "\b", 2**53, 2**64, -1, 0, 20]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4)
    ),
    max_leaves=8,
)
KINDS = st.sampled_from(sorted(GOOD))


@DRAWN
@given(KINDS, st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=6), st.booleans())
def test_any_json_is_a_message_or_refused(kind: str, fields: dict[str, Any], raw: bool) -> None:
    understood_or_refused(json.dumps({**fields, "type": kind}, ensure_ascii=not raw))


# Nearly right


@DRAWN
@given(KINDS, st.data())
def test_a_good_message_with_wrong_fields_is_a_message_or_refused(
    kind: str, data: st.DataObject
) -> None:
    names = st.sampled_from(["id", *GOOD[kind]])
    wrong = data.draw(st.dictionaries(names, VALUES, min_size=1, max_size=2))
    understood_or_refused(json.dumps({"type": kind, **GOOD[kind], **wrong}))


@DRAWN
@given(st.sampled_from(["open", "race.create"]), st.sampled_from(SOURCES), st.data())
def test_a_source_with_wrong_fields_is_a_source_or_refused(
    kind: str, source: dict[str, Any], data: st.DataObject
) -> None:
    wrong = data.draw(st.dictionaries(st.sampled_from(sorted(source)), VALUES, max_size=2))
    understood_or_refused(json.dumps({"type": kind, **GOOD[kind], "source": {**source, **wrong}}))


@DRAWN
@given(st.lists(st.tuples(st.integers(), st.text(st.characters(), max_size=9)), max_size=5))
def test_any_events_are_keystrokes_or_refused(events: list[tuple[int, str]]) -> None:
    understood_or_refused(json.dumps({"type": "keys", "h": 1, "seq": 1, "events": events}))


@DRAWN
@given(KINDS, st.integers(0, 400), st.integers(0, 400), st.text(st.characters(), max_size=3))
def test_a_good_message_that_is_damaged_is_a_message_or_refused(
    kind: str, at: int, end: int, instead: str
) -> None:
    text = json.dumps({"type": kind, "id": 1, **GOOD[kind]})
    understood_or_refused(text[:at] + instead + text[end:])


# Nothing of it is repeated

SECRET = "correct-horse-battery"


@pytest.mark.parametrize("kind", [*GOOD, SECRET])
@pytest.mark.parametrize("value", [SECRET, [SECRET], {"kind": SECRET, "errors": SECRET}])
def test_refusal_never_repeats_what_was_sent(kind: str, value: Any) -> None:
    for name in (*FIELDS, SECRET):
        found = outcome(json.dumps({"type": kind, **GOOD.get(kind, {}), name: value}))
        assert not isinstance(found, Refused | BadKeystroke) or SECRET not in found.message
