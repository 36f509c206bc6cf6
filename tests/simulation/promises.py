"""What must hold after every commit and in every calm second (docs/protocol.md, "Races").

**Places.** Whoever is placed has finished. Nobody whose better result is in the store waits behind
them, and all who still type were given the allowance: 500 ms after the finish; 5 s while they are
away, or until 500 ms after their return if that is sooner. A better result that is stored later has
a later place.

**Calm.** However much has broken: some seconds after the last thing broke or came back a driver
lives, what is due is done, everybody knows what happened, and who is there is shown as there.
"""

from dataclasses import dataclass, field

from server.core.race import Happened, Phase, Race, Racer
from tests.simulation.person import Meeting, Person
from tests.simulation.store import RaceRow, Store, Transaction
from tests.simulation.view import View
from tests.simulation.world import World

TAKEOVER_MS_MAX = 5_000
LOOK_MS_MAX = 2_500  # two looks, the first of which found no answer, and what follows from one
GO_MS_MAX = 1_000  # a tick that fails is tried again
HALF_OPEN_MS_MAX = 20_000 + LOOK_MS_MAX  # a process notices a dead connection
ALLOWANCE_MS = 500
AWAY_ALLOWANCE_MS = 5_000
DEPARTED = ("left", "gone")


@dataclass(slots=True)
class Presence:
    """Where a racer is, and since when by the clock of whoever wrote it."""

    seat: str | None
    since_ms: int
    first: bool

    def heard_by_ms(self, done_at_ms: int) -> int:
        """Until when a result that is better than `done_at_ms` may still come from here."""
        if self.seat is None:
            return done_at_ms + AWAY_ALLOWANCE_MS
        back_ms = 0 if self.first else self.since_ms + ALLOWANCE_MS
        return min(done_at_ms + AWAY_ALLOWANCE_MS, max(done_at_ms + ALLOWANCE_MS, back_ms))


@dataclass(slots=True)
class Known:
    """What the witness remembers of a race."""

    view: View = field(default_factory=View)
    presences: dict[str, Presence] = field(default_factory=dict)
    driver: str = ""
    epoch: int = 0
    overs: int = 0


