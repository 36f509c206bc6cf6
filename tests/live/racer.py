"""A guest who races, keeps what was told of the race, and finds holes in it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from tests.live.guest import Guest, custom
from tests.raw_client import Message, raw_client

TEXT = "the quick brown fox"


class Racer(Guest):
    """`race` is the last whole state; `told` all numbered events since it, checked for holes."""

    race: Message
    n: int
    told: list[Message]
    progress: list[Message]
    asked: int = 100

    async def take(self, *, within_s: float = 5.0) -> Message:
        """The next message; what it says of the race is remembered and checked."""
        message = await self.receive(within_s=within_s)
        if message["type"] == "race":
            self.race, self.n = message, message["n"]
            if "h" in message:
                self.h, self.attempt = message["h"], message["attempt"]
        elif message["type"] == "race.event":
            assert message["n"] == self.n + 1, f"{message} after number {self.n}"
            self.n = message["n"]
            self.told.append(message)
        elif message["type"] == "race.progress":
            self.progress.append(message)
        return message

    async def ask(self, kind: str, **fields: Any) -> Message:
        """Send a request of a race; return its answer, `race` or `error`."""
        self.asked += 1
        await self.send(type=f"race.{kind}", id=self.asked, **fields)
        while (message := await self.take()).get("re") != self.asked:
            pass
        return message

    async def create(self, words: str = TEXT, **fields: Any) -> Message:
        return await self.ask("create", **{"source": custom(words)} | fields)

    async def sync(self, race: str, n: int) -> Message:
        """Ask for what happened after number `n`; what comes is checked from there on."""
        self.n = n
        return await self.ask("sync", race=race, n=n)

    async def event(self, name: str, *, within_s: float = 8.0, **fields: Any) -> Message:
        """The next event of that name; others are passed over."""
        while True:
            message = await self.take(within_s=within_s)
            if message["type"] == "race.event" and message["event"] == name:
                wrong = {one: message.get(one) for one in fields if message.get(one) != fields[one]}
                assert not wrong, f"expected {fields} in {message}"
                return message

    async def got(self, kind: str, *, within_s: float = 8.0) -> Message:
        """The next message of that type; others are passed over."""
        while (message := await self.take(within_s=within_s))["type"] != kind:
            pass
        return message

    async def begun(self) -> None:
        """The countdown has come, and with it an attempt to type in."""
        await self.event("countdown")
        while "h" not in self.race:
            await self.take()
        self.seq = 0

    async def typed_to_the_end(self, words: Sequence[str] = TEXT, first_ms: int = 0) -> Message:
        """Type the text at once, `first_ms` after the start by one's own clock; return `done`."""
        batch = [[first_ms if place == 0 else 0, key] for place, key in enumerate(words)]
        await self.keys(1, batch[:64])
        self.seq = len(words)
        return await self.got("done")

    def names(self) -> list[str]:
        """What has happened, by name."""
        return [message["event"] for message in self.told]


@asynccontextmanager
async def racer(url: str, token: str | None = None) -> AsyncIterator[Racer]:
    """A new guest, or the one of `token`, on a connection of its own."""
    async with raw_client(url) as client:
        person = Racer(client.socket)
        person.told, person.progress, person.race, person.n = [], [], {}, 0
        person.welcome = await person.hello(token)
        yield person
