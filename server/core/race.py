"""A race: people, and ghosts, at one text, from the lobby to the last place.

Rules: docs/protocol.md, section 4. Commands change the race and say what happened, numbered without
a hole. Times are the server's, in ms; ids come from the caller.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

SLOTS_MAX = 20
COUNTDOWN_MS = 3_000
GATHER_MS = 5_000  # a quick race waits so long after its second racer came
AWAY_MS_MAX = 120_000
CLOCK_ALLOWANCE_MS = 500
AWAY_ALLOWANCE_MS = 5_000
CLOSING_MS_MIN = 60_000
RACE_MS_MAX = 30 * 60_000


class Phase(StrEnum):
    LOBBY = "lobby"
    COUNTDOWN = "countdown"
    RUNNING = "running"
    FINISHED = "finished"
    CANCELLED = "cancelled"


class RaceRefused(Exception):
    """What was asked cannot be; the message is a sentence for people."""


class RaceFull(RaceRefused):
    """All slots are taken."""


class RaceStarted(RaceRefused):
    """It is too late: the race is no lobby any more."""


class RaceForbidden(RaceRefused):
    """Somebody else may, but not this person."""


class RaceConflict(RaceRefused):
    """The race is not as the request takes it to be."""


class Happened(NamedTuple):
    """One numbered event, named and filled as on the wire; names and texts are added there."""

    n: int
    event: str
    fields: dict[str, Any]


class Ending(NamedTuple):
    """How a racer's attempt ended: completed after `duration_ms`, or None and `why` it was not."""

    attempt_id: str
    duration_ms: int | None
    why: str = ""


@dataclass(slots=True)
class Racer:
    """Who holds a slot. A ghost is an attempt typed before: its `duration_ms` is known at once
    if it has one.

    `seat` is "process/connection", by which the person is there; None: they are away.
    """

    slot: int
    attempt_id: str
    user_id: str | None  # None: a ghost
    name: str = ""
    ready: bool = False
    seat: str | None = None
    away_since_ms: int | None = None
    back_at_ms: int | None = None  # when the last connection took over from the one before
    duration_ms: int | None = None
    place: int | None = None
    dnf: str | None = None

    @property
    def ghost(self) -> bool:
        return self.user_id is None

    @property
    def connected(self) -> bool:
        return self.ghost or self.seat is not None

    @property
    def typing(self) -> bool:
        """Whether a person has neither finished nor given up."""
        return not self.ghost and self.duration_ms is None and self.dnf is None


