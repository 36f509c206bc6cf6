"""The wire, version 1: messages in, messages out. Nothing else knows how they are written."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import partial
from typing import Any, NamedTuple

import orjson

from server.core.attempt import EndReason
from server.core.race import SLOTS_MAX
from server.core.score import Progress
from server.core.source import Source
from server.core.text import KeyRefused, normal_key
from server.core.typed_text import DELETE, DELETE_WORD, ErrorRule, Keystroke
from server.fields import (
    BadField,
    Fields,
    boolean,
    choice,
    inner,
    integer,
    language,
    optional,
    printable,
    source,
    string,
    uuid,
    uuids,
)

SUBPROTOCOL = "typing.v1"
VERSION = 1
MESSAGE_BYTES_MAX = 65_536
BATCH_MAX = 64
WINDOW = 512
DT_MS_MAX = 600_000
ID_MAX = 2**31 - 1
TIME_MAX = 2**53 - 1


class CloseCode(IntEnum):
    """Why we hang up. 4000-4499: come back and resume. 4500-4999: stop and tell the person."""

    NORMAL = 1000
    BINARY = 1003
    INTERNAL = 1011
    RESTART = 1012
    TRY_LATER = 1013
    HELLO_TIMEOUT = 4001
    TOKEN_REFUSED = 4003
    TOO_SLOW = 4008
    MESSAGE_RATE = 4013
    MALFORMED = 4500
    NO_COMMON_VERSION = 4501
    DISABLED = 4505
    LOGGED_OUT = 4506
    TOO_MANY_CONNECTIONS = 4508
    SUPERSEDED = 4509
    CONFLICT = 4510
    ABUSE = 4511


class ErrorCode(StrEnum):
    BAD_MESSAGE = "bad_message"
    UNKNOWN_TYPE = "unknown_type"
    BAD_FIELD = "bad_field"
    UNKNOWN_HANDLE = "unknown_handle"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    BUSY = "busy"
    RATE = "rate"
    OVERLOADED = "overloaded"
    STORE = "store"
    FULL = "full"
    STARTED = "started"
    NOT_STARTED = "not_started"


# Keys in NFC by themselves. Each is its own value: a key that is kept, and very many are, must not
# be one of those strings that JSON makes anew.
_PLAIN = {key: key for key in (*map(chr, range(0x20, 0x7F)), DELETE, DELETE_WORD)}
STRIKES = (ErrorCode.BAD_MESSAGE, ErrorCode.BAD_FIELD)


class Refused(Exception):
    """A request is refused with a code and a sentence; the connection lives."""

    def __init__(
        self, code: ErrorCode, message: str, re: int | None = None, retry_ms: int | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.re = re
        self.retry_ms = retry_ms
        self.of_hello = False


class BadKeystroke(Exception):
    """A keystroke is out of range; the whole batch is refused."""

    def __init__(self, message: str, strike: bool = True) -> None:
        super().__init__(message)
        self.message = message
        self.strike = strike


# Messages from a client


@dataclass(frozen=True, slots=True)
class Hello:
    id: int | None
    token: str | None


@dataclass(frozen=True, slots=True)
class Open:
    id: int | None
    attempt: str
    source: Source | None
    rule: ErrorRule | None
    layout: str | None = None


class Keys(NamedTuple):
    """A batch as sent. Its events have the right shape; `keystrokes` checks their values."""

    id: int | None
    h: int
    seq: int
    events: list[list[Any]]

    def keystrokes(self) -> list[Keystroke]:
        """The events as keystrokes, keys in NFC. Raises BadKeystroke."""
        return [
            # Nearly all of them: a key that is as it should be.
            Keystroke(dt_ms, _PLAIN[key])
            if key in _PLAIN and 0 <= dt_ms <= DT_MS_MAX
            else _keystroke(dt_ms, key)
            for dt_ms, key in self.events
        ]


@dataclass(frozen=True, slots=True)
class Finish:
    id: int | None
    h: int
    seq: int
    why: EndReason


@dataclass(frozen=True, slots=True)
class Got:
    id: int | None
    attempt: str


@dataclass(frozen=True, slots=True)
class Ping:
    id: int | None
    c: int


@dataclass(frozen=True, slots=True)
class RaceCreate:
    id: int | None
    source: Source | None
    rule: ErrorRule | None
    private: bool
    racers_max: int
    ghosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RaceEnter:
    """`race.join` or `race.watch`, by one of the two names a race has."""

    id: int | None
    code: str | None
    race: str | None
    watch: bool


@dataclass(frozen=True, slots=True)
class RaceQuick:
    id: int | None
    language: str


@dataclass(frozen=True, slots=True)
class RaceReady:
    id: int | None
    ready: bool


@dataclass(frozen=True, slots=True)
class RaceSync:
    id: int | None
    race: str
    n: int


class RaceStep(StrEnum):
    """What is asked of the race one is in, with no fields of its own."""

    START = "race.start"
    LEAVE = "race.leave"
    AGAIN = "race.again"
    UNWATCH = "race.unwatch"


@dataclass(frozen=True, slots=True)
class RaceAsk:
    id: int | None
    step: RaceStep


RaceMessage = RaceCreate | RaceEnter | RaceQuick | RaceReady | RaceSync | RaceAsk
Message = Hello | Open | Keys | Finish | Got | Ping | RaceMessage


def decode(text: str) -> Message:
    """One message from a client. Raises Refused: bad_message, unknown_type or bad_field."""
    fields = _load(text)
    kind = fields.get("type")
    if not isinstance(kind, str):
        raise Refused(ErrorCode.BAD_MESSAGE, "A message needs a `type` that is a string.")
    request_id = None
    try:
        request_id = optional(integer, fields, "id", 1, ID_MAX)
        reader = _READERS.get(kind)
        if reader is None:
            raise Refused(ErrorCode.UNKNOWN_TYPE, "This server does not know that `type`.")
        return reader(request_id, fields)
    except Refused as refused:
        refused.re = request_id
        raise
    except BadField as bad:
        refusal = Refused(ErrorCode.BAD_FIELD, str(bad), request_id)
        refusal.of_hello = kind == "hello"
        raise refusal from None


# An escape of a lone surrogate is lawful JSON but no text: NUL in its place is refused wherever
# a key or a text is read. Pairs and other escapes are passed over.
_escapes = re.compile(
    r"(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\[^u])"
    r"|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)


def _load(text: str) -> Fields:
    try:
        fields = orjson.loads(text)
    except orjson.JSONDecodeError:
        fields = _load_surrogates(text)
    if not isinstance(fields, dict):
        raise Refused(ErrorCode.BAD_MESSAGE, "A message is one JSON object.")
    return fields


def _load_surrogates(text: str) -> Any:
    mended = _escapes.sub(lambda match: match[1] or r"\u0000", text)
    try:
        return orjson.loads(mended)
    except orjson.JSONDecodeError:
        raise Refused(ErrorCode.BAD_MESSAGE, "The message is not JSON.") from None


def _hello(request_id: int | None, fields: Fields) -> Hello:
    optional(string, fields, "client", 200)
    return Hello(request_id, optional(string, fields, "token", 8_192))


def _open(request_id: int | None, fields: Fields) -> Open:
    chosen = optional(inner, fields, "source")
    return Open(
        request_id,
        uuid(fields, "attempt"),
        None if chosen is None else source(chosen),
        _rule(fields),
        optional(printable, fields, "layout", 32),
    )


def _keys(request_id: int | None, fields: Fields) -> Keys:
    h = integer(fields, "h", -ID_MAX, ID_MAX)
    seq = integer(fields, "seq", 1, ID_MAX)
    events = fields.get("events")
    if not isinstance(events, list) or not 1 <= len(events) <= BATCH_MAX:
        raise BadField(f"`events` must be a list of 1 to {BATCH_MAX} events.")
    for event in events:
        if (
            type(event) is not list
            or len(event) != 2
            or type(event[0]) is not int
            or type(event[1]) is not str
        ):
            raise BadField("Each event must be [dt, key]: an integer and a string.")
    return Keys(request_id, h, seq, events)


def _keystroke(dt_ms: int, key: str) -> Keystroke:
    if not 0 <= dt_ms <= DT_MS_MAX:
        raise BadKeystroke(f"`dt` must be from 0 to {DT_MS_MAX} ms.")
    if key in (DELETE, DELETE_WORD):
        return Keystroke(dt_ms, key)
    try:
        return Keystroke(dt_ms, normal_key(key))
    except KeyRefused as refused:
        raise BadKeystroke(str(refused), strike=not refused.lawful_shape) from None


def _finish(request_id: int | None, fields: Fields) -> Finish:
    h = integer(fields, "h", -ID_MAX, ID_MAX)
    seq = integer(fields, "seq", 0, ID_MAX)
    why = choice(fields, "why", ("done", "quit", "time"))
    return Finish(request_id, h, seq, EndReason(why))


def _got(request_id: int | None, fields: Fields) -> Got:
    return Got(request_id, uuid(fields, "attempt"))


def _ping(request_id: int | None, fields: Fields) -> Ping:
    return Ping(request_id, integer(fields, "c", 0, TIME_MAX))


def _rule(fields: Fields) -> ErrorRule | None:
    rules = optional(inner, fields, "rules")
    if rules is None:
        return None
    return ErrorRule(optional(choice, rules, "errors", list(ErrorRule)) or ErrorRule.FREE)


def _race_create(request_id: int | None, fields: Fields) -> RaceCreate:
    given = optional(inner, fields, "source")
    chosen = None if given is None else source(given)
    if chosen is not None and chosen.limit_ms is not None:
        raise BadField("A race is over a text, not over a time: `kind` cannot be time here.")
    return RaceCreate(
        request_id,
        chosen,
        _rule(fields),
        optional(boolean, fields, "private") or False,
        optional(integer, fields, "racers_max", 2, SLOTS_MAX) or SLOTS_MAX,
        optional(uuids, fields, "ghosts", SLOTS_MAX - 1) or (),
    )


def _race_enter(watch: bool, request_id: int | None, fields: Fields) -> RaceEnter:
    code = optional(printable, fields, "code", 16)
    race = optional(uuid, fields, "race")
    if code is None and race is None:
        raise BadField("`code` or `race` must say which race.")
    return RaceEnter(request_id, code and code.strip().upper(), race, watch)


def _race_quick(request_id: int | None, fields: Fields) -> RaceQuick:
    return RaceQuick(request_id, language(fields))


def _race_ready(request_id: int | None, fields: Fields) -> RaceReady:
    return RaceReady(request_id, boolean(fields, "ready"))


def _race_sync(request_id: int | None, fields: Fields) -> RaceSync:
    return RaceSync(request_id, uuid(fields, "race"), integer(fields, "n", 0, ID_MAX))


def _race_ask(step: RaceStep, request_id: int | None, _fields: Fields) -> RaceAsk:
    return RaceAsk(request_id, step)


_READERS: dict[str, Callable[[int | None, Fields], Message]] = {
    "hello": _hello,
    "open": _open,
    "keys": _keys,
    "finish": _finish,
    "got": _got,
    "ping": _ping,
    "race.create": _race_create,
    "race.join": partial(_race_enter, False),
    "race.watch": partial(_race_enter, True),
    "race.quick": _race_quick,
    "race.ready": _race_ready,
    "race.sync": _race_sync,
    **{step.value: partial(_race_ask, step) for step in RaceStep},
}


def encode(kind: str, re: int | None = None, **fields: Any) -> str:
    """One message to a client; `re` is left out where no request is answered."""
    message: Fields = {"type": kind, **fields}
    if re is not None:
        message["re"] = re
    return orjson.dumps(message).decode()


def encode_ack(h: int, seq: int, progress: Progress, keys: Mapping[str, tuple[int, int]]) -> str:
    """An `ack`, which is most of what is ever sent."""
    position, wpm, raw_wpm, accuracy, errors = progress
    message = {
        "type": "ack",
        "h": h,
        "seq": seq,
        "position": position,
        "wpm": wpm,
        "raw_wpm": raw_wpm,
        "accuracy": accuracy,
        "errors": errors,
        "keys": keys,
    }
    return orjson.dumps(message).decode()


def pack(message: Fields) -> bytes:
    """A message of one process to another. Raises TypeError for what is no JSON."""
    return orjson.dumps(message)


def unpack(data: bytes) -> Fields:
    """What was packed. Raises ValueError for anything else."""
    message = orjson.loads(data)
    if not isinstance(message, dict):
        raise ValueError("a message is one JSON object")
    return message


def parse_lines(lines: bytes) -> list[Fields]:
    """The objects of a JSON Lines file."""
    return [orjson.loads(line) for line in lines.splitlines() if line.strip()]
