"""What a person's attempts amount to: by day, by speed, and the best of each mode."""

from collections import Counter
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Float,
    Select,
    bindparam,
    cast,
    func,
    literal,
    select,
)

from server.db.database import Database
from server.db.history import DAY_MS, EVERYTHING, Filter, theirs, values_of
from server.db.queries import attempts

SPEED_STEP_WPM = 5
BESTS_MAX = 20

_finished_at_ms = attempts.c.finished_at_ms


class Day(NamedTuple):
    """A day's attempts, on a clock so far ahead of UTC. Days are counted from 1970-01-01.

    Sums of speeds and shares are over the attempts that were completed, bests over the ranked.
    """

    day: int
    attempts: int
    completed: int
    wpm_sum: float | None
    wpm_square_sum: float | None
    wpm_count: int
    raw_wpm_sum: float | None
    raw_wpm_count: int
    accuracy_sum: float | None
    accuracy_count: int
    consistency_sum: float | None
    consistency_count: int
    best_wpm: float | None
    best_accuracy: float | None
    errors: int
    duration_ms: int


_completed = attempts.c.state == "finished"
_ranked = attempts.c.verdict == "ranked"


@cache
def _days(names: tuple[str, ...]) -> Select[Any]:
    local_ms = _finished_at_ms + bindparam("utc_offset_ms", type_=BigInteger)
    measures: dict[str, ColumnElement[Any]] = {
        "day": local_ms // literal(DAY_MS, BigInteger),
        "attempts": func.count(),
        "completed": func.count().filter(_completed),
        "best_wpm": func.max(attempts.c.wpm).filter(_ranked),
        "best_accuracy": func.max(attempts.c.accuracy).filter(_ranked),
        "errors": func.sum(attempts.c.errors),
        "duration_ms": func.sum(attempts.c.duration_ms),
        "wpm_square_sum": func.sum(attempts.c.wpm * attempts.c.wpm).filter(_completed),
    }
    for name in ("wpm", "raw_wpm", "accuracy", "consistency"):
        measures[f"{name}_sum"] = func.sum(attempts.c[name]).filter(_completed)
        measures[f"{name}_count"] = func.count(attempts.c[name]).filter(_completed)
    return (
        select(*(measures[name].label(name) for name in Day._fields))
        .where(*theirs(names))
        .group_by("day")
        .order_by("day")
    )


async def list_days(
    database: Database, user_id: str, utc_offset_ms: int, wanted: Filter = EVERYTHING
) -> list[Day]:
    """What each day amounts to, oldest first; days without an attempt are left out."""
    values = values_of(wanted)
    question = _days(tuple(values))
    values |= {"user": user_id, "utc_offset_ms": utc_offset_ms}
    async with database.read() as connection:
        return [Day._make(row) for row in await connection.execute(question, values)]


class Best(NamedTuple):
    """The fastest ranked attempt of a mode and language, and how many ranked ones there are."""

    id: str
    mode: str
    language: str | None
    wpm: float
    accuracy: float
    finished_at_ms: int
    attempts: int


@cache
def _speeds(names: tuple[str, ...]) -> Select[Any]:
    # In whole hundredths, as they are stored: either store divides integers alike.
    hundredths = cast(attempts.c.wpm * 100, BigInteger)
    columns = (
        attempts.c.mode,
        attempts.c.language,
        (hundredths // literal(SPEED_STEP_WPM * 100, BigInteger)).label("step"),
    )
    return (
        select(
            *columns,
            func.count().label("completed"),
            func.count().filter(_ranked).label("ranked"),
            func.max(attempts.c.wpm).filter(_ranked).label("best_wpm"),
        )
        .where(*theirs(names), _completed)
        .group_by(*columns)
    )


@cache
def _as_fast(names: tuple[str, ...]) -> Select[Any]:
    shown = (attempts.c[name] for name in Best._fields if name != "attempts")
    speeds = bindparam("speeds", expanding=True, type_=Float)
    return (
        select(*shown)
        .where(*theirs(names), _ranked, attempts.c.wpm.in_(speeds))
        .order_by(_finished_at_ms, attempts.c.id)
    )


async def list_speeds(
    database: Database, user_id: str, wanted: Filter
) -> tuple[list[tuple[int, int]], list[Best]]:
    """How many completed attempts were so fast, and the best of the modes typed most.

    A speed is given as the number of its step of SPEED_STEP_WPM; steps nobody reached are left out.
    """
    values = values_of(wanted)
    names = tuple(values)
    values["user"] = user_id
    steps: Counter[int] = Counter()
    ranked: Counter[tuple[str, str | None]] = Counter()
    fastest: dict[tuple[str, str | None], float] = {}
    async with database.read() as connection:
        for mode, language, step, completed, count, best_wpm in await connection.execute(
            _speeds(names), values
        ):
            steps[step] += completed
            if count:
                ranked[mode, language] += count
                fastest[mode, language] = max(best_wpm, fastest.get((mode, language), 0.0))
        most = sorted(ranked, key=lambda kind: (-ranked[kind], kind[0], kind[1] or ""))[:BESTS_MAX]
        if not most:
            return sorted(steps.items()), []
        values["speeds"] = [fastest[kind] for kind in most]
        found: dict[tuple[str, str | None], Best] = {}
        for row in await connection.execute(_as_fast(names), values):
            kind = (row.mode, row.language)
            if row.wpm == fastest.get(kind):
                found.setdefault(kind, Best._make((*row, ranked[kind])))
    # One that was deleted between the two questions is none any more.
    return sorted(steps.items()), [found[kind] for kind in most if kind in found]
