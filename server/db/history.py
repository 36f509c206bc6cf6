"""Questions about what a person has typed. Void and empty attempts have no result: none is here."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Float,
    Integer,
    RowMapping,
    Select,
    String,
    Table,
    bindparam,
    cast,
    func,
    insert,
    literal,
    select,
    tuple_,
)

from server.core.key_stats import KeyStats
from server.core.source import UNKNOWN_LANGUAGE, SourceKind
from server.db.database import Database
from server.db.queries import (
    Person,
    attempts,
    change_histories,
    keep_guest,
    key_confusions,
    key_counters,
)

DAY_MS = 86_400_000
PREVIEW_CHARS = 80
SPEED_STEP_WPM = 5
BESTS_MAX = 20

_SHOWN = (
    "id",
    "verdict",
    "why",
    "self_reported",
    "source",
    "rule",
    "language",
    "started_at_ms",
    "finished_at_ms",
    "position",
    "duration_ms",
    "wpm",
    "raw_wpm",
    "accuracy",
    "errors",
    "uncorrected",
    "consistency",
    "keys",
    "text_length",
    "events",
    "late_ms",
    "scorer",
    "personal_best",
)
_shown = (
    *(attempts.c[name] for name in _SHOWN),
    func.substr(attempts.c.text, 1, PREVIEW_CHARS).label("text_preview"),
)
_newest_first = (attempts.c.finished_at_ms.desc(), attempts.c.id.desc())


@dataclass(frozen=True, slots=True)
class Filter:
    """Which of a person's attempts; None means any. `until_ms` is the first instant after."""

    since_ms: int | None = None
    until_ms: int | None = None
    kind: str | None = None
    mode: str | None = None
    language: str | None = None
    layout: str | None = None
    verdict: str | None = None


EVERYTHING = Filter()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: the next one begins with the attempt after it."""

    finished_at_ms: int
    attempt_id: str


_finished_at_ms = attempts.c.finished_at_ms
_user = bindparam("user", type_=String)
# What may narrow a question down, by the name of its value. The statements made of them are as many
# as there are combinations, and each is made once.
_conditions: dict[str, ColumnElement[bool]] = {
    "since_ms": _finished_at_ms >= bindparam("since_ms", type_=BigInteger),
    "until_ms": _finished_at_ms < bindparam("until_ms", type_=BigInteger),
    "no_language": attempts.c.language.is_(None),
    **{
        name: attempts.c[name] == bindparam(name, type_=String)
        for name in ("kind", "mode", "language", "layout", "verdict")
    },
}
_after = tuple_(_finished_at_ms, attempts.c.id) < tuple_(
    bindparam("after_ms", type_=BigInteger), bindparam("after_id", type_=String)
)
_typed = attempts.c.self_reported.is_(False)


def _wanted(wanted: Filter) -> dict[str, Any]:
    """The values of a filter's conditions by their names."""
    values = {name: value for name, value in asdict(wanted).items() if value is not None}
    if values.get("language") == UNKNOWN_LANGUAGE:
        del values["language"]
        values["no_language"] = True
    return values


def _theirs(names: Iterable[str]) -> list[ColumnElement[bool]]:
    return [
        attempts.c.user_id == _user,
        _finished_at_ms.is_not(None),
        *(_conditions[name] for name in names),
    ]


def _page(
    theirs: Sequence[ColumnElement[bool]], columns: Sequence[Any], *begins: ColumnElement[bool]
) -> Select[Any]:
    """A page of these attempts, newest first, each row with how many there are in all."""
    total = select(func.count()).select_from(attempts).where(*theirs).scalar_subquery()
    on_page = (
        select(attempts.c.id)
        .where(*theirs, *begins)
        .order_by(*_newest_first)
        .limit(bindparam("limit", type_=Integer))
        .offset(bindparam("offset", type_=Integer))
        .subquery()
    )
    # The page is found in the index alone; only its own rows are read.
    return (
        select(total.label("total"), *columns)
        .select_from(attempts.join(on_page, on_page.c.id == attempts.c.id))
        .order_by(*_newest_first)
    )


@cache
def _history_page(names: tuple[str, ...], after: bool) -> Select[Any]:
    return _page(_theirs(names), _shown, *([_after] if after else []))


@cache
def _history_count(names: tuple[str, ...]) -> Select[Any]:
    return select(func.count()).select_from(attempts).where(*_theirs(names))


async def list_history(
    database: Database,
    user_id: str,
    wanted: Filter,
    *,
    limit: int,
    offset: int = 0,
    after: Place | None = None,
) -> tuple[int, Sequence[RowMapping]]:
    """How many there are in all, and a page of them, newest first."""
    filtered = _wanted(wanted)
    names = tuple(filtered)
    values = {**filtered, "user": user_id, "limit": limit, "offset": offset}
    if after is not None:
        values |= {"after_ms": after.finished_at_ms, "after_id": after.attempt_id}
    async with database.read() as connection:
        page = await connection.execute(_history_page(names, after is not None), values)
        rows = page.mappings().all()
        if rows or (after is None and offset == 0):
            return (rows[0]["total"] if rows else 0), rows
        # Past the end no row says how many there are.
        total: int = (await connection.execute(_history_count(names), values)).scalar_one()
        return total, rows


