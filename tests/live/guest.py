"""A guest at a raw connection who types what the test says, right or wrong."""

import uuid
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.raw_client import Message, RawClient, raw_client

TEXT = "the quick brown fox jumps over the lazy dog"


def new_id() -> str:
    return str(uuid.uuid4())


def custom(words: str) -> Message:
    return {"kind": "custom", "text": words}


def events(keys: Iterable[str], dt_ms: int = 0) -> list[list[Any]]:
    """Each key `dt_ms` after the one before, the first at once."""
    return [[dt_ms if place else 0, key] for place, key in enumerate(keys)]


class Guest(RawClient):
    """Somebody who has said hello. `h`, `attempt` and `seq` are those of the last `begin`."""

    welcome: Message
    h: int
    attempt: str
    seq: int

    @property
    def token(self) -> str:
        token: str = self.welcome["token"]
        return token

    async def begin(self, words: str = TEXT, **fields: Any) -> Message:
        """Open a new attempt at `words`, or at `source`; return the `opened`."""
        return await self._turn_to({"source": custom(words), "attempt": new_id()} | fields)

    async def resume(self, attempt: str) -> Message:
        return await self._turn_to({"attempt": attempt})

    async def _turn_to(self, fields: Message) -> Message:
        await self.send(type="open", id=1, **fields)
        # What the attempt left behind still had to say comes first.
        opened = await self.expect("opened", skip=("ack",), re=1, attempt=fields["attempt"])
        self.h, self.attempt, self.seq = opened["h"], opened["attempt"], opened["seq"]
        return opened

    async def press(self, keys: Iterable[str], dt_ms: int = 0) -> None:
        """Send the next keys as one batch."""
        batch = events(keys, dt_ms)
        if self.seq:
            batch[0][0] = dt_ms
        await self.keys(self.seq + 1, batch)
        self.seq += len(batch)

    async def keys(self, seq: Any, batch: Any, **fields: Any) -> None:
        """Send a batch just as it is given."""
        message = {"type": "keys", "h": self.h, "seq": seq, "events": batch} | fields
        await self.send(**message)

    async def finish(self, why: Any = "done", seq: Any = None, **fields: Any) -> None:
        last_seq = self.seq if seq is None else seq
        await self.send(type="finish", h=self.h, seq=last_seq, why=why, **fields)

    async def acked(self, seq: int) -> Message:
        """The `ack` of number `seq`; smaller ones may come before it."""
        while (ack := await self.expect("ack", h=self.h))["seq"] < seq:
            pass
        assert ack["seq"] == seq
        return ack

    async def typed(self, keys: Iterable[str], dt_ms: int = 0) -> Message:
        """Send the next keys as one batch; return its `ack`."""
        await self.press(keys, dt_ms)
        return await self.acked(self.seq)

    async def done(self, **fields: Any) -> Message:
        """The `done` that comes next; acks may come before it."""
        return await self.expect("done", skip=("ack",), **fields)

    async def has_nothing_more(self) -> None:
        """Nothing has been sent to us that we have not taken."""
        await self.send(type="ping", c=7)
        await self.expect("pong", c=7)

    async def standing(self) -> Message:
        """Where the attempt stands by now, read on this connection."""
        return await self.open(self.attempt)


@asynccontextmanager
async def guest(url: str, token: str | None = None) -> AsyncIterator[Guest]:
    """A new guest, or the one of `token`, on a connection of its own."""
    async with raw_client(url) as client:
        person = Guest(client.socket)
        person.welcome = await person.hello(token)
        yield person


async def stored(database_url: str, query: str, **values: Any) -> Sequence[Any]:
    """What the store answers, read past the server."""
    engine = create_async_engine(database_url)
    try:
        async with engine.connect() as connection:
            return (await connection.execute(text(query), values)).all()
    finally:
        await engine.dispose()


async def change(database_url: str, statement: str, **values: Any) -> None:
    """Change the store behind the server's back."""
    engine = create_async_engine(database_url)
    try:
        async with engine.begin() as connection:
            await connection.execute(text(statement), values)
    finally:
        await engine.dispose()
