"""Thousands of people at one server, from one core: one epoll, frames made beforehand."""

import select
import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from tests.bench.frames import CLOSE, PING, PONG, UPGRADE, frame, unframed
from tests.bench.people import Batch

TOGETHER = 64  # connections that are made at once
POLL_S = 0.001


@dataclass(slots=True, eq=False)
class Person:
    """One connection, and which of its batches are not answered: (last number, when sent)."""

    socket: socket.socket
    batches: Sequence[Batch]
    frames: Sequence[bytes]
    heard: bytes = b""
    waiting: deque[tuple[int, float]] = field(default_factory=deque)


class Dialect(Protocol):
    """How one kind of server is spoken to."""

    path: str

    def greet(self, person: Person) -> None:
        """Get ready to type; the socket still blocks."""

    def frame(self, batch: Batch) -> bytes: ...

    def heard(self, person: Person, payload: bytes) -> None:
        """A message has come, whatever it says."""

    def answered(self, payload: bytes, first_waiting: int) -> int:
        """Up to which number the message answers; 0 if it answers nothing."""


@dataclass
class Typed:
    """What the crowd saw from `began_s` on."""

    began_s: float = 0.0
    batches: int = 0
    keystrokes: int = 0
    latencies_ms: list[float] = field(default_factory=list)


class Crowd:
    """People connected to one server. Every call blocks until what it says is done."""

    def __init__(self, port: int, dialect: Dialect) -> None:
        self.people: list[Person] = []
        self._port = port
        self._dialect = dialect

    def join(self, plans: Sequence[Sequence[Batch]]) -> None:
        """Connect one person for each plan, ready to type."""
        for start in range(0, len(plans), TOGETHER):
            some = [
                Person(self._connect(), plan, [self._dialect.frame(batch) for batch in plan])
                for plan in plans[start : start + TOGETHER]
            ]
            for person in some:
                person.socket.sendall(UPGRADE.format(path=self._dialect.path).encode())
            for person in some:
                while (wait_s := self._upgraded(person)) > 0:
                    time.sleep(wait_s)
                    person.socket.close()
                    person.socket = self._connect()
                    person.socket.sendall(UPGRADE.format(path=self._dialect.path).encode())
                self._dialect.greet(person)
            self.people += some

    def _upgraded(self, person: Person) -> float:
        """0 if it is a websocket now, else for how long a busy server wants to be left alone."""
        head, person.heard = _read_head(person.socket)
        status = int(head.split()[1])
        if status == 503:
            return float(head.lower().partition(b"retry-after:")[2].split()[0])
        if status != 101:
            raise RuntimeError(f"the server answers an upgrade with {status}")
        return 0.0

    def _connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self._port), timeout=30)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def each(self, step: Callable[[Person], None]) -> None:
        """Do the step with everybody."""
        for person in self.people:
            step(person)

    def type(self, warm_up_s: float, seconds: float, begin: Callable[[], None]) -> Typed:
        """Type in real time; what happens after the warm-up, when `begin` is called, counts."""
        events = sorted(
            (batch.at_ms / 1_000, number, index)
            for number, person in enumerate(self.people)
            for index, batch in enumerate(person.batches)
        )
        typed, poll, people = Typed(), select.epoll(), self.people
        by_fd = {person.socket.fileno(): person for person in people}
        for person in people:
            person.socket.setblocking(False)
            poll.register(person.socket.fileno(), select.EPOLLIN)
        started_s = time.monotonic()
        measured_from_s = started_s + warm_up_s
        ends_s = measured_from_s + seconds
        at = 0
        while (now_s := time.monotonic()) < ends_s:
            if not typed.began_s and now_s >= measured_from_s:
                typed = Typed(began_s=now_s)
                begin()
            while at < len(events) and events[at][0] <= now_s - started_s:
                _, number, index = events[at]
                self._send(people[number], index, typed)
                at += 1
            for fd, _ in poll.poll(POLL_S):
                self._hear(by_fd[fd], typed)
        poll.close()
        return typed

    def _send(self, person: Person, index: int, typed: Typed) -> None:
        batch = person.batches[index]
        person.socket.send(person.frames[index])
        person.waiting.append((batch.seq + len(batch.presses) - 1, time.monotonic()))
        typed.batches += 1
        typed.keystrokes += len(batch.presses)

    def _hear(self, person: Person, typed: Typed) -> None:
        received = person.socket.recv(65_536)
        if not received:
            raise RuntimeError("the server hung up")
        data = person.heard + received if person.heard else received
        rest = 0
        for opcode, payload, end in unframed(data):
            rest = end
            if opcode == PING:
                person.socket.send(frame(payload, PONG))
            elif opcode == CLOSE:
                raise RuntimeError(f"the server closed: {payload!r}")
            else:
                self._dialect.heard(person, payload)
                if person.waiting:
                    self._answered(person, payload, typed)
        person.heard = data[rest:]

    def _answered(self, person: Person, payload: bytes, typed: Typed) -> None:
        waiting = person.waiting
        seq = self._dialect.answered(payload, waiting[0][0])
        now_s = time.monotonic()
        while waiting and waiting[0][0] <= seq:
            sent_at_s = waiting.popleft()[1]
            if sent_at_s >= typed.began_s:
                typed.latencies_ms.append((now_s - sent_at_s) * 1_000)

    def leave(self) -> None:
        """Hang up."""
        for person in self.people:
            with suppress(OSError):
                person.socket.close()
        self.people.clear()


def _read_head(connection: socket.socket) -> tuple[bytes, bytes]:
    """The head of an HTTP answer, and what came after it."""
    data = b""
    while b"\r\n\r\n" not in data:
        received = connection.recv(65_536)
        if not received:
            raise RuntimeError("the server hung up")
        data += received
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


def receive(person: Person) -> bytes:
    """The next message on a socket that still blocks."""
    while True:
        for opcode, payload, end in unframed(person.heard):
            person.heard = person.heard[end:]
            if opcode == CLOSE:
                raise RuntimeError(f"the server closed: {payload!r}")
            if opcode == PING:
                person.socket.sendall(frame(payload, PONG))
                break
            return payload
        else:
            received = person.socket.recv(65_536)
            if not received:
                raise RuntimeError("the server hung up")
            person.heard += received