_one_of_theirs = (
    attempts.c.id == bindparam("attempt"),
    attempts.c.user_id == _user,
    _finished_at_ms.is_not(None),
)
_result = select(*_shown).where(*_one_of_theirs)
_log = select(*_shown, attempts.c.text, attempts.c.opened_at_ms, attempts.c.keystroke_log).where(
    *_one_of_theirs, attempts.c.keystroke_log.is_not(None)
)


async def find_result(database: Database, user_id: str, attempt_id: str) -> RowMapping | None:
    """A person's attempt that has a result; None for another person's too."""
    return await _find(database, _result, user_id, attempt_id)


async def find_log(database: Database, user_id: str, attempt_id: str) -> RowMapping | None:
    """What `find_result` finds, with the text and the keystroke log; None if there is no log."""
    return await _find(database, _log, user_id, attempt_id)


async def _find(
    database: Database, question: Select[Any], user_id: str, attempt_id: str
) -> RowMapping | None:
    async with database.read() as connection:
        found = await connection.execute(question, {"user": user_id, "attempt": attempt_id})
        row: RowMapping | None = found.mappings().one_or_none()
        return row


@cache
def _counts_page(names: tuple[str, ...]) -> Select[Any]:
    return _page([*_theirs(names), _typed], [attempts.c.counts])


async def list_counts(
    database: Database, user_id: str, wanted: Filter, limit: int
) -> tuple[int, Sequence[bytes]]:
    """How many typed attempts there are, and the packed counts of the newest `limit` of them."""
    values = _wanted(wanted)
    question = _counts_page(tuple(values))
    values |= {"user": user_id, "limit": limit, "offset": 0}
    async with database.read() as connection:
        rows = (await connection.execute(question, values)).all()
    return (rows[0].total if rows else 0), [row.counts for row in rows]


async def store_reported(
    database: Database, person: Person, row: dict[str, Any], now_ms: int
) -> RowMapping:
    """Store a result typed elsewhere and return it as history shows it.

    Its `personal_best` is what the ranked attempts of its category say, whatever it claims.
    """
    best = select(func.max(attempts.c.wpm)).where(
        attempts.c.user_id == person.id,
        attempts.c.category == row["category"],
        attempts.c.verdict == "ranked",
    )
    async with database.write() as connection:
        await keep_guest(connection, person, now_ms)
        await change_histories(connection, [person.id])
        personal_best = (await connection.execute(best)).scalar_one()
        stored = await connection.execute(
            insert(attempts).returning(*_shown),
            {**row, "user_id": person.id, "personal_best": personal_best},
        )
        return stored.mappings().one()


# Statistics


class Day(NamedTuple):
    """A day's attempts, on a clock so far ahead of UTC. Days are counted from 1970-01-01.

    Sums of speeds and shares are over the attempts that were completed, bests over the ranked.
    """

    day: int
    attempts: int
    completed: int
    wpm_sum: float | None
    wpm_square_sum: float | None
    wpm_count: int
    raw_wpm_sum: float | None
    raw_wpm_count: int
    accuracy_sum: float | None
    accuracy_count: int
    consistency_sum: float | None
    consistency_count: int
    best_wpm: float | None
    best_accuracy: float | None
    errors: int
    duration_ms: int


_completed = attempts.c.state == "finished"
_ranked = attempts.c.verdict == "ranked"


@cache
def _days(names: tuple[str, ...]) -> Select[Any]:
    local_ms = _finished_at_ms + bindparam("utc_offset_ms", type_=BigInteger)
    measures: dict[str, ColumnElement[Any]] = {
        "day": local_ms // literal(DAY_MS, BigInteger),
        "attempts": func.count(),
        "completed": func.count().filter(_completed),
        "best_wpm": func.max(attempts.c.wpm).filter(_ranked),
        "best_accuracy": func.max(attempts.c.accuracy).filter(_ranked),
        "errors": func.sum(attempts.c.errors),
        "duration_ms": func.sum(attempts.c.duration_ms),
        "wpm_square_sum": func.sum(attempts.c.wpm * attempts.c.wpm).filter(_completed),
    }
    for name in ("wpm", "raw_wpm", "accuracy", "consistency"):
        measures[f"{name}_sum"] = func.sum(attempts.c[name]).filter(_completed)
        measures[f"{name}_count"] = func.count(attempts.c[name]).filter(_completed)
    return (
        select(*(measures[name].label(name) for name in Day._fields))
        .where(*_theirs(names))
        .group_by("day")
        .order_by("day")
    )


