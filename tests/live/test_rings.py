"""Objects of who has left are let go at once: none knows another in a ring, for the collector."""

import asyncio
import gc
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from websockets.server import ServerProtocol

from server.app import build, create_app
from server.line import DirectLine
from server.live.connection import Connection
from server.live.live_attempt import LiveAttempt
from server.live.racing import Racing
from server.settings import Settings
from server.web import DirectProtocol, HttpProtocol, server
from tests.db.stored import eventually
from tests.live.racer import racer
from tests.live.typist import typist
from tests.processes import free_port, settings

KINDS = (
    Connection,
    DirectLine,
    DirectProtocol,
    HttpProtocol,
    LiveAttempt,
    Racing,
    ServerProtocol,
)


@asynccontextmanager
async def serving(database_url: str) -> AsyncIterator[str]:
    """The server within this process, where its objects can be counted; its websocket's URL."""
    chosen = Settings.from_environ(settings(database_url))
    parts, port = build(chosen), free_port()
    running = server(
        create_app(parts, chosen, lambda: None),
        "127.0.0.1",
        port,
        parts.journal.flush,
        parts.door,
    )
    task = asyncio.create_task(running.serve())
    try:
        await eventually(lambda: running.started)
        yield f"ws://127.0.0.1:{port}/ws"
    finally:
        running.should_exit = True
        await task


async def visit(url: str) -> None:
    """One types and quits, one drops in the middle, one opens a race and leaves."""
    async with typist(url) as person:
        await person.type_for(0.2)
        await person.client.send(type="finish", id=9, h=person.h, seq=person.seq, why="quit")
        await person.until(lambda: bool(person.of("done")), within_s=10)
    async with typist(url) as person:
        await person.type_for(0.2)
        person.client.socket.transport.abort()
    async with racer(url) as host:
        await host.create()


def left() -> Counter[str]:
    """What there is of a connection, by kind."""
    return Counter(type(one).__name__ for one in gc.get_objects() if type(one) in KINDS)


async def test_who_has_left_leaves_nothing_to_the_collector(sqlite_url: str) -> None:
    async with serving(sqlite_url) as url:
        gc.collect()
        gc.disable()
        try:
            await visit(url)
            await eventually(lambda: not left(), within_s=10)
        finally:
            gc.enable()
