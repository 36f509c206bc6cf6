"""What one connection asks of races: which one it is in, and what it may do there."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol
from uuid import uuid4

from server.core.race import (
    Phase,
    Race,
    RaceConflict,
    RaceForbidden,
    RaceFull,
    Racer,
    RaceRefused,
    RaceStarted,
)
from server.core.source import Source, SourceKind
from server.core.typed_text import ErrorRule
from server.db.database import Database
from server.db.queries import Person
from server.db.race_lookup import (
    completed_ms,
    find_ghosts,
    find_race,
    find_rematch,
    load_ghosts,
    recent_wpm,
)
from server.db.race_rows import StoredRace
from server.db.races import (
    Changed,
    CodeTaken,
    NewRace,
    RaceNotFound,
    open_race,
    quick_race,
)
from server.live.races import Races
from server.live.room import Member
from server.protocol import (
    ErrorCode,
    RaceAsk,
    RaceCreate,
    RaceEnter,
    RaceMessage,
    RaceQuick,
    RaceReady,
    RaceStep,
    RaceSync,
    Refused,
)
from server.texts import TextNotGranted, Texts, TextUnavailable

CODE_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # none that is read or heard as another
CODE_LENGTH = 6
CODE_TRIES = 8
WPM_UNKNOWN = 40.0  # of whom nothing is known
LENGTH_USUAL = "medium"
LANGUAGE_USUAL = "en"
REFUSALS = {
    RaceFull: ErrorCode.FULL,
    RaceStarted: ErrorCode.STARTED,
    RaceForbidden: ErrorCode.FORBIDDEN,
    RaceConflict: ErrorCode.CONFLICT,
}


class Guesses(Protocol):
    """Counts codes that no race has, by person and by address."""

    def guess_wait_s(self, *names: str) -> float: ...

    def guessed_wrong(self, *names: str) -> None: ...


@dataclass(frozen=True, slots=True)
class RacingParts:
    """What every connection's races are made with."""

    races: Races
    database: Database
    texts: Texts
    rng: Random


