"""The command line: what an operator reads when a setting is wrong, and what `migrate` does."""

import asyncio
import socket
import stat
import sys
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest
from sqlalchemy import inspect

import server.settings
from server.core.source import Source, SourceKind
from server.settings import Settings, SettingsRefused
from tests.conftest import MakeServer
from tests.db.stored import add_attempt, add_people, change, opened_database, rows
from tests.fill import model
from tests.live.typist import typist
from tests.postgres import Postgres
from tests.processes import JWT_SECRET, REPOSITORY, settings

SENTENCE = r"^[A-Z][^\n]+\.?$"


class Ran(NamedTuple):
    """How a command ended."""

    code: int
    output: str


async def run(environment: dict[str, str], *arguments: str) -> Ran:
    """Run `python -m server` with these settings over those of the tests."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server", *arguments),
        cwd=REPOSITORY,
        env=settings("sqlite:///:memory:") | environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(20):
            output, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        output, _ = await process.communicate()
        pytest.fail(f"it did not end:\n{output.decode(errors='replace')}")
    assert process.returncode is not None
    return Ran(process.returncode, output.decode())


def refused(ran: Ran, about: str) -> None:
    """One sentence that names what is wrong, and exit code 1."""
    assert ran.code == 1, ran.output
    assert len(ran.output.strip().splitlines()) == 1, ran.output
    assert about in ran.output


async def test_help_names_the_commands() -> None:
    ran = await run({}, "--help")
    assert ran.code == 0
    for word in (
        "python -m server",
        "serve",
        "migrate",
        "recount",
        "--host",
        "--port",
        "--workers",
    ):
        assert word in ran.output


async def test_an_unknown_command_is_refused_with_the_usage() -> None:
    ran = await run({}, "sing")
    assert ran.code == 2
    assert "usage: python -m server" in ran.output


@pytest.mark.parametrize(
    ("environment", "arguments", "about"),
    [
        ({"ENVIRONMENT": "production", "JWT_SECRET": ""}, [], "JWT_SECRET"),
        ({"DATABASE_URL": "mysql://there/typing"}, ["migrate"], "DATABASE_URL"),
        ({}, ["--port", "70000"], "PORT"),
        ({}, ["--workers", "0"], "WORKERS"),
        ({"WORKERS": "two"}, [], "WORKERS"),
        ({"WORKERS": "2", "REDIS_URL": "redis://there"}, [], "PostgreSQL"),
        ({"DATABASE_URL": "postgresql://there/typing"}, ["--workers", "2"], "REDIS_URL"),
    ],
)
async def test_a_bad_setting_ends_it_with_one_sentence(
    tmp_path: Path, environment: dict[str, str], arguments: list[str], about: str
) -> None:
    here = {"DATABASE_URL": f"sqlite:///{tmp_path / 'typing.db'}"}
    refused(await run(here | environment, *arguments), about)


@pytest.mark.parametrize("command", ["migrate", "serve"])
@pytest.mark.parametrize("url", ["postgresql://nobody@127.0.0.1:1/typing", "sqlite:///{folder}"])
async def test_a_store_that_cannot_be_had_ends_it_with_a_sentence(
    tmp_path: Path, url: str, command: str
) -> None:
    ran = await run({"DATABASE_URL": url.format(folder=tmp_path), "PORT": "0"}, command)
    assert ran.code != 0
    assert "Traceback" not in ran.output
    assert "store" in ran.output


async def test_a_store_that_never_answers_ends_it_with_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://nobody@127.0.0.1:{silent.getsockname()[1]}/typing"
        ran = await run({"DATABASE_URL": url}, "migrate")
    refused(ran, "store")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENVIRONMENT", "staging"),
        ("JWT_SECRET", "short"),
        ("JWT_SECRET", "x" * 31),
        ("PORT", "http"),
        ("PORT", "-1"),
        ("PORT", "65536"),
        ("DRAIN_MS", "5s"),
        ("DRAIN_MS", "1.5"),
        ("CONNECTIONS_PER_ADDRESS", "many"),
        ("HANDSHAKES_PER_ADDRESS_S", "-3"),
        ("GUESTS_PER_ADDRESS_HOUR", " "),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(name: str, value: str) -> None:
    environ = {"JWT_SECRET": JWT_SECRET, name: value}
    with pytest.raises(SettingsRefused, match=SENTENCE) as found:
        Settings.from_environ(environ)
    assert name in str(found.value)


def test_settings_are_taken_as_they_are_written() -> None:
    taken = Settings.from_environ(
        {
            "JWT_SECRET": JWT_SECRET,
            "ENVIRONMENT": "production",
            "DATABASE_URL": "postgresql://there/typing",
            "ALLOWED_ORIGINS": "https://a.example, https://b.example",
            "REDIS_URL": "redis://there",
            "HOST": "0.0.0.0",
            "PORT": "80",
            "DRAIN_MS": "0",
            "UNKNOWN": "is nobody's business",
        }
    )
    assert taken.production
    assert taken.allowed_origins == {"https://a.example", "https://b.example"}
    assert (taken.host, taken.port, taken.drain_ms) == ("0.0.0.0", 80, 0)
    assert (taken.database_url, taken.redis_url) == ("postgresql://there/typing", "redis://there")
    assert JWT_SECRET not in repr(taken)


def test_an_empty_setting_is_an_absent_one() -> None:
    empty = dict.fromkeys(("DATABASE_URL", "REDIS_URL", "HOST", "PORT", "ALLOWED_ORIGINS"), "")
    taken = Settings.from_environ({"JWT_SECRET": JWT_SECRET} | empty)
    assert taken == Settings.from_environ({"JWT_SECRET": JWT_SECRET})
    assert taken.database_url.startswith("sqlite:///")
    assert taken.redis_url is None


# The secret


@pytest.fixture
def var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of what a development server keeps, empty."""
    folder = tmp_path / "var"
    monkeypatch.setattr(server.settings, "VAR", folder)
    return folder


