"""A model of a person at a client: comes, types, drops, comes back elsewhere, leaves, races again.

The client keeps the numbered events as the protocol asks: between two whole states no number may be
missing or come twice.
"""

from dataclasses import dataclass, field

from server.core.race import Ending, Happened, Phase
from tests.simulation.process import Process
from tests.simulation.view import Shown, View
from tests.simulation.wire import Connection, Done, Event, Left, Message, Opened, State
from tests.simulation.world import Do, World

THINK_MS = 400
ANSWER_MS_MAX = 3_000  # who is not answered for so long comes back elsewhere
LOBBY_MS_MAX = 60_000
WAIT_MS_MAX = 60_000  # for a race to come to
FREE_LAG_MS = 500  # lag beyond the least that is not counted as late
FREE_OUTAGE_MS_MAX = 5_000  # in a race outages beyond this are


@dataclass(frozen=True, slots=True)
class Habits:
    """What somebody is like. Shares are chances per thought."""

    comes_at_ms: int
    watches: bool
    creates: bool
    quick: bool
    ghosts_ms: list[int]
    cut_share: float
    leave_share: float
    again_share: float


@dataclass(slots=True)
class Meeting:
    """What people tell each other: where the race is. And where the servers are."""

    processes: list[Process]
    race_id: str | None = None
    connections: int = 0
    left_at_ms: dict[str, int] = field(default_factory=dict)  # when which seat was left


@dataclass(slots=True)
class Typing:
    """One's attempt in a race, as it is typed at home whatever the network does."""

    attempt_id: str
    starts_at_ms: int
    typing_ms: int
    why: str  # "" if the text is completed
    heard_at_ms: int  # when the store had the last of it, as the server will see it
    outage_ms: int = 0
    handed_in_on: Connection | None = None
    over: bool = False

    @property
    def ends_at_ms(self) -> int:
        return self.starts_at_ms + self.typing_ms

    def ending(self, arrived_at_ms: int, least_lag_ms: int) -> Ending:
        """What the server makes of it when the last event arrives."""
        if self.why:
            return Ending(self.attempt_id, None, self.why)
        lag_ms = arrived_at_ms - self.ends_at_ms - least_lag_ms
        late_ms = max(0, lag_ms - FREE_LAG_MS - min(self.outage_ms, FREE_OUTAGE_MS_MAX))
        return Ending(self.attempt_id, self.typing_ms + late_ms)


