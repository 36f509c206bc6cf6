"""Who is fastest: one place per person, by ranked attempts alone.

A person's bests are kept as attempts end, in the same transaction. Every change of a board raises
a version, so that a copy of it elsewhere can be known to be as new as the store.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import blake2b
from typing import Any
from uuid import uuid4

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    RowMapping,
    String,
    and_,
    bindparam,
    delete,
    func,
    literal,
    literal_column,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from server.db.database import Database
from server.db.queries import INSERT, attempts, bests, board_versions, users

SECONDS = "15|30|60|120"
WORDS = "10|25|50|100"
_with_board = re.compile(rf"time:[^:]+:({SECONDS})|words:[^:]+:({WORDS})|text:.+")
COPIED_ROWS = 1_000
DAY_MS = 86_400_000
# A copy is made anew after a day: what every copy has reached by then need not be remembered.
COPY_MS_MAX = DAY_MS
VERSIONS_KEPT_MS = 2 * DAY_MS
# Said in the statement itself: only so is an index of ranked attempts alone all that is read.
RANKED = attempts.c.verdict == literal_column("'ranked'")


class BoardPeriod(StrEnum):
    """The running day, week (from Monday) or month, in UTC."""

    ALL = "all"
    MONTH = "month"
    WEEK = "week"
    DAY = "day"

    def began_at_ms(self, now_ms: int) -> int:
        """When the one that holds this instant began; 0 for all time."""
        if self is BoardPeriod.ALL:
            return 0
        day = datetime.fromtimestamp(now_ms / 1_000, UTC)
        day = day.replace(hour=0, minute=0, second=0, microsecond=0)
        if self is BoardPeriod.WEEK:
            day -= timedelta(days=day.weekday())
        elif self is BoardPeriod.MONTH:
            day = day.replace(day=1)
        return int(day.timestamp()) * 1_000


@dataclass(frozen=True, slots=True)
class Board:
    """The attempts of a category since a period began."""

    category: str
    period: BoardPeriod
    began_at_ms: int

    @classmethod
    def at(cls, category: str, period: BoardPeriod, now_ms: int) -> "Board":
        """The board of the period that holds this instant."""
        return cls(category, period, period.began_at_ms(now_ms))


@dataclass(frozen=True, slots=True)
class Best:
    """A ranked attempt, as boards compare it."""

    user_id: str
    wpm: float
    accuracy: float
    finished_at_ms: int


@dataclass(frozen=True, slots=True)
class Change:
    """A person did better on a category's boards: the writer's change of that version.

    `first` is said of a writer's first change, before which it had none.
    """

    category: str
    best: Best
    writer: str
    version: int
    first: bool


@dataclass(frozen=True, slots=True)
class BoardPlace:
    """A person's place by their best attempt."""

    rank: int
    user_id: str
    name: str
    guest: bool
    wpm: float
    accuracy: float
    finished_at_ms: int


@dataclass(frozen=True, slots=True)
class Standing:
    """A page of a board, how many people are on it, and where one of them stands."""

    total: int
    page: list[BoardPlace]
    mine: BoardPlace | None


@dataclass(frozen=True, slots=True)
class BoardState:
    """What a copy of a board must agree with to be as new as the store.

    It has at least these versions, by writer, and leaves out these people, whom `off` names.
    """

    versions: Mapping[str, int]
    off: str


# Asking

_on_board = and_(
    bests.c.category == bindparam("category", type_=String),
    bests.c.period == bindparam("period", type_=String),
    bests.c.began_at_ms == bindparam("began_at_ms", type_=BigInteger),
)
_best = (bests.c.user_id, bests.c.wpm, bests.c.accuracy, bests.c.finished_at_ms)
_disabled = users.c.disabled_at_ms.is_not(None)
# Somebody whose account is disabled has no place.
_placed = and_(_on_board, bests.c.user_id.not_in(select(users.c.id).where(_disabled)))


