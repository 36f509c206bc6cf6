"""Which races there are, what happened in them, and what somebody has raced."""

from collections.abc import Sequence

from sqlalchemy import RowMapping, and_, bindparam, case, delete, func, not_, or_, select

from server.core.collection import TEXT_ID_CHARS, Visibility
from server.core.ghost import Ghost
from server.core.race import Happened, Phase, Racer
from server.core.replay import retype, unpack_log
from server.core.score import Progress
from server.core.source import SourceKind
from server.core.text import Text
from server.core.typed_text import ErrorRule
from server.db.batches import load_batches
from server.db.collections import collection_texts, collections
from server.db.database import Database
from server.db.queries import OPEN_STATES, attempts, bests, from_start, users
from server.db.race_rows import StoredRace, racers, races
from server.db.race_tables import LIVE
from server.db.races import race_events

RECENT = 10
KEPT_MS = 3_600_000

_by_code = (
    select(races.c.id)
    .where(races.c.code == bindparam("code"))
    # A code is one live race's at a time; else it is the latest that had it.
    .order_by(case((LIVE, 0), else_=1), races.c.created_at_ms.desc())
    .limit(1)
)


async def find_race(database: Database, code: str) -> str | None:
    """The id of the race with this code: the live one, or the latest."""
    async with database.read() as connection:
        return (await connection.execute(_by_code, {"code": code})).scalar_one_or_none()


_again = select(races.c.again).where(races.c.id == bindparam("race"))
_lobby = select(races.c.id).where(
    races.c.id == bindparam("race"), races.c.phase == Phase.LOBBY.value
)


async def find_rematch(database: Database, race_id: str) -> str | None:
    """The race that the people of a finished one have opened, while it is open."""
    async with database.read() as connection:
        again = (await connection.execute(_again, {"race": race_id})).scalar_one_or_none()
        if again is None:
            return None
        return (await connection.execute(_lobby, {"race": again[0]})).scalar_one_or_none()


_seat = (
    select(races.c.id)
    .join(racers, racers.c.race_id == races.c.id)
    .where(
        racers.c.attempt_id == bindparam("attempt"),
        racers.c.user_id == bindparam("user"),
        racers.c.ghost.is_(False),
        LIVE,
    )
)


async def find_seat(database: Database, attempt_id: str, user_id: str) -> str | None:
    """The live race in which somebody types this attempt."""
    async with database.read() as connection:
        asked = {"attempt": attempt_id, "user": user_id}
        return (await connection.execute(_seat, asked)).scalar_one_or_none()


_events = (
    select(race_events)
    .where(race_events.c.race_id == bindparam("race"), race_events.c.n > bindparam("after"))
    .order_by(race_events.c.n)
)


async def load_events(database: Database, race_id: str, after: int) -> list[Happened]:
    """What happened after event number `after`, as far as it is kept."""
    async with database.read() as connection:
        rows = await connection.execute(_events, {"race": race_id, "after": after})
        return [Happened(row["n"], row["event"], row["fields"]) for row in rows.mappings()]


_tops = select(races.c.id, races.c.n, races.c.epoch).where(
    races.c.id.in_(bindparam("ids", expanding=True))
)


async def load_tops(database: Database, ids: Sequence[str]) -> dict[str, tuple[int, int]]:
    """The number of the last event, and the epoch, of each of these races."""
    async with database.read() as connection:
        rows = (await connection.execute(_tops, {"ids": list(ids)})).all()
    return {race_id: (n, epoch) for race_id, n, epoch in rows}


_unheard = (
    select(racers.c.race_id)
    .distinct()
    .select_from(
        races.join(racers, racers.c.race_id == races.c.id).join(
            attempts, attempts.c.id == racers.c.attempt_id
        )
    )
    .where(
        races.c.driver == bindparam("driver"),
        LIVE,
        racers.c.ghost.is_(False),
        racers.c.duration_ms.is_(None),
        racers.c.dnf.is_(None),
        attempts.c.state.not_in(OPEN_STATES),
    )
)


