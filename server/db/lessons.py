"""The lessons' metadata, and how far a person has come in them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, literal_column, select

from server.db.database import Database
from server.db.queries import attempts
from server.db.statements import INSERT
from server.db.tables import metadata

lessons = metadata.tables["lessons"]

# Said in the statements themselves: only so is the index of lessons alone all that is read.
OF_LESSONS = attempts.c.kind == literal_column("'lesson'")
_ranked = attempts.c.verdict == "ranked"


async def store_lessons(database: Database, rows: Sequence[dict[str, Any]]) -> frozenset[str]:
    """Add the lessons or bring them up to date; the ids of those that are active.

    Whether a lesson is active is the operator's: what is stored of that stays.
    """
    kept = ("id", "is_active")
    async with database.write() as connection:
        statement = INSERT[connection.dialect.name](lessons)
        columns = [column.name for column in lessons.c if column.name not in kept]
        statement = statement.on_conflict_do_update(
            index_elements=["id"], set_={name: statement.excluded[name] for name in columns}
        )
        await connection.execute(statement, rows)
        active = await connection.execute(select(lessons.c.id).where(lessons.c.is_active))
        return frozenset(active.scalars())


class Tried(NamedTuple):
    """A person's attempts at a lesson with so many errors, and the fastest ranked one of them."""

    mode: str
    errors: int
    attempts: int
    best_wpm: float | None


_tried = (
    select(
        attempts.c.mode,
        attempts.c.errors,
        func.count().label("attempts"),
        func.max(attempts.c.wpm).filter(_ranked).label("best_wpm"),
    )
    .where(
        attempts.c.user_id == bindparam("user"),
        OF_LESSONS,
        attempts.c.language == bindparam("language"),
        attempts.c.layout == bindparam("layout"),
        attempts.c.self_reported.is_(False),
        attempts.c.finished_at_ms.is_not(None),
    )
    .group_by(attempts.c.mode, attempts.c.errors)
)


async def list_tried(database: Database, user_id: str, language: str, layout: str) -> list[Tried]:
    """What a person has typed of the lessons in a language on a layout, as the server saw it."""
    values = {"user": user_id, "language": language, "layout": layout}
    async with database.read() as connection:
        return [Tried._make(row) for row in await connection.execute(_tried, values)]


_completed = (
    select(attempts.c.mode)
    .where(
        attempts.c.user_id == bindparam("user"),
        OF_LESSONS,
        attempts.c.finished_at_ms >= bindparam("since_ms"),
        attempts.c.state == "finished",
    )
    .distinct()
)


async def list_completed(database: Database, user_id: str, since_ms: int | None) -> list[str]:
    """The modes of the lessons a person has typed to the end, or has reported, since then."""
    values = {"user": user_id, "since_ms": since_ms or 0}
    async with database.read() as connection:
        return list((await connection.execute(_completed, values)).scalars())
