"""The store itself: what it promises of durability, and what it says of a bad URL."""

import asyncio
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

import server.db.database
from server.db.database import STORE_ERRORS, Database, refused_for_good, store_url, take_time
from tests.db.stored import opened_database, rows

SQLITE_FULL = 2  # what PRAGMA synchronous answers for FULL
NOBODYS_COUNTER = text(
    "INSERT INTO key_counters VALUES ('nobody', 'en', 'qwerty', 'a', 1, 0, 0, 0)"
)
NEW_USER = text(
    "INSERT INTO users (id, name, guest, created_at_ms, token_version) "
    "VALUES (:id, 'Guest', TRUE, 0, 0)"
)


async def test_every_sqlite_connection_is_as_durable_as_sqlite_can_be(sqlite_url: str) -> None:
    async with (
        opened_database(sqlite_url) as database,
        database.read() as first,
        database.read() as second,
        database.write() as third,
    ):
        for connection in (first, second, third):
            settings = [
                (await connection.execute(text(f"PRAGMA {name}"))).scalar_one()
                for name in ("journal_mode", "synchronous", "foreign_keys")
            ]
            assert settings == ["wal", SQLITE_FULL, 1]


async def test_a_commit_of_postgresql_waits_for_the_disk_whatever_its_default(
    postgresql_url: str,
) -> None:
    name = store_url(postgresql_url).database
    async with opened_database(postgresql_url) as database, database.write() as connection:
        await connection.execute(text(f'ALTER DATABASE "{name}" SET synchronous_commit = off'))
    async with opened_database(postgresql_url) as database:
        assert (await rows(database, "SHOW synchronous_commit"))[0]["synchronous_commit"] == "on"


async def test_who_stands_still_in_a_transaction_loses_it_but_a_migration_may(
    postgresql_url: str,
) -> None:
    asked = text("SHOW idle_in_transaction_session_timeout")
    async with opened_database(postgresql_url) as database:
        async with database.write() as connection:
            assert (await connection.execute(asked)).scalar_one() == "2s"
        async with database.write() as connection:
            await connection.run_sync(take_time)
            assert (await connection.execute(asked)).scalar_one() == "0"

        async def stand_still() -> None:
            async with database.write() as connection:  # the same connection as before
                assert (await connection.execute(asked)).scalar_one() == "2s"
                await asyncio.sleep(2.5)
                await connection.execute(asked)

        with pytest.raises(STORE_ERRORS) as stopped:
            await stand_still()
        assert not refused_for_good(stopped.value)
        assert len(await rows(database, "SELECT 1")) == 1


async def test_a_row_of_nobody_is_refused(database_url: str) -> None:
    async with opened_database(database_url) as database:
        with pytest.raises(IntegrityError):
            async with database.write() as connection:
                await connection.execute(NOBODYS_COUNTER)


async def test_what_fails_in_the_middle_leaves_nothing(database_url: str) -> None:
    async with opened_database(database_url) as database:

        async def write_half() -> None:
            async with database.write() as connection:
                await connection.execute(NEW_USER, {"id": "half"})
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await write_half()
        assert not await rows(database, "SELECT id FROM users")


async def test_what_is_written_is_seen_by_another_process_at_once(database_url: str) -> None:
    async with opened_database(database_url) as one, opened_database(database_url) as other:
        async with one.write() as connection:
            await connection.execute(NEW_USER, {"id": "seen"})
            assert not await rows(other, "SELECT id FROM users")
        assert [row["id"] for row in await rows(other, "SELECT id FROM users")] == ["seen"]


async def test_many_writers_at_once_all_come_through(database_url: str) -> None:
    async with opened_database(database_url) as one, opened_database(database_url) as other:

        async def write(number: int) -> None:
            async with (one, other)[number % 2].write() as connection:
                await connection.execute(NEW_USER, {"id": f"user {number}"})

        await asyncio.gather(*(write(number) for number in range(40)))
        assert len(await rows(one, "SELECT id FROM users")) == 40


