"""The text of a practice: real words that hold what is weak; where few do, words that could be."""

from collections import Counter
from collections.abc import Sequence
from random import Random

from server.core.lexicon import Lexicon
from server.core.practice import Practice
from server.core.strength import lacking

WORDS = 30
# How often the keys chosen are met in a text at least, together: the likelier one has not reached
# the target, the more of that is its own. And how often each bigram is, and each word with both
# keys of a mix-up.
KEYS_MIN = 32
KEY_MIN = 2
BIGRAM_MIN = 4
MIX_UP_MIN = 3
POOL_MIN = 60  # with fewer real words of the open letters, words that could be are put to them
HOLDERS_MIN = 8  # and with fewer that hold what is wanted
WORTH_MIN = 0.01  # of a press of a key that surely is there
ENOUGH = 8  # presses of a key in one text: what follows is worth less and less
LOOKED_AT = 20  # so many are drawn at a time, the best is taken


class _Aim:
    """Something that the text must hold, and how often it does so far."""

    def __init__(self, parts: tuple[str, ...], least: int) -> None:
        self.parts = parts
        self.least = least
        self.met = 0

    def count(self, word: str) -> int:
        """How often the word meets the aim. Of several parts, all must be in it."""
        return min(word.count(part) for part in self.parts) if self.parts else 0

    @property
    def open(self) -> bool:
        return self.met < self.least


def compose(practice: Practice, lexicon: Lexicon, rng: Random, count: int = WORDS) -> list[str]:
    """`count` words of open letters alone, no two neighbours the same.

    The keys chosen are met KEYS_MIN times at least, every bigram BIGRAM_MIN, if the language has
    any word with them. The same word comes twice only if there are not words enough.
    """
    return _Composer(practice, lexicon, rng).compose(count)


class _Composer:
    def __init__(self, practice: Practice, lexicon: Lexicon, rng: Random) -> None:
        self._lexicon = lexicon
        self._rng = rng
        self._letters = frozenset(practice.opened)
        self._worth = _worth(practice)
        self._met: Counter[str] = Counter()
        self._used: set[str] = set()
        self._pool = self._words_of_open_letters()
        self._aims: list[tuple[_Aim, Sequence[str]]] = []
        keys = [focus.part for focus in practice.focus if len(focus.part) == 1]
        whole = sum(self._worth[key] for key in keys)
        for focus in practice.focus:
            least = BIGRAM_MIN
            if focus.part in keys:
                least = max(KEY_MIN, round(KEYS_MIN * self._worth[focus.part] / whole))
            self._add_aim((focus.part,), least)
            if focus.other is not None:
                self._add_aim((focus.part, focus.other), MIX_UP_MIN)

    def _words_of_open_letters(self) -> Sequence[str]:
        words = [word for word in self._lexicon.words if self._letters.issuperset(word)]
        letters = sorted(self._letters)
        for _ in range(max(0, POOL_MIN - len(words))):
            made = self._lexicon.made.make(self._letters, self._rng.choice(letters), self._rng)
            if made is not None:
                words.append(made)
        return words or self._lexicon.words

    def _add_aim(self, parts: tuple[str, ...], least: int) -> None:
        """An aim with the words that serve it; one that no word serves is none."""
        aim = _Aim(parts, least)
        serving = [word for word in self._holders(parts[0]) if aim.count(word)]
        for _ in range(max(0, HOLDERS_MIN - len(serving))):
            made = self._lexicon.made.make(self._letters, parts[0], self._rng)
            if made is None:
                break
            if aim.count(made):
                serving.append(made)
        if serving:
            self._aims.append((aim, serving))

    def _holders(self, part: str) -> Sequence[str]:
        words = self._lexicon.holders.get(part, ())
        return [word for word in words if self._letters.issuperset(word)]

    def compose(self, count: int) -> list[str]:
        chosen: list[str] = []
        for _ in range(count):
            word = self._choose(chosen[-1] if chosen else "")
            chosen.append(word)
            self._used.add(word)
            self._met.update(word)
            for aim, _serving in self._aims:
                aim.met += aim.count(word)
        return chosen

    def _choose(self, before: str) -> str:
        """The best of a few: for the aim that is furthest behind, or of all words."""
        behind = [(aim.met / aim.least, serving) for aim, serving in self._aims if aim.open]
        words = min(behind, key=lambda pair: pair[0])[1] if behind else self._pool
        for among in (words, self._pool):
            # Of few not all are looked at, or each text would have the same best ones.
            count = min(LOOKED_AT, max(1, len(among) // 3))
            drawn = self._rng.sample(among, min(len(among), count + len(self._used)))
            fresh = [word for word in drawn if word not in self._used]
            if fresh:
                return max(fresh[:count], key=self._value)
        others = [word for word in words if word != before] or list(words)
        return self._rng.choice(others)

    def _value(self, word: str) -> float:
        """What its presses are worth, on average: the space after it is worth nothing."""
        worth, met = self._worth, self._met
        value = 0.0
        for key in word:
            value += worth.get(key, 0.0) / (ENOUGH + met[key])
        return value / (len(word) + 1)


def _worth(practice: Practice) -> dict[str, float]:
    """What a press of each open letter is worth: the chance that it has not reached the target."""
    return {
        key: max(WORTH_MIN, lacking(practice.model.key(key), practice.target))
        for key in practice.opened
    }
