"""Races in the store: which one a quick match takes, who may write, and what is read how."""

import uuid
from collections.abc import AsyncIterator, Sequence
from functools import partial

import pytest
import pytest_asyncio
from sqlalchemy import update

from server.core.race import Phase, Race
from server.core.source import Source, SourceKind
from server.core.typed_text import ErrorRule
from server.db.database import Database
from server.db.processes import list_orphans
from server.db.queries import Person, users
from server.db.race_lookup import (
    find_ghosts,
    find_race,
    find_rematch,
    find_seat,
    list_held,
    list_unheard,
    load_events,
    load_ghosts,
    load_tops,
    recent_wpm,
)
from server.db.race_rows import StoredRace
from server.db.races import (
    NewRace,
    RaceTaken,
    change_race,
    load_race,
    open_race,
    quick_race,
    take_race,
)
from tests.db.plans import asking, full_scans
from tests.db.stored import OPENED_AT_MS as NOW_MS
from tests.db.stored import opened_database, person, rows

ME, OTHER = "a" * 32, "b" * 32


@pytest_asyncio.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with opened_database(database_url) as database:
        yield database


def new_race(wpm: float, *, language: str = "en", quick: bool = True, most: int = 20) -> NewRace:
    return NewRace(
        id=str(uuid.uuid4()),
        code=uuid.uuid4().hex[:6].upper(),
        driver=ME,
        source=Source(SourceKind.RANDOM, language=language, length="medium"),
        rule=ErrorRule.CORRECT,
        text="the text",
        language=language,
        layout="qwerty",
        speed_wpm=wpm,
        quick=quick,
        racers_max=most,
    )


def joins(who: Person, race: Race) -> None:
    race.join(who.id, who.name, str(uuid.uuid4()), f"{ME}/{who.id}", NOW_MS)


async def opened(database: Database, new: NewRace) -> StoredRace:
    """That race with one racer in it."""
    who = person()
    return (await open_race(database, new, who, partial(joins, who), NOW_MS)).stored


async def matched(database: Database, wpm: float, language: str = "en") -> str:
    """The race that somebody who types so fast gets into by a quick match."""
    who, new = person(), new_race(wpm, language=language)
    changed = await quick_race(database, new, who, partial(joins, who), NOW_MS)
    return changed.stored.race.id


# Quick matches


async def test_a_quick_match_is_with_those_who_are_as_fast(database: Database) -> None:
    speeds = (30.0, 75.0, 120.0)
    open_races = {wpm: (await opened(database, new_race(wpm))).race.id for wpm in speeds}
    found = [await matched(database, wpm) for wpm in (10, 51, 54, 90, 99, 250)]
    assert found == [open_races[wpm] for wpm in (30, 30, 75, 75, 120, 120)]


async def test_a_quick_match_passes_over_what_nobody_can_enter(database: Database) -> None:
    full = await opened(database, new_race(60, most=1))
    private = await opened(database, new_race(60, quick=False))
    russian = await opened(database, new_race(60, language="ru"))
    started = await opened(database, new_race(60))
    who = person()
    for command in (partial(joins, who), starts):
        await change_race(
            database, started.race.id, command, NOW_MS, epoch=started.epoch, person=who
        )
    far = await opened(database, new_race(200))
    assert await matched(database, 60) == far.race.id
    assert await matched(database, 60, "ru") == russian.race.id
    assert {full.race.id, private.race.id}.isdisjoint({far.race.id, russian.race.id})


def starts(race: Race) -> None:
    race.start(race.racers[0], NOW_MS)


async def test_a_quick_match_that_finds_none_opens_one(database: Database) -> None:
    first = await matched(database, 60)
    assert [row.id for row in await rows(database, "SELECT id FROM races")] == [first]
    assert await matched(database, 60) == first


