"""The ways in which a store goes away and comes back."""

import errno
import resource
import sqlite3
from collections.abc import Callable
from pathlib import Path

from tests.chaos.outage import Step, type_through
from tests.live.own_postgres import OwnPostgres
from tests.processes import ServerProcess

WAYS: dict[str, Callable[[OwnPostgres], None]] = {
    "fast": OwnPostgres.stop,
    "immediate": OwnPostgres.stop_at_once,
    "killed": OwnPostgres.kill,
}


def step(act: Callable[[], object]) -> Step:
    """Something done at once, as a step of an outage."""

    async def done() -> None:
        act()

    return done


async def postgresql_ends(
    own: OwnPostgres, server: ServerProcess, way: str, *, away_s: float, typists: int
) -> list[str]:
    """PostgreSQL ends in one of the WAYS and is started again."""
    leave = WAYS[way]
    return await type_through(
        server, own.url, step(lambda: leave(own)), own.start, away_s=away_s, typists=typists
    )


async def sqlite_is_locked(
    server: ServerProcess, path: Path, *, away_s: float, typists: int
) -> list[str]:
    """Another process holds the lock on the file."""
    stranger = sqlite3.connect(path, isolation_level=None)
    try:
        return await type_through(
            server,
            f"sqlite+aiosqlite:///{path}",
            step(lambda: stranger.execute("BEGIN EXCLUSIVE")),
            step(lambda: stranger.execute("ROLLBACK")),
            away_s=away_s,
            typists=typists,
        )
    finally:
        stranger.close()


async def sqlite_may_not_grow(
    server: ServerProcess, path: Path, *, away_s: float, typists: int
) -> list[str]:
    """The kernel lets no file of the server grow any more, as a quota does.

    It needs no rights and no file system of its own. SQLite says "disk I/O error" to it (the
    kernel's EFBIG), where a full disk is "database or disk is full".
    """
    _, most = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)

    def limit() -> None:
        size = path.with_name(f"{path.name}-wal").stat().st_size
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (size, most))

    def lift() -> None:
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (most, most))

    figures = await type_through(
        server,
        f"sqlite+aiosqlite:///{path}",
        step(limit),
        step(lift),
        away_s=away_s,
        typists=typists,
    )
    return [*figures, whole(path)]


async def disk_is_full(
    server: ServerProcess, path: Path, *, away_s: float, typists: int
) -> list[str]:
    """The file system of the store is full to the last byte, until something else is deleted."""
    filler = path.with_name("filler")
    figures = await type_through(
        server,
        f"sqlite+aiosqlite:///{path}",
        step(lambda: fill(filler)),
        step(filler.unlink),
        away_s=away_s,
        typists=typists,
    )
    assert "database or disk is full" in server.log()
    return [*figures, whole(path)]


def fill(path: Path) -> None:
    """Write a file until its file system takes nothing more."""
    with path.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError as full:
                if full.errno != errno.ENOSPC:
                    raise


def whole(path: Path) -> str:
    """Have SQLite look through the file; say that it is as it should be."""
    connection = sqlite3.connect(path)
    try:
        (answer,) = connection.execute("PRAGMA integrity_check").fetchone()
    finally:
        connection.close()
    assert answer == "ok"
    return "integrity_check: ok"
