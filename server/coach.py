"""What somebody should practise: what is stored of their typing, read by the core."""

from collections.abc import Callable, Mapping
from random import Random

from server.core.layout import key_places
from server.core.lexicon import Lexicon
from server.core.practice import Practice, plan_practice
from server.core.practice_text import compose
from server.core.strength import USUAL_ACCURACY
from server.db.database import Database
from server.db.evidence import load_typed

# More say nothing new: of the presses of one key, those before the last few hundred have faded.
ATTEMPTS_MAX = 30


class PracticeUnavailable(Exception):
    """There is no practice like that; the message says what is missing."""


class Coach:
    """Plans practice for the languages it has a lexicon of; `now_ms` tells the time."""

    def __init__(
        self, database: Database, lexicons: Mapping[str, Lexicon], now_ms: Callable[[], int]
    ) -> None:
        self._database = database
        self._lexicons = lexicons
        self._now_ms = now_ms

    async def practice(self, user_id: str, language: str, layout: str) -> Practice:
        """What to practise now. Raises PracticeUnavailable, or what the store raises."""
        lexicon = self._lexicon(language, layout)
        typed = await load_typed(self._database, user_id, language, layout, ATTEMPTS_MAX)
        return plan_practice(
            typed.newest_first,
            typed.totals,
            lexicon,
            key_places(layout),
            self._now_ms(),
            typed.goals.get("wpm"),
            typed.goals.get("accuracy") or USUAL_ACCURACY,
        )

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
