"""The SQL store: SQLite in one file, or PostgreSQL, by the same code."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import orjson
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, StaticPool, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    ProgrammingError,
    SQLAlchemyError,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from server.db import sqlite
from server.turns import Turns

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
BUSY_TIMEOUT_MS = 5_000
STATEMENT_TIMEOUT_S = 10
CONNECT_TIMEOUT_S = 5
# A process that stands still in a transaction holds locks that others wait for, a race's among
# them: they get it this soon. Between two statements of ours there is nothing to wait for.
IDLE_IN_TRANSACTION_MS = 2_000
CONNECTIONS_MAX = 8
# One to write and two to read: each is a thread, and threads that wait for each other to run Python
# take longer than any answer.
FILE_CONNECTIONS_MAX = 3
# A crowd touches a page or two for each person in every second: they must fit, or are read anew.
FILE_CACHE_KB = 65_536
CHECKPOINT_PAGES = 4_000  # pages that are written often go back to the file once
MIGRATION_LOCK = 7_164_118  # any number, the same in every process

# What a store that is slow, full or away raises, whichever layer notices.
STORE_ERRORS = (
    SQLAlchemyError,
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
)
# SQLSTATE classes that no trying again will change: bad data, broken constraints, wrong SQL.
FOR_GOOD = ("22", "23", "42")
DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
}


def store_url(url: str) -> URL:
    """The URL with the driver we use. Raises ValueError with a sentence for the operator."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise ValueError("DATABASE_URL is not a URL; try sqlite:///var/typing.db.") from None
    driver = DRIVERS.get(parsed.drivername)
    if driver is None:
        raise ValueError("DATABASE_URL must begin with sqlite:/// or postgresql://.")
    if driver == "sqlite+aiosqlite" and parsed.database in (None, "", ":memory:"):
        raise ValueError("DATABASE_URL must name a file: an in-memory store keeps nothing.")
    return parsed.set(drivername=driver)


def refused_for_good(error: BaseException) -> bool:
    """Whether the store will never take what raised this, however often it is tried."""
    if not isinstance(error, DBAPIError):
        return False
    if isinstance(error, IntegrityError | DataError | ProgrammingError):
        return True
    # asyncpg's own error, with its SQLSTATE, is the cause of the one SQLAlchemy shows.
    original = error.orig and (error.orig.__cause__ or error.orig)
    return str(getattr(original, "sqlstate", None) or "").startswith(FOR_GOOD)


T = TypeVar("T")


class Database:
    """Connections to the store.

    Writing goes through `write` or, where there is much of it, through `transact`; on SQLite one at
    a time.
    """

    def __init__(self, url: str) -> None:
        parsed = store_url(url)
        self.embedded = parsed.drivername.startswith("sqlite")
        self._one_writer = Turns(1)
        if self.embedded:
            _check_file(Path(parsed.database or ""))
            self.engine = _sqlite_engine(parsed)
            self._writing: dict[str, Any] = {"writes": True}
            self._file: Engine | None = _file_engine(parsed)
            self._thread = ThreadPoolExecutor(1, "writer")
        else:
            self.engine = _postgresql_engine(parsed)
            self._writing = {"isolation_level": "READ COMMITTED"}
            self._file = None

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection for questions, each of which sees what is committed when it is asked."""
        async with self.engine.connect() as connection:
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction; durable when the block has ended without an exception."""
        turn = self._one_writer.turn() if self.embedded else nullcontext()
        async with turn, self.engine.connect() as connection:
            await connection.execution_options(**self._writing)
            async with connection.begin():
                yield connection

    async def transact(self, work: Callable[[Connection], T], *, first: bool = False) -> T:
        """What `work` returns, which is called in a transaction; durable by then.

        On SQLite all of it is one trip to a thread, however many statements there are, and what is
        to be `first` goes before all that others wait to write.
        """
        if self._file is None:
            async with self.write() as connection:
                return await connection.run_sync(work)
        async with self._one_writer.turn(first=first):
            trip = partial(_transact, self._file, work)
            return await asyncio.get_running_loop().run_in_executor(self._thread, trip)

    async def migrate(self) -> None:
        """Bring the schema to its newest version; processes that start at once wait in turn."""
        async with self.write() as connection:
            await connection.run_sync(take_time)
            if not self.embedded:
                await connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
            await connection.run_sync(_upgrade)

    async def is_migrated(self) -> bool:
        """Whether the schema is the one this program was written for."""
        async with self.read() as connection:
            return await connection.run_sync(_is_newest)

    async def close(self) -> None:
        await self.engine.dispose()
        if self._file is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._file.dispose)
            self._thread.shutdown()


def take_time(connection: Connection) -> None:
    """Let this transaction pause between statements as long as it likes, as a migration may."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))


def _transact(engine: Engine, work: Callable[[Connection], T]) -> T:
    with engine.connect() as connection:
        connection = connection.execution_options(writes=True)
        with connection.begin():
            return work(connection)


async def store_now_us(connection: AsyncConnection) -> int:
    """What PostgreSQL's clock says, in Unix µs; SQLite has none but ours."""
    microseconds = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
    return int((await connection.execute(text(f"SELECT {microseconds}"))).scalar_one())


def _check_file(path: Path) -> None:
    """Make the folder of a SQLite file and see that it can be opened. Raises ValueError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA schema_version")
    except (OSError, sqlite3.Error) as error:
        raise ValueError(f"The store {path} cannot be opened: {error}.") from None


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


_JSON: dict[str, Any] = {"json_serializer": _json, "json_deserializer": orjson.loads}


def _sqlite_engine(url: URL) -> AsyncEngine:
    engine = create_async_engine(
        url,
        async_creator=partial(sqlite.connect, Path(url.database or "")),
        pool_size=FILE_CONNECTIONS_MAX,
        max_overflow=0,
        hide_parameters=True,
        **_JSON,
    )

    _prepare(engine.sync_engine)
    return engine


def _file_engine(url: URL) -> Engine:
    """One connection for one thread."""
    connect = partial(sqlite3.connect, url.database or "", check_same_thread=False)
    engine = create_engine(
        url.set(drivername="sqlite+pysqlite"),
        creator=connect,
        poolclass=StaticPool,
        hide_parameters=True,
        **_JSON,
    )
    _prepare(engine)
    return engine


def _prepare(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        cursor.execute(f"PRAGMA cache_size = -{FILE_CACHE_KB}")
        cursor.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A question needs no transaction around it; to begin and end one takes longer than most.
        if connection.get_execution_options().get("writes"):
            connection.exec_driver_sql("BEGIN IMMEDIATE")


def _postgresql_engine(url: URL) -> AsyncEngine:
    return create_async_engine(
        url,
        pool_size=CONNECTIONS_MAX,
        max_overflow=0,
        hide_parameters=True,  # they are what was typed, and what is nobody's business
        pool_pre_ping=True,
        # What is only asked needs no transaction: three trips fewer, and two for the ping.
        isolation_level="AUTOCOMMIT",
        skip_autocommit_rollback=True,
        **_JSON,
        connect_args={
            "timeout": CONNECT_TIMEOUT_S,
            "command_timeout": STATEMENT_TIMEOUT_S,
            "server_settings": {
                "synchronous_commit": "on",
                "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_MS),
            },
        },
    )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def _upgrade(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _is_newest(connection: Connection) -> bool:
    newest = ScriptDirectory.from_config(_config()).get_current_head()
    return MigrationContext.configure(connection).get_current_revision() == newest
