"""`open`: new attempts from every source, and old ones in every state."""

import asyncio
import unicodedata
from typing import Any

import pytest

from tests.expected_score import Event, expected_live, graphemes
from tests.live.conftest import Served
from tests.live.guest import TEXT, Guest, custom, guest, new_id
from tests.raw_client import Message

AN_ID = "9ba028c0-7605-4515-9514-fab5477b2f73"
OPENED = {
    *("type", "re", "attempt", "h", "seq", "state", "text", "rules", "source"),
    *("typed", "at_ms", "elapsed_ms", "score"),
}
UNTOUCHED = {"position": 0, "wpm": 0, "raw_wpm": 0, "accuracy": 1, "errors": 0}


async def test_a_new_attempt_is_armed_and_empty(either: Served) -> None:
    async with guest(either.url) as person:
        opened = await person.begin()
        assert set(opened) == OPENED
        assert isinstance(opened["h"], int)
        assert (opened["seq"], opened["state"], opened["text"]) == (0, "armed", TEXT)
        assert (opened["typed"], opened["at_ms"], opened["elapsed_ms"]) == ("", 0, 0)
        assert opened["rules"] == {"errors": "free"}
        assert opened["source"] == {"kind": "custom"}
        assert opened["score"] == UNTOUCHED
        await person.has_nothing_more()


@pytest.mark.parametrize("rule", ["free", "stop", "correct"])
async def test_the_rules_asked_for_are_the_rules(url: str, rule: str) -> None:
    async with guest(url) as person:
        opened = await person.begin(rules={"errors": rule, "mercy": True})
        assert opened["rules"] == {"errors": rule}


@pytest.mark.parametrize("rules", [None, {}, {"errors": None}])
async def test_rules_left_out_are_free(url: str, rules: Any) -> None:
    async with guest(url) as person:
        assert (await person.begin(rules=rules))["rules"] == {"errors": "free"}


# Sources

SOURCES: list[Message] = [
    *({"kind": "random", "language": "en", "length": name} for name in ("short", "medium", "long")),
    {"kind": "random", "language": "ru", "length": "short"},
    {"kind": "words", "count": 10, "language": "en"},
    {"kind": "words", "count": 500, "language": "ru"},
    {"kind": "time", "seconds": 15, "language": "ru"},
    {"kind": "time", "seconds": 600, "language": "en"},
    {"kind": "practice", "language": "en", "layout": "qwerty"},
    {"kind": "text", "text": "en-short-001"},
    {"kind": "lesson", "lesson": "block_1_lesson_3", "language": "ru", "layout": "jcuken"},
]


@pytest.mark.parametrize("source", SOURCES, ids=str)
async def test_every_source_gives_a_text_and_is_shown_as_it_was_asked_for(
    url: str, source: Message
) -> None:
    async with guest(url) as person:
        opened = await person.begin(source=source | {"colour": "red"})
        assert opened["source"] == source
        assert _typable(opened["text"])
        if source["kind"] == "words":
            assert len(opened["text"].split(" ")) == source["count"]
        if source["kind"] == "time":
            assert len(graphemes(opened["text"])) >= source["seconds"] * 400 * 5 / 60


async def test_a_lesson_is_opened_in_english_unless_something_else_is_known(url: str) -> None:
    asked = {"kind": "lesson", "lesson": "block_1_lesson_1"}
    whole = asked | {"language": "en", "layout": "qwerty"}
    async with guest(url) as person:
        opened = await person.begin(source=asked)
        assert opened["source"] == whole
        assert set(opened["text"]) == set("a; ")
        # The same open again is the same attempt, said either way; another language is another.
        for source in (asked, whole):
            again = await person.begin(attempt=opened["attempt"], source=source)
            assert again["h"] == opened["h"]
        await person.send(
            type="open", id=3, attempt=opened["attempt"], source=asked | {"language": "ru"}
        )
        await person.expect("error", re=3, code="conflict")


def _typable(text: str) -> bool:
    return (
        bool(text)
        and unicodedata.is_normalized("NFC", text)
        and "…" not in text
        and not any(unicodedata.category(char) == "Cc" and char not in "\n\t" for char in text)
        and all(len(grapheme) <= 8 for grapheme in graphemes(text))
    )