async def list_unheard(database: Database, driver: str) -> list[str]:
    """Races of this driver that have not heard yet that the attempt of a racer has ended."""
    async with database.read() as connection:
        return list((await connection.execute(_unheard, {"driver": driver})).scalars())


_driven = select(races.c.id).where(races.c.driver == bindparam("driver"), LIVE)
_seats = select(racers.c.race_id, racers.c.seat).where(
    racers.c.race_id.in_(select(races.c.id).where(LIVE)),
    racers.c.seat.startswith(bindparam("driver")),
)


async def list_held(database: Database, process: str) -> set[tuple[str, str | None]]:
    """Live races of a process: (race, None) if it drives it, (race, seat) for each seat it has."""
    async with database.read() as connection:
        asked = {"driver": process}
        driven = (await connection.execute(_driven, asked)).scalars().all()
        seats = (await connection.execute(_seats, asked)).all()
    return {(race_id, None) for race_id in driven} | {(race_id, seat) for race_id, seat in seats}


# People


_recent = (
    select(attempts.c.wpm)
    .where(attempts.c.user_id == bindparam("user"), attempts.c.finished_at_ms.is_not(None))
    .order_by(attempts.c.finished_at_ms.desc())
    .limit(RECENT)
)


async def recent_wpm(database: Database, user_id: str) -> float | None:
    """How fast somebody has typed lately, on average; None if they never did."""
    async with database.read() as connection:
        speeds = (await connection.execute(_recent, {"user": user_id})).scalars().all()
    return sum(speeds) / len(speeds) if speeds else None


_GHOST_NAMES = (
    "id",
    "user_id",
    "source",
    "rule",
    "text",
    "language",
    "layout",
    "position",
    "text_length",
    "uncorrected",
    "duration_ms",
    "opened_at_ms",
    "keystroke_log",
)
_of_a_collection = and_(
    attempts.c.kind == SourceKind.TEXT.value,
    func.length(attempts.c.mode) == len("text:") + TEXT_ID_CHARS,
)
_text_is_public = (
    select(collection_texts.c.id)
    .join(collections, collections.c.id == collection_texts.c.collection_id)
    .where(
        collection_texts.c.id == func.substr(attempts.c.mode, len("text:") + 1),
        collections.c.visibility == Visibility.PUBLIC.value,
    )
    .exists()
)
_on_a_board = and_(
    attempts.c.verdict == "ranked",
    or_(not_(_of_a_collection), _text_is_public),
    select(bests.c.user_id)
    .where(
        bests.c.user_id == attempts.c.user_id,
        bests.c.category == attempts.c.category,
        bests.c.finished_at_ms == attempts.c.finished_at_ms,
    )
    .exists(),
)
_ghosts = (
    select(*(attempts.c[name] for name in _GHOST_NAMES), users.c.name)
    .join(users, users.c.id == attempts.c.user_id)
    .where(
        attempts.c.id.in_(bindparam("ids", expanding=True)),
        attempts.c.state == "finished",
        attempts.c.keystroke_log.is_not(None),
    )
)
_may_call = _ghosts.where(or_(attempts.c.user_id == bindparam("user"), _on_a_board))


async def find_ghosts(
    database: Database, user_id: str, ids: Sequence[str]
) -> dict[str, RowMapping]:
    """Those of these finished attempts that somebody may race: their own, or on a leaderboard."""
    async with database.read() as connection:
        rows = await connection.execute(_may_call, {"ids": list(ids), "user": user_id})
        return {row["id"]: row for row in rows.mappings()}


async def load_ghosts(database: Database, ids: Sequence[str]) -> dict[str, RowMapping]:
    """The attempts that race along as ghosts, whosever they are."""
    async with database.read() as connection:
        rows = await connection.execute(_ghosts, {"ids": list(ids)})
        return {row["id"]: row for row in rows.mappings()}


