"""Leaderboards asked of the store: the right places, at once, and by an index."""

from collections.abc import AsyncIterator
from dataclasses import replace
from random import Random

import pytest
import pytest_asyncio

from server.core.source import Source, SourceKind
from server.db.accounts import delete_person
from server.db.bests import (
    DAY_MS,
    UNTOLD_WRITERS,
    VERSIONS_KEPT_MS,
    Best,
    Board,
    BoardPeriod,
    change_untold,
    forget_versions,
    keep_bests,
    recount,
)
from server.db.database import Database
from server.db.leaderboards import load_board, load_standing, load_state
from tests.db.plans import asking, full_scans
from tests.db.stored import add_attempt, add_people, change, opened_database, rows
from tests.fill import Row, fill, model

NOW_MS = 1_790_000_000_000  # a Monday
ALL_TIME = Board.at("time:en:60", BoardPeriod.ALL, NOW_MS)


@pytest_asyncio.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with opened_database(database_url) as opened:
        yield opened


@pytest.fixture(scope="module")
def typed_row() -> Row:
    return model(Source(SourceKind.WORDS, language="en", count=10), Random(7))


async def test_one_place_per_person_by_wpm_then_accuracy_then_the_earlier(
    database: Database, typed_row: Row
) -> None:
    await add_people(database, "a", "b", "c", "d", "e")
    board = {**typed_row, "category": "time:en:60", "verdict": "ranked"}
    for user_id, at, wpm, accuracy in [
        ("a", 1, 50.0, 0.9),
        ("a", 2, 70.0, 0.9),  # their best, but b and c are as fast
        ("a", 9, 70.0, 0.9),  # as good, later
        ("b", 3, 70.0, 0.95),
        ("c", 1, 70.0, 0.9),
        ("d", 1, 60.0, 1.0),
    ]:
        await add_attempt(database, board, user_id, NOW_MS + at, wpm=wpm, accuracy=accuracy)
    await add_attempt(database, board, "e", NOW_MS, wpm=200.0, verdict="review")
    await add_attempt(database, board, "e", NOW_MS, wpm=199.0, category="time:ru:60")
    found = await load_standing(database, ALL_TIME, limit=10, user_id="a")
    assert [(place.rank, place.user_id) for place in found.page] == [
        (1, "b"),
        (2, "c"),
        (3, "a"),
        (4, "d"),
    ]
    assert found.total == 4
    assert found.mine is not None
    assert (found.mine.rank, found.mine.finished_at_ms) == (3, NOW_MS + 2)

    page = await load_standing(database, ALL_TIME, limit=2, offset=1, user_id="d")
    assert ([place.user_id for place in page.page], page.total) == (["c", "a"], 4)
    assert page.mine is not None
    assert page.mine.rank == 4
    past = await load_standing(database, ALL_TIME, limit=2, offset=50)
    assert (past.page, past.total, past.mine) == ([], 4, None)

    nobody = await load_standing(database, replace(ALL_TIME, category="words:en:10"), limit=10)
    assert (nobody.page, nobody.total, nobody.mine) == ([], 0, None)


async def test_a_disabled_account_has_no_place(database: Database, typed_row: Row) -> None:
    await add_people(database, "a", "b")
    for user_id, wpm in (("a", 90.0), ("b", 80.0)):
        await add_attempt(
            database, typed_row, user_id, NOW_MS, category="time:en:60", verdict="ranked", wpm=wpm
        )
    await change(database, "UPDATE users SET disabled_at_ms = 1 WHERE id = 'a'")
    found = await load_standing(database, ALL_TIME, limit=10, user_id="a")
    assert ([place.user_id for place in found.page], found.total) == (["b"], 1)
    assert found.mine is None


async def names(database: Database, board: Board) -> list[str]:
    found = await load_standing(database, board, limit=10)
    assert found.total == len(found.page)
    return [place.user_id for place in found.page]


async def test_a_period_shows_who_was_best_since_it_began(
    database: Database, typed_row: Row
) -> None:
    await add_people(database, "a", "b", "c")
    board = {**typed_row, "category": "time:en:60", "verdict": "ranked"}
    midnight_ms = BoardPeriod.DAY.began_at_ms(NOW_MS)
    await add_attempt(database, board, "a", midnight_ms, wpm=50.0)
    await add_attempt(database, board, "b", midnight_ms - 1, wpm=90.0)
    await add_attempt(database, board, "c", midnight_ms + 5, wpm=60.0)
    await add_attempt(
        database, board, "c", midnight_ms - 1, wpm=80.0
    )  # ended first, was stored last
    today, tomorrow = (
        Board.at("time:en:60", BoardPeriod.DAY, NOW_MS + days * DAY_MS) for days in (0, 1)
    )
    assert await names(database, today) == ["c", "a"]
    assert await names(database, tomorrow) == []
    await add_attempt(database, board, "a", midnight_ms + DAY_MS, wpm=40.0)
    assert await names(database, tomorrow) == ["a"]
    assert await names(database, ALL_TIME) == ["b", "c", "a"]


