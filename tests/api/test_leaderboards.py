"""Who is fastest, and where one stands oneself."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
import pytest_asyncio

from server.clock import Clock
from server.core.source import Source, SourceKind
from server.db.bests import BoardPeriod
from tests.api.typed import Api, error_code, served
from tests.conftest import MakeServer
from tests.db.stored import person
from tests.fill import DAY_MS, Row, model

TEXT_ID = "en-short-001"


@pytest_asyncio.fixture
async def api(make_server: MakeServer, database_url: str) -> AsyncIterator[Api]:
    async with served(make_server, database_url) as served_api:
        yield served_api


def made(source: Source) -> Row:
    return model(source, Random(4)) | {"verdict": "ranked"}


@pytest.fixture(scope="module")
def time_60() -> Row:
    return made(Source(SourceKind.TIME, language="en", seconds=60))


async def test_a_board_has_one_place_per_person_and_ones_own(api: Api, time_60: Row) -> None:
    slow, fast, mean = [await api.guest() for _ in range(3)]
    now_ms = Clock().now_ms()
    for who, wpm, before_ms in [(slow, 40, 0), (fast, 90, 5), (fast, 80, 4), (mean, 60, 3)]:
        await api.add(time_60, who, now_ms - before_ms, wpm=float(wpm), accuracy=0.95)
    await api.add(time_60, mean, now_ms, wpm=200.0, verdict="review")
    await api.add(time_60, mean, now_ms, wpm=210.0, verdict="unranked")
    await api.post(
        "/progress", {"wpm": 300, "accuracy": 1, "errors": 0, "duration_ms": 60_000}, mean
    )
    board = await api.ask("/leaderboards/time:60", slow)
    assert {name: board[name] for name in ("board", "period", "language", "total", "next")} == {
        "board": "time:60",
        "period": "all",
        "language": "en",
        "total": 3,
        "next": None,
    }
    expected = [(1, fast.id, 90), (2, mean.id, 60), (3, slow.id, 40)]
    assert [(row["rank"], row["user_id"], row["wpm"]) for row in board["results"]] == expected
    assert board["results"][0] == {
        "rank": 1,
        "user_id": fast.id,
        "name": fast.name,
        "guest": True,
        "wpm": 90,
        "accuracy": 0.95,
        "finished_at": now_ms - 5,
    }
    assert board["me"] == board["results"][2]

    page = await api.ask("/leaderboards/time:60", slow, limit=1)
    assert ([row["rank"] for row in page["results"]], page["next"]) == ([1], 1)
    assert page["me"]["rank"] == 3
    second = await api.ask("/leaderboards/time:60", limit=2, offset=1)
    assert ([row["rank"] for row in second["results"]], second["next"]) == ([2, 3], None)
    assert second["me"] is None


async def test_each_language_mode_and_text_has_its_own_board(api: Api, time_60: Row) -> None:
    who = await api.guest()
    now_ms = Clock().now_ms()
    text: dict[str, Any] = {
        "category": f"text:{TEXT_ID}",
        "mode": f"text:{TEXT_ID}",
        "kind": "text",
    }
    await api.add(time_60, who, now_ms)
    await api.add(made(Source(SourceKind.WORDS, language="ru", count=25)), who, now_ms)
    await api.add(time_60, who, now_ms, **text)
    for board, language, total in [
        ("time:60", "en", 1),
        ("time:60", "ru", 0),
        ("time:15", "en", 0),
        ("words:25", "ru", 1),
        ("words:25", "en", 0),
        (f"text:{TEXT_ID}", "en", 1),
        (f"text:{TEXT_ID}", "ru", 1),  # a text has its own language
        ("text:en-short-002", "en", 0),
    ]:
        found = await api.ask(f"/leaderboards/{board}", language=language)
        assert (found["total"], len(found["results"])) == (total, total), (board, language)
    found = await api.ask(f"/leaderboards/text:{TEXT_ID}", language="ru")
    assert found["language"] == "en"


async def test_what_was_typed_is_on_the_board_at_once(api: Api) -> None:
    who = await api.guest()
    words = "the spare key lives under the third flowerpot"
    for count in (1, 2):
        source = Source(SourceKind.TEXT, text=TEXT_ID)
        stored = await api.typed(who, words, source=source)
        attempt = await api.ask(f"/attempts/{stored.row['id']}", who)
        assert attempt["verdict"] == "ranked", count
        board = await api.ask(f"/leaderboards/text:{TEXT_ID}", who, period="day")
        assert board["me"]["wpm"] == attempt["personal_best"]
        assert board["total"] == 1


async def test_periods(api: Api, time_60: Row) -> None:
    old, new = await api.guest(), await api.guest()
    now_ms = Clock().now_ms()
    await api.add(time_60, old, now_ms - 40 * DAY_MS, wpm=90.0)
    await api.add(time_60, new, now_ms, wpm=50.0)
    for period, ids in [
        ("all", [old.id, new.id]),
        ("month", [new.id]),
        ("week", [new.id]),
        ("day", [new.id]),
    ]:
        board = await api.ask("/leaderboards/time:60", old, period=period)
        assert [row["user_id"] for row in board["results"]] == ids, period
        assert (board["me"] is None) == (period != "all")


async def test_everybody_may_look_and_nonsense_is_refused(api: Api) -> None:
    assert (await api.ask("/leaderboards/time:60", person()))["me"] is None
    assert (await api.ask("/leaderboards/time:60"))["results"] == []
    for board in ("time:61", "time:15x", "words:10 ", "custom", "text:", "text:nothing", "%00"):
        answer = await api.get(f"/leaderboards/{board}")
        assert error_code(answer) == (404, "not_found"), board
    for name, value in [
        ("period", "year"),
        ("language", "e"),
        ("language", "\x00"),
        ("limit", "0"),
        ("limit", "101"),
        ("offset", "-1"),
    ]:
        answer = await api.client.get("/leaderboards/time:60", params={name: value})
        assert error_code(answer) == (422, "invalid"), (name, value)


@pytest.mark.parametrize(
    ("period", "began"),
    [
        (BoardPeriod.DAY, datetime(2026, 3, 1, tzinfo=UTC)),
        (BoardPeriod.WEEK, datetime(2026, 2, 23, tzinfo=UTC)),
        (BoardPeriod.MONTH, datetime(2026, 3, 1, tzinfo=UTC)),
        (BoardPeriod.ALL, datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_period_begins_at_its_midnight(period: BoardPeriod, began: datetime) -> None:
    sunday_night = datetime(2026, 3, 1, 23, 59, 59, 999_000, tzinfo=UTC)
    now_ms = int(sunday_night.timestamp() * 1_000)
    assert period.began_at_ms(now_ms) == int(began.timestamp() * 1_000)
