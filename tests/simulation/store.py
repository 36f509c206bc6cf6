"""A model of the SQL store: rows by value, one transaction on a race's row after the other.

It may be slow or away, and it may lose the answer after the commit. Who dies inside a transaction
has written nothing; who stands still inside one is rolled back, so that the row is free again.
"""

import pickle
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from server.core.race import Ending, Happened, Race, RaceRefused
from tests.simulation.world import Do, World

IDLE_MS_MAX = 1_000  # a transaction whose process says nothing for so long is rolled back
LOST_SHARE = 0.01  # of transactions that fail, and of answers that do not come, for no reason
T = TypeVar("T")


class StoreAway(Exception):
    """No answer: what was asked may have happened or not."""


class Fenced(Exception):
    """Another process drives the race by now."""


class Asker(Protocol):
    """A process, to the store."""

    id: str
    alive: bool
    frozen: bool

    @property
    def clock_ms(self) -> int: ...

    def later(self, ms: int, do: Do) -> None: ...


@dataclass(slots=True)
class RaceRow:
    """A race as it was committed last, its driver and its events."""

    value: bytes
    race: Race  # the same, to look at only
    driver: str
    epoch: int
    events: list[Happened] = field(default_factory=list)
    event_at_ms: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Transaction:
    """What a process may read and change while it has the row's lock."""

    asker: Asker
    race: Race
    driver: str
    epoch: int
    endings: list[Ending]
    clock_ms: int
    happened: list[Happened] = field(default_factory=list)
    ticked_as: tuple[str, int] | None = None  # the driver and epoch it ticks under
    opened: Race | None = None  # the next race, made with it


class Witness(Protocol):
    """Who looks at every commit."""

    def committed(self, row: RaceRow, changes: Transaction) -> None: ...


class Store:
    """The one truth of all processes."""

    def __init__(self, world: World, witness: Witness) -> None:
        self.world = world
        self.witness = witness
        self.away = False
        self.hold_ms = 8  # how long a transaction takes at most
        self.races: dict[str, RaceRow] = {}
        self.endings: dict[str, Ending] = {}
        self.ended_at_ms: dict[str, int] = {}
        self.beats: dict[str, int] = {}
        self._waiting: dict[str, deque[Do]] = {}

    def endings_of(self, race: Race) -> list[Ending]:
        """How the attempts of its people ended, as far as the store knows."""
        ids = (racer.attempt_id for racer in race.people)
        return [self.endings[attempt_id] for attempt_id in ids if attempt_id in self.endings]

    # Without a lock

    def ask(
        self, asker: Asker, query: Callable[[], T], answer: Callable[[T | StoreAway], None]
    ) -> None:
        """Carry out one statement, and answer what it says or StoreAway."""

        def statement() -> None:
            result: T | StoreAway = StoreAway() if self.away else query()
            lost = self.world.chance(LOST_SHARE)
            asker.later(self.answer_ms(), lambda: answer(StoreAway() if lost else result))

        self.world.later(self.world.between(1, 3), statement)

    def answer_ms(self) -> int:
        """How long an answer is on its way: what was asked later may be answered before."""
        return self.world.between(1, 400 if self.world.chance(0.08) else 3)

    def end_attempt(self, ending: Ending) -> bool:
        """An attempt's result is stored exactly once; tell whether this was it."""
        fresh = self.endings.setdefault(ending.attempt_id, ending) is ending
        if fresh:
            self.ended_at_ms[ending.attempt_id] = self.world.now_ms
            self.world.note(f"store: {ending}")
        return fresh

    def insert_race(self, race: Race, asker: Asker) -> Transaction:
        """A new race with whoever is in it; the process that makes it drives it."""
        self.races[race.id] = RaceRow(b"", race, asker.id, 0)
        made = Transaction(asker, race, asker.id, 1, [], asker.clock_ms)
        made.happened = [_as_stored(one, race) for one in race.take_happened()]
        self.commit(race.id, made)
        return made

    # With the lock on a race's row

    def transact(
        self,
        asker: Asker,
        race_id: str,
        work: Callable[[Transaction], T],
        answer: Callable[[T | Exception], None],
    ) -> None:
        """Do the work on the race's row alone; answer its value, or why nothing was written."""
        step = _Step(self, asker, race_id, work, answer)
        self.world.later(self.world.between(1, 3), step.begin)

    def lock(self, race_id: str, do: Do) -> None:
        if race_id in self._waiting:
            self._waiting[race_id].append(do)
            return
        self._waiting[race_id] = deque()
        do()

    def unlock(self, race_id: str) -> None:
        waiting = self._waiting.pop(race_id)
        if waiting:
            do = waiting.popleft()
            self._waiting[race_id] = waiting
            do()

    def commit(self, race_id: str, changes: Transaction) -> None:
        row = self.races[race_id]
        row.value = pickle.dumps(changes.race)
        row.race = changes.race
        row.driver, row.epoch = changes.driver, changes.epoch
        row.events += changes.happened
        row.event_at_ms += [self.world.now_ms] * len(changes.happened)
        for one in changes.happened:
            self.world.note(f"{race_id}: {one.n} {one.event} {one.fields} by {changes.asker.id}")
        self.witness.committed(row, changes)


