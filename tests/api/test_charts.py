"""What the attempts that pass a filter amount to: days, speeds, the best of each mode."""

import statistics
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import pytest
import pytest_asyncio

from server.clock import Clock
from server.core.source import Source, SourceKind
from server.db.history import DAY_MS
from server.db.queries import Person
from server.db.stats import BESTS_MAX
from tests.api.typed import Api, error_code, served
from tests.conftest import MakeServer
from tests.db.stored import person
from tests.fill import Row, model

CHARTS = "/progress/charts"
HISTORY = "/users/me/progress"
KEY_STATS = "/key-stats"
MONDAY_MS = 1_763_942_400_000  # 2025-11-24T00:00:00Z


@pytest_asyncio.fixture
async def api(make_server: MakeServer, database_url: str) -> AsyncIterator[Api]:
    async with served(make_server, database_url) as served_api:
        yield served_api


@pytest.fixture(scope="module")
def words_10() -> Row:
    return model(Source(SourceKind.WORDS, language="en", count=10), Random(2))


async def charts(api: Api, who: Person, **query: Any) -> Any:
    return await api.ask(CHARTS, who, **query)


def days(answer: Any) -> dict[str, int]:
    return {day["date"]: day["attempts"] for day in answer["days"]}


async def test_a_day_says_what_its_attempts_say(api: Api, words_10: Row) -> None:
    who = await api.guest()
    speeds = [40.0, 50.01, 66.5]
    for n, wpm in enumerate(speeds):
        await api.add(
            words_10,
            who,
            MONDAY_MS + n,
            verdict="unranked" if n == 2 else "ranked",
            **{"wpm": wpm, "accuracy": 0.9, "consistency": 0.8, "errors": 2, "duration_ms": 10_000},
        )
    left = {"state": "abandoned", "verdict": "unranked", "errors": 1, "duration_ms": 500}
    await api.add(words_10, who, MONDAY_MS + 9, wpm=300.0, **left)
    answer = await charts(api, who)
    assert answer["days"] == [
        {
            "date": "2025-11-24",
            "attempts": 4,
            "completed": 3,
            "time_ms": 30_500,
            "errors": 7,
            "wpm": pytest.approx(statistics.fmean(speeds), abs=0.01),
            "wpm_spread": pytest.approx(statistics.pstdev(speeds), abs=0.01),
            "best_wpm": 50.01,
            "accuracy": 0.9,
            "consistency": 0.8,
        }
    ]
    assert answer["speeds"] == [
        {"from_wpm": 40, "attempts": 1},
        {"from_wpm": 50, "attempts": 1},
        {"from_wpm": 65, "attempts": 1},
    ]
    assert answer["speed_step_wpm"] == 5
    assert answer["streak_days"] == {"current": 0, "best": 1}
    only = await charts(api, who, verdict="unranked")
    assert [day["attempts"] for day in only["days"]] == [2]
    assert only["bests"] == []


async def test_a_day_without_a_completed_attempt_has_no_means(api: Api, words_10: Row) -> None:
    who = await api.guest()
    left = {"state": "abandoned", "verdict": "unranked"}
    await api.add(words_10, who, MONDAY_MS, **left)
    answer = await charts(api, who)
    (day,) = answer["days"]
    assert (day["attempts"], day["completed"]) == (1, 0)
    names = ("wpm", "wpm_spread", "best_wpm", "accuracy", "consistency")
    assert [day[name] for name in names] == [None] * 5
    assert (answer["speeds"], answer["bests"]) == ([], [])


async def test_filters_hold_for_all_of_it(api: Api, words_10: Row) -> None:
    who, other = await api.guest(), await api.guest()
    timed = {"kind": "time", "mode": "time:15", "language": "ru"}
    await api.add(words_10, who, MONDAY_MS, wpm=40.0, verdict="ranked")
    await api.add(words_10, who, MONDAY_MS + DAY_MS, wpm=60.0, verdict="ranked", **timed)
    await api.add(words_10, other, MONDAY_MS, wpm=99.0, verdict="ranked")
    monday, tuesday = "2025-11-24", "2025-11-25"
    cases: list[tuple[dict[str, str], dict[str, list[int]]]] = [
        ({}, {monday: [40], tuesday: [60]}),
        ({"kind": "time"}, {tuesday: [60]}),
        ({"mode": "words:10"}, {monday: [40]}),
        ({"language": "ru"}, {tuesday: [60]}),
        ({"verdict": "review"}, {}),
        ({"language": "ru", "mode": "words:10"}, {}),
        # Days before the first asked for are there for a calendar; nothing else is of them.
        ({"from_day": tuesday}, {monday: [], tuesday: [60]}),
        ({"to_day": monday}, {monday: [40]}),
        ({"from_day": monday, "to_day": monday}, {monday: [40]}),
        ({"from_day": "2025-11-26"}, {monday: [], tuesday: []}),
    ]
    for query, expected in cases:
        answer = await charts(api, who, **query)
        assert list(days(answer)) == list(expected), query
        speeds = sorted(speed for some in expected.values() for speed in some)
        assert [speed["from_wpm"] for speed in answer["speeds"]] == speeds, query
        assert sorted(best["wpm"] for best in answer["bests"]) == speeds, query


