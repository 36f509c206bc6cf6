"""Batches of running attempts, in the two forms the store has of them.

A commit writes all its batches as one row of `commits`, in the order in which they came: a crowd
that types touches few pages then. Every few seconds `sort_batches` puts them where they are found
by attempt, in `journal`. Whoever reads looks into both; a batch may stand in both for a while.
"""

import asyncio
import struct
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from time import monotonic
from typing import NamedTuple

from sqlalchemy import (
    Connection,
    LargeBinary,
    bindparam,
    delete,
    func,
    insert,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from server.core.attempt import Batch
from server.core.replay import pack_keystrokes, unpack_keystrokes
from server.db.database import Database
from server.db.statements import INSERT, in_order
from server.db.tables import metadata

attempts = metadata.tables["attempts"]
commits = metadata.tables["commits"]
journal = metadata.tables["journal"]

ATTEMPTS_AT_ONCE = 50  # that are sorted in one transaction: others must not wait for long
_head = struct.Struct("!36sIqH")  # attempt, seq, arrived_at_ms, bytes of keystrokes


class Stored(NamedTuple):
    """A batch as a row of `journal` has it."""

    attempt_id: str
    seq: int
    arrived_at_ms: int
    keystrokes: bytes

    def batch(self) -> Batch:
        return Batch(self.seq, self.arrived_at_ms, unpack_keystrokes(self.keystrokes))


_insert_commit = insert(commits)
_holding = {
    "sqlite": func.instr(commits.c.batches, bindparam("id", type_=LargeBinary)) > 0,
    "postgresql": func.position(bindparam("id", type_=LargeBinary).op("IN")(commits.c.batches)) > 0,
}
_unsorted = {
    dialect: select(commits.c.batches).where(holding).order_by(commits.c.n)
    for dialect, holding in _holding.items()
}
_sorted = select(journal).where(journal.c.attempt_id == bindparam("id"))
_sort = {
    name: in_order(into(journal).on_conflict_do_nothing(), name) for name, into in INSERT.items()
}
_open = (
    select(attempts.c.id)
    .where(
        attempts.c.id.in_(bindparam("ids", expanding=True)),
        attempts.c.state.in_(bindparam("states", expanding=True)),
    )
    .order_by(attempts.c.id)
    .with_for_update()
)
_commits = select(commits.c.n, commits.c.batches).order_by(commits.c.n)
_forget = delete(commits).where(commits.c.n.in_(bindparam("ns", expanding=True)))


def keep_batches(connection: Connection, batches: Iterable[tuple[str, Batch]]) -> None:
    """Store new batches, each with the id of its attempt."""
    packed = bytearray()
    for attempt_id, (seq, arrived_at_ms, keystrokes) in batches:
        pressed = pack_keystrokes(keystrokes)
        packed += _head.pack(attempt_id.encode(), seq, arrived_at_ms, len(pressed)) + pressed
    if packed:
        connection.execute(_insert_commit, {"batches": bytes(packed)})


def _unpack(packed: bytes) -> Iterator[Stored]:
    at = 0
    while at < len(packed):
        attempt, seq, arrived_at_ms, length = _head.unpack_from(packed, at)
        at += _head.size + length
        yield Stored(attempt.decode(), seq, arrived_at_ms, packed[at - length : at])


async def load_batches(connection: AsyncConnection, attempt_id: str) -> list[Batch]:
    """Every batch of a running attempt, in order."""
    unsorted = _unsorted[connection.dialect.name]
    # Those first: what is sorted in between stands in the journal by the time that is read.
    packed = (await connection.execute(unsorted, {"id": attempt_id.encode()})).scalars().all()
    rows = (await connection.execute(_sorted, {"id": attempt_id})).all()
    found = {row.seq: Stored(*row) for row in rows}
    for commit in packed:
        found |= {one.seq: one for one in _unpack(commit) if one.attempt_id == attempt_id}
    return [found[seq].batch() for seq in sorted(found)]


async def sort_batches(database: Database, states: Collection[str]) -> None:
    """Move what has been committed to where it is found by attempt, if that is in these states.

    Nobody who commits waits for more than a few attempts of it.
    """
    async with database.read() as connection:
        commits = (await connection.execute(_commits)).all()
    if not commits:
        return
    by_attempt = await asyncio.to_thread(_by_attempt, [commit.batches for commit in commits])
    ids = iter(sorted(by_attempt))
    while some := list(islice(ids, ATTEMPTS_AT_ONCE)):
        stored = [one for attempt_id in some for one in _unpack(bytes(by_attempt[attempt_id]))]
        began_s = monotonic()
        await database.transact(partial(_sort_some, some, stored, states))
        await asyncio.sleep(monotonic() - began_s)
    # These alone: another process may have committed one with a lower number since.
    await database.transact(partial(_forget_commits, [commit.n for commit in commits]))


def _by_attempt(commits: Iterable[bytes]) -> dict[str, bytearray]:
    """The batches of each attempt, packed as they were: objects would be looked through by the
    garbage collector, a hundred thousand of them while everybody waits."""
    by_attempt: dict[str, bytearray] = {}
    for packed in commits:
        at = 0
        while at < len(packed):
            attempt, _, _, length = _head.unpack_from(packed, at)
            end = at + _head.size + length
            by_attempt.setdefault(attempt.decode(), bytearray()).extend(packed[at:end])
            at = end
    return by_attempt


def _sort_some(
    ids: Sequence[str], stored: Sequence[Stored], states: Collection[str], connection: Connection
) -> None:
    # Locked, so that none ends before what is sorted here can be found and deleted with it.
    asked = {"ids": ids, "states": list(states)}
    still_open = set(connection.execute(_open, asked).scalars())
    rows = [tuple(one) for one in stored if one.attempt_id in still_open]
    if rows:
        connection.exec_driver_sql(_sort[connection.dialect.name], rows)


def _forget_commits(ns: Sequence[int], connection: Connection) -> None:
    connection.execute(_forget, {"ns": ns})