class Promises:
    """The witness of one simulation. A broken promise is an AssertionError."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.known: dict[str, Known] = {}

    # After every commit

    def committed(self, row: RaceRow, changes: Transaction) -> None:
        race, known = row.race, self.known.setdefault(row.race.id, Known())
        self.only_the_driver_ticks(row, known, changes)
        assert [one.n for one in row.events] == list(range(1, race.n + 1)), "events have a hole"
        for happened in changes.happened:
            known.view.apply(happened)
            self.happened(happened, known, changes)
        assert known.view.told == View.of(race).told, "the events do not lead to the state"
        self.remember_seats(race, known, changes.clock_ms)
        self.somebody_hosts(race)
        self.nobody_waits_for_ghosts(race)

    def only_the_driver_ticks(self, row: RaceRow, known: Known, changes: Transaction) -> None:
        taken_over = row.driver != known.driver
        assert row.epoch == known.epoch + taken_over, "each driver has an epoch of its own"
        known.driver, known.epoch = row.driver, row.epoch
        if changes.ticked_as is not None:
            assert changes.ticked_as == (row.driver, row.epoch), "another process drives it by now"
            wake_at_ms = row.race.wake_at_ms
            done = wake_at_ms is None or wake_at_ms > changes.clock_ms
            assert done, "a tick left something undone"

    def happened(self, happened: Happened, known: Known, changes: Transaction) -> None:
        self.world.seen[happened.event] += 1
        match happened:
            case Happened(event="go"):
                self.goes(changes)
            case Happened(event="placed", fields=fields):
                self.placed(known, changes, **fields)
            case Happened(event="dnf", fields=fields):
                self.world.seen[f"dnf {fields['why']}"] += 1
            case Happened(event="over"):
                known.overs += 1
                assert known.overs == 1, "it is over twice"

    def goes(self, changes: Transaction) -> None:
        late_ms = changes.clock_ms - start_ms(changes.race)
        assert late_ms >= 0, "go before the start"
        if self.world.calm_for_ms(0) > TAKEOVER_MS_MAX + LOOK_MS_MAX:
            assert late_ms <= GO_MS_MAX, f"go {late_ms} ms after the start"

    def placed(
        self, known: Known, changes: Transaction, slot: int, place: int, duration_ms: int
    ) -> None:
        """It is the next place, it is deserved, and nobody who may deserve it is passed over."""
        places = [one.place for one in known.view.racers.values() if one.place is not None]
        assert sorted(places) == list(range(1, place + 1)), f"places {sorted(places)}"
        assert results_ms(changes).get(slot) == duration_ms, f"slot {slot} did not finish so"
        for rival in changes.race.racers:
            shown = known.view.racers[rival.slot]
            if shown.place is None and shown.dnf is None:
                self.no_better(rival, (duration_ms, slot), known, changes)
        better = [one for one in known.view.racers.values() if (one.duration_ms or 0) > duration_ms]
        self.world.seen["a better result came too late"] += bool(better)

    def no_better(
        self, rival: Racer, best: tuple[int, int], known: Known, changes: Transaction
    ) -> None:
        result_ms = results_ms(changes).get(rival.slot)
        if result_ms is not None:
            assert (result_ms, rival.slot) > best, f"slot {rival.slot} was faster than {best}"
        elif rival.attempt_id not in {ending.attempt_id for ending in changes.endings}:
            done_at_ms = start_ms(changes.race) + best[0]
            heard_by_ms = known.presences[rival.name].heard_by_ms(done_at_ms)
            assert changes.clock_ms >= heard_by_ms, f"slot {rival.slot} may still beat {best}"

    def remember_seats(self, race: Race, known: Known, clock_ms: int) -> None:
        for racer in race.people:
            presence = known.presences.get(racer.name)
            if presence is None or presence.seat != racer.seat:
                known.presences[racer.name] = Presence(racer.seat, clock_ms, presence is None)

    def somebody_hosts(self, race: Race) -> None:
        """While there are people one of them is the host, and not one who has departed."""
        people = {one.slot: one for one in race.people}
        if not race.live:
            return
        assert race.host in people, f"slot {race.host} is the host, and nobody"
        if people[race.host].dnf in DEPARTED:
            assert all(one.dnf in DEPARTED for one in race.people), "the host has departed"

    def nobody_waits_for_ghosts(self, race: Race) -> None:
        if race.phase is Phase.RUNNING:
            fates = [(one.place or one.dnf) is not None for one in race.people]
            assert not all(fates), "all people are placed or dnf, and it goes on"
            typing = any(one.dnf is None and one.duration_ms is None for one in race.people)
            assert typing, "nobody types any more, and it goes on"

    # In every calm second

    def watch(self, store: Store, awake: set[str], meeting: Meeting, people: list[Person]) -> None:
        for race_id, row in store.races.items():
            if row.race.live:
                self.it_goes_on(row, store, awake)
                self.seats_are_true(row.race, awake, meeting, people)
            for person in people:
                if person.race_id == race_id and present(person, awake):
                    self.knows(person, row)

    def it_goes_on(self, row: RaceRow, store: Store, awake: set[str]) -> None:
        calm_ms, race = self.world.calm_for_ms, row.race
        if row.driver not in awake:
            assert calm_ms(0) <= TAKEOVER_MS_MAX, f"nobody takes over from {row.driver}"
        if race.wake_at_ms is not None:
            late_ms = calm_ms(race.wake_at_ms)
            assert late_ms <= TAKEOVER_MS_MAX + LOOK_MS_MAX, "what is due is not done"
        self.it_closes(race)
        for racer in race.people:
            ended_at_ms = store.ended_at_ms.get(racer.attempt_id)
            if ended_at_ms is None or racer.place is not None or racer.dnf is not None:
                continue
            waited_ms = calm_ms(ended_at_ms) - TAKEOVER_MS_MAX - LOOK_MS_MAX
            assert not racer.typing or waited_ms <= 0, f"{racer.name} is not heard"
            assert waited_ms <= AWAY_ALLOWANCE_MS, f"{racer.name} waits for a place"

    def it_closes(self, race: Race) -> None:
        finished_ms = [one.duration_ms for one in race.people if one.duration_ms is not None]
        if finished_ms:
            first_ms = min(finished_ms)
            closes_at_ms = start_ms(race) + first_ms + max(60_000, 2 * first_ms) + ALLOWANCE_MS
            open_ms = self.world.calm_for_ms(closes_at_ms)
            assert open_ms <= TAKEOVER_MS_MAX + LOOK_MS_MAX, "it does not close"

    def knows(self, person: Person, row: RaceRow) -> None:
        """Nobody is behind for longer than a look at the store takes."""
        assert person.view is not None
        if person.view.n < row.race.n:
            next_at_ms = max(row.event_at_ms[person.view.n], person.connected_at_ms)
            behind_ms = self.world.calm_for_ms(next_at_ms)
            assert behind_ms <= LOOK_MS_MAX, f"{person.name} is told nothing after {person.view.n}"

    def seats_are_true(
        self, race: Race, awake: set[str], meeting: Meeting, people: list[Person]
    ) -> None:
        calm_ms, there = self.world.calm_for_ms, {one.name: one for one in people}
        for racer in race.people:
            person = there[racer.name]
            if racer.seat is None:
                since_ms = max(self.known[race.id].presences[racer.name].since_ms, person.sat_at_ms)
                lost = person.race_id == race.id and person.races and present(person, awake)
                assert not lost or calm_ms(since_ms) <= LOOK_MS_MAX, f"{racer.name} is there"
                continue
            dead = racer.seat.split("/")[0] not in awake
            dead_ms = calm_ms(0) if dead else 0
            assert dead_ms <= TAKEOVER_MS_MAX + LOOK_MS_MAX, f"{racer.name} sits nowhere"
            left_at_ms = meeting.left_at_ms.get(racer.seat)
            if left_at_ms is not None:
                assert calm_ms(left_at_ms) <= HALF_OPEN_MS_MAX, f"{racer.name} is not there"


def start_ms(race: Race) -> int:
    assert race.starts_at_ms is not None
    return race.starts_at_ms


def results_ms(changes: Transaction) -> dict[int, int]:
    """By slot: what the store says of the people, and what the ghosts once typed."""
    stored = {ending.attempt_id: ending.duration_ms for ending in changes.endings}
    found = {
        one.slot: one.duration_ms if one.ghost else stored.get(one.attempt_id)
        for one in changes.race.racers
    }
    return {slot: duration_ms for slot, duration_ms in found.items() if duration_ms is not None}


def present(person: Person, awake: set[str]) -> bool:
    """Whether the person has come into the race on a connection that works."""
    connection = person.connection
    return (
        connection is not None
        and person.entered_on is connection
        and connection.process.id in awake
        and connection.process.stopped_at_ms is None
    )