REFUSED_SOURCES: dict[str, Any] = {
    "no object": "words",
    "a list": [],
    "no kind": {},
    "an unknown kind": {"kind": "essay"},
    "a race": {"kind": "race"},
    "a text without an id": {"kind": "text"},
    "a text with a number": {"kind": "text", "text": 1},
    "too few words": {"kind": "words", "count": 9, "language": "en"},
    "too many words": {"kind": "words", "count": 501, "language": "en"},
    "words as a string": {"kind": "words", "count": "25", "language": "en"},
    "words as a float": {"kind": "words", "count": 25.0, "language": "en"},
    "words as true": {"kind": "words", "count": True, "language": "en"},
    "words as null": {"kind": "words", "count": None, "language": "en"},
    "words without a language": {"kind": "words", "count": 25},
    "too short a time": {"kind": "time", "seconds": 14, "language": "en"},
    "too long a time": {"kind": "time", "seconds": 601, "language": "en"},
    "a length nobody knows": {"kind": "random", "language": "en", "length": "huge"},
    "a language that is a number": {"kind": "random", "language": 7, "length": "short"},
    "practice without a layout": {"kind": "practice", "language": "en"},
    "an empty custom text": custom(""),
    "no custom text": {"kind": "custom"},
    "a custom text of NUL": custom("a\0b"),
    "a custom text with an escape": custom("a\x1b[31mb"),
    "a custom text with a delete": custom("a\bb"),
    "a custom text with a C1 control": custom("a\x85b"),
    "a custom grapheme of nine code points": custom("x" + "\u0301\u0300" * 4),
    "10,001 graphemes": custom("a" * 10_001),
    "60,001 bytes": custom("अं" * 9_999 + "अंa"),
}


@pytest.mark.parametrize("source", REFUSED_SOURCES.values(), ids=REFUSED_SOURCES.keys())
async def test_a_source_that_makes_no_sense_is_a_bad_field(url: str, source: Any) -> None:
    async with guest(url) as person:
        attempt = new_id()
        await person.send(type="open", id=8, attempt=attempt, source=source)
        await person.expect("error", re=8, code="bad_field")
        await person.send(type="open", id=9, attempt=attempt)
        await person.expect("error", re=9, code="not_found")


MISSING_SOURCES: list[Message] = [
    {"kind": "text", "text": "no such text"},
    {"kind": "lesson", "lesson": "no such lesson"},
    {"kind": "words", "count": 25, "language": "xx"},
    {"kind": "practice", "language": "en", "layout": "no such layout"},
]


@pytest.mark.parametrize("source", MISSING_SOURCES, ids=str)
async def test_a_source_we_do_not_have_is_refused_and_no_strike(
    either: Served, source: Message
) -> None:
    async with guest(either.url) as person:
        for _ in range(6):
            await person.send(type="open", id=8, attempt=new_id(), source=source)
            assert "retry_ms" not in await person.expect("error", re=8, code="not_found")
        await person.begin()


CUSTOM_TEXTS = {
    "line ends": ("a\r\nb\rc\nd", "a\nb\nc\nd"),
    "an ellipsis": ("wait…", "wait..."),
    "NFD": ("cafe\u0301 и\u0306", "café й"),
    "a tab": ("a\tb", "a\tb"),
    "format characters": ("a\u200db\u202ec", "a\u200db\u202ec"),
    "quotes are kept": ("“it’s” – «да»\u00a0—", "“it’s” – «да»\u00a0—"),
    "a grapheme of eight code points": ("a" + "\u0323\u0301" * 4, None),
    "a family": ("👩‍👩‍👧‍👦 🇫🇮", "👩‍👩‍👧‍👦 🇫🇮"),
    "Hangul in parts": ("\u1112\u1161\u11ab", "한"),
    "10,000 graphemes": ("b" * 10_000, "b" * 10_000),
    "60,000 bytes": ("अं" * 10_000, "अं" * 10_000),
    "line ends alone": ("\n\n", "\n\n"),
}


