"""Collections of texts of one's own: what may stand in them, who reads them, how they are found."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from server.core.text import TextRefused, graphemes, normal_text

NAME_CHARS_MAX = 80
DESCRIPTION_CHARS_MAX = 500
TITLE_CHARS_MAX = 120
TAGS_MAX = 10
TAG_CHARS_MAX = 32
# How many collections and texts there may be is said in core.plan.
TEXTS_MAX = 1_000  # in a table
CHARS_MAX = 5_000_000  # in all collections of a person
PROBLEMS_MAX = 100
PREVIEW_CHARS = 160

COLUMNS = ("title", "text", "tags")
DELIMITERS = ",;\t"
TEXT_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TEXT_ID_CHARS = 36
UNSEEN = ("Cc", "Cs", "Co", "Cn", "Zl", "Zp")
WORDS_MAX = 8
WORD_CHARS_MAX = 32
_word = re.compile(r"\w+")
_between_tags = re.compile(r"[,;\n]")


class Visibility(StrEnum):
    """Who reads a collection: its owner, whoever has its link, or everybody."""

    PRIVATE = "private"
    LINK = "link"
    PUBLIC = "public"


def may_read(visibility: str, mine: bool, knows_secret: bool) -> bool:
    """Whether somebody reads a collection: their own, a public one, or one whose secret they know.

    The id of a text is a secret too: only who has read the collection knows it.
    """
    if mine or visibility == Visibility.PUBLIC:
        return True
    return visibility == Visibility.LINK and knows_secret


def is_text_id(text_id: str) -> bool:
    """Whether it is the id of a text of somebody's own; those of passages are no UUIDs."""
    return TEXT_ID.fullmatch(text_id) is not None


# What stands in a collection


@dataclass(frozen=True, slots=True)
class NewText:
    """A text in the form that is stored, with its title and tags, and how many graphemes it has."""

    title: str
    text: str
    tags: tuple[str, ...]
    length: int

    @classmethod
    def of(cls, title: str, text: str, tags: Iterable[str]) -> Self:
        """These, all in normal form. Counts the graphemes, which takes a while for many texts."""
        return cls(title, text, tuple(tags), len(graphemes(text)))


class Unfit(ValueError):
    """A title or tag that cannot be; `code` names the reason, the message repeats nothing."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def normal_line(given: str) -> str:
    """One line of visible characters, as it is shown. Raises Unfit."""
    line = " ".join(unicodedata.normalize("NFC", given).split())
    if any(unicodedata.category(character) in UNSEEN for character in line):
        raise Unfit("bad_characters", "It holds characters that cannot be seen.")
    return line


def normal_name(given: str) -> str:
    """A line that is not empty. Raises Unfit."""
    name = normal_line(given)
    if not name:
        raise Unfit("empty", "It must not be empty.")
    return name


def normal_title(given: str) -> str:
    """A title, which may be empty. Raises Unfit."""
    title = normal_line(given)
    if len(title) > TITLE_CHARS_MAX:
        raise Unfit("title_too_long", f"A title has at most {TITLE_CHARS_MAX} characters.")
    return title


def normal_tags(given: Iterable[str]) -> list[str]:
    """Tags in lower case, none empty and none twice. Raises Unfit."""
    tags = [normal_line(tag).lower() for tag in given]
    tags = list(dict.fromkeys(filter(None, tags)))
    if any(len(tag) > TAG_CHARS_MAX or _between_tags.search(tag) for tag in tags):
        raise Unfit("bad_tag", f"A tag has 1 to {TAG_CHARS_MAX} characters and no , or ;.")
    if len(tags) > TAGS_MAX:
        raise Unfit("too_many_tags", f"There are at most {TAGS_MAX} tags.")
    return tags


# How it is found


def search_words(*texts: str) -> set[str]:
    """The words by which these texts are found: folded, so that Ёж is found by еж."""
    folded = unicodedata.normalize("NFKC", " ".join(texts)).casefold().replace("ё", "е")
    return {word[:WORD_CHARS_MAX] for word in _word.findall(folded)}


# A table of texts


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be taken, by the line on which it begins, and why."""

    line: int
    code: str
    message: str


def read_table(table: str, rows_max: int = TEXTS_MAX) -> tuple[list[NewText], list[BadRow]]:
    """The texts of a CSV file and what is wrong with its rows, at most PROBLEMS_MAX of them.

    The first line names the columns, title, text and tags in any order; , ; or a tab is between
    them. Only `text` is needed. Tags are separated by , or ;. Empty lines are passed over.
    """
    table = table.removeprefix("\ufeff")
    header = table.splitlines()[0] if table.strip() else ""
    delimiter, columns = _columns(header)
    if not columns:
        names = ", ".join(COLUMNS)
        return [], [BadRow(1, "header", f"The first line must name the columns: {names}.")]
    texts: list[NewText] = []
    problems: list[BadRow] = []
    for line, row in _rows(table, delimiter):
        if len(problems) == PROBLEMS_MAX:
            break
        if isinstance(row, BadRow):
            problems.append(row)
        elif len(texts) + len(problems) == rows_max:
            message = f"There is room for {rows_max} texts."
            problems.append(BadRow(line, "too_many_rows", message))
            break
        else:
            try:
                texts.append(_text(row, columns))
            except Unfit as unfit:
                problems.append(BadRow(line, unfit.code, str(unfit)))
    return texts, problems


def _columns(header: str) -> tuple[str, list[str]]:
    for delimiter in DELIMITERS:
        names = [name.strip().strip('"').lower() for name in header.split(delimiter)]
        if "text" in names and set(names) <= set(COLUMNS) and len(set(names)) == len(names):
            return delimiter, names
    return "", []


def _rows(table: str, delimiter: str) -> Iterator[tuple[int, list[str] | BadRow]]:
    """Each row after the header that is not empty, with the line on which it begins."""
    reader = csv.reader(io.StringIO(table, newline=""), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield line, BadRow(line, "quotes", "A quotation mark is missing or too many.")
            return
        if line > 1 and any(cell.strip() for cell in row):
            yield line, row


def _text(row: Sequence[str], columns: Sequence[str]) -> NewText:
    if len(row) != len(columns):
        raise Unfit("columns", f"The row has {len(row)} cells, the first line {len(columns)}.")
    cells = dict(zip(columns, row, strict=True))
    title, tags = cells.get("title", ""), cells.get("tags", "")
    if not cells["text"].strip():
        raise Unfit("empty_text", "There is no text.")
    try:
        text = normal_text(cells["text"].strip())
    except TextRefused as refused:
        raise Unfit("bad_text", str(refused)) from None
    return NewText.of(normal_title(title), text, normal_tags(_between_tags.split(tags)))
