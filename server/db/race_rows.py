"""How a race and its racers lie in their rows; what it was, and so what there is to store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.core.attempt import AttemptState
from server.core.layout import chosen_layout
from server.core.race import Ending, Phase, Race, Racer
from server.db.queries import OPEN_STATES, attempts, users
from server.db.race_tables import RaceRow, RacerRow

races = RaceRow.metadata.tables[RaceRow.__tablename__]
racers = RacerRow.metadata.tables[RacerRow.__tablename__]


@dataclass(frozen=True, slots=True)
class Standing:
    """How the attempt of a racer has ended."""

    position: int
    wpm: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class StoredRace:
    """A race as it is stored. `standings` holds the slots whose attempt has a result, `layouts`
    what each racer types it with.
    """

    row: dict[str, Any]
    race: Race
    standings: Mapping[int, Standing]
    layouts: Mapping[int, str]

    @property
    def driver(self) -> str:
        """Which process does what the clock asks, as long as `epoch` is this one."""
        driver: str = self.row["driver"]
        return driver

    @property
    def epoch(self) -> int:
        """How often the race has been taken over, and once."""
        epoch: int = self.row["epoch"]
        return epoch


# Names in the core and in the tables are the same.
_RACE_NAMES = ("n", "host", "gathered_at_ms", "starts_at_ms")
_RACER_NAMES = (
    "attempt_id",
    "ready",
    "seat",
    "away_since_ms",
    "back_at_ms",
    "duration_ms",
    "place",
    "dnf",
)
_RESULT_NAMES = ("layout", "state", "position", "wpm", "accuracy", "duration_ms", "why")
_racers_of = (
    select(
        racers,
        users.c.name,
        users.c.settings,
        *(attempts.c[name].label(f"attempt_{name}") for name in _RESULT_NAMES),
    )
    .select_from(
        racers.join(users, users.c.id == racers.c.user_id).outerjoin(
            attempts, attempts.c.id == racers.c.attempt_id
        )
    )
    .where(racers.c.race_id == bindparam("race"))
    .order_by(racers.c.slot)
)


async def load_racers(connection: AsyncConnection, race_id: str) -> Sequence[RowMapping]:
    """The racers of a race, each with what its attempt has come to."""
    return (await connection.execute(_racers_of, {"race": race_id})).mappings().all()


def build_race(row: dict[str, Any], rows: Sequence[RowMapping]) -> StoredRace:
    """The race of this row and these racers."""
    race = Race(
        id=row["id"],
        quick=row["quick"],
        racers_max=row["racers_max"],
        created_at_ms=row["created_at_ms"],
        phase=Phase(row["phase"]),
        again=row["again"] and (row["again"][0], row["again"][1]),
        **{name: row[name] for name in _RACE_NAMES},
    )
    standings = {}
    for one in rows:
        user_id = None if one["ghost"] else one["user_id"]
        columns = {name: one[name] for name in _RACER_NAMES}
        race.racers.append(Racer(slot=one["slot"], user_id=user_id, name=one["name"], **columns))
        if one["attempt_wpm"] is not None:
            standings[one["slot"]] = Standing(
                one["attempt_position"], one["attempt_wpm"], one["attempt_accuracy"]
            )
    return StoredRace(row, race, standings, {one["slot"]: _layout_of(row, one) for one in rows})


def _layout_of(row: Mapping[str, Any], racer: RowMapping) -> str:
    """That of the attempt, once there is one; until then what the person has chosen."""
    layout: str = racer["attempt_layout"] or chosen_layout(row["language"], racer["settings"])
    return layout or row["layout"]


def endings_of(rows: Sequence[RowMapping]) -> list[Ending]:
    """How the attempts of racers have ended, as far as they have."""
    return [
        Ending(one["attempt_id"], *_outcome(one))
        for one in rows
        if not one["ghost"] and one["attempt_state"] not in (None, *OPEN_STATES)
    ]


def _outcome(one: RowMapping) -> tuple[int | None, str]:
    if one["attempt_state"] == AttemptState.VOID.value:
        return None, "void"
    rules = {why["rule"] for why in one["attempt_why"] or ()}
    if one["attempt_state"] == AttemptState.FINISHED.value and "incomplete" not in rules:
        return one["attempt_duration_ms"], ""
    return None, "quit"


Values = tuple[dict[str, Any], dict[int, dict[str, Any]]]


def values_of(race: Race) -> Values:
    """What the rows of the race, and of its racers by slot, are to hold."""
    own = {name: getattr(race, name) for name in _RACE_NAMES}
    own["phase"] = race.phase.value
    own["again"] = list(race.again) if race.again else None
    theirs = {
        racer.slot: {name: getattr(racer, name) for name in _RACER_NAMES} for racer in race.racers
    }
    return own, theirs


async def store_changes(
    connection: AsyncConnection,
    stored: StoredRace,
    before: Values,
    now_ms: int,
    ghosts: Mapping[str, str],
) -> None:
    """Store what differs from `before`. `ghosts`: whose the attempts of new ghosts are."""
    race = stored.race
    was, were = before
    own, theirs = values_of(race)
    if own != was:
        if not race.live and stored.row["ended_at_ms"] is None:
            own["ended_at_ms"] = now_ms
        stored.row.update(own)
        await connection.execute(update(races).where(races.c.id == race.id).values(own))
    for slot in [slot for slot in were if not _same_racer(were[slot], theirs.get(slot))]:
        await connection.execute(
            delete(racers).where(racers.c.race_id == race.id, racers.c.slot == slot)
        )
    for racer in race.racers:
        columns = theirs[racer.slot]
        known = were.get(racer.slot)
        if not _same_racer(known, columns):
            owner = racer.user_id or ghosts[racer.attempt_id]
            keys = {"race_id": race.id, "slot": racer.slot, "user_id": owner}
            await connection.execute(insert(racers), {**keys, "ghost": racer.ghost, **columns})
        elif columns != known:
            await connection.execute(
                update(racers)
                .where(racers.c.race_id == race.id, racers.c.slot == racer.slot)
                .values(columns)
            )


def _same_racer(known: dict[str, Any] | None, now: dict[str, Any] | None) -> bool:
    """Whether a slot is held by whom it was held before: each racer has an attempt of its own."""
    return bool(known and now and known["attempt_id"] == now["attempt_id"])
