"""How a store would answer the questions it was asked: the tables it would read from end to end."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import event

from server.db.database import Database
from server.db.tables import metadata

Asked = list[tuple[str, Any]]

# Indexes of a few rows, however many the table has: to read all of one is what it is for.
SHORT_INDEXES = ("ix_users_disabled", "ix_races_live", "uq_races_live_code")


@asynccontextmanager
async def asking(database: Database) -> AsyncIterator[Asked]:
    """Every SELECT sent to the store while the block runs, with its values."""
    asked: Asked = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_rest: Any) -> None:
        if statement.startswith("SELECT"):
            asked.append((statement, values))

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    yield asked
    event.remove(database.engine.sync_engine, "before_cursor_execute", note)


async def full_scans(database: Database, asked: Asked, table: str) -> list[str]:
    """The questions for which the store would go through all of the table, or all of an index."""
    scanning = []
    async with database.read() as connection:
        if not database.embedded:
            # A table of a few rows is read or joined whole whatever indexes it has.
            for way in ("seqscan", "hashjoin", "mergejoin"):
                await connection.exec_driver_sql(f"SET enable_{way} = off")
        for statement, values in asked:
            explain = "EXPLAIN QUERY PLAN" if database.embedded else "EXPLAIN (FORMAT JSON)"
            found = await connection.exec_driver_sql(f"{explain} {statement}", values)
            rows = found.all()
            if database.embedded:
                whole = any(
                    f"SCAN {table}" in row[-1] and not row[-1].endswith(SHORT_INDEXES)
                    for row in rows
                )
            else:
                plan = rows[0][0]
                whole = _reads_all(json.loads(plan) if isinstance(plan, str) else plan, table)
            if whole:
                scanning.append(statement)
    return scanning


def _reads_all(plan: Any, table: str) -> bool:
    return any(
        _whole_index(node, table)
        if "Index Name" in node
        else node.get("Relation Name") == table and node["Node Type"] == "Seq Scan"
        for node in _nodes(plan)
    )


def _whole_index(node: dict[str, Any], table: str) -> bool:
    """Whether an index of the table is read whole: nothing is said of its first column."""
    name = node["Index Name"]
    if name in SHORT_INDEXES or name not in _first_columns(table):
        return False
    return re.search(rf"\b{_first_columns(table)[name]}\b", node.get("Index Cond", "")) is None


def _first_columns(name: str) -> dict[str, str]:
    """By what each index of the table is sorted first."""
    table = metadata.tables[name]
    first = {str(index.name): next(iter(index.columns)).name for index in table.indexes}
    return first | {str(table.primary_key.name): next(iter(table.primary_key.columns)).name}


def _nodes(plan: Any) -> Iterator[dict[str, Any]]:
    if isinstance(plan, list):
        for one in plan:
            yield from _nodes(one)
    elif isinstance(plan, dict):
        yield plan
        yield from _nodes(plan.get("Plans", []))
        yield from _nodes(plan.get("Plan", []))
