"""The catalogue of bad messages: each is answered, none is repeated, nobody else notices."""

import json
from typing import Any

import pytest

from tests.live.guest import Guest, guest, new_id
from tests.raw_client import Message, raw_client

# Stands in what we send wherever it may; never in what comes back.
ECHO = "echo7f3a"
OPEN = f'"type":"open","id":1,"attempt":"{new_id()}"'

FRAMES: dict[str, tuple[str, set[str]]] = {
    "nothing": ("", {"bad_message"}),
    "a space": (" ", {"bad_message"}),
    "words": (ECHO, {"bad_message"}),
    "a byte order mark before it": ('\ufeff{"type":"ping","c":1}', {"bad_message"}),
    "two objects": ('{"type":"ping","c":1}{"type":"ping","c":2}', {"bad_message"}),
    "two objects on two lines": ('{"type":"ping","c":1}\n{}', {"bad_message"}),
    "a trailing comma": ('{"type":"ping","c":1,}', {"bad_message"}),
    "a comment": (f'{{"type":"ping","c":1}} // {ECHO}', {"bad_message"}),
    "single quotes": ("{'type':'ping','c':1}", {"bad_message"}),
    "an open string": ('{"type":"ping', {"bad_message"}),
    "a raw control character": ('{"type":"pi\nng"}', {"bad_message"}),
    "an escape that is none": (r'{"type":"\x41"}', {"bad_message"}),
    "half an escape": (r'{"type":"\ud8"}', {"bad_message"}),
    "a list": (f'["{ECHO}"]', {"bad_message"}),
    "a string": (f'"{ECHO}"', {"bad_message"}),
    "a number": ("1", {"bad_message"}),
    "null": ("null", {"bad_message"}),
    "true": ("true", {"bad_message"}),
    "60,000 brackets": ("[" * 60_000, {"bad_message"}),
    "10,000 objects in one another": ('{"a":' * 10_000, {"bad_message"}),
    "NaN": ('{"type":"ping","c":NaN}', {"bad_message"}),
    "infinity": ('{"type":"ping","c":-Infinity}', {"bad_message"}),
    "a number past every float": ('{"type":"ping","c":1e999}', {"bad_message", "bad_field"}),
    "a number of 5,000 digits": (
        f'{{"type":"ping","c":{"9" * 5_000}}}',
        {"bad_message", "bad_field"},
    ),
    "no type": (f'{{"kind":"{ECHO}"}}', {"bad_message"}),
    "a type of null": ('{"type":null}', {"bad_message"}),
    "a type that is a number": ('{"type":1}', {"bad_message"}),
    "a type that is a list": ('{"type":["ping"]}', {"bad_message"}),
    "a type that is an object": ('{"type":{"ping":1}}', {"bad_message"}),
    "a type with another case": ('{"type":"PING","c":1}', {"unknown_type"}),
    "a type with a space": ('{"type":"ping ","c":1}', {"unknown_type"}),
    "a type of 10 kB": (f'{{"type":"{ECHO * 1_250}"}}', {"unknown_type"}),
    "a type of half a surrogate pair": (r'{"type":"\ud800"}', {"unknown_type", "bad_message"}),
    "a type with NUL": (r'{"type":"ping\u0000"}', {"unknown_type", "bad_message"}),
    "the last of two types counts": ('{"type":"ping","c":1,"type":"no"}', {"unknown_type"}),
    "a source that is half a surrogate pair": (
        r'{%s,"source":{"kind":"custom","text":"a\udc00b"}}' % OPEN,  # noqa: UP031
        {"bad_field"},
    ),
    "a text id that is half a surrogate pair": (
        r'{%s,"source":{"kind":"text","text":"\ud834"}}' % OPEN,  # noqa: UP031
        {"bad_field", "not_found"},
    ),
    "a text id with NUL": (
        r'{%s,"source":{"kind":"text","text":"a\u0000b"}}' % OPEN,  # noqa: UP031
        {"bad_field", "not_found"},
    ),
}


