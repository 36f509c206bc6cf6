"""A text made from a person's weak keys: real words, chosen the more the weaker their keys."""

from collections.abc import Mapping, Sequence
from random import Random

from server.core.key_stats import KeyStats
from server.core.text import key_name

PRESSES_MIN = 5  # fewer say nothing of a key
ERROR_WEIGHT = 12.0  # a key missed one time in four counts four times
UNKNOWN_RATE = 0.02


def weakness(stats: Mapping[str, KeyStats]) -> dict[str, float]:
    """How much a key needs practice: 1 when it never errs, more the oftener it does."""
    return {
        key: 1 + ERROR_WEIGHT * (counts.errors / counts.presses)
        for key, counts in stats.items()
        if counts.presses >= PRESSES_MIN
    }


def practice_words(
    words: Sequence[str], stats: Mapping[str, KeyStats], count: int, rng: Random
) -> list[str]:
    """`count` of `words`, drawn by the weakness of their keys, no word twice in a row."""
    weak = weakness(stats)
    default = 1 + ERROR_WEIGHT * UNKNOWN_RATE
    # Squared: otherwise the many ordinary words drown the few that hold the weak keys.
    weights = [
        (sum(weak.get(key_name(char), default) for char in word) / len(word)) ** 2 for word in words
    ]
    chosen: list[str] = []
    while len(chosen) < count:
        for word in rng.choices(words, weights, k=count):
            if len(chosen) < count and (not chosen or chosen[-1] != word or len(words) == 1):
                chosen.append(word)
    return chosen
