"""`make bench`: what a keystroke costs here, and at echo servers that get the same frames.

    python -m tests.bench [--typists 1000 4000] [--seconds 15] [--wait-ms 250] [--database URL]
                          [--picture docs/images/speed.svg]

The server has one core and the clients the other. Figures drift with the machine; compare what one
run says of each.
"""

import argparse
import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from time import monotonic

from tests.bench import echo
from tests.bench.core import core_ns, text_of
from tests.bench.crowd import Crowd, Dialect
from tests.bench.dialects import Echo, Ours, SocketIo
from tests.bench.measured import Measured, report
from tests.bench.people import Batch, Press, batches, typing
from tests.bench.picture import draw
from tests.bench.process import CLIENT_CORE, SERVER_CORE, cpu_s, memory_kb, pin
from tests.processes import ServerProcess, migrate

WARM_UP_S = 3.0
EVERY_MS = 50
TEXT_GRAPHEMES = 1_000
FINISHED_GRAPHEMES = 50
ECHOES: dict[str, Dialect] = {
    "uvloop floor": Echo(),
    "Starlette echo": Echo(),
    "node ws echo": Echo(),
    "socket.io echo": SocketIo(),
}


def plans(people: int, text: str, seconds: float, wait_ms: int) -> list[list[Batch]]:
    """What each of them will send, the same for every server; they begin within a second."""
    made = []
    for number in range(people):
        random = Random(number)
        plan = batches(typing(text, random), WARM_UP_S + seconds, EVERY_MS, wait_ms)
        starts_ms = random.randrange(1_000)
        made.append([batch._replace(at_ms=batch.at_ms + starts_ms) for batch in plan])
    return made


def type_at(pid: int, crowd: Crowd, seconds: float) -> Measured:
    """Let the crowd type, and count from the end of the warm-up on."""
    before_s: list[float] = []
    typed = crowd.type(WARM_UP_S, seconds, lambda: before_s.append(cpu_s(pid)))
    return Measured(typed, cpu_s(pid) - before_s[0], seconds)


def measure_echo(name: str, made: list[list[Batch]], seconds: float) -> Measured:
    with echo.running(name) as (pid, port):
        crowd = Crowd(port, ECHOES[name])
        before_kb = memory_kb(pid)
        crowd.join(made)
        idle_kb = (memory_kb(pid) - before_kb) / len(made)
        measured = type_at(pid, crowd, seconds)
        crowd.leave()
    return measured.with_memory(idle_kb, None)


@asynccontextmanager
async def our_server(database_url: str | None) -> AsyncIterator[ServerProcess]:
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/var/tmp")) as folder:
        url = database_url or f"sqlite:///{folder}/bench.db"
        await migrate(url)
        # How fast it is, not what it refuses.
        off = {"OVERLOAD_MS": "0"}
        server = ServerProcess(url, Path(folder) / "server.log", environment=off)
        await server.start()
        try:
            pin(server.pid, SERVER_CORE)
            yield server
        finally:
            await server.kill()
            said = server.log()
            if "Traceback" in said or "WARNING" in said:
                print(said[-4_000:])


async def measure_ours(
    made: list[list[Batch]], text: str, seconds: float, database_url: str | None
) -> Measured:
    async with our_server(database_url) as server:
        ours = Ours(text)
        crowd = Crowd(server.port, ours)
        before_kb = memory_kb(server.pid)
        crowd.join(made)
        idle_kb = (memory_kb(server.pid) - before_kb) / len(made)
        before_s, began_s = cpu_s(server.pid), monotonic()
        for start in range(0, len(made), 64):
            some = crowd.people[start : start + 64]
            for person in some:
                ours.ask_to_open(person)
            for person in some:
                ours.opened(person)
        took_s = monotonic() - began_s
        opened_ms = (cpu_s(server.pid) - before_s) / len(made) * 1_000
        measured = type_at(server.pid, crowd, seconds)
        open_kb = (memory_kb(server.pid) - before_kb) / len(made)
        print(
            f"{len(made)} attempts opened, {len(made) / took_s:.0f} a second, "
            f"{opened_ms:.2f} ms of CPU each"
        )
        crowd.leave()
    return measured.with_memory(idle_kb, open_kb)


async def measure_finishing(people: int, database_url: str | None) -> None:
    """How many attempts a second are stored when very many end at once."""
    text = text_of(FINISHED_GRAPHEMES)
    presses = tuple(Press(0, key) for key in text)
    made = [[Batch(0, 1, presses[:-1]), Batch(1_000, len(presses), presses[-1:])]] * people
    async with our_server(database_url) as server:
        ours = Ours(text)
        crowd = Crowd(server.port, ours)
        crowd.join(made)
        crowd.each(ours.open)
        before_s: list[float] = []
        typed = crowd.type(0.9, 0.1 + 10, lambda: before_s.append(cpu_s(server.pid)))
        spent_s = cpu_s(server.pid) - before_s[0]
        crowd.leave()
    last_s = max(typed.latencies_ms) / 1_000
    print(f"{len(typed.latencies_ms)} attempts ended at once: {people / last_s:.0f} a second,")
    print(f"  {spent_s / people * 1e3:.2f} ms of CPU each")


async def bench(arguments: argparse.Namespace) -> None:
    text = text_of(arguments.chars)
    costs: dict[int, dict[str, float]] = {}
    for people in arguments.typists:
        made = plans(people, text, arguments.seconds, arguments.wait_ms)
        print(f"\n{people} people, batches wait {arguments.wait_ms} ms")
        ours = await measure_ours(made, text, arguments.seconds, arguments.database)
        others = {
            name: measure_echo(name, made, arguments.seconds)
            for name in ECHOES
            if name.startswith(tuple(arguments.echoes))
        }
        report(ours, others)
        costs[people] = {
            name: one.us_per_keystroke for name, one in {"this server": ours, **others}.items()
        }
    if arguments.picture:
        draw(arguments.picture, costs)
    if arguments.finish:
        await measure_finishing(arguments.finish, arguments.database)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--typists", type=int, nargs="*", default=[1_000, 4_000])
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--wait-ms", type=int, default=250, help="how long a key may wait")
    parser.add_argument("--chars", type=int, default=TEXT_GRAPHEMES, help="length of the text")
    parser.add_argument("--echoes", nargs="*", default=list(ECHOES))
    parser.add_argument("--finish", type=int, default=2_000, help="attempts that end at once")
    parser.add_argument("--database", help="DATABASE_URL; a SQLite file of its own by default")
    parser.add_argument("--picture", type=Path, help="an SVG of what a keystroke costs")
    arguments = parser.parse_args()
    pin(os.getpid(), CLIENT_CORE)
    short, long = core_ns(50), core_ns(10_000)
    print(f"core, 50 graphemes       {short:.0f} ns a keystroke")
    print(f"core, 10,000 graphemes   {long:.0f} ns a keystroke, {long / short:.2f} times as much")
    asyncio.run(bench(arguments))


if __name__ == "__main__":
    main()
