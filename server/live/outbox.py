"""What waits for one client to read what it was sent before, and how much may wait."""

from collections import deque
from collections.abc import Callable

from server.line import Line

MESSAGES_MAX = 256
BYTES_MAX = 256 * 1_024


class Outbox:
    """A bounded queue before a line. A client that cannot keep up is let go, never waited for."""

    __slots__ = ("_bytes", "_line", "_messages", "_newest")

    def __init__(self, line: Line) -> None:
        self._line = line
        self._messages: deque[str] | None = None  # made when something waits, which is seldom
        self._newest: str | None = None  # of those that a newer one replaces, the last
        self._bytes = 0

    def put(self, message: str) -> bool:
        """Send a message as soon as there is room on the line; False if too much waits for that."""
        if not self._messages and not self._line.full:
            self._line.send(message)
            return True
        if self._messages is None:
            self._messages = deque()
        size = len(message.encode())
        # One message alone always fits: a long text may be larger than what else may wait.
        full = len(self._messages) >= MESSAGES_MAX or self._bytes + size > BYTES_MAX
        if full and self._messages:
            return False
        self._messages.append(message)
        self._bytes += size
        return True

    def put_newest(self, message: str, whole: Callable[[], str]) -> None:
        """Send a message that speaks of the present; one like it that still waits is dropped.

        Who misses one is sent the `whole` state instead, and none at all while there is no room.
        """
        waiting = [one for one in self._messages or () if one is self._newest]
        if waiting and self._messages is not None:
            self._bytes -= len(waiting[0].encode())
            self._messages.remove(waiting[0])
            message = whole()
        self._newest = message if self.put(message) else None

    def go_on(self) -> None:
        """There is room on the line."""
        while self._messages and not self._line.full:
            message = self._messages.popleft()
            self._bytes -= len(message.encode())
            self._line.send(message)

    @property
    def empty(self) -> bool:
        """Nothing waits here."""
        return not self._messages
