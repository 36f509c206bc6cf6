"""A history brought along from another trainer: looked at first, then stored at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from pydantic import ValidationError
from starlette.requests import Request

from server.api.accounts import Language
from server.api.endpoint import (
    ApiError,
    Call,
    Endpoint,
    Model,
    Parts,
    Query,
    Who,
    read_pieces,
    require_json,
)
from server.api.layouts import KnownLayout
from server.api.routes import spend, unauthorized
from server.api.users import Goals, Theme
from server.db.chosen_settings import fill_settings, unchosen
from server.db.imports import NewResults
from server.db.queries import find_user
from server.imports.reader import ROWS_MAX, BadRow, FileRefused, Reader
from server.imports.report import DAYS_MAX, Day, Report
from server.imports.results import EPOCH, Fingerprints, Imported, Trainer

AT_ONCE = 4  # each may become some 50 MB of rows
AT_ONCE_OF_ONE = 2
RESULTS_MAX = 200_000  # of one person: more than anybody has typed, and each file looks at them all
BYTES_MAX = 20_000_000
SLICE_BYTES = 8_192  # read in a ms or two, for which whoever types here may have to wait
READ_S = 300
BUSY_RETRY_S = 5

TrainerName = Literal["monkeytype", "keybr", "typeracer", "browser"]


class ImportQuery(Query):
    """With `preview=true` the file is looked at, and nothing is stored."""

    preview: bool = False


class ImportedAnswer(Model):
    """A result as it is going to stand in history. Not known: a duration of 0."""

    finished_at: int
    mode: str
    language: str | None
    wpm: float
    raw_wpm: float | None
    accuracy: float
    errors: int
    duration_ms: int


class BadRowAnswer(Model):
    """A row that is left out. `row` is the line of a table, or the number of an entry in JSON."""

    row: int
    code: Literal[
        "columns", "cut_off", "date", "future", "missing", "number", "range", "syntax", "too_long"
    ]
    field: str | None


class ChartPoint(Model):
    """The results of a day, or of the month that begins on it; days are those of UTC."""

    date: str
    attempts: int
    wpm: float
    accuracy: float


class CarriedSettings(Model):
    """Of what the first version let people choose, what has a place among the settings."""

    theme: Theme | None = None
    language: Language | None = None
    layout: KnownLayout | None = None
    goals: Goals | None = None


class ImportAnswer(Model):
    """What a file says, and what has become of it.

    Of its `rows` `good` can be kept and `bad` cannot; of the good ones `known` had been brought
    along before, and `new` were stored now, or would be. Sums and means are over the good ones.
    `first` are the first of these, `bad_rows` the first hundred bad ones. `settings` are those that
    were taken over, or would be: none that the person has chosen here.
    """

    imported_from: TrainerName
    preview: bool
    rows: int
    good: int
    bad: int
    known: int
    new: int
    first_at: int | None
    last_at: int | None
    chars: int
    duration_ms: int
    errors: int
    key_presses: int
    wpm: float | None
    best_wpm: float | None
    accuracy: float | None
    chart_by: Literal["day", "month"]
    chart: list[ChartPoint]
    first: list[ImportedAnswer]
    bad_rows: list[BadRowAnswer]
    settings: CarriedSettings


class MigratedAnswer(Model):
    """What was kept of the browser's storage; `migrated_items` are the results stored now."""

    status: Literal["success"]
    message: str
    migrated_items: int
    report: ImportAnswer


async def import_file(parts: Parts, call: Call) -> ImportAnswer:
    """The body is the file itself: Monkeytype's or TypeRacer's CSV, keybr's JSON, or what the first
    version of this trainer kept in the browser. What it is, is told by its content.

    All good rows that are new are stored, or none of them, marked as self-reported: in history
    and its charts, but never ranked nor a personal best. The same file twice adds nothing. A body
    of more than 20 MB is refused, and so is a file of more than 50,000 rows.
    """
    query: ImportQuery = call.query
    async with _reading(parts, call) as reading:
        await _read(call.request, reading)
        new = len(reading.new.rows)
        if query.preview:
            settings = await _unchosen(parts, call, _carried(reading))
        else:
            new, settings = await _store(parts, call, reading)
    return _answer(reading, new, query.preview, settings)


