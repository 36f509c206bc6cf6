"""Layouts: what is on their keys, against what anybody can read off such a keyboard."""

from itertools import groupby

import pytest

from server.core.layout import (
    LAYOUTS,
    Finger,
    Hand,
    KeyPlace,
    KeyRow,
    Level,
    Remaps,
    Shape,
    character_places,
    chosen_layout,
    find_place,
    key_places,
    types,
)
from server.core.source import DEFAULT_LAYOUTS
from server.core.text import key_name
from server.lessons import CONTENT
from server.protocol import parse_lines

P, S, A, SA = Level
HOME_ROWS = {
    "qwerty": "asdfghjkl;'",
    "dvorak": "aoeuidhtns-",
    "colemak": "arstdhneio'",
    "colemak_dh": "arstgmneio'",
    "workman": "ashtgyneoi'",
    "uk": "asdfghjkl;'#",
    "azerty": "qsdfghjklmù*",
    "qwertz": "asdfghjklöä#",
    "spanish": "asdfghjklñ",
    "polish": "asdfghjkl;'",
    "jcuken": "фывапролджэ",
}
FACTS = [
    ("qwerty", "@", "Digit2", S),
    ("qwerty", "\\", "Backslash", P),
    ("dvorak", "'", "KeyQ", P),
    ("dvorak", "z", "Slash", P),
    ("dvorak", "[", "Minus", P),
    ("colemak", "f", "KeyE", P),
    ("colemak", "k", "KeyN", P),
    ("colemak_dh", "m", "KeyH", P),
    ("colemak_dh", "d", "KeyC", P),
    ("colemak_dh", "z", "KeyB", P),
    ("workman", "d", "KeyW", P),
    ("workman", "l", "KeyM", P),
    ("azerty", "a", "KeyQ", P),
    ("azerty", "z", "KeyW", P),
    ("azerty", "m", "Semicolon", P),
    ("azerty", "1", "Digit1", S),
    ("azerty", "0", "Digit0", S),
    ("azerty", "é", "Digit2", P),
    ("azerty", "ç", "Digit9", P),
    ("azerty", ".", "Comma", S),
    ("azerty", "@", "Digit0", A),
    ("azerty", "<", "IntlBackslash", P),
    ("qwertz", "z", "KeyY", P),
    ("qwertz", "y", "KeyZ", P),
    ("qwertz", "ß", "Minus", P),
    ("qwertz", "Ü", "BracketLeft", S),
    ("qwertz", "@", "KeyQ", A),
    ("qwertz", "€", "KeyE", A),
    ("qwertz", "|", "IntlBackslash", A),
    ("spanish", "ñ", "Semicolon", P),
    ("spanish", "¿", "Equal", S),
    ("spanish", "@", "Digit2", A),
    ("spanish", "ç", "Backslash", P),
    ("uk", "£", "Digit3", S),
    ("uk", '"', "Digit2", S),
    ("uk", "@", "Quote", S),
    ("uk", "#", "Backslash", P),
    ("uk", "\\", "IntlBackslash", P),
    ("polish", "ą", "KeyA", A),
    ("polish", "Ż", "KeyZ", SA),
    ("polish", "ź", "KeyX", A),
    ("jcuken", "ё", "Backquote", P),
    ("jcuken", ",", "Slash", S),
    ("jcuken", "№", "Digit3", S),
    ("jcuken", "ъ", "BracketRight", P),
    ("jcuken", "/", "Backslash", S),
]
TWO_PRESSES = [
    ("spanish", "é", "Quote", P, "KeyE", P),
    ("spanish", "Ü", "Quote", S, "KeyU", S),
    ("azerty", "ê", "BracketLeft", P, "KeyE", P),
    ("azerty", "ï", "BracketLeft", S, "KeyI", P),
    ("qwertz", "á", "Equal", P, "KeyA", P),
    ("qwertz", "^", "Backquote", P, "Space", P),
    ("spanish", "`", "BracketLeft", P, "Space", P),
]


@pytest.mark.parametrize(("layout", "character", "code", "level"), FACTS)
def test_single_presses(layout: str, character: str, code: str, level: Level) -> None:
    place = character_places(layout)[character]
    assert (place.code, place.level, place.dead) == (code, level, None)
    assert place.shift is (level in (S, SA))


@pytest.mark.parametrize(("layout", "character", "dead", "held", "code", "level"), TWO_PRESSES)
def test_a_dead_key_and_a_letter_are_two_presses(
    layout: str, character: str, dead: str, held: Level, code: str, level: Level
) -> None:
    place = character_places(layout)[character]
    assert place.dead is not None
    found = (place.dead.code, place.dead.level, place.code, place.level)
    assert found == (dead, held, code, level)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_home_row_has_four_fingers_of_each_hand_and_the_row_that_is_printed(
    layout: str,
) -> None:
    plain = [
        (place.column, character, place)
        for character, place in character_places(layout).items()
        if place.row is KeyRow.HOME and place.level is P and place.dead is None
    ]
    row = [(character, place) for _, character, place in sorted(plain, key=lambda one: one[0])]
    assert "".join(character for character, _ in row).startswith(HOME_ROWS[layout])
    fingers = [finger for finger, _ in groupby((place.hand, place.finger) for _, place in row)]
    order = [Finger.PINKY, Finger.RING, Finger.MIDDLE, Finger.INDEX]
    left, right = [(Hand.LEFT, one) for one in order], [(Hand.RIGHT, one) for one in order[::-1]]
    assert fingers == left + right


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_printable_ascii_character_is_typed(layout: str) -> None:
    missing = {chr(code) for code in range(32, 127)} - character_places(layout).keys()
    # ЙЦУКЕН is a second layout: what else is wanted is on the first.
    if layout == "jcuken":
        assert missing.isdisjoint('0123456789 !"%()*+,-./:;=?\\_')
    else:
        assert missing <= ({"~", "`"} if layout in ("spanish", "qwertz") else set())


