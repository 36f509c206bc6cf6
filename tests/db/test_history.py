"""What a person has typed, asked of the store: the right rows, and by an index."""

from collections.abc import AsyncIterator
from random import Random

import pytest
import pytest_asyncio
from sqlalchemy import text

from server.core.attempt import EndReason
from server.core.source import Source, SourceKind
from server.db.database import Database
from server.db.history import (
    DAY_MS,
    Filter,
    Place,
    find_log,
    find_result,
    list_counts,
    list_history,
    load_counters,
)
from server.db.journal import Journal
from server.db.lessons import list_completed, list_tried
from server.db.stats import list_days
from tests.db.plans import asking, full_scans
from tests.db.stored import (
    Recorder,
    add_attempt,
    add_people,
    new_attempt,
    opened_database,
    person,
    running,
    type_batch,
)
from tests.fill import Row, fill, model

NOW_MS = 1_790_000_000_000
TIME_60 = Source(SourceKind.TIME, language="en", seconds=60)


@pytest_asyncio.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with opened_database(database_url) as opened:
        yield opened


@pytest.fixture(scope="module")
def typed_row() -> Row:
    return model(Source(SourceKind.WORDS, language="en", count=10), Random(7))


async def test_pages_by_cursor_and_by_offset_show_each_attempt_once(
    database: Database, typed_row: Row
) -> None:
    await add_people(database, "a", "b")
    # Five end in the same ms: the id decides between them.
    rows = [
        await add_attempt(database, typed_row, "a", NOW_MS + at, errors=n)
        for n, at in enumerate([0, 0, 0, 0, 0, 1, 2])
    ]
    await add_attempt(database, typed_row, "b", NOW_MS)
    newest_first = sorted(rows, key=lambda row: (row["finished_at_ms"], row["id"]), reverse=True)
    expected = [row["id"] for row in newest_first]

    by_offset: list[str] = []
    for offset in range(0, 9, 3):
        total, page = await list_history(database, "a", Filter(), limit=3, offset=offset)
        assert total == 7
        by_offset += [row["id"] for row in page]
    assert by_offset == expected

    by_cursor: list[str] = []
    after: Place | None = None
    while True:
        total, page = await list_history(database, "a", Filter(), limit=2, after=after)
        assert total == 7
        if not page:
            break
        by_cursor += [row["id"] for row in page]
        after = Place(page[-1]["finished_at_ms"], page[-1]["id"])
    assert by_cursor == expected


async def test_each_filter_leaves_what_it_names(database: Database, typed_row: Row) -> None:
    await add_people(database, "a")
    time_row = {"kind": "time", "mode": "time:60", "source": TIME_60.public()}
    plain = await add_attempt(database, typed_row, "a", NOW_MS, verdict="ranked")
    timed = await add_attempt(database, typed_row, "a", NOW_MS + 1, verdict="review", **time_row)
    russian = await add_attempt(
        database, typed_row, "a", NOW_MS + 2, verdict="ranked", language="ru", layout="jcuken"
    )
    unknown = await add_attempt(
        database, typed_row, "a", NOW_MS + 3, verdict="ranked", language=None
    )
    cases = [
        (Filter(kind="time"), [timed]),
        (Filter(mode="time:60"), [timed]),
        (Filter(mode="words:10"), [unknown, russian, plain]),
        (Filter(verdict="review"), [timed]),
        (Filter(language="ru"), [russian]),
        (Filter(language="und"), [unknown]),
        (Filter(layout="jcuken"), [russian]),
        (Filter(since_ms=NOW_MS + 2), [unknown, russian]),
        (Filter(until_ms=NOW_MS + 2), [timed, plain]),
        (Filter(since_ms=NOW_MS + 1, until_ms=NOW_MS + 2), [timed]),
        (Filter(kind="time", language="ru"), []),
    ]
    for wanted, expected in cases:
        total, page = await list_history(database, "a", wanted, limit=10)
        assert (total, [row["id"] for row in page]) == (
            len(expected),
            [row["id"] for row in expected],
        ), wanted


