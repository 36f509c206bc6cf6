"""Practice: how strong each key is, what is practised next and why, and when it will be enough."""

from typing import Annotated, Literal

from pydantic import Field

from server.api.endpoint import ApiError, Call, Endpoint, Model, Parts, Query, Who
from server.api.history import LanguageName
from server.api.key_stats import LayoutName, PracticeAnswer
from server.coach import PracticeUnavailable
from server.core.forecast import Forecast, Outlook, Side
from server.core.key_model import Known
from server.core.practice import Focus, Practice, Reason
from server.core.reasons import outlook, why
from server.core.strength import Strength, speed_wpm

SHARE_DIGITS = 4


class PracticeQuery(Query):
    """What is to be typed on which layout. `words_in` is the language of the answer."""

    language: LanguageName
    layout: LayoutName
    words_in: Literal["en", "ru"] = "en"


class Interval(Model):
    """What is likeliest, and two bounds: it is above `low`, and below `high`, in 9 cases of 10."""

    value: float
    low: float
    high: float


class PracticeKey(Model):
    """A key, or two keys in a row. What depends on presses is null before the first one.

    `strength` is 0..100: the weaker of `speed` and `accuracy`, shares of the target that are surely
    reached. `due_at` is when it should be practised again, `practised_at` when it last was.
    `unlocked` is null for what is no letter.
    """

    key: str
    unlocked: bool | None
    strength: Annotated[int, Field(ge=0, le=100)] | None
    speed: float | None
    accuracy: float | None
    presses: int
    error_rate: Interval | None
    latency_ms: Interval | None
    practised_at: int | None
    due_at: int | None


class Chosen(Model):
    """What the next text is made for. `other` is the key that is hit instead of a mixed-up one."""

    part: str
    reason: Reason
    other: str | None
    sentence: str
    key: PracticeKey


class Range(Model):
    """`latest` is null when no bound can be told."""

    soonest: float
    likely: float
    latest: float | None


class ForecastAnswer(Model):
    """When the target will be reached; `presses` and `days` are null unless the outlook is ahead.

    `side` is what takes longer.
    """

    outlook: Outlook
    side: Side
    presses: Range | None
    days: Range | None
    sentence: str


class TargetAnswer(Model):
    """`wpm` is one's goal, or a little above one's own speed."""

    wpm: float
    accuracy: float


class Gain(Model):
    """A key that the newest attempt has made stronger; `before` is null if it was new."""

    key: str
    before: int | None
    strength: int


class PracticeProgressAnswer(Model):
    """`keys` holds the letters in the order in which they open, then all other keys ever pressed.

    `speed_wpm` is one's own without the errors. `gains` and `opened` are what the newest attempt
    has brought. `source` opens an attempt with a text made for `next`.
    """

    language: str
    layout: str
    target: TargetAnswer
    speed_wpm: float | None
    keys: list[PracticeKey]
    next: list[Chosen]
    forecast: ForecastAnswer
    gains: list[Gain]
    opened: list[str]
    source: PracticeAnswer


async def practice(parts: Parts, call: Call) -> PracticeProgressAnswer:
    query: PracticeQuery = call.query
    try:
        found = await parts.coach.practice(call.me.user_id, query.language, query.layout)
    except PracticeUnavailable as unavailable:
        raise ApiError(404, "not_found", str(unavailable)) from None
    target, words_in = found.target, query.words_in
    others = sorted(found.strengths.keys() - set(found.order))
    return PracticeProgressAnswer(
        language=query.language,
        layout=query.layout,
        target=TargetAnswer(wpm=target.wpm, accuracy=target.accuracy),
        speed_wpm=round(speed_wpm(found.model), 2) if found.model.ever else None,
        keys=[_key(found, key) for key in (*found.order, *others)],
        next=[_chosen(found, focus, words_in) for focus in found.focus],
        forecast=_forecast(found.forecast, outlook(found.forecast, target, words_in)),
        gains=_gains(found),
        opened=[key for key in found.opened if key not in found.opened_before],
        source=PracticeAnswer(kind="practice", language=query.language, layout=query.layout),
    )


