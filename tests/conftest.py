"""Databases and servers for every test that wants a real one."""

import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.postgres import Postgres, running_postgres
from tests.processes import ServerProcess, migrate
from tests.valkey import Valkey

MakeServer = Callable[..., ServerProcess]
LONGEST = ("contract", "browser")  # folders whose tests take the longest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first: else one worker is still at them when the others have done."""
    items.sort(key=lambda item: item.path.parent.name not in LONGEST)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL for the whole run."""
    with running_postgres() as server:
        yield server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def postgres_template(postgres: Postgres) -> AsyncIterator[str]:
    """The name of an empty database with the schema in place, to be copied."""
    database = await postgres.create()
    await migrate(postgres.url(database))
    yield database
    await postgres.drop(database)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite file with the schema in place, to be copied."""
    path = tmp_path_factory.mktemp("template") / "typing.db"
    await migrate(f"sqlite+aiosqlite:///{path}")
    return path


@pytest_asyncio.fixture
async def postgresql_url(postgres: Postgres, postgres_template: str) -> AsyncIterator[str]:
    """The URL of an empty PostgreSQL database of this test alone, with the schema in place."""
    database = await postgres.create(template=postgres_template)
    yield postgres.url(database)
    await postgres.drop(database)


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of an empty SQLite file of this test alone, with the schema in place."""
    shutil.copy(sqlite_template, tmp_path / "typing.db")
    return f"sqlite+aiosqlite:///{tmp_path / 'typing.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database of this test alone: the test runs once on either store."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest_asyncio.fixture
async def make_server(tmp_path: Path) -> AsyncIterator[MakeServer]:
    """Make a `ServerProcess`, not started yet, that is killed when the test is over."""
    servers: list[ServerProcess] = []

    def make(database_url: str, **settings: Any) -> ServerProcess:
        log_path = tmp_path / f"server-{len(servers)}.log"
        servers.append(ServerProcess(database_url, log_path, **settings))
        return servers[-1]

    yield make
    for server in servers:
        await server.kill()


@pytest_asyncio.fixture
async def server(make_server: MakeServer, database_url: str) -> ServerProcess:
    """A running server on either store."""
    process = make_server(database_url)
    await process.start()
    return process


@pytest_asyncio.fixture
async def sqlite_server(make_server: MakeServer, sqlite_url: str) -> ServerProcess:
    """A running server on SQLite, for what does not depend on the store."""
    process = make_server(sqlite_url)
    await process.start()
    return process


@pytest_asyncio.fixture
async def valkey() -> AsyncIterator[Valkey]:
    """A Redis of this test alone, with nothing in it."""
    running = Valkey()
    await running.start()
    yield running
    running.stop()
