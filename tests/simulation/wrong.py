"""Races and processes that are wrong in one point each; the simulation must notice every one."""

from collections.abc import Iterable

from server.core.race import CLOCK_ALLOWANCE_MS, RACE_MS_MAX, Ending, Phase, Race, Racer
from tests.simulation.process import Act, Answered, Look, Process, nothing
from tests.simulation.room import Room
from tests.simulation.simulation import Wrong
from tests.simulation.store import Store, StoreAway, Transaction
from tests.simulation.wire import Bus, Connection, Event
from tests.simulation.world import World


class CountsOnlyThoseWhoAreHere(Race):
    def _place(self, racer: Racer) -> None:
        racer.place = 1 + sum(one.place is not None and one.connected for one in self.racers)
        self._say("placed", slot=racer.slot, place=racer.place, duration_ms=racer.duration_ms)


class HearsOneEndingAfterTheOther(Race):
    def attempts_ended(self, endings: Iterable[Ending], now_ms: int) -> None:
        for ending in sorted(endings, key=lambda one: one.duration_ms or 0, reverse=True):
            super().attempts_ended([ending], now_ms)


class PlacesWithoutAllowance(Race):
    def _beaten_by_ms(self, rival: Racer, done_at_ms: int) -> int:
        return done_at_ms


class ForgetsWhoIsAway(Race):
    def _beaten_by_ms(self, rival: Racer, done_at_ms: int) -> int:
        return done_at_ms + CLOCK_ALLOWANCE_MS


class ForgetsWhoCameBack(Race):
    def sit(self, racer: Racer, seat: str, now_ms: int) -> None:
        super().sit(racer, seat, now_ms)
        racer.back_at_ms = None


class AnnouncesEveryConnection(Race):
    def sit(self, racer: Racer, seat: str, now_ms: int) -> None:
        if racer.seat is not None and racer.seat != seat and self.live:
            self._say("connection", slot=racer.slot, connected=True)
        super().sit(racer, seat, now_ms)


class DropsNoProcess(Race):
    def drop(self, seat: str, now_ms: int) -> None:
        if "/" in seat:
            super().drop(seat, now_ms)


class WaitsForGhosts(Race):
    def _end(self, now_ms: int) -> None:
        if all(racer.place or racer.dnf for racer in self.racers):
            super()._end(now_ms)


class KeepsItsHost(Race):
    def _hand_on(self, racer: Racer) -> None:
        pass


class AsksToBeWokenForNothing(Race):
    @property
    def wake_at_ms(self) -> int | None:
        wake_at_ms = super().wake_at_ms
        return None if wake_at_ms is None else wake_at_ms - 20


class SleepsTooLong(Race):
    """It forgets that a place becomes final."""

    @property
    def wake_at_ms(self) -> int | None:
        waits = self.phase is Phase.RUNNING and bool(self._waiting())
        return None if waits else super().wake_at_ms


class NeverCloses(Race):
    @property
    def _closes_at_ms(self) -> int:
        return self._start_ms + RACE_MS_MAX


class TicksWithoutAFence(Process):
    def fence(self, changes: Transaction, epoch: int) -> None:
        pass


class NumbersFromMemory(Process):
    """Its next event gets the number after the last one that it wrote itself."""

    def __init__(self, world: World, store: Store, bus: Bus, process_id: str) -> None:
        super().__init__(world, store, bus, process_id)
        self.numbers: dict[str, int] = {}

    def command(self, race_id: str, act: Act, answered: Answered = nothing) -> None:
        def remembered(changes: Transaction) -> None:
            changes.race.n = self.numbers.get(race_id, changes.race.n)
            act(changes)

        super().command(race_id, remembered, answered)

    def publish(self, changes: Transaction) -> None:
        self.numbers[changes.race.id] = changes.race.n
        super().publish(changes)


class TakesNothingOver(Process):
    def take_over(self, changes: Transaction) -> None:
        pass


class TakesOverWithoutAnEpoch(Process):
    """The fence then falls before a driver that was frozen and took over again."""

    def take_over(self, changes: Transaction) -> None:
        changes.driver = self.id


class MendsNoSeats(Process):
    def mend_seats(self, race_id: str, seats: dict[str, str | None]) -> None:
        pass


class TrustsTheBus(Process):
    """It looks at the store for what it drives, and never for what its people missed."""

    def looked(self, answer: dict[str, Look] | StoreAway) -> None:
        rooms, self.rooms = self.rooms, {}
        super().looked(answer)
        self.rooms = rooms


class HearsOfNoEnding(Process):
    """The journal has the result, and the race is told only by whoever wrote it."""

    def looked(self, answer: dict[str, Look] | StoreAway) -> None:
        if isinstance(answer, dict):
            for look in answer.values():
                look.unheard = False
        super().looked(answer)


class FillsNoHole(Room):
    def deliver(self) -> None:
        for connection, n in self.members.items():
            for later_n in sorted(one for one in self.kept if one > n):
                connection.to_client(Event(self.race_id, self.kept[later_n]))
                self.members[connection] = later_n


class BeginsAtTheTop(Room):
    """Whoever enters gets only what comes after the last event that anybody here got."""

    def enter(self, connection: Connection, n: int) -> None:
        super().enter(connection, max([n, *self.members.values()]))


WRONG = [
    *(
        Wrong(race=race)
        for race in (
            CountsOnlyThoseWhoAreHere,
            HearsOneEndingAfterTheOther,
            PlacesWithoutAllowance,
            ForgetsWhoIsAway,
            ForgetsWhoCameBack,
            AnnouncesEveryConnection,
            DropsNoProcess,
            WaitsForGhosts,
            KeepsItsHost,
            AsksToBeWokenForNothing,
            SleepsTooLong,
            NeverCloses,
        )
    ),
    *(
        Wrong(process=process)
        for process in (
            TicksWithoutAFence,
            NumbersFromMemory,
            TakesNothingOver,
            TakesOverWithoutAnEpoch,
            MendsNoSeats,
            TrustsTheBus,
            HearsOfNoEnding,
        )
    ),
    *(Wrong(room=room) for room in (FillsNoHole, BeginsAtTheTop)),
]
