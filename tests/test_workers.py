"""Several processes under one: they share a port, and none of them is missed when it dies."""

import asyncio
import os
import re
import signal
import sys
import time
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from websockets.exceptions import ConnectionClosed

from tests.conftest import MakeServer
from tests.db.stored import eventually
from tests.live.guest import Guest, guest
from tests.processes import REPOSITORY, ServerProcess
from tests.test_main import run
from tests.valkey import Valkey

GUESTS = 12  # of whom each process has some


@pytest.fixture
def server(make_server: MakeServer, postgresql_url: str, valkey: Valkey) -> ServerProcess:
    """Two processes under one, not yet started."""
    environment = {"WORKERS": "2", "REDIS_URL": valkey.url, "DRAIN_MS": "500"}
    return make_server(postgresql_url, environment=environment)


@pytest_asyncio.fixture
async def both(server: ServerProcess) -> ServerProcess:
    """Both processes answer."""
    await server.start()
    pids: set[int] = set()
    while len(pids) < 2:
        pids.add(await answering(server))
    assert pids == children(server.pid)
    return server


def children(pid: int) -> set[int]:
    return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


async def answering(server: ServerProcess) -> int:
    """The id of the process that happens to answer."""
    async with httpx.AsyncClient(base_url=server.http_url) as client:
        metrics = (await client.get("/metrics")).text
        assert (await client.get("/health/ready")).status_code == 200
    found = re.search(r"^typing_process_id (\S+)$", metrics, re.MULTILINE)
    assert found
    return int(float(found[1]))


async def guests(server: ServerProcess, until: AsyncExitStack) -> list[Guest]:
    """People who are typing, on either process."""
    people = [await until.enter_async_context(guest(server.ws_url)) for _ in range(GUESTS)]
    for person in people:
        await person.begin("some words")
        await person.typed("some")
    return people


async def hung_up(person: Guest) -> tuple[list[str], int]:
    """What is said until the connection is closed, and the code it is closed with."""
    said = []
    try:
        while True:
            said.append((await person.receive())["type"])
    except ConnectionClosed as closed:
        return said, closed.rcvd.code if closed.rcvd else 1006


async def test_one_that_dies_is_replaced_while_the_other_serves(both: ServerProcess) -> None:
    dies, lives = children(both.pid)
    async with AsyncExitStack() as stack:
        people = await guests(both, stack)
        os.kill(dies, signal.SIGKILL)
        await eventually(lambda: dies not in children(both.pid))
        while len(pids := children(both.pid)) < 2:
            assert await answering(both) == lives
        (new,) = pids - {lives}
        deadline_s = time.monotonic() + 5
        while await answering(both) != new:
            assert time.monotonic() < deadline_s
        stayed = 0
        for person in people:
            with suppress(ConnectionClosed):
                await person.press(" words")
                await person.done()
                stayed += 1
                continue
            async with guest(both.ws_url, token=person.token) as again:
                await again.resume(person.attempt)
                await again.press(" words")
                await again.done()
        assert 0 < stayed < GUESTS
    assert f"process {dies} has ended with code -9" in both.log()
    for pid in (both.pid, dies, lives, new):
        assert f"pid={pid}" in both.log()


async def test_sigterm_moves_all_on_and_ends_as_one_process_does(
    both: ServerProcess, make_server: MakeServer, sqlite_url: str
) -> None:
    alone = make_server(sqlite_url)
    await alone.start()
    pids = children(both.pid)
    async with AsyncExitStack() as stack:
        people = await guests(both, stack)
        code, *ends = await asyncio.gather(both.terminate(), *(hung_up(one) for one in people))
    assert ends == [(["drain"], 1012)] * GUESTS
    assert code == await alone.terminate()
    assert all(gone(pid) for pid in pids)
    assert "Traceback" not in both.log()


async def test_one_that_is_told_to_go_goes_in_order_and_is_replaced(both: ServerProcess) -> None:
    goes, stays = children(both.pid)
    async with AsyncExitStack() as stack:
        people = await guests(both, stack)
        os.kill(goes, signal.SIGTERM)
        await eventually(lambda: gone(goes))
        told = 0
        for person in people:
            with suppress(ConnectionClosed):
                await person.send(type="ping", c=1)
            told += (await person.receive())["type"] == "drain"
    assert 0 < told < GUESTS
    await eventually(lambda: len(children(both.pid)) == 2)
    assert stays in children(both.pid)


@pytest.mark.parametrize("how", ["a second SIGTERM", "Ctrl-C"])
async def test_who_is_in_a_hurry_is_obeyed(
    make_server: MakeServer, postgresql_url: str, valkey: Valkey, how: str
) -> None:
    environment = {"WORKERS": "3", "REDIS_URL": valkey.url, "DRAIN_MS": "20000"}
    server = make_server(postgresql_url, environment=environment)
    await server.start()
    async with guest(server.ws_url) as person:
        pids = children(server.pid)
        began_s = time.monotonic()
        if how == "Ctrl-C":
            assert await server.interrupt() == 130
        else:
            os.kill(server.pid, signal.SIGTERM)
            await person.expect("drain")
            assert await server.terminate() == -signal.SIGTERM
    assert time.monotonic() - began_s < 10
    assert all(gone(pid) for pid in pids)
    assert "Traceback" not in server.log()


async def test_they_go_when_their_parent_was_killed(both: ServerProcess) -> None:
    pids = children(both.pid)
    async with guest(both.ws_url) as person:
        await both.kill()
        assert await hung_up(person) == (["drain"], 1012)
    await eventually(lambda: all(gone(pid) for pid in pids))


async def test_a_port_that_is_taken_ends_the_parent(
    both: ServerProcess, postgresql_url: str, valkey: Valkey
) -> None:
    environment = {"DATABASE_URL": postgresql_url, "REDIS_URL": valkey.url}
    ran = await run(environment, "--workers", "2", "--port", str(both.port))
    assert ran.code != 0
    assert "address already in use" in ran.output.lower()
    assert "Traceback" not in ran.output


STILLBORN = "from server.workers import Workers; Workers(2, lambda: print('born')).run()"


async def test_one_that_ends_at_once_is_tried_again_and_not_all_the_time() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-u", "-c", STILLBORN),
        cwd=REPOSITORY,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    await asyncio.sleep(3)
    process.terminate()
    output, _ = await process.communicate()
    assert 3 <= output.count(b"born") <= 6
    assert process.returncode == -signal.SIGTERM