@dataclass(slots=True)
class Race:
    """The authority on one race. `quick`: it counts down by itself.

    `happened` gathers what the commands said, for the caller to store and to tell.
    """

    id: str
    quick: bool
    racers_max: int
    created_at_ms: int
    phase: Phase = Phase.LOBBY
    n: int = 0
    host: int | None = None
    gathered_at_ms: int | None = None  # when the second racer came
    starts_at_ms: int | None = None
    again: tuple[str, str] | None = None  # the next race, and its code
    racers: list[Racer] = field(default_factory=list)
    happened: list[Happened] = field(default_factory=list)

    # Who is here

    def find(self, user_id: str) -> Racer | None:
        """The racer this person is."""
        return next((one for one in self.racers if one.user_id == user_id), None)

    @property
    def people(self) -> list[Racer]:
        return [racer for racer in self.racers if not racer.ghost]

    @property
    def live(self) -> bool:
        """Whether anything can still happen in it."""
        return self.phase not in (Phase.FINISHED, Phase.CANCELLED)

    def join(self, user_id: str, name: str, attempt_id: str, seat: str, now_ms: int) -> Racer:
        """Take a slot, or one's own again. Raises RaceStarted or RaceFull."""
        racer = self.find(user_id)
        if racer is not None:
            self.sit(racer, seat, now_ms)
            return racer
        racer = self._add(Racer(-1, attempt_id, user_id, name, seat=seat))
        if self.host is None:
            self._hand_to(racer)
        self._gather(now_ms)
        return racer

    def add_ghost(self, attempt_id: str, name: str, duration_ms: int | None) -> Racer:
        """Give a slot to an attempt typed before. Raises RaceStarted or RaceFull.

        Without a duration it never came to the end of its text, and has no place.
        """
        return self._add(Racer(-1, attempt_id, None, name, ready=True, duration_ms=duration_ms))

    def _add(self, racer: Racer) -> Racer:
        if self.phase is not Phase.LOBBY:
            raise RaceStarted("The race has started; you can watch it.")
        if len(self.racers) >= self.racers_max:
            raise RaceFull("The race is full; you can watch it.")
        taken = {one.slot for one in self.racers}
        racer.slot = next(slot for slot in range(SLOTS_MAX) if slot not in taken)
        self.racers.append(racer)
        self.racers.sort(key=lambda one: one.slot)
        self._say("joined", slot=racer.slot)
        return racer

    def sit(self, racer: Racer, seat: str, now_ms: int) -> None:
        """The racer is there with this connection from now on."""
        if racer.seat == seat:
            return
        if racer.seat is None and self.live:
            self._say("connection", slot=racer.slot, connected=True)
        # The connection before may have been dead for a while without anybody's notice.
        racer.seat, racer.away_since_ms, racer.back_at_ms = seat, None, now_ms

    def drop(self, seat: str, now_ms: int) -> None:
        """A connection, or with "process" all of a process, is gone.

        Nothing happens to a racer who sits elsewhere by now.
        """
        for racer in self.racers:
            if racer.seat == seat or (racer.seat or "").startswith(f"{seat}/"):
                self._stand_up(racer, now_ms)

    def _stand_up(self, racer: Racer, now_ms: int) -> None:
        if racer.seat is not None and self.live:
            self._say("connection", slot=racer.slot, connected=False)
        racer.seat, racer.away_since_ms, racer.back_at_ms = None, now_ms, None

    def make_ready(self, racer: Racer, ready: bool, now_ms: int) -> None:
        """Say whether one is ready; after the lobby it says nothing any more."""
        if self.phase is not Phase.LOBBY or racer.ready == ready:
            return
        racer.ready = ready
        self._say("ready", slot=racer.slot, ready=ready)
        self._count_down_if_all_are_ready(now_ms)

    def leave(self, racer: Racer, now_ms: int) -> None:
        """Give up one's slot, or once it runs the race: whoever has finished keeps the place."""
        self._go_if_due(now_ms)
        if self.phase in (Phase.LOBBY, Phase.COUNTDOWN):
            self._remove(racer, now_ms)
            return
        if self.phase is Phase.RUNNING and racer.typing:
            self._give_up(racer, "left")
        self._stand_up(racer, now_ms)
        self._hand_on(racer)
        self._settle(now_ms)

    def _remove(self, racer: Racer, now_ms: int) -> None:
        self.racers.remove(racer)
        self._say("left", slot=racer.slot)
        if not self.people:
            self._cancel("empty")
            return
        self._hand_on(racer)
        self._gather(now_ms)
        self._count_down_if_all_are_ready(now_ms)

    def _hand_on(self, racer: Racer) -> None:
        """If this was the host: to somebody who is there, else to one who may come back."""
        heirs = [one for one in self.people if one is not racer and one.dnf not in ("left", "gone")]
        if self.live and self.host == racer.slot and heirs:
            self._hand_to(min(heirs, key=lambda one: (not one.connected, one.slot)))

    def _hand_to(self, racer: Racer) -> None:
        self.host = racer.slot
        self._say("host", slot=racer.slot)

    def _gather(self, now_ms: int) -> None:
        if len(self.people) < 2:
            self.gathered_at_ms = None
        elif self.gathered_at_ms is None:
            self.gathered_at_ms = now_ms

    def _count_down_if_all_are_ready(self, now_ms: int) -> None:
        enough = self.quick and self.phase is Phase.LOBBY and len(self.racers) > 1
        if enough and all(racer.ready for racer in self.racers):
            self._count_down(now_ms)

    # From the countdown on

    def start(self, racer: Racer, now_ms: int) -> None:
        """Count down. Raises RaceForbidden, RaceStarted or RaceConflict."""
        if self.phase is not Phase.LOBBY:
            raise RaceStarted("The race has started already.")
        if racer.slot != self.host:
            raise RaceForbidden("Only the host starts the race.")
        if len(self.racers) < 2:
            raise RaceConflict("A race needs somebody else, or a ghost.")
        self._count_down(now_ms)

    def _count_down(self, now_ms: int) -> None:
        self.phase = Phase.COUNTDOWN
        self.starts_at_ms = now_ms + COUNTDOWN_MS
        self._say("countdown", starts_at_ms=self.starts_at_ms)

    def attempts_ended(self, endings: Iterable[Ending], now_ms: int) -> None:
        """Attempts of this race are over; what is known already, or of nobody here, is ignored.

        All that the store knows are told in one call, before anything else: else places, and the
        closing time, would go by the order of telling. To complete after it is too late.
        """
        self._go_if_due(now_ms)
        if self.phase not in (Phase.COUNTDOWN, Phase.RUNNING):
            return
        ended = {ending.attempt_id: ending for ending in endings}
        racers = [one for one in self.racers if one.typing and one.attempt_id in ended]
        for racer in racers:
            racer.duration_ms = ended[racer.attempt_id].duration_ms
        closes_at_ms = self._closes_at_ms
        for racer in racers:
            if racer.duration_ms is None:
                self._give_up(racer, ended[racer.attempt_id].why)
            elif self._start_ms + racer.duration_ms > closes_at_ms:
                self._give_up(racer, "time")
        self._settle(now_ms)

    def _give_up(self, racer: Racer, why: str) -> None:
        racer.dnf, racer.duration_ms = why, None
        self._say("dnf", slot=racer.slot, why=why)

    def tick(self, now_ms: int) -> None:
        """Do what is due by now."""
        if self.phase is Phase.LOBBY:
            self._tick_lobby(now_ms)
        self._go_if_due(now_ms)
        if self.phase is Phase.RUNNING:
            self._tick_running(now_ms)

    def _go_if_due(self, now_ms: int) -> None:
        if self.phase is Phase.COUNTDOWN and now_ms >= self._start_ms:
            self.phase = Phase.RUNNING
            self._say("go")

    def _tick_lobby(self, now_ms: int) -> None:
        for racer in self._long_away(now_ms):
            self._remove(racer, now_ms)
        if self.phase is not Phase.LOBBY:
            return
        gathered_at_ms = self.gathered_at_ms if self.quick else None
        if now_ms >= self.created_at_ms + RACE_MS_MAX:
            self._cancel("limit")
        elif gathered_at_ms is not None and now_ms >= gathered_at_ms + GATHER_MS:
            self._count_down(now_ms)

    def _tick_running(self, now_ms: int) -> None:
        for racer in self._long_away(now_ms):
            self._give_up(racer, "gone")
            self._hand_on(racer)
        # What was typed in time is still on its way.
        if now_ms >= self._closes_at_ms + CLOCK_ALLOWANCE_MS:
            for racer in self.racers:
                if racer.typing:
                    self._give_up(racer, "time")
        self._settle(now_ms)

    def _long_away(self, now_ms: int) -> list[Racer]:
        return [
            racer
            for racer in self.racers
            if racer.typing
            and racer.away_since_ms is not None
            and now_ms >= racer.away_since_ms + AWAY_MS_MAX
        ]

    # Places

    def _settle(self, now_ms: int) -> None:
        """Announce the places that are final, and the end."""
        if self.phase is not Phase.RUNNING:
            return
        waiting = self._waiting()
        while waiting and now_ms >= self._final_at_ms(waiting):
            self._place(waiting.pop(0))
        if not any(racer.typing for racer in self.racers):
            self._end(now_ms)

    def _place(self, racer: Racer) -> None:
        # Those who left count too: a place is never given twice.
        racer.place = 1 + sum(one.place is not None for one in self.racers)
        self._say("placed", slot=racer.slot, place=racer.place, duration_ms=racer.duration_ms)

    def _end(self, now_ms: int) -> None:
        placed = sorted((one for one in self.racers if one.place), key=lambda one: one.place or 0)
        if now_ms >= self._start_ms + RACE_MS_MAX and all(one.ghost for one in placed):
            self._cancel("limit")
            return
        self.phase = Phase.FINISHED
        self._say("over", places=[[one.slot, one.place, one.duration_ms] for one in placed])

    def _waiting(self) -> list[Racer]:
        """Who has a duration and no place yet, the fastest first."""
        finished = [
            racer
            for racer in self.racers
            if racer.duration_ms is not None and racer.place is None and racer.dnf is None
        ]
        return sorted(finished, key=lambda one: (one.duration_ms or 0, one.slot))

    def _final_at_ms(self, waiting: list[Racer]) -> int:
        """When nobody who still types can beat the first of them, as far as clocks may differ.

        A ghost finishes by the clock, but whoever is slower does not wait for that.
        """
        first = waiting[0]
        done_at_ms = self._start_ms + (first.duration_ms or 0)
        ghosts_alone = all(racer.ghost for racer in waiting)
        return max(
            [done_at_ms if ghosts_alone else self._start_ms]
            + [self._beaten_by_ms(one, done_at_ms) for one in self.racers if one.typing]
        )

    def _beaten_by_ms(self, rival: Racer, done_at_ms: int) -> int:
        late_ms = done_at_ms + AWAY_ALLOWANCE_MS
        if rival.seat is None:
            return late_ms
        # What was typed while away may still arrive for a moment after the return.
        here_ms = 0 if rival.back_at_ms is None else rival.back_at_ms + CLOCK_ALLOWANCE_MS
        return min(late_ms, max(done_at_ms + CLOCK_ALLOWANCE_MS, here_ms))

    @property
    def _start_ms(self) -> int:
        if self.starts_at_ms is None:
            raise RuntimeError("there is no start before the countdown")
        return self.starts_at_ms

    @property
    def _closes_at_ms(self) -> int:
        """When those who still type are too late: after the first of the people, or the limit."""
        limit_ms = self._start_ms + RACE_MS_MAX
        done = [one.duration_ms for one in self.people if one.duration_ms is not None]
        if not done:
            return limit_ms
        first_ms = min(done)
        return min(limit_ms, self._start_ms + first_ms + max(CLOSING_MS_MIN, 2 * first_ms))

    @property
    def wake_at_ms(self) -> int | None:
        """When `tick` has something to do next if nothing else happens; None: never."""
        if self.phase is Phase.COUNTDOWN:
            return self._start_ms
        if not self.live:
            return None
        due = [
            racer.away_since_ms + AWAY_MS_MAX
            for racer in self.racers
            if racer.typing and racer.away_since_ms is not None
        ]
        if self.phase is Phase.LOBBY:
            due.append(self.created_at_ms + RACE_MS_MAX)
            if self.quick and self.gathered_at_ms is not None:
                due.append(self.gathered_at_ms + GATHER_MS)
        else:
            due.append(self._closes_at_ms + CLOCK_ALLOWANCE_MS)
            waiting = self._waiting()
            if waiting:
                due.append(self._final_at_ms(waiting))
        return min(due)

    def _cancel(self, why: str) -> None:
        self.phase = Phase.CANCELLED
        self._say("cancelled", why=why)

    # Once more

    def rematch(self, race_id: str, code: str) -> tuple[str, str]:
        """The next race of the same people: that one, or the one somebody has opened already.

        Raises RaceConflict while this one goes on.
        """
        if self.live:
            raise RaceConflict("The race is not over yet.")
        if self.again is None:
            self.again = (race_id, code)
            self._say("again", race=race_id, code=code)
        return self.again

    def take_happened(self) -> list[Happened]:
        """What happened since this was asked last."""
        happened, self.happened = self.happened, []
        return happened

    def _say(self, event: str, **fields: Any) -> None:
        self.n += 1
        self.happened.append(Happened(self.n, event, fields))
