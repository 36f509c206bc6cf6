"""The lessons of the last block: every letter is known, and each lesson looks at one thing more."""

import re
from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from itertools import pairwise
from random import Random

from server.core.course import Form, Lesson
from server.core.layout import KeyPlace, key_places
from server.core.lesson_keys import LETTERS
from server.core.lesson_words import Deck, LessonText, Material, bare, filled
from server.core.text import canonical, key_name

COMMON = 300
FAMILIAR = 1_500
POOL = 70
TARGETS_MAX = 12
RARE_LETTERS = 6
LONG_MIN = 9
LONG_MAX = 13
SHORT_SENTENCE_CHARS = 70
DIGITS = "0123456789"
COMMAS = ",."
MARKS = "?!:;"
QUOTES = "'\"-"
WRAPPED = {"(": "({})", '"': '"{}"', "[": "[{}]", "{": "{{{}}}", "<": "<{}>"}
BEFORE = "#№$@&*~"
AFTER = "%+="
BETWEEN = "/_\\|^"

_sentence_end = re.compile(r"(?<=[.!?])\s+(?=\S)")


class _Writer:
    """Tokens of one lesson, without end."""

    def __init__(
        self, lesson: Lesson, language: str, layout: str, material: Material, rng: Random
    ) -> None:
        self._lesson = lesson
        self._letters = LETTERS[language]
        self._places = key_places(layout)
        self._material = material
        self._rng = rng
        self._familiar = [word for word in material.words[:FAMILIAR] if len(word) > 1]
        self._easy = Deck([word for word in self._familiar[:COMMON] if len(word) <= 6], rng)

    def tokens(self) -> Iterator[str]:
        """What the lesson's form is made of."""
        makers: dict[Form, Callable[[], Iterator[str]]] = {
            Form.COMMON: self.common,
            Form.DOUBLES: self.doubles,
            Form.SAME_FINGER: self.same_finger,
            Form.ALTERNATE: self.alternate,
            Form.ONE_HAND: self.one_hand,
            Form.LONG: self.long,
            Form.RARE: self.rare,
            Form.CAPITALS: self.capitals,
            Form.COMMAS: self.commas,
            Form.MARKS: self.marks,
            Form.QUOTES: self.quotes,
            Form.DIGITS: self.digits,
            Form.NUMBERS: self.numbers,
            Form.SYMBOLS: self.symbols,
            Form.SENTENCES: self.sentences,
            Form.PASSAGE: self.passage,
        }
        return makers[self._lesson.step.form]()

    def _drawn(self, cards: Sequence[str]) -> Iterator[str]:
        return Deck(cards, self._rng).endless()

    def _best(self, worth: Callable[[str], float], longest: int = 9) -> Iterator[str]:
        """The words with the most of something, common ones first among equals."""
        found = [word for word in self._material.words if 3 <= len(word) <= longest]
        ranked = sorted(found, key=lambda word: -worth(word))  # stable: commonest first
        return self._drawn([word for word in ranked[:POOL] if worth(word) > 0])

    def common(self) -> Iterator[str]:
        return self._drawn(self._familiar[:COMMON])

    def doubles(self) -> Iterator[str]:
        return self._best(lambda word: sum(one == other for one, other in pairwise(word)))

    def same_finger(self) -> Iterator[str]:
        return self._best(lambda word: len(self._same_finger_pairs(word)) / len(word), 8)

    def _same_finger_pairs(self, word: str) -> list[tuple[str, str]]:
        return [
            (one, other)
            for one, other in pairwise(word)
            if one != other and self._reach(one) == self._reach(other)
        ]

    def _reach(self, key: str) -> object:
        place = self._places[key]
        return place.hand, place.finger

    def alternate(self) -> Iterator[str]:
        def share(word: str) -> float:
            hands = [self._places[key].hand for key in word]
            turns = sum(one is not other for one, other in pairwise(hands))
            return turns / (len(word) - 1) if len(word) > 3 else 0

        return self._best(share)

    def one_hand(self) -> Iterator[str]:
        hand = self._lesson.step.hand

        def share(word: str) -> float:
            own = sum(self._places[key].hand is hand for key in word)
            return own / len(word)

        return self._best(share, 7)

    def long(self) -> Iterator[str]:
        found = [word for word in self._material.words if LONG_MIN <= len(word) <= LONG_MAX]
        return self._drawn(found[: 2 * POOL])

    def rare(self) -> Iterator[str]:
        keys = rare_letters(self._material.words, self._letters)
        decks = [
            Deck(
                [word for word in self._material.words if key in word and len(word) > 2][:20],
                self._rng,
            )
            for key in keys
        ]
        while True:
            for deck in self._rng.sample(decks, len(decks)):
                yield deck.draw()

    def capitals(self) -> Iterator[str]:
        for word in self._drawn(self._familiar):
            yield word.capitalize() if self._rng.random() < 0.8 else word

    def commas(self) -> Iterator[str]:
        starts = True
        for word in self._drawn([word for word in self._familiar if len(word) <= 6]):
            mark = self._rng.choices(("", ",", "."), (3, 5, 4))[0]
            yield (word.capitalize() if starts else word) + mark
            starts = mark == "."

    def marks(self) -> Iterator[str]:
        marks = [mark for mark in MARKS if mark in self._places]
        starts = True
        for word in self._drawn([word for word in self._familiar if len(word) <= 6]):
            mark = self._rng.choice(["", *marks, *marks])
            yield (word.capitalize() if starts else word) + mark
            starts = mark in ("?", "!")

    def quotes(self) -> Iterator[str]:
        marks = [mark for mark in QUOTES if mark in self._places]
        words = self._drawn([word for word in self._familiar if 2 < len(word) <= 6])
        for word in words:
            mark = self._rng.choice(["", *marks, *marks])
            if mark == "-":
                yield f"{word}-{next(words)}"
            else:
                yield f"{mark}{word}{mark}"

    def digits(self) -> Iterator[str]:
        own = [key for key in DIGITS if self._places[key].hand is self._lesson.step.hand]
        while True:
            length = self._rng.choice((1, 2, 2, 3, 3, 4))
            yield "".join(self._rng.choice(own) for _ in range(length))
            if self._rng.random() < 0.4:
                yield self._easy.draw()

    def numbers(self) -> Iterator[str]:
        shapes = ["{d}", "{d}{d}", "{d}00", "{d}{z}", "20{z}{z}", "19{z}{z}", "{d}{z}{z}"]
        shapes += [
            shape
            for shape, mark in (
                ("1{z}:{h}{z}", ":"),
                ("{d}.{d}", "."),
                ("{d}{z}%", "%"),
                ("{d}-{d}", "-"),
            )
            if mark in self._places
        ]
        while True:
            yield self._easy.draw()
            yield self._number(self._rng.choice(shapes))

    def _number(self, shape: str) -> str:
        ranges = {"{d}": "123456789", "{z}": DIGITS, "{h}": "012345"}
        for name, digits in ranges.items():
            while name in shape:
                shape = shape.replace(name, self._rng.choice(digits), 1)
        return shape

    def symbols(self) -> Iterator[str]:
        keys = [key for key in symbol_keys(self._places)]
        deck = Deck(keys, self._rng)
        while True:
            key, word = deck.draw(), self._easy.draw()
            if key in WRAPPED:
                yield WRAPPED[key].format(word)
            elif key in BEFORE:
                number = key in "#№$"
                yield key + (self._number("{d}{z}") if number else word)
            elif key == "%":
                yield self._number("{d}{z}") + key
            elif key in AFTER:
                yield f"{self._number('{d}')}{key}{self._number('{d}')}"
            else:
                yield f"{word}{key}{self._easy.draw()}"

    def sentences(self) -> Iterator[str]:
        found = [
            sentence
            for passage in self._material.passages
            for sentence in sentences_of(passage)
            if 20 <= len(sentence) <= SHORT_SENTENCE_CHARS
            and _stands_alone(sentence)
            and self._is_fit(sentence)
        ]
        return self._drawn(found)

    def passage(self) -> Iterator[str]:
        fit = [passage for passage in self._material.passages if self._is_fit(passage)]
        long_enough = [passage for passage in fit if len(passage) >= self._lesson.chars]
        yield from sentences_of(self._rng.choice(long_enough))

    def _is_fit(self, prose: str) -> bool:
        """Whether all of it is on keys, and no word of it unwanted."""
        typed = all(key_name(char) in self._places for char in prose)
        return typed and all(map(self._material.is_wanted, map(bare, prose.split())))

    def targets(self, text: str) -> tuple[str, ...]:
        """The keys that this lesson is about, of those in its text: what is pressed most first."""
        form = self._lesson.step.form
        presses = Counter(map(key_name, text.replace(" ", "")))
        if form in _MARKED:
            wanted: Container[str] = _MARKED[form]
        elif form is Form.SYMBOLS:
            wanted = {*symbol_keys(self._places), *"()[]{}<>"}
        elif form is Form.DOUBLES:
            wanted = {one for one, other in pairwise(text) if one == other}
        elif form is Form.SAME_FINGER:
            words = text.split()
            wanted = {
                key for word in words for pair in self._same_finger_pairs(word) for key in pair
            }
        elif form is Form.ONE_HAND:
            hand = self._lesson.step.hand
            wanted = {key for key in presses if self._places[key].hand is hand}
        elif form is Form.RARE:
            wanted = rare_letters(self._material.words, self._letters)
        elif form is Form.CAPITALS:
            wanted = {char.casefold() for char in text if char.isupper()}
        else:
            wanted = presses
        return tuple(key for key, _ in presses.most_common() if key in wanted)[:TARGETS_MAX]


