"""Whatever comes over the wire is a message or is refused, with a code and a plain sentence."""

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.core.attempt import EndReason
from server.core.source import Source, SourceKind
from server.core.typed_text import ErrorRule, Keystroke
from server.protocol import (
    BATCH_MAX,
    DT_MS_MAX,
    ID_MAX,
    STRIKES,
    TIME_MAX,
    BadKeystroke,
    CloseCode,
    ErrorCode,
    Finish,
    Got,
    Hello,
    Keys,
    Message,
    Open,
    Ping,
    Refused,
    decode,
    encode,
    parse_lines,
)

ATTEMPT = "0f8fad5b-d9cb-469f-a165-70867728950e"


def message(kind: str, **fields: Any) -> str:
    return json.dumps({"type": kind, **fields})


def opening(**source: Any) -> str:
    return message("open", attempt=ATTEMPT, source=source)


def refusal(text: str) -> Refused:
    with pytest.raises(Refused) as refused:
        decode(text)
    return refused.value


# What is understood


@pytest.mark.parametrize(
    ("text", "decoded"),
    [
        (message("hello"), Hello(None, None)),
        (message("hello", id=1, token="abc", client="web/1.0"), Hello(1, "abc")),
        (message("hello", token=None, client=None, id=None), Hello(None, None)),
        (message("hello", another=[1, {"type": "open"}]), Hello(None, None)),
        (message("open", id=ID_MAX, attempt=ATTEMPT), Open(ID_MAX, ATTEMPT, None, None)),
        (message("open", attempt=ATTEMPT.upper()), Open(None, ATTEMPT, None, None)),
        (message("open", attempt=ATTEMPT, rules={}), Open(None, ATTEMPT, None, ErrorRule.FREE)),
        (
            message("open", attempt=ATTEMPT, rules={"errors": "stop"}, source=None),
            Open(None, ATTEMPT, None, ErrorRule.STOP),
        ),
        (message("keys", h=1, seq=1, events=[[0, "a"]]), Keys(None, 1, 1, [[0, "a"]])),
        (message("finish", id=3, h=1, seq=0, why="quit"), Finish(3, 1, 0, EndReason.QUIT)),
        (message("got", attempt=ATTEMPT), Got(None, ATTEMPT)),
        (message("ping", id=7, c=0), Ping(7, 0)),
        (message("ping", c=TIME_MAX), Ping(None, TIME_MAX)),
        ('{"type":"ping","c":1,"c":2}', Ping(None, 2)),
        (' \n{"type":"ping","c":1}\t', Ping(None, 1)),
        ('{"type":"ping","c":1,"x":"\\ud800"}', Ping(None, 1)),
    ],
)
def test_message_is_understood(text: str, decoded: Message) -> None:
    assert decode(text) == decoded


@pytest.mark.parametrize(
    ("fields", "source"),
    [
        ({"kind": "text", "text": "en-short-001"}, Source(SourceKind.TEXT, text="en-short-001")),
        (
            {"kind": "random", "language": "en", "length": "long"},
            Source(SourceKind.RANDOM, language="en", length="long"),
        ),
        (
            {"kind": "words", "language": "ru", "count": 500},
            Source(SourceKind.WORDS, language="ru", count=500),
        ),
        (
            {"kind": "time", "language": "en", "seconds": 15, "count": 3},
            Source(SourceKind.TIME, language="en", seconds=15),
        ),
        (
            {"kind": "custom", "text": "cafe\u0301…\r\n"},
            Source(SourceKind.CUSTOM, text="café...\n"),
        ),
        ({"kind": "custom", "text": "a" * 10_000}, Source(SourceKind.CUSTOM, text="a" * 10_000)),
        ({"kind": "lesson", "lesson": "en-7"}, Source(SourceKind.LESSON, lesson="en-7")),
        (
            {"kind": "lesson", "lesson": "en-7", "language": "ru", "layout": "jcuken"},
            Source(SourceKind.LESSON, lesson="en-7", language="ru", layout="jcuken"),
        ),
        (
            {"kind": "practice", "language": "en", "layout": "qwerty"},
            Source(SourceKind.PRACTICE, language="en", layout="qwerty"),
        ),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else "",
)
def test_source_is_understood(fields: dict[str, Any], source: Source) -> None:
    opened = decode(opening(**fields))
    assert isinstance(opened, Open)
    assert opened.source == source


# What is refused


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "{",
        '{"type":"ping","c":1',
        '{"type":"ping","c":1,}',
        '{"type":"ping","c":1}{}',
        '{"type":"ping","c":NaN}',
        '{"type":"ping","c":1e999}',
        '{"type":"ping",/*c*/"c":1}',
        '\ufeff{"type":"ping","c":1}',
        "[]",
        '"ping"',
        "1",
        "null",
        "true",
        "{}",
        '{"type":null}',
        '{"type":1}',
        '{"type":["ping"]}',
        "[" * 60_000,
        '{"type":' * 10_000,
    ],
)
def test_what_is_no_message_is_a_bad_message(text: str) -> None:
    refused = refusal(text)
    assert (refused.code, refused.re) == (ErrorCode.BAD_MESSAGE, None)


