"""The lessons over REST: what there is, and how far somebody has come."""

from collections.abc import AsyncIterator
from random import Random
from typing import Any

import pytest
import pytest_asyncio

from server.api.lessons import Progress
from server.core.course import LESSONS, Block
from server.core.source import Source, SourceKind
from server.db.lessons import Tried
from tests.api.typed import Api, error_code, served
from tests.conftest import MakeServer
from tests.db.stored import change, person
from tests.fill import Row, model

AT_MS = 1_764_000_000_000
FIRST, SECOND, THIRD = LESSONS[:3]


def tried(place: int, errors: int = 0, wpm: float | None = 99.0, attempts: int = 1) -> Tried:
    return Tried(LESSONS[place].mode, errors, attempts, wpm)


def suggested(*found: Tried) -> int | None:
    lesson = Progress.made_of(LESSONS, found).suggested
    return None if lesson is None else lesson.place


def test_the_first_lesson_is_suggested_first_and_each_passed_one_suggests_the_next() -> None:
    assert suggested() == 0
    assert suggested(tried(0)) == 1
    assert suggested(tried(0), tried(1), tried(2)) == 3


def test_who_jumps_ahead_goes_on_from_there_and_is_led_back_in_the_end() -> None:
    assert suggested(tried(50)) == 51
    assert suggested(tried(98)) == 0
    assert suggested(*(tried(place) for place in range(99))) is None


def test_a_lesson_is_passed_by_one_attempt_that_is_fast_and_clean_enough() -> None:
    wpm, errors = float(FIRST.target_wpm), FIRST.max_errors
    for found, passed in [
        ([tried(0, errors, wpm)], True),
        ([tried(0, errors, wpm - 0.01)], False),
        ([tried(0, errors + 1, wpm)], False),
        ([tried(0, errors + 1, 99.0), tried(0, 0, wpm - 1)], False),
        ([tried(0, 0, None)], False),
    ]:
        progress = Progress.made_of(LESSONS, found)
        assert progress.record(FIRST).is_passed is passed, found
        assert progress.is_unlocked(SECOND) is passed
        assert progress.passed == passed
    assert Progress.made_of(LESSONS, []).is_unlocked(FIRST)
    assert not Progress.made_of(LESSONS, [tried(0)]).is_unlocked(THIRD)


def test_bests_are_of_ranked_attempts_and_all_attempts_are_counted() -> None:
    found = [tried(0, 7, 40.0, 3), tried(0, 2, 20.0, 1), tried(0, 0, None, 5)]
    record = Progress.made_of(LESSONS, found).record(FIRST)
    assert (record.attempts, record.best_wpm, record.best_errors) == (9, 40.0, 2)
    unknown = Tried("lesson:of_old", 0, 1, 99.0)
    assert Progress.made_of(LESSONS, [unknown]).passed == 0


@pytest_asyncio.fixture
async def api(make_server: MakeServer, database_url: str) -> AsyncIterator[Api]:
    async with served(make_server, database_url) as served_api:
        yield served_api


@pytest.fixture(scope="module")
def made() -> Row:
    return model(Source(SourceKind.WORDS, language="en", count=10), Random(2))


async def add(api: Api, made: Row, who: Any, lesson: str, **columns: Any) -> None:
    """An attempt at a lesson in English, as good as it has to be unless said otherwise."""
    source = Source(SourceKind.LESSON, lesson=lesson, language="en", layout="qwerty")
    of_lesson = {"source": source.public(), "kind": "lesson", "mode": source.mode}
    given = {"wpm": 99.0, "errors": 0, "verdict": "ranked"} | columns
    await api.add(made, who, AT_MS, **{**of_lesson, "category": lesson, **given})


async def test_all_lessons_for_everybody(api: Api) -> None:
    found = await api.ask("/lessons")
    assert (found["total"], found["passed"], found["suggested"]) == (99, 0, FIRST.id)
    assert (found["language"], found["layout"]) == ("en", "qwerty")
    assert [one["id"] for one in found["lessons"]] == [lesson.id for lesson in LESSONS]
    assert [one["is_premium"] for one in found["lessons"]] == [False] * 15 + [True] * 84
    assert found["lessons"][0] == {
        "id": "block_1_lesson_1",
        "block_id": 1,
        "lesson_number": 1,
        "title": "Little fingers: home keys",
        "block_title": "Little fingers",
        "step_title": "home keys",
        "description": found["lessons"][0]["description"],
        "difficulty_level": "pinky",
        "target_wpm": 15,
        "max_errors": 5,
        "is_premium": False,
        "is_open": True,
        "is_active": True,
        "target_keys": ["a", ";"],
        "content": None,
        "own": None,
    }


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"block_id": 2}, 15),
        ({"difficulty_level": "index_left"}, 17),
        ({"is_premium": "false"}, 15),
        ({"is_premium": "true", "block_id": 1}, 0),
        ({"block_id": 6, "difficulty_level": "advanced"}, 20),
    ],
)
async def test_lessons_are_filtered(api: Api, query: dict[str, Any], count: int) -> None:
    found = await api.ask("/lessons", None, **query)
    assert (found["total"], len(found["lessons"])) == (count, count)
    assert found["suggested"] == FIRST.id