async def refused(person: Guest, codes: set[str]) -> Message:
    """The next message refuses ours with one of `codes` and repeats nothing of it."""
    error = await person.expect("error")
    assert error["code"] in codes
    assert set(error) <= {"type", "re", "code", "message"}
    assert error["message"].endswith(".")
    assert ECHO not in json.dumps(error)
    return error


async def still_typing(person: Guest) -> None:
    """Whatever was said, the connection can be used as before."""
    await person.begin()
    await person.typed("the")


@pytest.mark.parametrize(("frame", "codes"), FRAMES.values(), ids=FRAMES.keys())
async def test_a_frame_that_is_no_message(
    url: str, bystander: Guest, frame: str, codes: set[str]
) -> None:
    async with guest(url) as person:
        await person.send_raw(frame)
        await refused(person, codes)
        await still_typing(person)


BAD_IDS = [0, -1, 2**31, 2**53, 2**64, 1.0, 1.5, "1", ECHO, True, False, [], {}]


@pytest.mark.parametrize("kind", ["ping", "open", "finish", "hello", "keys", "no such"])
async def test_an_id_that_is_no_positive_integer(url: str, bystander: Guest, kind: str) -> None:
    for start in range(0, len(BAD_IDS), 4):
        async with guest(url) as person:
            for bad in BAD_IDS[start : start + 4]:
                await person.send(type=kind, id=bad, c=1, attempt=new_id())
                assert "re" not in await refused(person, {"bad_field"})
            await still_typing(person)


NO_COUNTS: list[Any] = [-1, 1.0, "1", ECHO, True, None, [1], {}, 2**64, -(2**63), 1e300]
FIELDS: dict[str, tuple[str, dict[str, Any], str, list[Any]]] = {
    "ping.c": ("ping", {}, "c", [*NO_COUNTS, 2**53]),
    "keys.seq": ("keys", {"events": [[0, "a"]]}, "seq", [*NO_COUNTS, 0]),
    "keys.h": ("keys", {"events": [[0, "a"]], "seq": 1}, "h", NO_COUNTS[1:]),
    "finish.seq": ("finish", {"why": "quit"}, "seq", NO_COUNTS),
    "finish.h": ("finish", {"why": "quit", "seq": 0}, "h", NO_COUNTS[1:]),
    "finish.why": ("finish", {"seq": 0}, "why", [None, 1, "", ECHO, "DONE", [], True]),
    "got.attempt": ("got", {}, "attempt", [None, 1, "", ECHO, [], "0" * 36, ECHO * 200]),
    "open.attempt": ("open", {}, "attempt", [None, 1, "", ECHO, [], "0" * 36, ECHO * 200]),
    "open.source": ("open", {"attempt": new_id()}, "source", [1, ECHO, [], True, "custom"]),
    "open.rules": ("open", {"attempt": new_id()}, "rules", [1, ECHO, [], True]),
    "open.rules.errors": (
        "open",
        {"attempt": new_id()},
        "rules",
        [{"errors": 1}, {"errors": ECHO}, {"errors": "FREE"}, {"errors": []}, {"errors": True}],
    ),
    "keys.events": (
        "keys",
        {"seq": 1},
        "events",
        [
            *(None, 1, ECHO, {}, True, [], [0, "a"], ["a"], [[]], [[1]], [[[0, "a"]]]),
            *([[0, "a", "b"]], [["a", 0]], [["0", "a"]], [[None, "a"]], [[True, "a"]]),
            *([[0.5, "a"]], [[0.0, "a"]], [[0, 1]], [[0, None]], [[0, ["a"]]], [{"0": "a"}]),
            *([[0, "a"], [0, "b"], None], [[0, "a"]] * 65, [ECHO, ECHO], [[[], {}]]),
        ],
    ),
}


