"""What processes tell each other and can do without: a message may be lost, and whoever needs what
it said finds it in the store. None comes twice, and those of one process come in order.

A process does not hear itself: what it tells the others it has done already.
"""

import asyncio
import logging
import os
from collections import OrderedDict, deque
from collections.abc import Callable, Set
from contextlib import suppress
from struct import Struct
from typing import Any, Protocol

from redis.asyncio import Connection, ConnectionPool

from server.metrics import Metrics
from server.protocol import pack, unpack
from server.redis_link import AWAY_ERRORS

log = logging.getLogger(__name__)

QUEUE_MAX = 1_000
SENT_AT_ONCE = 100
MESSAGE_BYTES_MAX = 65_536
PUBLISHERS_MAX = 1_000
PING_S = 1.0
SILENCE_S = 2.0  # after which Redis is given up
AGAIN_S = 0.5
HEAD = Struct(">8sQ")  # who says it, and its number among all that they say

Message = dict[str, Any]
Hear = Callable[[Message], None]


class Bus(Protocol):
    """Topics, and who hears them.

    `hear` is called in the event loop and must not change the message, which others hear too. What
    it says is not to be trusted: a `hear` that finds no sense in it raises ValueError.
    """

    def publish(self, topic: str, message: Message) -> None:
        """Tell every other process, if it can be told now. Waits for nothing."""

    def subscribe(self, topic: str, hear: Hear) -> None:
        """Call `hear` with what others say, but for what they say in the next moment."""

    def unsubscribe(self, topic: str, hear: Hear) -> None:
        """`hear` is not called any more, from now on. It need not have been subscribed."""

    async def run(self) -> None:
        """Carry messages until cancelled, and leave nothing behind."""


class MemoryBus:
    """The bus of a process that is alone. Those with one `joined` hear each other, for tests."""

    def __init__(self, metrics: Metrics, joined: "list[MemoryBus] | None" = None) -> None:
        self._hearers = Hearers(metrics)
        self._joined = [] if joined is None else joined
        self._joined.append(self)

    def publish(self, topic: str, message: Message) -> None:
        for bus in self._joined:
            if bus is not self:
                heard = unpack(pack(message))
                asyncio.get_running_loop().call_soon(bus._hearers.tell, topic, heard)

    def subscribe(self, topic: str, hear: Hear) -> None:
        self._hearers.add(topic, hear)

    def unsubscribe(self, topic: str, hear: Hear) -> None:
        self._hearers.remove(topic, hear)

    async def run(self) -> None:
        await asyncio.Event().wait()


