"""One attempt: its result, its replay, and results typed elsewhere."""

import asyncio
import uuid
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Discriminator, Field, RootModel, Tag
from typing_extensions import TypedDict

from server.api.endpoint import Answer, ApiError, Call, Endpoint, Model, Parts, Who
from server.core.replay import retype, unpack_log
from server.core.source import Source, SourceKind
from server.core.text import Text
from server.core.typed_text import ErrorRule
from server.core.verdict import Verdict
from server.db.history import find_log, find_result, store_reported
from server.db.queries import category, from_start, limit_ms

UUID_PATTERN = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
DURATION_MS_MAX = 86_400_000
COUNT_MAX = 1_000_000
WPM_MAX = 1_000


class KeyAnswer(TypedDict):
    """How one key went. `confusions` counts what was typed instead."""

    presses: int
    errors: int
    latency_ms: float | None
    confusions: dict[str, int]


class ReasonAnswer(TypedDict):
    """A rule that spoke, the value it saw and the limit it holds."""

    rule: str
    value: float
    limit: float


class Result(Model):
    """The numbers of an attempt: see the protocol, section 3. Fractions 0..1, times in ms."""

    position: int
    duration_ms: int
    wpm: float
    raw_wpm: float | None
    accuracy: float
    errors: int
    uncorrected: int | None
    consistency: float | None
    keys: dict[str, KeyAnswer]
    source: dict[str, str | int]
    rules: dict[str, str]
    language: str | None
    text_length: int
    events: int
    late_ms: int
    scorer: int | None
    started_at: int
    finished_at: int
    personal_best: float | None


class AttemptAnswer(Result):
    """An attempt in history. One reported from elsewhere has no `scorer`: nobody here saw it."""

    id: str
    verdict: Literal["ranked", "unranked", "review", "void"]
    why: list[ReasonAnswer]
    self_reported: bool
    text_preview: str


class ReplayAnswer(Model):
    """An attempt key by key; `result` is scored anew from these events.

    `events` are [dt, key]: ms since the event before. `arrivals` are [number, at]: the events from
    that number on (numbers start at 1) reached the server at that time.
    """

    id: str
    text: str
    source: dict[str, str | int]
    rules: dict[str, str]
    language: str | None
    scorer: int
    opened_at: int
    events: list[tuple[int, str]]
    arrivals: list[tuple[int, int]]
    result: Result


def shown(row: Mapping[Any, Any]) -> AttemptAnswer:
    """A stored attempt as every list and page shows it."""
    # What we scored and stored ourselves is not checked again: a page of it has thousands of keys.
    return AttemptAnswer.model_construct(
        id=row["id"],
        verdict=row["verdict"],
        why=row["why"] or [],
        self_reported=row["self_reported"],
        text_preview=row["text_preview"],
        **_result(row),
    )


_SAME_NAME = (
    "position",
    "duration_ms",
    "wpm",
    "raw_wpm",
    "accuracy",
    "errors",
    "uncorrected",
    "consistency",
    "source",
    "language",
    "text_length",
    "events",
    "late_ms",
    "scorer",
    "personal_best",
)


def _result(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {name: row[name] for name in _SAME_NAME} | {
        "keys": row["keys"] or {},
        "rules": {"errors": row["rule"]},
        "started_at": row["started_at_ms"],
        "finished_at": row["finished_at_ms"],
    }


def no_attempt() -> ApiError:
    """The same for an attempt that is not there and one that is another person's."""
    return ApiError(404, "not_found", "There is no such attempt.")


def nothing_else(_call: Call, _now_ms: int) -> None:
    """What an answer is made of besides the caller's history and the URL."""


async def attempt(parts: Parts, call: Call) -> AttemptAnswer:
    row = await find_result(parts.database, call.me.user_id, call.request.path_params["id"])
    if row is None:
        raise no_attempt()
    return shown(row)


async def replay(parts: Parts, call: Call) -> ReplayAnswer:
    row = await find_log(parts.database, call.me.user_id, call.request.path_params["id"])
    if row is None:
        raise no_attempt()
    return await asyncio.to_thread(_replayed, row)


def _replayed(row: Mapping[Any, Any]) -> ReplayAnswer:
    batches = list(unpack_log(row["keystroke_log"], row["opened_at_ms"]))
    keystrokes = [keystroke for batch in batches for keystroke in batch.keystrokes]
    source = row["source"]
    typed_text = retype(
        Text.of(row["text"]),
        ErrorRule(row["rule"]),
        limit_ms(source),
        keystrokes,
        from_start(source),
    )
    rescored = _result({**row, **typed_text.score(row["late_ms"]).columns()})
    return ReplayAnswer(
        id=row["id"],
        text=row["text"],
        source=source,
        rules={"errors": row["rule"]},
        language=row["language"],
        scorer=row["scorer"],
        opened_at=row["opened_at_ms"],
        events=[(keystroke.dt_ms, keystroke.key) for keystroke in keystrokes],
        arrivals=[(batch.seq, batch.arrived_at_ms) for batch in batches],
        result=Result(**rescored),
    )


# Results typed elsewhere

Words = Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")]
Count = Annotated[int, Field(ge=0, le=COUNT_MAX)]
Wpm = Annotated[float, Field(gt=0, le=WPM_MAX)]


class Reported(Model):
    """What both forms of a reported result have. `device_type` is taken, and not kept."""

    lesson_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")] | None = None
    language: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z-]{1,15}$")] | None = None
    wpm: Wpm
    raw_wpm: Wpm | None = None
    errors: Count
    total_chars: Count = 0
    text_preview: Words = ""
    device_type: Annotated[str, Field(max_length=32)] | None = None


