"""The checks of the histories and of the store find every server that is wrong."""

import asyncio
from pathlib import Path

import pytest

from tests.chaos.crowd import all_violations
from tests.chaos.lanes import Lanes, type_while_it_is_killed
from tests.chaos.rolling import stand_still_in_turn
from tests.conftest import MakeServer
from tests.db.stored import eventually
from tests.honest_client import Stopped
from tests.live.test_history import type_under_fire
from tests.processes import ServerProcess

SHORT = "counted once, and only once"


def wrong(make_server: MakeServer, database_url: str, way: str, **fields: str) -> ServerProcess:
    """A server of `wrong_server`, not started yet."""
    environment = {"WRONG": way} | fields
    return make_server(database_url, module="tests.live.wrong_server", environment=environment)


async def test_one_that_acks_before_it_commits(make_server: MakeServer, sqlite_url: str) -> None:
    server = wrong(make_server, sqlite_url, "ack_early")
    await server.start()

    run = await type_under_fire(server, typing_s=6.0)

    assert any(fault.startswith("lost ack") for fault in run.violations())


async def test_one_that_writes_under_any_epoch(
    make_server: MakeServer, postgresql_url: str
) -> None:
    servers = [wrong(make_server, postgresql_url, "write_under_any_epoch") for _ in range(2)]
    await asyncio.gather(*(server.start() for server in servers))

    # Keys came twice into the store: who resumes sees it, or is told that what is sent differs or
    # claims more time than has passed.
    found = r"broken promises|closed with 4510|claim more time"
    with pytest.raises((AssertionError, Stopped), match=found):
        await stand_still_in_turn(servers, postgresql_url, rounds=1, typists=4)


async def test_one_that_counts_again_what_is_sent_again(
    make_server: MakeServer, sqlite_url: str
) -> None:
    server = wrong(make_server, sqlite_url, "keep_overlaps")
    await server.start()
    lanes = Lanes([server.ws_url], sqlite_url)

    faults = []
    try:
        async with lanes.typing(4):
            await asyncio.sleep(2)
    except Stopped as stopped:
        faults.append(str(stopped))
    faults += all_violations(lanes.clients)
    # More is acked than was sent, or more time seems to be claimed than has passed.
    assert any("though only" in fault or "claim more time" in fault for fault in faults)


async def test_one_that_counts_keys_apart_from_the_end_of_their_attempt(
    make_server: MakeServer, sqlite_url: str, tmp_path: Path
) -> None:
    lived = tmp_path / "lived"
    server = wrong(make_server, sqlite_url, "count_apart", LIVED=str(lived))
    await server.start()
    lanes = Lanes([server.ws_url], sqlite_url, SHORT)

    async with lanes.typing(1):
        await eventually(lived.exists)
        await server.kill()  # it is dead already
        await server.start()
    with pytest.raises(AssertionError, match="counted wrong"):
        await lanes.check()


async def test_and_none_where_nothing_is_wrong(make_server: MakeServer, sqlite_url: str) -> None:
    server = make_server(sqlite_url)
    await server.start()
    await type_while_it_is_killed(server, sqlite_url, seconds=4, typists=8, words=SHORT)
