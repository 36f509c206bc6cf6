"""Leaderboards in Redis: copies of what the store says, asked only while they are as new as it.

Each board is a sorted set, best first, and a hash: who stands where in it, and the versions it has
reached. What attempts change is told after their commit, one change of a writer after the other.
A change that was not told, for whatever reason, leaves the copy behind: it is then made anew, and
meanwhile the store answers. So nothing that happens to Redis, or on the way there, can make an
answer wrong.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from typing import Any
from uuid import uuid4

from redis.asyncio import Redis

from server.db.bests import COPY_MS_MAX, Best, Board, BoardPeriod, Change, forget_versions
from server.db.database import STORE_ERRORS, Database
from server.db.leaderboards import (
    BoardPlace,
    Standing,
    load_board,
    load_people,
    load_standing,
    load_state,
)
from server.metrics import Metrics
from server.redis_link import RedisLink

log = logging.getLogger(__name__)

ACCURACY_STEPS = 10_000  # it has four decimals
UNTOLD_MAX = 10_000  # changes; the oldest are dropped, and their boards made anew
TOLD_AT_ONCE = 100
STALE_MAX = 100  # boards that wait to be made anew; the others must be asked for again
PART = 1_000  # people sent at once
PART_MS = 60_000
FORGET_S = 3_600

# A page of the set, how many are on it, and where a person stands; 0 if the copy is not good.
# KEYS: set, hash.
# ARGV: first, last, person, who is left out, made since when, then writers with their versions.
READ = """
local count = redis.call('HGET', KEYS[2], 'count')
if not count or tonumber(count) ~= redis.call('ZCARD', KEYS[1])
    or redis.call('HGET', KEYS[2], 'off') ~= ARGV[4]
    or tonumber(redis.call('HGET', KEYS[2], 'made_at_ms')) < tonumber(ARGV[5])
    or tonumber(redis.call('HGET', KEYS[2], 'writers')) ~= (#ARGV - 5) / 2 then return 0 end
for i = 6, #ARGV, 2 do
    if redis.call('HGET', KEYS[2], 'writer:' .. ARGV[i]) ~= ARGV[i + 1] then return 0 end
end
local mine = redis.call('HGET', KEYS[2], 'person:' .. ARGV[3])
local place = {}
if mine and mine ~= 'off' then
    place = {redis.call('ZRANK', KEYS[1], mine), mine, redis.call('ZSCORE', KEYS[1], mine)}
end
return {tonumber(count), redis.call('ZRANGE', KEYS[1], ARGV[1], ARGV[2], 'WITHSCORES'), place}
"""

# One change, to each copy that has reached the one before it of the same writer.
# KEYS: set and hash of each. ARGV: writer, version, the one before or '', person, score, member.
TELL = """
for i = 1, #KEYS, 2 do
    local set, hash = KEYS[i], KEYS[i + 1]
    local count = redis.call('HGET', hash, 'count')
    local reached = redis.call('HGET', hash, 'writer:' .. ARGV[1]) or ''
    if count and tonumber(count) == redis.call('ZCARD', set) and reached == ARGV[3] then
        local known = redis.call('HGET', hash, 'person:' .. ARGV[4])
        local stays = ARGV[6]
        if known == 'off' then
            stays = 'off'
        elseif known ~= ARGV[6] then
            redis.call('ZADD', set, ARGV[5], ARGV[6])
            if not known then
                redis.call('HINCRBY', hash, 'count', 1)
            elseif redis.call('ZRANK', set, ARGV[6]) < redis.call('ZRANK', set, known) then
                redis.call('ZREM', set, known)
            else
                redis.call('ZREM', set, ARGV[6])
                stays = known
            end
        end
        redis.call('HSET', hash, 'person:' .. ARGV[4], stays, 'writer:' .. ARGV[1], ARGV[2])
        if reached == '' then redis.call('HINCRBY', hash, 'writers', 1) end
    end
end
return 1
"""

# Put a copy in its place, if all of it is there.
# KEYS: new set and hash, set and hash. ARGV: how many people, ms to live, then fields and values.
PLACE = """
local count = tonumber(ARGV[1])
if redis.call('ZCARD', KEYS[1]) ~= count or redis.call('HLEN', KEYS[2]) ~= count then return 0 end
redis.call('DEL', KEYS[3])
if count > 0 then redis.call('RENAME', KEYS[1], KEYS[3]) end
redis.call('HSET', KEYS[2], 'count', ARGV[1])
for i = 3, #ARGV, 2 do redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
redis.call('RENAME', KEYS[2], KEYS[4])
redis.call('PEXPIRE', KEYS[3], ARGV[2])
redis.call('PEXPIRE', KEYS[4], ARGV[2])
return 1
"""


class Boards:
    """Answers who is fastest: from Redis while its copy is good, from the store else."""

    def __init__(
        self, database: Database, link: RedisLink, metrics: Metrics, now_ms: Callable[[], int]
    ) -> None:
        self._database = database
        self._link = link
        self._metrics = metrics
        self._now_ms = now_ms
        self._untold: deque[Change] = deque(maxlen=UNTOLD_MAX)
        self._stale: set[Board] = set()
        self._work = asyncio.Event()

    async def standing(
        self,
        category: str,
        period: BoardPeriod,
        *,
        limit: int,
        offset: int = 0,
        user_id: str | None = None,
    ) -> Standing:
        """A page of a board of the running period, and where this person stands."""
        board = Board.at(category, period, self._now_ms())
        standing = await self._copied(board, limit, offset, user_id)
        self._metrics.answered_board("store" if standing is None else "redis")
        if standing is not None:
            return standing
        standing = await load_standing(
            self._database, board, limit=limit, offset=offset, user_id=user_id
        )
        # A board nobody is on may be one that there is not: no room is taken for it.
        if standing.total and not self._link.resting and len(self._stale) < STALE_MAX:
            self._stale.add(board)
            self._work.set()
        return standing

    def heard(self, changes: Sequence[Change]) -> None:
        """These were committed, and are to be told."""
        if self._link.redis is not None and changes:
            self._untold.extend(changes)
            self._work.set()

    async def run(self) -> None:
        """Tell what is heard and make copies anew until cancelled."""
        loop = asyncio.get_running_loop()
        forget_at_s = loop.time()
        while True:
            try:
                if loop.time() >= forget_at_s:
                    await forget_versions(self._database, self._now_ms())
                    forget_at_s = loop.time() + FORGET_S
                await self.catch_up()
            except STORE_ERRORS as error:
                log.warning("the store does not answer the boards: %s", type(error).__name__)
            with suppress(TimeoutError):
                async with asyncio.timeout(FORGET_S):
                    await self._work.wait()
            self._work.clear()

    async def catch_up(self) -> None:
        """Tell all that was heard, and make those copies anew that were found behind."""
        while self._untold or self._stale:
            if self._untold:
                count = min(len(self._untold), TOLD_AT_ONCE)
                await self._tell([self._untold.popleft() for _ in range(count)])
            else:
                began_s = time.monotonic()
                await self._make(self._stale.pop())
                # Where other processes change much, a copy is soon behind: do other things, too.
                await asyncio.sleep(time.monotonic() - began_s)

    async def _tell(self, changes: Sequence[Change]) -> None:
        async def tell(redis: Redis) -> None:
            pipeline = redis.pipeline(transaction=False)
            for change in changes:
                keys = [key for board in _boards(change) for key in _keys(board)]
                pipeline.eval(TELL, len(keys), *keys, *_told(change))
            await pipeline.execute()

        await self._link.ask(tell)

    async def _make(self, board: Board) -> None:
        if await self._read(board, 0, 0, "") is not None:
            return  # a change was on its way when somebody looked, or another process was faster
        made_at_ms = self._now_ms()
        state, bests, left_out = await load_board(self._database, board)
        new = _keys_of(f"new:{uuid4().hex}")
        parts = [bests[first : first + PART] for first in range(0, len(bests), PART)]
        for part in parts:
            if await self._link.ask(partial(_add, new, part)) is None:
                return
        fields: list[str | int] = ["off", state.off, "made_at_ms", made_at_ms]
        fields += ["writers", len(state.versions)]
        for writer, version in state.versions.items():
            fields += [f"writer:{writer}", version]
        for best in left_out:
            fields += [f"person:{best.user_id}", "off"]
        keys = (*new, *_keys(board))
        await self._link.ask(
            lambda redis: redis.eval(PLACE, len(keys), *keys, len(bests), COPY_MS_MAX, *fields)
        )

    async def _copied(
        self, board: Board, limit: int, offset: int, user_id: str | None
    ) -> Standing | None:
        """The standing by the copy; None if there is none, or it is behind."""
        if self._link.resting:
            return None
        answer = await self._read(board, offset, offset + limit - 1, user_id or "")
        if answer is None:
            return None
        total, page, mine = answer
        bests = [_best(*one) for one in zip(page[::2], page[1::2], strict=True)]
        own = _best(*mine[1:]) if mine else None
        ids = {best.user_id for best in (*bests, own) if best is not None}
        people = await load_people(self._database, sorted(ids))
        if people.keys() != ids:
            return None  # somebody has left since
        return Standing(
            total,
            [_place(rank, best, people) for rank, best in enumerate(bests, offset + 1)],
            None if own is None else _place(mine[0] + 1, own, people),
        )

    async def _read(self, board: Board, first: int, last: int, user_id: str) -> Any:
        """What READ says; None if Redis does not answer, or its copy is not good."""
        # Asked before the copy is: what has been committed by now is in it, or it is not good.
        state = await load_state(self._database, board)
        since_ms = self._now_ms() - COPY_MS_MAX
        asked: list[str | int] = [first, last, user_id, state.off, since_ms]
        for writer, version in state.versions.items():
            asked += [writer, version]
        keys = _keys(board)
        answer: Any = await self._link.ask(lambda redis: redis.eval(READ, 2, *keys, *asked))
        return answer or None


def _keys(board: Board) -> tuple[str, str]:
    return _keys_of(f"{board.category}:{board.period}:{board.began_at_ms}")


def _keys_of(name: str) -> tuple[str, str]:
    return f"board:{name}:places", f"board:{name}:people"


def _boards(change: Change) -> list[Board]:
    at_ms = change.best.finished_at_ms
    return [Board.at(change.category, period, at_ms) for period in BoardPeriod]


def _told(change: Change) -> tuple[str | int | float, ...]:
    before = "" if change.first else change.version - 1
    best = change.best
    return change.writer, change.version, before, best.user_id, -best.wpm, _member(best)


async def _add(new: tuple[str, str], bests: Sequence[Best], redis: Redis) -> int:
    places, people = new
    pipeline = redis.pipeline(transaction=False)
    pipeline.zadd(places, {_member(best): -best.wpm for best in bests})
    pipeline.hset(people, mapping={f"person:{best.user_id}": _member(best) for best in bests})
    for key in new:
        pipeline.pexpire(key, PART_MS)
    return len(await pipeline.execute())


def _member(best: Best) -> str:
    """Of members with one score the set keeps the lesser first: the more accurate, the earlier."""
    slips = ACCURACY_STEPS - round(best.accuracy * ACCURACY_STEPS)
    return f"{slips:05d} {best.finished_at_ms:015d} {best.user_id}"


def _best(member: bytes, score: bytes) -> Best:
    slips, finished_at_ms, user_id = member.decode().split(" ", 2)
    accuracy = (ACCURACY_STEPS - int(slips)) / ACCURACY_STEPS
    return Best(user_id, -float(score), accuracy, int(finished_at_ms))


def _place(rank: int, best: Best, people: Mapping[str, Mapping[Any, Any]]) -> BoardPlace:
    person = people[best.user_id]
    return BoardPlace(rank=rank, name=person["name"], guest=person["guest"], **asdict(best))