@pytest.mark.parametrize("kind", ["ack", "welcome", "Ping", "ping ", "", "x" * 9_999, "\ud800"])
def test_unknown_type_is_answered_and_is_no_strike(kind: str) -> None:
    refused = refusal(message(kind, id=5))
    assert (refused.code, refused.re) == (ErrorCode.UNKNOWN_TYPE, 5)
    assert refused.code not in STRIKES


NO_INTEGERS = [True, False, 1.0, 0.5, "1", [], {}, 2**64, -(2**64)]


@pytest.mark.parametrize("value", [*NO_INTEGERS, 0, -1, ID_MAX + 1, 2**63])
def test_id_that_is_none_is_refused_without_an_answer_to_it(value: Any) -> None:
    refused = refusal(message("ping", id=value, c=1))
    assert (refused.code, refused.re) == (ErrorCode.BAD_FIELD, None)


@pytest.mark.parametrize("value", [*NO_INTEGERS, None])
@pytest.mark.parametrize(
    ("kind", "fields", "name"),
    [
        ("ping", {}, "c"),
        ("keys", {"seq": 1, "events": [[0, "a"]]}, "h"),
        ("keys", {"h": 1, "events": [[0, "a"]]}, "seq"),
        ("finish", {"seq": 1, "why": "done"}, "h"),
        ("finish", {"h": 1, "why": "done"}, "seq"),
    ],
)
def test_number_that_is_no_integer_is_a_bad_field(
    kind: str, fields: dict[str, Any], name: str, value: Any
) -> None:
    refused = refusal(message(kind, id=9, **{**fields, name: value}))
    assert (refused.code, refused.re) == (ErrorCode.BAD_FIELD, 9)
    assert f"`{name}`" in refused.message


