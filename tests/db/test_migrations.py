"""The schema: one way up from nothing, the same way down, and nothing the tables lack."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from random import Random

import pytest
import pytest_asyncio
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import column as column_of
from sqlalchemy import insert, inspect, table, text

from server.core.source import Source, SourceKind
from server.db.counts import unpack_counts
from server.db.database import MIGRATIONS
from server.db.queries import attempts
from tests.db.stored import Gate, opened_database, person, rows
from tests.fill import model, placed
from tests.postgres import Postgres
from tests.processes import REPOSITORY, settings

TABLES = {
    "alembic_version",
    "attempts",
    "bests",
    "board_versions",
    "collection_texts",
    "collection_words",
    "collections",
    "commits",
    "journal",
    "key_confusions",
    "key_counters",
    "lessons",
    "logins",
    "mail_links",
    "mails",
    "payments",
    "processes",
    "race_events",
    "racers",
    "races",
    "refresh_tokens",
    "stripe_events",
    "subscriptions",
    "texts",
    "unfinished_imports",
    "users",
}
ADD_GUEST = (
    "INSERT INTO users (id, name, guest, created_at_ms, token_version) "
    "VALUES (:id, 'Guest', TRUE, 0, 0)"
)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a store without any table."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'typing.db'}"
    url: str = request.getfixturevalue("empty_postgresql_url")
    return url


@pytest_asyncio.fixture
async def empty_postgresql_url(postgres: Postgres) -> AsyncIterator[str]:
    name = await postgres.create()
    yield postgres.url(name)
    await postgres.drop(name)


async def run(url: str, *arguments: str) -> str:
    """Run a module of Python on the store; what it wrote."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *arguments),
        cwd=REPOSITORY,
        env=settings(url),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode(errors="replace")
    return output.decode()


async def tables(url: str) -> set[str]:
    async with opened_database(url) as database, database.read() as connection:
        return set(await connection.run_sync(lambda sync: inspect(sync).get_table_names()))


async def schema(url: str) -> Sequence[object]:
    """Every table with its columns, keys and indexes, to be compared."""

    def look(sync: object) -> Sequence[object]:
        found = inspect(sync)
        assert found is not None
        return [
            (
                table,
                [
                    (column["name"], str(column["type"]), column["nullable"])
                    for column in found.get_columns(table)
                ],
                found.get_pk_constraint(table),
                found.get_foreign_keys(table),
                [(index["name"], index["column_names"]) for index in found.get_indexes(table)],
            )
            for table in sorted(found.get_table_names())
        ]

    async with opened_database(url) as database, database.read() as connection:
        return await connection.run_sync(look)


def test_there_is_one_head() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert len(ScriptDirectory.from_config(config).get_heads()) == 1


async def test_up_down_and_up_again(empty_url: str) -> None:
    async with opened_database(empty_url) as database:
        await database.migrate()
    assert await tables(empty_url) == TABLES
    at_first = await schema(empty_url)

    await run(empty_url, "alembic", "downgrade", "base")
    assert await tables(empty_url) == {"alembic_version"}

    async with opened_database(empty_url) as database:
        await database.migrate()
    assert await schema(empty_url) == at_first
    assert "No new upgrade operations" in await run(empty_url, "alembic", "check")


async def test_migrating_again_changes_nothing_and_keeps_what_is_there(database_url: str) -> None:
    who = person()
    async with opened_database(database_url) as database:
        async with database.write() as connection:
            await connection.execute(text(ADD_GUEST), {"id": who.id})
        await database.migrate()
        assert [row["id"] for row in await rows(database, "SELECT id FROM users")] == [who.id]


async def test_no_attempt_is_lost_on_the_way_from_the_first_schema(empty_url: str) -> None:
    who = person()
    await run(empty_url, "alembic", "upgrade", "0001")
    async with opened_database(empty_url) as database:
        async with database.write() as connection:
            await connection.execute(text(ADD_GUEST), {"id": who.id})
            await connection.execute(
                text(
                    "INSERT INTO attempts (id, user_id, state, epoch, source, category, rule, "
                    "layout, text, opened_at_ms, outage_ms, got) VALUES ('an attempt', :id, "
                    "'armed', 1, '{}', 'custom', 'free', 'qwerty', 'a', 0, 0, FALSE)"
                ),
                {"id": who.id},
            )
        await database.migrate()
        assert len(await rows(database, "SELECT id FROM attempts")) == 1
        (user,) = await rows(database, "SELECT tier, email FROM users")
        assert (user["tier"], user["email"]) == ("free", None)
    await run(empty_url, "alembic", "downgrade", "0001")
    async with opened_database(empty_url) as database:
        assert len(await rows(database, "SELECT id FROM attempts")) == 1


