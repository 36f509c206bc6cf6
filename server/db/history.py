"""Questions about what a person has typed. Void and empty attempts have no result: none is here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    RowMapping,
    Select,
    String,
    func,
    insert,
    literal,
    select,
    tuple_,
)

from server.core.key_stats import KeyStats
from server.core.source import UNKNOWN_LANGUAGE
from server.db.database import Database
from server.db.queries import Person, attempts, keep_guest, key_confusions, key_counters

DAY_MS = 86_400_000
PREVIEW_CHARS = 80

_SHOWN = (
    "id",
    "verdict",
    "why",
    "self_reported",
    "source",
    "rule",
    "language",
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
)
_shown = (
    *(attempts.c[name] for name in _SHOWN),
    func.substr(attempts.c.text, 1, PREVIEW_CHARS).label("text_preview"),
)
_newest_first = (attempts.c.finished_at_ms.desc(), attempts.c.id.desc())


@dataclass(frozen=True, slots=True)
class Filter:
    """Which of a person's attempts; None means any. `until_ms` is the first instant after."""

    since_ms: int | None = None
    until_ms: int | None = None
    kind: str | None = None
    mode: str | None = None
    language: str | None = None
    layout: str | None = None
    verdict: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: the next one begins with the attempt after it."""

    finished_at_ms: int
    attempt_id: str


def _theirs(user_id: str, wanted: Filter) -> list[ColumnElement[bool]]:
    finished_at_ms = attempts.c.finished_at_ms
    found = [attempts.c.user_id == user_id, finished_at_ms.is_not(None)]
    if wanted.since_ms is not None:
        found.append(finished_at_ms >= wanted.since_ms)
    if wanted.until_ms is not None:
        found.append(finished_at_ms < wanted.until_ms)
    if wanted.language == UNKNOWN_LANGUAGE:
        found.append(attempts.c.language.is_(None))
    elif wanted.language is not None:
        found.append(attempts.c.language == wanted.language)
    for name in ("kind", "mode", "layout", "verdict"):
        value = getattr(wanted, name)
        if value is not None:
            found.append(attempts.c[name] == value)
    return found


async def list_history(
    database: Database,
    user_id: str,
    wanted: Filter,
    *,
    limit: int,
    offset: int = 0,
    after: Place | None = None,
) -> tuple[int, Sequence[RowMapping]]:
    """How many there are in all, and a page of them, newest first."""
    theirs = _theirs(user_id, wanted)
    on_page: Select[Any] = select(attempts.c.id).where(*theirs)
    if after is not None:
        place = tuple_(literal(after.finished_at_ms, BigInteger), literal(after.attempt_id, String))
        on_page = on_page.where(tuple_(attempts.c.finished_at_ms, attempts.c.id) < place)
    # The page is found in the index alone; only its own rows are read.
    page = on_page.order_by(*_newest_first).limit(limit).offset(offset).subquery()
    question = select(*_shown).join(page, page.c.id == attempts.c.id).order_by(*_newest_first)
    async with database.read() as connection:
        count = await connection.execute(select(func.count()).select_from(attempts).where(*theirs))
        total: int = count.scalar_one()
        return total, (await connection.execute(question)).mappings().all()


async def find_result(database: Database, user_id: str, attempt_id: str) -> RowMapping | None:
    """A person's attempt that has a result; None for another person's too."""
    question = select(*_shown).where(
        attempts.c.id == attempt_id,
        attempts.c.user_id == user_id,
        attempts.c.finished_at_ms.is_not(None),
    )
    async with database.read() as connection:
        return (await connection.execute(question)).mappings().one_or_none()


_log_columns = (
    attempts.c.text,
    attempts.c.opened_at_ms,
    attempts.c.keystroke_log,
)


async def find_log(database: Database, user_id: str, attempt_id: str) -> RowMapping | None:
    """What `find_result` finds, with the text and the keystroke log; None if there is no log."""
    question = select(*_shown, *_log_columns).where(
        attempts.c.id == attempt_id,
        attempts.c.user_id == user_id,
        attempts.c.finished_at_ms.is_not(None),
        attempts.c.keystroke_log.is_not(None),
    )
    async with database.read() as connection:
        return (await connection.execute(question)).mappings().one_or_none()


async def list_logs(
    database: Database, user_id: str, wanted: Filter, limit: int
) -> tuple[int, Sequence[RowMapping]]:
    """How many typed attempts there are, and the logs of the newest `limit` of them."""
    typed = [*_theirs(user_id, wanted), attempts.c.self_reported.is_(False)]
    newest = select(attempts.c.id).where(*typed).order_by(*_newest_first).limit(limit).subquery()
    question = (
        select(attempts.c.source, attempts.c.rule, *_log_columns)
        .join(newest, newest.c.id == attempts.c.id)
        .order_by(*_newest_first)
    )
    async with database.read() as connection:
        count = await connection.execute(select(func.count()).select_from(attempts).where(*typed))
        total: int = count.scalar_one()
        return total, (await connection.execute(question)).mappings().all()


async def store_reported(
    database: Database, person: Person, row: dict[str, Any], now_ms: int
) -> RowMapping:
    """Store a result typed elsewhere and return it as history shows it.

    Its `personal_best` is what the ranked attempts of its category say, whatever it claims.
    """
    best = select(func.max(attempts.c.wpm)).where(
        attempts.c.user_id == person.id,
        attempts.c.category == row["category"],
        attempts.c.verdict == "ranked",
    )
    async with database.write() as connection:
        await keep_guest(connection, person, now_ms)
        personal_best = (await connection.execute(best)).scalar_one()
        stored = await connection.execute(
            insert(attempts).returning(*_shown),
            {**row, "user_id": person.id, "personal_best": personal_best},
        )
        return stored.mappings().one()


# Statistics


async def newest(database: Database, user_id: str) -> tuple[int, int]:
    """When a person's newest attempt ended (0: never), and how many there are.

    The two change with every attempt that is stored.
    """
    question = select(func.coalesce(func.max(attempts.c.finished_at_ms), 0), func.count()).where(
        *_theirs(user_id, Filter())
    )
    async with database.read() as connection:
        finished_at_ms, count = (await connection.execute(question)).one()
    return finished_at_ms, count


async def list_days(database: Database, user_id: str, utc_offset_ms: int) -> Sequence[RowMapping]:
    """What each day amounts to, oldest first; days without an attempt are left out.

    `day` counts days since 1970-01-01 on a clock `utc_offset_ms` ahead of UTC. Sums of speeds and
    shares are over the attempts that were completed, the best over the ranked ones.
    """
    local_ms = attempts.c.finished_at_ms + literal(utc_offset_ms, BigInteger)
    completed = attempts.c.state == "finished"
    ranked = attempts.c.verdict == "ranked"
    sums = [
        measure
        for name in ("wpm", "raw_wpm", "accuracy", "consistency")
        for measure in (
            func.sum(attempts.c[name]).filter(completed).label(f"{name}_sum"),
            func.count(attempts.c[name]).filter(completed).label(f"{name}_count"),
        )
    ]
    question = (
        select(
            (local_ms // literal(DAY_MS, BigInteger)).label("day"),
            func.count().label("attempts"),
            func.count().filter(completed).label("completed"),
            *sums,
            func.max(attempts.c.wpm).filter(ranked).label("best_wpm"),
            func.max(attempts.c.accuracy).filter(ranked).label("best_accuracy"),
            func.sum(attempts.c.errors).label("errors"),
            func.sum(attempts.c.duration_ms).label("duration_ms"),
        )
        .where(*_theirs(user_id, Filter()))
        .group_by("day")
        .order_by("day")
    )
    async with database.read() as connection:
        return (await connection.execute(question)).mappings().all()


async def count_lessons(database: Database, user_id: str, since_ms: int | None) -> int:
    """How many different lessons a person has completed."""
    question = select(func.count(attempts.c.mode.distinct())).where(
        *_theirs(user_id, Filter(since_ms=since_ms, kind="lesson")),
        attempts.c.state == "finished",
    )
    async with database.read() as connection:
        count: int = (await connection.execute(question)).scalar_one()
    return count


async def load_counters(
    database: Database, user_id: str, language: str | None, layout: str | None
) -> dict[str, dict[str, KeyStats]]:
    """A person's counters by layout and key, with confusions, over the languages asked for."""
    layouts: dict[str, dict[str, KeyStats]] = {}
    async with database.read() as connection:
        for row in (
            await connection.execute(_of(key_counters, user_id, language, layout))
        ).mappings():
            stats = layouts.setdefault(row["layout"], {}).setdefault(row["key"], KeyStats())
            stats.add(
                KeyStats(row["presses"], row["errors"], row["latency_sum_ms"], row["latency_count"])
            )
        for row in (
            await connection.execute(_of(key_confusions, user_id, language, layout))
        ).mappings():
            stats = layouts.setdefault(row["layout"], {}).setdefault(row["key"], KeyStats())
            stats.add(KeyStats(confusions={row["typed"]: row["count"]}))
    return layouts


def _of(counters: Any, user_id: str, language: str | None, layout: str | None) -> Select[Any]:
    question = select(counters).where(counters.c.user_id == user_id)
    if language is not None:
        question = question.where(counters.c.language == language)
    if layout is not None:
        question = question.where(counters.c.layout == layout)
    return question
