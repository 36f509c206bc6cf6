"""The words of a language, how often each letter is met in them, and words that could be."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from random import Random

BEGIN, END = "^", "$"
PSEUDO_MIN, PSEUDO_MAX = 3, 8
TRIES = 6
# Words are listed from the commonest on; by Zipf's law the n-th is met about 1/n as often. The
# first few would drown the rest, so the count begins a little later.
ZIPF_FROM = 10


class Lexicon:
    """Words from the commonest on, all of small letters; what follows from them is made once.

    No word is made up that is `unwanted`: `=word` is that word, `*part` is in any part of a word,
    all else begins one.
    """

    def __init__(self, words: Sequence[str], unwanted: Sequence[str] = ()) -> None:
        self.words = tuple(words)
        self._unwanted = frozenset(one[1:] for one in unwanted if one[0] == "=")
        self._unwanted_parts = tuple(one[1:] for one in unwanted if one[0] == "*")
        self._unwanted_begins = tuple(one for one in unwanted if one[0] not in "=*")
        self._known = frozenset(words)
        self._cores: dict[str, list[str]] = {}

    @cached_property
    def letters(self) -> Mapping[str, float]:
        """The share of each letter among all that is typed in this language."""
        counts: Counter[str] = Counter()
        for rank, word in enumerate(self.words):
            for letter in word:
                counts[letter] += 1 / (rank + ZIPF_FROM)  # type: ignore[assignment] # a weight
        whole = sum(counts.values())
        return {letter: count / whole for letter, count in counts.items()}

    @cached_property
    def holders(self) -> Mapping[str, Sequence[str]]:
        """The words that hold a letter, or two letters in a row."""
        holders: defaultdict[str, list[str]] = defaultdict(list)
        for word in self.words:
            for part in {*word, *map("".join, pairwise(word))}:
                holders[part].append(word)
        return holders

    @cached_property
    def _followers(self) -> Mapping[str, Counter[str]]:
        return self._neighbours(1)

    @cached_property
    def _leaders(self) -> Mapping[str, Counter[str]]:
        return self._neighbours(-1)

    def _neighbours(self, step: int) -> Mapping[str, Counter[str]]:
        """How often each letter comes after two, or before them."""
        found: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for word in self.words:
            whole = BEGIN + word + END
            for at in range(len(whole) - 2):
                three = whole[at : at + 3]
                if step > 0:
                    found[three[:2]][three[2]] += 1
                else:
                    found[three[1:]][three[0]] += 1
        return found

    def pseudo_word(self, part: str, letters: frozenset[str], rng: Random) -> str | None:
        """Something like a word that holds `part`, of these letters alone; None if none was found.

        Each three letters of it stand in some word of the language, so it can be said aloud.
        """
        for _ in range(TRIES):
            core = self._core(part, letters, rng)
            if core is None:
                return None
            word = self._grow(self._grow(core, letters, rng, 1), letters, rng, -1)
            if PSEUDO_MIN <= len(word) <= PSEUDO_MAX and self._is_new(word):
                return word
        return None

    def _is_new(self, word: str) -> bool:
        """Whether it is no word, and nothing like a word that nobody wants to type."""
        return (
            word not in self._known
            and word not in self._unwanted
            and not word.startswith(self._unwanted_begins)
            and not any(part in word for part in self._unwanted_parts)
        )

    def _core(self, part: str, letters: frozenset[str], rng: Random) -> str | None:
        """Two or three letters of some word around `part`; its ends count as letters."""
        around = self._cores.get(part)
        if around is None:
            words = self.holders.get(part, ())
            around = self._cores[part] = [core for word in words for core in _around(word, part)]
        fitting = [core for core in around if letters.issuperset(core.strip(BEGIN + END))]
        return rng.choice(fitting) if fitting else None

    def _grow(self, core: str, letters: frozenset[str], rng: Random, step: int) -> str:
        """Letters put to one end of `core` until the word ends there."""
        table, stop = (self._followers, END) if step > 0 else (self._leaders, BEGIN)
        while core and core[-1 if step > 0 else 0] != stop:
            if len(core) > PSEUDO_MAX:
                return ""
            near = core[-2:] if step > 0 else core[:2]
            open_to = {
                letter: count
                for letter, count in table.get(near, Counter()).items()
                if letter in letters or letter == stop
            }
            if not open_to:
                return ""
            letter = rng.choices(list(open_to), list(open_to.values()))[0]
            core = core + letter if step > 0 else letter + core
        return core.strip(stop)


def _around(word: str, part: str) -> list[str]:
    whole = BEGIN + word + END
    beside = 1 if len(part) == 1 else 0
    return [
        whole[at - beside : at + len(part) + beside]
        for at in range(1, len(whole) - 1)
        if whole.startswith(part, at)
    ]