ADD_ATTEMPT = (
    "INSERT INTO attempts (id, user_id, state, epoch, source, category, rule, layout, text, "
    "opened_at_ms, outage_ms, got) VALUES (:attempt, :id, 'armed', 1, :source, 'any', 'free', "
    "'qwerty', 'a', 0, 0, FALSE)"
)
EVERY_KIND = {
    SourceKind.TEXT: Source(SourceKind.TEXT, text="en-0001"),
    SourceKind.RANDOM: Source(SourceKind.RANDOM, language="ru", length="short"),
    SourceKind.WORDS: Source(SourceKind.WORDS, language="en", count=25),
    SourceKind.TIME: Source(SourceKind.TIME, language="en", seconds=60),
    SourceKind.CUSTOM: Source(SourceKind.CUSTOM, text="what nobody else shall read"),
    SourceKind.LESSON: Source(SourceKind.LESSON, lesson="block_1_lesson_3"),
    SourceKind.PRACTICE: Source(SourceKind.PRACTICE, language="en", layout="qwerty"),
    SourceKind.RACE: Source(SourceKind.RACE),
}


async def test_older_attempts_get_the_kind_and_mode_of_their_source(empty_url: str) -> None:
    who = person()
    await run(empty_url, "alembic", "upgrade", "0002")
    async with opened_database(empty_url) as database:
        async with database.write() as connection:
            await connection.execute(text(ADD_GUEST), {"id": who.id})
            for kind, source in EVERY_KIND.items():
                row = {"attempt": kind.value, "id": who.id, "source": json.dumps(source.public())}
                await connection.execute(text(ADD_ATTEMPT), row)
        await database.migrate()
        found = await rows(database, "SELECT id, kind, mode, self_reported FROM attempts")
    assert set(EVERY_KIND) == set(SourceKind)
    assert {row["id"]: (row["kind"], row["mode"], bool(row["self_reported"])) for row in found} == {
        kind.value: (kind.value, source.mode, False) for kind, source in EVERY_KIND.items()
    }


async def test_older_links_get_the_address_they_were_mailed_to(empty_url: str) -> None:
    await run(empty_url, "alembic", "upgrade", "0003")
    async with opened_database(empty_url) as database:
        async with database.write() as connection:
            for name in ("ann", "bob"):
                ids = {"id": name, "email": f"{name}@example.com"}
                await connection.execute(text(ADD_GUEST), ids)
                await connection.execute(
                    text("UPDATE users SET email = :email WHERE id = :id"), ids
                )
                await connection.execute(
                    text(
                        "INSERT INTO mail_links (hash, user_id, purpose, expires_at_ms) "
                        "VALUES (:id, :id, 'reset', 0)"
                    ),
                    ids,
                )
                await connection.execute(
                    text(
                        'INSERT INTO mails (id, user_id, "to", kind, language, payload, '
                        "due_at_ms, tries) VALUES (:id, :id, :email, 'reset', 'en', '{}', 0, 0)"
                    ),
                    ids,
                )
        await database.migrate()
        links = await rows(database, "SELECT hash, email FROM mail_links ORDER BY hash")
        assert [tuple(row.values()) for row in links] == [
            ("ann", "ann@example.com"),
            ("bob", "bob@example.com"),
        ]
        assert len(await rows(database, "SELECT id FROM mails")) == 2


async def test_what_was_typed_before_counts_were_kept_is_counted(empty_url: str) -> None:
    made = model(Source(SourceKind.WORDS, language="en", count=10), Random(4))
    typed = placed(made, "somebody", 1_000_000, 1.0, Random(5))
    reported = {**typed, "id": "reported", "keystroke_log": None}
    await run(empty_url, "alembic", "upgrade", "0005")
    async with opened_database(empty_url) as database:
        older = [column for column in attempts.c if column.name != "counts"]
        add = insert(table("attempts", *(column_of(each.name, each.type) for each in older)))
        async with database.write() as connection:
            await connection.execute(text(ADD_GUEST), {"id": "somebody"})
            for row in (typed, reported):
                del row["counts"]
                await connection.execute(add, row)
        await database.migrate()
        found = await rows(database, "SELECT id, counts FROM attempts")
        counts = {row["id"]: row["counts"] for row in found}
        assert counts.pop("reported") is None
        assert unpack_counts(counts.pop(typed["id"])) == unpack_counts(made["counts"])
        (person_row,) = await rows(database, "SELECT history_version FROM users")
        assert person_row["history_version"] == 0


async def test_processes_that_migrate_at_once_take_turns(empty_url: str) -> None:
    await asyncio.gather(*(run(empty_url, "server", "migrate") for _ in range(2)))
    assert await tables(empty_url) == TABLES


async def test_a_migration_waits_for_another_under_way(empty_url: str) -> None:
    async with opened_database(empty_url) as first, opened_database(empty_url) as second:
        first.gate = Gate()
        migrating = asyncio.create_task(first.migrate())
        await first.gate.reached.wait()
        waiting = asyncio.create_task(second.migrate())
        await asyncio.sleep(0.2)
        assert not waiting.done()
        first.gate.open.set()
        await asyncio.gather(migrating, waiting)
    assert await tables(empty_url) == TABLES


async def test_a_migration_that_fails_leaves_no_half_of_itself(empty_url: str) -> None:
    async with opened_database(empty_url) as database:
        async with database.write() as connection:
            # The last table it makes is in the way.
            await connection.execute(text("CREATE TABLE journal (id INTEGER)"))
        with pytest.raises(Exception, match="already exists"):
            await database.migrate()
    assert await tables(empty_url) <= {"journal", "alembic_version"}
