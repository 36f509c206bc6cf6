"""Texts of lessons that have to be made: beside the loop, one at a time, and in turn."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import insert

import server.lessons
from server.app import build, create_app
from server.auth import Tokens
from server.clock import Clock
from server.core.course import LESSONS, Lesson
from server.core.lesson_words import LessonText, Material
from server.db.queries import keep_guest, key_counters
from server.lessons import Lessons, LessonUnavailable
from server.settings import Settings
from tests.db.stored import person
from tests.processes import JWT_SECRET, settings

COURSE = [lesson.id for lesson in LESSONS]
PATIENCE_S = 20


class Maker:
    """Makes texts as slowly as the loop lets it: each waits until the loop has counted it."""

    def __init__(self) -> None:
        self.made: list[tuple[str, str]] = []
        self.at_once = 0
        self.at_most = 0
        self.loops_turn = threading.Semaphore(0)
        self.begun = threading.Event()
        self._lock = threading.Lock()

    def __call__(
        self, lesson: Lesson, language: str, layout: str, _material: Material
    ) -> LessonText:
        with self._lock:
            self.at_once += 1
            self.at_most = max(self.at_most, self.at_once)
            self.made.append((lesson.id, layout))
        self.begun.set()
        # On the loop's own thread nobody would ever give it leave.
        let = self.loops_turn.acquire(timeout=PATIENCE_S)
        with self._lock:
            self.at_once -= 1
        assert let, "the loop does nothing else while a lesson is made"
        return LessonText(f"{lesson.id} {language} {layout}", ())


@pytest.fixture
def maker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Maker]:
    maker = Maker()
    monkeypatch.setattr(server.lessons, "lesson_text", maker)
    yield maker
    for _ in range(10 * len(COURSE)):
        maker.loops_turn.release()


async def while_the_loop_turns(maker: Maker, *asked: Any) -> list[Any]:
    """The answers, while the loop lets a lesson be made in each of its turns."""
    waiting = asyncio.gather(*asked)
    while not waiting.done():
        maker.loops_turn.release()
        await asyncio.sleep(0)
    return list(await waiting)


async def test_the_loop_goes_on_while_a_course_is_made(maker: Maker) -> None:
    lessons = Lessons()
    (found,) = await while_the_loop_turns(maker, lessons.texts(COURSE, "en", "dvorak"))
    assert [one.text for one in found] == [f"{one} en dvorak" for one in COURSE]


async def test_lessons_are_made_one_at_a_time_whoever_asks_and_each_once(maker: Maker) -> None:
    lessons = Lessons()
    layouts = ("dvorak", "colemak", "azerty", "dvorak", "dvorak")
    asked = (lessons.texts(COURSE[:20], "en", layout) for layout in layouts)
    found = await while_the_loop_turns(maker, *asked)
    assert maker.at_most == 1
    assert sorted(maker.made) == sorted(
        (one, layout) for one in COURSE[:20] for layout in set(layouts)
    )
    assert found[0] == found[3] == found[4]
    again = await lessons.texts(COURSE[:20], "en", "dvorak")
    assert (again, len(maker.made)) == (found[0], 60)


async def test_who_wants_one_lesson_does_not_wait_for_a_whole_course(maker: Maker) -> None:
    lessons = Lessons()
    course = asyncio.ensure_future(lessons.texts(COURSE, "en", "dvorak"))
    await asyncio.to_thread(maker.begun.wait, PATIENCE_S)
    one = asyncio.ensure_future(lessons.texts([COURSE[0]], "en", "colemak"))
    await asyncio.sleep(0)  # it has asked
    while not one.done():
        maker.loops_turn.release()
        await asyncio.sleep(0)
    assert one.result()[0].text == f"{COURSE[0]} en colemak"
    # What was being made just then, this one, and what may have begun meanwhile.
    assert maker.made.index((COURSE[0], "colemak")) <= 2
    assert not course.done()
    await while_the_loop_turns(maker, course)


async def test_what_is_asked_for_in_vain_is_not_made(maker: Maker) -> None:
    lessons = Lessons()
    for lesson, language, layout in [
        ("no_such_lesson", "en", "dvorak"),
        (COURSE[0], "tlh", "dvorak"),
        (COURSE[0], "ru", "dvorak"),
        (COURSE[0], "en", "no-such-layout"),
    ]:
        with pytest.raises(LessonUnavailable):
            await lessons.texts([lesson], language, layout)
    usual = await lessons.texts(COURSE, "ru", None)
    assert usual == await lessons.texts(COURSE, "ru", "jcuken")
    assert (len(usual), maker.made) == (99, [])


async def test_the_lesson_for_a_weak_key_is_looked_for_beside_the_loop(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = Settings.from_environ(settings(sqlite_url))
    parts = build(given)
    who = person()
    weak = {"user_id": who.id, "language": "en", "layout": "dvorak", "key": "e"}
    counts = {"presses": 80, "errors": 9, "latency_sum_ms": 0, "latency_count": 0}
    async with parts.database.write() as connection:
        await keep_guest(connection, who, 0)
        await connection.execute(insert(key_counters), weak | counts)
    looked: list[tuple[str, threading.Thread]] = []
    teaching = parts.texts.lessons.teaching

    def watched(key: str, layout: str) -> Lesson | None:
        looked.append((key, threading.current_thread()))
        return teaching(key, layout)

    monkeypatch.setattr(parts.texts.lessons, "teaching", watched)
    transport = httpx.ASGITransport(create_app(parts, given, lambda: None))
    token = Tokens(JWT_SECRET).guest(who.id, Clock().now_ms())
    async with httpx.AsyncClient(transport=transport, base_url="http://test/api/v1") as client:
        headers = {"Authorization": f"Bearer {token}"}
        answer = await client.post("/ai/weak-keys-analysis", json={}, headers=headers)
    await parts.database.close()
    assert answer.json()["recommended_lessons"] == ["block_3_lesson_3"]
    ((key, thread),) = looked
    assert (key, thread is threading.current_thread()) == ("e", False)