@pytest.mark.parametrize(("sent", "shown"), CUSTOM_TEXTS.values(), ids=CUSTOM_TEXTS.keys())
async def test_a_custom_text_comes_back_in_its_one_form(
    either: Served, sent: str, shown: str | None
) -> None:
    async with guest(either.url) as person:
        opened = await person.begin(sent)
        assert opened["text"] == (shown or unicodedata.normalize("NFC", sent))
        assert _typable(opened["text"])
        # The same text in either form is the same source.
        for words in (sent, opened["text"]):
            assert (await person.open(person.attempt, source=custom(words)))["h"] == person.h


# The same attempt again


async def test_open_again_on_the_same_connection_keeps_the_handle(url: str) -> None:
    async with guest(url) as person:
        first = await person.begin()
        assert await person.open(person.attempt, source=custom(TEXT)) == first
        assert await person.standing() == first
        await person.typed("the ")
        again = await person.standing()
        assert (again["h"], again["seq"], again["typed"]) == (first["h"], 4, "the ")


async def test_open_fifty_times_at_once_is_one_attempt(either: Served) -> None:
    async with guest(either.url) as person:
        attempt = new_id()
        for number in range(1, 51):
            await person.send(type="open", id=number, attempt=attempt, source=custom(TEXT))
        opened = [await person.expect("opened", re=number) for number in range(1, 51)]
        assert {answer["h"] for answer in opened} == {opened[0]["h"]}
        await person.has_nothing_more()


async def test_an_uppercase_uuid_is_the_same_attempt(url: str) -> None:
    async with guest(url) as person:
        attempt = new_id()
        await person.send(type="open", id=1, attempt=attempt.upper(), source=custom(TEXT))
        h = (await person.expect("opened", re=1))["h"]
        await person.send(type="open", id=2, attempt=attempt)
        assert (await person.expect("opened", re=2))["h"] == h
        person.h, person.seq = h, 0
        await person.press(TEXT)
        await person.done()
        await person.send(type="got", attempt=attempt.upper())
        await person.send(type="open", id=3, attempt=attempt)
        await person.expect("opened", re=3, state="finished")
        await person.has_nothing_more()


@pytest.mark.parametrize(
    "source",
    [custom("another text"), {"kind": "words", "count": 10, "language": "en"}, custom(TEXT + " ")],
    ids=str,
)
async def test_the_same_id_with_another_source_is_a_conflict(
    either: Served, source: Message
) -> None:
    async with guest(either.url) as person:
        await person.begin()
        for _ in range(6):
            await person.send(type="open", id=5, attempt=person.attempt, source=source)
            await person.expect("error", re=5, code="conflict")
        assert (await person.standing())["text"] == TEXT


async def test_an_unknown_or_foreign_attempt_is_not_found(either: Served) -> None:
    async with guest(either.url) as owner, guest(either.url) as other:
        await owner.begin()
        await owner.typed("the")
        for fields in (
            {"attempt": new_id()},
            {"attempt": new_id(), "source": None, "rules": {"errors": "stop"}},
            {"attempt": owner.attempt},
            {"attempt": owner.attempt, "source": custom(TEXT)},
        ):
            await other.send(type="open", id=6, **fields)
            await other.expect("error", re=6, code="not_found")
        await owner.typed(" quick")
        await owner.has_nothing_more()


@pytest.mark.parametrize(
    "attempt",
    ["", "x", 1, None, True, AN_ID[:-1], AN_ID.replace("-", ""), f"{{{AN_ID}}}"],
    ids=str,
)
async def test_an_id_that_is_no_uuid_is_a_bad_field(url: str, attempt: Any) -> None:
    async with guest(url) as person:
        await person.send(type="open", id=7, attempt=attempt, source=custom(TEXT))
        await person.expect("error", re=7, code="bad_field")


