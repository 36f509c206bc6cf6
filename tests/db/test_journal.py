"""The writer of keystrokes: nothing is settled before it is durable, or counted twice."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest
from sqlalchemy import Connection

from server.core.attempt import Batch, EndReason
from server.db.batches import keep_batches
from server.db.database import Database
from server.db.journal import GROUP_MAX, Entry, Journal, Outcome
from server.db.queries import StoredAttempt
from tests.db.stored import (
    TEXT,
    FaultyDatabase,
    Gate,
    Recorder,
    attempt_row,
    batches_of,
    eventually,
    journal_seqs,
    new_attempt,
    opened_database,
    person,
    recounted,
    resumed,
    rows,
    running,
    stored_counters,
    type_batch,
)

AWAY = ConnectionRefusedError("the store is away")


async def test_many_attempts_share_one_transaction(database_url: str) -> None:
    owner = Recorder()
    async with opened_database(database_url) as database:
        attempts = [await new_attempt(database, person()) for _ in range(20)]
        entries = [owner.entry(stored, type_batch(stored, "a bad")) for stored in attempts]
        database.commits = 0
        async with running(Journal(database)) as journal:
            for entry in entries:
                journal.write(entry)
            await journal.flush()

        assert [entry for entry, outcome, _ in owner.outcomes] == entries
        assert {outcome for _, outcome, _ in owner.outcomes} == {Outcome.COMMITTED}
        assert database.commits == 1
        assert len(await rows(database, "SELECT n FROM commits")) == 1
        for one in attempts:
            assert await batches_of(database, one.row["id"]) == one.attempt.batches
            assert await journal_seqs(database, one) == [1]


async def test_more_than_a_group_still_settles_in_order(sqlite_url: str) -> None:
    owner = Recorder()
    async with opened_database(sqlite_url) as database:
        stored = await new_attempt(database, person(), "a" * 2_000)
        entries = [owner.entry(stored, type_batch(stored, "a")) for _ in range(GROUP_MAX + 40)]
        database.commits = 0
        async with running(Journal(database)) as journal:
            for entry in entries:
                journal.write(entry)
            await journal.flush()
        assert owner.settled_entries == entries
        assert database.commits == 2
        assert await journal_seqs(database, stored) == list(range(1, GROUP_MAX + 41))


class Watcher(Recorder):
    """Looks from outside, the moment it is told, whether what was settled is in the store."""

    def __init__(self, other: Database) -> None:
        super().__init__()
        self._other = other
        self.looks: list[asyncio.Task[int]] = []

    def settled(self, entry: Entry, outcome: Outcome, personal_best: float | None) -> None:
        super().settled(entry, outcome, personal_best)
        assert entry.batch is not None
        self.looks.append(asyncio.ensure_future(self._count(entry.attempt_id, entry.batch.seq)))

    async def _count(self, attempt_id: str, seq: int) -> int:
        return sum(batch.seq == seq for batch in await batches_of(self._other, attempt_id))


async def test_what_is_settled_can_be_seen_from_outside(database_url: str) -> None:
    async with opened_database(database_url) as database, opened_database(database_url) as other:
        owner = Watcher(other)
        stored = await new_attempt(database, person())
        async with running(Journal(database)) as journal:
            for keys in ("a ", "b", "ad c"):
                journal.write(owner.entry(stored, type_batch(stored, keys)))
                await asyncio.sleep(0.01)
            await journal.flush()
        assert await asyncio.gather(*owner.looks) == [1, 1, 1]


# The store away


async def test_while_the_store_is_away_nothing_settles_and_nothing_is_lost(
    database_url: str,
) -> None:
    owner = Recorder()
    async with opened_database(database_url) as database:
        stored = await new_attempt(database, person())
        async with running(Journal(database)) as journal:
            database.away = AWAY
            entries = [owner.entry(stored, type_batch(stored, key)) for key in "a bad"]
            for entry in entries:
                journal.write(entry)
                await asyncio.sleep(0.02)
            await eventually(lambda: owner.stalls > 0, within_s=0.4)
            assert not owner.outcomes
            flushing = asyncio.create_task(journal.flush())
            await asyncio.sleep(0.3)
            assert not flushing.done()

            database.away = None
            async with asyncio.timeout(3):
                await flushing
        assert owner.settled_entries == entries
        assert {outcome for _, outcome, _ in owner.outcomes} == {Outcome.COMMITTED}
        assert await journal_seqs(database, stored) == [1, 2, 3, 4, 5]


async def test_a_quick_store_never_stalls(sqlite_url: str) -> None:
    owner = Recorder()
    async with opened_database(sqlite_url) as database:
        stored = await new_attempt(database, person())
        async with running(Journal(database)) as journal:
            for key in "a bad ca":
                journal.write(owner.entry(stored, type_batch(stored, key)))
                await asyncio.sleep(0.05)
            await journal.flush()
    assert owner.stalls == 0


class Leaver(Recorder):
    """Sends the store away as soon as it is told anything."""

    def __init__(self, database: FaultyDatabase) -> None:
        super().__init__()
        self._database = database

    def settled(self, entry: Entry, outcome: Outcome, personal_best: float | None) -> None:
        super().settled(entry, outcome, personal_best)
        self._database.away = AWAY


async def test_once_settled_an_entry_never_stalls(database_url: str) -> None:
    """One entry is refused for good, so each is committed apart; then the store goes away."""
    async with opened_database(database_url) as database:
        patient, waiting, refused = Recorder(), Recorder(), Leaver(database)
        settled = await new_attempt(database, person())
        bad = await new_attempt(database, person())
        late = await new_attempt(database, person())
        journal = Journal(database)
        journal.write(patient.entry(settled, type_batch(settled, "a")))
        journal.write(unstorable(refused, bad))
        journal.write(waiting.entry(late, type_batch(late, "a")))

        async with running(journal):
            await eventually(lambda: bool(refused.outcomes))
            told = patient.stalls
            await eventually(lambda: waiting.stalls > 0)
            assert [outcome for _, outcome, _ in patient.outcomes] == [Outcome.COMMITTED]
            assert patient.stalls == told
            database.away = None
            await journal.flush()
        assert [outcome for _, outcome, _ in waiting.outcomes] == [Outcome.COMMITTED]


async def test_flush_has_nothing_to_wait_for_when_nothing_waits(sqlite_url: str) -> None:
    async with opened_database(sqlite_url) as database, running(Journal(database)) as journal:
        async with asyncio.timeout(0.5):
            await journal.flush()


# What the store refuses


def unstorable(owner: Recorder, stored: StoredAttempt) -> Entry:
    """The end of an attempt with a key of no person in the store."""
    type_batch(stored, "a")
    entry = owner.end(stored, why=EndReason.QUIT)
    assert entry.ending is not None
    return replace(entry, ending=replace(entry.ending, user_id="nobody"))


def too_long(owner: Recorder, stored: StoredAttempt) -> Entry:
    """The end of an attempt whose numbers no column of any store can hold."""
    type_batch(stored, "a")
    entry = owner.end(stored, why=EndReason.QUIT)
    assert entry.ending is not None
    columns = entry.ending.columns | {"duration_ms": 2**70}
    return replace(entry, ending=replace(entry.ending, columns=columns))


def not_text(owner: Recorder, stored: StoredAttempt) -> Entry:
    """The end of an attempt with a lone surrogate, which has no UTF-8."""
    type_batch(stored, "a")
    entry = owner.end(stored, why=EndReason.QUIT)
    assert entry.ending is not None
    keys = {"\ud800": next(iter(entry.ending.keys.values()))}
    return replace(entry, ending=replace(entry.ending, keys=keys))


@pytest.mark.parametrize("spoilt", [unstorable, too_long, not_text])
async def test_an_entry_the_store_refuses_for_good_holds_nobody_up(
    database_url: str,
    spoilt: Callable[[Recorder, StoredAttempt], Entry],
    caplog: pytest.LogCaptureFixture,
) -> None:
    owner, other = Recorder(), Recorder()
    async with opened_database(database_url) as database:
        before, bad, after = [await new_attempt(database, person()) for _ in range(3)]
        journal = Journal(database)
        journal.write(other.entry(before, type_batch(before, "a")))
        entry = spoilt(owner, bad)
        journal.write(entry)
        journal.write(other.entry(after, type_batch(after, "a")))
        with caplog.at_level(logging.ERROR):
            async with running(journal), asyncio.timeout(3):
                await journal.flush()

        assert owner.told(entry) == (Outcome.IMPOSSIBLE, None)
        assert [outcome for _, outcome, _ in other.outcomes] == [Outcome.COMMITTED] * 2
        assert (await attempt_row(database, bad))["state"] == "armed"
        assert bad.row["id"] in caplog.text


# Who may write


async def test_an_older_epoch_writes_nothing_and_is_told(database_url: str) -> None:
    """The first process sleeps with keystrokes queued; they arrive after another took over."""
    older, newer = Recorder(), Recorder()
    who = person()
    async with opened_database(database_url) as first, opened_database(database_url) as second:
        stored = await new_attempt(first, who)
        asleep = Journal(first)
        stale = [
            older.entry(stored, type_batch(stored, "a ")),
            older.end(stored, type_batch(stored, "xxxxxxx")),
        ]
        for entry in stale:
            asleep.write(entry)

        again = await resumed(second, stored.row["id"], who)
        assert again.attempt.seq == 0
        entries = [newer.entry(again, type_batch(again, "a b"))]
        async with running(Journal(second)) as awake:
            awake.write(entries[0])
            await awake.flush()
            async with running(asleep):
                await asleep.flush()
            entries.append(newer.end(again, type_batch(again, "ad cab")))
            awake.write(entries[1])
            await awake.flush()

        assert [outcome for _, outcome, _ in older.outcomes] == [Outcome.FENCED] * 2
        assert [newer.told(entry)[0] for entry in entries] == [Outcome.COMMITTED] * 2
        row = await attempt_row(first, stored)
        assert (row["state"], row["errors"], row["events"]) == ("finished", 0, 9)
        assert await stored_counters(first, who) == recounted([again])


async def test_two_processes_that_write_at_once_keep_one_history(database_url: str) -> None:
    """Whoever comes first, the batches of one of them alone are in the journal."""
    who, older, newer = person(), Recorder(), Recorder()
    async with opened_database(database_url) as first, opened_database(database_url) as second:
        stored = await new_attempt(first, who, "a" * 200)
        async with running(Journal(first)) as old, running(Journal(second)) as new:
            for _ in range(10):
                old.write(older.entry(stored, type_batch(stored, "a")))
                await asyncio.sleep(0.002)
            again = await resumed(second, stored.row["id"], who)
            durable = again.attempt.seq
            for _ in range(10):
                old.write(older.entry(stored, type_batch(stored, "x")))
                new.write(newer.entry(again, type_batch(again, "a")))
                await asyncio.sleep(0.002)
            await old.flush()
            await new.flush()

        committed = [told for told in older.outcomes if told[1] is Outcome.COMMITTED]
        assert len(committed) == durable
        assert {outcome for _, outcome, _ in newer.outcomes} == {Outcome.COMMITTED}
        last = await resumed(first, stored.row["id"], who)
        assert [keystroke.key for keystroke in last.attempt.log] == ["a"] * (durable + 10)


async def test_who_takes_an_attempt_waits_for_a_commit_under_way(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the older one would be told `committed` of keystrokes the newer one never saw."""
    who, older, gate = person(), Recorder(), Gate()
    loop = asyncio.get_running_loop()

    def keep_late(connection: Connection, batches: Iterable[tuple[str, Batch]]) -> None:
        gate.hold(loop)
        keep_batches(connection, batches)

    monkeypatch.setattr("server.db.journal.keep_batches", keep_late)
    async with opened_database(database_url) as first, opened_database(database_url) as second:
        stored = await new_attempt(first, who)
        async with running(Journal(first)) as journal:
            journal.write(older.entry(stored, type_batch(stored, "a b")))
            await gate.reached.wait()
            taking = asyncio.create_task(resumed(second, stored.row["id"], who))
            await asyncio.sleep(0.2)
            assert not taking.done()
            gate.open.set()
            again = await taking
            await journal.flush()
        assert [outcome for _, outcome, _ in older.outcomes] == [Outcome.COMMITTED]
        assert again.attempt.log == stored.attempt.log


