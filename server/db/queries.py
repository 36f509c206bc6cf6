"""People, passages and attempts: what to open one is asked, and what other questions share."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Connection,
    RowMapping,
    Select,
    bindparam,
    func,
    literal_column,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from server.core.attempt import AWAY_GRACE_MS, Attempt, AttemptState, Batch, away_due_at_ms
from server.core.replay import unpack_log
from server.core.source import Source, SourceKind
from server.core.text import Text
from server.core.typed_text import ErrorRule, TypedText
from server.db.batches import load_batches
from server.db.database import Database
from server.db.statements import INSERT
from server.db.tables import GUEST_VERSION, metadata

users = metadata.tables["users"]
texts = metadata.tables["texts"]
attempts = metadata.tables["attempts"]
journal = metadata.tables["journal"]
key_counters = metadata.tables["key_counters"]
key_confusions = metadata.tables["key_confusions"]
bests = metadata.tables["bests"]
board_versions = metadata.tables["board_versions"]

OPEN_STATES = (AttemptState.ARMED.value, AttemptState.RUNNING.value)
# Said in the statement itself: only so does a store use the index of open attempts alone.
UNDER_WAY = attempts.c.state.in_([literal_column(f"'{state}'") for state in OPEN_STATES])


class AttemptNotFound(Exception):
    """There is no such attempt, or it is another person's."""


class AttemptDiffers(Exception):
    """The attempt was opened with another source or other rules."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who is connected. A guest's row is made with its first attempt."""

    id: str
    name: str
    guest: bool


@dataclass(frozen=True, slots=True)
class NewAttempt:
    """What a first `open` decides for good."""

    id: str
    source: Source
    rule: ErrorRule
    text: str
    language: str | None
    layout: str


@dataclass(frozen=True, slots=True)
class StoredAttempt:
    """An attempt as the store has it: its row, and its keystrokes replayed."""

    row: Mapping[Any, Any]
    attempt: Attempt

    @property
    def epoch(self) -> int:
        return int(self.row["epoch"])


def category(source: Source) -> str:
    """Which attempts share a personal best: the same kind, parameters and language."""
    if source.kind is SourceKind.CUSTOM:
        return f"custom:{hashlib.sha256((source.text or '').encode()).hexdigest()}"
    return ":".join(str(value) for value in source.public().values())


def limit_ms(source: Mapping[str, Any]) -> int | None:
    """How long a stored source's attempt may last; None if it is not timed."""
    seconds = source.get("seconds")
    return None if seconds is None else int(seconds) * 1_000


def from_start(source: Mapping[str, Any]) -> bool:
    """Whether a stored source's attempt is timed from a start, as in a race."""
    return bool(source["kind"] == SourceKind.RACE.value)


# People


async def find_user(database: Database, user_id: str) -> RowMapping | None:
    async with database.read() as connection:
        found = await connection.execute(select(users).where(users.c.id == user_id))
        return found.mappings().one_or_none()


_insert_guest = {name: into(users).on_conflict_do_nothing() for name, into in INSERT.items()}


async def keep_guest(connection: AsyncConnection, person: Person, now_ms: int) -> None:
    """Store a guest's row with the first thing that is theirs. Does nothing for others."""
    await connection.run_sync(insert_guest, person, now_ms)


def insert_guest(connection: Connection, person: Person, now_ms: int) -> None:
    """The same, within `Database.transact`."""
    if not person.guest:
        return
    connection.execute(
        _insert_guest[connection.dialect.name],
        {
            "id": person.id,
            "name": person.name,
            "guest": True,
            "created_at_ms": now_ms,
            "token_version": GUEST_VERSION,
        },
    )


_changed = (
    update(users)
    .where(users.c.id == bindparam("user"))
    .values(history_version=users.c.history_version + 1)
)


def change_histories(connection: Connection, user_ids: Iterable[str]) -> None:
    """Say that what was made of these people's history is old once this transaction is committed.

    People are locked before their attempts, in this order, by everybody who locks both.
    """
    people = [{"user": user_id} for user_id in sorted(set(user_ids))]
    if people:
        connection.execute(_changed, people)


