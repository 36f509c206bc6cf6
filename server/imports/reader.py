"""A file of any of the trainers, piece by piece as it arrives: what it is, and what it says."""

import codecs
import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from enum import Enum, auto
from typing import Any, NamedTuple, Protocol

from server.imports.results import Imported, RowRefused, Trainer
from server.imports.trainers import READ

ROWS_MAX = 50_000
LINE_CHARS_MAX = 10_000
ENTRY_CHARS_MAX = 100_000

# The columns without which a table is none of that trainer's; how they are written does not matter.
_NEEDED = {
    Trainer.MONKEYTYPE: {"wpm", "acc", "mode", "testduration", "timestamp"},
    Trainer.TYPERACER: {"wpm", "accuracy", "date/time (utc)"},
}
_DELIMITERS = (",", ";", "\t", "|")
# The fields by which the entries of a JSON array are known.
_KNOWN_BY = {
    Trainer.KEYBR: {"timeStamp", "length", "time"},
    Trainer.BROWSER: {"timestamp", "wpm"},
}
_HISTORIES = ("typing_trainer_test_history", "test_history")
_SETTINGS = ("typing_trainer_user_settings", "user_settings")


class FileRefused(Exception):
    """Not a file of any trainer (`unknown_format`), or one with too many rows (`too_many_rows`)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class BadRow(NamedTuple):
    """`row` is the line of a table, whose header is line 1, or the number of an entry in JSON."""

    row: int
    code: str
    field: str | None


Fields = Mapping[str, Any]
Raw = tuple[int, Fields | RowRefused]


class Rows(Protocol):
    """Text into rows. `trainer` is known from the first row on that can be read."""

    trainer: Trainer | None
    without_history: bool  # an object that is closed, and had none
    settings: Fields  # what stands beside the history

    def push(self, text: str, final: bool) -> Iterator[Raw]: ...


class Reader:
    """Reads one file. What it holds meanwhile is a piece and the row that is cut by its end."""

    def __init__(self, now_ms: int) -> None:
        self.trainer: Trainer | None = None
        self._now_ms = now_ms
        self._head = b""
        self._decoder: io.IncrementalNewlineDecoder | None = None
        self._rows: Rows | None = None
        self._count = 0

    @property
    def without_history(self) -> bool:
        """Whether it was a JSON object among whose members there was no history."""
        return self._rows is not None and self._rows.without_history

    @property
    def settings(self) -> Fields:
        """What the person had chosen, in that trainer's words, as far as it has been read."""
        return {} if self._rows is None else self._rows.settings

    def feed(self, data: bytes) -> list[Imported | BadRow]:
        """The rows that end in this piece. Raises FileRefused."""
        return self._read(data, final=False)

    def finish(self) -> list[Imported | BadRow]:
        """The rows that the end of the file ends. Raises FileRefused if it was no trainer's."""
        rows = self._read(b"", final=True)
        if self._rows is None or self._rows.trainer is None:
            raise FileRefused("unknown_format")
        return rows

    def _read(self, data: bytes, final: bool) -> list[Imported | BadRow]:
        text = self._decode(data, final)
        if self._rows is None:
            text = text.lstrip()
            if not text:
                return []
            self._rows = _Json() if text[0] in "[{" else _Table()
        rows = [self._row(at, raw) for at, raw in self._rows.push(text, final)]
        self.trainer = self._rows.trainer
        self._count += len(rows)
        if self._count > ROWS_MAX:
            raise FileRefused("too_many_rows")
        return rows

    def _decode(self, data: bytes, final: bool) -> str:
        if self._decoder is None:
            self._head += data
            if len(self._head) < 3 and not final:
                return ""
            data = self._head
            # What is no UTF-8 becomes a mark that no number has: only that row is lost.
            decoder = codecs.getincrementaldecoder(_encoding(data))(errors="replace")
            self._decoder = io.IncrementalNewlineDecoder(decoder, translate=True)
        return self._decoder.decode(data, final)

    def _row(self, at: int, raw: Fields | RowRefused) -> Imported | BadRow:
        try:
            if isinstance(raw, RowRefused):
                raise raw
            if self._rows is None or self._rows.trainer is None:
                raise RuntimeError("a row of nothing that was recognised")
            return READ[self._rows.trainer](raw, self._now_ms)
        except RowRefused as refused:
            return BadRow(at, refused.code, refused.field)


