"""The lessons there are: the course in words, and each lesson's text on a layout."""

from collections.abc import Mapping
from functools import cached_property, lru_cache
from pathlib import Path

from server.core.course import Lesson, find_lesson
from server.core.lesson import lesson_text
from server.core.lesson_keys import LETTERS, types_language
from server.core.lesson_words import LessonText, Material
from server.core.source import DEFAULT_LAYOUTS
from server.core.text import normal_text
from server.protocol import parse_lines

CONTENT = Path(__file__).parent / "content"
MADE_KEPT = 2_048  # texts that were made for other layouts than the default one


class LessonUnavailable(Exception):
    """There is no such lesson, or not in that language on that layout; the message says which."""


class Lessons:
    """Texts of the default layouts come from files; others are made by the same function."""

    def __init__(self) -> None:
        self._languages = {language: _Language(language) for language in LETTERS}
        self._made = lru_cache(MADE_KEPT)(self._make)

    def find(self, lesson_id: str, language: str, layout: str | None) -> LessonText:
        """A lesson's text and target keys. Raises LessonUnavailable."""
        lesson = find_lesson(lesson_id)
        if lesson is None:
            raise LessonUnavailable("There is no such lesson here.")
        if language not in self._languages:
            known = ", ".join(self._languages)
            raise LessonUnavailable(f"There are no lessons in that language; there are: {known}.")
        layout = layout or DEFAULT_LAYOUTS[language]
        if layout == DEFAULT_LAYOUTS[language]:
            return self._languages[language].written[lesson_id]
        if not types_language(layout, language):
            raise LessonUnavailable("That layout does not type that language.")
        return self._made(lesson, language, layout)

    def _make(self, lesson: Lesson, language: str, layout: str) -> LessonText:
        return lesson_text(lesson, language, layout, self._languages[language].material)

    def title(self, lesson: Lesson, language: str) -> str:
        """What the lesson is called, block first; in English in a language nobody has put it in."""
        said = self._said(language)
        return f"{said[lesson.block]['title']}: {said[lesson.step.name]['title']}"

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
