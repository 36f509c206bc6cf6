"""Everybody's best of each board, kept in the transactions in which attempts end and people leave.

Leaderboards are answered from them. Every change of a board raises a version, so that a copy of it
elsewhere can be known to be as new as the store.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import uuid4

from sqlalchemy import (
    BigInteger,
    Connection,
    and_,
    bindparam,
    case,
    delete,
    func,
    literal,
    literal_column,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from server.db.database import Database
from server.db.queries import attempts, bests, board_versions, users
from server.db.statements import INSERT

SECONDS = "15|30|60|120"
WORDS = "10|25|50|100"
_with_board = re.compile(rf"time:[^:]+:({SECONDS})|words:[^:]+:({WORDS})|text:.+")
DAY_MS = 86_400_000
# Copies are made anew after a day: what each has reached by then need not be remembered.
COPY_MS_MAX = DAY_MS
VERSIONS_KEPT_MS = 2 * DAY_MS
UNTOLD_WRITERS = 64
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

    def columns(self) -> dict[str, Any]:
        """What the rows of its bests have in common."""
        period = self.period.value
        return {"category": self.category, "period": period, "began_at_ms": self.began_at_ms}


@dataclass(frozen=True, slots=True)
class Best:
    """A ranked attempt, as boards compare it."""

    user_id: str
    wpm: float
    accuracy: float
    finished_at_ms: int


BEST_FIELDS = [field.name for field in fields(Best)]


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


def _raise_version(dialect: str, told: bool) -> Any:
    insert = INSERT[dialect](board_versions)
    new = insert.excluded
    following = board_versions.c.version + 1
    # Where none must follow the other, no version comes twice, not even in a store set back.
    version = following if told else case((new.version > following, new.version), else_=following)
    raised = insert.on_conflict_do_update(
        index_elements=["category", "writer"],
        set_={"version": version, "changed_at_ms": new.changed_at_ms},
    )
    return raised.returning(board_versions.c.version)


_keep_best = {dialect: _keep(dialect) for dialect in INSERT}
_raise = {
    (dialect, told): _raise_version(dialect, told) for dialect in INSERT for told in (True, False)
}


def keep_bests(
    connection: Connection, writer: str, ended: Sequence[tuple[str, Best]], now_ms: int
) -> list[Change]:
    """Keep those of these ranked attempts, each with its category, that are somebody's best."""
    changes = []
    # Sorted, so that two processes which keep the same people's cannot wait for each other.
    for category, best in sorted(ended, key=lambda one: (one[1].user_id, one[0])):
        if not _with_board.fullmatch(category):
            continue
        values = {**asdict(best), "category": category} | {
            f"{period.value}_began_at_ms": period.began_at_ms(best.finished_at_ms)
            for period in BoardPeriod
        }
        kept = connection.execute(_keep_best[connection.dialect.name], values)
        if kept.all():
            version = _change(connection, category, writer, now_ms, told=True)
            changes.append(Change(category, best, writer, version, version == now_ms))
    return changes


def _change(connection: Connection, category: str, writer: str, now_ms: int, told: bool) -> int:
    # A first version is higher than any that was forgotten: forgotten ones are long past.
    values = {"category": category, "writer": writer, "version": now_ms, "changed_at_ms": now_ms}
    raised = connection.execute(_raise[connection.dialect.name, told], values)
    version: int = raised.scalar_one()
    return version


async def change_untold(
    connection: AsyncConnection, categories: Iterable[str], now_ms: int
) -> None:
    """No copy of these categories' boards is good any more: nobody will tell it what changed."""
    # Several rows, so that hardly anybody waits for another to commit; not one for each change.
    writer = f"untold {uuid4().int % UNTOLD_WRITERS}"
    for category in sorted(categories):
        await connection.run_sync(_change, category, writer, now_ms, told=False)


async def leave_boards(connection: AsyncConnection, user_id: str, now_ms: int) -> None:
    """A person is about to be deleted; their places go with their row."""
    # No attempt of theirs may end between the question and the deletion.
    await connection.execute(select(users.c.id).where(users.c.id == user_id).with_for_update())
    found = await connection.execute(
        select(bests.c.category).where(bests.c.user_id == user_id).distinct()
    )
    await change_untold(connection, found.scalars(), now_ms)


async def move_bests(connection: AsyncConnection, from_id: str, to_id: str, now_ms: int) -> None:
    """Let a person stand where another, who is about to be deleted, would stand alone."""
    names = [name for name in _BEST_COLUMNS if name != "user_id"]
    theirs = (
        select(bindparam("to", to_id).label("user_id"), *(bests.c[name] for name in names))
        .where(bests.c.user_id == from_id)
        .order_by(bests.c.category, bests.c.period)
    )
    insert = INSERT[connection.dialect.name](bests)
    await connection.execute(_or_better(insert.from_select(["user_id", *names], theirs)))
    await leave_boards(connection, from_id, now_ms)


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
        select(*(attempts.c[name] for name in BEST_FIELDS), nth.label("nth"))
        .where(
            attempts.c.category == board.category,
            RANKED,
            attempts.c.finished_at_ms >= board.began_at_ms,
        )
        .subquery()
    )
    where = [literal(value, bests.c[name].type) for name, value in board.columns().items()]
    best = select(*(theirs.c[name] for name in BEST_FIELDS), *where).where(theirs.c.nth == 1)
    names = [*BEST_FIELDS, *board.columns()]
    insert = INSERT[connection.dialect.name](bests)
    await connection.execute(_or_better(insert.from_select(names, best)))