async def test_empty_open_and_void_attempts_are_not_in_history(database: Database) -> None:
    who = person()
    owner = Recorder()
    async with running(Journal(database)) as journal:
        empty = await new_attempt(database, who)
        journal.write(owner.end(empty, why=EndReason.QUIT))
        void = await new_attempt(database, who)
        batch = type_batch(void, "a ba")
        journal.write(owner.end(void, batch, EndReason.CONFLICT))
        open_attempt = await new_attempt(database, who)
        journal.write(owner.entry(open_attempt, type_batch(open_attempt, "a b")))
        typed = await new_attempt(database, who)
        journal.write(owner.end(typed, type_batch(typed, "a bad cab")))
        await journal.flush()
    total, page = await list_history(database, who.id, Filter(), limit=10)
    assert (total, [row["id"] for row in page]) == (1, [typed.row["id"]])
    assert (await list_counts(database, who.id, Filter(), 10)).attempts == 1
    for other in (empty, void, open_attempt):
        assert await find_result(database, who.id, other.row["id"]) is None
        assert await find_log(database, who.id, other.row["id"]) is None
    log = await find_log(database, who.id, typed.row["id"])
    assert log is not None
    assert log["text_preview"] == log["text"] == "a bad cab"
    assert await find_log(database, person().id, typed.row["id"]) is None
    assert await find_result(database, person().id, typed.row["id"]) is None


async def test_days_begin_where_the_person_is(database: Database, typed_row: Row) -> None:
    await add_people(database, "a")
    midnight_ms = NOW_MS // DAY_MS * DAY_MS
    await add_attempt(
        database, typed_row, "a", midnight_ms - 1, wpm=40.0, errors=1, verdict="ranked"
    )
    await add_attempt(database, typed_row, "a", midnight_ms, wpm=60.0, errors=2, verdict="ranked")
    await add_attempt(
        database,
        typed_row,
        "a",
        midnight_ms + 5,
        state="abandoned",
        verdict="unranked",
        wpm=400.0,
        errors=3,
    )
    day = midnight_ms // DAY_MS
    in_utc = await list_days(database, "a", 0)
    assert [row.day for row in in_utc] == [day - 1, day]
    assert [row.attempts for row in in_utc] == [1, 2]
    assert [row.completed for row in in_utc] == [1, 1]
    assert [row.wpm_sum for row in in_utc] == [40.0, 60.0]
    assert [row.best_wpm for row in in_utc] == [40.0, 60.0]
    assert [row.errors for row in in_utc] == [1, 5]
    (east,) = await list_days(database, "a", 60_000)
    assert (east.day, east.attempts, east.wpm_sum) == (day, 3, 100.0)
    (west,) = await list_days(database, "a", -60_000)
    assert (west.day, west.attempts, west.best_wpm) == (day - 1, 3, 60.0)


async def test_counters_are_those_of_the_language_and_layout(database: Database) -> None:
    who = person()
    owner = Recorder()
    async with running(Journal(database)) as journal:
        typed = await new_attempt(database, who)
        journal.write(owner.end(typed, type_batch(typed, "a vad cab")))
        await journal.flush()
    counted = typed.attempt.typed_text.keys
    assert await load_counters(database, who.id, None, None) == {"qwerty": counted}
    assert await load_counters(database, who.id, "en", "qwerty") == {"qwerty": counted}
    assert await load_counters(database, who.id, "ru", None) == {}
    assert await load_counters(database, who.id, "en", "jcuken") == {}
    assert await load_counters(database, person().id, None, None) == {}
    assert counted["b"].confusions == {"v": 1}


# Indexes


async def test_no_question_goes_through_all_attempts(database: Database) -> None:
    ids = await fill(database, people=5, attempts_count=60, heaviest=20, now_ms=NOW_MS)
    who = ids[0]
    _, (row, *_) = await list_history(database, who, Filter(), limit=1)
    full = Filter(NOW_MS - DAY_MS * 300, NOW_MS, "time", "time:60", "en", "qwerty", "ranked")
    after = Place(NOW_MS, row["id"])
    async with asking(database) as asked:
        for wanted in (Filter(), full, Filter(language="und"), Filter(mode="words:10")):
            await list_history(database, who, wanted, limit=20, offset=40)
            await list_history(database, who, wanted, limit=20, after=after)
            await list_counts(database, who, wanted, 50)
        await find_result(database, who, row["id"])
        await find_log(database, who, row["id"])
        await list_days(database, who, 3_600_000)
        await list_completed(database, who, None)
        await list_completed(database, who, NOW_MS - DAY_MS)
        await list_tried(database, who, "en", "qwerty")
        await load_counters(database, who, None, None)
    assert len(asked) > 20
    assert await full_scans(database, asked, "attempts") == []
    assert await full_scans(database, asked, "key_counters") == []
    assert await full_scans(database, asked, "key_confusions") == []


async def test_a_full_scan_would_be_noticed(database: Database) -> None:
    await fill(database, people=2, attempts_count=4, heaviest=2, now_ms=NOW_MS)
    async with asking(database) as asked, database.read() as connection:
        await connection.execute(text("SELECT id FROM attempts WHERE wpm > 40"))
        await connection.execute(text("SELECT avg(wpm) FROM attempts WHERE verdict = 'ranked'"))
    assert len(await full_scans(database, asked, "attempts")) == 2