async def migrate(parts: Parts, call: Call) -> MigratedAnswer:
    """The body holds the browser's `typing_trainer_*` entries, under these names or without the
    prefix. Of them the test history is kept, as `POST /imports` keeps it; bests follow from it. So
    are the settings for theme, language, layout and goals that the person has not chosen here.
    """
    require_json(call.request)
    async with _reading(parts, call) as reading:
        try:
            await _read(call.request, reading)
        except FileRefusedAnswer as refused:
            if refused.code != "unknown_format":
                raise
            if not reading.reader.without_history:
                raise ApiError(400, "bad_json", "The body is no such storage.") from None
        if reading.reader.trainer not in (None, Trainer.BROWSER):
            raise ApiError(400, "bad_json", "The body is no such storage.")
        new, settings = await _store(parts, call, reading)
    return MigratedAnswer(
        status="success",
        message="Data migrated successfully",
        migrated_items=new,
        report=_answer(reading, new, preview=False, settings=settings),
    )


# Reading


class FileRefusedAnswer(ApiError):
    """422 for a file that is none of those we know, or has too many rows."""


SAID = {
    "unknown_format": "The file is no export of Monkeytype, keybr or TypeRacer.",
    "too_many_rows": f"The file has more than {ROWS_MAX} rows.",
}


class _Reading:
    """A file on its way, with what it amounts to so far; away from the event loop."""

    def __init__(self, user_id: str, known: frozenset[str], now_ms: int) -> None:
        self.reader = Reader(now_ms)
        self.report = Report()
        self.new = NewResults(user_id, known)
        self._fingerprints = Fingerprints()

    def take(self, data: bytes) -> None:
        self._add(self.reader.feed(data))

    def finish(self) -> None:
        self._add(self.reader.finish())

    def _add(self, rows: list[Imported | BadRow]) -> None:
        self.report.add(rows)
        trainer = self.reader.trainer
        for row in rows:
            if isinstance(row, Imported) and trainer is not None:
                self.new.add(self._fingerprints.of(trainer, row), trainer, row)


@asynccontextmanager
async def _reading(parts: Parts, call: Call) -> AsyncIterator[_Reading]:
    """Raises ApiError 429 or 503: only so many files are read at a time, fewer of one person."""
    user_id, importing = call.me.user_id, parts.importing
    if len(importing) >= AT_ONCE or importing.count(user_id) >= AT_ONCE_OF_ONE:
        headers = {"Retry-After": str(BUSY_RETRY_S)}
        raise ApiError(503, "busy", "Other files are being read; try again.", headers=headers)
    importing.append(user_id)
    try:
        await spend(parts, "import", f"user {user_id}")
        known = await parts.imports.known(user_id)
        yield _Reading(user_id, known, parts.clock.now_ms())
    finally:
        importing.remove(user_id)


async def _read(request: Request, reading: _Reading) -> None:
    """Raises ApiError 400, 409, 413 or 415, and FileRefusedAnswer."""
    refused: FileRefused | None = None
    async for data in _slices(read_pieces(request, BYTES_MAX, READ_S)):
        # What is refused is heard to its end: who still sends does not hear an answer.
        if refused is None:
            refused = await asyncio.to_thread(_tried, reading, data)
    if refused is not None:
        raise FileRefusedAnswer(422, refused.code, SAID[refused.code])
    if len(reading.new.known) + len(reading.new.rows) > RESULTS_MAX:
        raise ApiError(409, "no_room", f"One person may bring along {RESULTS_MAX:,} results.")


def _tried(reading: _Reading, data: bytes | None) -> FileRefused | None:
    try:
        if data is None:
            reading.finish()
        else:
            reading.take(data)
    except FileRefused as refused:
        return refused
    return None


async def _slices(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes | None]:
    """The same bytes in pieces of one size, then None."""
    held = bytearray()
    async for piece in pieces:
        held += piece
        while len(held) >= SLICE_BYTES:
            yield bytes(held[:SLICE_BYTES])
            del held[:SLICE_BYTES]
    yield bytes(held)
    yield None


