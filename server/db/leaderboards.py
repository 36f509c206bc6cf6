"""Who is fastest: one place per person, by ranked attempts alone.

What is asked and answered here is what a sorted set of bests per board could answer as well.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    Subquery,
    and_,
    func,
    literal_column,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from server.db.database import Database
from server.db.queries import attempts, users

# Said in the statement itself: only so is an index of ranked attempts alone all that is read.
RANKED = attempts.c.verdict == literal_column("'ranked'")


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
class _Board:
    category: str
    since_ms: int | None

    @property
    def counts(self) -> ColumnElement[bool]:
        """Which attempts are on it. Somebody whose account is disabled has no place."""
        off = select(users.c.id).where(users.c.disabled_at_ms.is_not(None))
        conditions = [
            attempts.c.category == self.category,
            RANKED,
            attempts.c.user_id.not_in(off),
        ]
        if self.since_ms is not None:
            conditions.append(attempts.c.finished_at_ms >= self.since_ms)
        return and_(*conditions)

    def speeds(self) -> Subquery:
        """Everybody's highest wpm: an index holds them in this order, so it is soon found."""
        wpm = func.max(attempts.c.wpm).label("wpm")
        by_person = select(attempts.c.user_id, wpm).where(self.counts)
        return by_person.group_by(attempts.c.user_id).subquery()

    def places(self, speeds: FromClause, *among: ColumnElement[bool]) -> Select[Any]:
        """Everybody's best attempt, best first, of the people whose speeds are `among` these."""
        best = func.row_number().over(
            partition_by=attempts.c.user_id,
            order_by=[
                attempts.c.accuracy.desc(),
                attempts.c.finished_at_ms.asc(),
                attempts.c.id.asc(),
            ],
        )
        theirs = (
            select(
                attempts.c.id.label("attempt_id"),
                attempts.c.user_id,
                attempts.c.wpm,
                attempts.c.accuracy,
                attempts.c.finished_at_ms,
                best.label("nth"),
            )
            .join(
                speeds,
                and_(speeds.c.user_id == attempts.c.user_id, speeds.c.wpm == attempts.c.wpm),
            )
            .where(self.counts, *among)
            .subquery()
        )
        return (
            select(theirs, users.c.name, users.c.guest)
            .join(users, users.c.id == theirs.c.user_id)
            .where(theirs.c.nth == 1)
            .order_by(
                theirs.c.wpm.desc(),
                theirs.c.accuracy.desc(),
                theirs.c.finished_at_ms.asc(),
                # Only keeps two that are equal in everything in one order.
                theirs.c.attempt_id.asc(),
            )
        )


async def load_standing(
    database: Database,
    category: str,
    since_ms: int | None,
    *,
    limit: int,
    offset: int = 0,
    user_id: str | None = None,
) -> Standing:
    """The standing in a category of attempts, of those since `since_ms`.

    A person's best is the highest wpm, then the higher accuracy, then the earlier; so are people
    ranked.
    """
    board = _Board(category, since_ms)
    async with database.read() as connection:
        speeds = board.speeds()
        found = await connection.execute(select(func.count()).select_from(speeds))
        total: int = found.scalar_one()
        page = await _page(connection, board, limit, offset)
        mine = next((place for place in page if place.user_id == user_id), None)
        if mine is None and user_id is not None:
            mine = await _mine(connection, board, user_id)
    return Standing(total, page, mine)


async def _page(
    connection: AsyncConnection, board: _Board, limit: int, offset: int
) -> list[BoardPlace]:
    # Only people as fast as the last on the page can be on it: of most, the speed is enough.
    others = board.speeds()
    last = select(others.c.wpm).order_by(others.c.wpm.desc()).limit(1).offset(offset + limit - 1)
    speeds = board.speeds()
    fast = speeds.c.wpm >= func.coalesce(last.scalar_subquery(), 0)
    question = board.places(speeds, fast).limit(limit).offset(offset)
    rows = (await connection.execute(question)).mappings().all()
    return [_place(offset + n, row) for n, row in enumerate(rows, 1)]


async def _mine(connection: AsyncConnection, board: _Board, user_id: str) -> BoardPlace | None:
    best = select(func.max(attempts.c.wpm)).where(board.counts, attempts.c.user_id == user_id)
    wpm: float | None = (await connection.execute(best)).scalar_one()
    if wpm is None:
        return None
    speeds = board.speeds()
    faster = select(func.count()).select_from(speeds).where(speeds.c.wpm > wpm)
    before: int = (await connection.execute(faster)).scalar_one()
    as_fast = board.places(speeds, speeds.c.wpm == wpm)
    rows = (await connection.execute(as_fast)).mappings().all()
    places = [_place(before + n, row) for n, row in enumerate(rows, 1)]
    return next((place for place in places if place.user_id == user_id), None)


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