class RedisBus:
    """One connection to Redis, made anew whenever it breaks or falls silent.

    What is published while there is none is lost at once: if it were kept, it would be old.
    """

    def __init__(self, url: str, metrics: Metrics) -> None:
        # It knows how to connect, and holds no connection. We see by ourselves when one is silent:
        # its own limit for sending is one that a cancellation may get lost in.
        self._pool = ConnectionPool.from_url(url, socket_timeout=None)
        self._metrics = metrics
        self._hearers = Hearers(metrics)
        self._id = os.urandom(8)
        self._said = 0
        self._heard: OrderedDict[bytes, int] = OrderedDict()  # the last number of each process
        self._queue: deque[tuple[str, bytes]] = deque()
        self._changed: set[str] = set()  # topics that Redis has yet to be told of
        self._work = asyncio.Event()
        self._up = False
        self._reported_cut = False

    def publish(self, topic: str, message: Message) -> None:
        data = pack(message)
        if not self._up or len(data) > MESSAGE_BYTES_MAX:
            self._metrics.passed("lost")
            return
        if len(self._queue) >= QUEUE_MAX:
            self._queue.popleft()
            self._metrics.passed("lost")
        self._said += 1
        self._queue.append((topic, HEAD.pack(self._id, self._said) + data))
        self._work.set()

    def subscribe(self, topic: str, hear: Hear) -> None:
        self._hearers.add(topic, hear)
        self._change(topic)

    def unsubscribe(self, topic: str, hear: Hear) -> None:
        self._hearers.remove(topic, hear)
        self._change(topic)

    def _change(self, topic: str) -> None:
        self._changed.add(topic)
        self._work.set()

    async def run(self) -> None:
        while True:
            try:
                await self._carry()
            except AWAY_ERRORS as away:
                if not self._reported_cut:
                    log.warning("the bus is cut: %r", away)
                self._reported_cut = True
            await asyncio.sleep(AGAIN_S)

    async def _carry(self) -> None:
        """Carry messages over a new connection until it fails."""
        connection: Connection = self._pool.make_connection()  # type: ignore[no-untyped-call]
        both: list[asyncio.Task[None]] = []
        try:
            async with asyncio.timeout(SILENCE_S):
                await connection.connect()  # type: ignore[no-untyped-call]
            self._changed = set(self._hearers.topics)
            # No TaskGroup: one that fails in the moment it is cancelled forgets that it was.
            both = [asyncio.create_task(self._speak(connection))]
            both += [asyncio.create_task(self._listen(connection))]
            failed, _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            failed.pop().result()
        finally:
            for task in both:
                task.cancel()
            await asyncio.gather(*both, return_exceptions=True)
            self._up = False
            self._metrics.passed("lost", len(self._queue))
            self._queue.clear()
            await connection.disconnect(nowait=True)

    async def _speak(self, connection: Connection) -> None:
        while True:
            self._work.clear()
            await connection.send_packed_command(connection.pack_commands(self._commands()))
            if not self._queue:
                with suppress(TimeoutError):
                    async with asyncio.timeout(PING_S):
                        await self._work.wait()

    def _commands(self) -> list[tuple[str | bytes, ...]]:
        """What Redis is to do now. It answers each, so there is always one."""
        wanted = self._changed & self._hearers.topics
        unwanted = self._changed - wanted
        self._changed = set()
        commands: list[tuple[str | bytes, ...]] = []
        if wanted:
            commands.append(("SUBSCRIBE", *wanted))
        if unwanted:
            commands.append(("UNSUBSCRIBE", *unwanted))
        count = min(len(self._queue), SENT_AT_ONCE)
        commands += [("PUBLISH", *self._queue.popleft()) for _ in range(count)]
        self._metrics.passed("sent", count)
        return commands or [("PING",)]

    async def _listen(self, connection: Connection) -> None:
        silences = 0
        while silences < 2:  # one may be our own, when we had no time to read
            answer = await connection.read_response(
                timeout=SILENCE_S / 2, disconnect_on_error=False, push_request=True
            )
            if answer is None:
                silences += 1
                continue
            silences = 0
            self._up = True
            if self._reported_cut:
                log.warning("the bus runs again")
                self._reported_cut = False
            match answer:
                case [b"message", bytes(topic), bytes(data)]:
                    self._hear(topic, data)
        raise TimeoutError("Redis is silent")

    def _hear(self, topic: bytes, data: bytes) -> None:
        try:
            publisher, number, message = _taken_apart(data)
        except ValueError:
            self._metrics.passed("malformed")
            return
        if publisher == self._id:
            return
        # A Redis that was frozen does late what it was told on a connection long given up.
        if number <= self._heard.get(publisher, 0):
            self._metrics.passed("late")
            return
        self._heard[publisher] = number
        self._heard.move_to_end(publisher)
        if len(self._heard) > PUBLISHERS_MAX:
            self._heard.popitem(last=False)
        self._hearers.tell(topic.decode(errors="replace"), message)


def _taken_apart(data: bytes) -> tuple[bytes, int, Message]:
    """Who says it, its number and the message. Raises ValueError."""
    if not HEAD.size < len(data) <= HEAD.size + MESSAGE_BYTES_MAX:
        raise ValueError("too short or too long")
    publisher, number = HEAD.unpack_from(data)
    return publisher, number, unpack(data[HEAD.size :])


class Hearers:
    """Who in this process hears what."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._of: dict[str, list[Hear]] = {}

    @property
    def topics(self) -> Set[str]:
        return self._of.keys()

    def add(self, topic: str, hear: Hear) -> None:
        self._of.setdefault(topic, []).append(hear)

    def remove(self, topic: str, hear: Hear) -> None:
        hearers = self._of.get(topic, [])
        if hear in hearers:
            hearers.remove(hear)
            if not hearers:
                del self._of[topic]

    def tell(self, topic: str, message: Message) -> None:
        """Call all that hear the topic; what one of them raises, the others do not notice."""
        for hear in tuple(self._of.get(topic, ())):
            if hear in self._of.get(topic, ()):  # one before it may have ended it
                self._metrics.passed(self._call(hear, message))

    def _call(self, hear: Hear, message: Message) -> str:
        try:
            hear(message)
        except ValueError:
            return "malformed"
        except Exception:  # what another process says must not end this one
            log.exception("a message could not be heard")
            return "malformed"
        return "heard"
