"""Stores and servers of one scenario alone, in folders that are gone after it."""

import os
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from tests.live.own_postgres import OwnPostgres, own_postgres
from tests.processes import ServerProcess, migrate
from tests.valkey import Valkey


@contextmanager
def folder() -> Iterator[Path]:
    """An empty one."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/var/tmp")) as name:
        yield Path(name)


@contextmanager
def small_disk() -> Iterator[Path]:
    """A file system of 8 MB. Whoever mounts it is root, at least in a namespace of its own."""
    with folder() as at:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", at], check=True)
        try:
            yield at
        finally:
            subprocess.run(["umount", "-l", at], check=True)


@asynccontextmanager
async def on_file(
    at: Path, *, constants: str = "", environment: Mapping[str, str] | None = None
) -> AsyncIterator[tuple[Path, ServerProcess]]:
    """A server on a new SQLite file in this folder, with other `constants` if any are named."""
    path = at / "typing.db"
    with folder() as logs:
        server = ServerProcess(
            f"sqlite+aiosqlite:///{path}",
            logs / "server.log",
            environment={"CONSTANTS": constants, **(environment or {})},
            module="tests.impatient_server" if constants else "server",
        )
        await server.start()
        try:
            yield path, server
        finally:
            await server.kill()


@asynccontextmanager
async def on_postgresql(
    count: int = 1, environment: Mapping[str, str] | None = None
) -> AsyncIterator[tuple[OwnPostgres, list[ServerProcess]]]:
    """Servers on a PostgreSQL that may be ended, and, where there are two or more, on a Redis."""
    valkey = Valkey()
    redis = {"REDIS_URL": valkey.url} if count > 1 else {}
    async with own_postgres() as own:
        await migrate(own.url)
        with folder() as logs:
            servers = [
                ServerProcess(
                    own.url,
                    logs / f"server-{number}.log",
                    environment=redis | dict(environment or {}),
                )
                for number in range(count)
            ]
            try:
                if redis:
                    await valkey.start()
                for server in servers:
                    await server.start()
                yield own, servers
            finally:
                for server in servers:
                    await server.kill()
                valkey.stop()
