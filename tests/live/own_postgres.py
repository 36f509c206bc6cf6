"""A PostgreSQL of one test alone, to be stopped, killed and started again."""

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.postgres import _import_get_server

START_S = 10.0


class OwnPostgres:
    """One PostgreSQL over a fresh folder of data, not started yet."""

    def __init__(self, home: Path) -> None:
        cluster = _import_get_server(home)(home / "data", cleanup_mode=None, start=False)
        cluster.ensure_pgdata_inited()
        assert cluster.bin_path is not None
        self.url = f"postgresql+asyncpg://postgres@/postgres?host={home / 'data'}"
        self._user = cluster.system_user
        self._home = home
        self._command = [
            *(str(cluster.bin_path / "postgres"), "-D", str(home / "data")),
            *("-h", "", "-k", str(home / "data")),
        ]
        self._postmaster: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Return once it answers; what a killed one left behind may refuse the first tries."""
        deadline_s = time.monotonic() + START_S
        while not await self._answers():
            assert time.monotonic() < deadline_s, (self._home / "log").read_text()
            if self._postmaster is None or self._postmaster.poll() is not None:
                self._spawn()
            await asyncio.sleep(0.05)

    def stop(self) -> None:
        """End it as an operator does who does not wait for its clients."""
        self._end(signal.SIGINT)

    def stop_at_once(self) -> None:
        """End it as an operator does who is in a hurry: what it did is made good at its start."""
        self._end(signal.SIGQUIT)

    def kill(self) -> None:
        """End it as the kernel does that runs out of memory."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        if self._postmaster is not None:
            self._postmaster.send_signal(number)
            self._postmaster.wait(10)
            self._postmaster = None

    def _spawn(self) -> None:
        with (self._home / "log").open("ab") as log:
            self._postmaster = subprocess.Popen(
                self._command, user=self._user, stdout=log, stderr=log, cwd="/"
            )

    async def _answers(self) -> bool:
        engine = create_async_engine(self.url)
        try:
            async with engine.connect() as connection:
                await connection.execute(text("SELECT 1"))
        except Exception:
            return False
        finally:
            await engine.dispose()
        return True


@asynccontextmanager
async def own_postgres() -> AsyncIterator[OwnPostgres]:
    """A running PostgreSQL that leaves nothing behind."""
    parent = "/var/tmp" if os.access("/var/tmp", os.W_OK) else None  # another user must reach it
    home = Path(tempfile.mkdtemp(prefix="typing-own-pg-", dir=parent))
    try:
        server = OwnPostgres(home)
        try:
            await server.start()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)
