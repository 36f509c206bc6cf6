"""Servers with the API that stay up for the whole run: each test has people of its own."""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.api.people import Site
from tests.api.postbox import Postbox, open_postbox
from tests.api.typed import Api, opened_api
from tests.postgres import Postgres
from tests.processes import ServerProcess

ALLOWED_ORIGIN = "https://typing.example"


@pytest.fixture(scope="session")
def postbox() -> Iterator[Postbox]:
    """Where all mail of the servers under test goes."""
    with open_postbox() as postbox:
        yield postbox


async def _serving(database_url: str, folder: Path, postbox: Postbox) -> AsyncIterator[Site]:
    environment = {
        "ENVIRONMENT": "test",
        "ALLOWED_ORIGINS": ALLOWED_ORIGIN,
        "MAIL_URL": f"smtp://127.0.0.1:{postbox.port}?from=trainer@typing.example",
        "PUBLIC_URL": ALLOWED_ORIGIN,
        "RATE_LIMIT_ENABLED": "false",
    }
    process = ServerProcess(database_url, folder / "server.log", environment=environment)
    await process.start()
    yield Site(process, database_url, postbox)
    await process.kill()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def site_on_sqlite(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, postbox: Postbox
) -> AsyncIterator[Site]:
    """One server on SQLite for all tests that ask for it."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copy(sqlite_template, folder / "typing.db")
    url = f"sqlite+aiosqlite:///{folder / 'typing.db'}"
    async for site in _serving(url, folder, postbox):
        yield site


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def site_on_postgresql(
    postgres: Postgres,
    postgres_template: str,
    tmp_path_factory: pytest.TempPathFactory,
    postbox: Postbox,
) -> AsyncIterator[Site]:
    """One server on PostgreSQL for all tests that ask for it."""
    database = await postgres.create(template=postgres_template)
    async for site in _serving(postgres.url(database), tmp_path_factory.mktemp("site"), postbox):
        yield site
    await postgres.drop(database)


@pytest.fixture(params=["sqlite", "postgresql"])
def site(request: pytest.FixtureRequest) -> Site:
    """The test runs once on either store."""
    running: Site = request.getfixturevalue(f"site_on_{request.param}")
    return running


@pytest.fixture
def sqlite_site(site_on_sqlite: Site) -> Site:
    """For what does not depend on the store."""
    return site_on_sqlite


@pytest_asyncio.fixture
async def api(site: Site) -> AsyncIterator[Api]:
    """The API of that server, with its store."""
    async with opened_api(site.process, site.database_url) as opened:
        yield opened