@pytest.mark.parametrize("layout", LAYOUTS)
def test_no_two_characters_are_on_one_press(layout: str) -> None:
    presses = [
        (place.code, place.level, place.dead and (place.dead.code, place.dead.level))
        for place in character_places(layout).values()
    ]
    assert len(set(presses)) == len(presses)


def test_a_character_on_several_keys_has_its_easiest_place() -> None:
    assert place_of("uk", "|") == ("IntlBackslash", S)  # not AltGr on Backquote
    assert place_of("colemak", "~") == ("Backquote", S)  # not with AltGr on one of many
    assert place_of("spanish", "\\") == ("Backquote", A)
    assert place_of("qwertz", "€") == ("KeyE", A)


def place_of(layout: str, character: str) -> tuple[str, Level]:
    place = character_places(layout)[character]
    return place.code, place.level


def test_shapes_and_their_keys() -> None:
    iso = {name for name, layout in LAYOUTS.items() if layout.shape is Shape.ISO}
    assert iso == {"uk", "azerty", "qwertz", "spanish"}
    for name, layout in LAYOUTS.items():
        assert ("IntlBackslash" in layout.keys) is (name in iso)
    ansi, tall = character_places("qwerty")["\\"], character_places("azerty")["*"]
    assert (ansi.row, ansi.column) == (KeyRow.TOP, 13)
    assert (tall.row, tall.column) == (KeyRow.HOME, 12)


# Languages


def test_languages_are_those_whose_letters_are_there() -> None:
    typed = {name: set(layout.languages) for name, layout in LAYOUTS.items()}
    latin = typed.keys() - {"jcuken"}
    assert typed["jcuken"] == {"ru"}
    assert all("en" in typed[name] and "ru" not in typed[name] for name in latin)
    assert typed["qwerty"] == typed["workman"] == {"en"}
    assert typed["azerty"] == {"en", "fr"}
    assert "de" in typed["qwertz"]
    assert "es" in typed["spanish"]
    assert "pl" in typed["polish"]
    assert not types("qwerty", "tlh")
    assert not types("no such layout", "en")


def test_what_a_person_chose_holds_where_it_types_the_language() -> None:
    dvorak = {"layouts": {"en": "dvorak", "ru": "dvorak"}}
    assert chosen_layout("en", dvorak) == "dvorak"
    assert chosen_layout("ru", dvorak) == "jcuken"
    assert chosen_layout("en", {"layout": "azerty"}) == "azerty"
    assert chosen_layout("ru", {"layout": "azerty"}) == "jcuken"
    assert chosen_layout("en", dvorak | {"layout": "azerty"}) == "dvorak"
    assert chosen_layout("en", {"layouts": {"en": "gone"}}) == "qwerty"
    assert chosen_layout("en", {"layouts": None}) == chosen_layout("en", None) == "qwerty"
    assert chosen_layout(None, dvorak) == ""


@pytest.mark.parametrize("language", DEFAULT_LAYOUTS)
def test_everything_there_is_to_type_is_on_every_layout_that_types_the_language(
    language: str,
) -> None:
    passages = parse_lines((CONTENT / language / "texts.jsonl").read_bytes())
    words = (CONTENT / language / "words.txt").read_text(encoding="utf-8")
    wanted = {key_name(char) for row in passages for char in row["text"]} | set(words) - {"\n"}
    those = [name for name in LAYOUTS if types(name, language)]
    missing = {name: wanted - key_places(name).keys() for name in those}
    assert not any(missing.values()), missing


# Keys are counted by their names


def test_a_key_has_the_place_of_its_easiest_character() -> None:
    for name in LAYOUTS:
        places, keys = character_places(name), key_places(name)
        assert {key_name(character) for character in places} == keys.keys()
        assert all(keys[key_name(char)].code for char in places)
    assert key_places("polish")['"'].code == "Quote"  # though „ ” « are with AltGr elsewhere
    assert key_places("no such layout") == {}


def test_a_key_that_a_layout_has_not_is_looked_for_on_the_usual_ones() -> None:
    russian = find_place("ж", "dvorak")
    assert russian is not None
    assert russian.code == "Semicolon"
    assert find_place("é", "qwerty") is None


# What a person has changed


def test_a_remapped_character_is_where_it_was_put_and_takes_its_capital_along() -> None:
    swapped = Remaps((("KeyQ", P, "w"), ("KeyW", P, "q")))
    places = character_places("qwerty", swapped)
    assert [(char, places[char].code, places[char].level) for char in "qwQW"] == [
        ("q", "KeyW", P),
        ("w", "KeyQ", P),
        ("Q", "KeyW", S),
        ("W", "KeyQ", S),
    ]
    assert character_places("qwerty")["q"].code == "KeyQ"


def test_a_character_stays_where_it_was_put_though_it_is_easier_elsewhere() -> None:
    places = character_places("qwerty", Remaps((("Digit0", A, "j"), ("KeyM", S, "µ"))))
    assert (places["j"].code, places["j"].level) == ("Digit0", A)
    assert places["J"].code == "KeyJ"  # with AltGr no capital comes along
    assert places["m"].code == "KeyM"
    assert "M" not in places


def test_another_finger_changes_nothing_but_the_finger() -> None:
    usual = key_places("qwerty")["c"]
    own = key_places("qwerty", Remaps(fingers=(("KeyC", Hand.LEFT, Finger.INDEX),)))["c"]
    assert (own.hand, own.finger) == (Hand.LEFT, Finger.INDEX)
    assert KeyPlace(own.code, own.level, own.row, own.column, usual.hand, usual.finger) == usual
