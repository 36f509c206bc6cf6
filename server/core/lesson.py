"""The text of a lesson on a layout: drills, made-up words, and real words as soon as keys allow.

A pure function of the lesson, the layout's keys and the words there are; the dice are seeded by the
lesson's id, so that the same lesson is the same text anywhere.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import chain, cycle, islice
from random import Random

from server.core.course import FINGERS, Form, Lesson
from server.core.layout import key_places
from server.core.lesson_forms import advanced_text
from server.core.lesson_keys import LETTERS, LessonKeys, lesson_keys
from server.core.lesson_words import Deck, LessonText, Material, filled

POOL = 24  # so many different words for a key
MADE_BELOW = 8  # fewer real ones than that are filled up with made ones
ALONE = (2, 3, 4)  # presses of a key that has no other beside it
MADE_TRIES = 3 * MADE_BELOW
DRILLED_BELOW = 4
DRILL_SHARE = 0.6  # of a drill's text; words follow
# A key and another one: three or four presses that a finger repeats.
PATTERNS = ("aba", "bab", "aab", "abb", "baa", "bba", "abba", "aabb", "abab", "baab")


def lesson_text(lesson: Lesson, language: str, layout: str, material: Material) -> LessonText:
    """The text and the keys it practises. The layout must type the language (`layout.types`)."""
    # No dice: a lesson is the same text each time.
    rng = Random(lesson.id)  # noqa: S311  # nosec B311
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
        self._letters = {key for key in keys.known if key in letters}
        self._others = sorted(self._letters - set(keys.targets))
        self._longest = 5 + lesson.place // 14

    def words(self) -> Iterator[str]:
        """Words that hold the targets in turn."""
        decks = {key: Deck(self._pool(key), self._rng) for key in self._targets}
        while True:
            for key in self._rng.sample(self._targets, len(self._targets)):
                yield self._with_mark(decks[key], key)

    def drill(self) -> Iterator[str]:
        """Each key by itself, then beside others, then in words."""
        groups = chain((key * 3 for key in self._targets), self._groups())
        return _then(groups, self.words(), round(self._lesson.chars * DRILL_SHARE))

    def jumps(self) -> Iterator[str]:
        """Two keys of one finger in different rows, then words."""
        places = key_places(self._layout)
        jumps = [
            group
            for one in self._targets
            for other in self._targets
            if (places[one].hand, places[one].finger) == (places[other].hand, places[other].finger)
            and places[one].row is not places[other].row
            for group in self._patterned(one, other)
        ]
        groups = Deck(jumps, self._rng).endless() if jumps else self._groups()
        return _then(groups, self.words(), self._lesson.chars // 2)

    def _groups(self) -> Iterator[str]:
        for key in cycle(self._targets):
            yield self._rng.choice(self._groups_of(key))

    def _groups_of(self, key: str) -> list[str]:
        # Beside the keys of the lesson, mostly, and now and then one that is known already.
        known = self._rng.sample(self._others, min(2, len(self._others)))
        beside = [one for one in (*self._targets, *known) if one != key]
        return [group for other in beside for group in self._patterned(key, other)] or [
            key * times for times in ALONE
        ]

    def _patterned(self, key: str, other: str) -> list[str]:
        keys = {ord("a"): key, ord("b"): other}
        groups = [pattern.translate(keys) for pattern in PATTERNS]
        return list(filter(self._material.is_wanted, groups))

    def _pool(self, key: str) -> Sequence[str]:
        is_letter = key in self._letters
        fit = (word for word in self._fit if key in word or not is_letter)
        return self._filled_up(list(islice(fit, POOL)), key, is_letter)

    @cached_property
    def _fit(self) -> list[str]:
        """The words of known keys: those with many of the targets first, and the common ones."""
        words = self._material.words
        fit = [
            (word, rank)
            for rank, word in enumerate(words)
            if 2 <= len(word) <= self._longest and self._letters.issuperset(word)
        ]
        fit.sort(key=lambda found: -self._worth(found[0], found[1] / len(words)))
        return [word for word, _ in fit]

    def _worth(self, word: str, rarity: float) -> float:
        return sum(word.count(key) for key in self._targets) / len(word) - rarity / 2

    def _filled_up(self, pool: list[str], key: str, is_letter: bool) -> list[str]:
        for _ in range(MADE_TRIES):
            if len(pool) >= MADE_BELOW:
                break
            wanted = key if is_letter else self._rng.choice(sorted(self._letters))
            made = self._material.made.make(self._letters, wanted, self._rng)
            if made is None:
                break
            if made not in pool:
                pool.append(made)
        if len(pool) < DRILLED_BELOW:
            groups = self._groups_of(key)
            pool += self._rng.sample(groups, min(MADE_BELOW, len(groups)))
        return pool

    def _with_mark(self, deck: Deck, key: str) -> str:
        """A word of the deck; a mark that is practised stands as it does beside words."""
        word = deck.draw()
        if key in self._letters or key in word:
            return word
        if key == "/":
            return f"{word}/{deck.draw()}"
        return f"'{word}'" if key == "'" else word + key


def _then(first: Iterator[str], second: Iterator[str], chars: int) -> Iterator[str]:
    """Of the first until so many characters are written, then of the second."""
    written = 0
    for token in first:
        yield token
        written += len(token) + 1
        if written >= chars:
            break
    yield from second