class ReportedMs(Reported):
    """A result with its duration in ms and its accuracy as a fraction."""

    accuracy: Annotated[float, Field(ge=0, le=1)]
    duration_ms: Annotated[int, Field(gt=0, le=DURATION_MS_MAX)]


class ReportedSeconds(Reported):
    """The older form: the duration in seconds goes with an accuracy in per cent."""

    accuracy: Annotated[float, Field(ge=0, le=100)]
    duration_seconds: Annotated[int, Field(gt=0, le=DURATION_MS_MAX // 1_000)]


def _form(given: Any) -> str:
    return "seconds" if isinstance(given, dict) and "duration_seconds" in given else "ms"


class ReportedBody(
    RootModel[
        Annotated[
            Annotated[ReportedMs, Tag("ms")] | Annotated[ReportedSeconds, Tag("seconds")],
            Discriminator(_form),
        ]
    ]
):
    """A result typed elsewhere, in either form."""


async def report(parts: Parts, call: Call) -> Answer:
    given: ReportedMs | ReportedSeconds = call.body.root
    now_ms = parts.clock.now_ms()
    row = await store_reported(parts.database, call.me.person, _reported_row(given, now_ms), now_ms)
    answer: BaseModel = shown(row)
    return Answer(answer, 201)


def _reported_row(given: ReportedMs | ReportedSeconds, now_ms: int) -> dict[str, Any]:
    if isinstance(given, ReportedSeconds):
        duration_ms, accuracy = given.duration_seconds * 1_000, given.accuracy / 100
    else:
        duration_ms, accuracy = given.duration_ms, given.accuracy
    source = Source(SourceKind.CUSTOM, text=given.text_preview)
    if given.lesson_id is not None:
        source = Source(SourceKind.LESSON, lesson=given.lesson_id)
    return {
        "id": str(uuid.uuid4()),
        "state": "finished",
        "epoch": 1,
        "source": source.public(),
        "category": category(source),
        "kind": source.kind.value,
        "mode": source.mode,
        "rule": ErrorRule.FREE.value,
        "language": given.language,
        "layout": "",
        "text": given.text_preview,
        "opened_at_ms": now_ms - duration_ms,
        "outage_ms": 0,
        "got": True,
        "started_at_ms": now_ms - duration_ms,
        "finished_at_ms": now_ms,
        "position": given.total_chars,
        "duration_ms": duration_ms,
        "wpm": round(given.wpm, 2),
        "raw_wpm": None if given.raw_wpm is None else round(given.raw_wpm, 2),
        "accuracy": round(accuracy, 4),
        "errors": given.errors,
        "text_length": given.total_chars,
        "events": 0,
        "late_ms": 0,
        "verdict": Verdict.UNRANKED.value,
        "why": [{"rule": "self_reported", "value": 1, "limit": 0}],
        "self_reported": True,
    }


NOT_FOUND = {404: ("not_found",)}
ID = {"id": UUID_PATTERN}
ENDPOINTS: list[Endpoint] = [
    Endpoint(
        "GET",
        "/attempts/{id}",
        attempt,
        "The result of one of your attempts.",
        "history",
        Who.PERSON,
        answer=AttemptAnswer,
        errors=NOT_FOUND,
        path_patterns=ID,
        kept=nothing_else,
    ),
    Endpoint(
        "GET",
        "/attempts/{id}/replay",
        replay,
        "One of your attempts key by key, scored anew. One typed elsewhere has no replay: 404.",
        "history",
        Who.PERSON,
        answer=ReplayAnswer,
        errors=NOT_FOUND,
        path_patterns=ID,
        kept=nothing_else,
    ),
    Endpoint(
        "POST",
        "/progress",
        report,
        "Add a result typed elsewhere: in history, but never ranked nor a personal best.",
        "history",
        Who.PERSON,
        body=ReportedBody,
        status=201,
        answer=AttemptAnswer,
    ),
]
