"""The Autobahn TestSuite against whoever reads our frames: `make chaos RUN=autobahn`.

The suite wants an echo, so an application that does nothing else stands on the same server, line
and protocol classes. It is written for Python 2.7, which must be on the machine
(AUTOBAHN_PYTHON, pyenv's, or one on the path); it is installed from PyPI into `var/autobahn`.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from server import web
from server.line import DIRECT, AsgiLine, Line
from server.protocol import CloseCode
from server.turns import Door
from tests.chaos.places import folder
from tests.processes import REPOSITORY, free_port

SUITE = "autobahntestsuite==25.10.1"
INSTALLED = REPOSITORY / "var" / "autobahn"
CASES = ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*"]
WITHIN_S = 300
START_S = 10.0
READERS = ("direct", "sansio")
# Binary messages are closed with 1003 (docs/protocol.md); and websockets takes a close within a
# message in fragments for a fault, which its documents say.
REFUSED_BYTES = {f"1.2.{number}" for number in range(1, 9)}
KNOWN = {"direct": REFUSED_BYTES, "sansio": REFUSED_BYTES | {"7.1.5"}}
GOOD = ("OK", "NON-STRICT", "INFORMATIONAL")
STARTER = (
    "import site, sys; site.addsitedir(sys.argv.pop(1));"
    "from autobahntestsuite.wstest import run; run()"
)


class CannotRun(Exception):
    """There is no Python 2.7, or the suite cannot be installed."""


async def conform() -> list[str]:
    """How many cases of each group ended how, by reader. Raises AssertionError and CannotRun."""
    python = find_python()
    await asyncio.to_thread(install, python)
    with folder() as reports:
        results = await asyncio.to_thread(run_cases, python, reports)
    figures = [figure for reader in READERS for figure in told(reader, results[reader])]
    wrong = [
        f"{reader} {case}: {result['behavior']}, its close {result['behaviorClose']}"
        for reader in READERS
        for case, result in sorted(results[reader].items())
        if good(result) == (case in KNOWN[reader])
    ]
    assert not wrong, "\n  ".join(["not as it is known", *wrong, *figures])
    return figures


def good(result: dict[str, Any]) -> bool:
    """Whether the case went as it should, and the connection was closed as it should be."""
    return result["behavior"] in GOOD and result["behaviorClose"] in GOOD


def told(reader: str, results: dict[str, Any]) -> list[str]:
    groups: dict[int, Counter[str]] = defaultdict(Counter)
    for case, result in results.items():
        groups[int(case.split(".")[0])][result["behavior"].lower()] += 1
    total: Counter[str] = sum(groups.values(), Counter())
    lines = [f"{reader}, group {group}: {shown(groups[group])}" for group in sorted(groups)]
    late = sorted(case for case, result in results.items() if result["behavior"] == "NON-STRICT")
    return [
        *lines,
        f"{reader}, all {len(results)}: {shown(total)}; non-strict: {' '.join(late)}",
    ]


def shown(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {behaviour}" for behaviour, count in counts.most_common())


# The suite


def find_python() -> str:
    """A Python 2.7 that starts."""
    candidates = [
        os.environ.get("AUTOBAHN_PYTHON"),
        *map(str, Path.home().glob(".pyenv/versions/2.7.*/bin/python2.7")),
        shutil.which("python2.7"),
    ]
    for python in filter(None, candidates):
        with suppress(OSError):
            if subprocess.run([python, "-c", "import json"], capture_output=True).returncode == 0:
                return python
    raise CannotRun("no Python 2.7 here: set AUTOBAHN_PYTHON, or say --without autobahn")


def install(python: str) -> None:
    """Once; it stays where it is."""
    if (INSTALLED / "autobahntestsuite").exists():
        return
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*pip, "--target", str(INSTALLED), SUITE], capture_output=True, text=True)
    if done.returncode != 0:
        raise CannotRun(f"the suite could not be installed:\n{done.stderr[-2_000:]}")


def run_cases(python: str, reports: Path) -> dict[str, dict[str, Any]]:
    """What the suite says of every case, by reader."""
    with serving("direct") as direct, serving("sansio") as sansio:
        servers = zip(READERS, (direct, sansio), strict=True)
        spec = {
            "outdir": str(reports),
            "servers": [{"agent": name, "url": f"ws://127.0.0.1:{at}/"} for name, at in servers],
            "cases": CASES,
            "exclude-cases": [],
            "exclude-agent-cases": {},
        }
        (reports / "spec.json").write_text(json.dumps(spec))
        command = [python, "-c", STARTER, str(INSTALLED), "--mode", "fuzzingclient"]
        done = subprocess.run(
            [*command, "--spec", str(reports / "spec.json")],
            cwd=reports,
            capture_output=True,
            text=True,
            timeout=WITHIN_S,
        )
        assert done.returncode == 0, done.stderr[-2_000:]
    results: dict[str, dict[str, Any]] = json.loads((reports / "index.json").read_text())
    return results


# The echo


@contextmanager
def serving(reader: str) -> Iterator[int]:
    """The port of an echo server whose frames are read by `reader`."""
    port = free_port()
    command = [sys.executable, "-m", "tests.chaos.autobahn", str(port), reader]
    process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n", "the echo server did not start"
        yield port
    finally:
        process.kill()
        process.wait()


class Echo:
    """A listener that says what it hears."""

    line: Line

    def received(self, text: str) -> None:
        self.line.send(text)

    def received_bytes(self) -> None:
        self.line.close(CloseCode.BINARY, "")

    def flooded(self) -> None:
        self.line.close(CloseCode.MESSAGE_RATE, "")

    def writable(self) -> None: ...

    def lost(self) -> None: ...


async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    listener = Echo()
    take_over = websocket.scope["extensions"].get(DIRECT)
    if take_over is not None:
        listener.line = take_over(listener)
        return
    line = AsgiLine(websocket)
    listener.line = line
    await line.serve(listener)


async def nothing() -> None:
    """There is nobody to move on."""


def serve(port: int, reader: str) -> None:
    server = web.server(
        Starlette(routes=[WebSocketRoute("/", echo)]),
        "127.0.0.1",
        port,
        nothing,
        Door(),
        websockets=reader,
    )
    startup = server.startup

    async def started(sockets: Any = None) -> None:
        await startup(sockets)
        print("ready", flush=True)

    server.startup = started  # type: ignore[method-assign]
    server.run()


if __name__ == "__main__":
    serve(int(sys.argv[1]), sys.argv[2])
