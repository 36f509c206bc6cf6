"""Where keys lie, two keys in a row, and what is said of the weak ones."""

import pytest

from server.core.bigrams import add_stats, type_bigrams
from server.core.key_stats import KeyStats
from server.core.layout import Finger, Hand, KeyRow, find_place, key_places
from server.core.text import Text
from server.core.typed_text import ErrorRule, Keystroke, TypedText
from server.core.weak_keys import (
    ENGLISH,
    PHRASES,
    RUSSIAN,
    Slip,
    WeakKey,
    find_weak_keys,
    insights,
    recommendation,
)


def pairs(words: str, keys: str, rule: ErrorRule = ErrorRule.FREE) -> dict[str, tuple[int, int]]:
    """(presses, errors) of each pair when the keys are typed."""
    typed_text = TypedText(Text.of(words), rule)
    found = type_bigrams(typed_text, [Keystroke(100, key) for key in keys])
    return {name: (stats.presses, stats.errors) for name, stats in found.items()}


@pytest.mark.parametrize(
    ("words", "keys", "expected"),
    [
        ("aba", "aba", {"ab": (1, 0), "ba": (1, 0)}),
        ("Aba", "Aba", {"ab": (1, 0), "ba": (1, 0)}),
        ("aba", "axa", {"ab": (1, 1)}),  # what follows a wrong press follows nothing
        ("aba", "xba", {"ba": (1, 0)}),
        ("aba", "ab\bba", {"ab": (1, 0), "ba": (1, 0)}),  # nor what follows a delete
        ("ab", "abc", {"ab": (1, 0)}),  # past the end
        ("a", "a", {}),
    ],
)
def test_a_pair_is_a_press_right_after_a_right_one(
    words: str, keys: str, expected: dict[str, tuple[int, int]]
) -> None:
    assert pairs(words, keys) == expected


def test_a_press_that_is_not_typed_parts_a_pair() -> None:
    assert pairs("abc", "axbc", ErrorRule.STOP) == {"ab": (1, 1), "bc": (1, 0)}


def test_three_dots_at_once_are_no_pair() -> None:
    assert pairs("a...b", "a…b") == {}


def test_sums() -> None:
    totals = {"a": KeyStats(2, 1, 100, 1, {"b": 1})}
    more = {"a": KeyStats(3, 2, 50, 1, {"b": 1, "c": 1}), "d": KeyStats(1, 0, 0, 0)}
    add_stats(totals, more)
    assert totals == {
        "a": KeyStats(5, 3, 150, 2, {"b": 2, "c": 1}),
        "d": KeyStats(1, 0, 0, 0),
    }
    assert more["a"] == KeyStats(3, 2, 50, 1, {"b": 1, "c": 1})
    totals["d"].add(KeyStats(1, 1, confusions={"x": 1}))
    assert more["d"] == KeyStats(1, 0, 0, 0)
    assert (totals["a"].error_rate, KeyStats().error_rate) == (0.6, 0.0)


@pytest.mark.parametrize(
    ("layout", "key", "hand", "finger", "row", "shift"),
    [
        ("qwerty", "f", Hand.LEFT, Finger.INDEX, KeyRow.HOME, False),
        ("qwerty", "j", Hand.RIGHT, Finger.INDEX, KeyRow.HOME, False),
        ("qwerty", "q", Hand.LEFT, Finger.PINKY, KeyRow.TOP, False),
        ("qwerty", "p", Hand.RIGHT, Finger.PINKY, KeyRow.TOP, False),
        ("qwerty", "b", Hand.LEFT, Finger.INDEX, KeyRow.BOTTOM, False),
        ("qwerty", "n", Hand.RIGHT, Finger.INDEX, KeyRow.BOTTOM, False),
        ("qwerty", "1", Hand.LEFT, Finger.PINKY, KeyRow.NUMBER, False),
        ("qwerty", "5", Hand.LEFT, Finger.INDEX, KeyRow.NUMBER, False),
        ("qwerty", "8", Hand.RIGHT, Finger.MIDDLE, KeyRow.NUMBER, False),
        ("qwerty", '"', Hand.RIGHT, Finger.PINKY, KeyRow.HOME, True),
        ("qwerty", "?", Hand.RIGHT, Finger.PINKY, KeyRow.BOTTOM, True),
        ("qwerty", " ", None, Finger.THUMB, KeyRow.SPACE, False),
        ("jcuken", "ф", Hand.LEFT, Finger.PINKY, KeyRow.HOME, False),
        ("jcuken", "о", Hand.RIGHT, Finger.INDEX, KeyRow.HOME, False),
        ("jcuken", "ё", Hand.LEFT, Finger.PINKY, KeyRow.NUMBER, False),
        ("jcuken", "и", Hand.LEFT, Finger.INDEX, KeyRow.BOTTOM, False),
        ("jcuken", ".", Hand.RIGHT, Finger.PINKY, KeyRow.BOTTOM, False),
        ("jcuken", ",", Hand.RIGHT, Finger.PINKY, KeyRow.BOTTOM, True),
        ("", "ж", Hand.RIGHT, Finger.PINKY, KeyRow.HOME, False),
    ],
)
def test_places(
    layout: str, key: str, hand: Hand | None, finger: Finger, row: KeyRow, shift: bool
) -> None:
    place = find_place(key, layout)
    assert place is not None
    assert (place.hand, place.finger, place.row, place.shift) == (hand, finger, row, shift)