def _best_first(rows: FromClause) -> list[ColumnElement[Any]]:
    # The last only keeps two that are equal in everything in one order.
    return [rows.c.wpm.desc(), rows.c.accuracy.desc(), rows.c.finished_at_ms, rows.c.user_id]


_on_page = (
    select(bests)
    .where(_placed)
    .order_by(*_best_first(bests))
    .limit(bindparam("limit"))
    .offset(bindparam("offset"))
    .subquery()
)
_page = (
    select(_on_page, users.c.name, users.c.guest)
    .join(users, users.c.id == _on_page.c.user_id)
    .order_by(*_best_first(_on_page))
)
_theirs = (
    select(bests, users.c.name, users.c.guest)
    .join(users, users.c.id == bests.c.user_id)
    .where(_placed, bests.c.user_id == bindparam("user_id"))
)


def _before() -> ColumnElement[bool]:
    wpm, accuracy, finished_at_ms, user_id = (
        bindparam(name, type_=bests.c[name].type)
        for name in ("wpm", "accuracy", "finished_at_ms", "user_id")
    )
    earlier = or_(
        bests.c.finished_at_ms < finished_at_ms,
        and_(bests.c.finished_at_ms == finished_at_ms, bests.c.user_id < user_id),
    )
    as_fast = or_(bests.c.accuracy > accuracy, and_(bests.c.accuracy == accuracy, earlier))
    return or_(bests.c.wpm > wpm, and_(bests.c.wpm == wpm, as_fast))


_total = select(func.count()).select_from(bests).where(_placed)
_total_and_before = _total.add_columns(func.count().filter(_before()))


async def load_standing(
    database: Database,
    board: Board,
    *,
    limit: int,
    offset: int = 0,
    user_id: str | None = None,
) -> Standing:
    """A page of a board, and where this person stands.

    A person's best is the highest wpm, then the higher accuracy, then the earlier; so are people
    ranked.
    """
    where = _values(board)
    async with database.read() as connection:
        total, mine = await _count(connection, where, user_id)
        asked = {**where, "limit": limit, "offset": offset}
        rows = (await connection.execute(_page, asked)).mappings().all()
    page = [_place(rank, row) for rank, row in enumerate(rows, offset + 1)]
    return Standing(total, page, mine)


async def _count(
    connection: AsyncConnection, where: Mapping[str, Any], user_id: str | None
) -> tuple[int, BoardPlace | None]:
    """How many people are on the board, and where this one stands."""
    row = None
    if user_id is not None:
        found = await connection.execute(_theirs, {**where, "user_id": user_id})
        row = found.mappings().one_or_none()
    if row is None:
        return (await connection.execute(_total, where)).scalar_one(), None
    theirs = {column.name: row[column.name] for column in _best}
    total, before = (await connection.execute(_total_and_before, {**where, **theirs})).one()
    return total, _place(before + 1, row)


def _values(board: Board) -> dict[str, Any]:
    return {
        "category": board.category,
        "period": board.period.value,
        "began_at_ms": board.began_at_ms,
    }


def _place(rank: int, row: Mapping[Any, Any]) -> BoardPlace:
    return BoardPlace(
        rank=rank,
        user_id=row["user_id"],
        name=row["name"],
        guest=row["guest"],
        wpm=row["wpm"],
        accuracy=row["accuracy"],
        finished_at_ms=row["finished_at_ms"],
    )


# Keeping a copy

_versions = select(board_versions.c.writer, board_versions.c.version).where(
    board_versions.c.category == bindparam("category")
)
_left_out = (
    select(*_best)
    .select_from(users.join(bests, bests.c.user_id == users.c.id))
    .where(_disabled, _on_board)
)
_everybody = (
    select(*_best, _disabled.label("disabled"))
    .select_from(bests.join(users, users.c.id == bests.c.user_id))
    .where(_on_board)
)
_people = select(users.c.id, users.c.name, users.c.guest).where(
    users.c.id.in_(bindparam("ids", expanding=True)), users.c.disabled_at_ms.is_(None)
)