@pytest.mark.parametrize(("kind", "fields", "name", "values"), FIELDS.values(), ids=FIELDS.keys())
async def test_a_field_that_is_not_what_it_should_be(
    url: str,
    bystander: Guest,
    kind: str,
    fields: dict[str, Any],
    name: str,
    values: list[Any],
) -> None:
    for start in range(0, len(values), 4):
        async with guest(url) as person:
            await person.begin()
            for bad in values[start : start + 4]:
                good = {"h": person.h} | fields
                await person.send(type=kind, id=77, **{**good, name: bad})
                error = await refused(person, {"bad_field"})
                assert error["re"] == 77, bad
            await person.typed("the")


@pytest.mark.parametrize("kind", ["ping", "keys", "finish", "got", "open"])
async def test_a_message_with_nothing_but_its_type(url: str, bystander: Guest, kind: str) -> None:
    async with guest(url) as person:
        await person.send(type=kind)
        await refused(person, {"bad_field"})
        await still_typing(person)


LAWFUL = {
    "the last of two equal fields counts": '{"type":"ping","c":9,"c":1}',
    "a prototype": '{"type":"ping","c":1,"__proto__":{"c":2},"constructor":null}',
    "a thousand unknown fields": json.dumps(
        {"type": "ping", "c": 1} | {f"x{number}": number for number in range(1_000)}
    ),
    "unknown fields of every kind": '{"type":"ping","c":1,"a":[[[1.5e3,{}]],null],"b":"\\u0000"}',
    "half a surrogate pair where nobody looks": r'{"type":"ping","c":1,"note":"\ud800"}',
    "spaces between": ' \r\n\t{ "type" : "ping" ,\n"c" : 1 } \n',
    "escaped names": r'{"t\u0079pe":"p\u0069ng","\u0063":1}',
    "null for what may be left out": '{"type":"ping","c":1,"id":null}',
}


@pytest.mark.parametrize("frame", LAWFUL.values(), ids=LAWFUL.keys())
async def test_odd_but_lawful_messages_are_understood(url: str, frame: str) -> None:
    async with guest(url) as person:
        await person.send_raw(frame)
        await person.expect("pong", c=1)


async def test_half_a_surrogate_pair_is_no_key(url: str, bystander: Guest) -> None:
    async with guest(url) as person:
        await person.begin()
        for key in (r"\ud800", r"a\udfff", r"\udc00\ud800", r"\uD83D"):
            await person.send_raw(
                f'{{"type":"keys","h":{person.h},"seq":1,"events":[[0,"{key}"]]}}'
            )
            await person.expect("reject", code="bad_event", seq=1)
        await person.send_raw(
            rf'{{"type":"keys","h":{person.h},"seq":1,"events":[[0,"\ud83d\ude00"]]}}'
        )
        await person.acked(1)
        assert (await person.standing())["typed"] == "😀"


async def test_an_integer_past_64_bits_is_no_dt(url: str, bystander: Guest) -> None:
    async with guest(url) as person:
        await person.begin()
        for dt_ms in (2**64, -(2**64), 10**30):
            await person.keys(1, [[dt_ms, "t"]])
            assert (await person.receive())["code"] in ("bad_field", "bad_event")
        await person.typed("the")


BAD_HELLOS: dict[str, Message] = {
    "a token that is a number": {"token": 5},
    "a token that is a list": {"token": [ECHO]},
    "a token of 60 kB": {"token": ECHO * 7_500},
    "a client that is a number": {"client": 1.5},
    "an id that is a string": {"id": "1"},
}


@pytest.mark.parametrize("fields", BAD_HELLOS.values(), ids=BAD_HELLOS.keys())
async def test_a_hello_that_makes_no_sense_may_be_said_again(
    url: str, bystander: Guest, fields: Message
) -> None:
    async with raw_client(url) as client:
        await client.send(type="hello", **fields)
        error = await client.expect("error", code="bad_field")
        assert ECHO not in json.dumps(error)
        await client.hello()
