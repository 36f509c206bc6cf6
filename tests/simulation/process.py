"""A model of a server process: its clients' commands, the races it drives, its neighbours.

Every change is a transaction on the race's row. What only the clock asks for is done by the race's
driver; who finds a process dead takes its races over. The bus only says that there is news: what it
loses is found by a look at the store once a second.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from server.core.race import Ending, Happened, Phase, Race, RaceFull, Racer, RaceStarted
from tests.simulation.room import Room
from tests.simulation.store import Fenced, Store, StoreAway, Transaction
from tests.simulation.view import View
from tests.simulation.wire import Bus, Connection, Done, Error, Event, Left, Opened, State
from tests.simulation.world import Do, World

POLL_MS = 500
STILL_POLLS = 8  # a beat that stands still over so many polls is a dead process's
LOOK_MS = 1_000
RETRY_MS = 300

T = TypeVar("T")
Act = Callable[[Transaction], None]
Answered = Callable[[Transaction | Exception], None]


def nothing(_: object) -> None:
    """What is done with an answer that nobody waits for."""


@dataclass(slots=True)
class Pulse:
    """A neighbour's beat, and over how many polls it has stood still."""

    beat: int = 0
    polls: int = 0


@dataclass(slots=True)
class Look:
    """What a process reads of a race once a second."""

    n: int
    driver: str
    epoch: int
    live: bool
    wake_at_ms: int | None
    unheard: bool  # an attempt has ended and the race does not know
    seats: dict[str, str | None]  # of its people, but for those who left


