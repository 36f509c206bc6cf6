"""A person at a raw connection: types on, whatever the server says, and notes when it said it."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from websockets.exceptions import ConnectionClosed

from tests.raw_client import Message, RawClient, raw_client

TEXT = "nothing is lost and nothing is counted twice; " * 20
DT_MS = 1  # less than what passes between two batches


@dataclass
class Heard:
    """A message, and when it came."""

    at_s: float
    message: Message


class Typist:
    """One attempt on one connection. Everything received since `opened` is in `heard`."""

    def __init__(self, client: RawClient, opened: Message, token: str) -> None:
        self.client = client
        self.token = token
        self.attempt: str = opened["attempt"]
        self.h: int = opened["h"]
        self.seq: int = opened["seq"]
        self.heard: list[Heard] = []
        self._listening = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        while True:
            try:
                message = await self.client.receive(within_s=60)
            except ConnectionClosed:
                return
            self.heard.append(Heard(time.monotonic(), message))

    async def stop(self) -> None:
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)

    async def type(self, count: int) -> None:
        """Type on in the text, in one batch."""
        keys = TEXT[self.seq : self.seq + count]
        first = self.seq == 0
        events = [[0 if first and not at else DT_MS, key] for at, key in enumerate(keys)]
        await self.client.send(type="keys", h=self.h, seq=self.seq + 1, events=events)
        self.seq += count

    async def type_for(self, seconds: float) -> None:
        """Type on, ten batches a second."""
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s:
            await self.type(4)
            await asyncio.sleep(0.1)

    def of(self, kind: str) -> list[Message]:
        """What was heard of one type."""
        return [heard.message for heard in self.heard if heard.message["type"] == kind]

    @property
    def acked(self) -> int:
        """The highest number acked so far."""
        return max((ack["seq"] for ack in self.of("ack")), default=0)

    async def until(self, holds: Callable[[], bool], within_s: float = 5.0) -> None:
        """Return as soon as it holds."""
        deadline_s = time.monotonic() + within_s
        while not holds():
            assert time.monotonic() < deadline_s, f"seq {self.seq}, heard {self.heard[-5:]}"
            await asyncio.sleep(0.01)

    async def all_acked(self, within_s: float = 5.0) -> None:
        """Return once everything typed is acked."""
        await self.until(lambda: self.acked == self.seq, within_s)

    async def told_to_go(self) -> None:
        """Return once the server has said that it is going away."""
        await self.until(lambda: bool(self.of("drain")), within_s=1.0)


@asynccontextmanager
async def typist(
    url: str, *, token: str | None = None, attempt: str | None = None
) -> AsyncIterator[Typist]:
    """A connection with an attempt opened, or `attempt` resumed."""
    async with raw_client(url) as client:
        welcome = await client.hello(token)
        source = {} if attempt else {"source": {"kind": "custom", "text": TEXT}}
        opened = await client.open(attempt or str(uuid.uuid4()), **source)
        person = Typist(client, opened, welcome["token"])
        try:
            yield person
        finally:
            await person.stop()
