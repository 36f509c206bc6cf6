"""What there is to type: passages and words that ship with the program, and texts of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from server.core.collection import is_text_id
from server.core.key_stats import KeyStats
from server.core.practice import practice_words
from server.core.source import DEFAULT_LAYOUTS, Source, SourceKind
from server.core.text import normal_text
from server.db.collections import find_collection_text
from server.db.database import Database
from server.db.queries import find_text, list_texts, load_key_stats, store_texts
from server.protocol import parse_lines

CONTENT = Path(__file__).parent / "content"
CHARS_PER_SECOND_MAX = 400 * 5 / 60  # a timed text is long enough for 400 wpm
PRACTICE_WORDS = 30


class TextUnavailable(Exception):
    """Nothing here answers to that source; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class ChosenText:
    """A text for one attempt, with the language and layout its keys are counted under."""

    text: str
    language: str | None
    layout: str


class Texts:
    """Chooses texts. Passages live in the store, word lists in memory; `rng` rolls the dice."""

    def __init__(self, database: Database, rng: Random) -> None:
        self._database = database
        self._rng = rng
        self._words = {
            folder.name: (folder / "words.txt").read_text(encoding="utf-8").split()
            for folder in sorted(CONTENT.iterdir())
            if folder.is_dir()
        }

    async def publish(self) -> None:
        """Bring the stored passages up to date with the files."""
        rows: list[dict[str, Any]] = []
        for language in self._words:
            lines = (CONTENT / language / "texts.jsonl").read_bytes()
            rows += [
                {**row, "language": language, "text": normal_text(row["text"])}
                for row in parse_lines(lines)
            ]
        await store_texts(self._database, rows)

    async def choose(self, source: Source, user_id: str) -> ChosenText:
        """The text for a new attempt. Raises TextUnavailable, or what the store raises."""
        match source.kind:
            case SourceKind.CUSTOM:
                return ChosenText(source.text or "", None, "")
            case SourceKind.TEXT:
                return self._passage(await self._find(source.text or "", user_id))
            case SourceKind.RANDOM:
                return await self._random(source)
            case SourceKind.WORDS | SourceKind.TIME:
                return self._chosen(self._draw_words(source), source.language or "")
            case SourceKind.PRACTICE:
                return await self._practice(source, user_id)
        raise TextUnavailable("There is no such lesson here.")

    def _language_words(self, language: str) -> list[str]:
        words = self._words.get(language)
        if words is None:
            known = ", ".join(self._words)
            raise TextUnavailable(f"There are no texts in that language; there are: {known}.")
        return words

    def _chosen(self, text: str, language: str | None, layout: str | None = None) -> ChosenText:
        return ChosenText(text, language, layout or DEFAULT_LAYOUTS.get(language or "", ""))

    async def _find(self, text_id: str, user_id: str) -> Mapping[Any, Any] | None:
        """A passage, or a text of a collection that this person may read."""
        if is_text_id(text_id):
            return await find_collection_text(self._database, text_id, user_id)
        return await find_text(self._database, text_id)

    def _passage(self, row: Mapping[Any, Any] | None) -> ChosenText:
        if row is None:
            raise TextUnavailable("There is no text of that id.")
        return self._chosen(row["text"], row["language"])

    async def _random(self, source: Source) -> ChosenText:
        language = source.language or ""
        self._language_words(language)
        rows = await list_texts(self._database, language, source.length or "")
        return self._passage(self._rng.choice(rows))

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
        return self._chosen(" ".join(drawn), language, layout)
