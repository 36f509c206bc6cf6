"""What waits to be sent to one client, and how much may wait."""

import asyncio
from collections import deque
from collections.abc import Callable

MESSAGES_MAX = 256
BYTES_MAX = 256 * 1_024


class Outbox:
    """A bounded queue of messages. A client that cannot keep up is let go, never waited for."""

    def __init__(self) -> None:
        self._messages: deque[str] = deque()
        self._newest: str | None = None  # of those that a newer one replaces, the last
        self._bytes = 0
        self._some = asyncio.Event()
        self._none = asyncio.Event()
        self._none.set()

    def put(self, message: str) -> bool:
        """Queue a message; False if there is no room for it."""
        size = len(message.encode())
        # One message alone always fits: a long text may be larger than what else may wait.
        full = len(self._messages) >= MESSAGES_MAX or self._bytes + size > BYTES_MAX
        if full and self._messages:
            return False
        self._messages.append(message)
        self._bytes += size
        self._some.set()
        self._none.clear()
        return True

    def put_newest(self, message: str, whole: Callable[[], str]) -> None:
        """Queue a message that speaks of the present; one like it that still waits is dropped.

        Who misses one is sent the `whole` state instead, and none at all while there is no room.
        """
        # The first may be on its way already, and is no longer ours to drop.
        waiting = [one for one in list(self._messages)[1:] if one is self._newest]
        if waiting:
            self._bytes -= len(waiting[0].encode())
            self._messages.remove(waiting[0])
            message = whole()
        self._newest = message if self.put(message) else None

    async def next(self) -> str:
        """The oldest message; it counts as waiting until `sent`."""
        while not self._messages:
            self._some.clear()
            await self._some.wait()
        return self._messages[0]

    def sent(self) -> None:
        """The oldest message is on its way."""
        self._bytes -= len(self._messages.popleft().encode())
        if not self._messages:
            self._none.set()

    async def emptied(self) -> None:
        """Wait until nothing waits to be sent."""
        await self._none.wait()
