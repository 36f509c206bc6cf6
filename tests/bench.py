"""`make bench`: what a keystroke costs, in the core alone and on a running server.

    python -m tests.bench [--typists 200] [--seconds 10] [--database URL]

Figures drift with the machine; compare ratios from one run.
"""

import argparse
import asyncio
import os
import random
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from uuid import uuid4

import orjson
from websockets.asyncio.client import ClientConnection, connect

from server.core.text import Text
from server.core.typed_text import ErrorRule, Keystroke, TypedText
from tests.processes import ServerProcess

KEYSTROKE_S = 1 / 5.6  # what people who type 67 wpm need for one
WORDS = "the quick brown fox jumps over the lazy dog "
CORE_KEYSTROKES = 50_000


def core_ns(graphemes: int) -> float:
    """ns of CPU to score one keystroke of a text of that length, one in 20 wrong."""
    string = (WORDS * (graphemes // len(WORDS) + 1))[:graphemes]
    text = Text.of(string)
    keystrokes = [Keystroke(150, "z" if i % 20 == 0 else key) for i, key in enumerate(string)]
    rounds = CORE_KEYSTROKES // graphemes
    began_ns = time.process_time_ns()
    for _ in range(rounds):
        typed_text = TypedText(text, ErrorRule.FREE)
        for keystroke in keystrokes:
            typed_text.apply(keystroke)
    return (time.process_time_ns() - began_ns) / (rounds * graphemes)


@dataclass
class Load:
    """What the typists saw."""

    keystrokes: int = 0
    latencies_ms: list[float] = field(default_factory=list)


async def type_for(seconds: float, url: str, load: Load, start: asyncio.Barrier) -> None:
    """One person, one keystroke a message, each ack timed from the keystroke it covers."""
    text = WORDS * 200
    async with connect(url, compression=None) as socket:
        await _send(socket, type="hello")
        await socket.recv()
        source = {"kind": "custom", "text": text}
        await _send(socket, type="open", id=1, attempt=str(uuid4()), source=source)
        await socket.recv()
        sent_at_s: dict[int, float] = {}
        acks = asyncio.create_task(_time_acks(socket, sent_at_s, load))
        await start.wait()
        await asyncio.sleep(random.random() * KEYSTROKE_S)
        began_s = time.monotonic()
        typed_at_ms = 0
        for seq in range(1, int(seconds / KEYSTROKE_S) + 1):
            at_ms = int((time.monotonic() - began_s) * 1_000)
            event = [at_ms - typed_at_ms if seq > 1 else 0, text[seq - 1]]
            typed_at_ms = at_ms if seq > 1 else 0
            sent_at_s[seq] = time.monotonic()
            await _send(socket, type="keys", h=1, seq=seq, events=[event])
            load.keystrokes += 1
            await asyncio.sleep(KEYSTROKE_S * random.uniform(0.5, 1.5))
        await asyncio.sleep(0.5)
        acks.cancel()


async def _send(socket: ClientConnection, **message: object) -> None:
    await socket.send(orjson.dumps(message).decode())


async def _time_acks(socket: ClientConnection, sent_at_s: dict[int, float], load: Load) -> None:
    async for frame in socket:
        message = orjson.loads(frame)
        if message["type"] != "ack":
            continue
        now_s = time.monotonic()
        for seq in [seq for seq in sent_at_s if seq <= message["seq"]]:
            load.latencies_ms.append((now_s - sent_at_s.pop(seq)) * 1_000)


def cpu_s(pid: int) -> float:
    """CPU seconds the process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def live(typists: int, seconds: float, database_url: str | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = database_url or f"sqlite:///{folder}/bench.db"
        server = ServerProcess(url, Path(folder) / "server.log")
        await server.start()
        try:
            load = Load()
            start = asyncio.Barrier(typists + 1)
            async with asyncio.TaskGroup() as tasks:
                for _ in range(typists):
                    tasks.create_task(type_for(seconds, server.ws_url, load, start))
                began_s = time.monotonic()
                await start.wait()  # everybody has an attempt open
                opened_s = time.monotonic() - began_s
                before_s = cpu_s(server.pid)
            spent_s = cpu_s(server.pid) - before_s
        finally:
            await server.kill()
    cuts = quantiles(load.latencies_ms, n=100)
    print(f"{typists / opened_s:.0f} attempts opened a second, connections included")
    print(f"{typists} typists for {seconds:g} s: {load.keystrokes} keystrokes")
    print(f"  acked            {len(load.latencies_ms)}")
    print(f"  ack p50 / p99    {cuts[49]:.1f} / {cuts[98]:.1f} ms (acks come at most every 100 ms)")
    print(f"  server CPU       {spent_s / load.keystrokes * 1e6:.0f} µs a keystroke, all included")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--typists", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--database", help="DATABASE_URL; a SQLite file of its own by default")
    arguments = parser.parse_args()
    short, long = core_ns(50), core_ns(10_000)
    print(f"core, 50 graphemes       {short:.0f} ns a keystroke")
    print(f"core, 10,000 graphemes   {long:.0f} ns a keystroke, {long / short:.2f} times as much")
    asyncio.run(live(arguments.typists, arguments.seconds, arguments.database))


if __name__ == "__main__":
    main()
