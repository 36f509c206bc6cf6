"""Where keystrokes become durable: one writer commits all that waits in one transaction.

An entry is settled after its commit returned, never before. A store that is slow or away makes
entries wait; none is dropped, and the writer tries again until it answers.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from itertools import chain
from operator import itemgetter
from time import monotonic
from typing import Any, Protocol
from uuid import uuid4

from sqlalchemy import Connection, bindparam, delete, func, select, text, update

from server.core.attempt import Batch
from server.core.key_stats import KeyStats
from server.db.batches import keep_batches
from server.db.bests import RANKED, Best, Change, keep_bests
from server.db.database import STORE_ERRORS, Database, refused_for_good
from server.db.queries import (
    OPEN_STATES,
    attempts,
    change_histories,
    journal,
    key_confusions,
    key_counters,
)
from server.db.statements import INSERT, in_order
from server.metrics import Metrics

log = logging.getLogger(__name__)

GROUP_MAX = 1_024
GATHER_S = 0.02  # a commit costs the same for one as for many: wait a little for company
STALL_S = 0.15  # an ack follows its batch within 250 ms, or the client hears why not
WATCH_S = 0.05
RETRY_S = 0.1
RETRY_S_MAX = 1.0


@dataclass(frozen=True, slots=True)
class Ending:
    """What the end of an attempt stores: its columns, and what its keys add to the counters."""

    user_id: str
    category: str
    language: str
    layout: str
    columns: dict[str, Any]
    keys: dict[str, KeyStats]


class Outcome(Enum):
    COMMITTED = auto()
    FENCED = auto()  # another connection has taken the attempt, or it has ended
    IMPOSSIBLE = auto()  # the store will never take this entry


_NAMES = {outcome: outcome.name.lower() for outcome in Outcome}


class Owner(Protocol):
    """Who waits for an entry."""

    def settled(self, entry: "Entry", outcome: Outcome, personal_best: float | None) -> None: ...

    def stalled(self) -> None:
        """The store is slow: an entry of this owner still waits."""


@dataclass(slots=True, eq=False)
class Entry:
    """New keystrokes of one attempt, its ending, or both; written under `epoch` or not at all."""

    owner: Owner
    attempt_id: str
    epoch: int
    batch: Batch | None = None
    ending: Ending | None = None
    queued_at_s: float = 0.0
    settled: bool = False
    told: bool = False  # its owner knows that it waits


class Journal:
    """The one writer of keystrokes and endings in this process.

    `heard` is told how leaderboards have changed, in the order of their versions.
    """

    def __init__(
        self,
        database: Database,
        metrics: Metrics | None = None,
        now_ms: Callable[[], int] = lambda: 0,
    ) -> None:
        self.metrics = metrics or Metrics()
        self.heard: Callable[[Sequence[Change]], None] = lambda _changes: None
        self._database = database
        self._writer = uuid4().hex
        self._now_ms = now_ms
        self._waiting: deque[Entry] = deque()
        self._group: list[Entry] = []
        self._work = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def write(self, entry: Entry) -> None:
        """Queue an entry; its owner's `settled` is called when its fate is known.

        Entries of one attempt settle in the order in which they were written.
        """
        entry.queued_at_s = monotonic()
        self._waiting.append(entry)
        if len(self._waiting) == 1:
            self._idle.clear()
            self._work.set()

    def waiting(self) -> int:
        """How many entries are not settled."""
        return len(self._waiting) + sum(not entry.settled for entry in self._group)

    def waiting_s(self) -> float:
        """For how long the oldest of them has waited."""
        oldest = next(
            (entry for entry in (*self._group, *self._waiting) if not entry.settled), None
        )
        return 0.0 if oldest is None else monotonic() - oldest.queued_at_s

    async def flush(self) -> None:
        """Wait until everything written so far is settled."""
        await self._idle.wait()

    async def run(self) -> None:
        """Commit until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._commit_groups())
            tasks.create_task(self._watch())

    async def _commit_groups(self) -> None:
        while True:
            await self._work.wait()
            if len(self._waiting) < GROUP_MAX:
                await asyncio.sleep(GATHER_S)
            count = min(len(self._waiting), GROUP_MAX)
            self._group = [self._waiting.popleft() for _ in range(count)]
            await self._commit_until_done(self._group)
            self._group = []
            if not self._waiting:
                self._work.clear()
                self._idle.set()

    async def _commit_until_done(self, group: Sequence[Entry]) -> None:
        retry_s = RETRY_S
        while True:
            try:
                fates = await self._commit(group)
            except Exception as error:
                # What the store will never take, or its driver cannot even say, must not wait.
                if refused_for_good(error) or not isinstance(error, STORE_ERRORS):
                    await self._commit_apart(group, error)
                    return
                log.warning("the store does not answer, %d wait: %r", len(group), error)
                await asyncio.sleep(retry_s)
                retry_s = min(retry_s * 2, RETRY_S_MAX)
                continue
            for entry in group:
                self._settle(entry, *fates.get(entry, _COMMITTED))
            return

    async def _commit_apart(self, group: Sequence[Entry], error: Exception) -> None:
        # One entry that the store refuses for good must not hold up everybody else's.
        if len(group) == 1:
            log.error("an entry of attempt %s cannot be stored: %r", group[0].attempt_id, error)
            self._settle(group[0], Outcome.IMPOSSIBLE, None)
            return
        for entry in group:
            await self._commit_until_done([entry])

    async def _commit(self, group: Sequence[Entry]) -> "_Fates":
        changes, fates = await self._database.transact(partial(self._store, group), first=True)
        self.heard(changes)
        return fates

    def _store(
        self, group: Sequence[Entry], connection: Connection
    ) -> tuple[list[Change], "_Fates"]:
        """Store the group; what becomes of those entries that are not just committed."""
        change_histories(connection, {entry.ending.user_id for entry in group if entry.ending})
        fates = _astray(connection, group)
        live = [entry for entry in group if entry not in fates] if fates else group
        keep_batches(connection, [(one.attempt_id, one.batch) for one in live if one.batch])
        ended = [entry for entry in live if entry.ending]
        if not ended:
            return [], fates
        bests = _end(connection, ended)
        changes = keep_bests(connection, self._writer, _ranked(ended), self._now_ms())
        _count_keys(connection, [entry.ending for entry in ended if entry.ending])
        fates |= {entry: (Outcome.COMMITTED, bests[entry.attempt_id]) for entry in ended}
        return changes, fates

    def _settle(self, entry: Entry, outcome: Outcome, personal_best: float | None) -> None:
        entry.settled = True
        self.metrics.settled(_NAMES[outcome], monotonic() - entry.queued_at_s)
        if entry.ending is not None and outcome is Outcome.COMMITTED:
            self.metrics.stored_result(entry.ending.columns["verdict"])
        try:
            entry.owner.settled(entry, outcome, personal_best)
        except Exception:
            # One owner's fault is not the others': their keystrokes go on being stored.
            log.exception("the owner of attempt %s failed", entry.attempt_id)

    async def _watch(self) -> None:
        while True:
            await self._work.wait()
            await asyncio.sleep(WATCH_S)
            self._tell_of_slow()  # by itself: what this task names lives until it wakes again

    def _tell_of_slow(self) -> None:
        slow_before_s = monotonic() - STALL_S
        for entry in chain(self._group, self._waiting):
            if entry.queued_at_s > slow_before_s:
                break
            if not entry.settled and not entry.told:
                entry.told = True
                entry.owner.stalled()


