"""Many at one server who do not type, or only harm: twenty who do must not feel them."""

import os
import select
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise

from tests.bench.crowd import Crowd
from tests.bench.dialects import Ours
from tests.bench.frames import CLOSE, PING, PONG, UPGRADE, frame, unframed
from tests.bench.process import CLIENT_CORE, SERVER_CORE, memory_kb, pin
from tests.chaos.overload import cuts
from tests.chaos.places import folder, on_file
from tests.chaos.visitors import Visitors
from tests.processes import ENDED_WELL, ServerProcess

TYPISTS = 20
IDLE = 5_000
IDLE_S = 45.0  # each is pinged twice
SLICES_SEEN_MIN = 5
BEFORE_S = 6.0
FLOODERS = 50
FLOOD_S = 30.0
GROWTH_KB_MAX = 32_768
# Against nobody else there; what is left is what so small figures swing by.
TIMES_MAX, SPARE_MS = 3.0, 60.0
RESTART = 1012


def typed_before(visitors: Visitors) -> tuple[float, float]:
    """Twenty begin to type; p50 and p99 of their acks while nobody else is there."""
    visitors.expect(TYPISTS, "typing", 1.0)
    visitors.run(2.0)
    visitors.acks.clear()
    visitors.run(BEFORE_S)
    before = cuts(visitors.acks)
    visitors.acks.clear()
    return before


def unmoved(visitors: Visitors, before: tuple[float, float]) -> str:
    """All who type still do, have all acked, and waited not much longer for it than before."""
    p50, p99 = cuts(visitors.acks)
    visitors.stop_typing()
    visitors.run(2.0)
    typists = visitors.of("typing")
    assert len(typists) == TYPISTS, f"who typed was sent away: {visitors.closes}"
    assert all(one.acked == one.sent for one in typists), "not all is acked"
    figure = (
        f"acks p50 {p50:.0f}, p99 {p99:.0f} ms; before p50 {before[0]:.0f}, p99 {before[1]:.0f}"
    )
    assert p99 < before[1] * TIMES_MAX + SPARE_MS, figure
    return f"{figure}: {p99 / before[1]:.1f} times as long; nothing lost"


# Idle


class Sitting:
    """Websockets that have said hello, and do nothing but answer pings."""

    def __init__(self, port: int) -> None:
        self.pings = 0
        self.closes: list[tuple[float, int]] = []
        self._crowd = Crowd(port, Ours(""))

    def come(self, count: int) -> None:
        self._crowd.join([[]] * count)
        self._poll = select.epoll()
        self._by_fd = {person.socket.fileno(): person for person in self._crowd.people}
        for fd, person in self._by_fd.items():
            person.socket.setblocking(False)
            self._poll.register(fd, select.EPOLLIN)

    def sit(self, seconds: float) -> None:
        """Answer what comes for so long, or until all have been sent away."""
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s and self._by_fd:
            for fd, _ in self._poll.poll(0.05):
                self._hear(fd)

    def _hear(self, fd: int) -> None:
        person = self._by_fd[fd]
        data = b""
        with suppress(ConnectionError):
            data = person.socket.recv(65_536)
        code = 0 if not data else None
        for opcode, payload, _ in unframed(data):
            if opcode == PING:
                self.pings += 1
                person.socket.send(frame(payload, PONG))
            elif opcode == CLOSE:
                code = int.from_bytes(payload[:2], "big")
        if code is not None:
            self.closes.append((time.monotonic(), code))
            self._poll.unregister(fd)
            del self._by_fd[fd]
            person.socket.close()


async def beside_five_thousand() -> list[str]:
    """What each idle socket costs, and whether who types feels them; then all are sent away."""
    pin(os.getpid(), CLIENT_CORE)
    with folder() as at:
        async with on_file(at, environment={"OVERLOAD_MS": "0", "DRAIN_MS": "500"}) as (_, server):
            pin(server.pid, SERVER_CORE)
            with Visitors(server.port) as visitors:
                before = typed_before(visitors)
                before_kb = memory_kb(server.pid)
                sitting = Sitting(server.port)
                sitting.come(IDLE)
                each_kb = (memory_kb(server.pid) - before_kb) / IDLE
                with in_background(sitting.sit, IDLE_S):
                    visitors.acks.clear()
                    visitors.run(IDLE_S)
                assert sitting.closes == [], f"{len(sitting.closes)} were sent away"
                assert sitting.pings >= IDLE, "not everybody was pinged"
                figures = [
                    f"{IDLE} idle sockets: {each_kb:.1f} kB each, {sitting.pings} pings answered",
                    unmoved(visitors, before),
                ]
            return [*figures, await _sent_away(server, sitting)]


