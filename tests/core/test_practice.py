"""Texts of real words, the more of a key the weaker it is."""

from collections import Counter
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.key_stats import KeyStats
from server.core.practice import PRESSES_MIN, practice_words, weakness
from tests.core import PROPERTY

WORDS = ["tent", "bark", "quiz", "stone", "mild", "jumpy", "vow", "each", "fig", "lax"]


def test_weakness_grows_with_the_share_of_errors() -> None:
    weak = weakness({"a": KeyStats(20, 0), "b": KeyStats(20, 1), "c": KeyStats(20, 10)})
    assert weak["a"] == 1
    assert 1 < weak["b"] < weak["c"]


def test_few_presses_say_nothing_of_a_key() -> None:
    stats = {"a": KeyStats(PRESSES_MIN - 1, PRESSES_MIN - 1), "b": KeyStats(PRESSES_MIN, 0)}
    assert set(weakness(stats)) == {"b"}


@PROPERTY
@given(
    st.lists(st.text("abcё", min_size=1, max_size=4), min_size=2, max_size=9, unique=True),
    st.integers(0, 60),
    st.integers(),
)
def test_as_many_words_as_asked_for_none_twice_in_a_row(
    words: list[str], count: int, seed: int
) -> None:
    chosen = practice_words(words, {"a": KeyStats(10, 5)}, count, Random(seed))
    assert len(chosen) == count
    assert set(chosen) <= set(words)
    assert all(one != other for one, other in pairwise(chosen))


def test_one_word_alone_may_follow_itself() -> None:
    assert practice_words(["so"], {}, 3, Random(1)) == ["so"] * 3


def test_same_dice_draw_the_same_words() -> None:
    drawn = [practice_words(WORDS, {}, 20, Random(7)) for _ in range(2)]
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize("weak_key", ["q", "j"])
def test_words_with_a_weak_key_are_drawn_oftener(weak_key: str) -> None:
    stats = {key: KeyStats(100, 1) for key in "abcdefghijklmnopqrstuvwxyz"}
    even = Counter(practice_words(WORDS, stats, 1_000, Random(3)))
    stats[weak_key] = KeyStats(100, 40)
    bent = Counter(practice_words(WORDS, stats, 1_000, Random(3)))
    holder = next(word for word in WORDS if weak_key in word)
    assert bent[holder] > 1.8 * even[holder]


def test_weakness_of_a_capital_is_that_of_its_key() -> None:
    stats = {"q": KeyStats(100, 90), "a": KeyStats(100, 0), "b": KeyStats(100, 0)}
    drawn = Counter(practice_words(["Q", "a", "b"], stats, 400, Random(5)))
    assert drawn["Q"] > drawn["a"]
    assert drawn["Q"] > drawn["b"]
