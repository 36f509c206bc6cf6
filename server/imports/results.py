"""A result typed elsewhere, and what is checked of it whoever says so."""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from server.core.key_stats import KeyStats
from server.core.source import Source

# As a result reported one by one (POST /progress).
WPM_MAX = 1_000
COUNT_MAX = 1_000_000
DURATION_MS_MAX = 86_400_000
TEXT_CHARS_MAX = 500

WPM_MIN = 0.01  # what is rounded to nothing was no typing
DAY_MS = 86_400_000
AHEAD_MS_MAX = DAY_MS  # by which another machine's clock may be ahead of ours
SINCE_MS = 946_684_800_000  # 2000-01-01: no such trainer is older
DATE_CHARS_MAX = 40
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# No exponent, infinity or underscore: a spreadsheet that writes 1.67E+12 has lost the instant.
_number = re.compile(r"[+-]?\d{1,16}(?:[.,]\d{1,20})?")


class Trainer(StrEnum):
    """Where results may come from."""

    MONKEYTYPE = "monkeytype"
    KEYBR = "keybr"
    TYPERACER = "typeracer"
    BROWSER = "browser"  # what the first version of this trainer kept in the browser


class Imported(NamedTuple):
    """A result as we keep it: fractions 0..1, ms, Unix ms.

    A `duration_ms`, or `chars`, of 0 is one that the trainer does not tell.
    """

    finished_at_ms: int
    duration_ms: int
    wpm: float
    accuracy: float
    errors: int
    chars: int
    source: Source
    raw_wpm: float | None = None
    consistency: float | None = None
    uncorrected: int | None = None
    language: str | None = None
    layout: str = ""
    text: str = ""
    keys: Mapping[str, KeyStats] = {}


class RowRefused(Exception):
    """A row that is no result. `code` is one of REFUSALS, `field` which of its fields, if any."""

    def __init__(self, code: str, field: str | None = None) -> None:
        super().__init__(f"{code}: {field}" if field else code)
        self.code = code
        self.field = field


REFUSALS = (
    "columns",  # more or fewer than the header names
    "cut_off",  # the file ends in the middle of it
    "date",  # none, or none that can be
    "future",
    "missing",
    "number",  # none where one should be
    "range",  # a number that cannot be
    "syntax",
    "too_long",
)


def number(
    fields: Mapping[str, Any], name: str, least: float, most: float, otherwise: float | None = None
) -> float:
    """The field's number, which may be written with a decimal comma.

    Raises RowRefused `number` or `range`; without the field `missing`, unless there is `otherwise`.
    """
    value = fields.get(name)
    if value is None or value == "":
        if otherwise is None:
            raise RowRefused("missing", name)
        return otherwise
    if isinstance(value, str):
        written = value.strip()
        if not _number.fullmatch(written):
            raise RowRefused("number", name)
        value = float(written.replace(",", "."))
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RowRefused("number", name)
    if not least <= value <= most:  # nor is NaN
        raise RowRefused("range", name)
    return value


def whole(
    fields: Mapping[str, Any], name: str, least: int, most: int, otherwise: int | None = None
) -> int:
    """As `number`, for what can only be whole."""
    value = number(fields, name, least, most, otherwise)
    if value != int(value):
        raise RowRefused("number", name)
    return int(value)


def perhaps(fields: Mapping[str, Any], name: str, least: float, most: float) -> float | None:
    """As `number`, or None without the field."""
    return None if fields.get(name) in (None, "") else number(fields, name, least, most)


def instant_ms(fields: Mapping[str, Any], name: str, now_ms: int) -> int:
    """The field's instant, written in Unix ms or as in 2020-03-16T20:43:06Z; without a zone in UTC.

    Raises RowRefused `missing`, `date` or `future`.
    """
    value = fields.get(name)
    if value is None or value == "":
        raise RowRefused("missing", name)
    at_ms = _written_ms(value)
    if at_ms is None or not at_ms >= SINCE_MS:
        raise RowRefused("date", name)
    if at_ms > now_ms + AHEAD_MS_MAX:
        raise RowRefused("future", name)
    return int(at_ms)


def _written_ms(value: object) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if not isinstance(value, str) or len(value) > DATE_CHARS_MAX:
        return None
    written = value.strip()
    if written.isdecimal():
        return int(written)
    if written[4:5] != "-":
        return None
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        return None
    aware = at if at.tzinfo else at.replace(tzinfo=UTC)
    return (aware - EPOCH) // timedelta(milliseconds=1)


class Fingerprints:
    """Names for the results of one file, by which they are known when they come again.

    The name is made of the numbers that a trainer says and of nothing that may differ in another
    export of it. Results alike within a file are counted through: as many are kept as there are.
    """

    def __init__(self) -> None:
        self._seen: Counter[tuple[object, ...]] = Counter()

    def of(self, trainer: Trainer, row: Imported) -> str:
        """32 hexadecimal digits."""
        said = row[:6]  # instant, duration, wpm, accuracy, errors, chars
        self._seen[said] += 1
        named = repr((trainer.value, *said, self._seen[said]))
        return hashlib.blake2b(named.encode(), digest_size=16).hexdigest()