async def test_what_is_to_be_first_goes_before_all_that_wait_to_write(sqlite_url: str) -> None:
    written: list[str] = []
    async with opened_database(sqlite_url) as database:
        async with database.write():
            waiting = [
                asyncio.create_task(
                    database.transact(lambda _, name=name: written.append(name), first=name == "d")  # type: ignore[misc]
                )
                for name in "abcd"
            ]
            await asyncio.sleep(0)
        await asyncio.gather(*waiting)
    assert written == ["d", "a", "b", "c"]


async def test_reading_goes_on_while_sqlite_is_being_written(sqlite_url: str) -> None:
    async with opened_database(sqlite_url) as database, database.write() as connection:
        await connection.execute(NEW_USER, {"id": "writing"})
        async with asyncio.timeout(1):
            assert not await rows(database, "SELECT id FROM users")


async def test_a_writer_that_gave_up_waiting_leaves_no_lock(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.db.database, "BUSY_TIMEOUT_MS", 800)
    path = store_url(sqlite_url).database or ""
    async with opened_database(sqlite_url) as database:
        stranger = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        stranger.execute("BEGIN EXCLUSIVE")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3), database.write():
                raise AssertionError("the lock was not held")
        stranger.execute("COMMIT")
        stranger.close()
        async with asyncio.timeout(2):
            async with database.write() as connection:
                await connection.execute(NEW_USER, {"id": "after"})


def test_a_file_of_others_is_refused_before_anything_is_asked_of_it(tmp_path: Path) -> None:
    path = tmp_path / "typing.db"
    path.write_bytes(b"Dear diary, this is not a database. " * 100)
    with pytest.raises(ValueError, match=r"cannot be opened: file is not a database\.$"):
        Database(f"sqlite:///{path}")
    assert path.read_bytes().startswith(b"Dear diary")


async def test_a_postgresql_that_is_not_there_is_a_store_error() -> None:
    async with opened_database("postgresql://nobody@127.0.0.1:1/nothing") as database:
        with pytest.raises(STORE_ERRORS):
            await rows(database, "SELECT 1")


async def test_a_full_disk_is_a_store_error(sqlite_url: str) -> None:
    async with opened_database(sqlite_url) as database:

        async def fill() -> None:
            async with database.write() as connection:
                await connection.execute(text("PRAGMA max_page_count = 1"))
                for number in range(2_000):
                    await connection.execute(NEW_USER, {"id": f"user {number}"})

        with pytest.raises(OperationalError, match="full"):
            await fill()
        assert not await rows(database, "SELECT id FROM users")


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("sqlite:///typing.db", "sqlite+aiosqlite"),
        ("sqlite+aiosqlite:///typing.db", "sqlite+aiosqlite"),
        ("postgres://someone@there/typing", "postgresql+asyncpg"),
        ("postgresql://someone@there/typing", "postgresql+asyncpg"),
        ("postgresql+asyncpg://someone@there/typing", "postgresql+asyncpg"),
    ],
)
def test_a_url_is_taken_with_our_driver(url: str, driver: str) -> None:
    assert store_url(url).drivername == driver


@pytest.mark.parametrize(
    "url",
    [
        "typing.db",
        "://",
        "mysql://someone@there/typing",
        "postgresql+psycopg2://someone@there/typing",
        "sqlite://",
        "sqlite:///:memory:",
        "postgresql://someone:secret@there:port/typing",
    ],
)
def test_a_bad_url_is_refused_with_a_sentence_for_the_operator(url: str) -> None:
    with pytest.raises(ValueError, match=r"^DATABASE_URL .+\.$") as refused:
        Database(url)
    assert "secret" not in str(refused.value)


async def test_the_folder_of_a_sqlite_file_is_made(tmp_path: Path) -> None:
    async with opened_database(f"sqlite:///{tmp_path / 'deep' / 'down' / 'typing.db'}") as database:
        await database.migrate()
        assert not await rows(database, "SELECT id FROM users")
