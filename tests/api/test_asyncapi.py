"""The AsyncAPI document names all that docs/protocol.md names, and real messages fit it."""

import re
from pathlib import Path
from typing import Any

import jsonschema_rs

from server.api.asyncapi import RECEIVED, SENT, asyncapi
from server.protocol import CloseCode, ErrorCode
from tests.live.guest import Guest, guest, new_id
from tests.live.racer import racer
from tests.processes import ServerProcess

PROTOCOL = Path(__file__).parents[2] / "docs" / "protocol.md"
TEXT = "the quick brown fox"


def tabled_fields() -> dict[str, set[str]]:
    """The fields of each message in the two tables of docs/protocol.md, the answered `re` apart."""
    rows = re.findall(r"^\| `([\w.]+)` \| `([^`]+)`", PROTOCOL.read_text(encoding="utf-8"), re.M)
    kinds = SENT.keys() | RECEIVED.keys()
    return {
        kind: {name.strip().rstrip("?") for name in names.split(",")} - {"id", "re"}
        for kind, names in rows
        if kind in kinds
    }


def properties(kind: str) -> set[str]:
    payload = asyncapi()["components"]["messages"][kind]["payload"]
    return set(payload["properties"]) - {"type", "id", "re"}


def test_fields_are_those_of_the_protocol() -> None:
    tabled = tabled_fields()
    assert tabled.keys() == (SENT.keys() | RECEIVED.keys()) - {"hello", "welcome"}
    assert {kind: properties(kind) for kind in tabled} == tabled


def test_codes_are_those_of_the_server() -> None:
    document = asyncapi()
    assert document["channels"]["live"]["x-close-codes"].keys() == {
        str(int(code)) for code in CloseCode
    }
    error = document["components"]["messages"]["error"]["payload"]
    assert error["properties"]["code"]["enum"] == [code.value for code in ErrorCode]


def misfits(message: dict[str, Any]) -> list[str]:
    """What the document finds wrong with a message, or fields it does not know."""
    document = asyncapi()
    payload = document["components"]["messages"][message["type"]]["payload"]
    schema = {**payload, "components": document["components"]}
    wrong = [error.message for error in jsonschema_rs.validator_for(schema).iter_errors(message)]
    return wrong + sorted(message.keys() - payload["properties"].keys())


def test_misfit_is_found() -> None:
    assert misfits({"type": "drain", "in_ms": 5}) == []
    assert misfits({"type": "drain", "in_ms": -5}) != []
    assert misfits({"type": "drain"}) != []
    assert misfits({"type": "drain", "in_ms": 5, "more": 1}) == ["more"]


async def hear_everything(person: Guest) -> list[dict[str, Any]]:
    """One of each message that a session may bring."""
    opened = await person.begin(TEXT)
    ack = await person.typed("the quack"[:6])
    await person.keys(50, [[0, "x"]])
    reject = await person.expect("reject", skip=("ack",))
    await person.send(type="ping", id=3, c=1)
    pong = await person.expect("pong", skip=("ack",), re=3)
    await person.send(type="nonsense")
    error = await person.expect("error")
    await person.press(TEXT[6:])
    done = await person.done()
    again = await person.open(person.attempt)
    await person.done()
    await person.begin(TEXT)
    await person.finish("quit")
    empty = await person.done()
    await person.send(type="open", attempt=new_id(), source={"kind": "words", "language": "en"})
    bad = await person.expect("error", skip=("ack", "done"))
    return [person.welcome, opened, ack, reject, pong, error, done, again, empty, bad]


async def hear_a_race(url: str) -> list[dict[str, Any]]:
    """Every message of a race, from the lobby to the rematch."""
    async with racer(url) as first, racer(url) as second:
        lobby = await first.create()
        await second.ask("join", code=lobby["code"])
        await second.ask("ready", ready=True)
        await first.ask("start")
        for person in (first, second):
            if "h" not in person.race:
                await person.begun()
            await person.event("go")
        states = [lobby, first.race]
        for person in (first, second):
            await person.typed_to_the_end()
        for person in (first, second):
            await person.event("over")
        states.append(await second.ask("again"))
        await first.event("again")
        states.append(await first.ask("watch", race=lobby["race"]))
        while not first.progress:
            await first.take()
        return [*states, *first.told, first.progress[0]]


async def test_what_is_said_in_a_race_fits(sqlite_server: ServerProcess) -> None:
    heard = await hear_a_race(sqlite_server.ws_url)
    assert {message["type"] for message in heard} == {"race", "race.event", "race.progress"}
    assert [misfits(message) for message in heard if misfits(message)] == []


async def test_what_the_server_says_fits(sqlite_server: ServerProcess) -> None:
    async with guest(sqlite_server.ws_url) as person:
        heard = await hear_everything(person)
    assert {message["type"]: misfits(message) for message in heard} == {
        kind: [] for kind in RECEIVED if kind not in ("stall", "drain") and "race" not in kind
    }
    results = [message["result"] for message in heard if message["type"] == "done"]
    assert [result is None for result in results] == [False, True]
    known = asyncapi()["components"]["schemas"]["Result"]["properties"].keys()
    assert results[0].keys() - known == set()
