"""Where the characters of a layout lie, and which finger of a touch typist reaches for them."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache, lru_cache
from typing import Any

from server.core.layout_data import KEYBOARDS
from server.core.source import DEFAULT_LAYOUTS
from server.core.text import key_name


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


class Shape(StrEnum):
    """ISO keyboards have a tall Enter, and one key more, beside the left Shift."""

    ANSI = "ansi"
    ISO = "iso"


class Level(StrEnum):
    """What is held while a key is pressed."""

    PLAIN = "plain"
    SHIFT = "shift"
    ALTGR = "altgr"
    SHIFT_ALTGR = "shift_altgr"


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """A character's key. `code` is the browser's KeyboardEvent.code of it, whatever the layout.

    `column` counts from the left, as keys are staggered. `hand` is None for the space bar: either
    thumb. `dead` is the dead key to be pressed before, where a character takes two presses.
    """

    code: str
    level: Level
    row: KeyRow
    column: int
    hand: Hand | None
    finger: Finger
    dead: "KeyPlace | None" = None

    @property
    def shift(self) -> bool:
        """Whether Shift is held."""
        return self.level in (Level.SHIFT, Level.SHIFT_ALTGR)


@dataclass(frozen=True, slots=True)
class Layout:
    """`keys` holds what is on each key by its code, level by level, "" where there is nothing.

    A dead key is its combining mark. `languages`: those with every letter of their alphabet on it.
    """

    name: str
    title: str
    shape: Shape
    keys: Mapping[str, tuple[str, ...]]

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(language for language in ALPHABETS if types(self.name, language))


@dataclass(frozen=True, slots=True)
class Remaps:
    """What a person has made of a layout: other characters on keys, other fingers for them.

    A letter put on a key without Shift takes its capital along, unless that is put elsewhere.
    """

    characters: tuple[tuple[str, Level, str], ...] = ()
    fingers: tuple[tuple[str, Hand | None, Finger], ...] = ()


UNCHANGED = Remaps()
# What settings call the fingers; either thumb is one.
FINGER_NAMES: dict[str, tuple[Hand | None, Finger]] = {
    **{f"{hand}_{finger}": (hand, finger) for hand in Hand for finger in list(Finger)[:4]},
    "thumb": (None, Finger.THUMB),
}
# The letters that a layout must have to type the language; ligatures (œ, æ) can be done without.
_LATIN = "abcdefghijklmnopqrstuvwxyz"
ALPHABETS = {
    "en": _LATIN,
    "ru": "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
    "fr": _LATIN + "àâçéèêëîïôùûüÿ",
    "de": _LATIN + "äöüß",
    "es": _LATIN + "áéíóúüñ",
    "pl": _LATIN + "ąćęłńóśźż",
}
_ROW_CODES = {
    KeyRow.NUMBER: "Backquote Digit1 Digit2 Digit3 Digit4 Digit5 Digit6 Digit7 Digit8 Digit9 Digit0"
    " Minus Equal",
    KeyRow.TOP: "KeyQ KeyW KeyE KeyR KeyT KeyY KeyU KeyI KeyO KeyP BracketLeft BracketRight",
    KeyRow.HOME: "KeyA KeyS KeyD KeyF KeyG KeyH KeyJ KeyK KeyL Semicolon Quote Backslash",
    KeyRow.BOTTOM: "IntlBackslash KeyZ KeyX KeyC KeyV KeyB KeyN KeyM Comma Period Slash",
}
# The fingers by column, the left hand's before the gap: p(inky), r(ing), m(iddle), i(ndex).
_FINGERS = {
    KeyRow.NUMBER: "pprmii iimrppp",
    KeyRow.TOP: "prmii iimrppp",
    KeyRow.HOME: "prmii iimrppp",
    KeyRow.BOTTOM: "pprmii iimrp",
}
_FINGER = {"p": Finger.PINKY, "r": Finger.RING, "m": Finger.MIDDLE, "i": Finger.INDEX}
# Where a row's first key stands: the rows of letters begin one key further right.
_FIRST_COLUMN = {KeyRow.NUMBER: 0, KeyRow.TOP: 1, KeyRow.HOME: 1, KeyRow.BOTTOM: 0}
_EASE_OF_ROW = [KeyRow.SPACE, KeyRow.HOME, KeyRow.TOP, KeyRow.BOTTOM, KeyRow.NUMBER]
_EASE_OF_FINGER = [Finger.THUMB, Finger.INDEX, Finger.MIDDLE, Finger.RING, Finger.PINKY]
_EASE_OF_LEVEL = list(Level)
_NOTHING = "◌"
# A dead key and the space bar give the mark by itself, everywhere alike for these.
_ALONE = {"\u0300": "`", "\u0302": "^", "\u0303": "~"}


def _read_layout(name: str) -> Layout:
    title, shape, rows = KEYBOARDS[name]
    keys = {
        code: levels
        for codes, row in zip(_ROW_CODES.values(), rows, strict=True)
        for code, token in zip(codes.split(), row.split(" "), strict=True)
        if any(levels := _read_key(token))
    }
    return Layout(name, title, Shape(shape), {**keys, "Space": (" ",)})


def _read_key(token: str) -> tuple[str, ...]:
    """The characters of the levels: a mark belongs to the circle before it."""
    levels: list[str] = []
    for char in token:
        if unicodedata.combining(char):
            levels[-1] = char
        else:
            levels.append("" if char == _NOTHING else char)
    return tuple(levels)


def key_of(code: str, shape: Shape) -> KeyPlace | None:
    """A key by itself, and the usual finger for it; None for one that carries no character."""
    if code == "Space":
        return KeyPlace(code, Level.PLAIN, KeyRow.SPACE, 0, None, Finger.THUMB)
    for row, codes in _ROW_CODES.items():
        if code in (listed := codes.split()):
            column = listed.index(code)
            left, _, right = _FINGERS[row].partition(" ")
            hand = Hand.LEFT if column < len(left) else Hand.RIGHT
            finger = _FINGER[(left + right)[column]]
            at = column + _FIRST_COLUMN[row]
            if code == "Backslash" and shape is Shape.ANSI:
                row, at = KeyRow.TOP, 13
            return KeyPlace(code, Level.PLAIN, row, at, hand, finger)
    return None


CODES = (*(code for codes in _ROW_CODES.values() for code in codes.split()), "Space")


# The characters of a layout


@lru_cache(maxsize=256)
def character_places(layout: str, remaps: Remaps = UNCHANGED) -> Mapping[str, KeyPlace]:
    """The place of every character as it is typed; none for a layout that is not known.

    Of several the easiest: fewest presses, then the level, then the row and the finger. Where a
    person has put a character there it is.
    """
    if layout not in LAYOUTS:
        return {}
    keys = _fingered_keys(LAYOUTS[layout].shape, remaps)
    own = _own_characters(remaps)
    theirs = {
        (code, level): character
        for code, levels in LAYOUTS[layout].keys.items()
        for level, character in zip(Level, levels, strict=False)
        if character and (code, level) not in own
    }
    found = {**_easiest(theirs, keys), **_easiest(own, keys)}
    return {**_two_presses(found), **_without_marks(found)}


def _fingered_keys(shape: Shape, remaps: Remaps) -> dict[str, KeyPlace]:
    keys = {code: key for code in CODES if (key := key_of(code, shape))}
    for code, hand, finger in remaps.fingers:
        keys[code] = replace(keys[code], hand=hand, finger=finger)
    return keys


def _own_characters(remaps: Remaps) -> dict[tuple[str, Level], str]:
    own = {(code, level): character for code, level, character in remaps.characters}
    for code, level, character in remaps.characters:
        capital = character.upper()
        if level is Level.PLAIN and len(capital) == 1 and capital != character:
            own.setdefault((code, Level.SHIFT), capital)
    return own


def _easiest(
    presses: Mapping[tuple[str, Level], str], keys: Mapping[str, KeyPlace]
) -> dict[str, KeyPlace]:
    found: dict[str, KeyPlace] = {}
    for (code, level), character in presses.items():
        _keep_easier(found, character, replace(keys[code], level=level))
    return found


def _two_presses(found: Mapping[str, KeyPlace]) -> dict[str, KeyPlace]:
    """What dead keys make of the letters: é of ´ and e."""
    made: dict[str, KeyPlace] = {}
    dead_keys = {mark: place for mark, place in found.items() if unicodedata.combining(mark)}
    for mark, dead in dead_keys.items():
        if mark in _ALONE and " " in found:
            _keep_easier(made, _ALONE[mark], replace(found[" "], dead=dead))
        for letter, place in found.items():
            character = unicodedata.normalize("NFC", letter + mark)
            if letter.isalpha() and len(character) == 1:
                _keep_easier(made, character, replace(place, dead=dead))
    return made


def _keep_easier(made: dict[str, KeyPlace], character: str, place: KeyPlace) -> None:
    there = made.get(character)
    if there is None or _effort(place) < _effort(there):
        made[character] = place


def _without_marks(found: Mapping[str, KeyPlace]) -> dict[str, KeyPlace]:
    return {char: place for char, place in found.items() if not unicodedata.combining(char)}


def _effort(place: KeyPlace) -> tuple[int, ...]:
    """Smaller is easier; no two places of a keyboard are equal in it."""
    own = (
        _EASE_OF_LEVEL.index(place.level),
        _EASE_OF_ROW.index(place.row),
        _EASE_OF_FINGER.index(place.finger),
        place.column,
    )
    return (0, *own) if place.dead is None else (1, *_effort(place.dead), *own)


@lru_cache(maxsize=256)
def key_places(layout: str, remaps: Remaps = UNCHANGED) -> Mapping[str, KeyPlace]:
    """The place of every key, by the name its presses are counted under; of a and A that of a.

    Empty for a layout that is not known.
    """
    places: dict[str, KeyPlace] = {}
    for character, place in character_places(layout, remaps).items():
        _keep_easier(places, key_name(character), place)
    return places


def find_place(key: str, layout: str, remaps: Remaps = UNCHANGED) -> KeyPlace | None:
    """The key's place on the layout; if that has no such key, on the usual one that has it."""
    for name in (layout, *DEFAULT_LAYOUTS.values()):
        place = key_places(name, remaps if name == layout else UNCHANGED).get(key)
        if place is not None:
            return place
    return None