def _encoding(head: bytes) -> str:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"  # what Excel calls Unicode text
    return "utf-8-sig"


# Tables


class _Table:
    """Lines with a header. A row is a line: so a stray quote spoils that line alone."""

    def __init__(self) -> None:
        self.trainer: Trainer | None = None
        self.without_history = False
        self.settings: Fields = {}
        self._rest = ""
        self._line = 0
        self._header: list[str] = []
        self._delimiter = ","
        self._skipping = False  # the rest of a line that is too long

    def push(self, text: str, final: bool) -> Iterator[Raw]:
        *lines, self._rest = (self._rest + text).split("\n")
        if final:
            lines.append(self._rest)
            self._rest = ""
        for line in lines:
            self._line += 1
            if self._skipping:
                self._skipping = False
            elif line.strip():
                yield from self._read(line)
        if len(self._rest) > LINE_CHARS_MAX:
            if not self._skipping:
                yield from self._read(self._rest, self._line + 1)
            self._rest = ""
            self._skipping = True

    def _read(self, line: str, number: int = 0) -> Iterator[Raw]:
        if self.trainer is None:
            self._begin(line)
            return
        row = self._fields(line)
        if row is not None:
            yield number or self._line, row

    def _begin(self, line: str) -> None:
        if re.fullmatch(r"sep=.\s*", line):  # what Excel writes for itself
            return
        for delimiter in _DELIMITERS:
            header = [name.strip().lower() for name in _split(line, delimiter) or ()]
            for trainer, needed in _NEEDED.items():
                if needed.issubset(header):
                    self.trainer, self._header, self._delimiter = trainer, header, delimiter
                    return
        raise FileRefused("unknown_format")

    def _fields(self, line: str) -> Fields | RowRefused | None:
        """None for the header once more, as where two files were joined."""
        if len(line) > LINE_CHARS_MAX:
            return RowRefused("too_long")
        values = _split(line, self._delimiter)
        if values is None:
            return RowRefused("syntax")
        if values[0].strip().lower() == self._header[0] and self._is_header(values):
            return None
        surplus = len(values) - len(self._header)
        if surplus > 0 and {"punctuation", "funbox"}.issubset(self._header):
            # Monkeytype writes several funboxes with commas, and quotes nothing. What stands before
            # them is in its place, or the surplus is none of theirs.
            at = self._header.index("funbox")
            if values[self._header.index("punctuation")] in ("true", "false"):
                values[at : at + surplus + 1] = [",".join(values[at : at + surplus + 1])]
        if len(values) != len(self._header):
            return RowRefused("columns")
        return dict(zip(self._header, values, strict=True))

    def _is_header(self, values: list[str]) -> bool:
        return [value.strip().lower() for value in values] == self._header


def _split(line: str, delimiter: str) -> list[str] | None:
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return None


# JSON


class _At(Enum):
    START = auto()
    MEMBER = auto()  # of the object around the history
    ENTRY = auto()
    AFTER = auto()  # the members after the history
    OVER = auto()


class _Incomplete(Exception):
    """The piece ends before the value does."""


# Stands for NaN and Infinity, which are no JSON.
_decoder = json.JSONDecoder(parse_constant=lambda _: "NaN")
_not_blank = re.compile(r"[^\s,]")
_colon = re.compile(r"\s*:\s*")
_token = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],]', re.DOTALL)
# How entries begin, and nothing within them.
_begin = re.compile(r'\{\s*"(?:layout|lessonType|textType|timeStamp|timestamp|level)"')