# Texts


async def store_texts(database: Database, rows: Sequence[dict[str, Any]]) -> None:
    """Add the passages that ship with the program, or bring them up to date."""
    if not rows:
        return
    async with database.write() as connection:
        statement = INSERT[connection.dialect.name](texts)
        columns = ("language", "length", "title", "text")
        statement = statement.on_conflict_do_update(
            index_elements=["id"], set_={name: statement.excluded[name] for name in columns}
        )
        await connection.execute(statement, rows)


async def find_text(database: Database, text_id: str) -> RowMapping | None:
    async with database.read() as connection:
        found = await connection.execute(select(texts).where(texts.c.id == text_id))
        return found.mappings().one_or_none()


async def list_texts(database: Database, language: str, length: str) -> Sequence[RowMapping]:
    """All passages of a language and length, by id."""
    question = select(texts).where(texts.c.language == language, texts.c.length == length)
    async with database.read() as connection:
        return (await connection.execute(question.order_by(texts.c.id))).mappings().all()


# Attempts


_insert_attempt = {
    name: into(attempts).on_conflict_do_nothing().returning(attempts.c.id)
    for name, into in INSERT.items()
}
_UNSET = dict.fromkeys(attempts.c.keys())  # the columns of a row of which nothing is said


async def create_attempt(
    database: Database, new: NewAttempt, person: Person, now_ms: int
) -> StoredAttempt | None:
    """Store a new attempt, and a guest's row with its first. None if the id is taken by now."""

    row = {
        "id": new.id,
        "user_id": person.id,
        "state": AttemptState.ARMED.value,
        "epoch": 1,
        "source": new.source.public(),
        "category": category(new.source),
        "kind": new.source.kind.value,
        "mode": new.source.mode,
        "self_reported": False,
        "rule": new.rule.value,
        "language": new.language,
        "layout": new.layout,
        "text": new.text,
        "opened_at_ms": now_ms,
        "outage_ms": 0,
        "got": False,
    }

    def create(connection: Connection) -> bool:
        insert_guest(connection, person, now_ms)
        added = connection.execute(_insert_attempt[connection.dialect.name], row)
        return added.one_or_none() is not None

    if not await database.transact(create):
        return None
    stored = _UNSET | row
    return StoredAttempt(stored, _replayed(stored, []))


_known = select(attempts.c.id).where(attempts.c.id == bindparam("id"))


async def resume_attempt(
    database: Database,
    attempt_id: str,
    person: Person,
    source: Source | None,
    rule: ErrorRule | None,
    now_ms: int,
) -> StoredAttempt | None:
    """Take a stored attempt for a new connection; None if there is none of that id.

    An open one gets a new epoch: what older connections still write is refused. Raises
    AttemptNotFound for another person's, AttemptDiffers for another source or rule.
    """
    # Most are new: looking first spares them a turn as the one who writes.
    async with database.read() as connection:
        known = await connection.execute(_known, {"id": attempt_id})
        if known.one_or_none() is None:
            return None
    async with database.write() as connection:
        row = await _lock(connection, attempt_id)
        if row is None:
            return None
        if row["user_id"] != person.id:
            raise AttemptNotFound
        if not _same(row, source, rule):
            raise AttemptDiffers
        if row["state"] not in OPEN_STATES:
            return _ended(row)
        attempt = _replayed(row, await load_batches(connection, attempt_id))
        attempt.resume(now_ms)
        return await _take(connection, row, attempt)


async def seize_attempt(database: Database, attempt_id: str) -> StoredAttempt | None:
    """Take an open attempt that nobody may be driving, to end it. None if it has ended."""
    async with database.write() as connection:
        row = await _lock(connection, attempt_id)
        if row is None or row["state"] not in OPEN_STATES:
            return None
        attempt = _replayed(row, await load_batches(connection, attempt_id))
        return await _take(connection, row, attempt)


