"""The AsyncAPI 3 document of the websocket. Its words, codes and bounds are those of the code."""

from collections.abc import Iterable
from typing import Any

from server.core.attempt import AttemptState, EndReason
from server.core.race import SLOTS_MAX, Phase
from server.core.source import SourceKind
from server.core.typed_text import ErrorRule
from server.core.verdict import Verdict
from server.protocol import (
    BATCH_MAX,
    DT_MS_MAX,
    ID_MAX,
    MESSAGE_BYTES_MAX,
    SUBPROTOCOL,
    TIME_MAX,
    VERSION,
    CloseCode,
    ErrorCode,
)

Json = dict[str, Any]

ABOUT = """Typing, keystroke by keystroke. Connect to `/ws` with the subprotocol `typing.v1`, say \
`hello`, `open` an attempt and send `keys`; an `ack` means that they are durable. What each \
message promises is told in docs/protocol.md."""


def asyncapi() -> Json:
    """The whole document."""
    messages = {kind: _message(kind, fields) for kind, fields in {**SENT, **RECEIVED}.items()}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Typing Trainer", "version": str(VERSION), "description": ABOUT},
        "defaultContentType": "application/json",
        "channels": {
            "live": {
                "address": "/ws",
                "messages": {kind: {"$ref": f"#/components/messages/{kind}"} for kind in messages},
                "bindings": {"ws": {"method": "GET"}},
                "x-subprotocol": SUBPROTOCOL,
                "x-message-bytes-max": MESSAGE_BYTES_MAX,
                "x-close-codes": {str(int(code)): code.name.lower() for code in CloseCode},
            }
        },
        "operations": {
            "fromClient": _operation("receive", SENT),
            "toClient": _operation("send", RECEIVED),
        },
        "components": {"messages": messages, "schemas": SCHEMAS},
    }


def _operation(action: str, kinds: Iterable[str]) -> Json:
    messages = [{"$ref": f"#/channels/live/messages/{kind}"} for kind in kinds]
    return {"action": action, "channel": {"$ref": "#/channels/live"}, "messages": messages}


def _message(kind: str, fields: Json) -> Json:
    payload = _object({"type": {"const": kind}, **fields})
    return {"name": kind, "title": kind, "payload": payload}


def _object(fields: Json) -> Json:
    """Fields whose name ends with `?` may be left out. Unknown ones are to be ignored."""
    return {
        "type": "object",
        "properties": {name.rstrip("?"): schema for name, schema in fields.items()},
        "required": [name for name in fields if not name.endswith("?")],
    }


def _integer(least: int, most: int | None = None) -> Json:
    return {"type": "integer", "minimum": least} | ({} if most is None else {"maximum": most})


def _words(words: Iterable[str]) -> Json:
    return {"type": "string", "enum": [str(word) for word in words]}


def _or_null(schema: Json) -> Json:
    return {"anyOf": [schema, {"type": "null"}]}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


STRING: Json = {"type": "string"}
NUMBER: Json = {"type": "number", "minimum": 0}
FRACTION: Json = {"type": "number", "minimum": 0, "maximum": 1}
COUNT = _integer(0)
REQUEST_ID = _integer(1, ID_MAX)
HANDLE = _integer(0, ID_MAX)
SEQ = _integer(0, ID_MAX)
UUID: Json = {"type": "string", "format": "uuid"}
BOOLEAN: Json = {"type": "boolean"}
SLOT = _integer(0, SLOTS_MAX - 1)
LIVE_SCORE: Json = {
    "position": COUNT,
    "wpm": NUMBER,
    "raw_wpm": NUMBER,
    "accuracy": FRACTION,
    "errors": COUNT,
}

SCHEMAS: Json = {
    "Event": {
        "description": "[dt, key]: whole ms since the event before, and what was pressed.",
        "type": "array",
        "prefixItems": [_integer(0, DT_MS_MAX), {"type": "string", "minLength": 1}],
        "minItems": 2,
        "maxItems": 2,
    },
    "Source": _object(
        {
            "kind": _words(SourceKind),
            "text?": STRING,
            "language?": STRING,
            "length?": _words(("short", "medium", "long")),
            "count?": _integer(10, 500),
            "seconds?": _integer(15, 600),
            "lesson?": STRING,
            "layout?": STRING,
        }
    ),
    "Rules": _object({"errors?": _words(ErrorRule)}),
    "Key": _object(
        {
            "presses": COUNT,
            "errors": COUNT,
            "latency_ms": _or_null(NUMBER),
            "confusions": {"type": "object", "additionalProperties": COUNT},
        }
    ),
    "Racer": _object(
        {
            "slot": SLOT,
            "name": STRING,
            "ghost": BOOLEAN,
            "ready": BOOLEAN,
            "connected": BOOLEAN,
            "position": COUNT,
            "wpm": NUMBER,
            "accuracy": FRACTION,
            "finished_ms?": COUNT,
            "place?": _integer(1, SLOTS_MAX),
            "dnf?": STRING,
        }
    ),
    "Reason": _object(
        {"rule": STRING, "value": {"type": "number"}, "limit": {"type": "number"}},
    ),
    "Result": _object(
        {
            **LIVE_SCORE,
            "duration_ms": COUNT,
            "uncorrected": COUNT,
            "consistency": FRACTION,
            "keys": {"type": "object", "additionalProperties": _ref("Key")},
            "text_length": COUNT,
            "events": COUNT,
            "late_ms": COUNT,
            "scorer": COUNT,
            "started_at": COUNT,
            "finished_at": COUNT,
            "personal_best": _or_null(NUMBER),
            "source": _ref("Source"),
            "rules": _ref("Rules"),
            "language?": STRING,
        }
    ),
}