async def test_opening_another_leaves_the_first_as_it_is(either: Served) -> None:
    async with guest(either.url) as person:
        first = await person.begin()
        await person.typed("the q")
        attempt = person.attempt
        assert (await person.begin("another text"))["h"] != first["h"]
        await person.send(type="keys", h=first["h"], seq=6, events=[[0, "u"]])
        await person.expect("error", code="unknown_handle")
        await person.send(type="finish", id=4, h=first["h"], seq=5, why="quit")
        await person.expect("error", re=4, code="unknown_handle")
        again = await person.resume(attempt)
        assert (again["seq"], again["state"], again["typed"]) == (5, "running", "the q")
        await person.typed("uick")


async def test_what_is_left_behind_at_once_can_be_resumed_from_its_last_durable_event(
    either: Served,
) -> None:
    async with guest(either.url) as person:
        for words in ("ab", "abc", "abcd"):
            await person.begin(words)
            attempt = person.attempt
            await person.press(words[:-1])
            await person.begin("another text")
            again = await person.resume(attempt)
            assert again["state"] in ("armed", "running")
            assert again["typed"] == words[: again["seq"]]
            await person.press(words[again["seq"] :])
            assert (await person.done())["seq"] == len(words)


async def test_a_page_that_lost_its_memory_gets_everything_back(either: Served) -> None:
    typed = [Event(0, "t"), Event(40, "x"), Event(30, "\b"), Event(50, "h"), Event(35, "e")]
    async with guest(either.url) as person:
        await person.begin(rules={"errors": "correct"})
        for number, event in enumerate(typed, 1):
            await asyncio.sleep(event.dt_ms / 1_000)
            await person.keys(number, [list(event)])
        await person.acked(5)
        async with guest(either.url, person.token) as again:
            opened = await again.resume(person.attempt)
    live = expected_live(TEXT, typed)
    assert set(opened) == OPENED
    assert (opened["seq"], opened["state"]) == (5, "running")
    assert (opened["typed"], opened["at_ms"]) == ("the", live["at_ms"])
    assert (opened["rules"], opened["text"]) == ({"errors": "correct"}, TEXT)
    assert opened["score"] == {name: live[name] for name in UNTOUCHED}
    assert 150 <= opened["elapsed_ms"] < 3_000


# What has ended


async def _ended(person: Guest, how: str) -> Message:
    await person.begin("ab")
    if how == "finished":
        await person.press("ab")
    elif how == "abandoned":
        await person.press("a")
        await person.finish("quit")
    else:
        await person.finish("quit")
    return await person.done()


@pytest.mark.parametrize(
    ("how", "state", "seq"),
    [("finished", "finished", 2), ("abandoned", "abandoned", 1), ("empty", "abandoned", 0)],
)
async def test_done_is_repeated_at_each_open_until_got(
    either: Served, how: str, state: str, seq: int
) -> None:
    async with guest(either.url) as person:
        done = await _ended(person, how)
        for _ in range(2):
            await _opened_ended(person, state, seq, done)
        async with guest(either.url, person.token) as again:
            again.h, again.attempt = -1, person.attempt
            await _opened_ended(again, state, seq, done)
            await again.send(type="got", attempt=person.attempt)
            await again.open(person.attempt)
            await again.has_nothing_more()
        async with guest(either.url, person.token) as again:
            opened = await again.open(person.attempt)
            assert (opened["state"], opened["seq"], opened["text"]) == (state, seq, "ab")
            await again.has_nothing_more()


async def _opened_ended(person: Guest, state: str, seq: int, done: Message) -> None:
    opened = await person.open(person.attempt)
    assert (opened["state"], opened["seq"], opened["typed"]) == (state, seq, "ab"[:seq])
    again = await person.expect("done")
    assert {**again, "re": None, "h": None} == {**done, "re": None, "h": None}


async def test_got_before_the_end_or_from_somebody_else_forgets_nothing(either: Served) -> None:
    async with guest(either.url) as person, guest(either.url) as other:
        await person.begin("ab")
        await person.typed("a")
        await person.send(type="got", attempt=person.attempt)
        await person.press("b")
        await person.done()
        await other.send(type="got", attempt=person.attempt)
        await other.send(type="got", attempt=new_id())
        await other.has_nothing_more()
        await person.open(person.attempt)
        await person.expect("done")
