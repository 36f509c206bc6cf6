"""People and attempts in a store, typed by hand, for the tests of what lies between."""

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, RowMapping, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.util import await_only

from server.core.attempt import Batch, EndReason
from server.core.source import Source, SourceKind
from server.core.typed_text import ErrorRule, Keystroke
from server.db.batches import load_batches, sort_batches
from server.db.bests import Best, keep_bests
from server.db.database import Database
from server.db.journal import Entry, Journal, Outcome
from server.db.queries import (
    OPEN_STATES,
    NewAttempt,
    Person,
    StoredAttempt,
    attempts,
    change_histories,
    create_attempt,
    resume_attempt,
    users,
)
from server.live.result import ending
from tests.expected_score import Event, expected_counters, replay
from tests.fill import placed

OPENED_AT_MS = 1_790_000_000_000
TEXT = "a bad cab"
T = TypeVar("T")


def person() -> Person:
    """A guest nobody has seen yet."""
    return Person(str(uuid.uuid4()), "Guest", True)


def custom(words: str) -> Source:
    return Source(SourceKind.CUSTOM, text=words)


async def new_attempt(
    database: Database,
    who: Person,
    words: str = TEXT,
    *,
    source: Source | None = None,
    rule: ErrorRule = ErrorRule.FREE,
    opened_at_ms: int = OPENED_AT_MS,
    language: str | None = "en",
    layout: str = "qwerty",
) -> StoredAttempt:
    """A stored attempt of `words`, just opened."""
    new = NewAttempt(str(uuid.uuid4()), source or custom(words), rule, words, language, layout)
    stored = await create_attempt(database, new, who, opened_at_ms)
    assert stored is not None
    return stored


async def add_row(database: Database, row: dict[str, Any]) -> None:
    """Store an ended attempt as it stands, and what follows from it for everything else."""
    best = Best(*(row[name] for name in ("user_id", "wpm", "accuracy", "finished_at_ms")))
    async with database.write() as connection:
        await connection.execute(insert(attempts), row)
        await connection.run_sync(change_histories, [row["user_id"]])
        if row["verdict"] == "ranked":
            await connection.run_sync(
                keep_bests, "by hand", [(row["category"], best)], best.finished_at_ms
            )


async def add_people(database: Database, *ids: str) -> None:
    """People with accounts, named by their ids."""
    people = [
        {"id": one, "name": one, "guest": False, "created_at_ms": 0, "token_version": 0}
        for one in ids
    ]
    async with database.write() as connection:
        await connection.execute(insert(users), people)


async def add_attempt(
    database: Database, made: dict[str, Any], user_id: str, at_ms: int, **columns: Any
) -> dict[str, Any]:
    """Store the model as the person's attempt, which ended at that time."""
    row = placed(made, user_id, 0, 1.0, Random(f"{user_id}{made['category']}{at_ms}{columns}"))
    row |= {"started_at_ms": at_ms - 1_000, "finished_at_ms": at_ms, **columns}
    await add_row(database, row)
    return row


async def change(database: Database, statement: str, **values: Any) -> None:
    """Change the store behind the program's back."""
    async with database.write() as connection:
        await connection.execute(text(statement), values)


async def resumed(
    database: Database, attempt_id: str, who: Person, now_ms: int = OPENED_AT_MS + 60_000
) -> StoredAttempt:
    """The attempt, taken for a new connection."""
    stored = await resume_attempt(database, attempt_id, who, None, None, now_ms)
    assert stored is not None
    return stored


