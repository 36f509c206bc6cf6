"""Races somebody took part in. Those that go on are spoken of over the websocket."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from server.api.endpoint import Call, Endpoint, Model, Parts, Query, Who
from server.api.history import OFFSET_MAX
from server.core.text import Text
from server.db.race_lookup import list_raced


class RacesQuery(Query):
    limit: Annotated[int, Field(ge=1, le=100)] = 20
    offset: Annotated[int, Field(ge=0, le=OFFSET_MAX)] = 0


class RacedAnswer(Model):
    """A race one took part in. `attempt` is one's own; without a `place` it was not finished.

    `dnf` says why: left, quit, gone (away for too long), time, or void.
    """

    race: str
    code: str
    phase: Literal["countdown", "running", "finished", "cancelled"]
    language: str | None
    text_length: int
    started_at: int
    finished_at: int | None
    racers: int
    slot: int
    attempt: str
    place: int | None
    dnf: str | None
    duration_ms: int | None
    wpm: float | None
    accuracy: float | None
    verdict: Literal["ranked", "unranked", "review", "void"] | None


class RacesAnswer(Model):
    """One's races, the newest first. `next` is the `offset` of the next page, null on the last."""

    total: int
    results: list[RacedAnswer]
    next: int | None


async def races(parts: Parts, call: Call) -> RacesAnswer:
    query: RacesQuery = call.query
    total, rows, counts = await list_raced(
        parts.database, call.me.user_id, query.limit, query.offset
    )
    end = query.offset + len(rows)
    return RacesAnswer(
        total=total,
        results=await asyncio.to_thread(_all_raced, rows, counts),
        next=end if rows and end < total else None,
    )


_SAME_NAME = (
    "code",
    "phase",
    "language",
    "slot",
    "place",
    "dnf",
    "duration_ms",
    "wpm",
    "accuracy",
    "verdict",
)


def _all_raced(rows: Sequence[Mapping[Any, Any]], racers: Mapping[str, int]) -> list[RacedAnswer]:
    return [_raced(row, racers[row["id"]]) for row in rows]


def _raced(row: Mapping[Any, Any], racers: int) -> RacedAnswer:
    return RacedAnswer(
        race=row["id"],
        started_at=row["starts_at_ms"],
        finished_at=row["ended_at_ms"],
        racers=racers,
        attempt=row["attempt_id"],
        text_length=len(Text.of(row["text"])),
        **{name: row[name] for name in _SAME_NAME},
    )


ENDPOINTS: list[Endpoint] = [
    Endpoint(
        "GET",
        "/users/me/races",
        races,
        "The races you took part in, newest first.",
        "races",
        Who.PERSON,
        query=RacesQuery,
        answer=RacesAnswer,
    ),
]