_Fate = tuple[Outcome, float | None]  # with the personal best of an ending
_Fates = dict[Entry, _Fate]
_COMMITTED: _Fate = (Outcome.COMMITTED, None)  # what becomes of nearly all
_FENCED: _Fate = (Outcome.FENCED, None)

# Rows of those alone that surprise: with each row SQLite gives up its turn to run Python.
_find_astray = {
    # Its one writer has locked everything.
    "sqlite": text(
        "SELECT key AS id, attempts.epoch, state, personal_best"
        " FROM json_each(:epochs) LEFT JOIN attempts ON attempts.id = key"
        " WHERE attempts.epoch IS NOT value OR state NOT IN ('armed', 'running')"
    ),
    # In order: two writers that lock the same rows must not wait for each other.
    "postgresql": text(
        "SELECT key AS id, locked.epoch, state, personal_best"
        " FROM json_each_text(CAST(:epochs AS json)) LEFT JOIN ("
        " SELECT id, epoch, state, personal_best FROM attempts"
        " WHERE id IN (SELECT json_object_keys(CAST(:epochs AS json))) ORDER BY id FOR UPDATE"
        " ) AS locked ON locked.id = key"
        " WHERE locked.epoch IS DISTINCT FROM CAST(value AS integer)"
        " OR state NOT IN ('armed', 'running')"
    ),
}
_best = select(func.max(attempts.c.wpm)).where(
    attempts.c.user_id == bindparam("user"),
    attempts.c.category == bindparam("category"),
    RANKED,
)
_delete_batches = delete(journal).where(journal.c.attempt_id == bindparam("attempt"))
ENDING_COLUMNS = (
    "state",
    "started_at_ms",
    "finished_at_ms",
    "position",
    "duration_ms",
    "wpm",
    "raw_wpm",
    "accuracy",
    "errors",
    "uncorrected",
    "consistency",
    "keys",
    "text_length",
    "events",
    "late_ms",
    "scorer",
    "personal_best",
    "verdict",
    "why",
    "keystroke_log",
    "counts",
)
_end_attempt = (
    update(attempts)
    .where(attempts.c.id == bindparam("attempt"))
    .values(
        {name: bindparam(f"new_{name}", type_=attempts.c[name].type) for name in ENDING_COLUMNS}
    )
)


