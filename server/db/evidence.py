"""What practice is made from: what the newest attempts counted, all counters, and the goals."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Integer, Select, String, bindparam, func, select

from server.core.key_model import Evidence
from server.core.key_stats import KeyStats
from server.db.counts import unpack_counts
from server.db.database import Database
from server.db.history import counted, newest_first, theirs
from server.db.queries import attempts, key_counters, users

_wanted = ("language", "layout")
_page = (
    select(attempts.c.id)
    .where(*theirs(_wanted), counted)
    .order_by(*newest_first)
    .limit(bindparam("limit", type_=Integer))
    .subquery()
)
_newest = (
    select(attempts.c.finished_at_ms, attempts.c.counts)
    .select_from(attempts.join(_page, _page.c.id == attempts.c.id))
    .where(attempts.c.counts.is_not(None))
    .subquery()
)
# One row: SQLite gives up its turn to run Python with every row.
_joined: Mapping[str, Select[Any]] = {
    "sqlite": select(
        func.group_concat(_newest.c.finished_at_ms.concat(":").concat(func.hex(_newest.c.counts)))
    ),
    "postgresql": select(
        func.string_agg(
            func.concat(_newest.c.finished_at_ms, ":", func.encode(_newest.c.counts, "hex")), ","
        )
    ),
}
_totals = select(
    key_counters.c.key,
    key_counters.c.presses,
    key_counters.c.errors,
    key_counters.c.latency_sum_ms,
    key_counters.c.latency_count,
).where(
    key_counters.c.user_id == bindparam("user", type_=String),
    key_counters.c.language == bindparam("language", type_=String),
    key_counters.c.layout == bindparam("layout", type_=String),
)
_settings = select(users.c.settings).where(users.c.id == bindparam("user", type_=String))


@dataclass(frozen=True, slots=True)
class Typed:
    """What a person has typed in a language on a layout, and what they have set themselves."""

    newest_first: list[Evidence]
    totals: Mapping[str, KeyStats]  # without confusions
    goals: Mapping[str, Any]


async def load_typed(
    database: Database, user_id: str, language: str, layout: str, limit: int
) -> Typed:
    """The newest `limit` attempts, of either kind, whose keys were seen here; and the counters."""
    values = {"user": user_id, "language": language, "layout": layout}
    async with database.read() as connection:
        question = _joined[connection.dialect.name]
        joined = (await connection.execute(question, {**values, "limit": limit})).scalar_one()
        totals = {
            key: KeyStats(*counts) for key, *counts in await connection.execute(_totals, values)
        }
        settings = (await connection.execute(_settings, {"user": user_id})).scalar_one_or_none()
    evidence = []
    for one in (joined or "").split(","):
        at_ms, _, packed = one.partition(":")
        if packed:
            evidence.append(Evidence(int(at_ms), unpack_counts(bytes.fromhex(packed))))
    evidence.sort(key=lambda one: one.at_ms, reverse=True)
    return Typed(evidence, totals, (settings or {}).get("goals") or {})
