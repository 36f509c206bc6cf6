"""One websocket: what it says is handled in order, what it is told is bounded. docs/protocol.md."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import structlog

from server.db.database import STORE_ERRORS
from server.db.queries import OPEN_STATES, Person, StoredAttempt, from_start, mark_got
from server.line import Line
from server.live.greeting import Met, NotWelcome, new_guest, recognise, welcome
from server.live.limits import Bucket
from server.live.live_attempt import LiveAttempt, Watched
from server.live.opening import open_attempt, overloaded
from server.live.outbox import Outbox
from server.live.parts import Parts
from server.live.racing import Racing
from server.protocol import (
    STRIKES,
    BadKeystroke,
    CloseCode,
    ErrorCode,
    Finish,
    Got,
    Hello,
    Keys,
    Message,
    Open,
    Ping,
    RaceCreate,
    RaceEnter,
    RaceMessage,
    RaceQuick,
    Refused,
    decode,
    encode,
)
from server.turns import TurnTooLate

log = logging.getLogger(__name__)

HELLO_S = 10
INBOX_MAX = 16
STRIKES_MAX = 5
MESSAGES_PER_S = 30
MESSAGES_BURST = 90
STORE_S = 5  # how long a request waits for the store before it is told so
STORE_RETRY_MS = 2_000
NEW_WAIT_S = 3.0  # longer nobody waits for a turn who only wants to begin
FAREWELL_S = 1.0  # for what is queued, and then for the close, to leave


@dataclass(frozen=True, slots=True)
class Farewell:
    """Why the connection ends. No code: the client is gone already."""

    code: CloseCode | None
    reason: str = ""


class Connection:
    """One client, over a line that it is the listener of. Nothing it does delays anybody else.

    What needs no store is answered within `received`; for the rest a task runs, one at a time, and
    messages that come meanwhile wait in their order. Who `comes_back` has said so when connecting.
    """

    def __init__(self, address: str, parts: Parts, comes_back: bool = False) -> None:
        self.address = address
        self._comes_back = comes_back
        self.user_id: str | None = None
        self.login_id: str | None = None
        self.stored = False
        self._name = uuid4().hex
        self._parts = parts
        self._loop = asyncio.get_running_loop()
        self._began_at_s = self._loop.time()
        self._inbox: list[tuple[str, int]] = []
        self._busy: asyncio.Task[None] | None = None
        self._paused_at_s: float | None = None
        self._rate = Bucket(MESSAGES_PER_S, MESSAGES_BURST, self._began_at_s)
        self._strikes = 0
        self._person: Person | None = None
        self._attempt: LiveAttempt | None = None
        self._handles = 0
        self._racing: Racing | None = None  # made when a race is spoken of
        self._farewell: Farewell | None = None

    def listen(self, line: Line) -> None:
        """Listen to the line from now on until either side ends it."""
        self._line = line
        self._outbox = Outbox(line)
        self._parts.hub.add(self)
        self._deadline = self._loop.call_later(HELLO_S, self._no_hello)

    @property
    def seat(self) -> str:
        """Its name among all connections of all processes."""
        return f"{self._parts.races.process_id}/{self._name}"

    def _no_hello(self) -> None:
        self.close(CloseCode.HELLO_TIMEOUT, "no hello")

    # The end

    def close(self, code: CloseCode | None, reason: str) -> None:
        """Hang up once what is queued has left. The first reason stands."""
        if self._farewell is None:
            self._farewell = Farewell(code, reason)
            # Not now: whoever closes may be in the middle of something.
            self._loop.call_soon(self._end)

    def _end(self) -> None:
        self._deadline.cancel()
        if self._busy is not None:
            self._busy.cancel()
        self._leave_attempt()
        said = self._farewell
        if said is None or said.code in (None, CloseCode.TOO_SLOW) or self._outbox.empty:
            self._say_goodbye()
        else:
            self._deadline = self._loop.call_later(FAREWELL_S, self._say_goodbye)

    def _say_goodbye(self) -> None:
        self._deadline.cancel()
        said = self._farewell
        if said is not None and said.code is not None:
            self._line.close(said.code, said.reason)
        self._gone()

    def _gone(self) -> None:
        self._leave_attempt()
        if self._racing is not None:
            self._racing.gone()
        self._racing = self._busy = None  # each knows this connection: let go, all go at once
        self._parts.hub.remove(self)
        code = None if self._farewell is None else self._farewell.code
        self._parts.hub.metrics.closed(code)
        fields = {
            "connection_id": self._name,
            "user_id": self.user_id,
            "code": None if code is None else int(code),
            "seconds": round(self._loop.time() - self._began_at_s, 1),
        }
        log.info("connection", extra=fields)

    def lost(self) -> None:
        """The line is gone."""
        self.close(None, "lost")

    # Out

    def send(self, message: str) -> None:
        """Queue a message; a client that does not read is let go."""
        if self._farewell is None and not self._outbox.put(message):
            self.close(CloseCode.TOO_SLOW, "too slow reading")

    def send_newest(self, message: str, whole: Callable[[], str]) -> None:
        """Queue what makes an older message of this kind, if one still waits, superfluous."""
        if self._farewell is None:
            self._outbox.put_newest(message, whole)

    def writable(self) -> None:
        """The client has read what was sent."""
        self._outbox.go_on()
        if self._farewell is not None and self._outbox.empty:
            # What was queued has left: the deadline for it is met.
            self._deadline.cancel()
            self._deadline = self._loop.call_later(0, self._say_goodbye)

    # In

    def received(self, text: str) -> None:
        """A message has come."""
        if self._farewell is not None:
            return
        arrived_at_ms = self._parts.clock.now_ms()
        if not self._rate.take(self._loop.time()):
            self.flooded()
        elif self._busy is None:
            self._take(text, arrived_at_ms)
        else:
            self._inbox.append((text, arrived_at_ms))
            if len(self._inbox) >= INBOX_MAX and self._paused_at_s is None:
                self._paused_at_s = self._loop.time()
                self._line.pause()

    def received_bytes(self) -> None:
        """A binary frame has come."""
        self.close(CloseCode.BINARY, "binary frames are not understood")

    def flooded(self) -> None:
        """More messages have come, or frames that are none, than anybody needs."""
        if self._parts.hub.flooded(self.user_id or self.address):
            self.close(CloseCode.ABUSE, "too many messages again")
        else:
            self.close(CloseCode.MESSAGE_RATE, "too many messages")

    def _take(self, text: str, arrived_at_ms: int) -> None:
        try:
            if self._person is None:
                self._meet(text)
                return
            self._handle(decode(text), arrived_at_ms)
            if self._attempt is not None and self._attempt.crowded:
                self._later(self._attempt.room())
        except Refused as refused:
            self._refuse(refused)
        except BadKeystroke as bad:
            if bad.strike:
                self._strike()
        except Exception:
            self._broke()

    def _broke(self) -> None:
        log.exception("a connection broke", extra={"connection_id": self._name})
        self.close(CloseCode.INTERNAL, "internal error")

    def _later(self, step: Coroutine[Any, Any, None]) -> None:
        """Do what waits for somebody else; messages that come meanwhile wait."""
        self._busy = self._loop.create_task(self._guard(step))

    async def _guard(self, step: Coroutine[Any, Any, None]) -> None:
        structlog.contextvars.bind_contextvars(connection_id=self._name)
        try:
            await step
        except Refused as refused:
            self._refuse(refused)
        except Exception:
            self._broke()
        # Not before the next turn: the task must have ended for another to begin.
        self._loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        self._busy = None
        if self._attempt is not None and self._attempt.crowded and self._farewell is None:
            self._later(self._attempt.room())
        while self._inbox and self._busy is None and self._farewell is None:
            self._take(*self._inbox.pop(0))
        if self._paused_at_s is not None and self._busy is None:
            # A backlog of our own making is no flood.
            self._rate.forgive(self._loop.time() - self._paused_at_s)
            self._paused_at_s = None
            self._line.resume()

    def _refuse(self, refused: Refused) -> None:
        retry = {} if refused.retry_ms is None else {"retry_ms": refused.retry_ms}
        fields = {"code": refused.code, "message": refused.message, **retry}
        self.send(encode("error", refused.re, **fields))
        if refused.code in STRIKES:
            self._strike()

    def _strike(self) -> None:
        self._strikes += 1
        if self._strikes >= STRIKES_MAX:
            self.close(CloseCode.MALFORMED, "too many malformed messages")

    def _handle(self, message: Message, arrived_at_ms: int) -> None:
        match message:
            case Keys():
                self._open_attempt(message.h, message.id).keys(message, arrived_at_ms)
            case Ping():
                now_ms = self._parts.clock.now_ms()
                self.send(encode("pong", message.id, c=message.c, server_ms=now_ms))
            case Open():
                self._later(self._open(message))
            case Finish():
                try:
                    self._open_attempt(message.h, message.id).finish(message)
                except Refused as refused:
                    refused.re = message.id
                    raise
            case Got():
                self._later(self._got(message))
            case Hello():
                raise Refused(ErrorCode.CONFLICT, "`hello` was said already.", message.id)
            case _:
                self._later(self._race(message))

    # Who it is

    def _meet(self, text: str) -> None:
        """The first message must be a good `hello`; one with a bad field may be said again."""
        try:
            message = decode(text)
        except Refused as refused:
            if refused.code is ErrorCode.BAD_FIELD and refused.of_hello:
                raise
            message = None
        if not isinstance(message, Hello):
            self.close(CloseCode.MALFORMED, "the first message must be hello")
        elif message.token is not None:
            self._later(self._recognise(message.token, message.id))
        elif self._parts.hub.makes_guest(self.address):
            self._met(new_guest(), message.id)
        else:
            self.close(CloseCode.TRY_LATER, "too many new guests")

    async def _recognise(self, token: str, re: int | None) -> None:
        try:
            async with asyncio.timeout(STORE_S), self._parts.turns.turn(first=True):
                met = await recognise(token, self._parts.tokens, self._parts.database)
        except NotWelcome as refused:
            self.close(refused.code, refused.reason)
        except STORE_ERRORS:
            self.close(CloseCode.TRY_LATER, "the store is away")
        else:
            self._met(met, re)

    def _met(self, met: Met, re: int | None) -> None:
        parts = self._parts
        self._deadline.cancel()
        self._person, self.login_id, self.stored = met.person, met.login_id, met.stored
        self.user_id = met.person.id
        parts.hub.welcome(self, met.person.id)
        self.send(welcome(met.person, re, parts.tokens, parts.clock.now_ms()))

    # Attempts

    def _open_attempt(self, h: int, re: int | None) -> LiveAttempt:
        if self._attempt is None or self._attempt.h != h:
            raise Refused(ErrorCode.UNKNOWN_HANDLE, "No attempt is open under that `h`.", re)
        return self._attempt

    def _leave_attempt(self) -> None:
        if self._attempt is not None:
            self._parts.hub.leave(self._attempt)

    async def _open(self, message: Open) -> None:
        person = self._who()
        self._may_begin(message.id)
        again = self._attempt is not None and self._attempt.id == message.attempt
        onlooker = None
        try:
            async with asyncio.timeout(STORE_S):
                if again and self._attempt is not None:
                    await self._attempt.quiet()
                new = message.source is not None
                within_s = NEW_WAIT_S if new else None
                async with self._parts.turns.turn(first=not new, within_s=within_s):
                    stored = await open_attempt(message, person, self._parts, self._comes_back)
                    if from_start(stored.row["source"]) and stored.row["state"] in OPEN_STATES:
                        onlooker = await self._parts.races.come_back(message.attempt, self)
            self.stored = True  # a guest is stored with its first attempt
        except TurnTooLate:
            raise overloaded(message.id, self._parts.load.refuse_attempt()) from None
        except STORE_ERRORS:
            raise _store_away(message.id) from None
        self._drive(stored, again, onlooker).opened(message.id)

    def _may_begin(self, re: int | None) -> None:
        """Whether something new may be opened now. Raises Refused."""
        wait_s = self._parts.hub.may_open(self._who().id)
        if wait_s > 0:
            retry_ms = int(wait_s * 1_000) + 1
            raise Refused(ErrorCode.RATE, "Too many attempts a minute.", re, retry_ms)
        if self._parts.hub.draining:
            text = "The server is restarting; open it after reconnecting."
            raise Refused(ErrorCode.BUSY, text, re, STORE_RETRY_MS)

    def _drive(self, stored: StoredAttempt, again: bool, onlooker: Watched | None) -> LiveAttempt:
        if not again:
            self._handles += 1
        handle = self._attempt.h if again and self._attempt is not None else self._handles
        self._leave_attempt()
        parts = self._parts
        attempt = LiveAttempt(handle, stored, self, parts.journal, parts.clock.now_ms, onlooker)
        self._attempt = attempt
        parts.hub.drive(self, attempt)
        return attempt

    # Races

    async def _race(self, message: RaceMessage) -> None:
        if isinstance(message, RaceCreate | RaceQuick | RaceEnter):
            self._may_begin(message.id)
        if isinstance(message, RaceCreate | RaceQuick):
            wait_s = self._parts.load.attempt_wait_s(self._comes_back)
            if wait_s > 0:
                raise overloaded(message.id, wait_s)
        try:
            async with asyncio.timeout(STORE_S), self._parts.turns.turn(first=True):
                if self._racing is None:
                    self._racing = Racing(self, self._parts.racing, self._parts.hub)
                given_up = await self._racing.handle(message, self._who())
        except STORE_ERRORS:
            raise _store_away(message.id) from None
        self.stored = self.stored or self._racing.takes_part  # with its first slot a guest is
        if given_up is not None and self.handle(given_up) is not None and self._attempt:
            self._attempt.give_up()

    def begin(self, stored: StoredAttempt, onlooker: Watched) -> None:
        """Drive the attempt of a race, which nobody has driven; what is open is left as it is."""
        self._drive(stored, False, onlooker)

    def handle(self, attempt_id: str) -> int | None:
        """The `h` of that attempt, if it is the one that is open here."""
        mine = self._attempt is not None and self._attempt.id == attempt_id
        return self._attempt.h if mine and self._attempt is not None else None

    async def _got(self, message: Got) -> None:
        if self._attempt is not None and self._attempt.id == message.attempt:
            self._attempt.forget_result()
        # The client has what it wants; a result repeated once more is no harm to it.
        with suppress(*STORE_ERRORS):
            async with asyncio.timeout(STORE_S), self._parts.turns.turn(first=True):
                await mark_got(self._parts.database, message.attempt, self._who())

    def _who(self) -> Person:
        if self._person is None:
            raise RuntimeError("nothing is handled before hello")
        return self._person


def _store_away(re: int | None) -> Refused:
    text = "The store does not answer; try again."
    return Refused(ErrorCode.STORE, text, re, STORE_RETRY_MS)