async def test_days_are_those_of_the_callers_clock(api: Api, words_10: Row) -> None:
    who = await api.guest()
    await api.add(words_10, who, MONDAY_MS - 1, wpm=40.0)
    await api.add(words_10, who, MONDAY_MS, wpm=60.0)
    assert list(days(await charts(api, who))) == ["2025-11-23", "2025-11-24"]
    east = await charts(api, who, utc_offset_minutes=1, from_day="2025-11-24")
    assert days(east) == {"2025-11-24": 2}
    assert len(east["speeds"]) == 2
    west = await charts(api, who, utc_offset_minutes=-1, to_day="2025-11-23")
    assert days(west) == {"2025-11-23": 2}
    utc = await charts(api, who, from_day="2025-11-24")
    assert [speed["from_wpm"] for speed in utc["speeds"]] == [60]


async def test_days_reach_back_a_year_and_no_further(api: Api, words_10: Row) -> None:
    who = await api.guest()
    for before in (0, 370, 371, 800):
        await api.add(words_10, who, MONDAY_MS - before * DAY_MS)
    year = await charts(api, who, from_day="2025-11-01", to_day="2025-11-24")
    assert list(days(year)) == ["2024-11-19", "2025-11-24"]
    everything = await charts(api, who, to_day="2025-11-24")
    assert len(days(everything)) == 4
    longer = await charts(api, who, from_day="2024-11-18", to_day="2025-11-24")
    assert len(days(longer)) == 3


async def test_bests_are_the_fastest_ranked_ones_of_the_modes_typed_most(
    api: Api, words_10: Row
) -> None:
    who = await api.guest()
    russian = {"language": "ru"}
    await api.add(words_10, who, MONDAY_MS, wpm=90.0, verdict="unranked", **russian)
    first = await api.add(words_10, who, MONDAY_MS + 1, wpm=70.0, verdict="ranked", **russian)
    await api.add(words_10, who, MONDAY_MS + 2, wpm=70.0, verdict="ranked", **russian)
    other = await api.add(words_10, who, MONDAY_MS + 3, wpm=80.0, verdict="ranked")
    bests = (await charts(api, who))["bests"]
    assert [(best["id"], best["language"], best["attempts"]) for best in bests] == [
        (first, "ru", 2),
        (other, "en", 1),
    ]
    assert (bests[0]["mode"], bests[0]["finished_at"]) == ("words:10", MONDAY_MS + 1)
    for n in range(BESTS_MAX + 1):
        await api.add(words_10, who, MONDAY_MS, mode=f"words:{n + 100}", verdict="ranked")
    bests = (await charts(api, who))["bests"]
    assert len(bests) == BESTS_MAX
    assert bests[0]["id"] == first


async def test_the_streak_is_of_all_time(api: Api, words_10: Row) -> None:
    who = await api.guest()
    now_ms = Clock().now_ms()
    # Where it is about noon, no test meets midnight.
    offset = 720 - now_ms % DAY_MS // 60_000
    for before in (0, 1, 5, 6, 7):
        await api.add(words_10, who, now_ms - before * DAY_MS)
    answer = await charts(api, who, utc_offset_minutes=offset, to_day="2025-01-01")
    assert answer["streak_days"] == {"current": 2, "best": 3}
    assert answer["days"] == []


async def test_who_may_ask_and_what(api: Api) -> None:
    who = person()
    assert await charts(api, who) == {
        "days": [],
        "speed_step_wpm": 5,
        "speeds": [],
        "bests": [],
        "streak_days": {"current": 0, "best": 0},
        "hidden_before": None,
    }
    assert error_code(await api.get(CHARTS)) == (401, "unauthorized")
    for name, value in [
        ("from_day", "yesterday"),
        ("from_day", "2025-02-30"),
        ("to_day", "1700000000"),
        ("utc_offset_minutes", "841"),
        ("mode", "' OR 1=1"),
        ("verdict", "void"),
        ("period", "week"),
        ("limit", "1"),
    ]:
        answer = await api.get(CHARTS, who, **{name: value})
        assert error_code(answer) == (422, "invalid"), (name, value)
    far = await charts(api, who, from_day="0001-01-01", to_day="9999-12-31")
    assert far["days"] == []


async def test_keys_are_of_the_attempts_that_pass(api: Api) -> None:
    who = await api.guest()
    await api.typed(who, "aaa", source=Source(SourceKind.CUSTOM, text="aaa"))
    await api.typed(who, "bb bb", source=Source(SourceKind.WORDS, language="en", count=10))

    async def counted(**query: Any) -> tuple[list[str], int]:
        answer = await api.ask(KEY_STATS, who, **query)
        return sorted(answer["keys"]), answer["attempts"]

    assert await counted() == ([" ", "a", "b"], 2)
    assert await counted(kind="words") == ([" ", "b"], 1)
    assert await counted(mode="custom") == (["a"], 1)
    assert await counted(verdict="review") == ([], 0)
    assert await counted(from_day="2000-01-01") == ([" ", "a", "b"], 2)
    assert await counted(to_day="2000-01-01") == ([], 0)
    assert await counted(period="week", kind="words") == ([" ", "b"], 1)
    assert await counted(period="week", from_day="2000-01-01") == ([" ", "a", "b"], 2)
    assert await counted(period="all", from_day="2100-01-01") == ([], 0)


async def test_a_list_may_leave_out_the_keys(api: Api, words_10: Row) -> None:
    who = await api.guest()
    await api.add(words_10, who, MONDAY_MS)
    (full,) = (await api.ask(HISTORY, who))["results"]
    (short,) = (await api.ask(HISTORY, who, keys="false"))["results"]
    assert full["keys"] == words_10["keys"]
    assert short == full | {"keys": {}}
