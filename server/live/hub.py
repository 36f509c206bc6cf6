"""Who is connected to this process, and what they drive. Everything here is one event loop's."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from secrets import randbelow
from typing import Protocol

from server.live.limits import Windows
from server.live.live_attempt import LiveAttempt
from server.metrics import Metrics
from server.protocol import CloseCode, encode

CONNECTIONS_PER_PERSON = 5
OPENS_PER_MINUTE = 60
FLOOD_MEMORY_S = 60
GUESSES_PER_MINUTE = 10
DRAIN_SLICES = 20


class Client(Protocol):
    """A connection, as the hub sees it."""

    address: str
    user_id: str | None
    login_id: str | None  # None: a guest
    stored: bool  # whether the person has been seen in the store

    def send(self, message: str) -> None: ...

    def close(self, code: CloseCode, reason: str) -> None: ...


@dataclass(slots=True)
class Driven:
    """A live attempt and the connection that drives it."""

    client: Client
    attempt: LiveAttempt


@dataclass(slots=True)
class AddressLimits:
    """What one address may do. `loopback_free`: this machine itself may do what it likes."""

    connections: int
    handshakes_s: int
    guests_hour: int
    loopback_free: bool
    open: dict[str, int] = field(default_factory=dict)


class Hub:
    """Connections by person and by address, live attempts by id, and the drain of all of them."""

    def __init__(
        self,
        limits: AddressLimits,
        now_s: Callable[[], float],
        metrics: Metrics | None = None,
    ) -> None:
        self.metrics = metrics or Metrics()
        self._limits = limits
        self._now_s = now_s
        self._clients: set[Client] = set()
        self._people: dict[str, list[Client]] = {}
        self._driven: dict[str, Driven] = {}
        self._handshakes = Windows(limits.handshakes_s * 5, 5)
        self._guests = Windows(limits.guests_hour, 3_600)
        self._opens = Windows(OPENS_PER_MINUTE, 60)
        self._floods = Windows(1, FLOOD_MEMORY_S)
        self._guesses = Windows(GUESSES_PER_MINUTE, 60)
        self._gone = asyncio.Event()
        self.draining = False

    # Addresses

    def admit(self, address: str, comes_back: bool = False) -> float:
        """How many seconds this address must wait before it may connect; 0 if it may now.

        Who `comes_back` is no new guest: too many of those keep nobody from what is theirs.
        """
        if self._unlimited(address):
            return 0.0
        now_s = self._now_s()
        if self._limits.open.get(address, 0) >= self._limits.connections:
            return 5.0
        wait_s = self._guests.of(address).wait_s(now_s)
        if wait_s > 0 and not comes_back:
            return wait_s
        handshakes = self._handshakes.of(address)
        return 0.0 if handshakes.take(now_s) else handshakes.wait_s(now_s)

    def makes_guest(self, address: str) -> bool:
        """Count a new guest from this address; False, and not counted, if there were too many."""
        return self._unlimited(address) or self._guests.of(address).take(self._now_s())

    def _unlimited(self, address: str) -> bool:
        return self._limits.loopback_free and address in ("127.0.0.1", "::1", "")

    # People

    def add(self, client: Client) -> None:
        self._clients.add(client)
        open_now = self._limits.open
        open_now[client.address] = open_now.get(client.address, 0) + 1

    def welcome(self, client: Client, user_id: str) -> None:
        """A connection has said who it is; a person's oldest makes room for the newest."""
        clients = self._people.setdefault(user_id, [])
        clients.append(client)
        if len(clients) > CONNECTIONS_PER_PERSON:
            clients[0].close(CloseCode.TOO_MANY_CONNECTIONS, "too many connections")
            del clients[0]

    def connections(self) -> int:
        """How many there are now."""
        return len(self._clients)

    def remove(self, client: Client) -> None:
        self._clients.discard(client)
        left = self._limits.open[client.address] - 1
        if left:
            self._limits.open[client.address] = left
        else:
            del self._limits.open[client.address]
        if not self._clients:
            self._gone.set()
        clients = self._people.get(client.user_id or "", [])
        if client in clients:
            clients.remove(client)
            if not clients:
                del self._people[client.user_id or ""]

    def people(self) -> dict[str, list[Client]]:
        """Everybody who is connected, with all their connections."""
        return {user_id: list(clients) for user_id, clients in self._people.items()}

    def may_open(self, user_id: str) -> float:
        """How many seconds a person must wait before another `open`; 0 if it was counted."""
        opens = self._opens.of(user_id)
        now_s = self._now_s()
        return 0.0 if opens.take(now_s) else opens.wait_s(now_s)

    def flooded(self, name: str) -> bool:
        """Count a flood of messages; whether it is the second within a minute."""
        return not self._floods.of(name).take(self._now_s())

    def guess_wait_s(self, *names: str) -> float:
        """How long until these may name another race by its code; 0 if they may now."""
        now_s = self._now_s()
        return max(self._guesses.of(name).wait_s(now_s) for name in names)

    def guessed_wrong(self, *names: str) -> None:
        """Count a code that no race has."""
        for name in names:
            self._guesses.of(name).take(self._now_s())

    # Attempts

    def drive(self, client: Client, attempt: LiveAttempt) -> None:
        """This connection drives the attempt from now on; an older one is told so."""
        older = self._driven.get(attempt.id)
        self._driven[attempt.id] = Driven(client, attempt)
        if older is not None and older.client is not client:
            older.attempt.detach()
            older.client.close(CloseCode.SUPERSEDED, "opened on another connection")

    def leave(self, attempt: LiveAttempt) -> None:
        """Nobody here drives the attempt any more, unless somebody else took it."""
        attempt.detach()
        driven = self._driven.get(attempt.id)
        if driven is not None and driven.attempt is attempt:
            del self._driven[attempt.id]

    def drives(self, attempt_id: str) -> bool:
        return attempt_id in self._driven

    def driven(self) -> list[LiveAttempt]:
        """Every attempt that a connection of this process drives."""
        return [driven.attempt for driven in self._driven.values()]

    # Going away

    async def drain(self, drain_ms: int) -> None:
        """Ask everybody to come back elsewhere, each at a time of its own, then hang up."""
        self.draining = True
        for client in tuple(self._clients):
            # Spread over the window, so that the next process is not met by all at once.
            client.send(encode("drain", in_ms=randbelow(drain_ms + 1)))
        if self._clients:
            self._gone.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._gone.wait(), drain_ms / 1_000)
        left = list(self._clients)
        size = max(1, len(left) // DRAIN_SLICES)
        for start in range(0, len(left), size):
            for client in left[start : start + size]:
                client.close(CloseCode.RESTART, "restarting")
            await asyncio.sleep(0.05)
