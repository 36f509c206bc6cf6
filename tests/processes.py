"""Server processes that a test starts, kills, stops and starts again."""

import asyncio
import gc
import multiprocessing
import os
import runpy
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from multiprocessing.context import ForkServerProcess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
JWT_SECRET = "a secret for the tests alone, long enough to be taken"
# How a server ends that was asked to: uvicorn hands the signal on when it has done its work.
ENDED_WELL = (0, -signal.SIGTERM)
# Half of a server's start goes into imports. They are done once, in a process that then forks.
_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["server.app", "server.web", "tests.processes"])
# Settings of whoever runs the tests must not reach the servers under test.
_KEPT_FROM_ENVIRONMENT = (
    "WEBSOCKETS",
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "TEMP",
    "SYSTEMROOT",
)


class ServerProcess:
    """One server, as by `python -m server`, on a port of its own, which it keeps over restarts.

    What the process writes is in `log()`, over all its lives.
    """

    def __init__(
        self,
        database_url: str,
        log_path: Path,
        *,
        environment: Mapping[str, str] | None = None,
        module: str = "server",
    ) -> None:
        self.port = free_port()
        self.starts = 0
        self._log_path = log_path
        self._module = module
        self._environment = settings(database_url) | dict(environment or {})
        self._process: ForkServerProcess | None = None

    @property
    def http_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws"

    @property
    def pid(self) -> int:
        """The id of the running process."""
        if self._process is None or self._process.pid is None:
            raise RuntimeError("the server is not running")
        return self._process.pid

    def log(self) -> str:
        """Everything written so far, to either stream."""
        if not self._log_path.exists():
            return ""
        return self._log_path.read_text(encoding="utf-8", errors="replace")

    async def start(self, *, within_s: float = 20.0) -> None:
        """Start the process and return once /health answers 200."""
        self._spawn()
        deadline = time.monotonic() + within_s
        while not await self._is_healthy():
            if self._process is None or self._process.exitcode is not None:
                raise AssertionError(f"the server ended while it started:\n{self.log()}")
            if time.monotonic() > deadline:
                await self.kill()
                raise AssertionError(f"no /health within {within_s} s:\n{self.log()}")
            await asyncio.sleep(0.02)

    async def kill(self) -> None:
        """End the process with SIGKILL: nothing of it gets a chance to finish."""
        await self._end(signal.SIGKILL, within_s=10.0)

    async def terminate(self, *, within_s: float = 30.0) -> int:
        """Ask with SIGTERM, which drains; return the exit code."""
        return await self._end(signal.SIGTERM, within_s=within_s)

    def freeze(self) -> None:
        """Let it stand still: its sockets stay open and nothing is done, until `thaw`."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on where it stood."""
        os.kill(self.pid, signal.SIGCONT)

    async def interrupt(self, *, within_s: float = 30.0) -> int:
        """Ask with SIGINT, as Ctrl-C does; return the exit code."""
        return await self._end(signal.SIGINT, within_s=within_s)

    async def _end(self, number: signal.Signals, *, within_s: float) -> int:
        process = self._process
        if process is None:
            return 0
        with suppress(ProcessLookupError):  # it may have ended by itself
            os.kill(self.pid, number)
        deadline = time.monotonic() + within_s
        while process.exitcode is None:
            if time.monotonic() > deadline:
                process.kill()
                process.join()
                raise AssertionError(f"{number.name} did not end the server:\n{self.log()}")
            await asyncio.sleep(0.01)
        self._process = None
        return process.exitcode

    def _spawn(self) -> None:
        if self._process is not None:
            raise RuntimeError("the server is running already")
        arguments = ["--host", "127.0.0.1", "--port", str(self.port)]
        self._process = _forks.Process(
            target=_run,
            args=(self._module, arguments, self._environment, self._log_path),
            daemon=True,
        )
        self._process.start()
        self.starts += 1

    async def _is_healthy(self) -> bool:
        request = (
            f"GET /health HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nConnection: close\r\n\r\n"
        )
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        try:
            writer.write(request.encode())
            status = await asyncio.wait_for(reader.readline(), 5)
        except (OSError, TimeoutError):
            return False
        finally:
            writer.close()
        return b" 200 " in status


def _run(
    module: str, arguments: Sequence[str], environment: Mapping[str, str], log_path: Path
) -> None:
    """What `python -m module` does, in this process, with its output in a file."""
    # What was imported before the fork stays shared memory: no collection touches and so copies it.
    gc.freeze()
    os.chdir(REPOSITORY)
    os.environ.clear()
    os.environ.update(environment)
    with log_path.open("ab") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def settings(database_url: str) -> dict[str, str]:
    """The environment of a server of the tests, and of its commands."""
    kept = {name: os.environ[name] for name in _KEPT_FROM_ENVIRONMENT if name in os.environ}
    return kept | {
        "DATABASE_URL": database_url,
        "JWT_SECRET": JWT_SECRET,
        "ENVIRONMENT": "development",
        "PYTHONUNBUFFERED": "1",
    }


async def migrate(database_url: str) -> None:
    """Bring the schema of `database_url` up to date with the product's own command."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server", "migrate"),
        cwd=REPOSITORY,
        env=settings(database_url),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, f"migrate failed:\n{output.decode(errors='replace')}"


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
