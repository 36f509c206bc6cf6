"""What was brought along is stored whole or not at all."""

from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from server.core.key_stats import KeyStats
from server.core.source import Source, SourceKind
from server.db.database import Database
from server.db.imports import COUNTER_MAX, ROWS_AT_ONCE, NewResults, load_known, store_results
from server.db.queries import Person, attempts, key_counters, users
from server.imports.results import Fingerprints, Imported, Trainer
from tests.db.plans import asking, full_scans
from tests.db.stored import opened_database, person

NOW_MS = 1_795_000_000_000
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


async def test_what_breaks_in_the_middle_leaves_nothing(database_url: str) -> None:
    async with opened_database(database_url) as database:
        who = person()
        new = results(who, 3 * ROWS_AT_ONCE)
        same = new.rows[0][0]
        new.rows[-1] = (same, *new.rows[-1][1:])  # an id that is taken: refused in the last slice
        with pytest.raises(IntegrityError):
            await store_results(database, who, new, NOW_MS)
        assert await load_known(database, who.id) == frozenset()
        assert await presses(database, who) == []
        async with database.read() as connection:
            assert (await connection.execute(select(users).where(users.c.id == who.id))).all() == []
        whole = 3 * ROWS_AT_ONCE + 1
        assert await store_results(database, who, results(who, whole), NOW_MS) == whole
        assert await presses(database, who) == [10 * whole]


async def test_what_came_meanwhile_is_not_stored_again(database_url: str) -> None:
    async with opened_database(database_url) as database:
        who = person()
        early, late = results(who, 3), results(who, 5)
        assert await store_results(database, who, early, NOW_MS) == 3
        assert await store_results(database, who, late, NOW_MS) == 2
        assert await presses(database, who) == [50]
        assert len(await load_known(database, who.id)) == 5


async def test_nobody_is_brought_anything_who_is_gone(database_url: str) -> None:
    async with opened_database(database_url) as database:
        member = replace(person(), guest=False)
        assert await store_results(database, member, results(member, 1), NOW_MS) is None


async def test_no_claim_leaves_a_counter_without_room(database_url: str) -> None:
    async with opened_database(database_url) as database:
        who = person()
        for place in range(3):
            new = NewResults(who.id, await load_known(database, who.id))
            boast = LESSON._replace(
                finished_at_ms=NOW_MS + place, keys={"a": KeyStats(2**31 - 1, 0, 2**40, 2**31 - 1)}
            )
            new.add(str(place), Trainer.KEYBR, boast)
            await store_results(database, who, new, NOW_MS)
        assert await presses(database, who) == [COUNTER_MAX]


async def test_no_table_is_read_whole(database_url: str) -> None:
    async with opened_database(database_url) as database:
        who = person()
        await store_results(database, who, results(who, 50), NOW_MS)
        async with asking(database) as asked:
            await load_known(database, who.id)
            await store_results(database, who, results(who, 60), NOW_MS)
        assert asked
        for table in (attempts.name, users.name, key_counters.name):
            assert await full_scans(database, asked, table) == []
