"""Tables of texts, tags, and the words by which collections are found."""

import pytest

from server.core import collection
from server.core.collection import (
    PROBLEMS_MAX,
    TEXTS_MAX,
    BadRow,
    NewText,
    Unfit,
    is_text_id,
    may_read,
    normal_tags,
    read_table,
    search_words,
)


def texts(table: str) -> list[NewText]:
    found, problems = read_table(table)
    assert problems == []
    return found


def problems(table: str) -> list[tuple[int, str]]:
    return [(bad.line, bad.code) for bad in read_table(table)[1]]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_columns_go_by_their_names_in_any_order(delimiter: str, line_end: str) -> None:
    rows = [("Tags", "TEXT", "title"), ('"Sea, wind;sea"', "ab — cd", "One"), ("", "ef", "")]
    table = line_end.join(delimiter.join(row) for row in rows)
    assert texts(f"\ufeff{table}") == [
        NewText("One", "ab — cd", ("sea", "wind"), 7),
        NewText("", "ef", (), 2),
    ]


def test_a_text_may_have_lines_and_quotation_marks() -> None:
    assert texts('text\n\n"one ""two""\r\nthree…"\n  four  \n') == [
        NewText("", 'one "two"\nthree...', (), 18),
        NewText("", "four", (), 4),
    ]


def test_characters_are_counted_where_the_table_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """That may be a thread; whoever stores the texts has everybody wait."""
    found = texts("text\none\ne\u0323\u0301\n")
    monkeypatch.delattr(collection, "graphemes")
    assert [one.length for one in found] == [3, 1]


@pytest.mark.parametrize(
    "table", ["", "\n\n", "a,b\nc,d", "title\nx", "text,text\na,b", "text,x\n"]
)
def test_the_first_line_must_name_the_columns(table: str) -> None:
    assert problems(table) == [(1, "header")]


def test_each_row_says_what_is_wrong_with_it_and_where_it_begins() -> None:
    rows = [
        "title,text,tags",
        "A,fine,",
        "B",
        'C,"a text of\ntwo lines, and too many cells",,,',
        "D,  ,x",
        "E,a\x01b,",
        f"{'e' * 121},f,",
        "G\u2028\u0007,g,",
        f'H,h,"{"t" * 33}"',
        f'I,i,"{",".join(f"t{n}" for n in range(11))}"',
        f"J,{'j' * 10_001},",
    ]
    assert problems("\n".join(rows)) == [
        *[(3, "columns"), (4, "columns"), (6, "empty_text"), (7, "bad_text")],
        *[(8, "title_too_long"), (9, "bad_characters"), (10, "bad_tag"), (11, "too_many_tags")],
        (12, "bad_text"),
    ]


def test_a_missing_quotation_mark_ends_the_reading() -> None:
    assert problems('text\nfine\n"open\nb\n') == [(3, "quotes")]
    assert problems('text\n"a"b\nc\n') == [(2, "quotes")]


def test_no_more_rows_and_problems_than_there_is_room_for() -> None:
    full = "text\n" + "a\n" * TEXTS_MAX
    assert len(texts(full)) == TEXTS_MAX
    assert problems(full + "b\n") == [(TEXTS_MAX + 2, "too_many_rows")]
    assert len(problems("title,text\n" + "a\n" * TEXTS_MAX)) == PROBLEMS_MAX


def test_a_problem_repeats_nothing_of_the_row() -> None:
    _, bad = read_table(f"title,text,tags\nsecret,x,{'secret' * 6}\n")
    assert [type(one) for one in bad] == [BadRow]
    assert "secret" not in bad[0].message


def test_tags_are_lower_case_and_none_is_there_twice() -> None:
    assert normal_tags([" Sea ", "", "sea", "Два  слова"]) == ["sea", "два слова"]
    for wrong in (["a,b"], ["a;b"], ["t" * 33], [str(n) for n in range(11)]):
        with pytest.raises(Unfit):
            normal_tags(wrong)


def test_words_are_found_however_they_are_written() -> None:
    assert search_words("Ёжик, ёлка — Ёлка!", "STRASSE straße") == {"ежик", "елка", "strasse"}
    assert search_words(" — ") == set()


@pytest.mark.parametrize(
    ("visibility", "mine", "knows", "reads"),
    [
        ("private", True, False, True),
        ("private", False, True, False),
        ("link", False, False, False),
        ("link", False, True, True),
        ("public", False, False, True),
    ],
)
def test_who_may_read(visibility: str, mine: bool, knows: bool, reads: bool) -> None:
    assert may_read(visibility, mine, knows) is reads


def test_no_passage_has_the_id_of_a_text_of_somebodys_own() -> None:
    assert is_text_id("4b4ff5a9-5a0d-4f8a-9d4b-6a8f31f1a111")
    assert not is_text_id("en-short-001")
