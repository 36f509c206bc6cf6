"""A model of the people of one process in one race, and how the news reaches them."""

from collections.abc import Callable

from server.core.race import Happened
from tests.simulation.store import StoreAway
from tests.simulation.wire import Connection, Event

Answer = Callable[[list[Happened] | StoreAway], None]
ReadAfter = Callable[[str, int, Answer], None]  # asks the store for the events after n


class Room:
    """The people of one process in one race: each is told the events one after the other."""

    def __init__(self, race_id: str, read_after: ReadAfter) -> None:
        self.race_id = race_id
        self.read_after = read_after
        self.members: dict[Connection, int] = {}  # how far each has been told
        self.kept: dict[int, Happened] = {}
        self.filling = False

    def enter(self, connection: Connection, n: int) -> None:
        self.members[connection] = n
        self.deliver()

    def take(self, happened: list[Happened]) -> None:
        self.kept.update((one.n, one) for one in happened)
        self.deliver()

    def deliver(self) -> None:
        for connection, n in self.members.items():
            while n + 1 in self.kept:
                n += 1
                connection.to_client(Event(self.race_id, self.kept[n]))
            self.members[connection] = n
        told_all_n = min(self.members.values(), default=0)
        self.kept = {n: one for n, one in self.kept.items() if n > told_all_n}

    def hear(self, n: int) -> None:
        """The race is at n: read what is missing from the store."""
        behind_n = min(self.members.values(), default=n)
        if behind_n >= n or self.filling:
            return
        self.filling = True
        self.read_after(self.race_id, behind_n, self.filled)

    def filled(self, answer: list[Happened] | StoreAway) -> None:
        self.filling = False
        if not isinstance(answer, StoreAway):
            self.take(answer)
