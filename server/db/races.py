"""Races in the store: one transaction asks, decides and remembers, in any process.

The lock on the row of a race puts what all ask into one order, and `core.race.Race` decides.
What an attempt has come to is read with the race, so no race misses the end of one.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from sqlalchemy import (
    RowMapping,
    bindparam,
    case,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from server.core.attempt import AttemptState
from server.core.race import SLOTS_MAX, Happened, Phase, Race, RaceFull, Racer, RaceStarted
from server.core.source import Source, SourceKind
from server.core.typed_text import ErrorRule
from server.db.database import Database
from server.db.queries import (
    Person,
    attempts,
    category,
    keep_guest,
    users,
)
from server.db.race_rows import (
    StoredRace,
    build_race,
    endings_of,
    load_racers,
    racers,
    races,
    store_changes,
    values_of,
)
from server.db.race_tables import LIVE, OPEN, RaceEventRow
from server.db.statements import INSERT

race_events = RaceEventRow.metadata.tables[RaceEventRow.__tablename__]

QUICK_LOCK = 7_164_119  # any number, the same in every process
NEAREST_MAX = 8

T = TypeVar("T")


class RaceNotFound(Exception):
    """There is no such race."""


class RaceTaken(Exception):
    """A process has taken the race since: what was wanted by what was known is not written."""


class CodeTaken(Exception):
    """A live race has that code; take another."""


@dataclass(frozen=True, slots=True)
class NewRace:
    """What is decided for good when a race is opened. `ghosts`: whose each ghost's attempt is."""

    id: str
    code: str
    driver: str
    source: Source
    rule: ErrorRule
    text: str
    language: str | None
    layout: str
    speed_wpm: float
    quick: bool = False
    private: bool = False
    racers_max: int = SLOTS_MAX
    ghosts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Changed(Generic[T]):
    """What a transaction did: the race as it is now, what happened, what the command returned."""

    stored: StoredRace
    happened: Sequence[Happened]
    answer: T


Command = Callable[[Race], T]

_race = select(races).where(races.c.id == bindparam("race"))
_locked_race = _race.with_for_update()


async def load_race(database: Database, race_id: str) -> StoredRace:
    """A race as it is now. Raises RaceNotFound."""
    async with database.read() as connection:
        row = await _row(connection, _race, race_id)
        while True:
            rows = await load_racers(connection, race_id)
            # What is committed between two questions must not make a race that never was.
            row, before = await _row(connection, _race, race_id), row
            if row["n"] == before["n"]:
                return build_race(row, rows)


async def _row(connection: AsyncConnection, question: Any, race_id: str) -> dict[str, Any]:
    row = (await connection.execute(question, {"race": race_id})).mappings().one_or_none()
    if row is None:
        raise RaceNotFound
    return dict(row)


# One transaction


async def open_race(
    database: Database, new: NewRace, person: Person, command: Command[T], now_ms: int
) -> Changed[T]:
    """Store a new race; `command` puts its first racers there. Raises CodeTaken."""
    async with database.write() as connection:
        await keep_guest(connection, person, now_ms)
        return await _open(connection, new, command, now_ms)


async def _open(
    connection: AsyncConnection, new: NewRace, command: Command[T], now_ms: int
) -> Changed[T]:
    row = {
        "id": new.id,
        "code": new.code,
        "driver": new.driver,
        "epoch": 1,
        "n": 0,
        "phase": Phase.LOBBY.value,
        "quick": new.quick,
        "private": new.private,
        "racers_max": new.racers_max,
        "source": new.source.public(),
        "rule": new.rule.value,
        "language": new.language,
        "layout": new.layout,
        "text": new.text,
        "speed_wpm": new.speed_wpm,
        "created_at_ms": now_ms,
    }
    into = INSERT[connection.dialect.name](races).on_conflict_do_nothing().returning(races)
    stored = (await connection.execute(into, row)).mappings().one_or_none()
    if stored is None:
        raise CodeTaken
    built = build_race(dict(stored), [])
    return await _carry_out(connection, built, [], command, now_ms, new.ghosts)


async def change_race(
    database: Database,
    race_id: str,
    command: Command[T],
    now_ms: int,
    *,
    epoch: int,
    person: Person | None = None,
) -> Changed[T]:
    """Carry out a command on the race as it is stored, and store what it did: all or nothing.

    Only under this `epoch`: who has missed that the race was taken must look before it writes.
    `person` is who may get a slot by it. Raises RaceNotFound, RaceTaken, and what the command
    raises.
    """
    async with database.write() as connection:
        if person is not None:
            await keep_guest(connection, person, now_ms)
        return await _change(connection, race_id, command, now_ms, epoch)


async def quick_race(
    database: Database, new: NewRace, person: Person, command: Command[T], now_ms: int
) -> Changed[T]:
    """Have the command take a slot of the open quick race nearest in speed, or of `new`.

    Who asks at the same time gets into the same race. Raises CodeTaken.
    """
    async with database.write() as connection:
        await keep_guest(connection, person, now_ms)
        if not database.embedded:
            await connection.execute(_one_at_a_time, {"lock": QUICK_LOCK})
        asked = {"language": new.language, "speed": new.speed_wpm}
        for race_id in (await connection.execute(_nearest, asked)).scalars().all():
            with suppress(RaceFull, RaceStarted):
                async with connection.begin_nested():
                    return await _change(connection, race_id, command, now_ms)
        return await _open(connection, new, command, now_ms)


