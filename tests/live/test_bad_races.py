"""The catalogue of bad requests of races: each is answered, and no race changes by it."""

import json
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.live.guest import Guest, new_id
from tests.live.racer import racer
from tests.live.test_races import lobby
from tests.raw_client import Message, raw_client

# Stands in what we send wherever it may; never in what comes back.
ECHO = "echo7f3a"
NO_OBJECTS = [1, ECHO, True, [], [{}]]
NO_STRINGS = [1, True, [], {}, [ECHO]]
NO_BOOLEANS = [0, 1, "true", ECHO, [], {}, 1.0]
NO_COUNTS = [-1, 1.0, 0.5, "1", ECHO, True, [1], {}, 2**64, -(2**63), 1e300]
NO_UUIDS = [1, True, [], {}, "", ECHO, "0" * 36, ECHO * 200, "٠" * 36]
BAD_RULES: list[Any] = [{"errors": 1}, {"errors": ECHO}, {"errors": "FREE"}, {"errors": []}]
BAD_SOURCES: list[Any] = [
    *({}, {"kind": ECHO}, {"kind": "race"}, {"kind": "text"}, {"kind": "custom", "text": ""}),
    *({"kind": "custom", "text": "a\0b"}, {"kind": "time", "seconds": 30, "language": "en"}),
    {"kind": "words", "count": 25.0, "language": "en"},
]
BAD_CODES = [*NO_STRINGS, ECHO * 3, "22\0222", "2222\u202e2"]

# Request, field, and what may not stand in it.
FIELDS: dict[str, tuple[str, str, list[Any]]] = {
    "create.source": ("create", "source", [*NO_OBJECTS, *BAD_SOURCES]),
    "create.rules": ("create", "rules", [*NO_OBJECTS, *BAD_RULES]),
    "create.private": ("create", "private", NO_BOOLEANS),
    "create.racers_max": ("create", "racers_max", [*NO_COUNTS, 0, 1, 21]),
    "create.ghosts": (
        "create",
        "ghosts",
        [1, ECHO, True, {}, [1], [ECHO], [None], [new_id()] * 2, [new_id() for _ in range(20)]],
    ),
    "join.code": ("join", "code", [*BAD_CODES, None]),
    "join.race": ("join", "race", [*NO_UUIDS, None]),
    "watch.code": ("watch", "code", [*BAD_CODES, None]),
    "watch.race": ("watch", "race", [*NO_UUIDS, None]),
    "quick.language": ("quick", "language", [*NO_STRINGS, None, "x" * 17, "e\0n"]),
    "ready.ready": ("ready", "ready", [*NO_BOOLEANS, None]),
    "sync.race": ("sync", "race", [*NO_UUIDS, None]),
    "sync.n": ("sync", "n", [*NO_COUNTS, None, 2**31]),
}
BAD_IDS = [0, -1, 2**31, 2**64, 1.0, "1", True, [], {}]
KINDS = [
    *("create", "join", "watch", "quick", "ready", "sync"),
    *("start", "leave", "again", "unwatch"),
]


def good(kind: str) -> Message:
    """Fields with which a request would be understood."""
    fields: dict[str, Message] = {
        "join": {},
        "quick": {"language": "en"},
        "ready": {"ready": True},
        "sync": {"race": new_id(), "n": 0},
    }
    return fields.get(kind, {})


def refused(error: Message, code: str) -> None:
    """It says what is wrong and repeats nothing."""
    assert error["type"] == "error", error
    assert error["code"] == code, error
    assert error["message"].endswith(".")
    assert ECHO not in json.dumps(error)


@pytest.mark.parametrize(("kind", "name", "values"), FIELDS.values(), ids=FIELDS.keys())
async def test_a_field_that_is_not_what_it_should_be(
    url: str, bystander: Guest, kind: str, name: str, values: list[Any]
) -> None:
    for start in range(0, len(values), 4):  # with the fifth strike the connection would end
        async with racer(url) as person:
            for bad in values[start : start + 4]:
                refused(await person.ask(kind, **{**good(kind), name: bad}), "bad_field")
            assert (await person.create())["type"] == "race"
            assert person.race["n"] == 2