def type_batch(
    stored: StoredAttempt, keys: Sequence[str], dt_ms: int = 100, arrives_ms: int = 0
) -> Batch:
    """Type `keys` where the attempt stands, about one each `dt_ms`, in no machine's rhythm.

    They arrive `arrives_ms` after they were typed.
    """
    attempt = stored.attempt
    rhythm = Random(attempt.seq)
    keystrokes = [Keystroke(dt_ms * rhythm.randint(40, 160) // 100, key) for key in keys]
    if attempt.seq == 0:
        keystrokes[0] = Keystroke(0, keys[0])
    at_ms = attempt.typed_text.at_ms + sum(keystroke.dt_ms for keystroke in keystrokes)
    batch = attempt.receive(attempt.seq + 1, keystrokes, attempt.opened_at_ms + at_ms + arrives_ms)
    assert batch is not None
    return batch


@dataclass
class Recorder:
    """An owner of entries who writes down what it is told."""

    outcomes: list[tuple[Entry, Outcome, float | None]] = field(default_factory=list)
    stalls: int = 0

    def settled(self, entry: Entry, outcome: Outcome, personal_best: float | None) -> None:
        self.outcomes.append((entry, outcome, personal_best))

    def stalled(self) -> None:
        self.stalls += 1

    def entry(self, stored: StoredAttempt, batch: Batch | None = None) -> Entry:
        """New keystrokes of the attempt."""
        return Entry(self, stored.row["id"], stored.epoch, batch)

    def end(
        self, stored: StoredAttempt, batch: Batch | None = None, why: EndReason = EndReason.DONE
    ) -> Entry:
        """The end of the attempt as it stands, with its last keystrokes."""
        attempt = stored.attempt
        reason = attempt.end(why, attempt.last_arrived_at_ms or attempt.opened_at_ms)
        end = ending(attempt, dict(stored.row), reason)
        return Entry(self, stored.row["id"], stored.epoch, batch, end)

    @property
    def settled_entries(self) -> list[Entry]:
        return [entry for entry, _, _ in self.outcomes]

    def told(self, entry: Entry) -> tuple[Outcome, float | None]:
        """What was said of this entry, which must have been said once."""
        (found,) = [(outcome, best) for told, outcome, best in self.outcomes if told is entry]
        return found


@dataclass
class Gate:
    """Where a transaction waits until the test lets it go on."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    open: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait(self) -> None:
        self.reached.set()
        await self.open.wait()

    def hold(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wait within a transaction, which is in a thread of its own or in a greenlet."""
        if asyncio._get_running_loop() is None:
            asyncio.run_coroutine_threadsafe(self.wait(), loop).result()
        else:
            await_only(self.wait())


class FaultyDatabase(Database):
    """A store that is away while `away` is set, or commits and then loses its answer.

    A `gate` that is set holds a transaction before its COMMIT until `gate.open`. `commits`
    counts the transactions that were committed.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.away: Exception | None = None
        self.answers_to_lose = 0
        self.commits = 0
        self.gate: Gate | None = None

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        if self.away is not None:
            raise self.away
        async with super().write() as connection:
            yield connection
            if self.gate is not None:
                await self.gate.wait()
        self._committed()

    async def transact(self, work: Callable[[Connection], T], *, first: bool = False) -> T:
        if not self.embedded:
            return await super().transact(work, first=first)  # which goes through `write`
        if self.away is not None:
            raise self.away
        loop = asyncio.get_running_loop()

        def held(connection: Connection) -> T:
            done = work(connection)
            if self.gate is not None:
                self.gate.hold(loop)
            return done

        done = await super().transact(held, first=first)
        self._committed()
        return done

    def _committed(self) -> None:
        self.commits += 1
        if self.answers_to_lose:
            self.answers_to_lose -= 1
            raise ConnectionResetError("the answer to COMMIT was lost")


@asynccontextmanager
async def opened_database(url: str) -> AsyncIterator[FaultyDatabase]:
    """A `Database` on `url`, closed when the block ends."""
    database = FaultyDatabase(url)
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def running(journal: Journal) -> AsyncIterator[Journal]:
    """The journal at work; it must still be at work when the block ends."""
    work = asyncio.create_task(journal.run())
    try:
        yield journal
        assert not work.done(), "the journal has stopped"
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


async def eventually(holds: Callable[[], bool], within_s: float = 5.0) -> None:
    """Return as soon as it holds; fail when it does not for `within_s`."""
    deadline_s = asyncio.get_running_loop().time() + within_s
    while not holds():
        assert asyncio.get_running_loop().time() < deadline_s, "it never came to hold"
        await asyncio.sleep(0.005)


async def rows(database: Database, question: str, **values: Any) -> Sequence[RowMapping]:
    """The rows that answer an SQL question."""
    async with database.read() as connection:
        return (await connection.execute(text(question), values)).mappings().all()


async def attempt_row(database: Database, stored: StoredAttempt) -> RowMapping:
    """The attempt's row as it stands."""
    question = select(attempts).where(attempts.c.id == stored.row["id"])
    async with database.read() as connection:
        return (await connection.execute(question)).mappings().one()


async def batches_of(database: Database, attempt_id: str) -> list[Batch]:
    """The batches that whoever takes the attempt would find."""
    async with database.read() as connection:
        return await load_batches(connection, attempt_id)


async def journal_seqs(database: Database, stored: StoredAttempt) -> list[int]:
    """The first numbers of the batches in the journal, once all are sorted into it."""
    await sort_batches(database, OPEN_STATES)
    assert await rows(database, "SELECT n FROM commits") == []
    question = "SELECT seq FROM journal WHERE attempt_id = :id ORDER BY seq"
    return [row["seq"] for row in await rows(database, question, id=stored.row["id"])]


class Counters(NamedTuple):
    """What the store counts for a person: by key, and by key and what was typed instead."""

    keys: dict[str, tuple[int, int, int, int]]
    confusions: dict[tuple[str, str], int]


async def stored_counters(database: Database, who: Person) -> Counters:
    """The person's counters in the store."""
    keys = await rows(database, "SELECT * FROM key_counters WHERE user_id = :id", id=who.id)
    wrong = await rows(database, "SELECT * FROM key_confusions WHERE user_id = :id", id=who.id)
    return Counters(
        {
            row["key"]: (
                row["presses"],
                row["errors"],
                row["latency_sum_ms"],
                row["latency_count"],
            )
            for row in keys
        },
        {(row["key"], row["typed"]): row["count"] for row in wrong},
    )


def recounted(typed: Sequence[StoredAttempt]) -> Counters:
    """The same counters, counted once more from what was typed."""
    keys: Counter[tuple[str, int]] = Counter()
    confusions: Counter[tuple[str, str]] = Counter()
    for stored in typed:
        words = stored.row["text"]
        events = [Event(keystroke.dt_ms, keystroke.key) for keystroke in stored.attempt.log]
        for key, counts in expected_counters(words, events).items():
            keys.update({(key, place): count for place, count in enumerate(counts)})
        for press in replay(words, events)[1]:
            if press.expected is not None and not press.right:
                confusions[press.expected.casefold(), press.typed] += 1
    names = {key for key, _ in keys}
    return Counters(
        {key: (keys[key, 0], keys[key, 1], keys[key, 2], keys[key, 3]) for key in names},
        dict(confusions),
    )