async def _store(parts: Parts, call: Call, reading: _Reading) -> tuple[int, dict[str, Any]]:
    """How many results were new, and which settings were taken over."""
    person = call.me.person
    stored = await parts.imports.store(person, reading.new, parts.clock.now_ms())
    if stored is None:
        raise unauthorized()  # deleted a moment ago
    carried = _carried(reading)
    return stored, await fill_settings(parts.database, person.id, carried) if carried else {}


def _carried(reading: _Reading) -> dict[str, Any]:
    """The settings of the file that can be kept; each bad one is left out alone."""
    carried: dict[str, Any] = {}
    for name in CarriedSettings.model_fields:
        if reading.reader.settings.get(name) is not None:
            with suppress(ValidationError):
                given = {name: reading.reader.settings[name]}
                carried |= CarriedSettings.model_validate(given).model_dump(exclude_unset=True)
    return carried


async def _unchosen(parts: Parts, call: Call, carried: dict[str, Any]) -> dict[str, Any]:
    row = await find_user(parts.database, call.me.user_id) if carried else None
    return unchosen(None if row is None else row["settings"], carried)


# Answering


def _answer(reading: _Reading, new: int, preview: bool, settings: dict[str, Any]) -> ImportAnswer:
    report = reading.report
    trainer = reading.reader.trainer or Trainer.BROWSER
    by, chart = _chart(report)
    return ImportAnswer(
        imported_from=trainer.value,
        preview=preview,
        rows=report.good + report.bad,
        good=report.good,
        bad=report.bad,
        known=report.good - new,
        new=new,
        first_at=report.first_at_ms,
        last_at=report.last_at_ms,
        chars=report.chars,
        duration_ms=report.duration_ms,
        errors=report.errors,
        key_presses=report.key_presses,
        wpm=_mean(report.wpm_sum, report.good, 2),
        best_wpm=report.wpm_best or None,
        accuracy=_mean(report.accuracy_sum, report.good, 4),
        chart_by=by,
        chart=chart,
        first=[_shown(row) for row in report.first],
        bad_rows=[
            BadRowAnswer.model_construct(row=row, code=code, field=field)
            for row, code, field in report.bad_rows
        ],
        settings=CarriedSettings.model_validate(settings),
    )


def _mean(total: float, count: int, digits: int) -> float | None:
    return round(total / count, digits) if count else None


def _shown(row: Imported) -> ImportedAnswer:
    return ImportedAnswer(
        finished_at=row.finished_at_ms,
        mode=row.source.mode,
        language=row.language,
        wpm=row.wpm,
        raw_wpm=row.raw_wpm,
        accuracy=row.accuracy,
        errors=row.errors,
        duration_ms=row.duration_ms,
    )


def _chart(report: Report) -> tuple[Literal["day", "month"], list[ChartPoint]]:
    by_month = len(report.days) > DAYS_MAX
    points: dict[str, Day] = {}
    for number, day in sorted(report.days.items()):
        date = (EPOCH + timedelta(days=number)).astimezone(UTC)
        named = _named(date.replace(day=1) if by_month else date)
        points.setdefault(named, Day()).add(day.attempts, day.wpm_sum, day.accuracy_sum)
    chart = [
        ChartPoint(
            date=date,
            attempts=day.attempts,
            wpm=round(day.wpm_sum / day.attempts, 2),
            accuracy=round(day.accuracy_sum / day.attempts, 4),
        )
        for date, day in points.items()
    ]
    return ("month" if by_month else "day"), chart


def _named(date: datetime) -> str:
    return date.date().isoformat()


ANY_FILE = ("application/octet-stream", "text/csv", "application/json")
REFUSED = {409: ("no_room",), 429: ("rate",), 503: ("busy",)}
ENDPOINTS: list[Endpoint] = [
    Endpoint(
        "POST",
        "/imports",
        import_file,
        "Bring a history along from another trainer; with `preview=true` only look at it.",
        "history",
        Who.PERSON,
        query=ImportQuery,
        takes=ANY_FILE,
        answer=ImportAnswer,
        errors={**REFUSED, 422: ("unknown_format", "too_many_rows")},
    ),
    Endpoint(
        "POST",
        "/users/migrate-from-localstorage",
        migrate,
        "Bring along what the first version of this trainer kept in the browser.",
        "history",
        Who.PERSON,
        takes=("application/json",),
        answer=MigratedAnswer,
        errors={**REFUSED, 422: ("too_many_rows",)},
    ),
]
