"""What takes seconds of real time, side by side: timed attempts, and limits that are long."""

import asyncio
import time

from tests.live.conftest import Served
from tests.live.guest import Guest, guest
from tests.raw_client import Message, raw_client

SECONDS = 15
LIMIT_MS = SECONDS * 1_000
SOURCE = {"kind": "time", "seconds": SECONDS, "language": "en"}


async def test_all_that_takes_its_time(served: Served, served_by_postgresql: Served) -> None:
    await asyncio.gather(
        ends_by_itself_two_seconds_after_the_limit(served.url),
        ends_by_itself_two_seconds_after_the_limit(served_by_postgresql.url),
        ends_at_once_with_an_event_after_the_limit(served.url),
        ends_at_once_when_told_so(served.url),
        takes_what_was_typed_through_a_cut(served_by_postgresql.url),
        is_not_over_before_its_time(served.url),
        says_no_hello_and_is_let_go(served.url),
        stammers_instead_of_hello_and_is_let_go(served.url),
        types_twenty_thousand_events(served.url),
    )


async def begun(person: Guest) -> str:
    """A new timed attempt with one key typed; return its text."""
    text: str = (await person.begin(source=SOURCE))["text"]
    await person.typed(text[0])
    return text


def check_timed(done: Message, seq: int, presses: int) -> None:
    """The limit, not the last event, is what the speed is measured by."""
    result = done["result"]
    assert (done["seq"], result["events"]) == (seq, seq)
    assert (result["duration_ms"], result["late_ms"]) == (LIMIT_MS, 0)
    assert result["raw_wpm"] == round(presses / 5 / (LIMIT_MS / 60_000), 2)
    assert (result["source"], done["verdict"]) == (SOURCE, "ranked")


async def ends_by_itself_two_seconds_after_the_limit(url: str) -> None:
    async with guest(url) as person:
        # Reading first costs nothing: the clock starts with the first key.
        opened = await person.begin(source=SOURCE)
        await asyncio.sleep(0.5)
        began_s = time.monotonic()
        await person.typed(opened["text"][0])
        await asyncio.sleep(2)
        await person.keys(2, [[2_000, opened["text"][1]]])
        await person.acked(2)
        done = await person.expect("done", within_s=20)
        assert SECONDS + 1.9 < time.monotonic() - began_s < SECONDS + 3
        check_timed(done, seq=2, presses=2)
        assert (await person.standing())["state"] == "finished"


async def ends_at_once_with_an_event_after_the_limit(url: str) -> None:
    async with guest(url) as person:
        text = await begun(person)
        await asyncio.sleep(SECONDS + 0.1)
        # The second event stands at the limit itself, and counts.
        await person.keys(2, [[14_000, text[1]], [1_000, text[2]], [1, text[3]], [0, text[4]]])
        check_timed(await person.done(), seq=3, presses=3)
        for seq in (4, 2):
            await person.keys(seq, [[0, "a"]])
            await person.expect("reject", code="finished")


async def ends_at_once_when_told_so(url: str) -> None:
    async with guest(url) as person:
        text = await begun(person)
        await asyncio.sleep(SECONDS + 0.1)
        await person.keys(2, [[SECONDS * 1_000, text[1]]])
        await person.acked(2)
        person.seq = 2
        await person.finish("time", id=3)
        check_timed(await person.expect("done", re=3, within_s=0.5), seq=2, presses=2)


async def takes_what_was_typed_through_a_cut(url: str) -> None:
    async with guest(url) as person:
        text = await begun(person)
    await asyncio.sleep(SECONDS + 2.5)  # past the two seconds of those who stay
    async with guest(url, person.token) as again:
        opened = await again.resume(person.attempt)
        assert (opened["state"], opened["seq"]) == ("running", 1)
        assert opened["elapsed_ms"] >= LIMIT_MS + 2_400
        await again.press(text[1:31], dt_ms=400)
        await again.acked(31)
        await again.finish("time", id=3)
        check_timed(await again.expect("done", re=3, within_s=0.5), seq=31, presses=31)


async def is_not_over_before_its_time(url: str) -> None:
    async with guest(url) as person:
        await begun(person)
        await asyncio.sleep(SECONDS / 2)
        await person.finish("time", id=3)
        done = await person.expect("done", re=3, verdict="unranked")
        assert done["seq"] == 1
        assert (await person.standing())["state"] == "abandoned"


async def says_no_hello_and_is_let_go(url: str) -> None:
    async with raw_client(url) as client:
        began_s = time.monotonic()
        assert await client.closed(within_s=12) == 4001
        assert 9.5 < time.monotonic() - began_s < 11.5


async def stammers_instead_of_hello_and_is_let_go(url: str) -> None:
    async with raw_client(url) as client:
        began_s = time.monotonic()
        for _ in range(4):
            await client.send(type="hello", id=3, token=5)
            await client.expect("error", re=3, code="bad_field")
            await asyncio.sleep(2)
        assert await client.closed(within_s=4) == 4001
        assert 9.5 < time.monotonic() - began_s < 11.5


async def types_twenty_thousand_events(url: str) -> None:
    async with guest(url) as person:
        await person.begin()
        for number in range(313):
            await person.press("\b" * 64)
            if number > 80:
                await asyncio.sleep(1 / 29)
        done = await person.expect("done", skip=("ack", "reject"), within_s=10)
        assert (done["seq"], done["result"]["events"]) == (20_000, 20_000)
        assert done["verdict"] == "unranked"
        assert (await person.standing())["state"] == "finished"
