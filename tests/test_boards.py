"""Redis and the store give the same leaderboards, whatever happens to either."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
from redis.asyncio import Redis
from sqlalchemy import insert

from server import redis_link
from server.boards import Boards
from server.core.source import Source, SourceKind
from server.db.accounts import delete_person, log_in
from server.db.bests import COPY_MS_MAX, DAY_MS, Board, BoardPeriod, forget_versions, recount
from server.db.database import Database
from server.db.journal import ENDING_COLUMNS, Ending, Entry, Journal
from server.db.leaderboards import Standing, load_standing, load_state
from server.db.logins import NewLogin
from server.db.queries import attempts, bests
from server.metrics import Metrics
from server.redis_link import RedisLink
from tests.db.stored import Recorder, add_people, change, opened_database, running
from tests.fill import Row, model, placed
from tests.valkey import Valkey

NOW_MS = 1_790_000_000_000
CATEGORIES = ("time:en:60", "text:en-short-001")
PEOPLE = [f"person {letter}" for letter in "abcdefg"]
MODEL = model(Source(SourceKind.TIME, language="en", seconds=60), Random(1))


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Redis that was away is asked again at once, and one that is slow is waited for."""
    monkeypatch.setattr(redis_link, "AGAIN_S", 0.0)
    monkeypatch.setattr(redis_link, "ANSWER_S", 5.0)


@dataclass
class Process:
    """What of a server has to do with leaderboards. Nothing is told before `catch_up`."""

    journal: Journal
    boards: Boards
    metrics: Metrics

    def shown_by(self, source: str) -> int:
        """How many leaderboards the `source` knew."""
        wanted = f'typing_boards_total{{source="{source}"}} '
        lines = self.metrics.text().decode().splitlines()
        return sum(int(float(line.split()[-1])) for line in lines if line.startswith(wanted))

    async def from_redis(self, board: Board, **page: Any) -> Standing:
        """The standing, which Redis must have known if anybody is on the board."""
        await self.boards.catch_up()
        await self.boards.standing(board.category, board.period, limit=1)
        await self.boards.catch_up()
        before = self.shown_by("redis")
        standing = await self.boards.standing(board.category, board.period, **page)
        assert self.shown_by("redis") == before + bool(standing.total)
        return standing


@asynccontextmanager
async def process(
    database: Database, url: str | None, now_ms: Callable[[], int]
) -> AsyncIterator[Process]:
    metrics = Metrics()
    async with aclosing(RedisLink(url)) as link:
        boards = Boards(database, link, metrics, now_ms)
        journal = Journal(database, metrics, now_ms)
        journal.heard = boards.heard
        async with running(journal):
            yield Process(journal, boards, metrics)