async def test_only_what_has_a_board_is_kept(database: Database, typed_row: Row) -> None:
    await add_people(database, "a")
    kept = ["text:en-short-001", "time:ru:15", "words:en:100"]
    for category in (*kept, "time:en:61", "words:en:1000", "random:en:short", "custom:f00", "race"):
        await add_attempt(database, typed_row, "a", NOW_MS, category=category, verdict="ranked")
    found = await rows(database, "SELECT DISTINCT category FROM bests ORDER BY category")
    assert [row["category"] for row in found] == kept


async def test_recount_gives_what_was_kept_and_sees_what_was_changed(database: Database) -> None:
    await fill(database, people=6, attempts_count=200, heaviest=40, now_ms=NOW_MS)
    question = "SELECT * FROM bests ORDER BY user_id, category, period"
    counted = await rows(database, question)
    assert len(counted) > 50
    attempts = await rows(database, "SELECT * FROM attempts WHERE verdict = 'ranked'")
    await change(database, "DELETE FROM bests")
    for row in attempts:
        best = Best(*(row[name] for name in ("user_id", "wpm", "accuracy", "finished_at_ms")))
        async with database.write() as connection:
            await connection.run_sync(keep_bests, "by hand", [(row["category"], best)], NOW_MS)
    running = [
        row
        for row in await rows(database, question)
        if row["began_at_ms"] == BoardPeriod(row["period"]).began_at_ms(NOW_MS)
    ]
    assert running == counted

    before = await load_state(database, ALL_TIME)
    await change(
        database,
        "UPDATE attempts SET verdict = 'review' WHERE user_id = :id",
        id=attempts[0]["user_id"],
    )
    await recount(database, NOW_MS)
    left = {row["user_id"] for row in await rows(database, question)}
    assert left == {row["user_id"] for row in counted} - {attempts[0]["user_id"]}
    assert await load_state(database, ALL_TIME) != before


async def test_every_change_of_a_board_changes_its_state(
    database: Database, typed_row: Row
) -> None:
    await add_people(database, "a", "b")
    board = {**typed_row, "category": "time:en:60", "verdict": "ranked"}
    seen = [await load_state(database, ALL_TIME)]

    async def changed() -> bool:
        seen.append(await load_state(database, ALL_TIME))
        assert (await load_board(database, ALL_TIME))[0] == seen[-1]
        return seen[-1] not in seen[:-1]

    await add_attempt(database, board, "a", NOW_MS, wpm=50.0)
    assert await changed()
    await add_attempt(database, board, "a", NOW_MS + 1, wpm=60.0)
    assert await changed()
    await add_attempt(database, board, "a", NOW_MS + 2, wpm=40.0)
    assert not await changed()
    await add_attempt(database, board, "b", NOW_MS + 3, category="time:ru:60")
    assert not await changed()
    await change(database, "UPDATE users SET disabled_at_ms = 1 WHERE id = 'a'")
    assert await changed()
    await change(database, "UPDATE users SET disabled_at_ms = NULL WHERE id = 'a'")
    assert seen[2] == await load_state(database, ALL_TIME)
    await delete_person(database, "a", NOW_MS)
    assert await changed()
    await delete_person(database, "b", NOW_MS)
    assert not await changed()


async def test_untold_changes_take_few_rows_and_no_version_twice(database: Database) -> None:
    states = []
    for at_ms in [*range(NOW_MS, NOW_MS + 150), *[NOW_MS + 9] * 50]:
        async with database.write() as connection:
            await change_untold(connection, ["time:en:60"], at_ms)
        states.append((await load_state(database, ALL_TIME)).versions)
    assert len(states[-1]) <= UNTOLD_WRITERS
    assert all(state not in states[:n] for n, state in enumerate(states))


async def test_old_versions_are_forgotten(database: Database, typed_row: Row) -> None:
    await add_people(database, "a")
    board = {**typed_row, "category": "time:en:60", "verdict": "ranked"}
    await add_attempt(database, board, "a", NOW_MS)
    await forget_versions(database, NOW_MS + VERSIONS_KEPT_MS)
    assert len((await load_state(database, ALL_TIME)).versions) == 1
    await forget_versions(database, NOW_MS + VERSIONS_KEPT_MS + 1)
    assert len((await load_state(database, ALL_TIME)).versions) == 0


async def test_version_is_as_old_as_the_change_not_as_the_attempt(database: Database) -> None:
    """An attempt may end days after its last keystroke, when a server is up again."""
    await add_people(database, "a")
    best = Best("a", 50.0, 0.9, NOW_MS - 9 * DAY_MS)
    async with database.write() as connection:
        (change,) = await connection.run_sync(keep_bests, "by hand", [("time:en:60", best)], NOW_MS)
    await forget_versions(database, NOW_MS)
    assert (await load_state(database, ALL_TIME)).versions == {"by hand": change.version}


async def test_no_question_goes_through_a_table(database: Database) -> None:
    ids = await fill(database, people=5, attempts_count=200, heaviest=20, now_ms=NOW_MS)
    async with asking(database) as asked:
        for period in BoardPeriod:
            board = Board.at("time:en:60", period, NOW_MS)
            for who in ids:
                await load_standing(database, board, limit=1, offset=1, user_id=who)
            await load_state(database, board)
            await load_board(database, board)
    assert len({statement for statement, _ in asked}) == 7
    assert await full_scans(database, asked, "bests") == []
    assert await full_scans(database, asked, "board_versions") == []
    assert await full_scans(database, asked, "attempts") == []
