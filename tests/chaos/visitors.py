"""People who come all the time, type, and wait as long as they are told to: one epoll for all.

Each is a client that keeps the wire's rules, with keystrokes made beforehand; thousands of them
leave one core no room for more.
"""

import select
import socket
import time
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from heapq import heappop, heappush
from random import Random
from typing import NamedTuple, Self

import orjson

from tests.bench.core import text_of
from tests.bench.dialects import keys, said
from tests.bench.frames import CLOSE, PING, PONG, UPGRADE, frame, new_id, unframed
from tests.bench.people import Batch, batches, typing

GRAPHEMES = 1_500
PLANS = 64
EVERY_MS, WAIT_MS = 50, 250
POLL_S = 0.001
CONNECTING, UPGRADING, GREETING, OPENING, TYPING = (
    "connecting",
    "upgrading",
    "greeting",
    "opening",
    "typing",
)


class Plan(NamedTuple):
    """What somebody types, and its frames."""

    batches: Sequence[Batch]
    frames: Sequence[bytes]


class Ack(NamedTuple):
    """When a batch was acked, after how long, and of whom."""

    at_s: float
    took_ms: float
    group: str


@dataclass(slots=True, eq=False)
class Visitor:
    """Somebody who comes to type. `state` is None while there is no connection."""

    group: str
    plan: Plan
    attempt: str = field(default_factory=new_id)
    state: str | None = None
    connection: socket.socket | None = None
    heard: bytes = b""
    asked_at_s: float = 0.0
    began_at_s: float = 0.0
    next_batch: int = 0
    waiting: deque[tuple[int, float]] = field(default_factory=deque)
    sent: int = 0  # keystrokes
    acked: int = 0
    token: str | None = None
    found: int | None = None  # so many keystrokes the server had when it opened the attempt
    stops: bool = False


