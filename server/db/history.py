"""Questions about what a person has typed. Void and empty attempts have no result: none is here."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    RowMapping,
    Select,
    String,
    Table,
    bindparam,
    func,
    insert,
    or_,
    select,
    tuple_,
)

from server.core.key_stats import KeyStats
from server.core.source import UNKNOWN_LANGUAGE, SourceKind
from server.db.bests import RANKED
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
    "imported_from",
)
_shown = (
    *(attempts.c[name] for name in _SHOWN),
    func.substr(attempts.c.text, 1, PREVIEW_CHARS).label("text_preview"),
)
newest_first = (attempts.c.finished_at_ms.desc(), attempts.c.id.desc())


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
# What has counts of its keys: all that was typed here; of what was brought along, practice alone.
counted = or_(attempts.c.self_reported.is_(False), attempts.c.kind == SourceKind.PRACTICE.value)


def values_of(wanted: Filter) -> dict[str, Any]:
    """The values of a filter's conditions by their names."""
    values = {name: value for name, value in asdict(wanted).items() if value is not None}
    if values.get("language") == UNKNOWN_LANGUAGE:
        del values["language"]
        values["no_language"] = True
    return values


def theirs(names: Iterable[str]) -> list[ColumnElement[bool]]:
    """The attempts of the `user` asked for that have a result, under the conditions so named."""
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
        .order_by(*newest_first)
        .limit(bindparam("limit", type_=Integer))
        .offset(bindparam("offset", type_=Integer))
        .subquery()
    )
    # The page is found in the index alone; only its own rows are read.
    return (
        select(total.label("total"), *columns)
        .select_from(attempts.join(on_page, on_page.c.id == attempts.c.id))
        .order_by(*newest_first)
    )


@cache
def _history_page(names: tuple[str, ...], after: bool) -> Select[Any]:
    return _page(theirs(names), _shown, *([_after] if after else []))


@cache
def _history_count(names: tuple[str, ...]) -> Select[Any]:
    return select(func.count()).select_from(attempts).where(*theirs(names))


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
    filtered = values_of(wanted)
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
_log_columns = ("layout", "text", "opened_at_ms", "keystroke_log")
_log = select(*_shown, *(attempts.c[name] for name in _log_columns)).where(
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
def _counts_page(names: tuple[str, ...], dialect: str) -> Select[Any]:
    page = _page([*theirs(names), counted], [attempts.c.counts]).subquery()
    layouts = (
        select(key_counters.c.layout)
        .distinct()
        .where(*_counted_for(names), key_counters.c.layout != "")
        .subquery()
    )
    # One row: SQLite gives up its turn to run Python with every row.
    joined = {
        "sqlite": (func.group_concat(func.hex(page.c.counts)), func.group_concat(layouts.c.layout)),
        "postgresql": (
            func.string_agg(func.encode(page.c.counts, "hex"), ","),
            func.string_agg(layouts.c.layout, ","),
        ),
    }
    counts, layout_names = joined[dialect]
    return select(func.max(page.c.total), counts, select(layout_names).scalar_subquery())


def _counted_for(names: Iterable[str]) -> list[ColumnElement[bool]]:
    """The counters of the `user` asked for, in the language of conditions so named."""
    wanted = [key_counters.c.user_id == _user]
    if "language" in names:
        wanted.append(key_counters.c.language == bindparam("language", type_=String))
    if "no_language" in names:
        wanted.append(key_counters.c.language == UNKNOWN_LANGUAGE)
    return wanted


@dataclass(frozen=True, slots=True)
class CountsPage:
    """`attempts` have counts; `newest` are those of the newest of them, packed.

    `layouts` are all that anything was ever typed on in the language asked for.
    """

    attempts: int
    newest: Sequence[bytes]
    layouts: Sequence[str]


async def list_counts(database: Database, user_id: str, wanted: Filter, limit: int) -> CountsPage:
    """What the newest `limit` attempts have counted."""
    values = values_of(wanted)
    names = tuple(values)
    values |= {"user": user_id, "limit": limit, "offset": 0}
    async with database.read() as connection:
        question = _counts_page(names, connection.dialect.name)
        total, counts, layouts = (await connection.execute(question, values)).one()
    return CountsPage(
        attempts=total or 0,
        newest=[bytes.fromhex(packed) for packed in (counts or "").split(",") if packed],
        layouts=sorted(layouts.split(",")) if layouts else [],
    )


async def store_reported(
    database: Database, person: Person, row: dict[str, Any], now_ms: int
) -> RowMapping:
    """Store a result typed elsewhere and return it as history shows it.

    Its `personal_best` is what the ranked attempts of its category say, whatever it claims.
    """
    best = select(func.max(attempts.c.wpm)).where(
        attempts.c.user_id == person.id,
        attempts.c.category == row["category"],
        RANKED,
    )
    async with database.write() as connection:
        await keep_guest(connection, person, now_ms)
        await connection.run_sync(change_histories, [person.id])
        personal_best = (await connection.execute(best)).scalar_one()
        stored = await connection.execute(
            insert(attempts).returning(*_shown),
            {**row, "user_id": person.id, "personal_best": personal_best},
        )
        return stored.mappings().one()


# Counters


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