class _Json:
    """An array of entries, or an object that has one among its members.

    An entry that is no JSON ends where its brackets close or another begins: only it is lost.
    """

    def __init__(self) -> None:
        self.trainer: Trainer | None = None
        self.without_history = False
        self.settings: Fields = {}
        self._text = ""
        self._at = _At.START
        self._around = False  # there is an object around the entries
        self._number = 0

    def push(self, text: str, final: bool) -> Iterator[Raw]:
        self._text += text
        place = 0
        try:
            while self._at is not _At.OVER:
                place = self._skip(place)
                if self._at is _At.ENTRY:
                    row, place = self._entry(place, final)
                    if row is not None:
                        yield row
                else:
                    place = self._enter(place, final)
        except _Incomplete:
            if len(self._text) - place > ENTRY_CHARS_MAX:
                # Nobody knows where it ends, nor what comes after it.
                if self._at is not _At.AFTER:
                    yield self._number + 1, RowRefused("too_long")
                self._at = _At.OVER
            elif final and self._at is _At.ENTRY:
                yield self._number + 1, RowRefused("cut_off")
        self._text = "" if self._at is _At.OVER else self._text[place:]

    def _skip(self, place: int) -> int:
        found = _not_blank.search(self._text, place)
        if found is None:
            raise _Incomplete
        return found.start()

    # An entry

    def _entry(self, place: int, final: bool) -> tuple[Raw | None, int]:
        if self._text[place] == "]":
            self._at = _At.AFTER if self._around else _At.OVER
            return None, place + 1
        if self._text[place] == "}":
            return None, place + 1  # left over from an entry that was none
        end = len(self._text)
        row: Fields | RowRefused
        try:
            value, end = _decoder.raw_decode(self._text, place)
            if end == len(self._text) and not final and not isinstance(value, dict | list):
                raise _Incomplete  # a number may go on
            row = self._known(value)
        except (ValueError, RecursionError):
            end = self._end(place)
            row = RowRefused("syntax")
        self._number += 1
        return (self._number, row), end

    def _end(self, place: int) -> int:
        begin = _begin.search(self._text, place + 1)
        try:
            end = self._close(place)
        except _Incomplete:
            if begin is None:
                raise
            return begin.start()
        return end if begin is None else min(end, begin.start())

    def _close(self, place: int) -> int:
        depth = 0
        for token in _token.finditer(self._text, place):
            sign = token[0]
            if depth == 0 and sign in (",", "]", "}"):
                return max(token.start(), place + 1)
            depth += (sign in "{[") - (sign in "}]")
            if depth == 0 and sign in "}]":
                return token.end()
        raise _Incomplete

    def _known(self, value: object) -> Fields | RowRefused:
        if not isinstance(value, dict):
            return RowRefused("syntax")
        if self.trainer is None:
            found = (trainer for trainer, names in _KNOWN_BY.items() if names <= value.keys())
            self.trainer = next(found, None)
            if self.trainer is None:
                raise FileRefused("unknown_format")
        return value

    # The way to the entries

    def _enter(self, place: int, final: bool) -> int:
        sign = self._text[place]
        if self._at is _At.START:
            self._around = sign == "{"
            self._at = _At.MEMBER if self._around else _At.ENTRY
            return place + 1
        if sign == "}":
            self._at = _At.OVER
            self.without_history = self.trainer is None
            return place
        name, place = self._value(place)
        colon = _colon.match(self._text, place)
        if colon is None or colon.end() == len(self._text):
            raise _Incomplete
        if name in _HISTORIES and self._at is _At.MEMBER:
            self.trainer = Trainer.BROWSER
            if self._text[colon.end()] == "[":
                self._at = _At.ENTRY
                return colon.end() + 1
        value, place = self._value(colon.end())
        if place == len(self._text) and not isinstance(value, dict | list | str):
            raise _Incomplete  # a number may go on
        if name in _SETTINGS and isinstance(value, dict):
            self.settings = value
        return place

    def _value(self, place: int) -> tuple[object, int]:
        try:
            return _decoder.raw_decode(self._text, place)
        except (ValueError, RecursionError):
            raise _Incomplete from None
