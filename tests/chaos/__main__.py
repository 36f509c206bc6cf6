"""Faults in their long form, against servers of their own.

python -m tests.chaos                       all but the soak
python -m tests.chaos NAME ...              these: {names}
python -m tests.chaos --without autobahn    all but the soak and what is named
python -m tests.chaos soak --minutes 10     people come, type, drop, resume, race and leave
"""

import argparse
import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable

from websockets.exceptions import ConnectionClosed

from tests.chaos.autobahn import CannotRun, conform
from tests.chaos.floods import beside_five_thousand, floods
from tests.chaos.lanes import type_while_it_is_killed
from tests.chaos.overload import twice_the_capacity
from tests.chaos.places import folder, on_file, on_postgresql, small_disk
from tests.chaos.rolling import restart_in_turn, stand_still_in_turn
from tests.chaos.soak import soak
from tests.chaos.stores import disk_is_full, postgresql_ends, sqlite_is_locked, sqlite_may_not_grow
from tests.honest_client import Stopped

AWAY_S = 30
TYPISTS = 20
RESTARTS = 20
FREEZES = 8
KILLING_S = 60
Scenario = Callable[[argparse.Namespace], Awaitable[list[str]]]


def postgresql(way: str) -> Scenario:
    async def scenario(_arguments: argparse.Namespace) -> list[str]:
        async with on_postgresql() as (own, (server,)):
            return await postgresql_ends(own, server, way, away_s=AWAY_S, typists=TYPISTS)

    return scenario


async def locked(_arguments: argparse.Namespace) -> list[str]:
    with folder() as at:
        async with on_file(at) as (path, server):
            return await sqlite_is_locked(server, path, away_s=AWAY_S, typists=TYPISTS)


async def quota(_arguments: argparse.Namespace) -> list[str]:
    with folder() as at:
        async with on_file(at) as (path, server):
            return await sqlite_may_not_grow(server, path, away_s=AWAY_S, typists=TYPISTS)


async def full_disk(_arguments: argparse.Namespace) -> list[str]:
    with small_disk() as at:
        async with on_file(at) as (path, server):
            return await disk_is_full(server, path, away_s=AWAY_S, typists=TYPISTS)


async def rolling(_arguments: argparse.Namespace) -> list[str]:
    async with on_postgresql(2, {"DRAIN_MS": "2000"}) as (own, servers):
        return await restart_in_turn(servers, own.url, restarts=RESTARTS, typists=TYPISTS)


async def killed(_arguments: argparse.Namespace) -> list[str]:
    with folder() as at:
        async with on_file(at) as (path, server):
            return await type_while_it_is_killed(
                server, f"sqlite+aiosqlite:///{path}", seconds=KILLING_S, typists=TYPISTS
            )


async def frozen(_arguments: argparse.Namespace) -> list[str]:
    async with on_postgresql(2) as (own, servers):
        return await stand_still_in_turn(servers, own.url, rounds=FREEZES, typists=TYPISTS)


async def overload(_arguments: argparse.Namespace) -> list[str]:
    return await twice_the_capacity()


async def crowd(_arguments: argparse.Namespace) -> list[str]:
    return await beside_five_thousand()


async def flooded(_arguments: argparse.Namespace) -> list[str]:
    return await floods()


async def frames(_arguments: argparse.Namespace) -> list[str]:
    return await conform()


async def churn(arguments: argparse.Namespace) -> list[str]:
    if arguments.postgresql:
        async with on_postgresql() as (_own, (server,)):
            return await soak(server, minutes=arguments.minutes)
    with folder() as at:
        # Pages of the file that are kept in memory are no leak, but hide one.
        async with on_file(at, constants="server.db.database.FILE_CACHE_KB=1024") as (_, server):
            return await soak(server, minutes=arguments.minutes)


SCENARIOS: dict[str, tuple[str, Scenario]] = {
    "postgresql_fast": ("PostgreSQL is shut down fast", postgresql("fast")),
    "postgresql_immediate": ("PostgreSQL is shut down at once", postgresql("immediate")),
    "postgresql_killed": ("PostgreSQL is killed", postgresql("killed")),
    "sqlite_locked": ("another process locks the SQLite file", locked),
    "sqlite_quota": ("no file of the server may grow (RLIMIT_FSIZE)", quota),
    "sqlite_full_disk": ("the disk of the SQLite file is full (tmpfs)", full_disk),
    "killed": ("the server is killed every second or so, behind a bad network", killed),
    "rolling": ("two processes are restarted in turn", rolling),
    "frozen": ("of two processes one stands still, then the other is killed", frozen),
    "overload": ("twice as many want to type as one core bears", overload),
    "crowd": ("5,000 sit idle beside 20 who type, and are sent away", crowd),
    "floods": ("50 sockets send without end beside 20 who type", flooded),
    "autobahn": ("the Autobahn TestSuite, cases 1-7 and 10, by who reads the frames", frames),
    "soak": ("people come, type, drop, resume, race and leave", churn),
}
NAMESPACED = "sqlite_full_disk"
FAILURES = (
    AssertionError,
    CannotRun,
    ConnectionClosed,
    ExceptionGroup,
    OSError,
    Stopped,
    TimeoutError,
    subprocess.SubprocessError,
)
LONG = ("soak",)  # only when asked for


def in_namespace() -> bool:
    """Run the scenario that mounts in a process whose mounts nobody else sees; no rights needed."""
    command = ["unshare", "--user", "--map-root-user", "--mount", sys.executable, "-m"]
    inside = os.environ | {"CHAOS_NAMESPACE": "1"}
    return subprocess.run([*command, "tests.chaos", NAMESPACED], env=inside).returncode == 0


def told(failure: Exception) -> list[str]:
    """What went wrong, of everybody it went wrong for."""
    if isinstance(failure, ExceptionGroup):
        return [line for one in failure.exceptions for line in told(one)]
    return [f"{type(failure).__name__}: {failure}"]


async def passes(name: str, arguments: argparse.Namespace) -> bool:
    what, scenario = SCENARIOS[name]
    print(f"{name}: {what}", flush=True)
    began_s = time.monotonic()
    try:
        figures = await scenario(arguments)
    except FAILURES as failure:
        figures = told(failure)
        verdict = "FAIL"
    else:
        verdict = "PASS"
    for figure in figures:
        print(f"  {figure}")
    print(f"  {verdict} in {time.monotonic() - began_s:.0f} s", flush=True)
    return verdict == "PASS"


def main() -> None:
    about = str(__doc__).replace("{names}", ", ".join(SCENARIOS))
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos",
        description=about,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--without", action="append", default=[], metavar="NAME")
    parser.add_argument("--minutes", type=float, default=10, help="of the soak")
    parser.add_argument("--postgresql", action="store_true", help="soak on PostgreSQL")
    arguments = parser.parse_args()
    named = [*arguments.names, *arguments.without]
    names = arguments.names or [name for name in SCENARIOS if name not in LONG]
    if unknown := [name for name in named if name not in SCENARIOS]:
        parser.error(f"no such scenario: {', '.join(unknown)}")
    failed = []
    for name in names:
        if name in arguments.without:
            print(f"{name}: LEFT OUT, as was asked for", flush=True)
            continue
        if name == NAMESPACED and "CHAOS_NAMESPACE" not in os.environ:
            passed = in_namespace()
        else:
            passed = asyncio.run(passes(name, arguments))
        if not passed:
            failed.append(name)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