@pytest.mark.parametrize(
    "text",
    [
        message("hello", token=1),
        message("hello", token="x" * 8_193),
        message("hello", client={}),
        message("open"),
        message("open", attempt=1),
        message("open", attempt="x"),
        message("open", attempt=ATTEMPT + "0"),
        message("open", attempt=ATTEMPT.replace("-", "")),
        message("open", attempt="{" + ATTEMPT[:34] + "}"),
        message("open", attempt=ATTEMPT.replace("0", "٠")),
        message("open", attempt=ATTEMPT, source=[]),
        message("open", attempt=ATTEMPT, source={}),
        message("open", attempt=ATTEMPT, rules="free"),
        message("open", attempt=ATTEMPT, rules={"errors": "lax"}),
        message("open", attempt=ATTEMPT, rules={"errors": ["free"]}),
        opening(kind="poem"),
        opening(kind=["text"]),
        opening(kind="race"),
        opening(kind="text"),
        opening(kind="text", text=5),
        opening(kind="text", text="\0"),
        opening(kind="text", text="\ud800"),
        opening(kind="text", text="x" * 65),
        opening(kind="random", language="en"),
        opening(kind="random", language="en", length="huge"),
        opening(kind="random", length="long"),
        *(opening(kind="words", language="en", count=n) for n in (*NO_INTEGERS, 9, 501, -25)),
        *(opening(kind="time", language="en", seconds=n) for n in (*NO_INTEGERS, 14, 601)),
        opening(kind="custom"),
        opening(kind="custom", text=""),
        opening(kind="custom", text="a" * 10_001),
        opening(kind="custom", text="a\0b"),
        opening(kind="custom", text="a\udfffb"),
        opening(kind="custom", text="a\x1b[0m"),
        opening(kind="custom", text="q" + "\u0301" * 8),
        opening(kind="lesson"),
        opening(kind="lesson", lesson="en-7", language=1),
        opening(kind="lesson", lesson="en-7", layout="x" * 33),
        opening(kind="practice", language="en"),
        opening(kind="practice", layout="qwerty"),
        message("keys", h=1, seq=0, events=[[0, "a"]]),
        message("keys", h=1, seq=1),
        message("keys", h=1, seq=1, events={}),
        message("keys", h=1, seq=1, events=[]),
        message("keys", h=1, seq=1, events=[[0, "a"]] * (BATCH_MAX + 1)),
        *(
            message("keys", h=1, seq=1, events=[[0, "a"], event])
            for event in (None, 1, "ab", [], [0], ["a", 0], [0, "a", 1], [[0, "a"]], {"0": "a"})
        ),
        *(
            message("keys", h=1, seq=1, events=[[dt_ms, "a"]])
            for dt_ms in (None, True, 0.5, 1.0, "1", [0])
        ),
        *(message("keys", h=1, seq=1, events=[[0, key]]) for key in (None, 1, True, ["a"])),
        message("finish", h=1, seq=-1, why="done"),
        *(message("finish", h=1, seq=1, why=why) for why in (None, 1, "idle", "conflict", "Done")),
        message("got"),
        message("got", attempt="x"),
        message("ping", c=-1),
        message("ping", c=TIME_MAX + 1),
    ],
    ids=lambda text: text[:70],
)
def test_wrong_field_is_refused_and_is_a_strike(text: str) -> None:
    assert refusal(text).code is ErrorCode.BAD_FIELD
    assert ErrorCode.BAD_FIELD in STRIKES


def test_refused_hello_is_told_from_other_messages() -> None:
    assert refusal(message("hello", token=5)).of_hello
    assert not refusal(message("ping", c=-1)).of_hello
    assert not refusal("x").of_hello


# Keystrokes


def keystrokes(dt_ms: Any, key: str) -> list[Keystroke]:
    decoded = decode(message("keys", h=1, seq=1, events=[[0, "a"], [dt_ms, key]]))
    assert isinstance(decoded, Keys)
    return decoded.keystrokes()


@pytest.mark.parametrize(
    ("dt_ms", "key", "stored"),
    [
        (0, "a", "a"),
        (DT_MS_MAX, "a", "a"),
        (90, "\b", "\b"),
        (90, "\u0017", "\u0017"),
        (90, "\n", "\n"),
        (90, "\t", "\t"),
        (90, "…", "…"),
        (90, "e\u0301", "é"),
        (90, "👨‍👩‍👧‍👦", "👨‍👩‍👧‍👦"),
        (90, "\u200d", "\u200d"),
        (90, "\U0001f600", "\U0001f600"),  # a pair of escapes in JSON
    ],
)
def test_keystroke_is_taken(dt_ms: int, key: str, stored: str) -> None:
    assert keystrokes(dt_ms, key) == [Keystroke(0, "a"), Keystroke(dt_ms, stored)]


