"""The data of the layouts is made by `make layouts`: the reader of xkb, and what is checked in."""

from pathlib import Path

import pytest

from server.core.layout import LAYOUTS
from server.core.layout_data import KEYBOARDS
from tests.content.layouts import (
    JAVASCRIPT,
    PYTHON,
    Made,
    javascript_module,
    python_module,
    quoted,
    token,
)
from tests.content.xkb import Symbols, XkbUnknown, character

EXCERPT = """
// key <AD01> { [ x ] }; is a comment
partial alphanumeric_keys
xkb_symbols "other" { key <AD01> { [ z, Z ] }; };

default partial alphanumeric_keys
xkb_symbols "basic" {
    include "base"
    name[Group1] = "Excerpt";
    key <AD01> { [ a, A, ae, AE ] }; // trailing
    key <AD02> { type[Group1] = "FOUR_LEVEL_PLUS_LOCK", symbols[Group1] = [ ssharp, question,
                 backslash, questiondown, 0x1001E9E ] };
    key <AD11> { [ dead_circumflex, dead_diaeresis ] };
    key <CAPS> { [ BackSpace ] };
    include "extra(euro)"
};
"""
FILES = {
    "excerpt": EXCERPT,
    "base": 'default xkb_symbols "x" { key <AD01> { [ q, Q ] }; key <AD03> { [ e, E ] }; };',
    "extra": 'xkb_symbols "euro" { key <AD03> { [ NoSymbol, NoSymbol, EuroSign ] }; };',
    "round": 'default xkb_symbols "x" { include "nowhere" };',
    "open": 'default xkb_symbols "x" { key <AD01> { [ a ] };',
}


@pytest.fixture
def symbols(tmp_path: Path) -> Symbols:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return Symbols(tmp_path)


def test_sections_includes_and_levels_are_read(symbols: Symbols) -> None:
    assert symbols.keys("excerpt") == {
        "KeyQ": ("a", "A", "ae", "AE"),
        "KeyE": ("e", "E", "EuroSign"),
        "KeyW": ("ssharp", "question", "backslash", "questiondown"),
        "BracketLeft": ("dead_circumflex", "dead_diaeresis"),
    }
    assert symbols.keys("excerpt(other)") == {"KeyQ": ("z", "Z")}


@pytest.mark.parametrize(
    ("spec", "named"),
    [
        ("nowhere", "nowhere"),
        ("round", "nowhere"),
        ("excerpt(gone)", "gone"),
        ("extra", "default"),
        ("open", "end"),
    ],
)
def test_what_is_missing_is_named(symbols: Symbols, spec: str, named: str) -> None:
    with pytest.raises(XkbUnknown, match=named):
        symbols.keys(spec)


@pytest.mark.parametrize(
    ("keysym", "expected"),
    [
        ("a", "a"),
        ("7", "7"),
        ("comma", ","),
        ("minus", "-"),
        ("eacute", "é"),
        ("Aring", "Å"),
        ("zabovedot", "ż"),
        ("tslash", "ŧ"),
        ("Ooblique", "Ø"),
        ("THORN", "Þ"),
        ("ae", "æ"),
        ("OE", "Œ"),
        ("Cyrillic_shorti", "й"),
        ("Cyrillic_HARDSIGN", "Ъ"),
        ("U20BD", "₽"),
        ("0x1002039", "‹"),
        ("guillemotleft", "«"),
        ("NoSymbol", None),
    ],
)
def test_keysyms(keysym: str, expected: str | None) -> None:
    assert character(keysym) == expected


@pytest.mark.parametrize("keysym", ["Cyrillic_nje", "Katakana", "0x20", ""])
def test_a_keysym_that_is_not_known_is_refused_not_left_out(keysym: str) -> None:
    with pytest.raises(XkbUnknown):
        character(keysym)


def test_a_key_is_written_as_its_levels() -> None:
    assert token(["a", "A"]) == "aA"
    assert token(["dead_circumflex", "NoSymbol", "asciitilde", "NoSymbol"]) == "◌\u0302◌~"
    assert token(["space", "nobreakspace"]) == token([]) == "◌"
    assert quoted("a'b\\", "'") == '"a\'b\\\\"'
    assert quoted("a'\"", '"') == '"a\'\\""'


def test_both_modules_that_are_checked_in_hold_the_same_and_no_more() -> None:
    made = {name: Made(title, shape, rows) for name, (title, shape, rows) in KEYBOARDS.items()}
    languages = {name: layout.languages for name, layout in LAYOUTS.items()}
    assert PYTHON.read_text(encoding="utf-8") == python_module(made)
    assert JAVASCRIPT.read_text(encoding="utf-8") == javascript_module(made, languages)
