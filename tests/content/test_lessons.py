"""All 99 lessons in both languages, and on every other layout that types them."""

from collections import Counter
from functools import cache
from itertools import pairwise

import pytest

from server.core.course import BLOCK_SIZES, FINGERS, FREE_LESSONS, LESSONS, Form, Lesson
from server.core.layout import key_places, types
from server.core.lesson_keys import LETTERS, lesson_keys
from server.core.lesson_words import LessonText, bare
from server.core.source import DEFAULT_LAYOUTS
from server.core.text import key_name, normal_text
from server.lessons import CONTENT, Lessons, LessonUnavailable, read_material, read_words
from tests.content.__main__ import lessons_file

LAYOUTS = (
    "qwerty", "jcuken", "dvorak", "colemak", "colemak_dh", "workman",
    "azerty", "qwertz", "spanish", "uk", "polish",
)  # fmt: skip
TYPED = [
    (language, layout)
    for layout in LAYOUTS
    for language in DEFAULT_LAYOUTS
    if types(layout, language)
]
# At least so many of the keys pressed are those a lesson is about; capitals are one in a word.
TARGET_SHARE = 0.12
MARKS_SHARE = 0.08
MARKS = (Form.COMMAS, Form.MARKS, Form.QUOTES, Form.SYMBOLS)
MATERIAL = {language: read_material(language) for language in DEFAULT_LAYOUTS}


@cache
def texts(language: str, layout: str) -> list[tuple[Lesson, LessonText]]:
    lessons = Lessons()
    return [(lesson, lessons.find(lesson.id, language, layout)) for lesson in LESSONS]


def test_there_are_99_in_six_blocks_and_the_first_15_are_free() -> None:
    assert len(LESSONS) == 99
    assert len({lesson.id for lesson in LESSONS}) == 99
    assert Counter(lesson.block for lesson in LESSONS) == BLOCK_SIZES
    assert [lesson.block_id for lesson in LESSONS] == sorted(one.block_id for one in LESSONS)
    assert [lesson.place for lesson in LESSONS if not lesson.is_premium] == list(range(15))
    assert FREE_LESSONS == 15
    assert LESSONS[2].id == "block_1_lesson_3"


def test_targets_rise_from_15_to_60_and_ask_less_where_keys_are_new() -> None:
    ordinary = [one.target_wpm for one in LESSONS if one.step.form in (Form.WORDS, Form.PASSAGE)]
    assert ordinary == sorted(ordinary)
    assert (LESSONS[0].target_wpm, LESSONS[-1].target_wpm) == (15, 60)
    assert all(15 <= lesson.target_wpm <= 60 for lesson in LESSONS)
    assert all(4 <= lesson.max_errors <= 9 for lesson in LESSONS)


@pytest.mark.parametrize(("language", "layout"), DEFAULT_LAYOUTS.items())
def test_the_files_hold_what_the_function_makes(language: str, layout: str) -> None:
    stored = (CONTENT / language / "lessons.jsonl").read_text(encoding="utf-8")
    assert stored == lessons_file(language, layout)


@pytest.mark.parametrize(("language", "layout"), TYPED)
def test_every_character_is_on_the_layout(language: str, layout: str) -> None:
    places = key_places(layout)
    for lesson, made in texts(language, layout):
        strange = {char for char in made.text if key_name(char) not in places}
        assert not strange, lesson.id
        assert normal_text(made.text) == made.text, lesson.id


@pytest.mark.parametrize(("language", "layout"), TYPED)
def test_what_is_not_learned_yet_is_not_asked_for(language: str, layout: str) -> None:
    for lesson, made in texts(language, layout):
        if lesson.block in FINGERS:
            known = lesson_keys(lesson, language, layout).known
            assert set(made.text) - {" "} <= known, lesson.id


@pytest.mark.parametrize(("language", "layout"), TYPED)
def test_the_target_keys_are_pressed_often_and_each_of_them(language: str, layout: str) -> None:
    for lesson, made in texts(language, layout):
        presses = Counter(map(key_name, made.text.replace(" ", "")))
        assert set(made.target_keys) <= presses.keys() <= key_places(layout).keys(), lesson.id
        assert len(made.target_keys) == len(set(made.target_keys)) > 0
        share = sum(presses[key] for key in made.target_keys) / presses.total()
        least = MARKS_SHARE if lesson.step.form in MARKS else TARGET_SHARE
        assert share >= least, (lesson.id, share)


@pytest.mark.parametrize(("language", "layout"), TYPED)
def test_no_word_stands_beside_itself(language: str, layout: str) -> None:
    for lesson, made in texts(language, layout):
        if lesson.step.form in (Form.SENTENCES, Form.PASSAGE):
            continue  # what somebody wrote stays as it is
        for one, other in pairwise(made.text.split()):
            assert bare(one) != bare(other), (lesson.id, one)


@pytest.mark.parametrize(("language", "layout"), TYPED)
def test_no_word_is_unwanted(language: str, layout: str) -> None:
    material = MATERIAL[language]
    for lesson, made in texts(language, layout):
        tokens = made.text.replace("/", " ").split()  # a slash parts two words
        words = [word for word in map(bare, tokens) if len(set(word)) > 1]
        unwanted = [word for word in words if not material.is_wanted(word)]
        assert not unwanted, lesson.id


@pytest.mark.parametrize(("language", "layout"), TYPED)
def test_texts_are_about_as_long_as_they_should_be(language: str, layout: str) -> None:
    for lesson, made in texts(language, layout):
        assert 100 <= len(made.text) <= 450, lesson.id
        assert lesson.chars - 45 <= len(made.text) <= lesson.chars + 110, lesson.id


@pytest.mark.parametrize("language", DEFAULT_LAYOUTS)
def test_the_words_are_sorted_out(language: str) -> None:
    words = read_words(language, "lesson_words")
    assert len(words) == len(set(words)) >= 4_500
    assert all(set(word) <= set(LETTERS[language]) for word in words)
    assert all(map(MATERIAL[language].is_wanted, words))


def test_unwanted_is_a_word_a_beginning_or_a_part() -> None:
    material = MATERIAL["en"]
    assert not material.is_wanted("war")
    assert material.is_wanted("warm")
    assert not material.is_wanted("killed")
    assert material.is_wanted("skills")
    assert not material.is_wanted("bullshit")


@pytest.mark.parametrize("language", DEFAULT_LAYOUTS)
def test_every_lesson_has_a_title_and_a_description_of_its_own(language: str) -> None:
    lessons = Lessons()
    titles = [lessons.title(lesson, language) for lesson in LESSONS]
    assert len(set(titles)) == len(titles)
    assert all(len(lessons.description(lesson, language)) > 20 for lesson in LESSONS)
    assert lessons.title(LESSONS[0], "tlh") == lessons.title(LESSONS[0], "en")


@pytest.mark.parametrize(
    ("lesson", "language", "layout"),
    [
        ("block_7_lesson_1", "en", None),
        ("", "en", None),
        ("block_1_lesson_1", "tlh", None),
        ("block_1_lesson_1", "ru", "qwerty"),
        ("block_1_lesson_1", "en", "jcuken"),
        ("block_1_lesson_1", "en", "abcdef"),
    ],
)
def test_what_there_is_not_is_said(lesson: str, language: str, layout: str | None) -> None:
    with pytest.raises(LessonUnavailable, match=r"^(There|That) .*\.$"):
        Lessons().find(lesson, language, layout)
