"""Whole races in virtual time: people, processes, a store and a bus, and all that may go wrong."""

from collections import Counter
from dataclasses import dataclass
from itertools import count

from server.core.race import Phase, Race
from tests.simulation.person import Habits, Meeting, Person
from tests.simulation.process import Process
from tests.simulation.promises import Promises
from tests.simulation.room import Room
from tests.simulation.store import Store
from tests.simulation.wire import Bus
from tests.simulation.world import World

WATCH_MS = 500
FAULTS_UNTIL_MS = 90_000
RACE_MS = 20_000  # from the countdown until most have finished
SETTLE_MS = 10_000
LIMIT_MS = 75 * 60_000
HOLD_MS, SLOW_HOLD_MS = 8, 900


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is put to the test; anything but the defaults is a seeded bug."""

    race: type[Race] = Race
    process: type[Process] = Process
    room: type[Room] = Room

    @property
    def name(self) -> str:
        """What is wrong."""
        right = (Race, Process, Room)
        return " and ".join(
            one.__name__ for one in (self.race, self.process, self.room) if one not in right
        )


RIGHT = Wrong()


class Simulation:
    """One seed: who comes, what they are like, and what breaks when."""

    def __init__(self, seed: int, verbose: bool, wrong: Wrong) -> None:
        self.world = World(seed, verbose)
        self.wrong = wrong
        self.promises = Promises(self.world)
        self.store = Store(self.world, self.promises)
        self.bus = Bus(self.world)
        self.numbers = count(1)
        self.meeting = Meeting([])
        for _ in range(self.world.between(2, 3)):
            self.start_process()
        self.people = self.invited()
        for person in self.people:
            self.world.later(person.habits.comes_at_ms, person.come)
        self.over = False
        self.struck: set[str] = set()
        self.plan_faults(self.world.between(0, 3), self.world.between(0, FAULTS_UNTIL_MS))
        self.world.every(WATCH_MS, self.watch)

    def start_process(self) -> None:
        process = self.wrong.process(self.world, self.store, self.bus, f"p{next(self.numbers)}")
        process.race_class, process.room_class = self.wrong.race, self.wrong.room
        self.meeting.processes.append(process)

    def invited(self) -> list[Person]:
        world, dice = self.world, self.world.dice
        quick = world.chance(0.3)
        racers = dice.choice([1, 2, 2, 3, 3, 4, 6])
        ghosts_ms = [world.between(5_000, 40_000) for _ in range(dice.choice([0, 0, 1, 2]))]
        cut_share, leave_share = dice.choice([0, 0.004, 0.02]), dice.choice([0, 0.002, 0.01])
        again_share = dice.choice([0, 0.3, 1])
        return [
            Person(
                world,
                self.meeting,
                f"{'racer' if number < racers else 'watcher'}{number}",
                Habits(
                    comes_at_ms=world.between(0, 4_000 if number < racers else 30_000),
                    watches=number >= racers,
                    creates=number == 0,
                    quick=quick and number < racers,
                    ghosts_ms=ghosts_ms,
                    cut_share=cut_share,
                    leave_share=leave_share,
                    again_share=again_share,
                ),
            )
            for number in range(racers + dice.choice([0, 1, 2]))
        ]

    # What goes wrong

    def plan_faults(self, times: int, within_ms: int) -> None:
        for _ in range(times):
            self.world.later(self.world.between(0, within_ms), self.fault)

    def strike(self) -> None:
        """Things go wrong most often from the countdown to the finish."""
        for race_id, row in self.store.races.items():
            if row.race.phase is Phase.COUNTDOWN and race_id not in self.struck:
                self.struck.add(race_id)
                self.plan_faults(self.world.dice.choice([0, 1, 2, 4]), RACE_MS)

    def fault(self) -> None:
        faults = [self.kill, self.freeze, self.lose_store, self.slow_store, self.lose_bus]
        self.world.dice.choice(faults)()

    def victim(self) -> Process | None:
        """Rather one that drives a race than any other."""
        awake = [one for one in self.meeting.processes if one.alive and not one.frozen]
        drivers = [one for one in awake if one.driven]
        choice = drivers if drivers and self.world.chance(0.7) else awake
        return self.world.dice.choice(choice) if choice else None

    def kill(self) -> None:
        process = self.victim()
        if process is not None:
            process.stop(kill=True)
            self.meeting.processes.remove(process)
            self.bus.processes.remove(process)
            self.world.later(self.world.between(500, 8_000), self.start_process)

    def freeze(self) -> None:
        process = self.victim()
        if process is not None:
            process.stop(kill=False)
            self.world.later(self.world.between(500, 12_000), process.wake)

    def lose_store(self) -> None:
        self.set_store(away=True)
        self.world.later(self.world.between(300, 8_000), lambda: self.set_store(away=False))

    def set_store(self, away: bool) -> None:
        self.store.away = away
        self.world.disturb(f"the store is {'away' if away else 'back'}")

    def slow_store(self) -> None:
        self.set_hold(SLOW_HOLD_MS)
        self.world.later(self.world.between(1_000, 8_000), lambda: self.set_hold(HOLD_MS))

    def set_hold(self, hold_ms: int) -> None:
        self.store.hold_ms = hold_ms
        self.world.disturb(f"a transaction takes up to {hold_ms} ms")

    def lose_bus(self) -> None:
        """What the bus loses is nothing to wait for: the world stays calm."""
        self.bus.away = True
        self.world.note("!! the bus is away")
        self.world.later(self.world.between(1_000, 30_000), self.find_bus)

    def find_bus(self) -> None:
        self.bus.away = False

    # How it ends

    def watch(self) -> None:
        self.strike()
        awake = {one.id for one in self.meeting.processes if not one.frozen}
        if self.store.away or self.store.hold_ms > HOLD_MS or not awake:
            self.world.calm_since_ms = self.world.now_ms
        self.promises.watch(self.store, awake, self.meeting, self.people)

        self.over = all(one.home for one in self.people) and not any(
            row.race.live for row in self.store.races.values()
        )

    def run(self) -> None:
        self.world.run(lambda: self.over, LIMIT_MS)
        assert self.over, "it never ends"
        self.world.run(lambda: False, self.world.now_ms + SETTLE_MS)


def simulate(seed: int, verbose: bool = False, wrong: Wrong = RIGHT) -> Counter[str]:
    """Run one seed and return what came about; an AssertionError is a broken promise."""
    simulation = Simulation(seed, verbose, wrong)
    simulation.run()
    return simulation.world.seen
