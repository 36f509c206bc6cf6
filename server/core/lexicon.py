"""The words of a language, how often each letter is met in them, and words that could be."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import pairwise

from server.core.made_words import MadeWords

# Words are listed from the commonest on; by Zipf's law the n-th is met about 1/n as often. The
# first few would drown the rest, so the count begins a little later.
ZIPF_FROM = 10


class Lexicon:
    """Words from the commonest on, all of small letters; what follows from them is made once.

    Of the unwanted, `=word` is that word, `*part` is in any part of a word, all else begins one.
    """

    def __init__(self, words: Sequence[str], unwanted: Sequence[str] = ()) -> None:
        self.words = tuple(words)
        self._unwanted = frozenset(one[1:] for one in unwanted if one[0] == "=")
        self._unwanted_parts = tuple(one[1:] for one in unwanted if one[0] == "*")
        self._unwanted_begins = tuple(one for one in unwanted if one[0] not in "=*")

    def is_wanted(self, word: str) -> bool:
        """Whether the word, or the group of letters, may stand in a text."""
        return not (
            word in self._unwanted
            or word.startswith(self._unwanted_begins)
            or any(part in word for part in self._unwanted_parts)
        )

    @cached_property
    def made(self) -> MadeWords:
        """Maker of words that are none."""
        return MadeWords(self.words, self.is_wanted)

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
