"""Who is fastest: one place per person, by ranked attempts alone."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    RowMapping,
    String,
    and_,
    bindparam,
    func,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from server.db.bests import BEST_FIELDS, Best, Board
from server.db.database import Database
from server.db.queries import bests, board_versions, users

COPIED_ROWS = 1_000


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
_best = [bests.c[name] for name in BEST_FIELDS]
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
    where = board.columns()
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
    theirs = {name: row[name] for name in BEST_FIELDS}
    total, before = (await connection.execute(_total_and_before, {**where, **theirs})).one()
    return total, _place(before + 1, row)


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
# Found by person: they are few, and the board is long. The store must not begin with the category.
_left_out = select(*_best).where(
    bests.c.user_id.in_(select(users.c.id).where(_disabled)),
    bests.c.category.concat("") == bindparam("category", type_=String),
    bests.c.period == bindparam("period", type_=String),
    bests.c.began_at_ms == bindparam("began_at_ms", type_=BigInteger),
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
        off = await connection.execute(_left_out, board.columns())
        return BoardState(versions, _named(Best(*row) for row in off))


async def load_board(database: Database, board: Board) -> tuple[BoardState, list[Best], list[Best]]:
    """The state that this is at least, all who have a place, and who is left out; in no order."""
    on: list[Best] = []
    off: list[Best] = []
    async with database.read() as connection:
        # The versions first: what changes from here on may be missing in them, never in the rows.
        versions = await _load_versions(connection, board)
        found = await connection.execute(_everybody, board.columns())
        for rows in found.partitions(COPIED_ROWS):
            for *best, disabled in rows:
                (off if disabled else on).append(Best(*best))
            await asyncio.sleep(0)  # a board may be long: others have a turn
    return BoardState(versions, _named(off)), on, off


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
