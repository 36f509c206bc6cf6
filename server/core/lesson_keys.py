"""Which keys a lesson practises on a layout, and which are known by then."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from server.core.course import EVERY, FINGERS, STEPS, Lesson, Part
from server.core.layout import Finger, Hand, KeyPlace, KeyRow, key_places

LETTERS = {"en": "abcdefghijklmnopqrstuvwxyz", "ru": "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"}
# Marks that lie among the letters are learned with them, where they need no Shift.
MARKS = ";',./"
# Where each finger rests, by the column of its home key.
HOME_COLUMNS = {
    (Hand.LEFT, Finger.PINKY): 1,
    (Hand.LEFT, Finger.RING): 2,
    (Hand.LEFT, Finger.MIDDLE): 3,
    (Hand.LEFT, Finger.INDEX): 4,
    (Hand.RIGHT, Finger.INDEX): 7,
    (Hand.RIGHT, Finger.MIDDLE): 8,
    (Hand.RIGHT, Finger.RING): 9,
    (Hand.RIGHT, Finger.PINKY): 10,
}
ROW_ORDER = [KeyRow.HOME, KeyRow.TOP, KeyRow.BOTTOM, KeyRow.NUMBER]
_PARTS = {
    (KeyRow.HOME, False): Part.HOME,
    (KeyRow.TOP, False): Part.TOP,
    (KeyRow.BOTTOM, False): Part.BOTTOM,
    (KeyRow.HOME, True): Part.HOME_SIDE,
    (KeyRow.TOP, True): Part.TOP_SIDE,
    (KeyRow.BOTTOM, True): Part.BOTTOM_SIDE,
    # A letter of the number row, as ё, is the farthest reach.
    (KeyRow.NUMBER, False): Part.TOP_SIDE,
    (KeyRow.NUMBER, True): Part.TOP_SIDE,
}


@dataclass(frozen=True, slots=True)
class LessonKeys:
    """`targets` are practised; `known` are all keys its text may be made of, targets included."""

    targets: tuple[str, ...]
    known: frozenset[str]


def types_language(layout: str, language: str) -> bool:
    """Whether every letter of the language is on a key of the layout that needs no Shift."""
    places = key_places(layout)
    letters = LETTERS.get(language)
    return letters is not None and all(
        letter in places and not places[letter].shift for letter in letters
    )


def lesson_keys(lesson: Lesson, language: str, layout: str) -> LessonKeys:
    """The keys of a lesson of the first five blocks, nearest to home first.

    Where the layout has nothing in the place that is practised, all of the finger's keys are.
    """
    keys = _learned_keys(language, layout)
    finger, hand = FINGERS[lesson.block]
    own = {key: place for key, place in keys.items() if _is_of(place, finger, hand)}
    hand = lesson.step.hand
    targets = _within(own, lesson.step.parts, hand) or _within(own, EVERY, hand) or list(own)
    known = {*targets, *_within(own, _parts_so_far(lesson), None)}
    for block, (earlier_finger, earlier_hand) in FINGERS.items():
        if block is lesson.block:
            break
        known |= {key for key, place in keys.items() if _is_of(place, earlier_finger, earlier_hand)}
    if lesson.place > 0:  # from the second lesson on all fingers lie on the home row
        known |= {
            key for key, place in keys.items() if place.row is KeyRow.HOME and not is_side(place)
        }
    return LessonKeys(
        tuple(sorted(targets, key=lambda key: _nearness(keys[key]))), frozenset(known)
    )


@cache
def _learned_keys(language: str, layout: str) -> dict[str, KeyPlace]:
    """The keys that the first five blocks teach, with their places."""
    letters = LETTERS.get(language, "")
    return {
        key: place
        for key, place in key_places(layout).items()
        if not place.shift and (key in letters or (key in MARKS and place.row is not KeyRow.NUMBER))
    }


def is_side(place: KeyPlace) -> bool:
    """Whether a finger leaves its column for this key."""
    return place.hand is None or place.column != HOME_COLUMNS[place.hand, place.finger]


def _is_of(place: KeyPlace, finger: Finger, hand: Hand | None) -> bool:
    return place.finger is finger and hand in (None, place.hand)


def _within(keys: dict[str, KeyPlace], parts: Iterable[Part], hand: Hand | None) -> list[str]:
    wanted = set(parts)
    return [
        key
        for key, place in keys.items()
        if _PARTS[place.row, is_side(place)] in wanted and hand in (None, place.hand)
    ]


def _parts_so_far(lesson: Lesson) -> set[Part]:
    steps = STEPS[lesson.block][: lesson.number]
    return {part for step in steps for part in step.parts}


def _nearness(place: KeyPlace) -> tuple[int, int]:
    return ROW_ORDER.index(place.row), place.column
