"""Words that do not exist but could: letters follow each other as they do in real words."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence
from random import Random

LETTERS_MIN = 3
LETTERS_MAX = 6
TRIES = 100
# A word of the list counts by its place: the commonest ones shape what is made.
RANK_SHIFT = 50
WANTED = 6.0  # a letter that is wanted comes so much oftener than it would by itself
END = " "
_NOTHING: Counter[str] = Counter()


class MadeWords:
    """Made from a list of real words, commonest first, by each letter's two before it.

    `is_wanted` says of each word made whether anybody would like to read it.
    """

    def __init__(self, words: Sequence[str], is_wanted: Callable[[str], bool]) -> None:
        self._real = frozenset(words)
        self._is_wanted = is_wanted
        follows: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for rank, word in enumerate(words):
            padded = f"{END}{END}{word}{END}"
            for at in range(len(word) + 1):
                weight = 1_000_000 // (rank + RANK_SHIFT)
                follows[padded[at : at + 2]][padded[at + 2]] += weight
        self._follows = dict(follows)

    def make(self, keys: Collection[str], wanted: str, rng: Random) -> str | None:
        """A word of these keys that holds what is wanted, a key or several in a row.

        None if none was found.
        """
        for _ in range(TRIES):
            word = self._try(keys, wanted, rng)
            if word and wanted in word and word not in self._real and self._is_wanted(word):
                return word
        return None

    def _try(self, keys: Collection[str], wanted: str, rng: Random) -> str | None:
        word = ""
        while True:
            following = self._follows.get(f"{END}{END}{word}"[-2:], _NOTHING)
            # Three of a kind are a slip of the dice, no word.
            doubled = word[-1:] if word[-1:] == word[-2:-1] else ""
            may_grow, may_end = len(word) < LETTERS_MAX, len(word) >= LETTERS_MIN
            letters = [
                letter
                for letter in following
                if (may_end if letter == END else may_grow and letter in keys and letter != doubled)
            ]
            if not letters:
                return None
            goes_on = _going_on(word, wanted)
            weights = [
                following[letter] * (WANTED if letter == goes_on else 1.0) for letter in letters
            ]
            (letter,) = rng.choices(letters, weights)
            if letter == END:
                return word
            word += letter


def _going_on(word: str, wanted: str) -> str:
    """The letter of `wanted` that comes next, after as much of it as the word ends with."""
    for begun in range(len(wanted) - 1, 0, -1):
        if word.endswith(wanted[:begun]):
            return wanted[begun]
    return wanted[0]