_MARKED = {
    Form.COMMAS: COMMAS,
    Form.MARKS: MARKS,
    Form.QUOTES: QUOTES,
    Form.DIGITS: DIGITS,
    Form.NUMBERS: DIGITS,
}


def rare_letters(words: Sequence[str], letters: str) -> list[str]:
    """The letters that are met least in common words."""
    met = Counter("".join(words[:FAMILIAR]))
    return sorted(letters, key=lambda letter: met[letter])[:RARE_LETTERS]


def symbol_keys(places: Mapping[str, KeyPlace]) -> list[str]:
    """The symbols of a layout that lessons use."""
    return [key for key in [*WRAPPED, *BEFORE, *AFTER, *BETWEEN] if key in places]


def sentences_of(passage: str) -> list[str]:
    """Its sentences, each with the mark that ends it."""
    return _sentence_end.split(passage.replace("\n", " "))


def _stands_alone(sentence: str) -> bool:
    """Whether it begins as a sentence does, and no quotation is cut off."""
    quotes = [char for char in sentence if canonical(char) == '"']
    return sentence[0].isupper() and len(quotes) % 2 == 0


def advanced_text(
    lesson: Lesson, language: str, layout: str, material: Material, rng: Random
) -> LessonText:
    """A lesson of the last block."""
    writer = _Writer(lesson, language, layout, material, rng)
    text = filled(writer.tokens(), lesson.chars)
    return LessonText(text, writer.targets(text))
