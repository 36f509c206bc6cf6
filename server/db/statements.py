"""Statements for both stores: what each has of its own, and SQL in the words of its driver."""

from collections.abc import Callable
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import asyncpg

# Both dialects have ON CONFLICT, each in an Insert of its own.
INSERT: dict[str, Callable[..., Any]] = {
    "sqlite": sqlite.insert,
    "postgresql": postgresql.insert,
}
_DIALECTS = {
    "sqlite": sqlite.dialect(),
    "postgresql": asyncpg.dialect(),  # type: ignore[no-untyped-call]
}


def in_order(insert: Any, dialect: str) -> str:
    """The insert's SQL for `exec_driver_sql`: rows have each column's value in the table's order.

    For very many rows, with which SQLAlchemy would take longer than the store.
    """
    names = [column.name for column in insert.table.c]
    compiled = insert.compile(dialect=_DIALECTS[dialect], column_keys=names)
    if compiled.positiontup != names:
        raise RuntimeError("the driver would take one value for another")
    return str(compiled)
