"""A race as a client knows it: a whole state, and events that lead from one state to the next."""

from dataclasses import dataclass, field

from server.core.race import Happened, Phase, Race


@dataclass(slots=True)
class Shown:
    """What is shown of a racer."""

    ghost: bool
    ready: bool
    connected: bool = True
    place: int | None = None
    duration_ms: int | None = None
    dnf: str | None = None


@dataclass(slots=True)
class View:
    """What `race` brings, as far as `race.event` can change it."""

    n: int = 0
    phase: Phase = Phase.LOBBY
    host: int | None = None
    starts_at_ms: int | None = None
    again: str | None = None
    racers: dict[int, Shown] = field(default_factory=dict)

    @classmethod
    def of(cls, race: Race) -> "View":
        """The state that a `race` message would carry."""
        racers = {
            one.slot: Shown(
                one.ghost,
                one.ready,
                one.connected,
                one.place,
                one.duration_ms if one.place else None,
                one.dnf,
            )
            for one in race.racers
        }
        again = race.again[0] if race.again else None
        return cls(race.n, race.phase, race.host, race.starts_at_ms, again, racers)

    @property
    def told(self) -> list[object]:
        """What events have told; after the end they do not say any more who comes and goes."""
        live = self.phase not in (Phase.FINISHED, Phase.CANCELLED)
        racers = [
            (
                slot,
                one.ghost,
                one.ready,
                one.connected and live,
                one.place,
                one.duration_ms,
                one.dnf,
            )
            for slot, one in sorted(self.racers.items())
        ]
        return [self.n, self.phase, self.host, self.starts_at_ms, self.again, racers]

    def apply(self, happened: Happened) -> None:
        """Take the next event; any other is a mistake of whoever sent it."""
        assert happened.n == self.n + 1, f"event {happened.n} after {self.n}"
        self.n = happened.n
        getattr(self, f"_on_{happened.event}")(**happened.fields)

    def _on_joined(self, slot: int, ghost: bool) -> None:
        assert slot not in self.racers, f"slot {slot} is taken"
        self.racers[slot] = Shown(ghost, ready=ghost)

    def _on_left(self, slot: int) -> None:
        del self.racers[slot]

    def _on_ready(self, slot: int, ready: bool) -> None:
        self.racers[slot].ready = ready

    def _on_host(self, slot: int) -> None:
        self.host = slot

    def _on_countdown(self, starts_at_ms: int) -> None:
        self._enter(Phase.LOBBY, Phase.COUNTDOWN)
        self.starts_at_ms = starts_at_ms

    def _on_go(self) -> None:
        self._enter(Phase.COUNTDOWN, Phase.RUNNING)

    def _on_placed(self, slot: int, place: int, duration_ms: int) -> None:
        shown = self.racers[slot]
        assert shown.place is None, f"slot {slot} has a second place"
        assert shown.dnf is None, f"slot {slot} has a place and did not finish"
        shown.place, shown.duration_ms = place, duration_ms

    def _on_dnf(self, slot: int, why: str) -> None:
        shown = self.racers[slot]
        assert shown.place is None, f"slot {slot} has a place and did not finish"
        assert shown.dnf is None, f"slot {slot} did not finish twice"
        shown.dnf = why

    def _on_connection(self, slot: int, connected: bool) -> None:
        assert self.racers[slot].connected != connected, f"connection of {slot} announced twice"
        self.racers[slot].connected = connected

    def _on_over(self, places: list[list[int]]) -> None:
        self._enter(Phase.RUNNING, Phase.FINISHED)
        placed = {slot: (one.place, one.duration_ms) for slot, one in self.racers.items()}
        said = {slot: (place, duration_ms) for slot, place, duration_ms in places}
        assert said == {slot: one for slot, one in placed.items() if one[0]}, "over, but not so"
        assert [place for _, place, _ in places] == list(range(1, len(places) + 1))

    def _on_cancelled(self, why: str) -> None:
        assert why in ("empty", "limit")
        self.phase = Phase.CANCELLED

    def _on_again(self, race: str, code: str) -> None:
        assert self.again is None, "two next races"
        self.again = race

    def _enter(self, before: Phase, after: Phase) -> None:
        assert self.phase is before, f"{after} after {self.phase}"
        self.phase = after
