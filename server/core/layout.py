"""Where the keys of a layout lie, and which finger of a touch typist reaches for them."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache


class Hand(StrEnum):
    LEFT = "left"
    RIGHT = "right"


class Finger(StrEnum):
    PINKY = "pinky"
    RING = "ring"
    MIDDLE = "middle"
    INDEX = "index"
    THUMB = "thumb"


class KeyRow(StrEnum):
    NUMBER = "number"
    TOP = "top"
    HOME = "home"
    BOTTOM = "bottom"
    SPACE = "space"


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """One key of a keyboard. `column` counts from the left, as keys are staggered.

    `hand` is None for the space bar: either thumb.
    """

    row: KeyRow
    column: int
    hand: Hand | None
    finger: Finger
    shift: bool


# The fingers by column, the left hand's before the gap: p(inky), r(ing), m(iddle), i(ndex).
_FINGERS = {
    KeyRow.NUMBER: "pprmii iimrppp",
    KeyRow.TOP: "prmii iimrpppp",
    KeyRow.HOME: "prmii iimrpp",
    KeyRow.BOTTOM: "prmii iimrp",
}
_FINGER = {"p": Finger.PINKY, "r": Finger.RING, "m": Finger.MIDDLE, "i": Finger.INDEX}
# Where a row's first key stands: the number row begins one key further left.
_FIRST_COLUMN = {KeyRow.NUMBER: 0, KeyRow.TOP: 1, KeyRow.HOME: 1, KeyRow.BOTTOM: 1}

# Each row plain and with shift.
_LAYOUTS = {
    "qwerty": {
        KeyRow.NUMBER: ("`1234567890-=", "~!@#$%^&*()_+"),
        KeyRow.TOP: ("qwertyuiop[]\\", "QWERTYUIOP{}|"),
        KeyRow.HOME: ("asdfghjkl;'", 'ASDFGHJKL:"'),
        KeyRow.BOTTOM: ("zxcvbnm,./", "ZXCVBNM<>?"),
    },
    "jcuken": {
        KeyRow.NUMBER: ("ё1234567890-=", 'Ё!"№;%:?*()_+'),
        KeyRow.TOP: ("йцукенгшщзхъ\\", "ЙЦУКЕНГШЩЗХЪ/"),
        KeyRow.HOME: ("фывапролджэ", "ФЫВАПРОЛДЖЭ"),
        KeyRow.BOTTOM: ("ячсмитьбю.", "ЯЧСМИТЬБЮ,"),
    },
}
SPACE = KeyPlace(KeyRow.SPACE, 0, None, Finger.THUMB, shift=False)


@cache
def key_places(layout: str) -> dict[str, KeyPlace]:
    """The place of every key, by its case-folded name; empty for a layout that is not known."""
    places: dict[str, KeyPlace] = {}
    for row, sides in _LAYOUTS.get(layout, {}).items():
        left, _, right = _FINGERS[row].partition(" ")
        for column, letter in enumerate(left + right):
            hand = Hand.LEFT if column < len(left) else Hand.RIGHT
            for shift, side in enumerate(sides):
                if column < len(side):
                    name = side[column].casefold()
                    at = column + _FIRST_COLUMN[row]
                    place = KeyPlace(row, at, hand, _FINGER[letter], bool(shift))
                    places.setdefault(name, place)
    if places:
        places[" "] = SPACE
    return places


def find_place(key: str, layout: str) -> KeyPlace | None:
    """The key's place on the layout; if that has no such key, on the first that has one."""
    for name in (layout, *_LAYOUTS):
        place = key_places(name).get(key)
        if place is not None:
            return place
    return None
