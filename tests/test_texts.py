"""What ships to be typed: enough of it, no two alike, and every character on its keyboard."""

import unicodedata
from collections import Counter
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from server.core.source import DEFAULT_LAYOUTS, Source, SourceKind
from server.core.text import normal_key, normal_text
from server.db.database import Database
from server.lessons import CONTENT, Lessons
from server.protocol import parse_lines
from server.texts import Texts, TextUnavailable

LATIN = "abcdefghijklmnopqrstuvwxyz"
CYRILLIC = "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"
ALPHABETS = {"en": LATIN, "ru": CYRILLIC}
TYPEABLE = {
    "en": {chr(code) for code in range(32, 127)},
    "ru": set(CYRILLIC + CYRILLIC.upper() + "0123456789" + ' !"№;%:?*()-_=+/.,\\'),
}
LENGTHS = {"short": (80, 140), "medium": (220, 380), "long": (550, 900)}
LEAST = {"short": 32, "medium": 30, "long": 22}
LANGUAGES = sorted(TYPEABLE)


def passages(language: str) -> list[dict[str, str]]:
    return parse_lines((CONTENT / language / "texts.jsonl").read_bytes())


def words(language: str) -> list[str]:
    return (CONTENT / language / "words.txt").read_text(encoding="utf-8").split("\n")[:-1]


def test_languages_are_those_with_a_layout() -> None:
    folders = sorted(folder.name for folder in CONTENT.iterdir() if folder.is_dir())
    assert folders == LANGUAGES == sorted(DEFAULT_LAYOUTS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_passages_are_many_enough_of_each_length(language: str) -> None:
    counts = Counter(passage["length"] for passage in passages(language))
    assert counts.keys() == LEAST.keys()
    assert all(counts[length] >= least for length, least in LEAST.items()), counts


@pytest.mark.parametrize("language", LANGUAGES)
def test_passages_have_ids_titles_and_the_length_they_say(language: str) -> None:
    for passage in passages(language):
        assert passage.keys() == {"id", "length", "title", "text"}
        assert passage["id"].startswith(f"{language}-{passage['length']}-")
        assert passage["title"].strip()
        least, most = LENGTHS[passage["length"]]
        assert least <= len(passage["text"]) <= most, passage["id"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_passages_are_typeable_as_they_stand(language: str) -> None:
    for passage in passages(language):
        text = passage["text"]
        assert set(text) <= TYPEABLE[language], (passage["id"], set(text) - TYPEABLE[language])
        assert text == normal_text(text) == text.strip()
        assert "  " not in text, passage["id"]


def test_no_two_passages_share_an_id_a_text_or_eight_words_in_a_row() -> None:
    everything = [passage for language in LANGUAGES for passage in passages(language)]
    assert max(Counter(passage["id"] for passage in everything).values()) == 1
    runs: Counter[tuple[str, ...]] = Counter()
    for passage in everything:
        heard = passage["text"].lower().split()
        runs.update({tuple(heard[at : at + 8]) for at in range(max(1, len(heard) - 7))})
    assert [run for run, count in runs.items() if count > 1] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_passages_exercise_every_letter(language: str) -> None:
    letters = Counter("".join(passage["text"] for passage in passages(language)).lower())
    assert [letter for letter in ALPHABETS[language] if letters[letter] < 10] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_are_many_unique_and_of_letters_alone(language: str) -> None:
    listed = words(language)
    assert len(listed) >= 1_400
    assert len(set(listed)) == len(listed)
    for word in listed:
        assert 1 <= len(word) <= 14, word
        assert set(word) <= set(ALPHABETS[language]), word
        assert unicodedata.normalize("NFC", word) == word


@pytest.mark.parametrize("language", LANGUAGES)
def test_licence_of_the_content_is_told(language: str) -> None:
    licence = (CONTENT / language / "LICENSE.md").read_text(encoding="utf-8")
    assert "MIT" in licence
    assert "wordfreq" in licence
    assert "CC BY-SA 4.0" in licence


# Drawn texts


@pytest.fixture
def texts(tmp_path: Path) -> Texts:
    """Texts with a store that these sources do not ask."""
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'unused.db'}")
    return Texts(database, Lessons(), Random(1), lambda: 0)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("count", [10, 25, 500])
async def test_as_many_words_as_asked_for_none_twice_in_a_row(
    texts: Texts, language: str, count: int
) -> None:
    chosen = await texts.choose(Source(SourceKind.WORDS, language=language, count=count), "")
    drawn = chosen.text.split(" ")
    assert len(drawn) == count
    assert set(drawn) <= set(words(language))
    assert all(one != other for one, other in pairwise(drawn))
    assert (chosen.language, chosen.layout) == (language, DEFAULT_LAYOUTS[language])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("seconds", [15, 60, 600])
async def test_timed_text_is_long_enough_for_400_wpm(
    texts: Texts, language: str, seconds: int
) -> None:
    source = Source(SourceKind.TIME, language=language, seconds=seconds)
    text = (await texts.choose(source, "")).text
    assert len(text) >= 400 * 5 * seconds / 60
    assert len(text) < 400 * 5 * seconds / 60 + 20
    assert all(normal_key(char) == char for char in set(text))


async def test_custom_text_is_taken_as_it_is_and_has_no_language(texts: Texts) -> None:
    chosen = await texts.choose(Source(SourceKind.CUSTOM, text="my own\nwords"), "")
    assert (chosen.text, chosen.language, chosen.layout) == ("my own\nwords", None, "")


@pytest.mark.parametrize(
    "source",
    [
        Source(SourceKind.WORDS, language="xx", count=10),
        Source(SourceKind.TIME, language="../en", seconds=15),
        Source(SourceKind.RANDOM, language="", length="short"),
        Source(SourceKind.PRACTICE, language="en", layout="jcuken"),
        Source(SourceKind.LESSON, lesson="no-such-lesson", language="en", layout="qwerty"),
        Source(SourceKind.LESSON, lesson="block_1_lesson_1", language="xx", layout="qwerty"),
    ],
    ids=lambda source: source.kind.value,
)
async def test_what_is_not_there_is_said_to_be_missing(texts: Texts, source: Source) -> None:
    with pytest.raises(TextUnavailable, match=r"There .*\.$"):
        await texts.choose(source, "")
