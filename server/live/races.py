"""The races this process has people in, or drives. What happens in them is decided in the store.

A command goes there and back in one transaction, whoever drives the race; then everybody here is
told, and other processes hear that something has happened. What they miss they read.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar

from server.bus import Bus, Message
from server.clock import Clock
from server.core.attempt import Attempt
from server.core.race import Happened, Race, RaceForbidden, RaceFull
from server.core.text import Text
from server.core.typed_text import ErrorRule, TypedText
from server.db.database import STORE_ERRORS, Database
from server.db.queries import Person, StoredAttempt
from server.db.race_lookup import (
    find_seat,
    forget_races,
    list_held,
    list_unheard,
    load_events,
    load_tops,
    play_along,
    typed_so_far,
)
from server.db.race_rows import StoredRace
from server.db.races import (
    Changed,
    Command,
    RaceNotFound,
    RaceTaken,
    attempt_row,
    change_race,
    load_race,
    take_race,
)
from server.live.load import Load
from server.live.room import Member, Onlooker, Room

log = logging.getLogger(__name__)

TICK_S = 0.15
WATCHERS_EVERY = 4  # ticks: at most two frames a second
REPEAT_EVERY = 12  # ticks: what the bus has lost is told again
LOOK_S = 1.0
RETRY_S = 0.5
WATCHERS_MAX = 200
FORGET_S = 600
SOON_S = 0.01  # no timer of a race is nearer than this

T = TypeVar("T")


class Races:
    """Rooms by race, the clock of those that this process drives, and the fan-out of progress."""

    def __init__(self, database: Database, bus: Bus, clock: Clock, process_id: str) -> None:
        self.process_id = process_id
        self._database = database
        self._bus = bus
        self.now_ms = clock.now_ms
        self._rooms: dict[str, Room] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._lost: set[tuple[str, str]] = set()  # seats that were nobody's at the last look

    async def run(self, load: Load) -> None:
        """Look after the races and send progress, as `load` allows, until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._fan_out(load))
                tasks.create_task(self._look())
        finally:
            for task in self._tasks:
                task.cancel()

    def stored(self, race_id: str) -> StoredRace | None:
        """The race as this process knows it; None if nobody here has to do with it."""
        room = self._rooms.get(race_id)
        return None if room is None else room.stored

    # What connections ask

    async def change(
        self,
        race_id: str,
        command: Command[T],
        *,
        asks: Member | None = None,
        person: Person | None = None,
        lets_in: bool = False,
        re: int | None = None,
    ) -> T:
        """Carry out a command, which somebody asks or the clock, and tell everybody.

        Then who asked is let in, if that is wanted. Raises RaceNotFound, RaceForbidden if they
        race over another connection by now, and what the command raises.
        """
        async with self._turn(race_id) as room:
            changed = await self._change_when_known(room, command, asks, person)
            if asks is not None and lets_in:
                self._let_in(room, asks, re)
            return changed.answer

    async def _change_when_known(
        self, room: Room, command: Command[T], asks: Member | None, person: Person | None
    ) -> Changed[T]:
        while True:
            try:
                return await self._change(room, command, person)
            except RaceTaken:
                # A process was taken for dead, maybe this one. Its people may have gone on
                # elsewhere; but whoever comes in, with `person`, is here.
                await self._refresh(room)
                racer = room.racer(asks) if asks and not person else None
                if asks and racer and racer.seat not in (None, asks.seat):
                    raise RaceForbidden("You race over another connection by now.") from None

    async def enter(self, changed: Changed[Any], member: Member, re: int | None) -> None:
        """Let a member into a race that has just been opened or changed for it."""
        race_id = changed.stored.race.id
        if race_id not in self._rooms:
            await self._make_room(changed.stored)
        async with self._turn(race_id) as room:
            await self._advance(room, changed.stored, changed.happened)
            self._let_in(room, member, re)

    async def watch(self, race_id: str, member: Member, re: int | None) -> None:
        """Let a member in who has asked for no slot. Raises RaceNotFound or RaceFull."""
        async with self._turn(race_id) as room:
            await self._refresh(room)
            self._let_in(room, member, re)

    async def catch_up(self, race_id: str, member: Member, after: int, re: int | None) -> None:
        """Tell a member what has happened after event `after`, and the state it led to.

        A racer takes the slot again. Raises RaceNotFound.
        """
        sit = partial(self._sit_down, member, False)
        async with self._turn(race_id) as room:
            if room.racer(member) is not None and room.stored.race.live:
                await self._change_when_known(room, sit, None, None)
            else:
                await self._refresh(room)
            missed = await load_events(self._database, race_id, after) if after < room.n else []
            missed = [one for one in missed if one.n <= room.n]
            # All of it or nothing: a hole would be worse than the state alone.
            if len(missed) == room.n - after:
                for message in room.history(missed):
                    member.send(message)
            self._let_in(room, member, re)

    async def come_back(self, attempt_id: str, member: Member) -> Onlooker | None:
        """A racer has opened the attempt of a race again: they are there. None: it is over."""
        race_id = await find_seat(self._database, attempt_id, member.user_id or "")
        if race_id is None:
            return None
        sit = partial(self._sit_down, member, False)
        async with self._turn(race_id) as room:
            await self._change_when_known(room, sit, None, None)
            racer = room.racer(member)
            if racer is None or not room.stored.race.live:
                return None
            room.typists.add(member)
            return Onlooker(room, racer.slot, self._ended)

    def _sit_down(self, member: Member, if_empty: bool, race: Race) -> None:
        racer = race.find(member.user_id or "")
        if racer is not None and not (if_empty and racer.seat is not None):
            race.sit(racer, member.seat, self.now_ms())

    def leave(self, race_id: str, member: Member) -> None:
        """The member hears no more of this race."""
        room = self._rooms.get(race_id)
        if room is None:
            return
        if member in room.members:
            room.members.remove(member)
            self._tell_watchers(room)
        room.typists.discard(member)
        self._close(room)

    def gone(self, race_id: str, member: Member) -> None:
        """The member's connection has ended; a racer keeps the slot for a while."""
        room = self._rooms.get(race_id)
        sits = room is not None and room.racer(member) is not None and room.stored.race.live
        self.leave(race_id, member)
        if sits:
            self._later(partial(self._drop, race_id, member.seat))

    async def _drop(self, race_id: str, seat: str) -> None:
        await self.change(race_id, lambda race: race.drop(seat, self.now_ms()))

    def _ended(self, room: Room) -> None:
        # The attempt of a racer has ended, and how is stored: the race reads it.
        self._later(partial(self._do_what_is_due, room.id))

    async def _do_what_is_due(self, race_id: str) -> None:
        await self.change(race_id, lambda race: None)

    async def take(self, race_id: str, gone: str) -> None:
        """A process is gone: its people are away, and what it drove is driven here."""
        async with self._turn(race_id) as room:
            changed = await take_race(self._database, race_id, gone, self.process_id, self.now_ms())
            await self._advance(room, changed.stored, changed.happened)

    # Rooms

    @asynccontextmanager
    async def _turn(self, race_id: str) -> AsyncIterator[Room]:
        """One thing at a time for each race. Raises RaceNotFound."""
        room = self._rooms.get(race_id) or await self._make_room(
            await load_race(self._database, race_id)
        )
        room.wanted += 1
        try:
            async with room.turn:
                yield room
        finally:
            room.wanted -= 1
            self._close(room)

    async def _make_room(self, stored: StoredRace) -> Room:
        hears = partial(self._hear, stored.race.id)
        room = Room(stored, await play_along(self._database, stored), hears)
        race = stored.race
        if race.live and race.starts_at_ms is not None:
            for racer in race.people:
                if racer.typing:
                    room.typed(racer.slot, await typed_so_far(self._database, stored, racer))
        room.place_ghosts(self.now_ms())
        known = self._rooms.setdefault(room.id, room)  # somebody may have made it meanwhile
        if known is room:
            self._bus.subscribe(topic(room.id), room.hears)
            self._arm(room)
        return known

    def _let_in(self, room: Room, member: Member, re: int | None) -> None:
        if member not in room.members:
            if room.racer(member) is None and room.watchers >= WATCHERS_MAX:
                raise RaceFull("As many watch this race as may.")
            room.members.append(member)
            self._tell_watchers(room)
        member.send(room.state(member, re))

    def _close(self, room: Room) -> None:
        """Forget a room that nobody needs."""
        drives = room.stored.race.live and room.stored.driver == self.process_id
        if room.wanted or room.members or room.typists or drives:
            return
        if self._rooms.get(room.id) is room:
            del self._rooms[room.id]
            self._bus.unsubscribe(topic(room.id), room.hears)
            room.set_timer(None)

    # Changes

    async def _change(
        self, room: Room, command: Command[T], person: Person | None = None
    ) -> Changed[T]:
        """Raises what `change_race` raises."""
        epoch = room.stored.epoch
        changed = await change_race(
            self._database, room.id, command, self.now_ms(), epoch=epoch, person=person
        )
        await self._advance(room, changed.stored, changed.happened)
        return changed

    async def _refresh(self, room: Room) -> None:
        await self._advance(room, await load_race(self._database, room.id), ())

    async def _advance(self, room: Room, stored: StoredRace, happened: Sequence[Happened]) -> None:
        """Bring a room to what is stored, event by event."""
        if stored.race.n < room.n:
            return
        news = [one for one in happened if one.n > room.n]
        if stored.race.n - room.n > len(news):
            known = await load_events(self._database, room.id, room.n)
            news = [one for one in known if one.n <= stored.race.n]
        room.advance(stored, news)
        if happened:
            self._bus.publish(topic(room.id), {"n": stored.race.n})
        if any(one.event == "countdown" for one in news):
            self._begin(room)
        self._sit_again(room)
        self._arm(room)

    def _begin(self, room: Room) -> None:
        """Each racer who is here gets an attempt, and is told which."""
        stored = room.stored
        for member in list(room.members):
            racer = room.racer(member)
            if racer is None or racer.seat != member.seat:
                continue
            row = attempt_row(stored, racer)
            typed_text = TypedText(Text.of(row["text"]), ErrorRule(row["rule"]), from_start=True)
            attempt = Attempt(typed_text, row["opened_at_ms"])
            room.typists.add(member)
            member.begin(StoredAttempt(row, attempt), Onlooker(room, racer.slot, self._ended))
            member.send(room.state(member))

    def _sit_again(self, room: Room) -> None:
        # Others took this process for dead and its people for gone; here they are.
        if not room.stored.race.live:
            room.typists.clear()
            return
        for member in {*room.members, *room.typists}:
            racer = room.racer(member)
            if racer is not None and racer.seat is None and racer.dnf != "left":
                sit = partial(self._sit_down, member, True)
                self._later(partial(self._again, room.id, sit))

    async def _again(self, race_id: str, sit: Command[None]) -> None:
        await self.change(race_id, sit)

    # Time

    def _arm(self, room: Room) -> None:
        """Set the timer of a race that this process drives."""
        wake_at_ms = room.stored.race.wake_at_ms
        if wake_at_ms is None or room.stored.driver != self.process_id:
            room.set_timer(None)
            return
        wait_s = max(SOON_S, (wake_at_ms - self.now_ms()) / 1_000)
        wake = partial(self._later, partial(self._tick, room.id))
        room.set_timer(asyncio.get_running_loop().call_later(wait_s, wake))

    async def _tick(self, race_id: str) -> None:
        async with self._turn(race_id) as room:
            try:
                await self._change(room, lambda race: None)
            except RaceTaken:
                await self._refresh(room)

    async def _look(self) -> None:
        """Read what no message has told: Redis may be away, and processes may end at any time."""
        forget_at_s = 0.0
        while True:
            try:
                await self._look_once()
                if asyncio.get_running_loop().time() >= forget_at_s:
                    await forget_races(self._database, self.now_ms())
                    forget_at_s = asyncio.get_running_loop().time() + FORGET_S
            except STORE_ERRORS as error:
                log.warning("the store does not answer the races: %s", type(error).__name__)
            await asyncio.sleep(LOOK_S)

    async def _look_once(self) -> None:
        for race_id in await list_unheard(self._database, self.process_id):
            self._later(partial(self._do_what_is_due, race_id))
        await self._let_go_of_the_lost()
        live = [room for room in self._rooms.values() if room.stored.race.live]
        tops = await load_tops(self._database, [room.id for room in live])
        for room in live:
            if tops.get(room.id, (0, 0)) != (room.n, room.stored.epoch):
                self._later(partial(self._read, room.id))

    async def _let_go_of_the_lost(self) -> None:
        """A command may have been stored whose connection ended before it heard of it.

        Then nobody here looks after the race, or a seat is of a connection that is not there. What
        is on its way has a second to arrive.
        """
        held = await list_held(self._database, self.process_id)
        seats = {(race_id, seat) for race_id, seat in held if seat is not None}
        for room in self._rooms.values():
            seats -= {(room.id, member.seat) for member in (*room.members, *room.typists)}
        for race_id, seat in seats & self._lost:
            self._later(partial(self._drop, race_id, seat))
        unattended = {race_id for race_id, _ in held} - self._rooms.keys()
        for race_id in unattended:
            self._later(partial(self._do_what_is_due, race_id))
        self._lost = seats

    async def _read(self, race_id: str) -> None:
        if race_id in self._rooms:
            async with self._turn(race_id) as room:
                room.behind = False
                await self._refresh(room)

    def _later(self, step: Callable[[], Awaitable[None]]) -> None:
        """Do it now, and again while the store is away."""
        task = asyncio.create_task(self._until_done(step))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _until_done(self, step: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await step()
                return
            except RaceNotFound:
                return
            except STORE_ERRORS:
                await asyncio.sleep(RETRY_S)
            except Exception:
                # One race's fault is not the others'.
                log.exception("a race could not go on")
                return

    # Between processes, and out to people

    def _hear(self, race_id: str, message: Message) -> None:
        """What another process says of a race; ValueError if it makes no sense."""
        room = self._rooms[race_id]
        match message:
            case {"n": int(n)}:
                if n > room.n and not room.behind:
                    room.behind = True
                    self._later(partial(self._read, room.id))
            case {"process": str(process), "watchers": int(watchers)}:
                room.watchers_elsewhere[process] = watchers
            case {"moved": [*moved]}:
                for one in moved:
                    room.hear(one)
            case _:
                raise ValueError("a race says no such thing")

    def _tell_watchers(self, room: Room) -> None:
        told = {"process": self.process_id, "watchers": room.watchers_here}
        self._bus.publish(topic(room.id), told)

    async def _fan_out(self, load: Load) -> None:
        tick, loop = 0, asyncio.get_running_loop()
        due_s = loop.time()
        while True:
            # By the clock, whatever a frame takes; after a standstill nothing is made up for.
            due_s = max(due_s + TICK_S, loop.time())
            await asyncio.sleep(due_s - loop.time())
            tick += 1
            watchers_too = tick % WATCHERS_EVERY == 0 and load.show_watchers(tick // WATCHERS_EVERY)
            once_more = tick % REPEAT_EVERY == 0
            now_ms = self.now_ms()
            for room in self._rooms.values():
                room.play_ghosts(now_ms)
                moved = room.fan_out(watchers_too)
                if once_more and not self._database.embedded:
                    moved = room.standing_here()
                if moved:
                    self._bus.publish(topic(room.id), {"moved": [tuple(one) for one in moved]})


def topic(race_id: str) -> str:
    """What the bus calls the news of a race."""
    return f"race:{race_id}"