async def _sent_away(server: ServerProcess, sitting: Sitting) -> str:
    began_s = time.monotonic()
    with in_background(sitting.sit, 30.0):
        assert await server.terminate() in ENDED_WELL
    codes = Counter(code for _, code in sitting.closes)
    assert codes == {RESTART: IDLE}, f"sent away with {dict(codes)}"
    ends_s = sorted(at_s for at_s, _ in sitting.closes)
    slices = 1 + sum(after - at > 0.02 for at, after in pairwise(ends_s))
    assert slices >= SLICES_SEEN_MIN, "all at once"
    return f"all sent away with {RESTART} in {ends_s[-1] - began_s:.1f} s, in {slices} slices"


@contextmanager
def in_background(work: object, seconds: float) -> Iterator[None]:
    """Have it work in a thread while the block runs, and wait for its end."""
    thread = threading.Thread(target=work, args=(seconds,))  # type: ignore[arg-type]
    thread.start()
    try:
        yield
    finally:
        thread.join()


# Floods

TEXT, CONTINUATION = 0x1, 0x0
BEGUN = bytes([TEXT, 0x80]) + b"\0\0\0\0"  # a message of no byte that goes on
EMPTY = bytes([CONTINUATION, 0x80]) + b"\0\0\0\0"
SYNC = b'{"type":"race.sync","id":1,"race":"00000000-0000-4000-8000-000000000000","n":0}'
KINDS: dict[str, bytes] = {
    "messages": frame(b'{"type":"ping","c":1}') * 2_000,
    "pings": frame(b"x" * 100, PING) * 500,
    "empty fragments": BEGUN + EMPTY * 9_000,
    "questions of races": frame(SYNC) * 40,
    "new sockets": b"",
}


class Flood:
    """Sockets that send as fast as they may, and come again as soon as they are sent away."""

    def __init__(self, port: int) -> None:
        self.sent = 0
        self.closes: Counter[str] = Counter()
        self._port = port
        self._kinds = list(KINDS)
        self._open: dict[int, tuple[socket.socket, str]] = {}
        self._rest: dict[int, bytes] = {}  # of what is being sent
        self._poll = select.epoll()

    def rage(self, seconds: float) -> None:
        until_s = time.monotonic() + seconds
        number = 0
        while time.monotonic() < until_s:
            while len(self._open) < FLOODERS:
                self._come(self._kinds[number % len(self._kinds)])
                number += 1
            for fd, events in self._poll.poll(0.01):
                self._go_on(fd, events)
            time.sleep(0.002)
        for connection, _ in self._open.values():
            connection.close()
        self._poll.close()

    def _come(self, kind: str) -> None:
        connection = socket.create_connection(("127.0.0.1", self._port), timeout=10)
        hello = frame(b'{"type":"hello"}')
        connection.sendall(UPGRADE.format(path="/ws").encode() + hello)
        connection.setblocking(False)
        self._open[connection.fileno()] = connection, kind
        self._poll.register(connection.fileno(), select.EPOLLIN | select.EPOLLOUT)

    def _go_on(self, fd: int, events: int) -> None:
        connection, kind = self._open[fd]
        gone = kind == "new sockets" and bool(events & select.EPOLLIN)
        try:
            if events & select.EPOLLIN and not connection.recv(262_144):
                gone = True
            if events & select.EPOLLOUT and (data := self._rest.get(fd) or KINDS[kind]):
                sent = connection.send(data)
                self.sent += sent
                self._rest[fd] = data[sent:]
        except BlockingIOError:
            pass
        except OSError:
            gone = True
        if gone:
            self.closes[kind] += 1
            self._poll.unregister(fd)
            del self._open[fd]
            self._rest.pop(fd, None)
            connection.close()


async def floods() -> list[str]:
    """Fifty sockets flood for half a minute in five ways."""
    pin(os.getpid(), CLIENT_CORE)
    with folder() as at:
        async with on_file(at) as (_, server):
            pin(server.pid, SERVER_CORE)
            with Visitors(server.port) as visitors:
                before = typed_before(visitors)
                before_kb = memory_kb(server.pid)
                flood = Flood(server.port)
                with in_background(flood.rage, FLOOD_S):
                    visitors.run(FLOOD_S)
                figures = [
                    f"{flood.sent / 1e6:.0f} MB sent; sent away: {dict(flood.closes)}",
                    unmoved(visitors, before),
                ]
            grown_kb = memory_kb(server.pid) - before_kb
            assert grown_kb < GROWTH_KB_MAX, f"memory grew by {grown_kb} kB"
            assert "Traceback" not in server.log()
            return [*figures, f"memory grew by {grown_kb} kB"]
