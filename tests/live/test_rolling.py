"""Two processes on one store that go and come, or stand still, while people type."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest_asyncio

from tests.chaos.rolling import restart_in_turn, stand_still_in_turn
from tests.conftest import MakeServer
from tests.processes import ServerProcess
from tests.valkey import Valkey


@dataclass
class Two:
    """Two servers on one store."""

    servers: list[ServerProcess]
    database_url: str


@pytest_asyncio.fixture
async def two(make_server: MakeServer, postgresql_url: str) -> AsyncIterator[Two]:
    valkey = Valkey()
    await valkey.start()
    environment = {"REDIS_URL": valkey.url, "DRAIN_MS": "800"}
    servers = [make_server(postgresql_url, environment=environment) for _ in range(2)]
    await asyncio.gather(*(server.start() for server in servers))
    yield Two(servers, postgresql_url)
    valkey.stop()


async def test_who_is_sent_away_types_on_elsewhere(two: Two) -> None:
    await restart_in_turn(two.servers, two.database_url, restarts=2, typists=6)


async def test_what_reaches_a_process_too_late_does_not_count(two: Two) -> None:
    await stand_still_in_turn(two.servers, two.database_url, rounds=1, typists=4)