@dataclass
class World:
    """Two processes at one store and one Redis, and what the boards must show."""

    database: Database
    valkey: Valkey
    rng: Random
    stack: AsyncExitStack
    patch: pytest.MonkeyPatch
    now_ms: int = NOW_MS
    typed: list[Row] = field(default_factory=list)
    disabled: set[str] = field(default_factory=set)
    processes: list[Process] = field(default_factory=list)
    frozen: bool = False

    async def start(self) -> Process:
        made = process(self.database, self.valkey.url, lambda: self.now_ms)
        return await self.stack.enter_async_context(made)

    # What may happen

    async def type(self, typist: Process | None = None) -> None:
        finished_at_ms = self.now_ms - self.rng.choice((0, 1, 5, DAY_MS, 9 * DAY_MS, 40 * DAY_MS))
        row = placed(MODEL, self.rng.choice(PEOPLE), 0, 1.0, self.rng) | {
            "category": self.rng.choice(CATEGORIES),
            "wpm": self.rng.choice((0.0, 59.99, 60.0, 60.01, 142.29, 199.87)),
            "accuracy": self.rng.choice((0.0, 0.9, 0.9001, 1.0)),
            "finished_at_ms": finished_at_ms,
            "verdict": self.rng.choice(("ranked", "ranked", "ranked", "review", "unranked")),
        }
        self.typed.append(row)
        await type_out(typist or self.rng.choice(self.processes), self.database, row)

    async def delete(self) -> None:
        who = self.rng.choice(PEOPLE)
        await delete_person(self.database, who, self.now_ms)
        await add_people(self.database, who)  # a guest's token outlives its row
        self.typed = [row for row in self.typed if row["user_id"] != who]
        self.disabled.discard(who)

    async def move(self) -> None:
        guest, member = self.rng.sample(PEOPLE, 2)
        for who, is_guest in ((guest, True), (member, False)):
            await change(
                self.database,
                "UPDATE users SET guest = :guest, password_hash = 'a hash' WHERE id = :id",
                guest=is_guest,
                id=who,
            )
        login = NewLogin(f"{self.rng.random()}", f"{self.rng.random()}")
        await log_in(self.database, member, "a hash", login, guest, self.now_ms)
        await add_people(self.database, guest)
        for row in self.typed:
            if row["user_id"] == guest:
                row["user_id"] = member
        self.disabled.discard(guest)

    async def disable(self) -> None:
        who = self.rng.choice(PEOPLE)
        off = who in self.disabled
        await change(
            self.database,
            "UPDATE users SET disabled_at_ms = :at WHERE id = :id",
            at=None if off else 1,
            id=who,
        )
        self.disabled ^= {who}

    async def flag(self) -> None:
        """Somebody judges an attempt by hand."""
        if self.typed:
            row = self.rng.choice(self.typed)
            row["verdict"] = "review"
            await change(
                self.database, "UPDATE attempts SET verdict = 'review' WHERE id = :id", id=row["id"]
            )
            await recount(self.database, self.now_ms)

    async def wait(self) -> None:
        self.now_ms += self.rng.choice((1, 3_600_000, DAY_MS, 3 * DAY_MS))
        await forget_versions(self.database, self.now_ms)

    async def tell(self) -> None:
        await self.rng.choice(self.processes).boards.catch_up()

    async def lose(self) -> None:
        """What was typed is not told."""
        one = self.rng.choice(self.processes)
        told, one.journal.heard = one.journal.heard, lambda _changes: None
        await self.type(one)
        one.journal.heard = told

    async def die(self) -> None:
        """What a process had not told is never told."""
        self.processes[self.rng.randrange(2)] = await self.start()

    async def flush(self) -> None:
        if not self.frozen:
            async with Redis.from_url(self.valkey.url) as redis:
                await redis.flushall()

    async def forget_one(self) -> None:
        """Redis needs room for something else."""
        if not self.frozen:
            async with Redis.from_url(self.valkey.url) as redis:
                keys = sorted(await redis.keys("board:*"))
                if keys:
                    await redis.delete(self.rng.choice(keys))

    async def restart(self) -> None:
        self.valkey.stop()
        self._freeze(False)
        await self.valkey.start()

    async def freeze(self) -> None:
        (self.valkey.thaw if self.frozen else self.valkey.freeze)()
        self._freeze(not self.frozen)

    def _freeze(self, frozen: bool) -> None:
        self.frozen = frozen
        self.patch.setattr(redis_link, "ANSWER_S", 0.01 if frozen else 5.0)

    # What must be seen

    def expected(self, board: Board) -> list[tuple[str, float, float, int]]:
        """Everybody's best, best first, from nothing but what was typed."""
        best: dict[str, tuple[float, float, int]] = {}
        for row in self.typed:
            counts = (
                row["verdict"] == "ranked"
                and row["category"] == board.category
                and row["finished_at_ms"] >= board.began_at_ms
                and row["user_id"] not in self.disabled
            )
            if counts:
                key = (-row["wpm"], -row["accuracy"], row["finished_at_ms"])
                best[row["user_id"]] = min(key, best.get(row["user_id"], key))
        order = sorted((key, who) for who, key in best.items())
        return [(who, -key[0], -key[1], key[2]) for key, who in order]

    async def check(self, process: Process) -> None:
        board = Board.at(
            self.rng.choice(CATEGORIES), self.rng.choice(list(BoardPeriod)), self.now_ms
        )
        page: dict[str, Any] = {
            "limit": self.rng.choice((1, 3, 50)),
            "offset": self.rng.choice((0, 0, 1, 4, 30)),
            "user_id": self.rng.choice((None, *PEOPLE)),
        }
        standing = await process.boards.standing(board.category, board.period, **page)
        assert standing == await load_standing(self.database, board, **page)
        rows = self.expected(board)
        assert standing.total == len(rows)
        first = page["offset"]
        shown = [
            (one.rank, one.user_id, one.wpm, one.accuracy, one.finished_at_ms)
            for one in standing.page
        ]
        places = [(rank, *row) for rank, row in enumerate(rows, 1)]
        assert shown == places[first : first + page["limit"]]
        mine = next((place for place in places if place[1] == page["user_id"]), None)
        assert (standing.mine and standing.mine.rank) == (mine and mine[0])


