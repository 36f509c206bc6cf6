"""What was brought along is stored whole or not at all."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import IntegrityError

from server.core.key_stats import KeyStats
from server.core.source import Source, SourceKind
from server.db.accounts import delete_person, log_in
from server.db.database import Database
from server.db.imports import COUNTER_MAX, ROWS_AT_ONCE, Imports, NewResults, undo_unfinished
from server.db.logins import NewLogin
from server.db.queries import Person, attempts, key_counters, users
from server.imports.results import Fingerprints, Imported, Trainer
from tests.db.plans import asking, full_scans
from tests.db.stored import add_people, change, opened_database, person

NOW_MS = 1_795_000_000_000
GUEST_AND_BEGINNING = 2  # transactions before the first slice
LESSON = Imported(
    finished_at_ms=NOW_MS,
    duration_ms=60_000,
    wpm=50.0,
    accuracy=0.95,
    errors=5,
    chars=250,
    source=Source(SourceKind.PRACTICE, language="en", layout="qwerty"),
    language="en",
    layout="qwerty",
    keys={"a": KeyStats(10, 1, 900, 9)},
)


def results(who: Person, count: int, known: frozenset[str] = frozenset()) -> NewResults:
    new, fingerprints = NewResults(who.id, known), Fingerprints()
    for place in range(count):
        lesson = LESSON._replace(finished_at_ms=NOW_MS + place)
        new.add(fingerprints.of(Trainer.KEYBR, lesson), Trainer.KEYBR, lesson)
    return new


async def presses(database: Database, who: Person) -> list[int]:
    question = select(key_counters.c.presses).where(key_counters.c.user_id == who.id)
    async with database.read() as connection:
        return list((await connection.execute(question)).scalars())


async def stored_of(database: Database, who: Person) -> int:
    question = select(func.count()).select_from(attempts).where(attempts.c.user_id == who.id)
    async with database.read() as connection:
        return int((await connection.execute(question)).scalar_one())


async def test_what_breaks_in_the_middle_leaves_nothing(database_url: str) -> None:
    async with opened_database(database_url) as database:
        who = person()
        new = results(who, 3 * ROWS_AT_ONCE)
        same = new.rows[0][0]
        new.rows[-1] = (same, *new.rows[-1][1:])  # an id that is taken: refused in the last slice
        with pytest.raises(IntegrityError):
            await Imports(database).store(who, new, NOW_MS)
        assert await Imports(database).known(who.id) == frozenset()
        assert await presses(database, who) == []
        assert await stored_of(database, who) == 0
        whole = 3 * ROWS_AT_ONCE + 1
        assert await Imports(database).store(who, results(who, whole), NOW_MS) == whole
        assert await presses(database, who) == [10 * whole]


async def test_what_came_meanwhile_is_not_stored_again(database_url: str) -> None:
    async with opened_database(database_url) as database:
        who = person()
        early, late = results(who, 3), results(who, 5)
        assert await Imports(database).store(who, early, NOW_MS) == 3
        assert await Imports(database).store(who, late, NOW_MS) == 2
        assert await presses(database, who) == [50]
        assert len(await Imports(database).known(who.id)) == 5


async def test_nobody_is_brought_anything_who_is_gone(database_url: str) -> None:
    async with opened_database(database_url) as database:
        member = replace(person(), guest=False)
        assert await Imports(database).store(member, results(member, 1), NOW_MS) is None


async def test_no_claim_leaves_a_counter_without_room(database_url: str) -> None:
    async with opened_database(database_url) as database:
        who = person()
        for place in range(3):
            new = NewResults(who.id, await Imports(database).known(who.id))
            boast = LESSON._replace(
                finished_at_ms=NOW_MS + place, keys={"a": KeyStats(2**31 - 1, 0, 2**40, 2**31 - 1)}
            )
            new.add(str(place), Trainer.KEYBR, boast)
            await Imports(database).store(who, new, NOW_MS)
        assert await presses(database, who) == [COUNTER_MAX]


async def test_no_table_is_read_whole(database_url: str) -> None:
    async with opened_database(database_url) as database:
        who = person()
        await Imports(database).store(who, results(who, 50), NOW_MS)
        async with asking(database) as asked:
            await Imports(database).known(who.id)
            await Imports(database).store(who, results(who, 60), NOW_MS)
        assert asked
        for table in (attempts.name, users.name, key_counters.name):
            assert await full_scans(database, asked, table) == []


# In slices


@asynccontextmanager
async def halfway(
    database: Database, who: Person, new: NewResults, slices: int = 2
) -> AsyncIterator[Any]:
    """Yields the task that stores them, when it has stored so many slices and stands still."""
    half, go_on, transactions = asyncio.Event(), asyncio.Event(), 0

    class Halting:
        embedded, read = database.embedded, database.read

        async def transact(self, work: Callable[[Connection], Any]) -> Any:
            nonlocal transactions
            transactions += 1
            if transactions == GUEST_AND_BEGINNING + slices + 1:
                half.set()
                await go_on.wait()
            return await database.transact(work)

    storing = asyncio.create_task(Imports(Halting()).store(who, new, NOW_MS))  # type: ignore[arg-type]
    await asyncio.wait_for(half.wait(), 10)
    assert await stored_of(database, who) == slices * ROWS_AT_ONCE
    try:
        yield storing
        go_on.set()
        await asyncio.wait([storing], timeout=10)
    finally:
        storing.cancel()


async def test_what_was_cut_off_is_gone_before_anything_is_asked(sqlite_url: str) -> None:
    async with opened_database(sqlite_url) as database:
        who, whole = person(), 4 * ROWS_AT_ONCE
        async with halfway(database, who, results(who, whole)) as storing:
            version = await history_version(database, who)
            storing.cancel()
        await Imports(database).sweep()
        assert await stored_of(database, who) == 0
        assert await history_version(database, who) > version  # what was answered of it is old
        assert await Imports(database).store(who, results(who, whole), NOW_MS) == whole
        await Imports(database).sweep()
        assert await stored_of(database, who) == whole
        assert await presses(database, who) == [10 * whole]


async def test_the_next_file_clears_away_what_was_cut_off(sqlite_url: str) -> None:
    async with opened_database(sqlite_url) as database:
        who, other, whole = person(), person(), 4 * ROWS_AT_ONCE
        async with halfway(database, who, results(who, whole)) as storing:
            storing.cancel()
        assert await Imports(database).store(other, results(other, 1), NOW_MS) == 1
        assert await stored_of(database, who) == 0


async def test_nothing_is_known_while_it_may_yet_go(sqlite_url: str) -> None:
    async with opened_database(sqlite_url) as database:
        who, whole = person(), 4 * ROWS_AT_ONCE
        async with halfway(database, who, results(who, whole)) as storing:
            assert await Imports(database).known(who.id) == frozenset()
        assert storing.result() == whole
        assert len(await Imports(database).known(who.id)) == whole


async def test_whoever_goes_meanwhile_takes_it_along(sqlite_url: str) -> None:
    async with opened_database(sqlite_url) as database:
        who = person()
        async with halfway(database, who, results(who, 4 * ROWS_AT_ONCE)) as storing:
            await delete_person(database, who.id, NOW_MS)
        assert storing.result() is None
        assert await stored_of(database, who) == 0


async def test_whoever_signs_in_meanwhile_brings_no_half_of_it(sqlite_url: str) -> None:
    async with opened_database(sqlite_url) as database:
        who, whole = person(), 4 * ROWS_AT_ONCE
        await add_people(database, "member")
        await change(database, "UPDATE users SET password_hash = 'right' WHERE id = 'member'")
        login = NewLogin(str(uuid4()), "hash")
        async with halfway(database, who, results(who, whole)) as storing:
            assert await log_in(database, "member", "right", login, who.id, NOW_MS) is not None
        assert storing.result() is None
        async with database.read() as connection:
            assert (await connection.execute(select(attempts.c.id))).all() == []


async def test_what_a_guest_has_outlives_the_same_file_cut_off(sqlite_url: str) -> None:
    async with opened_database(sqlite_url) as database:
        guest, member, whole = person(), replace(person(), guest=False), 4 * ROWS_AT_ONCE
        await add_people(database, member.id)
        await change(database, "UPDATE users SET password_hash = 'right' WHERE guest = FALSE")
        await Imports(database).store(guest, results(guest, whole), NOW_MS)
        login = NewLogin(str(uuid4()), "hash")
        async with halfway(database, member, results(member, whole)) as storing:
            await log_in(database, member.id, "right", login, guest.id, NOW_MS)
            storing.cancel()
        await Imports(database).sweep()
        assert await stored_of(database, member) == whole


@pytest.mark.parametrize("slices", [2, 4])
async def test_what_is_undone_meanwhile_is_stored_anew(sqlite_url: str, slices: int) -> None:
    async with opened_database(sqlite_url) as database:
        who, whole = person(), 4 * ROWS_AT_ONCE
        async with halfway(database, who, results(who, whole), slices) as storing:
            await database.transact(partial(undo_unfinished, user_ids=[who.id]))
            assert await stored_of(database, who) == 0
        assert storing.result() == whole
        assert await stored_of(database, who) == whole
        assert await presses(database, who) == [10 * whole]


async def history_version(database: Database, who: Person) -> int:
    async with database.read() as connection:
        found = await connection.execute(
            select(users.c.history_version).where(users.c.id == who.id)
        )
        return int(found.scalar_one())


async def test_nobody_who_types_waits_for_a_whole_file(sqlite_url: str) -> None:
    async with opened_database(sqlite_url) as database:
        who, slices, commits = person(), 50, 0
        new = results(who, slices * ROWS_AT_ONCE)
        storing = asyncio.create_task(Imports(database).store(who, new, NOW_MS))
        while not storing.done():
            await database.transact(lambda _: None, first=True)
            commits += 1
            await asyncio.sleep(0.001)
        assert storing.result() == slices * ROWS_AT_ONCE
        assert commits > slices / 2
