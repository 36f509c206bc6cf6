"""Attempts whose client never came back get their result all the same, exactly once."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from server.core.attempt import AWAY_GRACE_MS, DURATION_MS_MAX, IDLE_MS_MAX
from server.core.source import Source, SourceKind
from server.db.journal import Journal
from server.db.queries import StoredAttempt
from server.live.hub import AddressLimits, Hub
from server.live.sweeper import Sweeper
from tests.db.stored import (
    OPENED_AT_MS,
    TEXT,
    FaultyDatabase,
    Recorder,
    attempt_row,
    journal_seqs,
    new_attempt,
    opened_database,
    person,
    recounted,
    rows,
    running,
    stored_counters,
    type_batch,
)

TIMED = Source(SourceKind.TIME, language="en", seconds=60)
LONG_AFTER_MS = OPENED_AT_MS + 24 * 3_600_000


@asynccontextmanager
async def sweeper_at(
    database: FaultyDatabase, now_ms: int, drives: Callable[[str], bool] = lambda _: False
) -> AsyncIterator[tuple[Sweeper, Journal]]:
    """A sweeper at a given time, and the journal it writes to, at work."""

    class DrivingHub(Hub):
        def drives(self, attempt_id: str) -> bool:
            return drives(attempt_id)

    hub = DrivingHub(AddressLimits(1, 1, 1, True), lambda: 0.0)
    async with running(Journal(database)) as journal:
        yield Sweeper(database, journal, hub, lambda: now_ms), journal


async def sweep(database: FaultyDatabase, now_ms: int = LONG_AFTER_MS) -> None:
    """One sweep, with all it writes."""
    async with sweeper_at(database, now_ms) as (sweeper, journal):
        await sweeper.sweep()
        await journal.flush()


async def typed(
    database: FaultyDatabase, stored: StoredAttempt, *batches: str, dt_ms: int = 100
) -> None:
    """Type batches into the journal."""
    owner = Recorder()
    async with running(Journal(database)) as journal:
        for keys in batches:
            journal.write(owner.entry(stored, type_batch(stored, keys, dt_ms)))
        await journal.flush()


async def test_an_attempt_nobody_began_is_abandoned_without_a_result(database_url: str) -> None:
    async with opened_database(database_url) as database:
        stored = await new_attempt(database, person())
        await sweep(database)
        row = await attempt_row(database, stored)
        assert (row["state"], row["scorer"], row["keystroke_log"]) == ("abandoned", None, None)


async def test_an_attempt_left_in_the_middle_is_abandoned_and_counted(database_url: str) -> None:
    who = person()
    async with opened_database(database_url) as database:
        stored = await new_attempt(database, who)
        await typed(database, stored, "a ", "bxd")
        await sweep(database, OPENED_AT_MS + IDLE_MS_MAX + 10_000)
        row = await attempt_row(database, stored)
        assert (row["state"], row["verdict"], row["events"]) == ("abandoned", "unranked", 5)
        assert row["why"][0]["rule"] == "incomplete"
        assert row["finished_at_ms"] == stored.attempt.last_arrived_at_ms
        assert not await journal_seqs(database, stored)
        assert await stored_counters(database, who) == recounted([stored])


async def test_an_attempt_left_is_abandoned_however_late_it_is_swept(database_url: str) -> None:
    async with opened_database(database_url) as database:
        stored = await new_attempt(database, person())
        await typed(database, stored, "a b")
        await sweep(database, LONG_AFTER_MS)
        assert (await attempt_row(database, stored))["state"] == "abandoned"


async def test_a_text_typed_to_its_end_is_finished_as_if_the_client_had_seen_it(
    database_url: str,
) -> None:
    who, owner = person(), Recorder()
    async with opened_database(database_url) as database:
        seen, unseen = [await new_attempt(database, who) for _ in range(2)]
        async with running(Journal(database)) as journal:
            journal.write(owner.end(seen, type_batch(seen, TEXT)))
            await journal.flush()
        await typed(database, unseen, TEXT)
        await sweep(database)
        expected, row = await attempt_row(database, seen), await attempt_row(database, unseen)
        assert row["state"] == "finished"
        for name in ("wpm", "raw_wpm", "accuracy", "consistency", "keys", "verdict", "late_ms"):
            assert row[name] == expected[name], name


async def test_a_timed_attempt_away_is_finished_with_what_is_there(database_url: str) -> None:
    async with opened_database(database_url) as database:
        stored = await new_attempt(database, person(), "word " * 400, source=TIMED)
        await typed(database, stored, "word wor", "d w")
        over_ms = OPENED_AT_MS + 60_000 + AWAY_GRACE_MS
        await sweep(database, over_ms - 1_000)
        assert (await attempt_row(database, stored))["state"] == "armed"
        await sweep(database, over_ms + 1_000)
        row = await attempt_row(database, stored)
        assert (row["state"], row["duration_ms"], row["late_ms"]) == ("finished", 60_000, 0)
        assert row["verdict"] == "ranked"


async def test_an_attempt_of_half_an_hour_is_finished_at_its_limit(database_url: str) -> None:
    async with opened_database(database_url) as database:
        stored = await new_attempt(database, person(), "word " * 400)
        await typed(database, stored, *["word "] * 60, dt_ms=5_600)
        await sweep(database, OPENED_AT_MS + DURATION_MS_MAX - 1_000)
        assert (await attempt_row(database, stored))["state"] == "armed"
        await sweep(database, OPENED_AT_MS + DURATION_MS_MAX + AWAY_GRACE_MS)
        row = await attempt_row(database, stored)
        assert (row["state"], row["verdict"]) == ("finished", "unranked")


async def test_what_a_connection_drives_is_left_alone(database_url: str) -> None:
    async with opened_database(database_url) as database:
        driven, left = [await new_attempt(database, person()) for _ in range(2)]
        async with sweeper_at(database, LONG_AFTER_MS, driven.row["id"].__eq__) as (
            sweeper,
            journal,
        ):
            await sweeper.sweep()
            await journal.flush()
        driven_row = await attempt_row(database, driven)
        assert (driven_row["state"], driven_row["epoch"]) == ("armed", 1)
        assert (await attempt_row(database, left))["state"] == "abandoned"


async def test_two_sweepers_at_once_give_one_result(database_url: str) -> None:
    who = person()
    async with opened_database(database_url) as one, opened_database(database_url) as other:
        attempts = [await new_attempt(one, who) for _ in range(8)]
        for stored in attempts:
            await typed(one, stored, "a bxd")
        async with (
            sweeper_at(one, LONG_AFTER_MS) as (first, of_first),
            sweeper_at(other, LONG_AFTER_MS) as (second, of_second),
        ):
            await asyncio.gather(first.sweep(), second.sweep(), first.sweep(), second.sweep())
            await asyncio.gather(of_first.flush(), of_second.flush())
            # What one of them took from the other is due again at the next look.
            await first.sweep()
            await of_first.flush()
        states = await rows(one, "SELECT state, count(*) AS n FROM attempts GROUP BY state")
        assert [dict(row) for row in states] == [{"state": "abandoned", "n": 8}]
        assert await stored_counters(one, who) == recounted(attempts)


async def test_a_store_that_goes_away_does_not_end_the_sweeper(sqlite_url: str) -> None:
    async with opened_database(sqlite_url) as database:
        stored = await new_attempt(database, person())
        database.away = ConnectionRefusedError("the store is away")
        async with sweeper_at(database, LONG_AFTER_MS) as (sweeper, journal):
            work = asyncio.create_task(sweeper.run())
            await asyncio.sleep(0.1)
            assert not work.done()
            database.away = None
            await sweeper.sweep()
            await journal.flush()
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
        assert (await attempt_row(database, stored))["state"] == "abandoned"
