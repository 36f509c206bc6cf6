"""The wire, version 1: messages in, messages out. Nothing else knows JSON."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any

import orjson

from server.core.attempt import EndReason
from server.core.source import Source, SourceKind
from server.core.text import KeyRefused, TextRefused, normal_key, normal_text
from server.core.typed_text import DELETE, DELETE_WORD, ErrorRule, Keystroke

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


@dataclass(frozen=True, slots=True)
class Keys:
    """A batch as sent. Its events have the right shape; `keystrokes` checks their values."""

    id: int | None
    h: int
    seq: int
    events: list[list[Any]]

    def keystrokes(self) -> list[Keystroke]:
        """The events as keystrokes, keys in NFC. Raises BadKeystroke."""
        return [_keystroke(dt_ms, key) for dt_ms, key in self.events]


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


Message = Hello | Open | Keys | Finish | Got | Ping
Fields = dict[str, Any]


def decode(text: str) -> Message:
    """One message from a client. Raises Refused: bad_message, unknown_type or bad_field."""
    fields = _load(text)
    kind = fields.get("type")
    if not isinstance(kind, str):
        raise Refused(ErrorCode.BAD_MESSAGE, "A message needs a `type` that is a string.")
    request_id = None
    try:
        request_id = _optional(_integer, fields, "id", 1, ID_MAX)
        reader = _READERS.get(kind)
        if reader is None:
            raise Refused(ErrorCode.UNKNOWN_TYPE, "This server does not know that `type`.")
        return reader(request_id, fields)
    except Refused as refused:
        refused.re = request_id
        refused.of_hello = kind == "hello"
        raise


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


def _bad_field(message: str) -> Refused:
    return Refused(ErrorCode.BAD_FIELD, message)


def _integer(fields: Fields, name: str, least: int, most: int) -> int:
    value = fields.get(name)
    # Not isinstance: true is an int to Python, and no number to a client.
    if type(value) is not int or not least <= value <= most:
        raise _bad_field(f"`{name}` must be an integer from {least} to {most}.")
    return value


def _string(fields: Fields, name: str, length_max: int) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or len(value) > length_max:
        raise _bad_field(f"`{name}` must be a string of at most {length_max} characters.")
    return value


def _name(fields: Fields, name: str, length_max: int) -> str:
    value = _string(fields, name, length_max)
    if not value.isprintable():
        raise _bad_field(f"`{name}` must hold no control characters.")
    return value


def _optional(read: Callable[..., Any], fields: Fields, name: str, *bounds: Any) -> Any:
    return None if fields.get(name) is None else read(fields, name, *bounds)


def _choice(fields: Fields, name: str, choices: Iterable[str]) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or value not in choices:
        raise _bad_field(f"`{name}` must be one of: {', '.join(choices)}.")
    return value


def _object(fields: Fields, name: str) -> Fields:
    value = fields.get(name)
    if not isinstance(value, dict):
        raise _bad_field(f"`{name}` must be an object.")
    return value


_uuid = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _attempt_id(fields: Fields) -> str:
    value = _string(fields, "attempt", 36).lower()
    if not _uuid.fullmatch(value):
        raise _bad_field("`attempt` must be a UUID.")
    return value


def _hello(request_id: int | None, fields: Fields) -> Hello:
    _optional(_string, fields, "client", 200)
    return Hello(request_id, _optional(_string, fields, "token", 8_192))


def _open(request_id: int | None, fields: Fields) -> Open:
    source = _optional(_object, fields, "source")
    rules = _optional(_object, fields, "rules")
    rule = None if rules is None else _optional(_choice, rules, "errors", list(ErrorRule))
    return Open(
        request_id,
        _attempt_id(fields),
        None if source is None else _source(source),
        None if rules is None else ErrorRule(rule or ErrorRule.FREE),
    )


def _source(fields: Fields) -> Source:
    kind = SourceKind(_choice(fields, "kind", list(SourceKind)))
    return _SOURCE_READERS[kind](fields)


def _text_source(fields: Fields) -> Source:
    return Source(SourceKind.TEXT, text=_name(fields, "text", 64))


def _random_source(fields: Fields) -> Source:
    length = _choice(fields, "length", ("short", "medium", "long"))
    return Source(SourceKind.RANDOM, language=_language(fields), length=length)


def _words_source(fields: Fields) -> Source:
    count = _integer(fields, "count", 10, 500)
    return Source(SourceKind.WORDS, language=_language(fields), count=count)


def _time_source(fields: Fields) -> Source:
    seconds = _integer(fields, "seconds", 15, 600)
    return Source(SourceKind.TIME, language=_language(fields), seconds=seconds)


def _custom_source(fields: Fields) -> Source:
    try:
        text = normal_text(_string(fields, "text", MESSAGE_BYTES_MAX))
    except TextRefused as refused:
        raise _bad_field(str(refused)) from None
    return Source(SourceKind.CUSTOM, text=text)


def _lesson_source(fields: Fields) -> Source:
    return Source(SourceKind.LESSON, lesson=_name(fields, "lesson", 64))


def _practice_source(fields: Fields) -> Source:
    layout = _name(fields, "layout", 32)
    return Source(SourceKind.PRACTICE, language=_language(fields), layout=layout)


def _race_source(fields: Fields) -> Source:
    raise _bad_field("A race opens its attempts itself; `kind` cannot be race here.")


_SOURCE_READERS: dict[SourceKind, Callable[[Fields], Source]] = {
    SourceKind.TEXT: _text_source,
    SourceKind.RANDOM: _random_source,
    SourceKind.WORDS: _words_source,
    SourceKind.TIME: _time_source,
    SourceKind.CUSTOM: _custom_source,
    SourceKind.LESSON: _lesson_source,
    SourceKind.PRACTICE: _practice_source,
    SourceKind.RACE: _race_source,
}


def _language(fields: Fields) -> str:
    return _name(fields, "language", 16)


def _keys(request_id: int | None, fields: Fields) -> Keys:
    h = _integer(fields, "h", -ID_MAX, ID_MAX)
    seq = _integer(fields, "seq", 1, ID_MAX)
    events = fields.get("events")
    if not isinstance(events, list) or not 1 <= len(events) <= BATCH_MAX:
        raise _bad_field(f"`events` must be a list of 1 to {BATCH_MAX} events.")
    for event in events:
        if (
            type(event) is not list
            or len(event) != 2
            or type(event[0]) is not int
            or type(event[1]) is not str
        ):
            raise _bad_field("Each event must be [dt, key]: an integer and a string.")
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
    h = _integer(fields, "h", -ID_MAX, ID_MAX)
    seq = _integer(fields, "seq", 0, ID_MAX)
    why = _choice(fields, "why", ("done", "quit", "time"))
    return Finish(request_id, h, seq, EndReason(why))


def _got(request_id: int | None, fields: Fields) -> Got:
    return Got(request_id, _attempt_id(fields))


def _ping(request_id: int | None, fields: Fields) -> Ping:
    return Ping(request_id, _integer(fields, "c", 0, TIME_MAX))


_READERS: dict[str, Callable[[int | None, Fields], Message]] = {
    "hello": _hello,
    "open": _open,
    "keys": _keys,
    "finish": _finish,
    "got": _got,
    "ping": _ping,
}


def encode(kind: str, re: int | None = None, **fields: Any) -> str:
    """One message to a client; `re` is left out where no request is answered."""
    message: Fields = {"type": kind, **fields}
    if re is not None:
        message["re"] = re
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