async def type_out(process: Process, database: Database, row: Row) -> None:
    """End the attempt of that row as a connection would."""
    opened = {name: value for name, value in row.items() if name not in ENDING_COLUMNS}
    async with database.write() as connection:
        await connection.execute(insert(attempts), {**opened, "state": "armed"})
    columns = {name: row.get(name) for name in ENDING_COLUMNS}
    ending = Ending(row["user_id"], row["category"], "en", "qwerty", columns, {})
    process.journal.write(Entry(Recorder(), row["id"], 1, ending=ending))
    await process.journal.flush()


def ranked(who: str) -> Row:
    row = placed(MODEL, who, 0, 1.0, Random(who))
    return row | {"category": CATEGORIES[0], "finished_at_ms": NOW_MS, "verdict": "ranked"}


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_happens_the_boards_are_right(
    database_url: str, valkey: Valkey, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened_database(database_url) as database, AsyncExitStack() as stack:
        world = World(database, valkey, Random(seed), stack, monkeypatch)
        await add_people(database, *PEOPLE)
        world.processes = [await world.start(), await world.start()]
        often: list[Callable[[], Coroutine[Any, Any, None]]] = [world.type, world.tell]
        seldom = [
            *(world.delete, world.move, world.disable, world.flag, world.wait, world.die),
            *(world.lose, world.flush, world.forget_one, world.restart, world.freeze),
        ]
        for _ in range(60):
            await world.rng.choice(often if world.rng.random() < 0.75 else seldom)()
            for one in world.processes:
                await world.check(one)
        if world.frozen:
            await world.freeze()
        for one in world.processes:
            for category in CATEGORIES:
                for period in BoardPeriod:
                    board = Board.at(category, period, world.now_ms)
                    known = await one.from_redis(board, limit=50, user_id=PEOPLE[0])
                    assert known == await load_standing(
                        database, board, limit=50, user_id=PEOPLE[0]
                    )
        assert sum(one.shown_by("redis") for one in world.processes) > 16


async def test_store_that_was_set_back_is_believed(database_url: str, valkey: Valkey) -> None:
    """Somebody brings a backup of the store back; Redis still knows what came after it."""
    board = Board(CATEGORIES[0], BoardPeriod.ALL, 0)
    async with (
        opened_database(database_url) as database,
        process(database, valkey.url, lambda: NOW_MS) as one,
        process(database, valkey.url, lambda: NOW_MS) as other,
    ):
        await add_people(database, *PEOPLE[:2])
        for who, typist in zip(PEOPLE, (one, other), strict=False):
            backup = await load_state(database, board)
            await type_out(typist, database, ranked(who))
        assert (await one.from_redis(board, limit=9)).total == 2
        await change(database, "DELETE FROM attempts WHERE user_id = :id", id=PEOPLE[1])
        await change(database, "DELETE FROM bests WHERE user_id = :id", id=PEOPLE[1])
        (writer,) = backup.versions
        await change(database, "DELETE FROM board_versions WHERE writer != :id", id=writer)
        assert await load_state(database, board) == backup
        assert (await one.boards.standing(board.category, board.period, limit=9)).total == 1
        assert (await one.from_redis(board, limit=9)).total == 1


async def test_what_was_not_told_is_missed_before_what_is_told_next(
    database_url: str, valkey: Valkey
) -> None:
    board = Board(CATEGORIES[0], BoardPeriod.ALL, 0)
    async with (
        opened_database(database_url) as database,
        process(database, valkey.url, lambda: NOW_MS) as one,
    ):
        await add_people(database, *PEOPLE[:3])
        await type_out(one, database, ranked(PEOPLE[0]))
        assert (await one.from_redis(board, limit=9)).total == 1
        told, one.journal.heard = one.journal.heard, lambda _changes: None
        await type_out(one, database, ranked(PEOPLE[1]))
        one.journal.heard = told
        await type_out(one, database, ranked(PEOPLE[2]))
        await one.boards.catch_up()
        assert (await one.boards.standing(board.category, board.period, limit=9)).total == 3
        assert (await one.from_redis(board, limit=9)).total == 3


async def test_what_is_told_is_in_redis_without_a_new_copy(
    sqlite_url: str, valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = Board(CATEGORIES[0], BoardPeriod.ALL, 0)
    async with (
        opened_database(sqlite_url) as database,
        process(database, valkey.url, lambda: NOW_MS) as one,
        process(database, valkey.url, lambda: NOW_MS) as other,
    ):
        await add_people(database, *PEOPLE)
        await type_out(one, database, ranked(PEOPLE[0]))
        assert (await one.from_redis(board, limit=9)).total == 1
        monkeypatch.delattr("server.boards.load_board")  # from here on none can be made
        for number, who in enumerate(PEOPLE[1:], 2):
            typist = (one, other)[number % 2]
            await type_out(typist, database, ranked(who))
            await typist.boards.catch_up()
            for reader in (one, other):
                standing = await reader.from_redis(board, limit=9, user_id=who)
                assert standing.total == number
                assert standing.mine is not None
                assert standing.mine.user_id == who


async def test_disabled_who_type_on_come_on_no_board(database_url: str, valkey: Valkey) -> None:
    """Slower than before, so that nothing but the day's board could change by it."""
    board = Board(CATEGORIES[0], BoardPeriod.ALL, 0)
    async with (
        opened_database(database_url) as database,
        process(database, valkey.url, lambda: NOW_MS) as one,
    ):
        await add_people(database, *PEOPLE[:2])
        for who in PEOPLE[:2]:
            await type_out(one, database, ranked(who) | {"finished_at_ms": NOW_MS - 2 * DAY_MS})
        await change(database, "UPDATE users SET disabled_at_ms = 1 WHERE id = :id", id=PEOPLE[1])
        assert (await one.from_redis(board, limit=1)).total == 1
        await type_out(one, database, ranked(PEOPLE[1]) | {"wpm": 1.0, "id": "the slower one"})
        for who in PEOPLE[:2]:
            standing = await one.from_redis(board, limit=1, user_id=who)
            assert (standing.total, standing.mine is None) == (1, who != PEOPLE[0])


async def test_copy_is_believed_for_a_day(sqlite_url: str, valkey: Valkey) -> None:
    """What it must have reached is forgotten after two."""
    now_ms = NOW_MS
    async with (
        opened_database(sqlite_url) as database,
        process(database, valkey.url, lambda: now_ms) as one,
    ):
        await add_people(database, PEOPLE[0])
        await type_out(one, database, ranked(PEOPLE[0]))
        await one.from_redis(Board(CATEGORIES[0], BoardPeriod.ALL, 0), limit=1)
        before = one.shown_by("redis")
        for age_ms, believed in ((COPY_MS_MAX, 1), (COPY_MS_MAX + 1, 0)):
            now_ms = NOW_MS + age_ms
            await one.boards.standing(CATEGORIES[0], BoardPeriod.ALL, limit=1)
            before += believed
            assert one.shown_by("redis") == before


async def test_boards_nobody_is_on_take_no_room(sqlite_url: str, valkey: Valkey) -> None:
    async with (
        opened_database(sqlite_url) as database,
        process(database, valkey.url, lambda: NOW_MS) as one,
        Redis.from_url(valkey.url) as redis,
    ):
        for language in ("aa", "ab", "zz"):
            found = await one.boards.standing(f"time:{language}:60", BoardPeriod.ALL, limit=1)
            assert found == Standing(0, [], None)
        await one.boards.catch_up()
        assert await redis.dbsize() == 0


async def test_many_who_end_at_once_in_two_processes(database_url: str, valkey: Valkey) -> None:
    board = Board(CATEGORIES[0], BoardPeriod.ALL, 0)
    rng = Random(5)
    async with (
        opened_database(database_url) as database,
        opened_database(database_url) as second,
        process(database, valkey.url, lambda: NOW_MS) as one,
        process(second, valkey.url, lambda: NOW_MS) as other,
    ):
        await add_people(database, *PEOPLE)
        made = [
            placed(MODEL, rng.choice(PEOPLE), 0, 1.0, rng)
            | {"finished_at_ms": NOW_MS - at, "wpm": rng.uniform(40, 90), "verdict": "ranked"}
            for at in range(80)
        ]
        typing = [
            type_out((one, other)[number % 2], (database, second)[number % 2], row)
            for number, row in enumerate(made)
        ]
        reading = [one.boards.standing(board.category, board.period, limit=9) for _ in range(20)]
        await asyncio.gather(*typing, *reading, one.boards.catch_up())
        shown = [await by.from_redis(board, limit=9) for by in (one, other)]
        kept = await load_standing(database, board, limit=9)
        await recount(database, NOW_MS)
        assert shown == [kept, kept]
        assert await load_standing(database, board, limit=9) == kept
        fastest = {row["user_id"]: 0.0 for row in made}
        for row in made:
            fastest[row["user_id"]] = max(fastest[row["user_id"]], row["wpm"])
        assert {place.user_id: place.wpm for place in kept.page} == fastest


async def test_copy_of_many_people_is_whole(sqlite_url: str, valkey: Valkey) -> None:
    """More than are sent at once, or fit on a page."""
    people = [f"person {number}" for number in range(2_500)]
    board = Board(CATEGORIES[0], BoardPeriod.ALL, 0)
    async with (
        opened_database(sqlite_url) as database,
        process(database, valkey.url, lambda: NOW_MS) as one,
        Redis.from_url(valkey.url) as redis,
    ):
        await add_people(database, *people)
        rows = [
            {
                "user_id": who,
                "category": board.category,
                "period": "all",
                "began_at_ms": 0,
                "wpm": 50.0 + number % 100,
                "accuracy": 0.9,
                "finished_at_ms": NOW_MS - number,
            }
            for number, who in enumerate(people)
        ]
        async with database.write() as connection:
            await connection.execute(insert(bests), rows)
        for first in range(0, 2_600, 100):
            page: dict[str, Any] = {"limit": 100, "offset": first, "user_id": people[first - 1]}
            assert await one.from_redis(board, **page) == await load_standing(
                database, board, **page
            )
        keys = await redis.keys("*")
        assert len(keys) == 2  # nothing is left of how they came there
        assert all([0 < await redis.pttl(key) <= COPY_MS_MAX for key in keys])


async def test_without_redis_the_store_answers(sqlite_url: str) -> None:
    async with (
        opened_database(sqlite_url) as database,
        process(database, None, lambda: NOW_MS) as one,
    ):
        await add_people(database, PEOPLE[0])
        await type_out(one, database, ranked(PEOPLE[0]))
        await one.boards.catch_up()
        standing = await one.boards.standing(CATEGORIES[0], BoardPeriod.DAY, limit=5)
        assert (standing.total, one.shown_by("redis"), one.shown_by("store")) == (1, 0, 1)
