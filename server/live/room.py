"""The people of this process who are in one race: what they have been told, and who has moved."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol

from server.core.ghost import Ghost
from server.core.race import Happened, Phase, Racer
from server.core.score import Progress
from server.core.text import Text
from server.db.queries import StoredAttempt
from server.db.race_rows import StoredRace
from server.live.live_attempt import Watched
from server.protocol import encode

TEXT_SHOWN = (Phase.COUNTDOWN, Phase.RUNNING, Phase.FINISHED)


class Member(Protocol):
    """A connection, as a room sees it."""

    user_id: str | None
    address: str

    @property
    def seat(self) -> str:
        """Its name among all connections of all processes."""

    def begin(self, stored: StoredAttempt, onlooker: Watched) -> None:
        """Drive this attempt, which nobody has driven, from now on."""

    def send(self, message: str) -> None: ...

    def send_newest(self, message: str, whole: Callable[[], str]) -> None:
        """Send what the next such message replaces; `whole` is sent to who has missed one."""

    def handle(self, attempt_id: str) -> int | None:
        """The `h` of that attempt on the connection, if it is open there."""


class Moved(NamedTuple):
    """Where a racer stands, as `race.progress` shows it."""

    slot: int
    position: int
    wpm: float
    accuracy: float


NOWHERE = Moved(0, 0, 0.0, 1.0)


class Onlooker:
    """Tells a room how the attempt of one of its racers goes."""

    def __init__(self, room: "Room", slot: int, heard: Callable[["Room"], None]) -> None:
        self._room = room
        self._slot = slot
        self._heard = heard

    def moved(self, progress: Progress) -> None:
        self._room.typed(self._slot, progress)

    def ended(self) -> None:
        self._heard(self._room)


class Room:
    """A race as this process knows it. `members` hear its events; `typists` type in it here.

    One command at a time is carried out from here: `turn` is held from before the store is asked
    until everybody has been told.
    """

    def __init__(
        self,
        stored: StoredRace,
        ghosts: dict[int, Ghost],
        hears: Callable[[dict[str, Any]], None],
    ) -> None:
        self.id: str = stored.race.id
        self.hears = hears  # what other processes say of this race
        self.turn = asyncio.Lock()
        self.wanted = 0  # how many hold or await the turn
        self.behind = False  # whether somebody is on the way to read what has happened
        self.members: list[Member] = []
        self.typists: set[Member] = set()
        self.ghosts = ghosts
        self.watchers_elsewhere: dict[str, int] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._stored = stored
        self._text_length = len(Text.of(stored.row["text"]))
        self._standing: dict[int, Moved] = {}
        self._moved: set[int] = set()
        self._moved_here: set[int] = set()
        self._moved_for_watchers: set[int] = set()

    def set_timer(self, timer: asyncio.TimerHandle | None) -> None:
        """What wakes the race next, instead of what was to wake it."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = timer

    @property
    def stored(self) -> StoredRace:
        return self._stored

    @property
    def n(self) -> int:
        """The number of the last event everybody here has been told."""
        return self._stored.race.n

    def racer(self, member: Member) -> Racer | None:
        """The racer this member is; None: somebody who watches."""
        return self._stored.race.find(member.user_id or "")

    @property
    def watchers(self) -> int:
        """How many watch, here and elsewhere."""
        return self.watchers_here + sum(self.watchers_elsewhere.values())

    @property
    def watchers_here(self) -> int:
        return sum(self.racer(member) is None for member in self.members)

    # What has happened

    def advance(self, stored: StoredRace, news: Iterable[Happened]) -> None:
        """The race is this from now on; `news` is all that has happened since what was known."""
        self._stored = stored
        for one in news:
            message = self._event(one)
            for member in self.members:
                member.send(message)
        present = {racer.slot for racer in stored.race.racers}
        for slot in [slot for slot in self._standing if slot not in present]:
            del self._standing[slot]

    def _event(self, one: Happened) -> str:
        fields = dict(one.fields)
        if one.event == "countdown":
            fields["text"] = self._stored.row["text"]
        if "race" in fields:
            fields["next"] = fields.pop("race")  # `race` is whose event it is, in all of them
        return encode("race.event", race=self.id, n=one.n, event=one.event, **fields)

    def history(self, news: Iterable[Happened]) -> list[str]:
        """Events as one who missed them is told."""
        return [self._event(one) for one in news]

    def state(self, member: Member, re: int | None = None) -> str:
        """The whole race, as this member is told."""
        row, race = self._stored.row, self._stored.race
        racer = self.racer(member)
        fields: dict[str, Any] = {
            "race": self.id,
            "code": row["code"],
            "n": race.n,
            "phase": race.phase.value,
            "host": race.host,
            "private": row["private"],
            "you": None if racer is None else racer.slot,
            "racers": [self._shown(one) for one in race.racers],
            "racers_max": race.racers_max,
            "watchers": self.watchers,
            "quick": race.quick,
            "language": row["language"],
            "source": row["source"],
            "rules": {"errors": row["rule"]},
            "text_length": self._text_length,
        }
        if race.phase in TEXT_SHOWN:
            fields["text"] = row["text"]
        if race.starts_at_ms is not None:
            fields["starts_at_ms"] = race.starts_at_ms
            if racer is not None:
                fields["attempt"] = racer.attempt_id
                fields |= _known(h=member.handle(racer.attempt_id))
        if race.again is not None:
            fields["again"] = {"next": race.again[0], "code": race.again[1]}
        return encode("race", re, **fields)

    def _shown(self, racer: Racer) -> dict[str, Any]:
        moved = self._where(racer.slot)
        return {
            "slot": racer.slot,
            "name": racer.name,
            "ghost": racer.ghost,
            "ready": racer.ready,
            "connected": racer.connected,
            "position": moved.position,
            "wpm": moved.wpm,
            "accuracy": moved.accuracy,
            **_known(place=racer.place, dnf=racer.dnf),
            **({} if racer.ghost and not racer.place else _known(finished_ms=racer.duration_ms)),
        }

    def _where(self, slot: int) -> Moved:
        ended = self._stored.standings.get(slot)
        if ended is not None and slot not in self.ghosts:
            return Moved(slot, ended.position, ended.wpm, ended.accuracy)
        return self._standing.get(slot) or NOWHERE._replace(slot=slot)

    # Progress

    def typed(self, slot: int, progress: Progress) -> None:
        """A racer of this process has typed so far."""
        self._moved_here.add(slot)
        self._move(Moved(slot, progress.position, progress.wpm, progress.accuracy))

    def hear(self, moved: object) -> None:
        """What another process says of a racer of its own; ValueError if that makes no sense."""
        match moved:
            case [int(slot), int(position), int() | float() as wpm, int() | float() as accuracy]:
                self._move(Moved(slot, position, wpm, accuracy))
            case _:
                raise ValueError("nobody moves like that")

    def _move(self, moved: Moved) -> None:
        if self._standing.get(moved.slot, NOWHERE._replace(slot=moved.slot)) != moved:
            self._standing[moved.slot] = moved
            self._moved.add(moved.slot)
            self._moved_for_watchers.add(moved.slot)

    def play_ghosts(self, now_ms: int) -> None:
        """Move the ghosts of a race that runs to where they were so long after the start."""
        if self._stored.race.phase is Phase.RUNNING:
            self._play_ghosts(now_ms)

    def place_ghosts(self, now_ms: int) -> None:
        """The same of a race that nobody has watched here: one that is over stands as it ended."""
        if self._stored.race.phase in (Phase.RUNNING, Phase.FINISHED):
            self._play_ghosts(self._stored.row["ended_at_ms"] or now_ms)

    def _play_ghosts(self, at_ms: int) -> None:
        starts_at_ms = self._stored.race.starts_at_ms
        if starts_at_ms is not None:
            for slot, ghost in self.ghosts.items():
                progress = ghost.at(at_ms - starts_at_ms)
                self._move(Moved(slot, progress.position, progress.wpm, progress.accuracy))

    def fan_out(self, watchers_too: bool) -> list[Moved]:
        """Send who has moved: to racers, and to watchers when it is their turn.

        Returns who of this process has moved, for the others.
        """
        watched: list[Moved] = []
        if not self._moved and not (watchers_too and self._moved_for_watchers):
            return watched
        moved, here = self._frame(self._moved), self._frame(self._moved_here)
        self._moved, self._moved_here = set(), set()
        if watchers_too:
            watched, self._moved_for_watchers = self._frame(self._moved_for_watchers), set()
        told = self._progress(moved) if moved else None
        shown = self._progress(watched) if watched else None
        for member in self.members:
            message = shown if self.racer(member) is None else told
            if message is not None:
                member.send_newest(message, self._whole)
        return here

    def standing_here(self) -> list[Moved]:
        """Where those stand who type in this process, while the race runs."""
        here = [racer.slot for member in self.typists if (racer := self.racer(member))]
        return self._frame(set(here)) if self._stored.race.live else []

    def _frame(self, slots: set[int]) -> list[Moved]:
        return [self._standing[slot] for slot in sorted(slots) if slot in self._standing]

    def _progress(self, moved: list[Moved]) -> str:
        return encode("race.progress", race=self.id, n=self.n, racers=[tuple(one) for one in moved])

    def _whole(self) -> str:
        return self._progress([self._standing[slot] for slot in sorted(self._standing)])


def _known(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