class Visitors:
    """Everybody, and what they saw. All hang up when the block ends."""

    def __init__(self, port: int, seed: int = 1) -> None:
        self.everybody: list[Visitor] = []
        self.acks: list[Ack] = []
        self.opened_ms: list[float] = []
        self.refusals: list[tuple[float, str]] = []
        self.closes: Counter[str] = Counter()
        self._port = port
        self._random = Random(seed)
        self._source = {"kind": "custom", "text": text_of(GRAPHEMES)}
        self._plans = [_plan(Random(seed * 1_000 + number)) for number in range(PLANS)]
        self._due: list[tuple[float, int, Visitor]] = []
        self._number = 0
        self._poll = select.epoll()
        self._by_fd: dict[int, Visitor] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()
        self._poll.close()

    def expect(self, count: int, group: str, over_s: float) -> None:
        """So many more come within this time."""
        now_s = time.monotonic()
        for number in range(count):
            visitor = Visitor(group, self._plans[number % PLANS])
            self.everybody.append(visitor)
            self._later(now_s + over_s * number / count, visitor)

    def of(self, group: str, state: str = TYPING) -> list[Visitor]:
        return [one for one in self.everybody if one.group == group and one.state == state]

    def typing(self) -> int:
        return sum(one.state == TYPING for one in self.everybody)

    def run(self, seconds: float) -> None:
        """Let it all happen for so long."""
        until_s = time.monotonic() + seconds
        while (now_s := time.monotonic()) < until_s:
            while self._due and self._due[0][0] <= now_s:
                self._act(heappop(self._due)[2], now_s)
            for fd, events in self._poll.poll(POLL_S):
                visitor = self._by_fd.get(fd)
                if visitor is None:
                    continue
                if events & select.EPOLLOUT:
                    self._upgrade(visitor)
                if events & ~select.EPOLLOUT:
                    self._hear(visitor)

    def stop_typing(self) -> None:
        """They press no more keys, and listen on."""
        for visitor in self.everybody:
            visitor.stops = True

    def come_back(self, some: Sequence[Visitor]) -> None:
        """These resume their attempts, and press no key."""
        for visitor in some:
            self._hang_up(visitor)
            visitor.stops, visitor.next_batch = False, len(visitor.plan.batches)
            self._later(time.monotonic(), visitor)

    def leave(self, group: str | None = None) -> None:
        """These hang up and do not come back."""
        for visitor in self.everybody:
            if group in (None, visitor.group):
                visitor.stops = True
                self._hang_up(visitor)

    # One of them

    def _later(self, at_s: float, visitor: Visitor) -> None:
        self._number += 1
        heappush(self._due, (at_s, self._number, visitor))

    def _act(self, visitor: Visitor, now_s: float) -> None:
        if visitor.stops:
            return
        if visitor.state is None:
            self._connect(visitor)
        elif visitor.state == OPENING:
            self._ask(visitor)
        elif visitor.state == TYPING:
            self._press(visitor, now_s)

    def _connect(self, visitor: Visitor) -> None:
        connection = socket.socket()
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.connect_ex(("127.0.0.1", self._port))
        visitor.connection, visitor.state, visitor.heard = connection, CONNECTING, b""
        visitor.asked_at_s = time.monotonic()
        self._by_fd[connection.fileno()] = visitor
        self._poll.register(connection.fileno(), select.EPOLLIN | select.EPOLLOUT)

    def _upgrade(self, visitor: Visitor) -> None:
        assert visitor.connection is not None
        self._poll.modify(visitor.connection.fileno(), select.EPOLLIN)
        visitor.state = UPGRADING
        path = "/ws" if visitor.found is None else "/ws?resume"
        self._say(visitor, UPGRADE.format(path=path).encode())

    def _say(self, visitor: Visitor, data: bytes) -> None:
        assert visitor.connection is not None
        with suppress(OSError):  # what became of it is heard soon
            visitor.connection.send(data)

    def _ask(self, visitor: Visitor) -> None:
        visitor.state = OPENING
        source = {} if visitor.found is not None else {"source": self._source}
        self._say(visitor, said(type="open", id=1, attempt=visitor.attempt, **source))

    def _press(self, visitor: Visitor, now_s: float) -> None:
        plan, number = visitor.plan, visitor.next_batch
        batch = plan.batches[number]
        visitor.sent = batch.seq + len(batch.presses) - 1
        visitor.waiting.append((visitor.sent, now_s))
        self._say(visitor, plan.frames[number])
        visitor.next_batch += 1
        if visitor.next_batch < len(plan.batches):
            due_s = visitor.began_at_s + plan.batches[visitor.next_batch].at_ms / 1_000
            self._later(max(due_s, now_s + EVERY_MS / 1_000), visitor)

    def _hear(self, visitor: Visitor) -> None:
        assert visitor.connection is not None
        try:
            received = visitor.connection.recv(65_536)
        except OSError:
            received = b""
        if not received:
            self._lost(visitor, "lost")
            return
        visitor.heard += received
        if visitor.state == UPGRADING and not self._upgraded(visitor):
            return
        data, rest = visitor.heard, 0
        for opcode, payload, end in unframed(data):
            rest = end
            if opcode == PING:
                self._say(visitor, frame(payload, PONG))
            elif opcode == CLOSE:
                self._lost(visitor, str(int.from_bytes(payload[:2], "big")))
                return
            else:
                self._take(visitor, payload)
        visitor.heard = data[rest:]

    def _upgraded(self, visitor: Visitor) -> bool:
        head, whole, rest = visitor.heard.partition(b"\r\n\r\n")
        if not whole:
            return False
        status = head.split(None, 2)[1]
        if status == b"101":
            visitor.state, visitor.heard = GREETING, rest
            self._say(visitor, said(type="hello", token=visitor.token))
            return True
        retry_s = 1.0
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"retry-after:"):
                retry_s = float(line.split(b":")[1])
        self._refused(visitor, "socket" if status == b"503" else f"http {status.decode()}", retry_s)
        self._hang_up(visitor)
        return False

    def _refused(self, visitor: Visitor, kind: str, retry_s: float) -> None:
        now_s = time.monotonic()
        self.refusals.append((now_s, kind))
        self._later(now_s + retry_s * self._random.uniform(1.0, 1.5), visitor)

    def _lost(self, visitor: Visitor, why: str) -> None:
        self.closes[why] += 1
        state = visitor.state
        self._hang_up(visitor)
        if state != TYPING and not visitor.stops:
            self._later(time.monotonic() + self._random.uniform(0.25, 2.0), visitor)

    def _hang_up(self, visitor: Visitor) -> None:
        if visitor.connection is not None:
            self._by_fd.pop(visitor.connection.fileno(), None)
            visitor.connection.close()
        visitor.connection = visitor.state = None

    def _take(self, visitor: Visitor, payload: bytes) -> None:
        now_s = time.monotonic()
        if payload.startswith(b'{"type":"ack"'):
            at = payload.index(b'"seq":') + 6
            visitor.acked = int(payload[at : payload.index(b",", at)])
            while visitor.waiting and visitor.waiting[0][0] <= visitor.acked:
                took_ms = (now_s - visitor.waiting.popleft()[1]) * 1_000
                self.acks.append(Ack(now_s, took_ms, visitor.group))
        elif payload.startswith(b'{"type":"welcome"'):
            visitor.token = orjson.loads(payload)["token"]
            self._ask(visitor)
        elif payload.startswith(b'{"type":"opened"'):
            self._opened(visitor, payload, now_s)
        elif payload.startswith(b'{"type":"error"'):
            error = orjson.loads(payload)
            self._refused(visitor, error["code"], error["retry_ms"] / 1_000)

    def _opened(self, visitor: Visitor, payload: bytes, now_s: float) -> None:
        visitor.state = TYPING
        again, visitor.found = visitor.found is not None, orjson.loads(payload)["seq"]
        if not again:
            self.opened_ms.append((now_s - visitor.asked_at_s) * 1_000)
            visitor.began_at_s = now_s + self._random.random()
            self._later(visitor.began_at_s + visitor.plan.batches[0].at_ms / 1_000, visitor)


def _plan(random: Random) -> Plan:
    made = batches(typing(text_of(GRAPHEMES), random), 600.0, EVERY_MS, WAIT_MS)
    made = [batch for batch in made if batch.seq + len(batch.presses) < GRAPHEMES]
    return Plan(made, [frame(keys(batch)) for batch in made])
