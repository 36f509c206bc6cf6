"""Results that people bring along: all new ones of a file are stored, or none."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import chain
from time import monotonic
from typing import Any
from uuid import uuid4

import orjson
from sqlalchemy import (
    BigInteger,
    Connection,
    case,
    cast,
    delete,
    exists,
    func,
    insert,
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
from server.db.database import STORE_ERRORS, Database
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
from server.db.tables import metadata
from server.imports.results import Imported, Trainer

unfinished = metadata.tables["unfinished_imports"]

ROWS_AT_ONCE = 200
TRIES = 3
IDS_MAX = 0x10000  # of one file
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
        # The ids of a file's results are a run: so they are found again, and stand side by side.
        self._run = str(uuid4())[:-4]
        self._user_id = user_id
        self._sources: dict[Source, dict[str, Any]] = {}

    def add(self, key: str, trainer: Trainer, result: Imported) -> None:
        """Take the result of that fingerprint, unless it is known."""
        if key in self.known:
            return
        self.rows.append(self._row(key, trainer, result))
        if result.keys:
            add_counters(self.counters, result.language, result.layout, result.keys)

    @property
    def first_id(self) -> str:
        return self._id(0)

    @property
    def last_id(self) -> str:
        return self._id(IDS_MAX - 1)

    def _id(self, place: int) -> str:
        if place >= IDS_MAX:
            raise ValueError("a file has fewer results")
        return f"{self._run}{place:04x}"

    def _row(self, key: str, trainer: Trainer, result: Imported) -> Row:
        said = self._sources.get(result.source)
        if said is None:
            said = self._sources[result.source] = _source_columns(result.source)
        started_at_ms = result.finished_at_ms - result.duration_ms
        values: dict[str, Any] = {
            **_ALIKE,
            **said,
            "id": self._id(len(self.rows)),
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


class UndoneTooOften(TimeoutError):
    """Whoever brings a file along had guests sign in to the same account all the while."""


class Imports:
    """Stores files. Of each all new rows are stored, or none, whenever the program may be killed.

    PostgreSQL takes a file in one transaction. In a file of our own nobody else could write
    meanwhile: there it is stored in slices, one file at a time, and until the last of them a row of
    `unfinished_imports` says what is to be deleted again should the others never come. Whose file
    it is sees the first slices already; they count for nobody else.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._one_file = asyncio.Lock()

    async def known(self, user_id: str) -> frozenset[str]:
        """The fingerprints of all that a person has brought along, none while some is arriving."""
        async with self._database.read() as connection:
            return frozenset((await connection.execute(_known_for_good(user_id))).scalars())

    async def store(self, person: Person, new: NewResults, now_ms: int) -> int | None:
        """Store them; how many there were. None: the person is gone.

        What the same person has brought along meanwhile is not stored again.
        """
        if not self._database.embedded:
            return await self._database.transact(partial(_store, person, new, now_ms))
        async with self._one_file:
            await self.sweep()
            if len(new.rows) <= ROWS_AT_ONCE:
                return await self._database.transact(partial(_store, person, new, now_ms))
            try:
                return await self._store_in_slices(person, new, now_ms)
            except Exception:
                # Whatever went wrong, it is told on. If the store is away the next file sweeps, or
                # the next start.
                with suppress(*STORE_ERRORS):
                    await self.sweep()
                raise

    async def _store_in_slices(self, person: Person, new: NewResults, now_ms: int) -> int | None:
        transact = self._database.transact
        await transact(partial(insert_guest, person=person, now_ms=now_ms))
        for _ in range(TRIES):
            rows = await transact(partial(_begin, person.id, new))
            if not rows:
                return None if rows is None else 0
            for start in range(0, len(rows), ROWS_AT_ONCE):
                some = rows[start : start + ROWS_AT_ONCE]
                began_s = monotonic()
                if not await transact(partial(_go_on, new.first_id, some)):
                    break
                await asyncio.sleep(monotonic() - began_s)
            else:
                if await transact(partial(_finish, person.id, new, rows)):
                    return len(rows)
        raise UndoneTooOften

    async def sweep(self) -> None:
        """Delete what is stored of files that were cut off. Nobody may be storing one."""
        async with self._database.read() as connection:
            cut_off = (await connection.execute(select(unfinished.c.user_id))).scalars().all()
        if cut_off:
            await self._database.transact(partial(undo_unfinished, user_ids=cut_off))


