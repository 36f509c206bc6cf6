"""SQLite off the event loop: a statement and all its rows are one trip to the connection's thread.

Each trip has two threads wait for each other, which takes longer than most answers: aiosqlite makes
one for the cursor, one for the statement, one for the rows and one to close. The two classes reach
into aiosqlite 0.22; the tests of the store hold every reach to account.
"""

import sqlite3
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, Self

import aiosqlite

ROWS_AT_ONCE = 64  # unused: all rows are fetched


async def connect(path: Path) -> "Connection":
    """A connection to the file, as SQLAlchemy wants it of aiosqlite."""
    connection = Connection(partial(sqlite3.connect, path), ROWS_AT_ONCE)
    # A program that ends without closing it must not wait for the thread.
    connection._thread.daemon = True
    await connection
    return connection


class Connection(aiosqlite.Connection):
    """A connection whose cursors make one trip for each statement."""

    def cursor(self) -> "Cursor":  # type: ignore[override]
        return Cursor(self)


class Cursor:
    """What SQLAlchemy asks of a cursor. The rows are all there when the statement has run."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.arraysize = 1
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, statement: str, values: Any = ()) -> Self:
        return await self._run(sqlite3.Cursor.execute, statement, values)

    async def executemany(self, statement: str, values: Iterable[Any]) -> Self:
        return await self._run(sqlite3.Cursor.executemany, statement, values)

    async def fetchall(self) -> list[Any]:
        return self._rows

    async def close(self) -> None:
        """Nothing is open: the cursor was closed on the trip."""

    async def _run(self, step: Any, *what: Any) -> Self:
        def trip() -> None:
            cursor = self._connection._conn.cursor()
            try:
                step(cursor, *what)
                self.description = cursor.description
                self._rows = cursor.fetchall() if cursor.description else []
                self.rowcount, self.lastrowid = cursor.rowcount, cursor.lastrowid
            finally:
                cursor.close()

        await self._connection._execute(trip)  # type: ignore[no-untyped-call]
        return self