def completed_ms(ghost: RowMapping) -> int | None:
    """How long a ghost took for its text; None if its time, or a limit, was over before."""
    mended = ghost["rule"] != ErrorRule.CORRECT or ghost["uncorrected"] == 0
    complete = mended and ghost["position"] == ghost["text_length"]
    return int(ghost["duration_ms"]) if complete else None


async def play_along(database: Database, stored: StoredRace) -> dict[int, Ghost]:
    """The ghosts of a race, by slot."""
    slots = {racer.attempt_id: racer.slot for racer in stored.race.racers if racer.ghost}
    rows = await load_ghosts(database, list(slots)) if slots else {}
    return {slots[attempt_id]: _ghost(row) for attempt_id, row in rows.items()}


def _ghost(row: RowMapping) -> Ghost:
    batches = unpack_log(row["keystroke_log"], row["opened_at_ms"])
    keystrokes = [keystroke for batch in batches for keystroke in batch.keystrokes]
    rule = ErrorRule(row["rule"])
    return Ghost(Text.of(row["text"]), rule, keystrokes, from_start(row["source"]))


async def typed_so_far(database: Database, stored: StoredRace, racer: Racer) -> Progress:
    """How far a racer has come in an attempt that runs."""
    async with database.read() as connection:
        batches = await load_batches(connection, racer.attempt_id)
    keystrokes = [keystroke for batch in batches for keystroke in batch.keystrokes]
    text, rule = Text.of(stored.row["text"]), ErrorRule(stored.row["rule"])
    return retype(text, rule, None, keystrokes, from_start=True).progress()


# What was raced


_raced = (
    select(
        races.c.id,
        races.c.code,
        races.c.phase,
        races.c.language,
        races.c.starts_at_ms,
        races.c.ended_at_ms,
        races.c.text,
        racers.c.slot,
        racers.c.attempt_id,
        racers.c.duration_ms,
        racers.c.place,
        racers.c.dnf,
        attempts.c.wpm,
        attempts.c.accuracy,
        attempts.c.verdict,
    )
    .select_from(
        racers.join(races, races.c.id == racers.c.race_id).outerjoin(
            attempts, attempts.c.id == racers.c.attempt_id
        )
    )
    .where(
        racers.c.user_id == bindparam("user"),
        racers.c.ghost.is_(False),
        races.c.starts_at_ms.is_not(None),
    )
)


async def list_raced(
    database: Database, user_id: str, limit: int, offset: int
) -> tuple[int, Sequence[RowMapping], dict[str, int]]:
    """Races of a person, the newest first: how many, a page, and how many racers each had."""
    page = _raced.order_by(races.c.starts_at_ms.desc(), races.c.id).limit(limit).offset(offset)
    total = select(func.count()).select_from(_raced.subquery())
    counts = (
        select(racers.c.race_id, func.count())
        .where(racers.c.race_id.in_(bindparam("ids", expanding=True)))
        .group_by(racers.c.race_id)
    )
    async with database.read() as connection:
        rows = (await connection.execute(page, {"user": user_id})).mappings().all()
        count = (await connection.execute(total, {"user": user_id})).scalar_one()
        ids = {"ids": [row["id"] for row in rows]}
        sizes = (await connection.execute(counts, ids)).all() if rows else []
    return count, rows, {race_id: size for race_id, size in sizes}


_forgotten_events = delete(race_events).where(
    race_events.c.race_id.in_(
        select(races.c.id).where(
            races.c.ended_at_ms.between(bindparam("since"), bindparam("until"))
        )
    )
)
_never_raced = delete(races).where(
    races.c.ended_at_ms < bindparam("until"), races.c.starts_at_ms.is_(None)
)


async def forget_races(database: Database, now_ms: int) -> None:
    """Let go of the events of races that ended an hour ago, and of races that never began."""
    until_ms = now_ms - KEPT_MS
    async with database.write() as connection:
        times = {"since": until_ms - 24 * KEPT_MS, "until": until_ms}
        await connection.execute(_forgotten_events, times)
        await connection.execute(_never_raced, {"until": until_ms})
