"""Fill a store with people and what they have typed, to see what size does to it.

    python -m tests.fill DATABASE_URL [--people 20000] [--attempts 1000000] [--heaviest 20000]

The schema must be in place. Every attempt has the keystrokes of a model that was really typed and
scored; only its speed is varied, so that people differ.
"""

import argparse
import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import chain, islice
from operator import itemgetter
from random import Random
from typing import Any

from sqlalchemy import Table, TextClause, text
from sqlalchemy.schema import CreateIndex, DropIndex, ExecutableDDLElement

from server.clock import Clock
from server.core.attempt import Attempt, EndReason
from server.core.source import DEFAULT_LAYOUTS, Source, SourceKind
from server.core.text import Text
from server.core.typed_text import ErrorRule, Keystroke, TypedText
from server.db.bests import recount
from server.db.database import Database
from server.db.queries import attempts, category, key_confusions, key_counters, users
from server.db.race_rows import racers, races
from server.lessons import CONTENT
from server.live.result import ending

DAY_MS = 86_400_000
DAYS = 730
LONG_S = 3_600
MODELS_PER_SOURCE = 4
CHUNK = 2_000
BATCH = 16
LAG_MS = 30
ATTEMPTS_A_RACE = 20

Row = dict[str, Any]


def person_ids(people: int) -> list[str]:
    """Whom `fill` makes: the one with most attempts first."""
    rng = Random(1)
    return [str(uuid.UUID(int=rng.getrandbits(128), version=4)) for _ in range(people)]


def sources() -> list[Source]:
    """What is typed: every board of either language."""
    return [
        source
        for language in DEFAULT_LAYOUTS
        for source in (
            *(Source(SourceKind.TIME, language=language, seconds=n) for n in (15, 30, 60, 120)),
            *(Source(SourceKind.WORDS, language=language, count=n) for n in (10, 25, 50, 100)),
        )
    ]


def model(source: Source, rng: Random) -> Row:
    """The row of one attempt, opened at 0 and typed by a person who errs once in 25 presses."""
    language = source.language or ""
    words = (CONTENT / language / "words.txt").read_text(encoding="utf-8").split()
    text = " ".join(rng.choices(words, k=source.count or (source.seconds or 0) * 4))
    attempt = Attempt(TypedText(Text.of(text), ErrorRule.FREE, source.limit_ms), 0)
    pace_ms = rng.randint(110, 260)
    keys = [
        Keystroke(
            int(pace_ms * rng.uniform(0.4, 1.6)),
            rng.choice(words)[0] if rng.random() < 0.04 else key,
        )
        for key in text
    ]
    for first in range(0, len(keys), BATCH):
        if attempt.exhausted:
            break
        batch = keys[first : first + BATCH]
        at_ms = attempt.typed_text.at_ms + sum(key.dt_ms for key in batch) + LAG_MS
        attempt.receive(attempt.seq + 1, batch, at_ms)
    reason = attempt.end(EndReason.DONE, attempt.last_arrived_at_ms or 0)
    row: Row = {
        "epoch": 1,
        "source": source.public(),
        "category": category(source),
        "kind": source.kind.value,
        "mode": source.mode,
        "self_reported": False,
        "rule": ErrorRule.FREE.value,
        "language": language,
        "layout": DEFAULT_LAYOUTS[language],
        "text": text,
        "opened_at_ms": 0,
        "outage_ms": 0,
        "got": True,
    }
    end = ending(attempt, {**row, "user_id": ""}, reason)
    return row | end.columns


def placed(made: Row, user_id: str, at_ms: int, pace: float, rng: Random) -> Row:
    """The model as that person's attempt, opened at that time."""
    return made | {
        "id": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        "user_id": user_id,
        "opened_at_ms": at_ms,
        "started_at_ms": at_ms + made["started_at_ms"],
        "finished_at_ms": at_ms + made["finished_at_ms"],
        "wpm": round(made["wpm"] * pace, 2),
        "raw_wpm": round(made["raw_wpm"] * pace, 2),
        "accuracy": round(1 - (1 - made["accuracy"]) * rng.uniform(0.5, 1.5), 4),
    }


def _attempts(ids: Sequence[str], count: int, heaviest: int, now_ms: int) -> Iterator[Row]:
    rng = Random(3)
    models = [
        _encoded(model(source, rng)) for source in sources() for _ in range(MODELS_PER_SOURCE)
    ]
    paces = {user_id: rng.uniform(0.6, 1.6) for user_id in ids}
    for number in range(count):
        # The first has very many; the others share the rest as evenly as chance does.
        user_id = ids[0] if number < heaviest or len(ids) == 1 else rng.choice(ids[1:])
        at_ms = now_ms - rng.randrange(DAYS * DAY_MS) - 1_000_000
        pace = paces[user_id] * rng.uniform(0.8, 1.1)
        yield placed(rng.choice(models), user_id, at_ms, pace, rng)


def _counters(ids: Sequence[str], wrong: bool) -> Iterator[Row]:
    made = model(Source(SourceKind.WORDS, language="en", count=100), Random(5))
    for user_id in ids:
        place = {"user_id": user_id, "language": "en", "layout": "qwerty"}
        for key, counts in made["keys"].items():
            if wrong:
                for typed, count in counts["confusions"].items():
                    yield {**place, "key": key, "typed": typed, "count": count}
            else:
                yield {
                    **place,
                    "key": key,
                    "presses": counts["presses"],
                    "errors": counts["errors"],
                    "latency_sum_ms": counts["presses"] * 180,
                    "latency_count": counts["presses"],
                }


