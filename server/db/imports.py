"""Results that people bring along: all new ones of a file are stored at once, or none."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any
from uuid import uuid4

import orjson
from sqlalchemy import (
    BigInteger,
    Connection,
    case,
    cast,
    delete,
    func,
    literal_column,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from server.core.key_stats import KeyStats
from server.core.source import UNKNOWN_LANGUAGE, Source
from server.core.typed_text import ErrorRule
from server.core.verdict import Verdict
from server.db.counts import pack_counts, unpack_counts
from server.db.database import Database
from server.db.queries import (
    Person,
    attempts,
    category,
    change_histories,
    insert_guest,
    key_counters,
    users,
)
from server.db.statements import INSERT, in_order
from server.imports.results import Imported, Trainer

ROWS_AT_ONCE = 200
# Nobody presses a key so often; what says so must not leave the counters without room.
COUNTER_MAX = 100_000_000
SUMS = ("presses", "errors", "latency_sum_ms", "latency_count")

# Whose counters of which keys: language and layout, then key.
Counters = dict[tuple[str, str], dict[str, KeyStats]]
Row = tuple[Any, ...]

_NAMES = [column.name for column in attempts.c]
_AT = {name: at for at, name in enumerate(_NAMES)}
_WHY = orjson.dumps([{"rule": "self_reported", "value": 1, "limit": 0}]).decode()


class NewResults:
    """The results of a file that a person has not brought along yet, ready to be stored."""

    def __init__(self, user_id: str, known: frozenset[str]) -> None:
        self.rows: list[Row] = []
        self.counters: Counters = {}
        self.known = known
        self._user_id = user_id
        self._sources: dict[Source, dict[str, Any]] = {}

    def add(self, key: str, trainer: Trainer, result: Imported) -> None:
        """Take the result of that fingerprint, unless it is known."""
        if key in self.known:
            return
        self.rows.append(self._row(key, trainer, result))
        if result.keys:
            add_counters(self.counters, result.language, result.layout, result.keys)

    def _row(self, key: str, trainer: Trainer, result: Imported) -> Row:
        said = self._sources.get(result.source)
        if said is None:
            said = self._sources[result.source] = _source_columns(result.source)
        started_at_ms = result.finished_at_ms - result.duration_ms
        values: dict[str, Any] = {
            **_ALIKE,
            **said,
            "id": str(uuid4()),
            "user_id": self._user_id,
            "language": result.language,
            "layout": result.layout,
            "text": result.text,
            "opened_at_ms": started_at_ms,
            "started_at_ms": started_at_ms,
            "finished_at_ms": result.finished_at_ms,
            "position": result.chars,
            "duration_ms": result.duration_ms,
            "wpm": result.wpm,
            "raw_wpm": result.raw_wpm,
            "accuracy": result.accuracy,
            "errors": result.errors,
            "uncorrected": result.uncorrected,
            "consistency": result.consistency,
            "text_length": result.chars,
            "counts": pack_counts(result.keys, {}) if result.keys else None,
            "imported_from": trainer.value,
            "import_key": key,
        }
        return tuple(map(values.get, _NAMES))


def add_counters(
    counters: Counters, language: str | None, layout: str, keys: Mapping[str, KeyStats]
) -> None:
    """Count these keys; those of a layout that nobody knows are counted for none."""
    if layout:
        counted = counters.setdefault((language or UNKNOWN_LANGUAGE, layout), {})
        for key, stats in keys.items():
            counted.setdefault(key, KeyStats()).add(stats)


# What all of them have in common: nobody here saw them typed.
_ALIKE: dict[str, Any] = {
    "state": "finished",
    "epoch": 1,
    "rule": ErrorRule.FREE.value,
    "outage_ms": 0,
    "got": True,
    "events": 0,
    "late_ms": 0,
    "verdict": Verdict.UNRANKED.value,
    "why": _WHY,
    "self_reported": True,
}


def _source_columns(source: Source) -> dict[str, Any]:
    return {
        "source": orjson.dumps(source.public()).decode(),
        "category": category(source),
        "kind": source.kind.value,
        "mode": source.mode,
    }


# Storing

_keys_of = attempts.c.import_key.is_not(None)
_insert = {dialect: in_order(make(attempts), dialect) for dialect, make in INSERT.items()}


async def load_known(database: Database, user_id: str) -> frozenset[str]:
    """The fingerprints of all that a person has brought along."""
    async with database.read() as connection:
        found = await connection.execute(_known(user_id))
        return frozenset(found.scalars())


def _known(user_id: str) -> Any:
    return select(attempts.c.import_key).where(attempts.c.user_id == user_id, _keys_of)


async def store_results(
    database: Database, person: Person, new: NewResults, now_ms: int
) -> int | None:
    """Store them in one transaction; how many there were. None: the person is gone.

    What the same person has brought along meanwhile is not stored again.
    """

    def store(connection: Connection) -> int | None:
        insert_guest(connection, person, now_ms)
        # Whoever brings something along for the same person waits here.
        locked = connection.execute(
            select(users.c.id).where(users.c.id == person.id).with_for_update(key_share=True)
        )
        if locked.one_or_none() is None:
            return None
        rows, counters = _still_new(connection, person.id, new)
        if rows:
            change_histories(connection, [person.id])
            for start in range(0, len(rows), ROWS_AT_ONCE):
                _insert_rows(connection, rows[start : start + ROWS_AT_ONCE])
            _count(connection, person.id, counters)
        return len(rows)

    return await database.transact(store)


def _insert_rows(connection: Connection, rows: Sequence[Row]) -> None:
    insert = _insert[connection.dialect.name]
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql(insert, rows)
        return
    # One statement: after each, Python waits for its turn, and everybody for this transaction.
    head, values, row = insert.partition(" VALUES ")
    statement = head + values + ", ".join([row] * len(rows))
    connection.exec_driver_sql(statement, tuple(chain.from_iterable(rows)))


def _still_new(
    connection: Connection, user_id: str, new: NewResults
) -> tuple[Sequence[Row], Counters]:
    count = (
        select(func.count()).select_from(attempts).where(attempts.c.user_id == user_id, _keys_of)
    )
    if connection.execute(count).scalar_one() == len(new.known):
        return new.rows, new.counters
    known = frozenset(connection.execute(_known(user_id)).scalars())
    rows = [row for row in new.rows if row[_AT["import_key"]] not in known]
    return rows, _counted(tuple(row[_AT[name]] for name in _COUNTED) for row in rows)


_COUNTED = ("language", "layout", "counts")


def _counted(rows: Iterable[Sequence[Any]]) -> Counters:
    """The counters of stored results, from their _COUNTED columns."""
    counters: Counters = {}
    for language, layout, packed in rows:
        if packed is not None:
            keys = {key: KeyStats(*stats) for key, stats in unpack_counts(packed).keys.items()}
            add_counters(counters, language, layout, keys)
    return counters


def _add_up(dialect: str) -> str:
    insert = INSERT[dialect](key_counters)
    sums = {name: cast(key_counters.c[name], BigInteger) + insert.excluded[name] for name in SUMS}
    insert = insert.on_conflict_do_update(
        index_elements=["user_id", "language", "layout", "key"],
        set_={name: _at_most(both) for name, both in sums.items()},
    )
    return in_order(insert, dialect)


def _at_most(count: Any) -> Any:
    most: Any = literal_column(str(COUNTER_MAX))
    return case((count > most, most), else_=count)


_add: dict[str, str] = {dialect: _add_up(dialect) for dialect in INSERT}


def _count(connection: Connection, user_id: str, counters: Counters) -> None:
    rows = [
        (user_id, language, layout, key, *_capped(stats))
        for (language, layout), keys in sorted(counters.items())
        for key, stats in sorted(keys.items())
    ]
    if rows:
        connection.exec_driver_sql(_add[connection.dialect.name], rows)


def _capped(stats: KeyStats) -> list[int]:
    return [min(getattr(stats, name), COUNTER_MAX) for name in SUMS]


# A guest becomes an account


async def drop_doubles(connection: AsyncConnection, guest_id: str, user_id: str) -> None:
    """A guest is about to give all to an account: the guest forgets what both brought along."""
    theirs, ours = attempts.alias(), attempts.alias()
    doubles = (
        select(theirs.c.id, *(theirs.c[name] for name in _COUNTED))
        .join(ours, ours.c.import_key == theirs.c.import_key)
        .where(
            theirs.c.user_id == guest_id,
            theirs.c.import_key.is_not(None),
            ours.c.user_id == user_id,
            ours.c.import_key.is_not(None),
        )
    )
    found = (await connection.execute(doubles)).all()
    for start in range(0, len(found), ROWS_AT_ONCE):
        ids = [row[0] for row in found[start : start + ROWS_AT_ONCE]]
        await connection.execute(delete(attempts).where(attempts.c.id.in_(ids)))
    for (language, layout), keys in _counted(row[1:] for row in found).items():
        for key, stats in keys.items():
            await connection.execute(_less(guest_id, language, layout, key, stats))


def _less(user_id: str, language: str, layout: str, key: str, stats: KeyStats) -> Any:
    def rest(name: str) -> Any:
        count, taken = key_counters.c[name], getattr(stats, name)
        return case((count > taken, count - taken), else_=0)

    return (
        update(key_counters)
        .where(
            key_counters.c.user_id == user_id,
            key_counters.c.language == language,
            key_counters.c.layout == layout,
            key_counters.c.key == key,
        )
        .values({name: rest(name) for name in SUMS})
    )
