"""The text of a lesson on a layout: drills, made-up words, and real words as soon as keys allow.

A pure function of the lesson, the layout's keys and the words there are; the dice are seeded by the
lesson's id, so that the same lesson is the same text anywhere.
"""

from collections.abc import Iterator, Sequence
from itertools import chain, cycle, islice
from random import Random

from server.core.course import FINGERS, Form, Lesson
from server.core.layout import key_places
from server.core.lesson_forms import advanced_text
from server.core.lesson_keys import LETTERS, LessonKeys, lesson_keys
from server.core.lesson_words import Deck, LessonText, Material, filled

POOL = 24  # so many different words for a key
MADE_BELOW = 8  # fewer real ones than that are filled up with made ones
DRILLED_BELOW = 4
DRILL_SHARE = 0.6  # of a drill's text; words follow
# A key and another one: three or four presses that a finger repeats.
PATTERNS = ("aba", "bab", "aab", "abb", "baa", "bba", "abba", "aabb", "abab", "baab")


def lesson_text(lesson: Lesson, language: str, layout: str, material: Material) -> LessonText:
    """The text and the keys it practises. The layout must type the language (`types_language`)."""
    rng = Random(lesson.id)
    if lesson.block not in FINGERS:
        return advanced_text(lesson, language, layout, material, rng)
    keys = lesson_keys(lesson, language, layout)
    writer = _Writer(lesson, keys, layout, LETTERS[language], material, rng)
    tokens = {
        Form.DRILL: writer.drill,
        Form.WORDS: writer.words,
        Form.JUMPS: writer.jumps,
    }[lesson.step.form]()
    return LessonText(filled(tokens, lesson.chars), keys.targets)


class _Writer:
    """Tokens for the keys of one lesson, without end."""

    def __init__(
        self,
        lesson: Lesson,
        keys: LessonKeys,
        layout: str,
        letters: str,
        material: Material,
        rng: Random,
    ) -> None:
        self._lesson = lesson
        self._targets = keys.targets
        self._layout = layout
        self._material = material
        self._rng = rng
        self._others = sorted(keys.known - set(keys.targets))
        self._letters = {key for key in keys.known if key in letters}
        self._longest = 5 + lesson.place // 14

    def words(self) -> Iterator[str]:
        """Words that hold the targets in turn."""
        decks = {key: Deck(self._pool(key), self._rng) for key in self._targets}
        while True:
            for key in self._rng.sample(self._targets, len(self._targets)):
                yield self._decorated(decks[key].draw(), key)

    def drill(self) -> Iterator[str]:
        """Each key by itself, then beside others, then in words."""
        groups = chain((key * 3 for key in self._targets), self._groups())
        return _then(groups, self.words(), round(self._lesson.chars * DRILL_SHARE))

    def jumps(self) -> Iterator[str]:
        """Two or three keys of one finger in different rows, then words."""
        places = key_places(self._layout)
        pairs = [
            (one, other)
            for one in self._targets
            for other in self._targets
            if (places[one].hand, places[one].finger) == (places[other].hand, places[other].finger)
            and places[one].row is not places[other].row
        ]
        deck = Deck([pattern for pair in pairs for pattern in _patterned(*pair)], self._rng)
        groups = iter(deck.draw, None) if pairs else self._groups()
        return _then(groups, self.words(), self._lesson.chars // 2)

    def _groups(self) -> Iterator[str]:
        # Mostly the keys of the lesson, and now and then one that is known already.
        neighbours = [
            *self._targets * 2,
            *self._rng.sample(self._others, min(4, len(self._others))),
        ]
        for key in cycle(self._targets):
            other = self._rng.choice([one for one in neighbours if one != key] or [key])
            group = self._rng.choice([*_patterned(key, other)])
            if self._material.is_wanted(group):
                yield group

    def _pool(self, key: str) -> Sequence[str]:
        is_letter = key in self._letters
        fit = [
            (word, rank)
            for rank, word in enumerate(self._material.words)
            if 2 <= len(word) <= self._longest
            and self._letters.issuperset(word)
            and (key in word or not is_letter)
        ]
        fit.sort(key=lambda found: -self._worth(*found))
        pool = [word for word, _ in fit[:POOL]]
        return self._filled_up(pool, key if is_letter else "")

    def _filled_up(self, pool: list[str], letter: str) -> list[str]:
        tries = 3 * MADE_BELOW
        while len(pool) < MADE_BELOW and tries > 0:
            tries -= 1
            wanted = letter or self._rng.choice(sorted(self._letters))
            made = self._material.made.make(self._letters, wanted, self._rng)
            if made is not None and made not in pool:
                pool.append(made)
        if len(pool) < DRILLED_BELOW:
            pool += dict.fromkeys(islice(self._groups(), 2 * MADE_BELOW))
        return pool

    def _worth(self, word: str, rank: int) -> float:
        """Words with many of the targets, and common ones among those."""
        share = sum(word.count(key) for key in self._targets) / len(word)
        return share - 0.5 * rank / len(self._material.words)

    def _decorated(self, word: str, key: str) -> str:
        if key in self._letters or key in word:
            return word
        if key == "'":
            return f"'{word}'"
        return word + key


def _patterned(key: str, other: str) -> list[str]:
    return [pattern.replace("a", key, 4).replace("b", other) for pattern in PATTERNS]


def _then(first: Iterator[str], second: Iterator[str], chars: int) -> Iterator[str]:
    """Of the first until so many characters are written, then of the second."""
    written = 0
    for token in first:
        yield token
        written += len(token) + 1
        if written >= chars:
            break
    yield from second