def _key(found: Practice, key: str) -> PracticeKey:
    unlocked = key in found.opened if key in found.order else None
    known = found.model.key(key)
    strong = found.strengths.get(key)
    if strong is None:
        return _unpressed(key, unlocked)
    return _pressed(key, unlocked, known, strong, found.due_at_ms.get(key))


def _unpressed(key: str, unlocked: bool | None) -> PracticeKey:
    nothing = dict.fromkeys(
        (
            *("strength", "speed", "accuracy", "error_rate", "latency_ms"),
            *("practised_at", "due_at"),
        )
    )
    return PracticeKey(key=key, unlocked=unlocked, presses=0, **nothing)


def _pressed(
    key: str, unlocked: bool | None, known: Known, strong: Strength, due_at_ms: int | None
) -> PracticeKey:
    return PracticeKey(
        key=key,
        unlocked=unlocked,
        strength=strong.value,
        speed=round(strong.speed, SHARE_DIGITS),
        accuracy=round(strong.accuracy, SHARE_DIGITS),
        presses=known.ever,
        error_rate=_interval(known.error_rate, known.error_low, known.error_high, SHARE_DIGITS),
        latency_ms=_interval(known.latency_ms, known.latency_low_ms, known.latency_high_ms, 1),
        practised_at=known.last_at_ms,
        due_at=due_at_ms,
    )


def _interval(value: float, low: float, high: float, digits: int) -> Interval:
    return Interval(value=round(value, digits), low=round(low, digits), high=round(high, digits))


def _chosen(found: Practice, focus: Focus, words_in: str) -> Chosen:
    unlocked = True if focus.part in found.opened else None
    due_at_ms = found.due_at_ms.get(focus.part)
    key = (
        _pressed(focus.part, unlocked, focus.known, focus.strength, due_at_ms)
        if focus.known.ever
        else _unpressed(focus.part, unlocked)
    )
    return Chosen(
        part=focus.part,
        reason=focus.reason,
        other=focus.other,
        sentence=why(focus, found.target, words_in),
        key=key,
    )


def _forecast(found: Forecast, sentence: str) -> ForecastAnswer:
    presses, days = found.presses, found.days
    return ForecastAnswer(
        outlook=found.outlook,
        side=found.side,
        presses=presses and Range(soonest=presses[0], likely=presses[1], latest=presses[2]),
        days=days
        and Range(
            soonest=round(days[0], 1),
            likely=round(days[1], 1),
            latest=None if days[2] is None else round(days[2], 1),
        ),
        sentence=sentence,
    )


def _gains(found: Practice) -> list[Gain]:
    """The keys that the newest attempt has made stronger, by most first."""
    gains = [
        Gain(key=key, before=_value(found.before.get(key)), strength=strong.value)
        for key, strong in found.strengths.items()
        if strong.value > (_value(found.before.get(key)) or 0) and _is_fresh(found, key)
    ]
    gains.sort(key=lambda gain: ((gain.before or 0) - gain.strength, gain.key))
    return gains


def _is_fresh(found: Practice, key: str) -> bool:
    """Whether the newest attempt has pressed the key; what others say of it does not count."""
    before = found.model.before.get(key)
    return before is None or before.last_at_ms != found.model.keys[key].last_at_ms


def _value(strong: Strength | None) -> int | None:
    return None if strong is None else strong.value


ENDPOINTS: list[Endpoint] = [
    Endpoint(
        "GET",
        "/practice",
        practice,
        "How strong your keys are, which are practised next and why, and when it will be enough.",
        "practice",
        Who.PERSON,
        query=PracticeQuery,
        answer=PracticeProgressAnswer,
        errors={404: ("not_found",)},
    ),
]