class Racing:
    """A connection's place: in no race, or in one, racing or watching."""

    def __init__(self, member: Member, parts: RacingParts, guesses: Guesses) -> None:
        self._member = member
        self._races = parts.races
        self._database = parts.database
        self._texts = parts.texts
        self._rng = parts.rng
        self._guesses = guesses
        self._race_id: str | None = None

    def gone(self) -> None:
        """The connection has ended."""
        if self._race_id is not None:
            self._races.gone(self._race_id, self._member)
            self._race_id = None

    @property
    def takes_part(self) -> bool:
        """Whether the person has a slot of the race that this connection is in."""
        now_in = self._race_id and self._races.stored(self._race_id)
        return bool(now_in and self._racer(now_in.race))

    async def handle(self, message: RaceMessage, person: Person) -> str | None:
        """Do what is asked; return the attempt that a racer has given up by it.

        Raises Refused, and what the store raises.
        """
        try:
            return await self._handle(message, person)
        except RaceNotFound:
            text = "There is no such race, or you are in none."
            raise Refused(ErrorCode.NOT_FOUND, text, message.id) from None
        except RaceRefused as refused:
            raise Refused(REFUSALS[type(refused)], str(refused), message.id) from None
        except TextNotGranted as kept:
            raise Refused(ErrorCode.FORBIDDEN, str(kept), message.id) from None
        except TextUnavailable as missing:
            raise Refused(ErrorCode.NOT_FOUND, str(missing), message.id) from None
        except Refused as refused:
            refused.re = message.id
            raise

    async def _handle(self, message: RaceMessage, person: Person) -> str | None:
        match message:
            case RaceCreate():
                await self._create(message, person)
            case RaceQuick():
                await self._quick(message, person)
            case RaceEnter():
                await self._enter(message, person)
            case RaceSync():
                await self._sync(message)
            case RaceReady():
                await self._ready(message)
            case RaceAsk():
                return await self._ask(message, person)
        return None

    def _came_into(self, race_id: str) -> None:
        if self._race_id not in (None, race_id):
            self._races.leave(self._race_id or "", self._member)
        self._race_id = race_id

    def _must_be_free(self, race_id: str | None = None) -> None:
        """Who races must leave before they may be elsewhere. Raises Refused."""
        now_in = self._race_id and self._races.stored(self._race_id)
        if now_in and now_in.race.id != race_id and now_in.race.live and self._racer(now_in.race):
            raise Refused(ErrorCode.BUSY, "You are in a race; leave it first.")

    def _racer(self, race: Race) -> Racer | None:
        return race.find(self._member.user_id or "")

    # Opening races

    async def _create(self, message: RaceCreate, person: Person) -> None:
        self._must_be_free()
        source = message.source or Source(
            SourceKind.RANDOM, language=LANGUAGE_USUAL, length=LENGTH_USUAL
        )
        facts: dict[str, Any] = {
            "rule": message.rule or ErrorRule.CORRECT,
            "private": message.private,
            "racers_max": message.racers_max,
        }
        ghosts = await self._find_ghosts(message.ghosts, person)
        if len(ghosts) >= message.racers_max:
            raise Refused(ErrorCode.FULL, "There must be room for you among the ghosts.")
        await self._open(facts, source, ghosts, person, message.id)

    async def _find_ghosts(self, ids: Sequence[str], person: Person) -> list[Any]:
        found = await find_ghosts(self._database, person.id, ids) if ids else {}
        if len(found) < len(ids):
            text = "A ghost is a finished attempt of your own, or one on a leaderboard."
            raise Refused(ErrorCode.NOT_FOUND, text)
        if len({row["text"] for row in found.values()}) > 1:
            raise Refused(ErrorCode.CONFLICT, "The ghosts have typed different texts.")
        return [found[attempt_id] for attempt_id in ids]

    async def _open(
        self,
        facts: dict[str, Any],
        source: Source,
        ghosts: Sequence[Any],
        person: Person,
        re: int | None,
        carried: Mapping[Any, Any] | None = None,
    ) -> Changed[None]:
        """Open a race on a text of that source, on that of the ghosts, or on one carried over."""

        def begin(race: Race) -> None:
            self._take_slot(race, person)
            for ghost in ghosts:
                race.add_ghost(ghost["id"], ghost["name"], completed_ms(ghost))

        async def opened(new: NewRace) -> Changed[None]:
            return await open_race(self._database, new, person, begin, self._races.now_ms())

        facts |= await self._text(source, ghosts, person, carried)
        facts["ghosts"] = {ghost["id"]: ghost["user_id"] for ghost in ghosts}
        changed = await self._with_code(facts, opened)
        await self._races.enter(changed, self._member, re)
        self._came_into(changed.stored.race.id)
        return changed

    async def _text(
        self,
        source: Source,
        ghosts: Sequence[Any],
        person: Person,
        carried: Mapping[Any, Any] | None = None,
    ) -> dict[str, Any]:
        """The text and what goes with it; ghosts bring theirs."""
        if ghosts:
            source, carried = Source(SourceKind.CUSTOM), ghosts[0]
        if carried is not None:
            chosen = {name: carried[name] for name in ("text", "language", "layout")}
        else:
            found = await self._texts.choose(source, person.id)
            source = found.source
            chosen = {"text": found.text, "language": found.language, "layout": found.layout}
        wpm = await recent_wpm(self._database, person.id)
        return {"source": source, "speed_wpm": wpm or WPM_UNKNOWN, **chosen}

    async def _with_code(
        self, facts: dict[str, Any], step: Callable[[NewRace], Awaitable[Changed[None]]]
    ) -> Changed[None]:
        for _ in range(CODE_TRIES):
            code = "".join(self._rng.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
            ids: dict[str, Any] = {
                "id": str(uuid4()),
                "code": code,
                "driver": self._races.process_id,
            }
            try:
                return await step(NewRace(**ids, **facts))
            except CodeTaken:
                continue
        raise Refused(ErrorCode.BUSY, "No code is free; try again.", retry_ms=1_000)

    async def _quick(self, message: RaceQuick, person: Person) -> None:
        self._must_be_free()

        def join(race: Race) -> None:
            self._take_slot(race, person)

        async def found(new: NewRace) -> Changed[None]:
            return await quick_race(self._database, new, person, join, self._races.now_ms())

        source = Source(SourceKind.RANDOM, language=message.language, length=LENGTH_USUAL)
        facts = await self._text(source, (), person)
        facts |= {"rule": ErrorRule.CORRECT, "quick": True}
        changed = await self._with_code(facts, found)
        await self._races.enter(changed, self._member, message.id)
        self._came_into(changed.stored.race.id)

    def _take_slot(self, race: Race, person: Person) -> None:
        race.join(person.id, person.name, str(uuid4()), self._member.seat, self._races.now_ms())

    # Coming into races

    async def _enter(self, message: RaceEnter, person: Person) -> None:
        race_id = message.race or await self._find(message.code or "")
        if not message.watch:
            race_id = await find_rematch(self._database, race_id) or race_id
        self._must_be_free(race_id)
        if not message.watch:
            try:
                await self._join(race_id, person, message.id)
                return
            except RaceStarted:
                pass  # who comes late watches
        await self._races.watch(race_id, self._member, message.id)
        self._came_into(race_id)

    async def _join(self, race_id: str, person: Person, re: int | None) -> None:
        await self._races.change(
            race_id,
            lambda race: self._take_slot(race, person),
            asks=self._member,
            person=person,
            lets_in=True,
            re=re,
        )
        self._came_into(race_id)

    async def _find(self, code: str) -> str:
        names = (self._member.user_id or "", self._member.address)
        wait_s = self._guesses.guess_wait_s(*names)
        if wait_s > 0:
            retry_ms = int(wait_s * 1_000) + 1
            raise Refused(ErrorCode.RATE, "Too many codes that no race has.", retry_ms=retry_ms)
        race_id = await find_race(self._database, code)
        if race_id is None:
            self._guesses.guessed_wrong(*names)
            raise Refused(ErrorCode.NOT_FOUND, "No race has that code.")
        return race_id

    async def _sync(self, message: RaceSync) -> None:
        self._must_be_free(message.race)
        await self._races.catch_up(message.race, self._member, message.n, message.id)
        self._came_into(message.race)

    # In a race

    async def _ready(self, message: RaceReady) -> None:
        def ready(race: Race) -> None:
            race.make_ready(self._me(race), message.ready, self._races.now_ms())

        await self._carry_out(ready, message.id)

    def _me(self, race: Race) -> Racer:
        racer = self._racer(race)
        if racer is None:
            raise RaceForbidden("You watch this race.")
        return racer

    async def _carry_out(self, command: Callable[[Race], None], re: int | None) -> str:
        """Carry out a command in the race one is in; who numbered the request is answered."""
        if self._race_id is None:
            raise RaceNotFound
        answered = re is not None
        await self._races.change(self._race_id, command, asks=self._member, lets_in=answered, re=re)
        return self._race_id

    async def _ask(self, message: RaceAsk, person: Person) -> str | None:
        match message.step:
            case RaceStep.START:
                await self._carry_out(self._start, message.id)
            case RaceStep.AGAIN:
                await self._again(message.id, person)
            case RaceStep.LEAVE | RaceStep.UNWATCH:
                return await self._leave(message)
        return None

    def _start(self, race: Race) -> None:
        race.start(self._me(race), self._races.now_ms())

    async def _leave(self, message: RaceAsk) -> str | None:
        given_up: list[str] = []

        def leave(race: Race) -> None:
            racer = self._racer(race)
            if racer is None:
                return
            if message.step is RaceStep.UNWATCH:
                raise RaceForbidden("You race here; leave instead.")
            if race.live and race.phase is not Phase.LOBBY:
                given_up.append(racer.attempt_id)
            race.leave(racer, self._races.now_ms())

        race_id = await self._carry_out(leave, message.id)
        self._races.leave(race_id, self._member)
        self._race_id = None
        return given_up[0] if given_up else None

    async def _again(self, re: int | None, person: Person) -> None:
        stored = self._race_id and self._races.stored(self._race_id)
        if not stored:
            raise RaceNotFound
        race = stored.race
        self._me(race)
        if race.live:
            code = ErrorCode.CONFLICT if race.phase is Phase.RUNNING else ErrorCode.NOT_STARTED
            raise Refused(code, "The race is not over yet.")
        if race.again is None:
            await self._open_again(stored, person, re)
        else:
            await self._join(race.again[0], person, re)

    async def _open_again(self, stored: StoredRace, person: Person, re: int | None) -> None:
        row, before = stored.row, stored.race.id
        facts = {name: row[name] for name in ("quick", "private", "racers_max")}
        facts["rule"] = ErrorRule(row["rule"])
        ids = [racer.attempt_id for racer in stored.race.racers if racer.ghost]
        found = await load_ghosts(self._database, ids) if ids else {}
        fields = {**row["source"], "kind": SourceKind(row["source"]["kind"])}
        # A race carries its text: who asks for the next one need not be able to read it elsewhere.
        carried = row if fields["kind"] in (SourceKind.CUSTOM, SourceKind.TEXT) else None
        ghosts = list(found.values())
        opened = await self._open(facts, Source(**fields), ghosts, person, re, carried)
        race_id, code = opened.stored.race.id, opened.stored.row["code"]

        def rematch(race: Race) -> tuple[str, str]:
            return race.rematch(race_id, code)

        agreed, _ = await self._races.change(before, rematch)
        if agreed != race_id:
            # Somebody else was quicker: theirs is the one.
            await self._carry_out(self._step_out, None)
            await self._join(agreed, person, None)

    def _step_out(self, race: Race) -> None:
        race.leave(self._me(race), self._races.now_ms())
