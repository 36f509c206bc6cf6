"""How much one person may ask for, and what is said to more."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from tests.conftest import MakeServer
from tests.live.conftest import Served
from tests.live.guest import TEXT, Guest, custom, guest, new_id
from tests.raw_client import raw_client


async def test_the_sixth_connection_closes_the_oldest(either: Served) -> None:
    async with AsyncExitStack() as stack:
        people = [await stack.enter_async_context(guest(either.url))]
        await people[0].begin()
        await people[0].typed("the ")
        for _ in range(4):
            people.append(await stack.enter_async_context(guest(either.url, people[0].token)))
        for person in people:
            await person.has_nothing_more()
        sixth = await stack.enter_async_context(guest(either.url, people[0].token))
        assert await people[0].closed() == 4508
        for person in (*people[1:], sixth):
            await person.has_nothing_more()
        assert (await sixth.resume(people[0].attempt))["seq"] == 4
        seventh = await stack.enter_async_context(guest(either.url, people[0].token))
        assert await people[1].closed() == 4508
        await seventh.has_nothing_more()


async def test_connections_that_are_gone_do_not_count(url: str) -> None:
    async with guest(url) as person:
        for _ in range(12):
            async with guest(url, person.token):
                pass
        await person.has_nothing_more()


async def test_the_sixty_first_open_in_a_minute_is_refused_until_later(
    url: str, bystander: Guest
) -> None:
    async with guest(url) as person, guest(url, person.token) as again:
        await person.begin()
        for _ in range(59):
            await person.send(type="open", id=1, attempt=person.attempt)
        for _ in range(59):
            await person.expect("opened")
        # It is the person who has had enough, not the connection.
        await again.send(type="open", id=2, attempt=new_id(), source=custom(TEXT))
        error = await again.expect("error", re=2, code="rate")
        assert set(error) == {"type", "re", "code", "message", "retry_ms"}
        assert 30_000 < error["retry_ms"] <= 60_001
        await person.send(type="open", id=3, attempt=person.attempt)
        await person.expect("error", re=3, code="rate")
        await person.typed("the")


async def test_a_burst_of_ninety_messages_is_answered(url: str) -> None:
    async with guest(url) as person:
        for number in range(1, 90):  # `hello` was one of them
            await person.send(type="ping", id=number, c=number)
        for number in range(1, 90):
            await person.expect("pong", re=number)


async def test_a_flood_is_cut_and_the_next_one_is_abuse(url: str, bystander: Guest) -> None:
    async with guest(url) as person:
        token = person.token
        assert await _flood(person) == 4013
    async with guest(url, token) as person:
        await person.begin()
        await person.typed("the")
        assert await _flood(person) == 4511
    async with guest(url) as other:
        assert await _flood(other) == 4013


async def _flood(person: Guest) -> int:
    frames = [person.socket.send('{"type":"ping","c":1}') for _ in range(150)]
    await asyncio.gather(*frames, return_exceptions=True)
    return await person.closed()


async def test_thirty_messages_a_second_go_on_for_ever(url: str) -> None:
    async with guest(url) as person:
        await person.begin("a" * 500)
        await person.press("a" * 20)
        for _ in range(85):
            await person.press("a")
        for _ in range(50):
            await asyncio.sleep(1 / 28)
            await person.press("a")
        await person.acked(20 + 85 + 50)


# Strikes

STRIKES: dict[str, Any] = {
    "bad messages": lambda person: person.send_raw("{"),
    "bad fields": lambda person: person.send(type="ping", c=-1),
    "events of a bad shape": lambda person: person.keys(1, [[0]]),
    "bad events": lambda person: person.keys(1, [[0, "\0"]]),
}


@pytest.mark.parametrize("strike", STRIKES.values(), ids=STRIKES.keys())
async def test_the_fifth_strike_is_answered_and_ends_it(
    url: str, bystander: Guest, strike: Any
) -> None:
    async with guest(url) as person:
        await person.begin()
        for _ in range(4):
            await strike(person)
            assert (await person.receive())["type"] in ("error", "reject")
            await person.has_nothing_more()
        await strike(person)
        assert (await person.receive())["type"] in ("error", "reject")
        assert await person.closed() == 4500


async def test_strikes_of_every_kind_add_up(url: str) -> None:
    async with guest(url) as person:
        await person.begin()
        for strike in (*STRIKES.values(), STRIKES["bad messages"]):
            await strike(person)
            assert (await person.receive())["type"] in ("error", "reject")
        assert await person.closed() == 4500


NO_STRIKES: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown type": ({"type": "race.telepathy", "n": 1.5}, "error"),
    "an unknown handle": ({"type": "keys", "h": 99, "seq": 1, "events": [[0, "a"]]}, "error"),
    "a finish of nothing": ({"type": "finish", "h": 99, "seq": 1, "why": "quit"}, "error"),
    "an unknown attempt": ({"type": "open", "attempt": new_id()}, "error"),
    "a second hello": ({"type": "hello"}, "error"),
    "a claim against the clock": (
        {"type": "keys", "h": 1, "seq": 1, "events": [[0, "t"], [9_000, "h"]]},
        "reject",
    ),
    "several clusters": ({"type": "keys", "h": 1, "seq": 1, "events": [[0, "ab"]]}, "reject"),
}


@pytest.mark.parametrize(("message", "answer"), NO_STRIKES.values(), ids=NO_STRIKES.keys())
async def test_what_a_newer_client_may_say_is_no_strike(
    url: str, message: dict[str, Any], answer: str
) -> None:
    async with guest(url) as person:
        assert (await person.begin())["h"] == 1
        for _ in range(8):
            await person.send(**message)
            await person.expect(answer)
        await person.typed("the")


async def test_gaps_are_no_strike_however_many(url: str) -> None:
    async with guest(url) as person:
        await person.begin()
        for _ in range(60):
            await person.keys(9, [[0, "a"]])
        await person.expect("reject", code="gap")
        await person.typed("the")


async def test_strikes_count_before_hello_too(url: str, bystander: Guest) -> None:
    async with raw_client(url) as client:
        for _ in range(4):
            await client.send(type="hello", id=1, token=5)
            await client.expect("error", code="bad_field")
        await client.send(type="hello", id=1, token=5)
        assert await client.closed() == 4500


async def test_too_many_new_guests_keep_nobody_from_what_is_theirs(
    make_server: MakeServer, sqlite_url: str
) -> None:
    process = make_server(
        sqlite_url, environment={"ENVIRONMENT": "production", "GUESTS_PER_ADDRESS_HOUR": "1"}
    )
    await process.start()
    async with guest(process.ws_url) as person:
        await person.begin()
        await person.typed("the ")
    with pytest.raises(InvalidStatus, match="429"):
        await raw_client(process.ws_url).__aenter__()
    async with guest(f"{process.ws_url}?resume", person.token) as again:
        assert (await again.resume(person.attempt))["seq"] == 4
    # And that is no way for a new one.
    async with raw_client(f"{process.ws_url}?resume") as other:
        await other.send(type="hello")
        assert await other.refused() == 1013
