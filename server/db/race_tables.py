"""The rows of races. What happens in one is decided by `core.race.Race`; these are the truth."""

from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field

from server.db.tables import Row, at_ms, json_value

# As text, so that a store sees that a question is about what an index holds.
LIVE = text("races.phase IN ('lobby', 'countdown', 'running')")
OPEN = text("races.phase = 'lobby' AND races.quick")
_LIVES = "phase IN ('lobby', 'countdown', 'running')"
_OPEN = "phase = 'lobby' AND quick"


class RaceRow(Row, table=True):
    """A race. `driver` is the process that does what the clock asks, under `epoch` or not at all.

    `n` is the number of the last event. `speed_wpm` is how fast who opened it has typed lately.
    """

    __tablename__ = "races"
    __table_args__ = (
        Index("ix_races_code", "code", "created_at_ms"),
        Index(
            "uq_races_live_code",
            "code",
            unique=True,
            sqlite_where=text(_LIVES),
            postgresql_where=text(_LIVES),
        ),
        Index("ix_races_live", "driver", sqlite_where=text(_LIVES), postgresql_where=text(_LIVES)),
        Index(
            "ix_races_quick",
            "language",
            "speed_wpm",
            sqlite_where=text(_OPEN),
            postgresql_where=text(_OPEN),
        ),
        Index("ix_races_ended", "ended_at_ms"),
    )

    id: str = Field(primary_key=True, max_length=36)
    code: str = Field(max_length=6)
    driver: str = Field(max_length=32)
    epoch: int
    n: int
    phase: str = Field(max_length=16)
    quick: bool
    private: bool
    racers_max: int
    host: int | None = None
    source: dict[str, Any] = json_value()
    rule: str = Field(max_length=16)
    language: str | None = Field(default=None, max_length=16)
    layout: str = Field(max_length=32)
    text: str
    speed_wpm: float
    created_at_ms: int = at_ms()
    gathered_at_ms: int | None = at_ms(nullable=True)
    starts_at_ms: int | None = at_ms(nullable=True)
    ended_at_ms: int | None = at_ms(nullable=True)
    again: list[str] | None = json_value(nullable=True)


class RacerRow(Row, table=True):
    """Who holds a slot of a race. A ghost's `user_id` is whose attempt it is."""

    __tablename__ = "racers"

    race_id: str = Field(
        primary_key=True, foreign_key="races.id", ondelete="CASCADE", max_length=36
    )
    slot: int = Field(primary_key=True)
    user_id: str = Field(foreign_key="users.id", ondelete="CASCADE", max_length=36, index=True)
    attempt_id: str = Field(max_length=36, index=True)
    ghost: bool
    ready: bool
    seat: str | None = Field(default=None, max_length=72)
    away_since_ms: int | None = at_ms(nullable=True)
    back_at_ms: int | None = at_ms(nullable=True)
    duration_ms: int | None = None
    place: int | None = None
    dnf: str | None = Field(default=None, max_length=16)


class RaceEventRow(Row, table=True):
    """An event of a race, as who missed it is told; the text alone stays in the race's row."""

    __tablename__ = "race_events"

    race_id: str = Field(
        primary_key=True, foreign_key="races.id", ondelete="CASCADE", max_length=36
    )
    n: int = Field(primary_key=True)
    event: str = Field(max_length=16)
    fields: dict[str, Any] = json_value()


class ProcessRow(Row, table=True):
    """A running process. While `beat` rises it is there; no clock is compared with another's."""

    __tablename__ = "processes"

    id: str = Field(primary_key=True, max_length=32)
    beat: int