def _encoded(row: Row) -> Row:
    """The row as a driver takes it: once for each model, not for each attempt."""
    return {
        name: json.dumps(value) if isinstance(value, dict | list) else value
        for name, value in row.items()
    }


async def _store(database: Database, table: Table, rows: Iterator[Row]) -> None:
    """Store rows in bulk. All have the same columns, encoded."""
    first = next(rows)
    values_of = itemgetter(*first)
    records = map(values_of, chain([first], rows))
    marks = ", ".join("?" * len(first))
    insert = f"INSERT INTO {table.name} ({', '.join(map(_quoted, first))}) VALUES ({marks})"
    while chunk := list(islice(records, CHUNK)):
        async with database.write() as connection:
            if database.embedded:
                await connection.exec_driver_sql(insert, chunk)
                continue
            driver: Any = (await connection.get_raw_connection()).driver_connection
            await driver.copy_records_to_table(table.name, records=chunk, columns=list(first))


def _quoted(name: str) -> str:
    return f'"{name}"'


@asynccontextmanager
async def _indexes_later(database: Database, table: Table) -> AsyncIterator[None]:
    """Make the table's indexes when it is full: to keep them while it fills takes far longer."""
    indexes = sorted(table.indexes, key=lambda index: str(index.name))
    for index in indexes:
        await _say(database, DropIndex(index))
    yield
    for index in indexes:
        await _say(database, CreateIndex(index))
    await _say(database, text("ANALYZE" if database.embedded else "VACUUM ANALYZE"))


async def _say(database: Database, statement: ExecutableDDLElement | TextClause) -> None:
    """Have the store do what takes it as long as it takes."""
    plain = str(statement.compile(database.engine))
    async with database.read() as connection:
        if database.embedded:
            await connection.exec_driver_sql(plain)
            return
        driver: Any = (await connection.get_raw_connection()).driver_connection
        await driver.execute(plain, timeout=LONG_S)


async def fill(
    database: Database, *, people: int, attempts_count: int, heaviest: int, now_ms: int
) -> list[str]:
    """Store so many people and attempts; the ids of the people, the one with most attempts first.

    The same arguments always give the same people and attempts.
    """
    ids = person_ids(people)
    person = {"guest": True, "created_at_ms": now_ms - DAYS * DAY_MS, "token_version": 0}
    named = ({**person, "id": user_id, "name": f"Guest {user_id[:4].upper()}"} for user_id in ids)
    await _store(database, users, named)
    async with _indexes_later(database, attempts):
        await _store(database, attempts, _attempts(ids, attempts_count, heaviest, now_ms))
    await recount(database, now_ms)
    await _store(database, key_counters, _counters(ids, wrong=False))
    await _store(database, key_confusions, _counters(ids, wrong=True))
    count = attempts_count // ATTEMPTS_A_RACE + 1
    await _store(database, races, (_race(number, now_ms) for number in range(count)))
    await _store(database, racers, _racers(ids, count))
    return ids


def _race(number: int, now_ms: int) -> Row:
    at_ms = now_ms - number * 60_000
    return {
        "id": _race_id(number),
        "code": f"{number:06X}"[-6:],
        "driver": "filled",
        "epoch": 1,
        "n": 12,
        "phase": "finished",
        "quick": True,
        "private": False,
        "racers_max": 20,
        "host": 0,
        "source": json.dumps({"kind": "random", "language": "en", "length": "medium"}),
        "rule": "correct",
        "language": "en",
        "layout": "qwerty",
        "text": "the quick brown fox",
        "speed_wpm": 40.0,
        "created_at_ms": at_ms - 30_000,
        "starts_at_ms": at_ms,
        "ended_at_ms": at_ms + 30_000,
    }


def _racers(ids: Sequence[str], count: int) -> Iterator[Row]:
    for number in range(count):
        for slot in range(2):
            yield {
                "race_id": _race_id(number),
                "slot": slot,
                "user_id": ids[(number + slot) % len(ids)],
                "attempt_id": _race_id(1_000_000_000 + 2 * number + slot),
                "ghost": False,
                "ready": True,
                "duration_ms": 20_000 + slot,
                "place": 1 + slot,
            }


def _race_id(number: int) -> str:
    return str(uuid.UUID(int=number))


def add_sizes(parser: argparse.ArgumentParser) -> None:
    """How much `run` shall store."""
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--attempts", type=int, default=1_000_000)
    parser.add_argument("--heaviest", type=int, default=20_000)


async def run(url: str, sizes: argparse.Namespace) -> None:
    """Fill the store and say how long it took."""
    database = Database(url)
    began_s = time.monotonic()
    try:
        ids = await fill(
            database,
            people=sizes.people,
            attempts_count=sizes.attempts,
            heaviest=sizes.heaviest,
            now_ms=Clock().now_ms(),
        )
    finally:
        await database.close()
    took_s = time.monotonic() - began_s
    print(f"{sizes.attempts} attempts of {sizes.people} people in {took_s:.0f} s")
    print(f"{sizes.heaviest} of them are of {ids[0]}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database")
    add_sizes(parser)
    arguments = parser.parse_args()
    asyncio.run(run(arguments.database, arguments))


if __name__ == "__main__":
    main()