def test_every_letter_has_a_place_of_its_own() -> None:
    for layout, alphabet in [
        ("qwerty", "abcdefghijklmnopqrstuvwxyz"),
        ("jcuken", "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"),
    ]:
        places = [key_places(layout)[letter] for letter in alphabet]
        assert len({(place.row, place.column) for place in places}) == len(alphabet)
    assert find_place("é", "qwerty") is None


@pytest.mark.parametrize(
    ("key", "hit", "slip"),
    [
        ("f", "F", Slip.SHIFT),
        (";", ":", Slip.SHIFT),
        ("f", "r", Slip.SAME_FINGER),
        ("s", "d", Slip.NEIGHBOUR),
        ("d", "k", Slip.OTHER_HAND),
        ("a", "k", Slip.ELSEWHERE),
        ("t", "y", Slip.NEIGHBOUR),
        (" ", "b", Slip.ELSEWHERE),
        ("f", "é", None),
        ("é", "e", None),
    ],
)
def test_slips(key: str, hit: str, slip: Slip | None) -> None:
    (weak,) = find_weak_keys({"qwerty": {key: KeyStats(10, 9, confusions={hit: 9})}}, 3, 0.1)
    assert weak.slip is slip
    for phrases in PHRASES.values():
        said = recommendation(weak, phrases)
        assert "{" not in said
        assert said.endswith(".")


def test_weak_is_over_both_limits_and_the_worst_comes_first() -> None:
    keys = {
        "a": KeyStats(100, 10),  # just 10 %
        "b": KeyStats(100, 11),
        "c": KeyStats(10, 3),  # just three
        "d": KeyStats(10, 4),
        "e": KeyStats(20, 8),  # as high a rate, more errors
    }
    weak = find_weak_keys({"qwerty": keys}, errors=3, error_rate=0.1)
    assert [found.key for found in weak] == ["e", "d", "b"]
    many = {chr(ord("a") + n): KeyStats(100, 50 + n) for n in range(20)}
    assert len(find_weak_keys({"qwerty": many}, 3, 0.1)) == 10


def test_what_was_hit_instead_is_counted_by_key() -> None:
    confusions = {"d": 2, "D": 2, "s": 3, "x": 1, "z": 1}
    (weak,) = find_weak_keys({"qwerty": {"f": KeyStats(20, 9, confusions=confusions)}}, 3, 0.1)
    assert weak.instead == [("d", 4), ("s", 3), ("x", 1)]


def test_it_is_said_in_words() -> None:
    weak = find_weak_keys(
        {
            "qwerty": {
                "f": KeyStats(80, 12, confusions={"g": 10}),
                ":": KeyStats(10, 4, confusions={";": 4}),
                " ": KeyStats(50, 6),
            }
        },
        3,
        0.1,
    )
    assert [recommendation(found, ENGLISH) for found in weak] == [
        ":: right little finger, home row, with Shift. 4 of 10 presses were wrong (40%). Most "
        "often ; was hit instead: the same key, with Shift held or not. Practise it with Shift and "
        "without, Shift under the other hand.",
        "F: left index finger, home row. 12 of 80 presses were wrong (15%). Most often G was hit "
        "instead, which the same finger reaches for. Practise F and G in turn, and go home after "
        "each.",
        "Space: either thumb, space bar. 6 of 50 presses were wrong (12%). Practise words with "
        "Space, slowly at first.",
    ]
    assert insights(weak, True, ENGLISH) == (
        "Look to your left hand first: 55% of the errors on your weak keys are its. Most of them "
        "fall to the left index finger."
    )
    assert insights(weak[2:], True, RUSSIAN).startswith("Пробел: любой большой палец")
    assert insights([], True, RUSSIAN) == RUSSIAN.nothing_weak
    assert insights([], False, RUSSIAN) == RUSSIAN.nothing_typed


def test_a_key_on_no_layout_is_still_named() -> None:
    weak = WeakKey("é", "", KeyStats(10, 5), None, [("e", 5)])
    assert recommendation(weak, ENGLISH) == (
        "É. 5 of 10 presses were wrong (50%). Most often E was hit instead. "
        "Practise words with É, slowly at first."
    )