_nearest = (
    select(races.c.id)
    .where(OPEN, races.c.language == bindparam("language"))
    .order_by(func.abs(races.c.speed_wpm - bindparam("speed", type_=races.c.speed_wpm.type)))
    .limit(NEAREST_MAX)
)
_one_at_a_time = select(func.pg_advisory_xact_lock(bindparam("lock")))


async def take_race(
    database: Database, race_id: str, gone: str, me: str, now_ms: int
) -> Changed[None]:
    """A process is gone: it sits nowhere and drives nothing any more; `me` drives instead.

    What it still wants to write, should it awake, has an epoch of the past.
    """
    async with database.write() as connection:
        await connection.execute(_locked_race, {"race": race_id})
        heir = case((races.c.driver == gone, me), else_=races.c.driver)
        await connection.execute(
            update(races).where(races.c.id == race_id).values(driver=heir, epoch=races.c.epoch + 1)
        )
        return await _change(connection, race_id, lambda race: race.drop(gone, now_ms), now_ms)


_mine = select(racers.c.race_id).where(
    racers.c.user_id == bindparam("user"),
    racers.c.ghost.is_(False),
    racers.c.race_id.in_(select(races.c.id).where(LIVE)),
)


_name = select(users.c.name).where(users.c.id == bindparam("user"))
_joined = (
    select(race_events)
    .where(
        race_events.c.race_id.in_(
            select(racers.c.race_id).where(racers.c.user_id == bindparam("user"))
        ),
        race_events.c.event == "joined",
    )
    .order_by(race_events.c.race_id, race_events.c.n)
)
_tell_instead = (
    update(race_events)
    .where(race_events.c.race_id == bindparam("race"), race_events.c.n == bindparam("number"))
    .values(fields=bindparam("told", type_=race_events.c.fields.type))
)


async def leave_races(connection: AsyncConnection, user_id: str, now_ms: int) -> None:
    """Somebody leaves whatever live race they are in, as if they had asked for it.

    What has been told of their races says their name no more.
    """

    def leave(race: Race) -> None:
        racer = race.find(user_id)
        if racer is not None:
            race.leave(racer, now_ms)

    asked = {"user": user_id}
    name = (await connection.execute(_name, asked)).scalar_one_or_none()
    for one in (await connection.execute(_joined, asked)).mappings().all():
        if one["fields"]["name"] == name:
            told = {
                "race": one["race_id"],
                "number": one["n"],
                "told": one["fields"] | {"name": ""},
            }
            await connection.execute(_tell_instead, told)
    for race_id in (await connection.execute(_mine, asked)).scalars().all():
        await _change(connection, race_id, leave, now_ms)


async def _change(
    connection: AsyncConnection,
    race_id: str,
    command: Command[T],
    now_ms: int,
    epoch: int | None = None,
) -> Changed[T]:
    row = await _row(connection, _locked_race, race_id)
    rows = await load_racers(connection, race_id)
    stored = build_race(row, rows)
    if epoch not in (None, row["epoch"]):
        raise RaceTaken
    return await _carry_out(connection, stored, rows, command, now_ms)


async def _carry_out(
    connection: AsyncConnection,
    stored: StoredRace,
    rows: Sequence[RowMapping],
    command: Command[T],
    now_ms: int,
    ghosts: Mapping[str, str] | None = None,
) -> Changed[T]:
    race = stored.race
    before = values_of(race)
    # What attempts and the clock have brought comes first: a command finds the race as it is.
    race.attempts_ended(endings_of(rows), now_ms)
    race.tick(now_ms)
    answer = command(race)
    happened = [_filled(race, one) for one in race.take_happened()]
    await store_changes(connection, stored, before, now_ms, ghosts or {})
    if happened:
        told = [{"race_id": race.id, **one._asdict()} for one in happened]
        await connection.execute(insert(race_events), told)
    if any(one.event == "countdown" for one in happened):
        await _begin_attempts(connection, stored)
    return Changed(stored, happened, answer)


def _filled(race: Race, one: Happened) -> Happened:
    """The event as it is told, but for the text: a name must outlive its racer."""
    if one.event != "joined":
        return one
    racer = next(racer for racer in race.racers if racer.slot == one.fields["slot"])
    return one._replace(fields={**one.fields, "name": racer.name, "ghost": racer.ghost})


# Attempts of a race


def attempt_row(stored: StoredRace, racer: Racer) -> dict[str, Any]:
    """The attempt of a racer as the countdown stores it: nobody has typed in it."""
    row = stored.row
    source = Source(SourceKind.RACE, language=row["language"])
    return {
        "id": racer.attempt_id,
        "user_id": racer.user_id,
        "state": AttemptState.ARMED.value,
        "epoch": 1,
        "source": source.public(),
        "category": category(source),
        "kind": source.kind.value,
        "mode": source.mode,
        "self_reported": False,
        "rule": row["rule"],
        "language": row["language"],
        # Who joins in the very step that starts the race is not among the rows it began with.
        "layout": stored.layouts.get(racer.slot, row["layout"]),
        "text": row["text"],
        "opened_at_ms": stored.race.starts_at_ms,
        "outage_ms": 0,
        "got": False,
    }


async def _begin_attempts(connection: AsyncConnection, stored: StoredRace) -> None:
    rows = [attempt_row(stored, racer) for racer in stored.race.people]
    if rows:
        await connection.execute(insert(attempts), rows)