def _as_stored(happened: Happened, race: Race) -> Happened:
    """With what the wire adds: here, whether it is a ghost that joined."""
    if happened.event == "joined":
        ghosts = {racer.slot for racer in race.racers if racer.ghost}
        happened.fields["ghost"] = happened.fields["slot"] in ghosts
    return happened


class _Step(Generic[T]):
    """One transaction on its way: begin, lock, work, commit, answer."""

    def __init__(
        self,
        store: Store,
        asker: Asker,
        race_id: str,
        work: Callable[[Transaction], T],
        answer: Callable[[T | Exception], None],
    ) -> None:
        self.store = store
        self.world = store.world
        self.asker = asker
        self.race_id = race_id
        self.work = work
        self.answer = answer

    def say(self, result: T | Exception) -> None:
        self.asker.later(self.store.answer_ms(), lambda: self.answer(result))

    def give_up(self) -> None:
        self.store.unlock(self.race_id)
        self.say(StoreAway())

    def begin(self) -> None:
        if self.store.away:
            self.say(StoreAway())
        else:
            self.store.lock(self.race_id, self.locked)

    def locked(self) -> None:
        if self.store.away or not self.asker.alive:
            self.give_up()
            return
        if self.asker.frozen:
            self.world.later(IDLE_MS_MAX, self.give_up)
            return
        row = self.store.races[self.race_id]
        race: Race = pickle.loads(row.value)
        endings = self.store.endings_of(race)
        clock_ms = self.asker.clock_ms
        changes = Transaction(self.asker, race, row.driver, row.epoch, endings, clock_ms)
        try:
            result = self.work(changes)
        except (RaceRefused, Fenced) as refusal:
            self.store.unlock(self.race_id)
            self.say(refusal)
            return
        changes.happened = [_as_stored(one, race) for one in race.take_happened()]
        self.world.later(
            self.world.between(1, self.store.hold_ms), lambda: self.commit(changes, result)
        )

    def commit(self, changes: Transaction, result: T) -> None:
        if not self.asker.alive:
            self.give_up()
        elif self.asker.frozen and self.world.chance(0.5):
            # It stood still before it said commit; else the word was on its way already.
            self.world.later(IDLE_MS_MAX, self.give_up)
        elif self.world.chance(0.5 if self.store.away else LOST_SHARE):
            self.give_up()
        else:
            self.store.commit(self.race_id, changes)
            if changes.opened is not None:
                self.store.insert_race(changes.opened, self.asker)
            self.store.unlock(self.race_id)
            lost = self.store.away or self.world.chance(LOST_SHARE)
            self.say(StoreAway() if lost else result)