def _who(entry: Entry) -> tuple[str, int]:
    return entry.attempt_id, entry.epoch


def _astray(connection: Connection, group: Sequence[Entry]) -> _Fates:
    """Lock the attempts; what becomes of entries for those that are not open, or not ours."""
    # UUIDs: there is nothing to escape.
    epochs = ",".join([f'"{entry.attempt_id}":{entry.epoch}' for entry in group])
    find = _find_astray[connection.dialect.name]
    found = connection.execute(find, {"epochs": f"{{{epochs}}}"}).all()
    if not found:
        return {}
    rows = {row.id: row for row in found}
    fates = {}
    for entry in group:
        row = rows.get(entry.attempt_id)
        if row is None:
            continue
        if row.epoch != entry.epoch:
            fates[entry] = _FENCED
        elif row.state not in OPEN_STATES:
            # An earlier try of this very group was committed and the answer was lost.
            fates[entry] = (Outcome.COMMITTED, row.personal_best)
    return fates


def _end(connection: Connection, entries: Sequence[Entry]) -> dict[str, float | None]:
    bests: dict[str, float | None] = {}
    known: dict[tuple[str, str], float | None] = {}  # a person may end two in one group
    ended = []
    for entry in entries:
        if (ending := entry.ending) is None:
            raise RuntimeError("only what ends has an ending to write")
        best = _personal_best(connection, ending, known)
        bests[entry.attempt_id] = best
        columns = {**ending.columns, "personal_best": best}
        values = {f"new_{name}": columns[name] for name in ENDING_COLUMNS}
        ended.append({"attempt": entry.attempt_id, **values})
    connection.execute(_end_attempt, ended)
    connection.execute(_delete_batches, [{"attempt": entry.attempt_id} for entry in entries])
    return bests


def _ranked(entries: Sequence[Entry]) -> list[tuple[str, Best]]:
    names = ("wpm", "accuracy", "finished_at_ms")
    return [
        (end.category, Best(end.user_id, *(end.columns[name] for name in names)))
        for entry in entries
        if (end := entry.ending) is not None and end.columns["verdict"] == "ranked"
    ]


def _personal_best(
    connection: Connection, ending: Ending, known: dict[tuple[str, str], float | None]
) -> float | None:
    wpm: float | None = ending.columns["wpm"]
    if wpm is None:
        return None
    whose = ending.user_id, ending.category
    if whose not in known:
        found = connection.execute(_best, {"user": ending.user_id, "category": ending.category})
        known[whose] = found.scalar_one()
    best = known[whose]
    if ending.columns["verdict"] == "ranked":
        best = known[whose] = wpm if best is None else max(best, wpm)
    return best


def _counter_statements(dialect: str) -> tuple[str, str]:
    into = INSERT[dialect]
    counters = into(key_counters)
    added = ("presses", "errors", "latency_sum_ms", "latency_count")
    counters = counters.on_conflict_do_update(
        index_elements=["user_id", "language", "layout", "key"],
        set_={name: key_counters.c[name] + counters.excluded[name] for name in added},
    )
    confusions = into(key_confusions)
    confusions = confusions.on_conflict_do_update(
        index_elements=["user_id", "language", "layout", "key", "typed"],
        set_={"count": key_confusions.c.count + confusions.excluded.count},
    )
    return in_order(counters, dialect), in_order(confusions, dialect)


_count = {dialect: _counter_statements(dialect) for dialect in INSERT}


def _count_keys(connection: Connection, endings: Sequence[Ending]) -> None:
    counters, confusions = _count[connection.dialect.name]
    # Sorted, so that two processes which add to the same rows cannot wait for each other.
    rows = sorted(
        [
            ((ending.user_id, ending.language, ending.layout, key), stats)
            for ending in endings
            for key, stats in ending.keys.items()
        ],
        key=itemgetter(0),
    )
    if not rows:
        return
    counted = [
        (*row, stats.presses, stats.errors, stats.latency_sum_ms, stats.latency_count)
        for row, stats in rows
    ]
    connection.exec_driver_sql(counters, counted)
    wrong = [
        (*row, typed, count)
        for row, stats in rows
        if stats.confusions
        for typed, count in sorted(stats.confusions.items())
    ]
    if wrong:
        connection.exec_driver_sql(confusions, wrong)