async def load_state(database: Database, board: Board) -> BoardState:
    """What a copy that is asked after this must agree with."""
    async with database.read() as connection:
        versions = await _load_versions(connection, board)
        off = await connection.execute(_left_out, _values(board))
        return BoardState(versions, _named(Best(*row) for row in off))


async def load_board(database: Database, board: Board) -> tuple[BoardState, list[Best]]:
    """All who have a place, in no order, and the state that this is at least."""
    on: list[Best] = []
    off: list[Best] = []
    async with database.read() as connection:
        # The versions first: what changes from here on may be missing in them, never in the rows.
        versions = await _load_versions(connection, board)
        found = await connection.stream(_everybody, _values(board))
        async for rows in found.partitions(COPIED_ROWS):
            for *best, disabled in rows:
                (off if disabled else on).append(Best(*best))
    return BoardState(versions, _named(off)), on


async def load_people(database: Database, ids: Sequence[str]) -> dict[str, RowMapping]:
    """These people by id, but for those who are gone or disabled."""
    async with database.read() as connection:
        rows = (await connection.execute(_people, {"ids": ids})).mappings()
        return {row["id"]: row for row in rows}


async def _load_versions(connection: AsyncConnection, board: Board) -> dict[str, int]:
    rows = await connection.execute(_versions, {"category": board.category})
    return {writer: version for writer, version in rows}


def _named(off: Iterable[Best]) -> str:
    lines = sorted(f"{best.user_id} {best.wpm} {best.finished_at_ms}" for best in off)
    return blake2b("\n".join(lines).encode(), digest_size=16).hexdigest() if lines else ""


# Changing: always in the transaction that changes what the boards are counted from

_BEST_COLUMNS = [column.name for column in bests.c]


def _or_better(insert: Any) -> Any:
    """The insert; of two bests of one person and period's name the better one stays."""
    new = insert.excluded
    earlier = new.finished_at_ms < bests.c.finished_at_ms
    as_fast = or_(new.accuracy > bests.c.accuracy, and_(new.accuracy == bests.c.accuracy, earlier))
    better = or_(new.wpm > bests.c.wpm, and_(new.wpm == bests.c.wpm, as_fast))
    newer = new.began_at_ms > bests.c.began_at_ms
    key = [column.name for column in bests.primary_key]
    return insert.on_conflict_do_update(
        index_elements=key,
        set_={name: new[name] for name in _BEST_COLUMNS if name not in key},
        where=or_(newer, and_(new.began_at_ms == bests.c.began_at_ms, better)),
    )


def _keep(dialect: str) -> Any:
    said = {name: bindparam(name, type_=bests.c[name].type) for name in _BEST_COLUMNS}
    rows = [
        {
            **said,
            "period": period.value,
            "began_at_ms": bindparam(f"{period.value}_began_at_ms", type_=BigInteger),
        }
        for period in BoardPeriod
    ]
    return _or_better(INSERT[dialect](bests).values(rows)).returning(bests.c.period)


def _raise_version(dialect: str) -> Any:
    insert = INSERT[dialect](board_versions)
    raised = insert.on_conflict_do_update(
        index_elements=["category", "writer"],
        set_={
            "version": board_versions.c.version + 1,
            "changed_at_ms": insert.excluded.changed_at_ms,
        },
    )
    return raised.returning(board_versions.c.version)


_keep_best = {dialect: _keep(dialect) for dialect in INSERT}
_raise = {dialect: _raise_version(dialect) for dialect in INSERT}


async def keep_bests(
    connection: AsyncConnection, writer: str, ended: Sequence[tuple[str, Best]]
) -> list[Change]:
    """Keep those of these ranked attempts, each with its category, that are somebody's best."""
    changes = []
    # Sorted, so that two processes which keep the same people's cannot wait for each other.
    for category, best in sorted(ended, key=lambda one: (one[1].user_id, one[0])):
        if not _with_board.fullmatch(category):
            continue
        at_ms = best.finished_at_ms
        values = {**asdict(best), "category": category} | {
            f"{period.value}_began_at_ms": period.began_at_ms(at_ms) for period in BoardPeriod
        }
        kept = await connection.execute(_keep_best[connection.dialect.name], values)
        if kept.all():
            version = await _change(connection, category, writer, at_ms)
            changes.append(Change(category, best, writer, version, version == at_ms))
    return changes


