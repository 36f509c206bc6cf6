"""What there is to type: passages and words that ship with the program, and texts of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from server.coach import Coach, PracticeUnavailable
from server.core.lexicon import Lexicon
from server.core.source import DEFAULT_LAYOUTS, Source, SourceKind
from server.core.text import normal_text
from server.db.database import Database
from server.db.queries import find_text, list_texts, store_texts
from server.protocol import parse_lines

CONTENT = Path(__file__).parent / "content"
CHARS_PER_SECOND_MAX = 400 * 5 / 60  # a timed text is long enough for 400 wpm


def read_words(language: str, name: str) -> list[str]:
    """The words of a file of that language's content, in its order."""
    return (CONTENT / language / f"{name}.txt").read_text(encoding="utf-8").split()


class TextUnavailable(Exception):
    """Nothing here answers to that source; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class ChosenText:
    """A text for one attempt, with the language and layout its keys are counted under."""

    text: str
    language: str | None
    layout: str


class Texts:
    """Chooses texts. Passages live in the store, word lists in memory; `rng` rolls the dice.

    Its `coach` knows what somebody should practise.
    """

    def __init__(self, database: Database, rng: Random, now_ms: Callable[[], int]) -> None:
        self._database = database
        self._rng = rng
        languages = [folder.name for folder in sorted(CONTENT.iterdir()) if folder.is_dir()]
        self._words = {language: read_words(language, "words") for language in languages}
        lexicons = {
            language: Lexicon(words, read_words(language, "unwanted"))
            for language, words in self._words.items()
        }
        self.coach = Coach(database, lexicons, now_ms)

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
                return self._passage(await find_text(self._database, source.text or ""))
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

    def _chosen(self, text: str, language: str, layout: str | None = None) -> ChosenText:
        return ChosenText(text, language, layout or DEFAULT_LAYOUTS.get(language, ""))

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
        try:
            text = await self.coach.text(user_id, language, layout, self._rng)
        except PracticeUnavailable as unavailable:
            raise TextUnavailable(str(unavailable)) from None
        return self._chosen(text, language, layout)
