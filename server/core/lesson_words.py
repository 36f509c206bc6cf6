"""What lessons are written with: the words and texts of a language, and decks to draw from."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from server.core.lexicon import Lexicon

REPEATED_MAX = 1_000


class Material(Lexicon):
    """A language's words, commonest first; its passages; and what nobody wants to read."""

    def __init__(
        self, words: Sequence[str], passages: Sequence[str], unwanted: Sequence[str]
    ) -> None:
        super().__init__(words, unwanted)
        self.passages = passages


@dataclass(frozen=True, slots=True)
class LessonText:
    """What is typed in a lesson, and the keys that it is about."""

    text: str
    target_keys: tuple[str, ...]


class Deck:
    """Cards that come in any order, all of them before one comes again."""

    def __init__(self, cards: Sequence[str], rng: Random) -> None:
        self._cards = list(cards)
        self._rng = rng
        self._left: list[str] = []

    def draw(self) -> str:
        if not self._left:
            self._left = self._rng.sample(self._cards, len(self._cards))
        return self._left.pop()

    def endless(self) -> Iterator[str]:
        """One card after the other."""
        while True:
            yield self.draw()


def filled(tokens: Iterable[str], chars: int) -> str:
    """Tokens until about so many characters stand there, none twice in a row.

    Raises ValueError when nothing else but the last one comes any more.
    """
    taken: list[str] = []
    written = repeated = 0
    for token in tokens:
        if taken and bare(token) == bare(taken[-1]):
            repeated += 1
            if repeated > REPEATED_MAX:
                raise ValueError("there is but one token to make a text of")
            continue
        repeated = 0
        taken.append(token)
        written += len(token) + 1
        if written >= chars:
            break
    return " ".join(taken)


def bare(token: str) -> str:
    """The word of a token, without case and marks; of one without letters all of it."""
    return "".join(char for char in token.casefold() if char.isalpha()) or token