async def test_an_id_that_is_no_positive_integer(url: str, bystander: Guest) -> None:
    for number, kind in enumerate(KINDS):
        async with racer(url) as person:
            bad = BAD_IDS[number % len(BAD_IDS)]
            await person.send(type=f"race.{kind}", **{**good(kind), "id": bad})
            error = await person.got("error")
            refused(error, "bad_field")
            assert "re" not in error


@pytest.mark.parametrize("kind", ["join", "watch", "quick", "ready", "sync"])
async def test_a_request_with_nothing_but_its_type(url: str, kind: str) -> None:
    async with racer(url) as person:
        refused(await person.ask(kind), "bad_field")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_request_before_hello_ends_the_connection(url: str, kind: str) -> None:
    async with raw_client(url) as client:
        await client.send(type=f"race.{kind}", id=1, **good(kind))
        assert await client.closed() == 4500


async def test_what_is_asked_of_no_race_finds_none(url: str) -> None:
    async with racer(url) as person:
        for kind in ("start", "leave", "again", "unwatch"):
            refused(await person.ask(kind), "not_found")
        refused(await person.ask("ready", ready=True), "not_found")
        for kind in ("join", "watch"):
            refused(await person.ask(kind, race=new_id()), "not_found")
            refused(await person.ask(kind, code="222222"), "not_found")
        refused(await person.sync(new_id(), 0), "not_found")
        refused(await person.create(ghosts=[new_id()]), "not_found")


async def test_a_private_race_is_entered_by_who_was_told_of_it(url: str) -> None:
    async with racer(url) as host, racer(url) as friend, racer(url) as stranger:
        race = await host.create(private=True)
        quick = await stranger.ask("quick", language="en")
        assert quick["race"] != race["race"]
        # Its code opens it, in any case and with spaces around it; and so does its id.
        joined = await friend.ask("join", code=f" {race['code'].lower()} ")
        assert (joined["race"], joined["you"]) == (race["race"], 1)
        await stranger.ask("leave")
        assert (await stranger.ask("watch", race=race["race"].upper()))["you"] is None


async def test_what_is_asked_twice_is_done_once(url: str) -> None:
    async with AsyncExitStack() as stack:
        host, other = await lobby(stack, url)
        n = other.n
        again = await other.ask("join", code=host.race["code"])
        assert (again["you"], again["n"], len(again["racers"])) == (1, n, 2)
        for _ in range(3):
            await other.ask("ready", ready=True)
        assert other.n == n + 1
        third = await stack.enter_async_context(racer(url))
        elsewhere = await third.create()
        refused(await other.ask("join", race=elsewhere["race"]), "busy")
        refused(await other.ask("watch", race=elsewhere["race"]), "busy")


async def test_who_watches_types_and_commands_nothing(url: str) -> None:
    async with AsyncExitStack() as stack:
        people = await lobby(stack, url)
        watcher = await stack.enter_async_context(racer(url))
        await watcher.ask("watch", race=people[0].race["race"])
        refused(await watcher.ask("start"), "forbidden")
        refused(await watcher.ask("ready", ready=True), "forbidden")
        await people[0].ask("start")
        if "h" not in people[0].race:
            await people[0].begun()
        for h in (0, 1, people[0].h):
            await watcher.send(type="keys", h=h, seq=1, events=[[0, "t"]])
            refused(await watcher.got("error"), "unknown_handle")
        await watcher.send(type="open", id=1, attempt=people[0].attempt)
        refused(await watcher.got("error"), "not_found")
        assert watcher.progress == []


async def test_what_a_started_race_no_longer_takes(url: str) -> None:
    async with AsyncExitStack() as stack:
        host, other = await lobby(stack, url)
        refused(await other.ask("start"), "forbidden")
        await host.ask("start")
        refused(await host.ask("start"), "started")
        n = (await other.ask("ready", ready=True))["n"]
        assert (await other.ask("ready", ready=False))["n"] == n
        assert "ready" not in other.names()


async def test_a_number_of_an_event_that_never_was_brings_the_state(url: str) -> None:
    async with AsyncExitStack() as stack:
        host, _ = await lobby(stack, url)
        await host.event("joined", slot=1)
        for n in (2**31 - 1, 4):
            state = await host.sync(host.race["race"], n)
            assert (state["type"], state["n"]) == ("race", 3)
        assert host.names() == ["joined"]
