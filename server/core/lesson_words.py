"""What lessons are written with: the words and texts of a language, and decks to draw from."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random

from server.core.made_words import MadeWords

REPEATED_MAX = 1_000


@dataclass(frozen=True)
class Material:
    """A language's words, commonest first; its passages; and what nobody wants to read.

    Of the unwanted, `=word` is that word, `*part` is in any part of a word, all else begins one.
    """

    words: Sequence[str]
    passages: Sequence[str]
    unwanted: Sequence[str]

    @cached_property
    def made(self) -> MadeWords:
        """Maker of words that are none."""
        return MadeWords(self.words, self.is_wanted)

    def is_wanted(self, word: str) -> bool:
        """Whether the word, or the group of letters, may stand in a lesson."""
        return not (
            word in self._whole
            or word.startswith(self._begins)
            or any(part in word for part in self._parts)
        )

    @cached_property
    def _whole(self) -> frozenset[str]:
        return frozenset(self._marked("="))

    @cached_property
    def _parts(self) -> tuple[str, ...]:
        return tuple(self._marked("*"))

    @cached_property
    def _begins(self) -> tuple[str, ...]:
        return tuple(one for one in self.unwanted if one[0] not in "=*")

    def _marked(self, mark: str) -> list[str]:
        return [one[1:] for one in self.unwanted if one.startswith(mark)]


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