@dataclass(slots=True)
class Person:
    """Somebody at a client."""

    world: World
    meeting: Meeting
    name: str
    habits: Habits
    connection: Connection | None = None
    connected_at_ms: int = 0
    sat_at_ms: int = 0  # when it was told its slot last
    asked_at_ms: int | None = None
    race_id: str | None = None
    view: View | None = None
    you: int | None = None
    entered_on: Connection | None = None
    opened_on: Connection | None = None
    left: set[str] = field(default_factory=set)
    typing: dict[str, Typing] = field(default_factory=dict)
    closed_at_ms: int | None = None
    wants_again: bool = False
    home: bool = False

    def come(self) -> None:
        self.connect()
        self.think()

    # The connection

    def connect(self) -> None:
        if self.home:
            return
        process = self.world.dice.choice(self.meeting.processes) if self.meeting.processes else None
        if process is None or process.frozen:
            self.world.later(self.world.between(300, 1_500), self.connect)
            return
        self.meeting.connections += 1
        connection = Connection(
            self.world, self, process, self.meeting.connections, self.world.between(2, 60)
        )
        self.connection, self.connected_at_ms = connection, self.world.now_ms
        self.asked_at_ms = None
        connection.to_server(lambda: process.connections.update({connection.id: connection}))
        self.world.note(f"{self.name} comes to {connection.seat}")

    def cut(self, away_ms: int) -> None:
        """The connection is gone; come back after a while, wherever that leads."""
        assert self.connection is not None
        process = self.connection.process
        heard_at_ms = process.stopped_at_ms or self.world.now_ms
        for typing in self.typing.values():
            if self.opened_on is self.connection:
                typing.heard_at_ms = max(heard_at_ms, typing.starts_at_ms)
        self.world.note(f"{self.name} is cut off from {process.id} for {away_ms} ms")
        self.hang_up(self.connection)
        self.world.later(away_ms, self.connect)

    def hang_up(self, connection: Connection) -> None:
        connection.close()
        self.meeting.left_at_ms[connection.seat] = self.world.now_ms
        self.connection = None

    def go_home(self) -> None:
        if self.connection is not None:
            self.hang_up(self.connection)
        self.home = True

    # What one does

    def think(self) -> None:
        if self.home:
            return
        if self.race_id is None and self.world.now_ms > self.habits.comes_at_ms + WAIT_MS_MAX:
            self.go_home()
            return
        self.world.later(THINK_MS + self.world.between(0, 50), self.think)
        connection = self.connection
        if connection is None or not self.still_there(connection) or self.asked_at_ms is not None:
            return
        if self.entered_on is not connection:
            self.enter(connection)
        elif self.view is not None:
            self.act(connection, self.view)

    def still_there(self, connection: Connection) -> bool:
        """Whether the connection goes on, as far as one can tell."""
        process = connection.process
        now_ms = self.world.now_ms
        silent_ms = now_ms - process.stopped_at_ms if process.stopped_at_ms is not None else 0
        unanswered_ms = now_ms - self.asked_at_ms if self.asked_at_ms is not None else 0
        if not process.alive or silent_ms > 4_000 or unanswered_ms > ANSWER_MS_MAX:
            self.cut(self.pause_ms(1_000))
        elif self.world.chance(self.habits.cut_share):
            self.cut(self.pause_ms(8_000))
        return self.connection is connection

    def pause_ms(self, most_ms: int) -> int:
        """How long one stays away: a moment, or so long that others notice."""
        long = self.world.chance(0.15)
        return self.world.between(8_000, 150_000) if long else self.world.between(50, most_ms)

    def enter(self, connection: Connection) -> None:
        """Come in, or come back."""
        process = connection.process
        race_id = self.race_id or (None if self.habits.quick else self.meeting.race_id)
        if race_id is None and self.habits.quick:
            self.ask(connection, lambda: process.quick(connection))
        elif race_id is None and self.habits.creates:
            ghosts_ms = self.habits.ghosts_ms
            self.ask(connection, lambda: process.create(connection, False, ghosts_ms))
        elif race_id is None:
            pass  # nobody has told where the race is
        elif self.view is not None and self.unfinished and self.world.chance(0.4):
            self.ask(connection, lambda: process.open(connection, race_id))
        elif self.view is not None and self.world.chance(0.7):
            n = self.view.n
            self.ask(connection, lambda: process.sync(connection, race_id, n))
        elif self.you is None and (self.habits.watches or self.view is not None):
            self.ask(connection, lambda: process.watch(connection, race_id))
        else:
            self.ask(connection, lambda: process.join(connection, race_id))

    def ask(self, connection: Connection, request: Do) -> None:
        self.asked_at_ms = self.world.now_ms
        connection.to_server(request)

    @property
    def mine(self) -> Shown | None:
        """How one is shown oneself, as a racer."""
        return self.view.racers.get(self.you) if self.view and self.you is not None else None

    @property
    def races(self) -> bool:
        """Whether one is a racer who has not left."""
        mine = self.mine
        return mine is not None and mine.dnf != "left" and self.race_id not in self.left

    @property
    def unfinished(self) -> Typing | None:
        typing = self.typing.get(self.race_id or "")
        return typing if typing is not None and not typing.over else None

    def act(self, connection: Connection, view: View) -> None:
        process = connection.process
        typing = self.unfinished
        if typing is not None and self.opened_on is not connection and self.race_id is not None:
            race_id = self.race_id
            self.ask(connection, lambda: process.open(connection, race_id))
        elif view.phase in (Phase.FINISHED, Phase.CANCELLED):
            self.after_the_end(connection, view)
        elif not self.races:
            if self.closed_at_ms is None and self.world.chance(0.02) and not self.habits.watches:
                self.go_home()
        elif self.leaves(view):
            self.ask(connection, lambda: process.leave(connection))
        elif view.phase is Phase.LOBBY:
            self.in_the_lobby(connection, process, view)

    def leaves(self, view: View) -> bool:
        waits_ms = self.world.now_ms - self.habits.comes_at_ms
        bored = view.phase is Phase.LOBBY and waits_ms > LOBBY_MS_MAX
        return bored or self.world.chance(self.habits.leave_share)

    def in_the_lobby(self, connection: Connection, process: Process, view: View) -> None:
        if self.world.chance(0.08):
            ready = self.world.chance(0.8)
            connection.to_server(lambda: process.ready(connection, ready))
        if view.host == self.you and len(view.racers) > 1 and self.world.chance(0.06):
            connection.to_server(lambda: process.start(connection))

    def after_the_end(self, connection: Connection, view: View) -> None:
        process = connection.process
        if self.closed_at_ms is None:
            self.closed_at_ms = self.world.now_ms
            first = self.race_id == "race0"
            self.wants_again = first and self.world.chance(self.habits.again_share)
        race_id, next_id = self.race_id, view.again
        if self.wants_again and next_id is not None:
            self.wants_again = False
            self.ask(connection, lambda: process.join(connection, next_id))
        elif self.wants_again and self.mine and race_id and self.world.chance(0.1):
            self.ask(connection, lambda: process.again(connection, race_id))
        elif self.world.now_ms > self.closed_at_ms + 8_000:
            self.go_home()

    # What one is told

    def receive(self, connection: Connection, message: Message) -> None:
        if connection is not self.connection:
            return
        match message:
            case Event(race_id, happened):
                self.follow(race_id, happened)
            case Done(race_id):
                self.typing[race_id].over = True
            case _:
                self.asked_at_ms = None
                self.answered(connection, message)
        self.type_on(connection)

    def follow(self, race_id: str, happened: Happened) -> None:
        """The next event, and no other."""
        if self.view is not None and race_id == self.race_id:
            self.view.apply(happened)
            if self.you not in self.view.racers:
                self.you = None

    def answered(self, connection: Connection, answer: Message) -> None:
        match answer:
            case State():
                self.see(connection, answer)
            case Opened(race_id):
                self.opened_on = connection
                self.count_outage(race_id)
            case Left(race_id):
                self.left.add(race_id)

    def see(self, connection: Connection, state: State) -> None:
        """The whole state, which replaces what was known."""
        if state.race_id != self.race_id:
            self.closed_at_ms, self.wants_again = None, False
        elif self.view is not None and self.view.n == state.view.n:
            assert self.view.told == state.view.told, "the events did not lead to the state"
        self.race_id, self.view, self.you = state.race_id, state.view, state.you
        self.sat_at_ms = self.world.now_ms
        self.entered_on = connection
        self.meeting.race_id = self.meeting.race_id or state.race_id

    # Typing

    def type_on(self, connection: Connection) -> None:
        """From the countdown on one has an attempt, and hands it in when it is typed."""
        view, mine, race_id = self.view, self.mine, self.race_id
        if view is None or mine is None or view.starts_at_ms is None or race_id is None:
            return
        if race_id not in self.typing and mine.dnf is None:
            self.opened_on = connection
            self.typing[race_id] = self.begin(race_id, view.starts_at_ms)
        self.hand_in()

    def begin(self, race_id: str, starts_at_ms: int) -> Typing:
        attempt_id = f"{race_id}/{self.name}"
        typing_ms = self.world.between(9_000, 16_000)
        if self.world.chance(0.3):
            typing_ms = self.world.between(4_000, 90_000)
        why = self.world.dice.choices(["", "quit", "void", "idle"], [90, 5, 2, 1])[0]
        if why == "idle":
            typing_ms = 600_000
        typing = Typing(attempt_id, starts_at_ms, typing_ms, why, starts_at_ms)
        self.world.later(typing.ends_at_ms - self.world.now_ms, self.hand_in)
        return typing

    def count_outage(self, race_id: str) -> None:
        typing = self.typing.get(race_id)
        if typing is not None:
            typing.outage_ms += max(0, self.world.now_ms - typing.heard_at_ms)

    def hand_in(self) -> None:
        """Send the last events if they are typed, once on each connection that has the attempt."""
        typing, connection = self.unfinished, self.connection
        if typing is None or connection is None or self.opened_on is not connection:
            return
        if self.world.now_ms < typing.ends_at_ms or typing.handed_in_on is connection:
            return
        typing.handed_in_on = connection
        process, race_id = connection.process, self.race_id
        assert race_id is not None

        def arrive() -> None:
            ending = typing.ending(self.world.now_ms, connection.delay_ms)
            process.end_attempt(connection, race_id, ending)

        connection.to_server(arrive)
