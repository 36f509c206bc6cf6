"""Words of a language, and words that could be."""

from itertools import pairwise
from random import Random

import pytest

from server.core.lexicon import Lexicon
from server.core.made_words import LETTERS_MAX, LETTERS_MIN
from server.lessons import read_words

LEXICONS = {
    language: Lexicon(read_words(language, "lesson_words"), read_words(language, "unwanted"))
    for language in ("en", "ru")
}


def test_letters_have_shares_by_how_often_they_are_met() -> None:
    shares = LEXICONS["en"].letters
    assert sum(shares.values()) == pytest.approx(1)
    assert min(shares["e"], shares["t"]) > max(shares["v"], shares["k"]) > shares["q"]


def test_holders_are_the_words_with_a_letter_or_two_in_a_row() -> None:
    lexicon = Lexicon(["tent", "net", "on"])
    assert lexicon.holders["t"] == ["tent", "net"]
    assert lexicon.holders["en"] == ["tent"]
    assert "nn" not in lexicon.holders


@pytest.mark.parametrize("language", LEXICONS)
def test_words_that_could_be_can_be_said(language: str) -> None:
    """Each three letters of one, its ends included, stand in some word."""
    lexicon = LEXICONS[language]
    known = {f"^{word}$"[at : at + 3] for word in lexicon.words for at in range(len(word))}
    letters, rng = frozenset(lexicon.letters), Random(1)
    made = [lexicon.made.make(letters, part, rng) for part in sorted(letters) for _ in range(5)]
    words = [word for word in made if word is not None]
    assert len(words) > 0.8 * len(made)
    for word in words:
        assert LETTERS_MIN <= len(word) <= LETTERS_MAX
        assert word not in lexicon.words
        whole = f"^{word}$"
        assert {whole[at : at + 3] for at in range(len(word))} <= known


@pytest.mark.parametrize(("language", "letters"), [("en", "etaosh"), ("ru", "оаенвл")])
def test_they_hold_what_is_asked_for_and_open_letters_alone(language: str, letters: str) -> None:
    lexicon, rng = LEXICONS[language], Random(2)
    parts = [*letters, *(one + other for one, other in pairwise(letters))]
    found = 0
    for part in parts:
        word = lexicon.made.make(letters, part, rng)
        if word is not None:
            found += 1
            assert part in word
            assert set(word) <= set(letters)
    assert found >= len(letters)


@pytest.mark.parametrize(("language", "pair"), [("en", "ex"), ("ru", "щи")])
def test_two_letters_in_a_row_are_held_together(language: str, pair: str) -> None:
    lexicon, rng = LEXICONS[language], Random(3)
    made = [lexicon.made.make(lexicon.letters, pair, rng) for _ in range(20)]
    assert all(word is not None and pair in word for word in made)


def test_what_no_word_holds_none_can() -> None:
    assert LEXICONS["en"].made.make("qz", "qz", Random(1)) is None
    assert LEXICONS["en"].made.make("qz", "q", Random(1)) is None


def test_no_unwanted_word_is_made_up() -> None:
    words = ["tone", "stone", "note", "onto", "tent", "sent"]

    def made(*unwanted: str) -> set[str | None]:
        lexicon, rng = Lexicon(words, unwanted), Random(1)
        return {lexicon.made.make("tones", "t", rng) for _ in range(200)}

    assert {"tonto", "stonto", "stont"} <= made()
    assert {"stonto", "stont"} <= made("=tonto") | {"tonto"}
    assert "tonto" not in made("=tonto")
    assert not {"tonto", "stonto"} & made("*onto")
    assert "stont" in made("*onto")
    assert "tonto" not in made("ton")
    assert "stonto" in made("ton")
