"""Fifty sockets that flood: python -m tests.chaos.flooder PORT SECONDS [KIND ...]"""

import os
import select
import socket
import sys
import time
from collections import Counter

from tests.bench.frames import PING, UPGRADE, frame
from tests.bench.process import CLIENT_CORE, pin

FLOODERS = 50
NICE = 10  # the clients that are measured come first
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

    def __init__(self, port: int, kinds: list[str]) -> None:
        self.sent = 0
        self.closes: Counter[str] = Counter()
        self._port = port
        self._kinds = kinds or list(KINDS)
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


def main() -> None:
    pin(os.getpid(), CLIENT_CORE)
    os.nice(NICE)
    port, seconds, *kinds = sys.argv[1:]
    flood = Flood(int(port), kinds)
    flood.rage(float(seconds))
    print(f"{flood.sent / 1e6:.0f} MB sent; sent away: {dict(flood.closes)}")


if __name__ == "__main__":
    main()
