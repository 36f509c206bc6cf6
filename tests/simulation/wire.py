"""A model of what is between clients and processes, and between processes."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from server.core.race import Happened
from tests.simulation.view import View
from tests.simulation.world import Do, World

if TYPE_CHECKING:
    from tests.simulation.process import Process


@dataclass(frozen=True, slots=True)
class State:
    """The `race` message: the whole state, and which slot is one's own."""

    race_id: str
    view: View
    you: int | None


@dataclass(frozen=True, slots=True)
class Event:
    """The `race.event` message."""

    race_id: str
    happened: Happened


@dataclass(frozen=True, slots=True)
class Opened:
    """One's attempt is open on this connection."""

    race_id: str


@dataclass(frozen=True, slots=True)
class Done:
    """One's attempt is over, and stored."""

    race_id: str


@dataclass(frozen=True, slots=True)
class Left:
    """One has left."""

    race_id: str


@dataclass(frozen=True, slots=True)
class Error:
    """A request was refused."""

    code: str


Message = State | Event | Opened | Done | Left | Error


class Member(Protocol):
    """Whoever is at the other end of a connection."""

    name: str

    def receive(self, connection: "Connection", message: Message) -> None: ...


@dataclass(eq=False, slots=True)
class Connection:
    """One socket, from both ends. A cut loses what is on its way."""

    world: World
    member: Member
    process: "Process"
    id: int
    delay_ms: int
    open: bool = True
    race_id: str | None = None  # whose events it gets, or will get
    racing: bool = False  # whether its person is a racer there

    @property
    def seat(self) -> str:
        return f"{self.process.id}/{self.id}"

    def to_server(self, do: Do) -> None:
        """Carry a request; the process takes it up unless the connection is closed by then."""

        def take_up() -> None:
            if self.open:
                do()

        self.world.later(self.delay_ms, lambda: self.process.run(take_up))

    def to_client(self, message: Message) -> None:
        def arrive() -> None:
            if self.open:
                self.member.receive(self, message)

        self.world.later(self.delay_ms, arrive)

    def close(self) -> None:
        """The client's end is gone; the process hears of it soon, or after a while."""
        self.open = False
        hears_ms = self.delay_ms if self.world.chance(0.7) else self.world.between(500, 20_000)
        self.world.later(hears_ms, lambda: self.process.run(lambda: self.process.lost(self)))


class Bus:
    """Carries "race so and so is at n" between processes: late, twice, out of order, or not."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.away = False
        self.processes: list[Process] = []

    def publish(self, sender: "Process", race_id: str, n: int) -> None:
        for process in self.processes:
            while process is not sender and not self.away and not self.world.chance(0.15):
                slow = self.world.chance(0.1)
                delay_ms = self.world.between(1, 2_000 if slow else 20)
                self.world.later(delay_ms, partial(process.run, partial(process.hear, race_id, n)))
                if not self.world.chance(0.1):
                    break
