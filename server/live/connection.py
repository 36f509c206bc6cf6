"""One websocket: reader, bounded queue, worker, bounded outbox. Rules: docs/protocol.md."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect

from server.auth import Tokens
from server.bus import Bus
from server.clock import Clock
from server.core.source import Source
from server.core.typed_text import ErrorRule
from server.db.database import STORE_ERRORS, Database
from server.db.journal import Journal
from server.db.queries import (
    OPEN_STATES,
    AttemptDiffers,
    AttemptNotFound,
    NewAttempt,
    Person,
    StoredAttempt,
    create_attempt,
    from_start,
    mark_got,
    resume_attempt,
)
from server.live.greeting import NotWelcome, new_guest, recognise, welcome
from server.live.hub import Hub
from server.live.limits import Bucket
from server.live.live_attempt import LiveAttempt, Watched
from server.live.outbox import Outbox
from server.live.races import Races
from server.live.racing import Racing, RacingParts
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
from server.texts import Texts, TextUnavailable

log = logging.getLogger(__name__)

HELLO_S = 10
INBOX_MAX = 16
STRIKES_MAX = 5
MESSAGES_PER_S = 30
MESSAGES_BURST = 90
STORE_S = 5  # how long a request waits for the store before it is told so
STORE_RETRY_MS = 2_000
FAREWELL_S = 1.0  # for what is queued, and then for the close, to leave


@dataclass(frozen=True, slots=True)
class Parts:
    """What every connection of the process shares."""

    clock: Clock
    database: Database
    journal: Journal
    hub: Hub
    bus: Bus
    races: Races
    racing: RacingParts
    texts: Texts
    tokens: Tokens


@dataclass(frozen=True, slots=True)
class Received:
    text: str
    arrived_at_ms: int


@dataclass(frozen=True, slots=True)
class Farewell:
    """Why the connection ends. No code: the client is gone already."""

    code: CloseCode | None
    reason: str = ""


class Connection:
    """One client. `run` returns when it is gone; nothing it does delays anybody else."""

    def __init__(self, websocket: WebSocket, address: str, parts: Parts) -> None:
        self.address = address
        self.user_id: str | None = None
        self.login_id: str | None = None
        self.stored = False
        self.seat = f"{parts.races.process_id}/{uuid4().hex}"
        self._websocket = websocket
        self._parts = parts
        self._loop = asyncio.get_running_loop()
        self._began_at_s = self._loop.time()
        self._inbox: asyncio.Queue[Received] = asyncio.Queue(INBOX_MAX)
        self._outbox = Outbox()
        self._rate = Bucket(MESSAGES_PER_S, MESSAGES_BURST, self._loop.time())
        self._strikes = 0
        self._person: Person | None = None
        self._attempt: LiveAttempt | None = None
        self._handles = 0
        self._racing = Racing(self, parts.racing, parts.hub)
        self._farewell: asyncio.Future[Farewell] = self._loop.create_future()

    async def run(self) -> None:
        """Serve an accepted websocket until either side ends it."""
        self._parts.hub.add(self)
        structlog.contextvars.bind_contextvars(connection_id=uuid4().hex)
        sender = asyncio.create_task(self._guard(self._send_all()))
        listeners = [
            asyncio.create_task(self._guard(self._read())),
            asyncio.create_task(self._guard(self._work())),
        ]
        try:
            farewell = await self._farewell
            for task in listeners:
                task.cancel()
            self._leave_attempt()
            await self._say(farewell)
        finally:
            for task in (*listeners, sender):
                task.cancel()
            self._leave_attempt()
            self._racing.gone()
            self._parts.hub.remove(self)
            self._report()

    def _report(self) -> None:
        lost = not self._farewell.done() or self._farewell.cancelled()
        code = None if lost else self._farewell.result().code
        self._parts.hub.metrics.closed(code)
        fields = {
            "user_id": self.user_id,
            "code": None if code is None else int(code),
            "seconds": round(self._loop.time() - self._began_at_s, 1),
        }
        log.info("connection", extra=fields)

    async def _guard(self, step: Coroutine[Any, Any, None]) -> None:
        try:
            await step
        except Exception:
            log.exception("a connection broke")
            self.close(CloseCode.INTERNAL, "internal error")

    # Out

    def send(self, message: str) -> None:
        """Queue a message; a client that does not read is let go."""
        if not self._farewell.done() and not self._outbox.put(message):
            self.close(CloseCode.TOO_SLOW, "too slow reading")

    def send_newest(self, message: str, whole: Callable[[], str]) -> None:
        """Queue what makes an older message of this kind, if one still waits, superfluous."""
        if not self._farewell.done():
            self._outbox.put_newest(message, whole)

    def close(self, code: CloseCode | None, reason: str) -> None:
        """Hang up once what is queued has left. The first reason stands."""
        if not self._farewell.done():
            self._farewell.set_result(Farewell(code, reason))

    async def _send_all(self) -> None:
        while True:
            message = await self._outbox.next()
            try:
                await self._websocket.send({"type": "websocket.send", "text": message})
            except (WebSocketDisconnect, RuntimeError):
                self.close(None, "lost")
                return
            self._outbox.sent()

    async def _say(self, farewell: Farewell) -> None:
        if farewell.code is None:
            return
        if farewell.code is not CloseCode.TOO_SLOW:
            with suppress(TimeoutError):
                async with asyncio.timeout(FAREWELL_S):
                    await self._outbox.emptied()
        # A client that does not read blocks its own close; the protocol class cuts the line.
        with suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
            async with asyncio.timeout(FAREWELL_S):
                await self._websocket.close(farewell.code, farewell.reason)

    # In

    async def _read(self) -> None:
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                self.close(None, "lost")
                return
            arrived_at_ms = self._parts.clock.now_ms()
            text = message.get("text")
            if text is None:
                self.close(CloseCode.BINARY, "binary frames are not understood")
                return
            if not self._rate.take(self._loop.time()):
                self._flood()
                return
            before_s = self._loop.time()
            await self._inbox.put(Received(text, arrived_at_ms))
            self._rate.forgive(self._loop.time() - before_s)

    def _flood(self) -> None:
        if self._parts.hub.flooded(self.user_id or self.address):
            self.close(CloseCode.ABUSE, "too many messages again")
        else:
            self.close(CloseCode.MESSAGE_RATE, "too many messages")

    async def _work(self) -> None:
        try:
            async with asyncio.timeout(HELLO_S):
                greeted = await self._hello()
        except TimeoutError:
            self.close(CloseCode.HELLO_TIMEOUT, "no hello")
            return
        while greeted and not self._farewell.done():
            received = await self._inbox.get()
            try:
                await self._handle(decode(received.text), received.arrived_at_ms)
            except Refused as refused:
                self._refuse(refused)
            except BadKeystroke as bad:
                if bad.strike:
                    self._strike()
            if self._attempt is not None:
                await self._attempt.room()

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

    async def _handle(self, message: Message, arrived_at_ms: int) -> None:
        match message:
            case Keys():
                self._open_attempt(message.h, message.id).keys(message, arrived_at_ms)
            case Ping():
                self.send(
                    encode("pong", message.id, c=message.c, server_ms=self._parts.clock.now_ms())
                )
            case Open():
                await self._open(message)
            case Finish():
                try:
                    self._open_attempt(message.h, message.id).finish(message)
                except Refused as refused:
                    refused.re = message.id
                    raise
            case Got():
                await self._got(message)
            case Hello():
                raise Refused(ErrorCode.CONFLICT, "`hello` was said already.", message.id)
            case _:
                await self._race(message)

    # Who it is

    async def _hello(self) -> bool:
        """Read messages until a good `hello` is answered; False if there came none."""
        while not self._farewell.done():
            received = await self._inbox.get()
            try:
                message = decode(received.text)
            except Refused as refused:
                if refused.code is not ErrorCode.BAD_FIELD or not refused.of_hello:
                    break
                self._refuse(refused)
                continue
            if not isinstance(message, Hello):
                break
            return await self._greet(message)
        self.close(CloseCode.MALFORMED, "the first message must be hello")
        return False

    async def _greet(self, hello: Hello) -> bool:
        parts = self._parts
        try:
            async with asyncio.timeout(STORE_S):
                met = (
                    new_guest()
                    if hello.token is None
                    else await recognise(hello.token, parts.tokens, parts.database)
                )
        except NotWelcome as refused:
            self.close(refused.code, refused.reason)
            return False
        except STORE_ERRORS:
            self.close(CloseCode.TRY_LATER, "the store is away")
            return False
        if hello.token is None:
            parts.hub.made_guest(self.address)
        self._person, self.login_id, self.stored = met.person, met.login_id, met.stored
        self.user_id = met.person.id
        parts.hub.welcome(self, met.person.id)
        self.send(welcome(met.person, hello.id, parts.tokens, parts.clock.now_ms()))
        return True

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
                stored = await self._resume_or_create(message, person)
                if from_start(stored.row["source"]) and stored.row["state"] in OPEN_STATES:
                    onlooker = await self._parts.races.come_back(message.attempt, self)
            self.stored = True  # a guest is stored with its first attempt
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

    async def _resume_or_create(self, message: Open, person: Person) -> StoredAttempt:
        database, now_ms = self._parts.database, self._parts.clock.now_ms
        for _ in range(2):  # somebody may create it between our looking and our creating
            try:
                stored = await resume_attempt(
                    database, message.attempt, person, message.source, message.rule, now_ms()
                )
            except AttemptNotFound:
                break
            except AttemptDiffers:
                text = "The attempt was opened with another source or other rules."
                raise Refused(ErrorCode.CONFLICT, text, message.id) from None
            if stored is None and message.source is not None:
                new = await self._choose(message, message.source, person)
                stored = await create_attempt(database, new, person, now_ms())
            if stored is not None:
                return stored
        raise Refused(ErrorCode.NOT_FOUND, "There is no such attempt.", message.id)

    async def _choose(self, message: Open, source: Source, person: Person) -> NewAttempt:
        try:
            chosen = await self._parts.texts.choose(source, person.id)
        except TextUnavailable as missing:
            raise Refused(ErrorCode.NOT_FOUND, str(missing), message.id) from None
        rule = message.rule or ErrorRule.FREE
        return NewAttempt(
            message.attempt, source, rule, chosen.text, chosen.language, chosen.layout
        )

    # Races

    async def _race(self, message: RaceMessage) -> None:
        if isinstance(message, RaceCreate | RaceQuick | RaceEnter):
            self._may_begin(message.id)
        try:
            async with asyncio.timeout(STORE_S):
                given_up = await self._racing.handle(message, self._who())
        except STORE_ERRORS:
            raise _store_away(message.id) from None
        self.stored = self.stored or isinstance(message, RaceCreate | RaceQuick)
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
            async with asyncio.timeout(STORE_S):
                await mark_got(self._parts.database, message.attempt, self._who())

    def _who(self) -> Person:
        assert self._person is not None, "nothing is handled before hello"
        return self._person


def _store_away(re: int | None) -> Refused:
    text = "The store does not answer; try again."
    return Refused(ErrorCode.STORE, text, re, STORE_RETRY_MS)
