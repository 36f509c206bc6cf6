"""A backup of the store is brought back while people type: what it lacks, they send again."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from server.db.database import store_url
from tests.chaos.crowd import CUSTOM_TEXT, all_violations, check_done, check_store
from tests.conftest import MakeServer
from tests.expected_score import Event
from tests.honest_client import HonestClient, Stopped
from tests.processes import ServerProcess
from tests.raw_client import Message


@asynccontextmanager
async def restored_meanwhile(server: ServerProcess, database_url: str) -> AsyncIterator[None]:
    """The store goes back by a second of typing."""
    path = Path(store_url(database_url).database or "")
    backup = path.with_name("backup.db")

    def copy(source: Path, target: Path) -> None:
        with closing(sqlite3.connect(source)) as from_, closing(sqlite3.connect(target)) as to:
            from_.backup(to)

    async def restore() -> None:
        await asyncio.sleep(1.0)
        copy(path, backup)
        with closing(sqlite3.connect(backup)) as copied:
            assert copied.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        await asyncio.sleep(1.2)
        await server.kill()
        copy(backup, path)
        await server.start()

    restoring = asyncio.create_task(restore())
    try:
        yield
    finally:
        await restoring


def clients_of(kind: type[HonestClient], server: ServerProcess) -> list[HonestClient]:
    source = {"kind": "custom", "text": CUSTOM_TEXT[:120]}
    return [
        kind(server.ws_url, source=source, seed=number, back_off_s_max=1.0) for number in range(4)
    ]


async def test_what_a_restored_store_lacks_is_sent_again(
    make_server: MakeServer, sqlite_url: str
) -> None:
    server = make_server(sqlite_url)
    await server.start()
    clients = clients_of(HonestClient, server)
    async with restored_meanwhile(server, sqlite_url):
        dones = await asyncio.gather(*(client.type() for client in clients))
    for client, done in zip(clients, dones, strict=True):
        check_done(client, done)
    await check_store(sqlite_url, clients)
    # The operator has lost what was acked, and everybody has seen it.
    faults = all_violations(clients)
    assert len(faults) >= len(clients)
    assert all(fault.startswith("lost ack: opened.seq") for fault in faults)


class GoesOnAfterAcked(HonestClient):
    """It forgets what is acked, and goes on from there whatever `opened.seq` says."""

    def opened(self, message: Message) -> None:
        acked = self._durable
        super().opened(message)
        self._durable = max(acked, self._durable)
        message["seq"] = self._durable

    def batch_from(self, seq: int, **limits: Any) -> list[Event]:
        return [] if seq <= self._durable else super().batch_from(seq, **limits)


async def test_a_client_that_forgets_what_is_acked_never_ends(
    make_server: MakeServer, sqlite_url: str
) -> None:
    server = make_server(sqlite_url)
    await server.start()
    clients = clients_of(GoesOnAfterAcked, server)
    async with restored_meanwhile(server, sqlite_url):
        with pytest.raises(Stopped, match="no done"):
            await clients[0].type(within_s=6)
