"""Many at one server who do not type, or only harm: twenty who do must not feel them."""

import os
import select
import sys
import threading
import time
from asyncio.subprocess import PIPE, create_subprocess_exec
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise

from tests.bench.crowd import Crowd, Person
from tests.bench.dialects import Ours
from tests.bench.frames import CLOSE, PING, PONG, frame, unframed
from tests.bench.process import CLIENT_CORE, SERVER_CORE, memory_kb, pin
from tests.chaos.overload import SLOW_MS, cuts
from tests.chaos.places import folder, on_file
from tests.chaos.visitors import Visitors
from tests.processes import ENDED_WELL, ServerProcess

TYPISTS = 20
IDLE = 5_000
COME_TOGETHER = 100
IDLE_S = 45.0  # each is pinged twice
SLICES_SEEN_MIN = 5
BEFORE_S = 6.0
FLOOD_S = 30.0
GROWTH_KB_MAX = 32_768
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
    assert p99 < SLOW_MS, figure
    return f"{figure}: {p99 / before[1]:.1f} times as long; nothing lost"


# Idle


class Sitting:
    """Websockets that have said hello, and do nothing but answer pings."""

    def __init__(self, port: int) -> None:
        self.pings = 0
        self.closes: list[tuple[float, int]] = []
        self._crowd = Crowd(port, Ours(""))
        self._poll = select.epoll()
        self._by_fd: dict[int, Person] = {}

    @property
    def count(self) -> int:
        """How many are connected."""
        return len(self._by_fd)

    def come_and_sit(self, seconds: float) -> None:
        """Connect all, who are pinged meanwhile; then answer for so long."""
        while (known := len(self._crowd.people)) < IDLE:
            self._crowd.join([[]] * COME_TOGETHER)
            for person in self._crowd.people[known:]:
                person.socket.setblocking(False)
                self._by_fd[person.socket.fileno()] = person
                self._poll.register(person.socket.fileno(), select.EPOLLIN)
            self._answer(0.0)
        self.sit(seconds)

    def sit(self, seconds: float) -> None:
        """Answer what comes for so long, or until all have been sent away."""
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s and self._by_fd:
            self._answer(0.05)

    def _answer(self, wait_s: float) -> None:
        for fd, _ in self._poll.poll(wait_s):
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
        async with on_file(at, environment={"OVERLOAD_MS": "0", "DRAIN_MS": "2000"}) as (_, server):
            pin(server.pid, SERVER_CORE)
            with Visitors(server.port) as visitors:
                before = typed_before(visitors)
                before_kb = memory_kb(server.pid)
                sitting = Sitting(server.port)
                with in_background(sitting.come_and_sit, IDLE_S):
                    while sitting.count < IDLE and not sitting.closes:
                        visitors.run(0.5)
                    each_kb = (memory_kb(server.pid) - before_kb) / IDLE
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


async def floods() -> list[str]:
    """Fifty sockets of another process flood for half a minute in five ways."""
    pin(os.getpid(), CLIENT_CORE)
    with folder() as at:
        async with on_file(at) as (_, server):
            pin(server.pid, SERVER_CORE)
            with Visitors(server.port) as visitors:
                before = typed_before(visitors)
                before_kb = memory_kb(server.pid)
                command = [sys.executable, "-m", "tests.chaos.flooder", str(server.port)]
                flooder = await create_subprocess_exec(*command, str(FLOOD_S), stdout=PIPE)
                visitors.run(FLOOD_S)
                said, _ = await flooder.communicate()
                assert flooder.returncode == 0
                figures = [said.decode().strip(), unmoved(visitors, before)]
            grown_kb = memory_kb(server.pid) - before_kb
            assert grown_kb < GROWTH_KB_MAX, f"memory grew by {grown_kb} kB"
            assert "Traceback" not in server.log()
            return [*figures, f"memory grew by {grown_kb} kB"]