# Layouts and languages


@cache
def types(layout: str, language: str) -> bool:
    """Whether every letter of the language is on the layout; False if either is not known."""
    places = character_places(layout)
    return language in ALPHABETS and all(letter in places for letter in ALPHABETS[language])


# What a person has chosen: `settings` are theirs as they are stored, None if there are none.


def chosen_layout(language: str | None, settings: Mapping[str, Any] | None) -> str:
    """What they type the language with: as they said, or else the usual layout; "" for unknown."""
    said = settings or {}
    for name in ((said.get("layouts") or {}).get(language), said.get("layout")):
        if name is not None and language is not None and types(name, language):
            return str(name)
    return DEFAULT_LAYOUTS.get(language or "", "")


def own_remaps(layout: str, settings: Mapping[str, Any] | None) -> Remaps:
    """What they have made of the layout."""
    said = (settings or {}).get("remaps") or {}
    characters = [
        (one["code"], Level(one["level"]), one["character"])
        for one in said.get("keys") or ()
        if one["layout"] == layout
    ]
    fingers = [(code, *FINGER_NAMES[name]) for code, name in (said.get("fingers") or {}).items()]
    return Remaps(tuple(characters), tuple(fingers))


LAYOUTS = {name: _read_layout(name) for name in KEYBOARDS}