async def _lock(connection: AsyncConnection, attempt_id: str) -> RowMapping | None:
    question: Select[Any] = select(attempts).where(attempts.c.id == attempt_id).with_for_update()
    row: RowMapping | None = (await connection.execute(question)).mappings().one_or_none()
    return row


async def _take(connection: AsyncConnection, row: RowMapping, attempt: Attempt) -> StoredAttempt:
    taken = await connection.execute(
        update(attempts)
        .where(attempts.c.id == row["id"])
        .values(epoch=row["epoch"] + 1, outage_ms=attempt.outage_ms)
        .returning(attempts)
    )
    return StoredAttempt(taken.mappings().one(), attempt)


def _same(row: RowMapping, source: Source | None, rule: ErrorRule | None) -> bool:
    if rule is not None and rule.value != row["rule"]:
        return False
    if source is None:
        return True
    if source.kind is SourceKind.CUSTOM and source.text != row["text"]:
        return False
    asked = source.public()
    if source.kind is SourceKind.LESSON:  # what was not asked for has been chosen for them
        asked = {**row["source"], **asked}
    return bool(asked == row["source"])


def _replayed(row: Mapping[Any, Any], batches: Sequence[Batch]) -> Attempt:
    source = row["source"]
    typed_text = TypedText(
        Text.of(row["text"]), ErrorRule(row["rule"]), limit_ms(source), from_start(source)
    )
    attempt = Attempt(typed_text, row["opened_at_ms"], row["outage_ms"])
    for batch in batches:
        attempt.restore(batch)
    return attempt


def _ended(row: RowMapping) -> StoredAttempt:
    log = row["keystroke_log"]
    batches = [] if log is None else list(unpack_log(log, row["opened_at_ms"]))
    attempt = _replayed(row, batches)
    attempt.state = AttemptState(row["state"])
    return StoredAttempt(row, attempt)


async def mark_got(database: Database, attempt_id: str, person: Person) -> None:
    """The client has the result: `open` repeats it no more."""
    async with database.write() as connection:
        await connection.execute(
            update(attempts)
            .where(
                attempts.c.id == attempt_id,
                attempts.c.user_id == person.id,
                attempts.c.state.not_in(OPEN_STATES),
            )
            .values(got=True)
        )


_epochs = select(attempts.c.id, attempts.c.epoch).where(
    attempts.c.id.in_(bindparam("ids", expanding=True))
)


async def load_epochs(database: Database, ids: Sequence[str]) -> dict[str, int]:
    """The epoch of each of these attempts that is stored."""
    async with database.read() as connection:
        rows = (await connection.execute(_epochs, {"ids": ids})).all()
    return {attempt_id: epoch for attempt_id, epoch in rows}


async def list_due(database: Database, now_ms: int) -> list[str]:
    """Open attempts that are due to end if no connection drives them, oldest first.

    Knows of what is sorted (db.batches) alone.
    """
    silent_before_ms = now_ms - AWAY_GRACE_MS
    heard = (
        select(
            journal.c.attempt_id,
            func.min(journal.c.arrived_at_ms).label("began_at_ms"),
            func.max(journal.c.arrived_at_ms).label("last_arrived_at_ms"),
        )
        .group_by(journal.c.attempt_id)
        .subquery()
    )
    question = (
        select(
            attempts.c.id,
            attempts.c.opened_at_ms,
            attempts.c.source,
            heard.c.began_at_ms,
            heard.c.last_arrived_at_ms,
        )
        .select_from(attempts.outerjoin(heard, heard.c.attempt_id == attempts.c.id))
        .where(
            UNDER_WAY,
            attempts.c.opened_at_ms < silent_before_ms,
            func.coalesce(heard.c.last_arrived_at_ms, 0) < silent_before_ms,
        )
        .order_by(attempts.c.opened_at_ms)
    )
    async with database.read() as connection:
        rows = (await connection.execute(question)).mappings().all()
    return [
        row["id"]
        for row in rows
        if now_ms
        >= away_due_at_ms(
            row["opened_at_ms"],
            row["began_at_ms"],
            row["last_arrived_at_ms"],
            limit_ms(row["source"]),
        )
    ]