def undo_unfinished(connection: Connection, user_ids: Sequence[str]) -> None:
    """Nothing is stored of these people's files that are not stored whole.

    Whoever is storing one notices, and begins again.
    """
    mine = unfinished.c.user_id.in_(user_ids)
    for user_id, first_id, last_id in connection.execute(_cut_off.where(mine)).all():
        change_histories(connection, [user_id])
        run = attempts.c.id.between(first_id, last_id)
        connection.execute(delete(attempts).where(run, attempts.c.user_id == user_id))
        connection.execute(delete(unfinished).where(unfinished.c.first_id == first_id))


_cut_off = select(unfinished.c.user_id, unfinished.c.first_id, unfinished.c.last_id)


def _store(person: Person, new: NewResults, now_ms: int, connection: Connection) -> int | None:
    insert_guest(connection, person, now_ms)
    if not _lock(connection, person.id):
        return None
    rows = _still_new(connection, person.id, new)
    if rows:
        for start in range(0, len(rows), ROWS_AT_ONCE):
            _insert_rows(connection, rows[start : start + ROWS_AT_ONCE])
        _count(connection, person.id, new, rows)
    return len(rows)


def _begin(user_id: str, new: NewResults, connection: Connection) -> Sequence[Row] | None:
    if not _lock(connection, user_id):
        return None
    rows = _still_new(connection, user_id, new)
    if rows:
        ids = {"first_id": new.first_id, "last_id": new.last_id}
        connection.execute(insert(unfinished), {**ids, "user_id": user_id})
    return rows


def _go_on(first_id: str, rows: Sequence[Row], connection: Connection) -> bool:
    """False if what had been stored was undone, or went with the person."""
    found = connection.execute(
        select(unfinished.c.user_id).where(unfinished.c.first_id == first_id)
    )
    if found.one_or_none() is None:
        return False
    _insert_rows(connection, rows)
    return True


def _finish(user_id: str, new: NewResults, rows: Sequence[Row], connection: Connection) -> bool:
    done = connection.execute(
        delete(unfinished)
        .where(unfinished.c.first_id == new.first_id)
        .returning(unfinished.c.first_id)
    )
    if done.one_or_none() is None:
        return False
    _count(connection, user_id, new, rows)
    return True


def _lock(connection: Connection, user_id: str) -> bool:
    """Whether the person is there. Whoever brings something along for the same one waits here."""
    locked = connection.execute(
        select(users.c.id).where(users.c.id == user_id).with_for_update(key_share=True)
    )
    return locked.one_or_none() is not None


def _known(user_id: str) -> Any:
    return select(attempts.c.import_key).where(attempts.c.user_id == user_id, _keys_of)


def _known_for_good(user_id: str) -> Any:
    return _known(user_id).where(~exists().where(unfinished.c.user_id == user_id))


def _insert_rows(connection: Connection, rows: Sequence[Row]) -> None:
    insert = _insert[connection.dialect.name]
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql(insert, rows)
        return
    # One statement: after each, Python waits for its turn, and everybody for this transaction.
    head, values, row = insert.partition(" VALUES ")
    statement = head + values + ", ".join([row] * len(rows))
    connection.exec_driver_sql(statement, tuple(chain.from_iterable(rows)))


def _still_new(connection: Connection, user_id: str, new: NewResults) -> Sequence[Row]:
    count = (
        select(func.count()).select_from(attempts).where(attempts.c.user_id == user_id, _keys_of)
    )
    if connection.execute(count).scalar_one() == len(new.known):
        return new.rows
    known = frozenset(connection.execute(_known(user_id)).scalars())
    return [row for row in new.rows if row[_AT["import_key"]] not in known]


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


def _count(connection: Connection, user_id: str, new: NewResults, stored: Sequence[Row]) -> None:
    """Count the keys of those that were stored, and say that the history is another one."""
    counters = new.counters
    if len(stored) < len(new.rows):
        counters = _counted(tuple(row[_AT[name]] for name in _COUNTED) for row in stored)
    change_histories(connection, [user_id])
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