async def test_a_lesson_with_its_text_in_the_language_asked_for(api: Api) -> None:
    found = await api.ask("/lessons/block_1_lesson_3", None, language="ru", words_in="ru")
    assert found["title"] == "Мизинцы: домашний ряд, первые слова"
    content = found["content"]
    assert (content["language"], content["layout"]) == ("ru", "jcuken")
    assert content["target_keys"] == ["ф", "ж"]
    assert set(content["text"]) <= set("фываолдж ")
    assert found["next"] == "block_1_lesson_4"
    assert (await api.ask("/lessons/block_6_lesson_20"))["next"] is None
    listed = await api.ask("/lessons", None, language="ru", block_id=1, include_content="true")
    assert listed["lessons"][2]["content"] == content


async def test_what_there_is_not_is_not_found(api: Api) -> None:
    missing: list[tuple[str, dict[str, str]]] = [
        ("/lessons/block_7_lesson_1", {}),
        ("/lessons/a%20b", {}),
        ("/lessons", {"language": "tlh"}),
        ("/lessons", {"language": "ru", "layout": "qwerty"}),
        ("/lessons/block_1_lesson_1", {"layout": "nothing"}),
    ]
    for path, query in missing:
        assert error_code(await api.get(path, None, **query)) == (404, "not_found"), path
    invalid: list[dict[str, Any]] = [
        {"block_id": 7},
        {"block_id": 0},
        {"difficulty_level": "toe"},
        {"x": 1},
    ]
    for query in invalid:
        assert error_code(await api.get("/lessons", None, **query)) == (422, "invalid"), query


async def test_passing_is_told_at_once_and_suggests_the_next(api: Api, made: Row) -> None:
    who = await api.guest()
    first = await api.get("/lessons", who)
    assert first.json()["lessons"][0]["own"] == {
        "attempts": 0,
        "best_wpm": None,
        "best_errors": None,
        "is_passed": False,
        "is_unlocked": True,
    }
    await add(api, made, who, FIRST.id, wpm=15.5, errors=5)
    again = await api.get("/lessons", who, known=first.headers["etag"])
    found = again.json()
    assert (again.status_code, found["passed"], found["suggested"]) == (200, 1, SECOND.id)
    own = {"attempts": 1, "best_wpm": 15.5, "best_errors": 5}
    assert found["lessons"][0]["own"] == own | {"is_passed": True, "is_unlocked": True}
    assert [one["own"]["is_unlocked"] for one in found["lessons"]] == [True, True] + [False] * 97
    assert (await api.ask("/lessons/block_1_lesson_2", who))["own"]["is_unlocked"]
    stats = await api.ask("/progress/stats", who)
    assert (stats["total_lessons_completed"], stats["total_lessons_available"]) == (1, 99)
    assert stats["lessons_by_difficulty"] == dict.fromkeys(Block, 0) | {"pinky": 1}
    # Another language is another way.
    assert (await api.ask("/lessons", who, language="ru"))["suggested"] == FIRST.id
    assert (await api.ask("/lessons", person()))["suggested"] == FIRST.id


@pytest.mark.parametrize(
    "columns",
    [
        {"verdict": "review"},
        {"verdict": "unranked", "self_reported": True},
        {"verdict": "unranked", "state": "abandoned"},
        {"layout": "dvorak"},
        {"wpm": 14.99},
        {"errors": 6},
    ],
    ids=str,
)
async def test_what_does_not_pass(api: Api, made: Row, columns: dict[str, Any]) -> None:
    who = await api.guest()
    await add(api, made, who, FIRST.id, **columns)
    assert (await api.ask("/lessons", who))["passed"] == 0


async def test_answers_are_kept_for_everybody(api: Api) -> None:
    for path in ("/lessons", "/lessons/block_1_lesson_1"):
        found = await api.get(path)
        assert found.headers["cache-control"] == "private, no-cache"
        assert (await api.get(path, known=found.headers["etag"])).status_code == 304
        assert (await api.get(path, language="ru")).headers["etag"] != found.headers["etag"]


async def test_a_lesson_that_is_switched_off_is_left_out(
    make_server: MakeServer, database_url: str
) -> None:
    async with served(make_server, database_url) as api:
        statement = "UPDATE lessons SET is_active = FALSE WHERE id = :id"
        await change(api.database, statement, id=SECOND.id)
    async with served(make_server, database_url) as api:
        found = await api.ask("/lessons")
        assert (found["total"], found["lessons"][1]["id"]) == (98, THIRD.id)
        assert (await api.ask(f"/lessons/{FIRST.id}"))["next"] == THIRD.id
        assert error_code(await api.get(f"/lessons/{SECOND.id}")) == (404, "not_found")