async def test_each_racer_types_it_with_a_layout_of_their_own(database: Database) -> None:
    race = await opened(database, new_race(60))
    who = person()
    chosen = {"layouts": {"en": "dvorak", "ru": "jcuken"}}
    joined = await change_race(
        database, race.race.id, partial(joins, who), NOW_MS, epoch=1, person=who
    )
    async with database.write() as connection:
        await connection.execute(update(users).where(users.c.id == who.id).values(settings=chosen))
    started = await change_race(database, race.race.id, starts, NOW_MS, epoch=1)
    assert started.stored.layouts == {0: "qwerty", 1: "dvorak"}
    attempts = await rows(database, "SELECT user_id, layout FROM attempts")
    assert {row.layout for row in attempts if row.user_id == who.id} == {"dvorak"}
    assert {row.layout for row in attempts if row.user_id != who.id} == {"qwerty"}
    async with database.write() as connection:  # what is chosen now is for the next race
        await connection.execute(update(users).values(settings={"layouts": {"en": "colemak"}}))
    assert (await load_race(database, race.race.id)).layouts == {0: "qwerty", 1: "dvorak"}
    assert len(joined.stored.layouts) == 1  # a racer's is read with the next step


# Who may write


async def test_who_has_missed_that_a_race_was_taken_writes_nothing(database: Database) -> None:
    race = await opened(database, new_race(60))
    await take_race(database, race.race.id, ME, OTHER, NOW_MS)
    kept = await everything(database)
    who = person()
    with pytest.raises(RaceTaken):
        await change_race(
            database, race.race.id, partial(joins, who), NOW_MS, epoch=race.epoch, person=who
        )
    assert await everything(database) == kept
    known = await load_race(database, race.race.id)
    assert (known.driver, known.epoch) == (OTHER, race.epoch + 1)
    await change_race(
        database, race.race.id, partial(joins, who), NOW_MS, epoch=known.epoch, person=who
    )
    assert await everything(database) != kept


async def everything(database: Database) -> list[Sequence[object]]:
    """All rows that a command of a race writes."""
    asked = ("SELECT * FROM races", "SELECT * FROM racers", "SELECT * FROM race_events")
    return [await rows(database, question) for question in asked]


async def test_a_process_that_only_had_people_there_is_shut_out_too(database: Database) -> None:
    race = await opened(database, new_race(60))
    await take_race(database, race.race.id, OTHER, ME, NOW_MS)
    known = await load_race(database, race.race.id)
    assert (known.driver, known.epoch) == (ME, race.epoch + 1)


async def test_a_process_finds_what_it_holds(database: Database) -> None:
    mine = await opened(database, new_race(60))
    theirs = await opened(database, new_race(90))
    await take_race(database, theirs.race.id, ME, OTHER, NOW_MS)
    over = await opened(database, new_race(120))
    await change_race(database, over.race.id, leaves, NOW_MS, epoch=over.epoch)
    seat = mine.race.racers[0].seat
    assert await list_held(database, ME) == {(mine.race.id, None), (mine.race.id, seat)}
    assert await list_held(database, OTHER) == {(theirs.race.id, None)}


def leaves(race: Race) -> None:
    race.leave(race.racers[0], NOW_MS)
    assert race.phase is Phase.CANCELLED


# How the store answers


async def test_what_processes_ask_all_the_time_reads_no_table_whole(database: Database) -> None:
    await opened(database, new_race(60))
    async with asking(database) as asked:
        await list_held(database, ME)
        await list_unheard(database, ME)
        await list_orphans(database, [ME])
        await load_tops(database, ["race"])
        await load_events(database, "race", 0)
        await find_race(database, "ABCDEF")
        await find_rematch(database, "race")
        await find_seat(database, "attempt", "user")
        await find_ghosts(database, "user", ["attempt"])
        await load_ghosts(database, ["attempt"])
        await recent_wpm(database, "user")
        await matched(database, 60)
    tables = ("races", "racers", "race_events", "attempts", "users", "bests")
    scanned = {table: await full_scans(database, asked, table) for table in tables}
    assert {table: found for table, found in scanned.items() if found} == {}