async def test_an_entry_of_an_attempt_that_is_gone_is_fenced(database_url: str) -> None:
    owner = Recorder()
    async with opened_database(database_url) as database:
        stored = await new_attempt(database, person())
        entry = replace(owner.entry(stored, type_batch(stored, "a")), attempt_id="gone")
        async with running(Journal(database)) as journal:
            journal.write(entry)
            await journal.flush()
        assert owner.told(entry) == (Outcome.FENCED, None)


async def test_keystrokes_after_another_ended_the_attempt_are_fenced(database_url: str) -> None:
    late, ender = Recorder(), Recorder()
    who = person()
    async with opened_database(database_url) as database:
        stored = await new_attempt(database, who)
        again = await resumed(database, stored.row["id"], who)
        async with running(Journal(database)) as journal:
            journal.write(ender.end(again, type_batch(again, TEXT)))
            entry = late.entry(stored, type_batch(stored, "x"))
            journal.write(entry)
            await journal.flush()
        assert late.told(entry) == (Outcome.FENCED, None)
        assert not await journal_seqs(database, stored)
        assert await stored_counters(database, who) == recounted([again])


async def test_a_commit_whose_answer_was_lost_is_not_made_twice(database_url: str) -> None:
    owner = Recorder()
    async with opened_database(database_url) as database:
        stored = await new_attempt(database, person())
        database.answers_to_lose = 2
        entries = [
            owner.entry(stored, type_batch(stored, "a b")),
            owner.entry(stored, type_batch(stored, "ad")),
        ]
        async with running(Journal(database)) as journal:
            for entry in entries:
                journal.write(entry)
            await journal.flush()
        assert [owner.told(entry)[0] for entry in entries] == [Outcome.COMMITTED] * 2
        assert await journal_seqs(database, stored) == [1, 4]
