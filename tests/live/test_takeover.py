"""Two connections, one attempt: the newer has it, the older can write nothing more."""

import asyncio
from contextlib import suppress
from pathlib import Path

from websockets.exceptions import ConnectionClosed

from tests.conftest import MakeServer
from tests.live.conftest import Served
from tests.live.guest import TEXT, Guest, custom, guest, new_id
from tests.raw_client import Message


async def test_the_newer_connection_takes_the_attempt_and_the_older_is_closed(
    either: Served,
) -> None:
    async with guest(either.url) as older, guest(either.url, older.token) as newer:
        await older.begin()
        await older.typed("the ")
        opened = await newer.resume(older.attempt)
        assert (opened["seq"], opened["typed"], opened["state"]) == (4, "the ", "running")
        assert await older.closed() == 4509
        await newer.typed("quick")
        assert (await newer.standing())["typed"] == "the quick"


async def test_it_may_be_handed_back_and_forth(either: Served) -> None:
    async with guest(either.url) as first:
        await first.begin()
        token, attempt = first.token, first.attempt
        for number, key in enumerate(TEXT[:8]):
            async with guest(either.url, token) as person:
                assert (await person.resume(attempt))["seq"] == number
                await person.typed(key)
        assert await first.closed() == 4509


async def test_what_the_older_sends_while_it_is_taken_over_counts_once_or_not_at_all(
    either: Served,
) -> None:
    async with guest(either.url) as older, guest(either.url, older.token) as newer:
        await older.begin(TEXT)
        for key in TEXT[:20]:
            await older.press(key)
        taking = asyncio.create_task(newer.resume(older.attempt))
        for key in TEXT[20:40]:
            await older.press(key)
        opened = await taking
        highest_ack, code = await _acked_until_closed(older)
        assert code == 4509
        assert opened["typed"] == TEXT[: opened["seq"]]
        assert opened["seq"] >= highest_ack
        await asyncio.sleep(0.1)
        assert (await newer.standing())["seq"] == opened["seq"]
        # Like any client that resumes: everything after `opened.seq` again.
        await newer.press(TEXT[opened["seq"] :])
        done = await newer.done(seq=len(TEXT))
        assert done["result"]["errors"] == 0


async def _acked_until_closed(person: Guest) -> tuple[int, int]:
    acked = 0
    with suppress(ConnectionClosed):
        while True:
            message = await person.receive()
            if message["type"] == "ack":
                acked = message["seq"]
    return acked, await person.closed()


async def test_many_at_once_open_one_attempt_and_one_of_them_has_it(either: Served) -> None:
    attempt = new_id()
    async with guest(either.url) as first:
        token = first.token

        async def take() -> int | None:
            async with guest(either.url, token) as person:
                await person.send(type="open", id=1, attempt=attempt, source=custom(TEXT))
                await person.expect("opened", attempt=attempt, re=1)
                try:
                    return await person.closed(within_s=0.5)
                except TimeoutError:
                    return None

        codes = await asyncio.gather(*(take() for _ in range(4)))
        assert sorted(codes, key=str) == [4509, 4509, 4509, None]
        assert (await first.resume(attempt))["seq"] == 0
        await first.typed("the")


async def test_a_finished_attempt_may_be_opened_by_both(either: Served) -> None:
    async with guest(either.url) as older, guest(either.url, older.token) as newer:
        await older.begin("ab")
        await older.press("ab")
        done = await older.done()
        await newer.open(older.attempt)
        again = await newer.expect("done")
        assert again["result"] == done["result"]


async def test_another_process_takes_the_attempt_and_the_older_can_write_nothing(
    make_server: MakeServer, postgresql_url: str
) -> None:
    here, there = make_server(postgresql_url), make_server(postgresql_url)
    await asyncio.gather(here.start(), there.start())
    async with guest(here.ws_url) as older, guest(there.ws_url, older.token) as newer:
        await older.begin()
        await older.typed("the ")
        assert (await newer.resume(older.attempt))["seq"] == 4
        await older.press("slow ")
        assert await _acked_until_closed(older) == (0, 4509)
        await newer.typed("quick ")
        assert (await newer.standing())["typed"] == "the quick "
    # Neither does its end, nor a history of its own.
    for ending in ({"why": "quit"}, {}):
        async with guest(here.ws_url) as older, guest(there.ws_url, older.token) as newer:
            await _end_what_another_has_taken(older, newer, ending)


async def _end_what_another_has_taken(older: Guest, newer: Guest, ending: Message) -> None:
    await older.begin("abc")
    await older.typed("a")
    await newer.resume(older.attempt)
    if ending:
        await older.finish(**ending)
    else:
        await older.press("xy")
    assert await _acked_until_closed(older) == (0, 4509)
    await newer.press("bc")
    done = await newer.done(seq=3)
    assert (done["result"]["errors"], done["result"]["position"]) == (0, 3)


async def test_who_is_silent_hears_of_another_process_all_the_same(
    make_server: MakeServer, postgresql_url: str
) -> None:
    here, there = make_server(postgresql_url), make_server(postgresql_url)
    await asyncio.gather(here.start(), there.start())
    async with guest(here.ws_url) as older, guest(there.ws_url, older.token) as newer:
        await older.begin()
        await older.typed("the ")
        await newer.resume(older.attempt)
        assert await older.closed() == 4509  # within a sweep, without a key of theirs
        await newer.typed("quick ")


async def test_who_stands_still_in_a_transaction_holds_nobody_up(
    make_server: MakeServer, postgresql_url: str, tmp_path: Path
) -> None:
    flag = tmp_path / "freeze"
    # In the midst of a commit: the rows of its attempts are locked.
    inside = {"FREEZE_IN": "server.db.journal.keep_batches", "FREEZE_FLAG": str(flag)}
    here = make_server(postgresql_url, module="tests.live.frozen_inside", environment=inside)
    there = make_server(postgresql_url)
    await asyncio.gather(here.start(), there.start())
    async with guest(here.ws_url) as older, guest(there.ws_url, older.token) as newer:
        await older.begin()
        await older.typed("the ")
        flag.touch()
        await older.press("slow ")
        for _ in range(500):
            if not flag.exists():
                break
            await asyncio.sleep(0.01)
        assert not flag.exists()
        assert (await newer.resume(older.attempt))["seq"] == 4
        await newer.typed("quick ")
        here.thaw()
        assert await _acked_until_closed(older) == (0, 4509)
        assert (await newer.standing())["typed"] == "the quick "
    async with guest(here.ws_url) as person:
        await person.begin()
        await person.typed("the ")