async def _change(connection: AsyncConnection, category: str, writer: str, at_ms: int) -> int:
    # A first version is higher than any that was forgotten: forgotten ones are long past.
    values = {"category": category, "writer": writer, "version": at_ms, "changed_at_ms": at_ms}
    raised = await connection.execute(_raise[connection.dialect.name], values)
    version: int = raised.scalar_one()
    return version


async def change_untold(connection: AsyncConnection, categories: Iterable[str], at_ms: int) -> None:
    """No copy of these categories' boards is good any more: nobody will tell it what changed."""
    for category in sorted(categories):
        # A writer never seen before: nobody waits for its row.
        await _change(connection, category, uuid4().hex, at_ms)


async def leave_boards(connection: AsyncConnection, user_id: str, at_ms: int) -> None:
    """A person is about to be deleted; their places go with their row."""
    # No attempt of theirs may end between the question and the deletion.
    await connection.execute(select(users.c.id).where(users.c.id == user_id).with_for_update())
    found = await connection.execute(
        select(bests.c.category).where(bests.c.user_id == user_id).distinct()
    )
    await change_untold(connection, found.scalars(), at_ms)


async def move_bests(connection: AsyncConnection, from_id: str, to_id: str, at_ms: int) -> None:
    """Let a person stand where another, who is about to be deleted, would stand alone."""
    names = [name for name in _BEST_COLUMNS if name != "user_id"]
    theirs = (
        select(bindparam("to", to_id).label("user_id"), *(bests.c[name] for name in names))
        .where(bests.c.user_id == from_id)
        .order_by(bests.c.category, bests.c.period)
    )
    insert = INSERT[connection.dialect.name](bests)
    await connection.execute(_or_better(insert.from_select(["user_id", *names], theirs)))
    await leave_boards(connection, from_id, at_ms)


async def forget_versions(database: Database, now_ms: int) -> None:
    """Forget changes that every copy has reached by now."""
    old = board_versions.c.changed_at_ms < now_ms - VERSIONS_KEPT_MS
    async with database.write() as connection:
        await connection.execute(delete(board_versions).where(old))


async def recount(database: Database, now_ms: int) -> None:
    """Make all bests anew from the attempts, after those were changed by other hands than ours."""
    async with database.read() as connection:
        found = await connection.execute(select(attempts.c.category).where(RANKED).distinct())
        counted = await connection.execute(select(bests.c.category).distinct())
        categories = {*found.scalars(), *counted.scalars()}
    for category in sorted(filter(_with_board.fullmatch, categories)):
        async with database.write() as connection:
            await connection.execute(delete(bests).where(bests.c.category == category))
            for period in BoardPeriod:
                await _recount(connection, Board.at(category, period, now_ms))
            await change_untold(connection, [category], now_ms)


async def _recount(connection: AsyncConnection, board: Board) -> None:
    nth = func.row_number().over(
        partition_by=attempts.c.user_id,
        order_by=[attempts.c.wpm.desc(), attempts.c.accuracy.desc(), attempts.c.finished_at_ms],
    )
    theirs = (
        select(*(attempts.c[column.name] for column in _best), nth.label("nth"))
        .where(
            attempts.c.category == board.category,
            RANKED,
            attempts.c.finished_at_ms >= board.began_at_ms,
        )
        .subquery()
    )
    where = [literal(value, bests.c[name].type) for name, value in _values(board).items()]
    best = select(*(theirs.c[column.name] for column in _best), *where).where(theirs.c.nth == 1)
    names = [*(column.name for column in _best), *_values(board)]
    insert = INSERT[connection.dialect.name](bests)
    await connection.execute(_or_better(insert.from_select(names, best)))
