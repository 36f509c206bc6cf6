"""What a person has typed: the list, its filters and pages, and what it amounts to."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from random import Random

import pytest
import pytest_asyncio

from server.api.history import Streak, streak
from server.clock import Clock
from server.core.attempt import EndReason
from server.core.course import Block
from server.core.source import Source, SourceKind
from tests.api.typed import NOBODY, Api, error_code, served
from tests.conftest import MakeServer
from tests.db.stored import person
from tests.fill import DAY_MS, Row, model

AT_MS = 1_764_000_000_000  # 2025-11-24T16:00:00Z
HISTORY = "/users/me/progress"
STATS = "/progress/stats"


@pytest_asyncio.fixture
async def api(make_server: MakeServer, database_url: str) -> AsyncIterator[Api]:
    async with served(make_server, database_url) as served_api:
        yield served_api


@pytest.fixture(scope="module")
def words_10() -> Row:
    return model(Source(SourceKind.WORDS, language="en", count=10), Random(2))


@pytest.fixture(scope="module")
def time_15() -> Row:
    return model(Source(SourceKind.TIME, language="ru", seconds=15), Random(2))


async def test_history_is_its_owners_alone(api: Api, words_10: Row) -> None:
    who, other = await api.guest(), await api.guest()
    attempt_id = await api.add(words_10, who, AT_MS)
    for path in (HISTORY, f"/users/{who.id}/progress"):
        (row,) = (await api.ask(path, who))["results"]
        assert row["id"] == attempt_id
    assert (await api.ask(HISTORY, other))["total"] == 0
    assert (await api.ask(HISTORY, person()))["total"] == 0  # a guest with no row yet
    for path in (f"/users/{who.id}/progress", f"/users/{NOBODY}/progress", "/users/1/progress"):
        assert error_code(await api.get(path, other)) == (404, "not_found"), path
        assert error_code(await api.get(path))[0] in (401, 404), path
    assert error_code(await api.get(HISTORY)) == (401, "unauthorized")
    assert error_code(await api.get(STATS)) == (401, "unauthorized")
    assert (await api.ask(STATS, other))["attempts"] == 0


async def test_pages_join_without_a_gap(api: Api, words_10: Row) -> None:
    who = await api.guest()
    ids = [await api.add(words_10, who, AT_MS + n // 2, errors=n) for n in range(7)]
    whole = await api.ask(HISTORY, who)
    assert (whole["total"], whole["next"]) == (7, None)
    newest_first = [row["id"] for row in whole["results"]]
    assert sorted(newest_first) == sorted(ids)
    assert newest_first[0] == ids[6]

    seen: list[str] = []
    cursor: str | None = None
    while True:
        query = {"limit": "3"} if cursor is None else {"limit": "3", "cursor": cursor}
        page = await api.ask(HISTORY, who, **query)
        assert page["total"] == 7
        seen += [row["id"] for row in page["results"]]
        cursor = page["next"]
        if cursor is None:
            break
        # What is typed meanwhile moves no page.
        assert len(seen) < 7
    assert seen == newest_first

    page = await api.ask(HISTORY, who, limit=2, offset=3)
    assert [row["id"] for row in page["results"]] == newest_first[3:5]
    after = await api.ask(HISTORY, who, limit=2, cursor=page["next"], offset=1)
    assert [row["id"] for row in after["results"]] == newest_first[6:]
    past = await api.ask(HISTORY, who, offset=1_000_000)
    assert (past["total"], past["results"], past["next"]) == (7, [], None)


async def test_a_cursor_of_somebody_else_shows_nothing_of_theirs(api: Api, words_10: Row) -> None:
    who, other = await api.guest(), await api.guest()
    for n in range(3):
        await api.add(words_10, who, AT_MS + n)
    mine = await api.add(words_10, other, AT_MS)
    cursor = (await api.ask(HISTORY, who, limit=1))["next"]
    assert [row["id"] for row in (await api.ask(HISTORY, other, cursor=cursor))["results"]] == [
        mine
    ]


async def test_filters(api: Api, words_10: Row, time_15: Row) -> None:
    who = await api.guest()
    words = await api.add(words_10, who, AT_MS, verdict="ranked")
    timed = await api.add(time_15, who, AT_MS + DAY_MS, verdict="review")
    lesson = await api.add(
        words_10, who, AT_MS + 2 * DAY_MS, kind="lesson", mode="lesson:one", verdict="unranked"
    )
    everything = [lesson, timed, words]
    for query, expected in [
        ({}, everything),
        ({"kind": "time"}, [timed]),
        ({"mode": "time:15"}, [timed]),
        ({"mode": "words:10"}, [words]),
        ({"mode": "words:25"}, []),
        ({"lesson_id": "one"}, [lesson]),
        ({"lesson_id": "one", "mode": "words:10"}, []),
        ({"language": "ru"}, [timed]),
        ({"verdict": "ranked"}, [words]),
        ({"verdict": "review", "language": "en"}, []),
        ({"from_date": str(AT_MS + 1)}, [lesson, timed]),
        ({"to_date": str(AT_MS + DAY_MS)}, [words]),
        ({"from_date": "2025-11-25"}, [lesson, timed]),
        ({"from_date": "2025-11-25T16:00:00Z"}, [lesson, timed]),
        ({"from_date": "2025-11-25T16:00:01Z"}, [lesson]),
        ({"to_date": "2025-11-25T19:00:00+03:00"}, [words]),
        ({"to_date": "2025-11-25T16:00:00.001"}, [timed, words]),
        ({"from_date": "2025-11-26", "to_date": "2025-11-25"}, []),
    ]:
        found = await api.ask(HISTORY, who, **query)
        assert [row["id"] for row in found["results"]] == expected, query
        assert found["total"] == len(expected), query


async def test_a_question_that_makes_no_sense_is_refused(api: Api) -> None:
    who = person()
    for name, value in [
        ("limit", "0"),
        ("limit", "-1"),
        ("limit", "101"),
        ("limit", "ten"),
        ("offset", "-1"),
        ("offset", str(10**9)),
        ("cursor", "x"),
        ("cursor", f"1.{NOBODY}; DROP TABLE users"),
        ("cursor", f"-1.{NOBODY}"),
        ("kind", "nothing"),
        ("mode", "time:60\x00"),
        ("mode", "' OR 1=1"),
        ("verdict", "void"),
        ("language", "\x00"),
        ("lesson_id", "a\x00"),
        ("from_date", "-1"),
        ("from_date", "yesterday"),
        ("from_date", "2025-13-01"),
        ("from_date", "1.5"),
        ("to_date", str(10**18)),
        ("unknown", "1"),
    ]:
        answer = await api.get(HISTORY, who, **{name: value})
        assert error_code(answer) == (422, "invalid"), (name, value)
    for name, value in [
        ("period", "century"),
        ("utc_offset_minutes", "841"),
        ("utc_offset_minutes", "x"),
    ]:
        assert error_code(await api.get(STATS, who, **{name: value})) == (422, "invalid"), name


# Statistics


def noon() -> tuple[int, int]:
    """Now, and the offset in minutes of a place where it is about noon: no test meets midnight."""
    now_ms = Clock().now_ms()
    minute = now_ms % DAY_MS // 60_000
    return now_ms, 720 - minute


async def test_stats_of_nobody(api: Api) -> None:
    who = person()
    assert await api.ask(STATS, who) == {
        "user_id": who.id,
        "period": "all",
        "attempts": 0,
        "attempts_completed": 0,
        "total_lessons_completed": 0,
        "total_lessons_available": 99,
        "average_wpm": None,
        "average_raw_wpm": None,
        "best_wpm": None,
        "average_accuracy": None,
        "best_accuracy": None,
        "average_consistency": None,
        "total_errors": 0,
        "total_time_ms": 0,
        "total_time_seconds": 0,
        "lessons_by_difficulty": dict.fromkeys(Block, 0),
        "streak_days": {"current": 0, "best": 0},
        "progress_trend": [],
    }


async def test_stats_of_a_period(api: Api, words_10: Row) -> None:
    who = await api.guest()
    now_ms, offset = noon()
    columns = {"verdict": "ranked", "consistency": 0.5, "duration_ms": 10_500, "errors": 2}
    for days_ago, wpm, accuracy in [(0, 40, 0.9), (0, 60, 1.0), (6, 80, 0.8), (7, 100, 0.7)]:
        await api.add(
            words_10,
            who,
            now_ms - days_ago * DAY_MS,
            wpm=float(wpm),
            raw_wpm=wpm + 5.0,
            accuracy=accuracy,
            **columns,
        )
    # Given up, and not believed: they count for time and errors, but not as bests.
    await api.add(
        words_10, who, now_ms, **columns | {"state": "abandoned", "verdict": "unranked", "wpm": 300}
    )
    await api.add(
        words_10, who, now_ms - 400 * DAY_MS, **columns | {"verdict": "review", "wpm": 250.0}
    )
    week = await api.ask(STATS, who, period="week", utc_offset_minutes=offset)
    assert (week["attempts"], week["attempts_completed"]) == (4, 3)
    assert (week["average_wpm"], week["average_raw_wpm"], week["best_wpm"]) == (60, 65, 80)
    assert (week["average_accuracy"], week["best_accuracy"]) == (0.9, 1)
    assert week["average_consistency"] == 0.5
    assert (week["total_errors"], week["total_time_ms"]) == (8, 42_000)
    assert week["total_time_seconds"] == 42
    assert week["streak_days"] == {"current": 1, "best": 2}
    local = (now_ms + offset * 60_000) // DAY_MS
    dates = [
        datetime.fromtimestamp((local - days_ago) * 86_400, UTC).date().isoformat()
        for days_ago in (6, 0)
    ]
    assert week["progress_trend"] == [
        {
            "date": dates[0],
            "attempts": 1,
            "avg_wpm": 80,
            "avg_raw_wpm": 85,
            "accuracy": 0.8,
            "consistency": 0.5,
        },
        {
            "date": dates[1],
            "attempts": 3,
            "avg_wpm": 50,
            "avg_raw_wpm": 55,
            "accuracy": 0.95,
            "consistency": 0.5,
        },
    ]
    for period, attempts, best in [("day", 3, 60), ("month", 5, 100), ("year", 5, 100)]:
        found = await api.ask(STATS, who, period=period, utc_offset_minutes=offset)
        assert (found["attempts"], found["best_wpm"]) == (attempts, best), period
    ever = await api.ask(STATS, who, utc_offset_minutes=offset)
    assert (ever["attempts"], ever["best_wpm"], len(ever["progress_trend"])) == (6, 100, 4)


async def test_stats_are_right_as_soon_as_an_attempt_is_stored(api: Api) -> None:
    who = await api.guest()
    tags = set()
    for count in range(1, 4):
        stored = await api.typed(who, "a bad cab")
        stats = await api.get(STATS, who)
        assert stats.json()["attempts"] == count
        history = await api.ask(HISTORY, who)
        assert (history["total"], history["results"][0]["id"]) == (count, stored.row["id"])
        tags.add(stats.headers["etag"])
    assert len(tags) == 3
    await api.typed(who, "a bad cab", "a b", EndReason.QUIT)
    assert (await api.ask(STATS, who))["attempts"] == 4


async def test_what_has_not_changed_is_not_sent_again(api: Api, words_10: Row) -> None:
    who, other = await api.guest(), await api.guest()
    await api.add(words_10, who, AT_MS)
    for path in (HISTORY, STATS, "/key-stats"):
        first = await api.get(path, who)
        tag = first.headers["etag"]
        assert first.headers["cache-control"] == "private, no-cache"

        same = await api.get(path, who, known=tag)
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
        assert (await api.get(path, who, known=f'"other", {tag}')).status_code == 304
        assert (await api.get(path, who, known='"other"')).status_code == 200
        assert (await api.get(path, other, known=tag)).status_code == 200
        if path != HISTORY:
            assert (await api.get(path, who, known=tag, period="week")).status_code == 200
    before = (await api.get(STATS, who)).headers["etag"]
    await api.add(words_10, who, AT_MS - 1)  # older than the newest
    changed = await api.get(STATS, who, known=before)
    assert (changed.status_code, changed.json()["attempts"]) == (200, 2)


@pytest.mark.parametrize(
    ("days", "current", "best"),
    [
        ([], 0, 0),
        ([100], 1, 1),
        ([99], 1, 1),  # today may still come
        ([98], 0, 1),
        ([97, 98, 99], 3, 3),
        ([90, 91, 92, 93, 95, 99, 100], 2, 4),
        ([98, 100], 1, 1),
        ([99, 100, 101], 3, 3),  # a day that has begun for a clock that runs ahead
    ],
)
def test_streaks(days: list[int], current: int, best: int) -> None:
    assert streak(days, today=100) == Streak(current=current, best=best)
