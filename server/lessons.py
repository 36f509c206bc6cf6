"""The lessons there are: the course in words, and each lesson's text on a layout."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from hashlib import blake2b
from pathlib import Path

from server.core.course import FINGERS, LESSONS, Form, Lesson, find_lesson
from server.core.layout import types
from server.core.lesson import lesson_text
from server.core.lesson_keys import LETTERS, lesson_keys
from server.core.lesson_words import LessonText, Material
from server.core.source import DEFAULT_LAYOUTS
from server.core.text import normal_text
from server.db.database import Database
from server.db.lessons import store_lessons
from server.protocol import parse_lines

CONTENT = Path(__file__).parent / "content"
# Lessons of the last block that are about some keys rather than about words.
KEYED = (Form.COMMAS, Form.MARKS, Form.QUOTES, Form.DIGITS, Form.SYMBOLS)


class LessonUnavailable(Exception):
    """There is no such lesson, or not in that language on that layout; the message says which."""


class Lessons:
    """Texts of the default layouts come from files; others are made by the same function.

    `course` holds the lessons in order, but for those that the operator has switched off.
    """

    def __init__(self) -> None:
        self.course: Sequence[Lesson] = LESSONS
        self._languages = {language: _Language(language) for language in LETTERS}
        # Of each lesson at most one for each layout and language that there are.
        self._made: dict[tuple[str, str, str], LessonText] = {}
        # One thread: each more that is at work keeps the loop waiting for the interpreter.
        self._maker = ThreadPoolExecutor(1, "lessons")

    async def publish(self, database: Database) -> None:
        """Bring the stored metadata up to date, and learn which lessons are switched off."""
        active = await store_lessons(database, [self._row(lesson) for lesson in LESSONS])
        self.course = tuple(lesson for lesson in LESSONS if lesson.id in active)

    def _row(self, lesson: Lesson) -> dict[str, object]:
        return {
            "id": lesson.id,
            "block_id": lesson.block_id,
            "lesson_number": lesson.number,
            "difficulty_level": lesson.block.value,
            "title": {name: self.title(lesson, name) for name in self._languages},
            "description": {name: self.description(lesson, name) for name in self._languages},
            "target_wpm": lesson.target_wpm,
            "max_errors": lesson.max_errors,
            "is_premium": lesson.is_premium,
        }

    @cached_property
    def version(self) -> str:
        """Changes with anything that is said of a lesson."""
        files = [
            (CONTENT / language / name).read_bytes()
            for language in self._languages
            for name in ("course.jsonl", "lessons.jsonl")
        ]
        course = repr([(lesson, lesson.target_wpm, lesson.max_errors) for lesson in self.course])
        return blake2b(course.encode() + b"".join(files), digest_size=8).hexdigest()

    def after(self, lesson: Lesson) -> Lesson | None:
        """The next lesson of the course; None after the last."""
        return next((one for one in self.course if one.place > lesson.place), None)

    def teaching(self, key: str, layout: str) -> Lesson | None:
        """The first lesson that has the key in words on this layout; None if no lesson has."""
        for language in self._languages:
            if not types(layout, language):
                continue
            for lesson in self.course:
                if lesson.block in FINGERS and lesson.step.form is Form.WORDS:
                    if key in lesson_keys(lesson, language, layout).targets:
                        return lesson
                elif lesson.block not in FINGERS and layout == DEFAULT_LAYOUTS[language]:
                    written = self._languages[language].written[lesson.id]
                    if lesson.step.form in KEYED and key in written.target_keys:
                        return lesson
        return None

    async def texts(
        self, lesson_ids: Iterable[str], language: str, layout: str | None
    ) -> list[LessonText]:
        """Texts and target keys of lessons; without a layout those of the usual one.

        What has to be made is made beside the loop, lesson by lesson in turn with whoever asks too:
        nobody waits for another's whole course. Raises LessonUnavailable.
        """
        loop = asyncio.get_running_loop()
        found = []
        for lesson_id in lesson_ids:
            asked = self._asked(lesson_id, language, layout)
            text = self._known(*asked)
            if text is None:
                text = await loop.run_in_executor(self._maker, self._make, *asked)
            found.append(text)
        return found

    def find(self, lesson_id: str, language: str, layout: str | None) -> LessonText:
        """What `texts` gives, for who may wait: the first may take a tenth of a second."""
        return self._make(*self._asked(lesson_id, language, layout))

    def _asked(self, lesson_id: str, language: str, layout: str | None) -> tuple[Lesson, str, str]:
        """Raises LessonUnavailable."""
        lesson = find_lesson(lesson_id)
        if lesson is None:
            raise LessonUnavailable("There is no such lesson here.")
        if language not in self._languages:
            known = ", ".join(self._languages)
            raise LessonUnavailable(f"There are no lessons in that language; there are: {known}.")
        layout = layout or DEFAULT_LAYOUTS[language]
        if not types(layout, language):
            raise LessonUnavailable("That layout does not type that language.")
        return lesson, language, layout

    def _known(self, lesson: Lesson, language: str, layout: str) -> LessonText | None:
        """A text that is there; None for one that has to be made."""
        if layout == DEFAULT_LAYOUTS[language]:
            return self._languages[language].written[lesson.id]
        return self._made.get((lesson.id, language, layout))

    def _make(self, lesson: Lesson, language: str, layout: str) -> LessonText:
        known = self._known(lesson, language, layout)
        if known is not None:
            return known
        made = lesson_text(lesson, language, layout, self._languages[language].material)
        self._made[lesson.id, language, layout] = made
        return made

    def title(self, lesson: Lesson, language: str) -> str:
        """What the lesson is called, block first; in English in a language nobody has put it in."""
        return f"{self.block_title(lesson, language)}: {self.step_title(lesson, language)}"

    def block_title(self, lesson: Lesson, language: str) -> str:
        """The fingers that the lesson's block is about."""
        return self._said(language)[lesson.block]["title"]

    def step_title(self, lesson: Lesson, language: str) -> str:
        """What the lesson is called within its block."""
        return self._said(language)[lesson.step.name]["title"]

    def description(self, lesson: Lesson, language: str) -> str:
        """What to look to in it, in a sentence or two."""
        return self._said(language)[lesson.step.name]["about"]

    def _said(self, language: str) -> Mapping[str, Mapping[str, str]]:
        return (self._languages.get(language) or self._languages["en"]).said


class _Language:
    """The files of one language, each read when it is first needed."""

    def __init__(self, name: str) -> None:
        self._folder = CONTENT / name

    @cached_property
    def said(self) -> dict[str, dict[str, str]]:
        rows = parse_lines((self._folder / "course.jsonl").read_bytes())
        return {row["name"]: row for row in rows}

    @cached_property
    def material(self) -> Material:
        return read_material(self._folder.name)

    @cached_property
    def written(self) -> dict[str, LessonText]:
        rows = parse_lines((self._folder / "lessons.jsonl").read_bytes())
        return {row["lesson"]: LessonText(row["text"], tuple(row["target_keys"])) for row in rows}


def read_material(language: str) -> Material:
    """What the lessons of a language are written with."""
    rows = parse_lines((CONTENT / language / "texts.jsonl").read_bytes())
    return Material(
        words=read_words(language, "lesson_words"),
        passages=[normal_text(row["text"]) for row in rows],
        unwanted=read_words(language, "unwanted"),
    )


def read_words(language: str, name: str) -> list[str]:
    """The words of a file of that language's content, in its order."""
    return (CONTENT / language / f"{name}.txt").read_text(encoding="utf-8").split()