@pytest.mark.parametrize(
    ("dt_ms", "key", "strike"),
    [
        pytest.param(-1, "a", True, id="before the last"),
        pytest.param(DT_MS_MAX + 1, "a", True, id="more than ten minutes"),
        pytest.param(2**63, "a", True, id="a huge number"),
        pytest.param(0, "", True, id="no key"),
        pytest.param(0, "\0", True, id="NUL"),
        pytest.param(0, "\x1b", True, id="escape"),
        pytest.param(0, "\r", True, id="CR"),
        pytest.param(0, "\ud83d", True, id="half a pair"),
        pytest.param(0, "\udc00\ud83d", True, id="two halves the wrong way round"),
        pytest.param(0, "q" + "\u0301" * 8, True, id="nine code points"),
        pytest.param(0, "hello", False, id="several characters, perhaps cut differently"),
        pytest.param(0, "\b\b", True, id="two deletes"),
    ],
)
def test_bad_keystroke_is_refused_with_its_batch(dt_ms: int, key: str, strike: bool) -> None:
    with pytest.raises(BadKeystroke) as bad:
        keystrokes(dt_ms, key)
    assert bad.value.strike == strike


@pytest.mark.parametrize("dt_ms", [2**64, 2**99, -(2**64)])
def test_number_beyond_64_bits_is_refused_one_way_or_the_other(dt_ms: int) -> None:
    with pytest.raises((Refused, BadKeystroke)):
        keystrokes(dt_ms, "a")


# Anything at all


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


@settings(deadline=None)
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
    st.sampled_from(["ping", "keys", "open", "free", "text", "words", ATTEMPT, "\b", 2**53, -1]),
)
NAMES = ["id", "h", "seq", "events", "c", "attempt", "source", "rules", "why", "token", "kind"]
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(
    st.sampled_from(["hello", "open", "keys", "finish", "got", "ping"]),
    st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=6),
    st.booleans(),
)
def test_any_json_is_a_message_or_refused(kind: str, fields: dict[str, Any], raw: bool) -> None:
    understood_or_refused(json.dumps({**fields, "type": kind}, ensure_ascii=not raw))


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(), st.text(st.characters(), max_size=9)), max_size=5))
def test_any_events_are_keystrokes_or_refused(events: list[tuple[int, str]]) -> None:
    understood_or_refused(message("keys", h=1, seq=1, events=events))


SECRET = "correct-horse-battery"


@pytest.mark.parametrize("kind", ["hello", "open", "keys", "finish", "got", "ping", SECRET])
@pytest.mark.parametrize("value", [SECRET, [SECRET], {"kind": SECRET, "errors": SECRET}])
def test_refusal_never_repeats_what_was_sent(kind: str, value: Any) -> None:
    for name in (*NAMES, "type"):
        found = outcome(json.dumps({"type": kind, "attempt": ATTEMPT, name: value}))
        assert not isinstance(found, Refused | BadKeystroke) or SECRET not in found.message


# Codes


def test_error_codes_are_those_of_the_contract() -> None:
    contract = (
        "bad_message unknown_type bad_field unknown_handle forbidden not_found conflict busy rate"
        " overloaded store full started not_started version"
    )
    assert {code.value for code in ErrorCode} <= set(contract.split())
    assert set(STRIKES) == {ErrorCode.BAD_MESSAGE, ErrorCode.BAD_FIELD}


def test_close_codes_are_those_of_the_contract() -> None:
    from_the_library = {1001, 1007, 1009}
    ours = {1000, 1003, 1011, 1012, 1013, 4001, 4003, 4008, 4013}
    stopping = {4500, 4501, 4505, 4506, 4508, 4509, 4510, 4511}
    assert {int(code) for code in CloseCode} - from_the_library == ours | stopping


# Messages to a client


def test_message_to_a_client_is_one_json_object() -> None:
    assert json.loads(encode("pong", 7, c=1, server_ms=2)) == {
        "type": "pong",
        "re": 7,
        "c": 1,
        "server_ms": 2,
    }
    assert json.loads(encode("stall", h=1, on=True)) == {"type": "stall", "h": 1, "on": True}
    assert re.search(r"\n", encode("opened", text="a\nb — ё")) is None


def test_lines_are_objects_and_blank_ones_nothing() -> None:
    assert parse_lines(b'{"a":1}\n\n{"b":"\xd1\x91"}\n') == [{"a": 1}, {"b": "ё"}]
