"""How a text is brought into form, cut and compared."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.text import (
    BYTES_MAX,
    GRAPHEMES_MAX,
    KeyRefused,
    Text,
    TextRefused,
    canonical,
    graphemes,
    is_space,
    key_name,
    normal_key,
    normal_text,
)
from tests.core import PROPERTY

FAMILY = "👨‍👩‍👧‍👦"
ANY_TEXT = st.text(max_size=30)
ONE_CHAR = st.characters(exclude_categories=["Cs"])


@pytest.mark.parametrize(
    ("raw", "normal"),
    [
        pytest.param("cafe\u0301", "café", id="accents are composed"),
        pytest.param("a\r\nb", "a\nb", id="CR LF is one line end"),
        pytest.param("a\rb\u2028c\u2029d", "a\nb\nc\nd", id="every line end is one"),
        pytest.param("so…", "so...", id="an ellipsis is three dots"),
        pytest.param("a\tb", "a\tb", id="a tab stays"),
        pytest.param("\u2000x", "\u2002x", id="a space with a canonical twin becomes it"),
        pytest.param("a\u200db", "a\u200db", id="a format character stays"),
        pytest.param("  a  ", "  a  ", id="blanks at the ends stay"),
        pytest.param("e" + "\u0301" * 8, "é" + "\u0301" * 7, id="eight code points after NFC"),
        pytest.param("a" * GRAPHEMES_MAX, "a" * GRAPHEMES_MAX, id="the longest text"),
        pytest.param("é" * 10_000, "é" * 10_000, id="the longest text of two-byte letters"),
    ],
)
def test_text_is_brought_into_one_form(raw: str, normal: str) -> None:
    assert normal_text(raw) == normal


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param("", id="empty"),
        pytest.param("a\0b", id="NUL"),
        pytest.param("a\x1bb", id="escape"),
        pytest.param("a\x7fb", id="delete"),
        pytest.param("a\x85b", id="next line"),
        pytest.param("a\bb", id="backspace"),
        pytest.param("a\ud800b", id="a lone surrogate"),
        pytest.param("a" * (GRAPHEMES_MAX + 1), id="one grapheme too many"),
        pytest.param(FAMILY * (BYTES_MAX // len(FAMILY.encode()) + 1), id="too many bytes"),
        pytest.param("q" + "\u0301" * 8, id="nine code points in one grapheme"),
    ],
)
def test_text_that_no_keyboard_types_is_refused(raw: str) -> None:
    with pytest.raises(TextRefused) as refused:
        normal_text(raw)
    assert raw == "" or raw not in str(refused.value)


@PROPERTY
@given(ANY_TEXT)
def test_normal_text_is_stable_and_typeable(raw: str) -> None:
    try:
        text = normal_text(raw)
    except TextRefused:
        return
    assert normal_text(text) == text == unicodedata.normalize("NFC", text)
    assert [normal_key(grapheme) for grapheme in graphemes(text)] == graphemes(text)


@PROPERTY
@given(ANY_TEXT)
def test_graphemes_lose_nothing(raw: str) -> None:
    assert "".join(graphemes(raw)) == raw
    assert all(graphemes(raw))


def test_text_knows_its_length_in_graphemes() -> None:
    text = Text.of(f"a{FAMILY}🇷🇺")
    assert (len(text), text.graphemes) == (3, ("a", FAMILY, "🇷🇺"))


@pytest.mark.parametrize("group", ["'’‘", '"“”«»„', "-–—‑", " \u00a0\u2003\u3000\u202f"])
def test_equals_stand_for_one_another_and_share_a_key(group: str) -> None:
    assert {canonical(char) for char in group} == {group[0]}
    assert {key_name(char) for char in group} == {group[0]}


@PROPERTY
@given(ONE_CHAR)
def test_canonical_and_key_name_are_settled(char: str) -> None:
    assert canonical(canonical(char)) == canonical(char)
    assert key_name(canonical(char)) == key_name(char)


@PROPERTY
@given(ONE_CHAR)
def test_word_ends_at_any_space_line_end_or_tab_alone(char: str) -> None:
    assert is_space(char) == (unicodedata.category(char) == "Zs" or char in "\n\t")


@pytest.mark.parametrize(
    ("key", "normal"),
    [
        ("a", "a"),
        (" ", " "),
        ("\n", "\n"),
        ("\t", "\t"),
        ("e\u0301", "é"),
        ("ё", "ё"),
        ("…", "…"),
        (FAMILY, FAMILY),
        ("🇷🇺", "🇷🇺"),
        ("\u200b", "\u200b"),  # Cf: typed, and wrong
        ("\u202e", "\u202e"),
        ("\u0301", "\u0301"),
        ("q" + "\u0301" * 7, "q" + "\u0301" * 7),
        ("\u1112\u1161\u11ab", "한"),
    ],
)
def test_key_is_one_grapheme_in_nfc(key: str, normal: str) -> None:
    assert normal_key(key) == normal


@pytest.mark.parametrize(
    ("key", "lawful_shape"),
    [
        pytest.param("", False, id="nothing"),
        pytest.param("\0", False, id="NUL"),
        pytest.param("\r", False, id="CR"),
        pytest.param("\b", False, id="a delete is no press"),
        pytest.param("\u0017", False, id="a word delete is no press"),
        pytest.param("\x7f", False, id="DEL"),
        pytest.param("\x9f", False, id="a C1 control"),
        pytest.param("\ud800", False, id="a lone surrogate"),
        pytest.param("a\0", False, id="a control beside a letter"),
        pytest.param("q" + "\u0301" * 8, False, id="nine code points"),
        pytest.param("ab", True, id="two letters: perhaps cut differently"),
        pytest.param("\n\n", True, id="two line ends"),
        pytest.param("🇷🇺🇫🇷", True, id="two flags"),
    ],
)
def test_key_that_is_no_press_is_refused(key: str, lawful_shape: bool) -> None:
    with pytest.raises(KeyRefused) as refused:
        normal_key(key)
    assert refused.value.lawful_shape == lawful_shape


@PROPERTY
@given(st.text(st.characters(), max_size=10))
def test_key_is_normal_or_refused(key: str) -> None:
    try:
        normal = normal_key(key)
    except KeyRefused:
        return
    assert normal_key(normal) == normal
    assert len(graphemes(normal)) == 1
