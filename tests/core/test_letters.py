"""Which letters are open, and in which order the others follow."""

import pytest

from server.core.layout import key_places
from server.core.letters import FIRST, HELD, MET, READY, letter_order, open_letters
from server.core.lexicon import Lexicon
from server.core.strength import Strength
from server.lessons import read_words

STRONG = Strength(1, 1)


SHARES = Lexicon(read_words("en", "lesson_words")).letters
ORDER = letter_order(SHARES, key_places("qwerty"))


def opened(
    ever: dict[str, int], strengths: dict[str, Strength] | None = None, wpm: float = 20
) -> int:
    given = strengths if strengths is not None else dict.fromkeys(ever, STRONG)
    found = open_letters(ORDER, SHARES, ever, given, wpm)
    assert found == [letter for letter in ORDER if letter in found]
    return len(found)


@pytest.mark.parametrize(("language", "layout"), [("en", "qwerty"), ("ru", "jcuken")])
def test_every_letter_has_a_turn_and_the_first_make_words(language: str, layout: str) -> None:
    lexicon = Lexicon(read_words(language, "lesson_words"))
    order = letter_order(lexicon.letters, key_places(layout))
    assert set(order) == set("".join(lexicon.words))
    possible = [word for word in lexicon.words if set(word) <= set(order[:FIRST])]
    assert len(possible) >= 10
    assert not {"q", "z", "ъ", "ё", "щ"} & set(order[: len(order) // 2])


def test_the_home_row_comes_before_keys_as_frequent_elsewhere() -> None:
    even = dict.fromkeys("fvr", 1 / 3)
    assert letter_order(even, key_places("qwerty")) == ["f", "r", "v"]


def test_who_begins_has_six_letters() -> None:
    assert opened({}) == FIRST


@pytest.mark.parametrize(
    ("weakness", "more"),
    [
        (READY, 1),
        (Strength(READY.speed - 0.01, 1), 0),
        (Strength(1, READY.accuracy - 0.01), 0),
    ],
    ids=["both are there", "too slow", "too many errors"],
)
def test_the_next_opens_when_speed_and_accuracy_are_there(weakness: Strength, more: int) -> None:
    ever = dict.fromkeys(ORDER[:FIRST], 200)
    strengths = dict.fromkeys(ever, STRONG) | {ORDER[2]: weakness}
    assert opened(ever, strengths) == FIRST + more


def test_of_letters_that_were_ready_once_less_is_asked() -> None:
    ever = dict.fromkeys(ORDER[: FIRST + 2], 200)
    assert opened(ever, dict.fromkeys(ever, HELD) | {ORDER[FIRST + 1]: READY}) == FIRST + 3
    assert opened(ever, dict.fromkeys(ever, HELD)) == FIRST + 2
    fallen = Strength(1, HELD.accuracy - 0.01)
    assert opened(ever, dict.fromkeys(ever, READY) | {ORDER[0]: fallen}) == FIRST + 2


def test_what_was_met_stays_open() -> None:
    ever = dict.fromkeys(ORDER[:FIRST], 200) | {ORDER[9]: MET, ORDER[8]: MET - 1}
    strengths = dict.fromkeys(ever, Strength(0.1, 0.1))
    assert opened(ever, strengths) == FIRST + 1


def test_whoever_types_has_everything_open() -> None:
    weak = Strength(0.1, 0.1)
    alphabet = dict.fromkeys(ORDER, 50) | {"q": 0, "z": 3}
    assert opened(alphabet, dict.fromkeys(alphabet, weak)) == len(ORDER)
    first = dict.fromkeys(ORDER[:FIRST], 30)
    assert opened(first, dict.fromkeys(first, weak), wpm=31) == len(ORDER)
    assert opened(first, dict.fromkeys(first, weak), wpm=29) == FIRST
    # So fast on six letters after much practice: that shows nothing of the others.
    learnt = dict.fromkeys(ORDER[:FIRST], 900)
    assert opened(learnt, dict.fromkeys(learnt, weak), wpm=50) == FIRST
    dozen = dict.fromkeys(ORDER[:12], 900)
    assert opened(dozen, dict.fromkeys(dozen, weak), wpm=50) == len(ORDER)
