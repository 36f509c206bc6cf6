"""What there is to type: passages and words that ship with the program, and texts of them."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from server.coach import Coach, PracticeUnavailable
from server.core.collection import is_text_id
from server.core.course import find_lesson
from server.core.layout import LAYOUTS, chosen_layout, types
from server.core.lexicon import Lexicon
from server.core.plan import Plan, may_open_lesson, plan_at
from server.core.source import DEFAULT_LAYOUTS, Source, SourceKind
from server.core.text import normal_text
from server.db.collections import find_collection_text
from server.db.database import Database
from server.db.queries import find_text, find_user, list_texts, store_texts
from server.lessons import CONTENT, Lessons, LessonUnavailable, read_words
from server.protocol import parse_lines

CHARS_PER_SECOND_MAX = 400 * 5 / 60  # a timed text is long enough for 400 wpm


class TextUnavailable(Exception):
    """Nothing here answers to that source; the message says what is missing."""


class TextNotGranted(TextUnavailable):
    """The person's plan does not open it."""


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
    """Chooses texts. Passages live in the store, word lists in memory; `rng` rolls the dice.

    Its `coach` knows what somebody should practise. Where nothing is sold (`sells`) all is open.
    """

    def __init__(
        self,
        database: Database,
        lessons: Lessons,
        rng: Random,
        now_ms: Callable[[], int],
        *,
        sells: bool = False,
    ) -> None:
        self._database = database
        self._now_ms = now_ms
        self._sells = sells
        self.lessons = lessons
        self._rng = rng
        languages = [folder.name for folder in sorted(CONTENT.iterdir()) if folder.is_dir()]
        self._words = {language: read_words(language, "words") for language in languages}
        lexicons = {
            language: Lexicon(
                read_words(language, "lesson_words"), read_words(language, "unwanted")
            )
            for language in languages
        }
        self.coach = Coach(database, lexicons, now_ms)

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

    async def choose(self, source: Source, user_id: str, layout: str | None = None) -> ChosenText:
        """The text for a new attempt; its keys count under `layout`, if the source names none.

        Without either they count under the one in the person's settings. Raises TextUnavailable,
        also for a layout that does not type the text, or what the store raises.
        """
        chosen = await self._choose(source, user_id)
        if chosen.source.layout is not None:
            return chosen
        if layout is None:
            return replace(chosen, layout=await self._own_layout(chosen, user_id))
        _must_type(layout, chosen.language)
        return replace(chosen, layout=layout)

    async def _own_layout(self, chosen: ChosenText, user_id: str) -> str:
        if chosen.language is None or not user_id:
            return chosen.layout
        person = await find_user(self._database, user_id)
        return chosen_layout(chosen.language, None if person is None else person["settings"])

    async def _choose(self, source: Source, user_id: str) -> ChosenText:
        match source.kind:
            case SourceKind.CUSTOM:
                return ChosenText(source.text or "", None, "", source)
            case SourceKind.TEXT:
                return self._passage(source, await self._find(source.text or "", user_id))
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
        self, source: Source, text: str, language: str | None, layout: str | None = None
    ) -> ChosenText:
        layout = layout or DEFAULT_LAYOUTS.get(language or "", "")
        return ChosenText(text, language, layout, source)

    async def _find(self, text_id: str, user_id: str) -> Mapping[Any, Any] | None:
        """A passage, or a text of a collection that this person may read."""
        if is_text_id(text_id):
            return await find_collection_text(self._database, text_id, user_id)
        return await find_text(self._database, text_id)

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
        try:
            text = await self.coach.text(user_id, language, layout, self._rng)
        except PracticeUnavailable as unavailable:
            raise TextUnavailable(str(unavailable)) from None
        return self._chosen(source, text, language, layout)

    async def _lesson(self, source: Source, user_id: str) -> ChosenText:
        language, layout = source.language, source.layout
        if language is None or layout is None or self._sells:
            person = await find_user(self._database, user_id)
            self._must_be_granted(source.lesson or "", person)
            liked = (person and person["settings"]) or {}
            language = language or liked.get("text_language") or liked.get("language") or "en"
            layout = layout or chosen_layout(language, liked)
        try:
            # A text for another layout is made now, which takes long enough to hold others up.
            lesson = await asyncio.to_thread(
                self.lessons.find, source.lesson or "", language, layout
            )
        except LessonUnavailable as missing:
            raise TextUnavailable(str(missing)) from None
        whole = replace(source, language=language, layout=layout)
        return self._chosen(whole, lesson.text, language, layout)

    def _must_be_granted(self, lesson_id: str, person: Mapping[Any, Any] | None) -> None:
        """Raises TextNotGranted."""
        lesson = find_lesson(lesson_id)
        if not self._sells or lesson is None:
            return
        plan = Plan.FREE
        if person is not None:
            plan = plan_at(person["tier"], person["tier_until_ms"], self._now_ms())
        if not may_open_lesson(plan, lesson.place + 1):
            raise TextNotGranted("Your plan does not open that lesson.")


def _must_type(layout: str, language: str | None) -> None:
    """Raises TextUnavailable."""
    if layout not in LAYOUTS:
        raise TextUnavailable(f"There is no such layout; there are: {', '.join(LAYOUTS)}.")
    if language is not None and not types(layout, language):
        raise TextUnavailable("There is no way to type that language on that layout.")