SENT: Json = {
    "hello": {"id?": REQUEST_ID, "token?": STRING, "client?": STRING},
    "open": {
        "id?": REQUEST_ID,
        "attempt": UUID,
        "source?": _ref("Source"),
        "rules?": _ref("Rules"),
        "layout?": STRING,
    },
    "keys": {
        "id?": REQUEST_ID,
        "h": HANDLE,
        "seq": _integer(1, ID_MAX),
        "events": {
            "type": "array",
            "items": _ref("Event"),
            "minItems": 1,
            "maxItems": BATCH_MAX,
        },
    },
    "finish": {
        "id?": REQUEST_ID,
        "h": HANDLE,
        "seq": SEQ,
        "why": _words((EndReason.DONE, EndReason.QUIT, EndReason.TIME)),
    },
    "got": {"id?": REQUEST_ID, "attempt": UUID},
    "ping": {"id?": REQUEST_ID, "c": _integer(0, TIME_MAX)},
    "race.create": {
        "id?": REQUEST_ID,
        "source?": _ref("Source"),
        "rules?": _ref("Rules"),
        "private?": BOOLEAN,
        "racers_max?": _integer(2, SLOTS_MAX),
        "ghosts?": {"type": "array", "items": UUID, "maxItems": SLOTS_MAX - 1},
    },
    "race.join": {"id?": REQUEST_ID, "code?": STRING, "race?": UUID},
    "race.watch": {"id?": REQUEST_ID, "code?": STRING, "race?": UUID},
    "race.quick": {"id?": REQUEST_ID, "language": STRING},
    "race.ready": {"id?": REQUEST_ID, "ready": BOOLEAN},
    "race.start": {"id?": REQUEST_ID},
    "race.leave": {"id?": REQUEST_ID},
    "race.again": {"id?": REQUEST_ID},
    "race.unwatch": {"id?": REQUEST_ID},
    "race.sync": {"id?": REQUEST_ID, "race": UUID, "n": COUNT},
}

RECEIVED: Json = {
    "welcome": {
        "re?": REQUEST_ID,
        "v": {"const": VERSION},
        "user": _object({"id": UUID, "name": STRING, "guest": {"type": "boolean"}}),
        "token?": STRING,
        "server_ms": COUNT,
        "limits": _object({"message": COUNT, "batch": COUNT, "window": COUNT}),
    },
    "opened": {
        "re?": REQUEST_ID,
        "attempt": UUID,
        "h": HANDLE,
        "seq": SEQ,
        "state": _words(AttemptState),
        "text": STRING,
        "rules": _ref("Rules"),
        "source": _ref("Source"),
        "typed": STRING,
        "at_ms": COUNT,
        "elapsed_ms": COUNT,
        "score": _object(LIVE_SCORE),
    },
    "ack": {
        "h": HANDLE,
        "seq": SEQ,
        **LIVE_SCORE,
        "keys": {
            "description": "[presses, errors] so far of the keys touched since the last ack.",
            "type": "object",
            "additionalProperties": {
                "type": "array",
                "items": COUNT,
                "minItems": 2,
                "maxItems": 2,
            },
        },
    },
    "reject": {
        "re?": REQUEST_ID,
        "h": HANDLE,
        "seq": SEQ,
        "code": _words(("gap", "early", "finished", "bad_event")),
        "message": STRING,
    },
    "done": {
        "re?": REQUEST_ID,
        "h?": HANDLE,
        "attempt": UUID,
        "seq": SEQ,
        "result": _or_null(_ref("Result")),
        "verdict": _words(Verdict),
        "why": {"type": "array", "items": _ref("Reason")},
    },
    "stall": {"h": HANDLE, "on": {"type": "boolean"}},
    "pong": {"re?": REQUEST_ID, "c": _integer(0, TIME_MAX), "server_ms": COUNT},
    "error": {
        "re?": REQUEST_ID,
        "code": _words(ErrorCode),
        "message": STRING,
        "retry_ms?": COUNT,
    },
    "drain": {"in_ms": COUNT},
    "race": {
        "re?": REQUEST_ID,
        "race": UUID,
        "code": STRING,
        "n": COUNT,
        "phase": _words(Phase),
        "host": _or_null(SLOT),
        "private": BOOLEAN,
        "quick": BOOLEAN,
        "racers_max": _integer(2, SLOTS_MAX),
        "you": _or_null(SLOT),
        "attempt?": UUID,
        "h?": HANDLE,
        "racers": {"type": "array", "items": _ref("Racer")},
        "watchers": COUNT,
        "language": _or_null(STRING),
        "source": _ref("Source"),
        "rules": _ref("Rules"),
        "text?": STRING,
        "text_length": COUNT,
        "starts_at_ms?": COUNT,
        "again?": _object({"next": UUID, "code": STRING}),
    },
    "race.event": {
        "race": UUID,
        "n": COUNT,
        "event": STRING,
        "slot?": SLOT,
        "name?": STRING,
        "ghost?": BOOLEAN,
        "ready?": BOOLEAN,
        "connected?": BOOLEAN,
        "text?": STRING,
        "starts_at_ms?": COUNT,
        "place?": _integer(1, SLOTS_MAX),
        "duration_ms?": COUNT,
        "places?": {"type": "array", "items": {"type": "array", "items": COUNT}},
        "why?": STRING,
        "next?": UUID,
        "code?": STRING,
    },
    "race.progress": {
        "race": UUID,
        "n": COUNT,
        "racers": {
            "description": "[slot, position, wpm, accuracy] of those who have moved.",
            "type": "array",
            "items": {
                "type": "array",
                "prefixItems": [SLOT, COUNT, NUMBER, FRACTION],
                "minItems": 4,
                "maxItems": 4,
            },
        },
    },
}