async def list_days(
    database: Database, user_id: str, utc_offset_ms: int, wanted: Filter = EVERYTHING
) -> list[Day]:
    """What each day amounts to, oldest first; days without an attempt are left out."""
    values = _wanted(wanted)
    question = _days(tuple(values))
    values |= {"user": user_id, "utc_offset_ms": utc_offset_ms}
    async with database.read() as connection:
        return [Day._make(row) for row in await connection.execute(question, values)]


class Best(NamedTuple):
    """The fastest ranked attempt of a mode and language, and how many ranked ones there are."""

    id: str
    mode: str
    language: str | None
    wpm: float
    accuracy: float
    finished_at_ms: int
    attempts: int


@cache
def _speeds(names: tuple[str, ...]) -> Select[Any]:
    # In whole hundredths, as they are stored: either store divides integers alike.
    hundredths = cast(attempts.c.wpm * 100, BigInteger)
    columns = (
        attempts.c.mode,
        attempts.c.language,
        (hundredths // literal(SPEED_STEP_WPM * 100, BigInteger)).label("step"),
    )
    return (
        select(
            *columns,
            func.count().label("completed"),
            func.count().filter(_ranked).label("ranked"),
            func.max(attempts.c.wpm).filter(_ranked).label("best_wpm"),
        )
        .where(*_theirs(names), _completed)
        .group_by(*columns)
    )


@cache
def _as_fast(names: tuple[str, ...]) -> Select[Any]:
    shown = (attempts.c[name] for name in Best._fields if name != "attempts")
    speeds = bindparam("speeds", expanding=True, type_=Float)
    return (
        select(*shown)
        .where(*_theirs(names), _ranked, attempts.c.wpm.in_(speeds))
        .order_by(_finished_at_ms, attempts.c.id)
    )


async def list_speeds(
    database: Database, user_id: str, wanted: Filter
) -> tuple[list[tuple[int, int]], list[Best]]:
    """How many completed attempts were so fast, and the best of the modes typed most.

    A speed is given as the number of its step of SPEED_STEP_WPM; steps nobody reached are left out.
    """
    values = _wanted(wanted)
    names = tuple(values)
    values["user"] = user_id
    steps: Counter[int] = Counter()
    ranked: Counter[tuple[str, str | None]] = Counter()
    fastest: dict[tuple[str, str | None], float] = {}
    async with database.read() as connection:
        for mode, language, step, completed, count, best_wpm in await connection.execute(
            _speeds(names), values
        ):
            steps[step] += completed
            if count:
                ranked[mode, language] += count
                fastest[mode, language] = max(best_wpm, fastest.get((mode, language), 0.0))
        most = sorted(ranked, key=lambda kind: (-ranked[kind], kind[0], kind[1] or ""))[:BESTS_MAX]
        if not most:
            return sorted(steps.items()), []
        values["speeds"] = [fastest[kind] for kind in most]
        found: dict[tuple[str, str | None], Best] = {}
        for row in await connection.execute(_as_fast(names), values):
            kind = (row.mode, row.language)
            if row.wpm == fastest.get(kind):
                found.setdefault(kind, Best._make((*row, ranked[kind])))
    # One that was deleted between the two questions is none any more.
    return sorted(steps.items()), [found[kind] for kind in most if kind in found]


_lessons = select(func.count(attempts.c.mode.distinct())).where(
    *_theirs(("kind", "since_ms")), _completed
)


async def count_lessons(database: Database, user_id: str, since_ms: int | None) -> int:
    """How many different lessons a person has completed."""
    values = {"user": user_id, "kind": SourceKind.LESSON.value, "since_ms": since_ms or 0}
    async with database.read() as connection:
        count: int = (await connection.execute(_lessons, values)).scalar_one()
    return count


async def load_counters(
    database: Database, user_id: str, language: str | None, layout: str | None
) -> dict[str, dict[str, KeyStats]]:
    """A person's counters by layout and key, with confusions, over the languages asked for."""
    values = {"user": user_id, "language": language, "layout": layout}
    values = {name: value for name, value in values.items() if value is not None}
    names = tuple(values)
    layouts: dict[str, dict[str, KeyStats]] = {}
    async with database.read() as connection:
        counters = await connection.execute(_counters(key_counters, names), values)
        for _, _, layout_name, key, *counts in counters:
            stats = layouts.setdefault(layout_name, {}).setdefault(key, KeyStats())
            stats.add(KeyStats(*counts))
        confusions = await connection.execute(_counters(key_confusions, names), values)
        for _, _, layout_name, key, typed, count in confusions:
            stats = layouts.setdefault(layout_name, {}).setdefault(key, KeyStats())
            stats.add(KeyStats(confusions={typed: count}))
    return layouts


@cache
def _counters(table: Table, names: tuple[str, ...]) -> Select[Any]:
    column = {"user": "user_id"}
    return select(table).where(
        *(table.c[column.get(name, name)] == bindparam(name, type_=String) for name in names)
    )
