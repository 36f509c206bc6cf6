"""What there is to type: passages and words that ship with the program, and texts of them."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from server.core.key_stats import KeyStats
from server.core.lesson_keys import types_language
from server.core.practice import practice_words
from server.core.source import DEFAULT_LAYOUTS, Source, SourceKind
from server.core.text import normal_text
from server.db.database import Database
from server.db.queries import find_text, find_user, list_texts, load_key_stats, store_texts
from server.lessons import Lessons, LessonUnavailable
from server.protocol import parse_lines

CONTENT = Path(__file__).parent / "content"
CHARS_PER_SECOND_MAX = 400 * 5 / 60  # a timed text is long enough for 400 wpm
PRACTICE_WORDS = 30


class TextUnavailable(Exception):
    """Nothing here answers to that source; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class ChosenText:
    """A text for one attempt, with the language and layout its keys are counted under.

    `source` is what was asked for, with all that had to be chosen.
    """

    text: str
    language: str | None
    layout: str
    source: Source


class Texts:
    """Chooses texts. Passages live in the store, word lists in memory; `rng` rolls the dice."""

    def __init__(self, database: Database, lessons: Lessons, rng: Random) -> None:
        self._database = database
        self.lessons = lessons
        self._rng = rng
        self._words = {
            folder.name: (folder / "words.txt").read_text(encoding="utf-8").split()
            for folder in sorted(CONTENT.iterdir())
            if folder.is_dir()
        }

    async def publish(self) -> None:
        """Bring the stored passages and lessons up to date with the files."""
        rows: list[dict[str, Any]] = []
        for language in self._words:
            lines = (CONTENT / language / "texts.jsonl").read_bytes()
            rows += [
                {**row, "language": language, "text": normal_text(row["text"])}
                for row in parse_lines(lines)
            ]
        await store_texts(self._database, rows)
        await self.lessons.publish(self._database)

    async def choose(self, source: Source, user_id: str) -> ChosenText:
        """The text for a new attempt. Raises TextUnavailable, or what the store raises."""
        match source.kind:
            case SourceKind.CUSTOM:
                return ChosenText(source.text or "", None, "", source)
            case SourceKind.TEXT:
                return self._passage(source, await find_text(self._database, source.text or ""))
            case SourceKind.RANDOM:
                return await self._random(source)
            case SourceKind.WORDS | SourceKind.TIME:
                return self._chosen(source, self._draw_words(source), source.language or "")
            case SourceKind.PRACTICE:
                return await self._practice(source, user_id)
            case SourceKind.LESSON:
                return await self._lesson(source, user_id)
        raise TextUnavailable("There is no such text here.")

    def _language_words(self, language: str) -> list[str]:
        words = self._words.get(language)
        if words is None:
            known = ", ".join(self._words)
            raise TextUnavailable(f"There are no texts in that language; there are: {known}.")
        return words

    def _chosen(
        self, source: Source, text: str, language: str, layout: str | None = None
    ) -> ChosenText:
        return ChosenText(text, language, layout or DEFAULT_LAYOUTS.get(language, ""), source)

    def _passage(self, source: Source, row: Mapping[Any, Any] | None) -> ChosenText:
        if row is None:
            raise TextUnavailable("There is no text of that id.")
        return self._chosen(source, row["text"], row["language"])

    async def _random(self, source: Source) -> ChosenText:
        language = source.language or ""
        self._language_words(language)
        rows = await list_texts(self._database, language, source.length or "")
        return self._passage(source, self._rng.choice(rows))

    def _draw_words(self, source: Source) -> str:
        words = self._language_words(source.language or "")
        if source.count is not None:
            return " ".join(self._draw(words, count=source.count))
        seconds = source.seconds or 0
        return " ".join(self._draw(words, chars=int(seconds * CHARS_PER_SECOND_MAX) + 1))

    def _draw(self, words: list[str], count: int = 0, chars: int = 0) -> list[str]:
        drawn: list[str] = []
        while len(drawn) < count or chars > 0:
            word = self._rng.choice(words)
            if drawn and drawn[-1] == word:
                continue
            drawn.append(word)
            chars -= len(word) + 1
        return drawn

    async def _practice(self, source: Source, user_id: str) -> ChosenText:
        language, layout = source.language or "", source.layout or ""
        words = self._language_words(language)
        if layout != DEFAULT_LAYOUTS.get(language):
            raise TextUnavailable("There is no practice for that language on that layout.")
        stats: dict[str, KeyStats] = await load_key_stats(self._database, user_id, language, layout)
        drawn = practice_words(words, stats, PRACTICE_WORDS, self._rng)
        return self._chosen(source, " ".join(drawn), language, layout)

    async def _lesson(self, source: Source, user_id: str) -> ChosenText:
        language, layout = source.language, source.layout
        if language is None:
            row = await find_user(self._database, user_id)
            liked = (row and row["settings"]) or {}
            language = liked.get("text_language") or liked.get("language") or "en"
            if layout is None and types_language(liked.get("layout") or "", language):
                layout = liked["layout"]
        layout = layout or DEFAULT_LAYOUTS.get(language)
        try:
            # A text for another layout is made now, which takes long enough to hold others up.
            lesson = await asyncio.to_thread(
                self.lessons.find, source.lesson or "", language, layout
            )
        except LessonUnavailable as missing:
            raise TextUnavailable(str(missing)) from None
        whole = replace(source, language=language, layout=layout)
        return self._chosen(whole, lesson.text, language, layout)