@pytest.mark.parametrize("environ", [{}, {"JWT_SECRET": ""}])
def test_production_needs_a_secret_and_makes_none(var: Path, environ: dict[str, str]) -> None:
    with pytest.raises(SettingsRefused, match="JWT_SECRET"):
        Settings.from_environ({"ENVIRONMENT": "production"} | environ)
    assert not var.exists()


def test_a_secret_made_in_development_is_kept_and_ours_alone(var: Path) -> None:
    first = Settings.from_environ({}).jwt_secret
    assert len(first) >= 64
    assert Settings.from_environ({}).jwt_secret == first
    (kept,) = var.iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_each_checkout_makes_a_secret_of_its_own(
    var: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Settings.from_environ({}).jwt_secret
    monkeypatch.setattr(server.settings, "VAR", tmp_path / "another")
    assert Settings.from_environ({}).jwt_secret != first


def test_an_empty_secret_on_disk_is_not_used(var: Path) -> None:
    """Another process is just making it, or died while it did."""
    Settings.from_environ({})
    (kept,) = var.iterdir()
    kept.write_text("")
    try:
        secret = Settings.from_environ({}).jwt_secret
    except SettingsRefused:
        return
    assert len(secret) >= 64


# Migrating and serving


async def tables(url: str) -> set[str]:
    async with opened_database(url) as database, database.read() as connection:
        return set(await connection.run_sync(lambda sync: inspect(sync).get_table_names()))


async def test_migrate_makes_the_schema_in_sqlite(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'typing.db'}"
    for _ in range(2):
        assert await run({"DATABASE_URL": url}, "migrate") == Ran(0, "")
    assert {"users", "attempts", "journal"} < await tables(url)


async def test_recount_takes_changed_attempts_from_the_leaderboards(sqlite_url: str) -> None:
    made = model(Source(SourceKind.TIME, language="en", seconds=60), Random(1))
    async with opened_database(sqlite_url) as database:
        await add_people(database, "a", "b")
        for who in ("a", "b"):
            await add_attempt(database, made, who, 1, verdict="ranked")
        await change(database, "UPDATE attempts SET verdict = 'review' WHERE user_id = 'a'")
        ran = await run(settings(sqlite_url), "recount")
        assert ran.code == 0, ran.output
        found = await rows(database, "SELECT DISTINCT user_id FROM bests")
        assert [row["user_id"] for row in found] == ["b"]


async def test_migrate_makes_the_schema_in_postgresql(postgres: Postgres) -> None:
    name = await postgres.create()
    try:
        url = postgres.url(name).replace("postgresql+asyncpg", "postgresql")
        assert await run({"DATABASE_URL": url}, "migrate") == Ran(0, "")
        assert {"users", "attempts", "journal"} < await tables(url)
    finally:
        await postgres.drop(name)


async def test_serving_postgresql_without_a_schema_says_what_to_do(postgres: Postgres) -> None:
    name = await postgres.create()
    try:
        ran = await run({"DATABASE_URL": postgres.url(name), "PORT": "0"})
    finally:
        await postgres.drop(name)
    assert ran.code != 0
    assert "migrate" in ran.output
    assert "Traceback" not in ran.output


async def test_a_new_sqlite_file_is_served_without_further_ado(
    make_server: MakeServer, tmp_path: Path
) -> None:
    process = make_server(f"sqlite:///{tmp_path / 'new' / 'typing.db'}")
    await process.start()
    assert (tmp_path / "new" / "typing.db").exists()
    await process.terminate()
    assert "Traceback" not in process.log()


async def test_a_port_that_is_taken_ends_it(make_server: MakeServer, sqlite_url: str) -> None:
    process = make_server(sqlite_url)
    await process.start()
    ran = await run({"DATABASE_URL": sqlite_url}, "--port", str(process.port))
    assert ran.code != 0
    assert "address already in use" in ran.output
    assert "Traceback" not in ran.output


async def test_a_server_that_can_store_nothing_any_more_ends_itself(
    make_server: MakeServer, sqlite_url: str
) -> None:
    """It must not go on, healthy to look at; and who keeps it must see a failure."""
    process = make_server(sqlite_url, module="tests.broken_server")
    await process.start()
    async with typist(process.ws_url) as person:
        await person.type(4)
        await asyncio.sleep(3)
        assert await process.terminate() > 0  # it has ended by now, and not because we ask
        assert not person.of("ack")
    assert "the journal has broken" in process.log()
