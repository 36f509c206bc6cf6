"""What somebody should practise: what is stored of their typing, read by the core."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from random import Random

from server.core.key_model import Evidence
from server.core.key_stats import KeyStats
from server.core.layout import key_places
from server.core.lexicon import Lexicon
from server.core.practice import Practice, plan_practice
from server.core.practice_text import compose
from server.core.strength import USUAL_ACCURACY
from server.db.database import Database
from server.db.evidence import Typed, load_typed

# More say nothing new: of the presses of one key, those before the last few hundred have faded.
ATTEMPTS_MAX = 40


class PracticeUnavailable(Exception):
    """There is no practice like that; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The practice as it stands, and how strong each key was before the newest attempt.

    `touched` are the keys that this attempt has pressed.
    """

    practice: Practice
    before: Mapping[str, int]
    touched: frozenset[str]
    opened_before: frozenset[str]


class Coach:
    """Plans practice for the languages it has words of; `now_ms` tells the time."""

    def __init__(
        self, database: Database, words: Mapping[str, list[str]], now_ms: Callable[[], int]
    ) -> None:
        self._database = database
        self._lexicons = {language: Lexicon(known) for language, known in words.items()}
        self._now_ms = now_ms

    async def practice(self, user_id: str, language: str, layout: str) -> Practice:
        """What to practise now. Raises PracticeUnavailable, or what the store raises."""
        lexicon = self._lexicon(language, layout)
        typed = await load_typed(self._database, user_id, language, layout, ATTEMPTS_MAX)
        return self._plan(typed, lexicon, layout)

    async def progress(self, user_id: str, language: str, layout: str) -> Progress:
        """The practice now, compared with what it was before the newest attempt."""
        lexicon = self._lexicon(language, layout)
        typed = await load_typed(self._database, user_id, language, layout, ATTEMPTS_MAX)
        practice = self._plan(typed, lexicon, layout)
        if not typed.newest_first:
            return Progress(practice, {}, frozenset(), frozenset(practice.opened))
        newest, *older = typed.newest_first
        totals = {key: _without(stats, newest, key) for key, stats in typed.totals.items()}
        older_typed = replace(typed, newest_first=older, totals=totals)
        # Against the same target, even if it follows one's speed.
        before = self._plan(older_typed, lexicon, layout, practice.target.wpm)
        values = {key: found.value for key, found in before.strengths.items()}
        return Progress(practice, values, frozenset(newest.counts.keys), frozenset(before.opened))

    async def text(self, user_id: str, language: str, layout: str, rng: Random) -> str:
        """A text to practise now; never the same twice. Raises as `practice` does."""
        practice = await self.practice(user_id, language, layout)
        return " ".join(compose(practice, self._lexicons[language], rng))

    def _lexicon(self, language: str, layout: str) -> Lexicon:
        lexicon = self._lexicons.get(language)
        if lexicon is None:
            known = ", ".join(self._lexicons)
            raise PracticeUnavailable(f"There is no practice in that language; there is: {known}.")
        if not lexicon.letters.keys() <= key_places(layout).keys():
            raise PracticeUnavailable("There is no practice for that language on that layout.")
        return lexicon

    def _plan(
        self, typed: Typed, lexicon: Lexicon, layout: str, wpm: float | None = None
    ) -> Practice:
        return plan_practice(
            typed.newest_first,
            typed.totals,
            lexicon,
            key_places(layout),
            self._now_ms(),
            wpm or typed.goals.get("wpm"),
            typed.goals.get("accuracy") or USUAL_ACCURACY,
        )


def _without(stats: KeyStats, newest: Evidence, key: str) -> KeyStats:
    packed = newest.counts.keys.get(key)
    if packed is None:
        return stats
    presses, errors, latency_sum_ms, latency_count = packed[:4]
    return KeyStats(
        stats.presses - presses,
        stats.errors - errors,
        stats.latency_sum_ms - latency_sum_ms,
        stats.latency_count - latency_count,
    )