class Process:
    """One server process. What it holds in memory is gone when it is killed."""

    race_class: type[Race] = Race
    room_class: type[Room] = Room

    def __init__(self, world: World, store: Store, bus: Bus, process_id: str) -> None:
        self.world = world
        self.store = store
        self.bus = bus
        self.id = process_id
        self.skew_ms = world.between(-30, 30)
        self.alive = True
        self.frozen = False
        self.stopped_at_ms: int | None = None  # when it was killed or frozen
        self.backlog: list[Do] = []
        self.connections: dict[int, Connection] = {}
        self.rooms: dict[str, Room] = {}
        self.driven: dict[str, int] = {}  # the races it drives, and under which epoch
        self.wakes_at_ms: dict[str, int] = {}
        self.pulses: dict[str, Pulse] = {}
        bus.processes.append(self)
        store.beats[self.id] = 1
        self.later(world.between(0, POLL_MS), self.poll)
        self.later(world.between(0, LOOK_MS), self.look)

    # Its life

    @property
    def clock_ms(self) -> int:
        return self.world.now_ms + self.skew_ms

    def run(self, do: Do) -> None:
        """Do it now; if it stands still, when it goes on; if it is dead, never."""
        if self.frozen:
            self.backlog.append(do)
        elif self.alive:
            do()

    def later(self, ms: int, do: Do) -> None:
        self.world.later(ms, lambda: self.run(do))

    def stop(self, kill: bool) -> None:
        """SIGKILL, or SIGSTOP."""
        self.alive, self.frozen = not kill, not kill
        self.stopped_at_ms = self.world.now_ms
        self.world.disturb(f"{self.id} is {'killed' if kill else 'frozen'}")

    def wake(self) -> None:
        """SIGCONT: all that came meanwhile is done now."""
        self.frozen, self.stopped_at_ms = False, None
        self.world.disturb(f"{self.id} wakes")
        backlog, self.backlog = self.backlog, []
        for do in backlog:
            do()

    def ask(self, query: Callable[[], T], answer: Callable[[T | StoreAway], None]) -> None:
        self.store.ask(self, query, answer)

    # Commands of its clients

    def command(self, race_id: str, act: Act, answered: Answered = nothing) -> None:
        """Change the race in one transaction; whatever has ended is told to it first."""

        def work(changes: Transaction) -> Transaction:
            self.tell_endings(changes)
            act(changes)
            return changes

        def committed(result: Transaction | Exception) -> None:
            if isinstance(result, Transaction):
                self.publish(result)
            answered(result)

        self.store.transact(self, race_id, work, committed)

    def tell_endings(self, changes: Transaction) -> None:
        changes.race.attempts_ended(changes.endings, changes.clock_ms)

    def publish(self, changes: Transaction) -> None:
        """After each commit: one without events may have changed when to wake."""
        race = changes.race
        if race.id in self.rooms:
            self.rooms[race.id].take(changes.happened)
            self.rooms[race.id].hear(race.n)
        self.bus.publish(self, race.id, race.n)
        if changes.driver == self.id:
            self.drive(race.id, changes.epoch, race.wake_at_ms)

    def change(
        self,
        connection: Connection,
        act: Callable[[Race, Racer, int], object],
        answered: Answered = nothing,
    ) -> None:
        """What a racer asks for."""

        def apply(changes: Transaction) -> None:
            racer = changes.race.find(connection.member.name)
            if racer is not None:
                act(changes.race, racer, changes.clock_ms)

        if connection.race_id is not None:
            self.command(connection.race_id, apply, answered)

    def ready(self, connection: Connection, ready: bool) -> None:
        self.change(connection, lambda race, racer, ms: race.make_ready(racer, ready, ms))

    def start(self, connection: Connection) -> None:
        self.change(connection, lambda race, racer, ms: race.start(racer, ms))

    def leave(self, connection: Connection) -> None:
        """It stays in the room, where it sees itself leave."""

        def answered(result: Transaction | Exception) -> None:
            if isinstance(result, Transaction):
                connection.racing = False
                connection.to_client(Left(result.race.id))
            else:
                connection.to_client(Error("store"))

        self.change(connection, lambda race, racer, ms: race.leave(racer, ms), answered)

    def again(self, connection: Connection, race_id: str) -> None:
        """Whoever asks first opens the next race; the others are told and join it."""

        def act(changes: Transaction) -> None:
            if changes.race.again is None:
                changes.opened = self.new_race(connection, changes.race.quick, [])
                changes.race.rematch(changes.opened.id, "CODE22")

        def answered(result: Transaction | Exception) -> None:
            if isinstance(result, Transaction) and result.race.again is not None:
                self.join(connection, result.race.again[0])
            else:
                connection.to_client(Error("store"))

        self.command(race_id, act, answered)

    # Into a race

    def new_race(self, connection: Connection, quick: bool, ghosts_ms: list[int]) -> Race:
        race = self.race_class(f"race{len(self.store.races)}", quick, 20, self.clock_ms)
        for duration_ms in ghosts_ms:
            race.add_ghost("typed before", "ghost", duration_ms)
        self.take_slot(race, connection)
        return race

    def take_slot(self, race: Race, connection: Connection) -> None:
        name = connection.member.name
        race.join(name, name, f"{race.id}/{name}", connection.seat, self.clock_ms)

    def create(self, connection: Connection, quick: bool, ghosts_ms: list[int]) -> None:
        def insert() -> Transaction:
            return self.store.insert_race(self.new_race(connection, quick, ghosts_ms), self)

        def made(answer: Transaction | StoreAway) -> None:
            if isinstance(answer, Transaction):
                self.publish(answer)
                self.entered(connection, answer, None)
            else:
                connection.to_client(Error("store"))

        self.ask(insert, made)

    def quick(self, connection: Connection) -> None:
        """A quick race that still waits, or a new one."""

        def find() -> str | None:
            races = (row.race for row in self.store.races.values())
            return next((one.id for one in races if one.quick and one.phase is Phase.LOBBY), None)

        def found(race_id: str | StoreAway | None) -> None:
            if isinstance(race_id, str):
                self.join(connection, race_id)
            elif race_id is None:
                self.create(connection, True, [])
            else:
                connection.to_client(Error("store"))

        self.ask(find, found)

    def join(self, connection: Connection, race_id: str) -> None:
        """As a racer; who comes too late watches."""
        self.enter(connection, race_id, lambda changes: self.take_slot(changes.race, connection))

    def watch(self, connection: Connection, race_id: str) -> None:
        self.enter(connection, race_id, nothing)

    def sync(self, connection: Connection, race_id: str, after_n: int) -> None:
        """What happened since, if it is kept, and the state; a racer sits again."""
        self.enter(connection, race_id, partial(self.sit, connection), after_n)

    def open(self, connection: Connection, race_id: str) -> None:
        """A racer's attempt goes on on this connection, which alone brings no events."""
        connection.race_id, connection.racing = race_id, True

        def answered(result: Transaction | Exception) -> None:
            if isinstance(result, Transaction):
                connection.to_client(Opened(race_id))
            else:
                connection.to_client(Error("store"))

        self.command(race_id, partial(self.sit, connection), answered)

    def sit(self, connection: Connection, changes: Transaction) -> None:
        racer = changes.race.find(connection.member.name)
        if racer is not None and racer.dnf != "left":
            changes.race.sit(racer, connection.seat, changes.clock_ms)

    def enter(
        self, connection: Connection, race_id: str, act: Act, after_n: int | None = None
    ) -> None:
        connection.race_id, connection.racing = race_id, act is not nothing

        def answered(result: Transaction | Exception) -> None:
            if isinstance(result, Transaction):
                self.entered(connection, result, after_n)
            elif isinstance(result, RaceStarted | RaceFull):
                self.watch(connection, race_id)
            else:
                # If it sits there in spite of that, the next look finds it.
                connection.race_id, connection.racing = None, False
                connection.to_client(Error("store"))

        self.command(race_id, act, answered)

    def entered(self, connection: Connection, changes: Transaction, after_n: int | None) -> None:
        """From here on the connection gets the race's events."""
        race = changes.race
        racer = race.find(connection.member.name)
        connection.race_id = race.id
        connection.racing = racer is not None and racer.seat == connection.seat
        if connection.id not in self.connections:
            self.lost(connection)
            return
        for room in self.rooms.values():
            room.members.pop(connection, None)
        if after_n is not None and self.world.chance(0.8):
            # They are still kept; else the state alone has to do.
            for happened in self.store.races[race.id].events[after_n : race.n]:
                connection.to_client(Event(race.id, happened))
        slot = racer.slot if racer is not None else None
        connection.to_client(State(race.id, View.of(race), slot))
        room = self.rooms.setdefault(race.id, self.room_class(race.id, self.read_after))
        room.enter(connection, race.n)

    def read_after(
        self, race_id: str, n: int, answer: Callable[[list[Happened] | StoreAway], None]
    ) -> None:
        self.ask(lambda: self.store.races[race_id].events[n:], answer)

    # Attempts and connections

    def end_attempt(self, connection: Connection, race_id: str, ending: Ending) -> None:
        """The journal has the last event: store the result, say so, and let the race know."""

        def stored(answer: bool | StoreAway) -> None:
            if isinstance(answer, StoreAway):
                self.later(RETRY_MS, lambda: self.end_attempt(connection, race_id, ending))
                return
            connection.to_client(Done(race_id))
            self.command(race_id, nothing)

        self.ask(lambda: self.store.end_attempt(ending), stored)

    def lost(self, connection: Connection) -> None:
        """The connection is gone; its racer stands up however long the store is away."""
        self.connections.pop(connection.id, None)
        for room in self.rooms.values():
            room.members.pop(connection, None)
        if connection.race_id is not None and connection.racing:
            self.vacate(connection.race_id, connection.seat)

    def vacate(self, race_id: str, seat: str) -> None:
        def answered(result: Transaction | Exception) -> None:
            if isinstance(result, StoreAway):
                self.later(RETRY_MS, lambda: self.vacate(race_id, seat))

        self.command(race_id, lambda changes: changes.race.drop(seat, changes.clock_ms), answered)

    # The races it drives

    def drive(self, race_id: str, epoch: int, wake_at_ms: int | None) -> None:
        """Tick when the race asks for it."""
        self.driven[race_id] = epoch
        if wake_at_ms is None:
            self.wakes_at_ms.pop(race_id, None)
        elif self.wakes_at_ms.get(race_id) != wake_at_ms:
            self.wakes_at_ms[race_id] = wake_at_ms
            self.later(wake_at_ms - self.clock_ms, lambda: self.due(race_id, wake_at_ms))

    def due(self, race_id: str, wake_at_ms: int) -> None:
        if self.wakes_at_ms.get(race_id) == wake_at_ms:
            self.tick(race_id)

    def tick(self, race_id: str) -> None:
        self.wakes_at_ms.pop(race_id, None)
        epoch = self.driven.get(race_id)
        if epoch is None:
            return

        def act(changes: Transaction) -> None:
            self.fence(changes, epoch)
            changes.ticked_as = (self.id, epoch)
            changes.race.tick(changes.clock_ms)

        def answered(result: Transaction | Exception) -> None:
            if isinstance(result, Fenced):
                self.driven.pop(race_id, None)
                self.world.seen["fenced"] += 1
            elif isinstance(result, StoreAway):
                self.later(RETRY_MS, lambda: self.tick(race_id))

        self.command(race_id, act, answered)

    def fence(self, changes: Transaction, epoch: int) -> None:
        if (changes.driver, changes.epoch) != (self.id, epoch):
            raise Fenced

    def hear(self, race_id: str, n: int) -> None:
        """The bus says that a race is at n."""
        if race_id in self.rooms:
            self.rooms[race_id].hear(n)
        if race_id in self.driven:
            self.ask(lambda: {race_id: self.look_of(race_id)}, self.looked)

    # A look at the store, whatever the bus said

    def look(self) -> None:
        self.later(LOOK_MS, self.look)
        self.ask(
            lambda: {race_id: self.look_of(race_id) for race_id in self.store.races}, self.looked
        )

    def look_of(self, race_id: str) -> Look:
        row = self.store.races[race_id]
        race = row.race
        return Look(
            race.n,
            row.driver,
            row.epoch,
            race.live,
            race.wake_at_ms,
            any(one.typing and one.attempt_id in self.store.endings for one in race.people),
            {one.name: one.seat for one in race.people if one.dnf != "left"},
        )

    def looked(self, answer: dict[str, Look] | StoreAway) -> None:
        if isinstance(answer, StoreAway):
            return
        for race_id, look in answer.items():
            if race_id in self.rooms:
                self.rooms[race_id].hear(look.n)
            if look.live:
                self.mend_seats(race_id, look.seats)
            if look.driver != self.id:
                self.driven.pop(race_id, None)
                continue
            self.drive(race_id, look.epoch, look.wake_at_ms)
            if look.live and look.unheard:
                self.tick(race_id)

    def mend_seats(self, race_id: str, seats: dict[str, str | None]) -> None:
        """Seats that a dead or frozen process kept or lost."""
        mine = [one for one in self.connections.values() if one.race_id == race_id and one.racing]
        here = {one.seat for one in mine}
        for connection in mine:
            if seats.get(connection.member.name, "") is None:
                self.command(race_id, partial(self.sit, connection))
        for seat in seats.values():
            if seat is not None and seat.startswith(f"{self.id}/") and seat not in here:
                self.vacate(race_id, seat)

    # Its neighbours

    def poll(self) -> None:
        """Show a sign of life, and look for those who show none."""
        self.later(POLL_MS, self.poll)

        def beat() -> tuple[dict[str, int], set[str]]:
            beats = self.store.beats
            beats[self.id] = beats.get(self.id, 0) + 1
            return dict(beats), {row.driver for row in self.store.races.values() if row.race.live}

        self.ask(beat, self.polled)

    def polled(self, answer: tuple[dict[str, int], set[str]] | StoreAway) -> None:
        if isinstance(answer, StoreAway):
            return
        beats, drivers = answer
        for process_id in sorted(beats.keys() | drivers):
            pulse = self.pulses.setdefault(process_id, Pulse())
            beat = beats.get(process_id, 0)  # without a row it stands still too
            pulse.polls = pulse.polls + 1 if beat == pulse.beat else 0
            pulse.beat = beat
            if pulse.polls >= STILL_POLLS or process_id not in beats:
                pulse.polls = 0
                self.bury(process_id)

    def bury(self, process_id: str) -> None:
        """Go on with a dead process's races; nobody sits there any more."""
        self.world.note(f"{self.id} buries {process_id}")
        unburied = {race_id for race_id, row in self.store.races.items() if row.race.live}

        def act(changes: Transaction) -> None:
            changes.race.drop(process_id, changes.clock_ms)
            if changes.driver == process_id:
                self.take_over(changes)

        def buried(race_id: str, result: Transaction | Exception) -> None:
            if isinstance(result, StoreAway):
                self.later(RETRY_MS, lambda: self.command(race_id, act, partial(buried, race_id)))
                return
            unburied.discard(race_id)
            forget_if_done()

        def forget_if_done() -> None:
            if not unburied:
                self.ask(lambda: self.store.beats.pop(process_id, None), nothing)

        for race_id in sorted(unburied):
            self.command(race_id, act, partial(buried, race_id))
        forget_if_done()

    def take_over(self, changes: Transaction) -> None:
        changes.driver, changes.epoch = self.id, changes.epoch + 1
        self.world.seen["takeover"] += 1
