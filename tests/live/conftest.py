"""Servers that stay up for the whole run: the contract's tests meet as guests of their own."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest
import pytest_asyncio

from tests.live.guest import Guest, guest
from tests.postgres import Postgres
from tests.processes import ServerProcess

ALLOWED_ORIGIN = "https://typing.example"


class Served(NamedTuple):
    """A running server and the store it keeps everything in."""

    url: str
    database_url: str
    process: ServerProcess


async def _serving(
    database_url: str, folder: Path, websockets: str = "direct"
) -> AsyncIterator[Served]:
    environment = {"ALLOWED_ORIGINS": ALLOWED_ORIGIN, "WEBSOCKETS": websockets}
    process = ServerProcess(database_url, folder / "server.log", environment=environment)
    await process.start()
    yield Served(process.ws_url, database_url, process)
    await process.kill()
    # Nothing that anybody sent may have surprised it; of frames that are not UTF-8 uvicorn speaks.
    surprises = [
        line
        for line in process.log().splitlines()
        if line.startswith(("ERROR", "CRITICAL")) and "Invalid UTF-8" not in line
    ]
    assert surprises == []


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def served(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Served]:
    """One server on SQLite for all tests that ask for it."""
    folder = tmp_path_factory.mktemp("served")
    shutil.copy(sqlite_template, folder / "typing.db")
    async for running in _serving(f"sqlite+aiosqlite:///{folder / 'typing.db'}", folder):
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def served_by_postgresql(
    postgres: Postgres, postgres_template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Served]:
    """One server on PostgreSQL for all tests that ask for it."""
    database = await postgres.create(template=postgres_template)
    folder = tmp_path_factory.mktemp("served")
    async for running in _serving(postgres.url(database), folder):
        yield running
    await postgres.drop(database)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def served_by_uvicorn(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Served]:
    """The same where uvicorn reads the frames."""
    folder = tmp_path_factory.mktemp("served")
    shutil.copy(sqlite_template, folder / "typing.db")
    database_url = f"sqlite+aiosqlite:///{folder / 'typing.db'}"
    async for running in _serving(database_url, folder, "sansio"):
        yield running


@pytest.fixture
def url(served: Served) -> str:
    """Where the server on SQLite listens."""
    return served.url


@pytest.fixture(params=["served", "served_by_postgresql"], ids=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest) -> Served:
    """The test runs once on either store."""
    running: Served = request.getfixturevalue(request.param)
    return running


@pytest_asyncio.fixture
async def bystander(url: str) -> AsyncIterator[Guest]:
    """Somebody with a text open whom nothing the test does may disturb."""
    async with guest(url) as person:
        await person.begin()
        yield person
        await person.typed("the quick")
        await person.has_nothing_more()
