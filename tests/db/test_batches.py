"""Batches as they came, and sorted by attempt: whoever reads them finds the same."""

import asyncio

import pytest
from sqlalchemy import Connection

import server.db.batches
from server.core.attempt import Batch
from server.core.typed_text import Keystroke
from server.db.batches import keep_batches, sort_batches
from server.db.database import Database
from server.db.queries import OPEN_STATES, StoredAttempt
from tests.db.stored import (
    FaultyDatabase,
    attempt_row,
    batches_of,
    change,
    new_attempt,
    opened_database,
    person,
    resumed,
    rows,
    type_batch,
)

AWAY = ConnectionRefusedError("the store is away")


async def commit(database: Database, *batches: tuple[StoredAttempt, Batch]) -> None:
    def work(connection: Connection) -> None:
        keep_batches(connection, [(stored.row["id"], batch) for stored, batch in batches])

    await database.transact(work)


async def sorted_seqs(database: Database, stored: StoredAttempt) -> list[int]:
    question = "SELECT seq FROM journal WHERE attempt_id = :id ORDER BY seq"
    return [row["seq"] for row in await rows(database, question, id=stored.row["id"])]


async def test_the_same_is_read_before_and_after_sorting(database_url: str) -> None:
    async with opened_database(database_url) as database:
        who = person()
        one, other = await new_attempt(database, who), await new_attempt(database, person())
        await commit(database, (one, type_batch(one, "a ")), (other, type_batch(other, "a")))
        await sort_batches(database, OPEN_STATES)
        await commit(database, (one, type_batch(one, "b")))
        await commit(database, (other, type_batch(other, " b")), (one, type_batch(one, "ad")))
        assert await sorted_seqs(database, one) == [1]
        assert await batches_of(database, one.row["id"]) == one.attempt.batches
        assert (await resumed(database, one.row["id"], who)).attempt.log == one.attempt.log
        await sort_batches(database, OPEN_STATES)
        assert await sorted_seqs(database, one) == [1, 3, 4]
        assert await sorted_seqs(database, other) == [1, 2]
        assert await rows(database, "SELECT n FROM commits") == []
        for stored in (one, other):
            assert await batches_of(database, stored.row["id"]) == stored.attempt.batches


async def test_what_was_committed_twice_is_read_once(database_url: str) -> None:
    async with opened_database(database_url) as database:
        stored = await new_attempt(database, person())
        batch = type_batch(stored, "a b")
        await commit(database, (stored, batch))
        await commit(database, (stored, batch))
        assert await batches_of(database, stored.row["id"]) == [batch]
        await sort_batches(database, OPEN_STATES)
        assert await batches_of(database, stored.row["id"]) == [batch]


async def test_sorting_that_breaks_off_loses_nothing(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.db.batches, "ATTEMPTS_AT_ONCE", 1)
    async with opened_database(database_url) as database:
        attempts = [await new_attempt(database, person()) for _ in range(3)]
        await commit(database, *((stored, type_batch(stored, "a ")) for stored in attempts))
        await break_off_after(database, commits=2)
        assert sum([len(await sorted_seqs(database, stored)) for stored in attempts]) == 2
        for stored in attempts:
            assert await batches_of(database, stored.row["id"]) == stored.attempt.batches
        await sort_batches(database, OPEN_STATES)
        assert [await sorted_seqs(database, stored) for stored in attempts] == [[1]] * 3


async def break_off_after(database: FaultyDatabase, commits: int) -> None:
    """Sort until so many transactions are committed; then the store is away."""
    database.commits = 0
    transact = database.transact

    async def some(work: object) -> object:
        if database.commits == commits:
            raise AWAY
        return await transact(work)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "transact", some)
        with pytest.raises(ConnectionRefusedError):
            await sort_batches(database, OPEN_STATES)


async def test_of_ended_or_deleted_attempts_nothing_is_kept(database_url: str) -> None:
    async with opened_database(database_url) as database:
        ended, gone = await new_attempt(database, person()), await new_attempt(database, person())
        await commit(database, (ended, type_batch(ended, "a")), (gone, type_batch(gone, "a")))
        await change(
            database, "UPDATE attempts SET state = 'finished' WHERE id = :id", id=ended.row["id"]
        )
        await change(database, "DELETE FROM attempts WHERE id = :id", id=gone.row["id"])
        await sort_batches(database, OPEN_STATES)
        assert await rows(database, "SELECT 1 AS one FROM journal") == []
        assert await rows(database, "SELECT n FROM commits") == []
        assert (await attempt_row(database, ended))["state"] == "finished"


async def test_an_id_that_somebody_else_typed_finds_nothing(database_url: str) -> None:
    async with opened_database(database_url) as database:
        one, other = await new_attempt(database, person()), await new_attempt(database, person())
        keystrokes = tuple(Keystroke(0, key) for key in [one.row["id"][:8], one.row["id"]])
        await commit(database, (other, Batch(1, 1, keystrokes)))
        assert await batches_of(database, one.row["id"]) == []
        assert await batches_of(database, other.row["id"]) == [Batch(1, 1, keystrokes)]


async def test_two_processes_may_sort_at_once(postgresql_url: str) -> None:
    async with opened_database(postgresql_url) as first, opened_database(postgresql_url) as second:
        attempts = [await new_attempt(first, person()) for _ in range(20)]
        for key in "a ba":
            await commit(first, *((stored, type_batch(stored, key)) for stored in attempts))
        await asyncio.gather(
            sort_batches(first, OPEN_STATES),
            sort_batches(second, OPEN_STATES),
            commit(second, *((stored, type_batch(stored, "d")) for stored in attempts)),
        )
        for stored in attempts:
            assert await batches_of(first, stored.row["id"]) == stored.attempt.batches
