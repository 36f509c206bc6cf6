"""Key by key: presses, errors, speed and confusions, and what to practise."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from server.api.attempts import UUID_PATTERN
from server.api.endpoint import ApiError, Call, Endpoint, Model, Parts, Who, must_grant
from server.api.history import DaysQuery, LanguageName, Period, PeriodQuery, that_day
from server.core.bigrams import Counts, Packed, add_stats, pack_stats
from server.core.key_stats import KeyStats, error_rate, mean_latency_ms
from server.core.layout import Finger, Hand, KeyRow, Level, own_remaps, types
from server.core.source import DEFAULT_LAYOUTS
from server.core.weak_keys import (
    PHRASES,
    Slip,
    WeakKey,
    find_weak_keys,
    insights,
    recommendation,
)
from server.db.counts import unpack_counts
from server.db.history import Filter, list_counts, load_counters
from server.db.queries import find_user
from server.lessons import Lessons

# Adding up costs: of a period with more attempts only the newest are looked at.
ATTEMPTS_MAX = 50

LayoutName = Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,32}$")]


class KeyStatsQuery(DaysQuery, PeriodQuery):
    """A period that ends today, or days of one's choice: where both are given, both hold."""

    layout: LayoutName | None = None

    def chosen(self, now_ms: int) -> Filter:
        """Which attempts."""
        chosen = replace(self.filter(), layout=self.layout)
        since_ms = max(self.since_ms(now_ms) or 0, chosen.since_ms or 0)
        return replace(chosen, since_ms=since_ms or None)


class KeyStatsEntry(TypedDict):
    """One key, or two keys in a row: then the second is counted. `latency_ms` is a mean."""

    presses: int
    errors: int
    error_rate: float
    latency_ms: float | None
    confusions: dict[str, int]


class KeyStatsAnswer(Model):
    """`keys` of all time and every mode and verdict are of every attempt; all other ones, and all
    `bigrams`, are added up from the newest `attempts_counted` of the `attempts` there are (at most
    `attempts_max`). `layouts` are all that you have ever typed that language on, whichever is asked
    for.
    """

    user_id: str
    period: Period
    language: str | None
    layout: str | None
    layouts: list[str]
    keys: dict[str, KeyStatsEntry]
    bigrams: dict[str, KeyStatsEntry]
    attempts: int
    attempts_counted: int
    attempts_max: int


async def key_stats(parts: Parts, call: Call) -> KeyStatsAnswer:
    query: KeyStatsQuery = call.query
    user_id = call.me.user_id
    wanted = query.chosen(parts.clock.now_ms())
    counted = await list_counts(parts.database, user_id, wanted, ATTEMPTS_MAX)
    total = Counts()
    for packed in counted.newest:
        total.add(unpack_counts(packed))
    keys = total.keys
    if wanted == Filter(language=query.language, layout=query.layout):
        counters = await load_counters(parts.database, user_id, query.language, query.layout)
        ever: dict[str, KeyStats] = {}
        for layout in counters.values():
            add_stats(ever, layout)
        keys = {key: pack_stats(stats) for key, stats in ever.items()}
    # Checking what was just counted here would take as long as counting it.
    return KeyStatsAnswer.model_construct(
        user_id=user_id,
        period=query.period,
        language=query.language,
        layout=query.layout,
        keys=_entries(keys),
        bigrams=_entries(total.bigrams),
        layouts=list(counted.layouts),
        attempts=counted.attempts,
        attempts_counted=len(counted.newest),
        attempts_max=ATTEMPTS_MAX,
    )


def _entries(counted: Mapping[str, Packed]) -> dict[str, KeyStatsEntry]:
    return {name: _entry(*counted[name]) for name in sorted(counted)}


def _entry(
    presses: int,
    errors: int,
    latency_sum_ms: int,
    latency_count: int,
    confusions: dict[str, int] | None = None,
) -> KeyStatsEntry:
    return {
        "presses": presses,
        "errors": errors,
        "error_rate": error_rate(errors, presses),
        "latency_ms": mean_latency_ms(latency_sum_ms, latency_count),
        "confusions": confusions or {},
    }


# What to practise


class WeakKeysBody(Model):
    """A key is weak with more than `min_error_count` errors at a rate over `min_error_rate`.

    A rate above 1 is taken for per cent. `words_in` is the language of the answer.
    """

    user_id: Annotated[str, Field(pattern=f"^{UUID_PATTERN}$")] | None = None
    min_error_count: Annotated[int, Field(ge=0, le=1_000_000)] = 3
    min_error_rate: Annotated[float, Field(ge=0, le=100)] = 0.1
    language: LanguageName | None = None
    layout: LayoutName | None = None
    words_in: Literal["en", "ru"] = "en"


class InsteadAnswer(Model):
    """A key that was hit for another, and how often."""

    key: str
    count: int


class WeakKeyAnswer(Model):
    """A weak key. Finger, hand and row are null for a key that is on no known layout.

    `code` is KeyboardEvent.code, `level` what is held. `slip` says how the key that was hit most
    for it lies to it, `lesson` which one teaches it. Keys and fingers are as the person's settings
    have them.
    """

    key: str
    layout: str
    error_count: int
    total_presses: int
    error_rate: float
    latency_ms: float | None
    finger: Finger | None
    hand: Hand | None
    row: KeyRow | None
    shift: bool | None
    code: str | None
    level: Level | None
    instead: list[InsteadAnswer]
    slip: Slip | None
    lesson: str | None
    recommendation: str


class PracticeAnswer(Model):
    """A source to open an attempt with: a text made from the weak keys."""

    kind: Literal["practice"]
    language: str
    layout: str


class WeakKeysAnswer(Model):
    """At most ten weak keys, worst first; the lessons that teach them, in the same order."""

    user_id: str
    weak_keys: list[WeakKeyAnswer]
    recommended_lessons: list[str]
    practice: PracticeAnswer | None
    ai_insights: str


async def weak_keys(parts: Parts, call: Call) -> WeakKeysAnswer:
    must_grant(call, "ai_analysis")
    body: WeakKeysBody = call.body
    user_id = call.me.user_id
    if body.user_id not in (None, user_id):
        raise ApiError(404, "not_found", "There is no such person, or it is not you.")
    layouts = await load_counters(parts.database, user_id, body.language, body.layout)
    person = await find_user(parts.database, user_id)
    settings = None if person is None else person["settings"]
    remaps = {name: own_remaps(name, settings) for name in layouts}
    rate = body.min_error_rate
    rate = rate / 100 if rate > 1 else rate
    weak = find_weak_keys(layouts, body.min_error_count, rate, remaps)
    phrases = PHRASES[body.words_in]
    # Which lesson teaches a key is looked for in all of them: too long for the loop.
    answers = await asyncio.to_thread(_weak_keys, parts.lessons, weak, body.words_in)
    return WeakKeysAnswer(
        user_id=user_id,
        weak_keys=answers,
        recommended_lessons=list(dict.fromkeys(one.lesson for one in answers if one.lesson)),
        practice=_practice(weak, body.language),
        ai_insights=insights(weak, any(layouts.values()), phrases),
    )


def _weak_keys(lessons: Lessons, weak: Sequence[WeakKey], words_in: str) -> list[WeakKeyAnswer]:
    return [_weak_key(lessons, found, words_in) for found in weak]


def _weak_key(lessons: Lessons, weak: WeakKey, words_in: str) -> WeakKeyAnswer:
    score = weak.stats.score()
    phrases = PHRASES[words_in]
    said = recommendation(weak, phrases)
    lesson = lessons.teaching(weak.key, weak.layout)
    if lesson is not None:
        said += " " + phrases.lesson.format(title=lessons.title(lesson, words_in))
    place = weak.place
    return WeakKeyAnswer(
        key=weak.key,
        layout=weak.layout,
        error_count=score.errors,
        total_presses=score.presses,
        error_rate=weak.stats.error_rate,
        latency_ms=score.latency_ms,
        finger=None if place is None else place.finger,
        hand=None if place is None else place.hand,
        row=None if place is None else place.row,
        shift=None if place is None else place.shift,
        code=None if place is None else place.code,
        level=None if place is None else place.level,
        instead=[InsteadAnswer(key=key, count=count) for key, count in weak.instead],
        slip=weak.slip,
        lesson=None if lesson is None else lesson.id,
        recommendation=said,
    )


def _practice(weak: Sequence[WeakKey], language: str | None) -> PracticeAnswer | None:
    """Practice on the layout of the worst key that has one, in a language that it types."""
    for found in weak:
        for one in DEFAULT_LAYOUTS if language is None else [language]:
            if types(found.layout, one):
                return PracticeAnswer(kind="practice", language=one, layout=found.layout)
    return None


ENDPOINTS: list[Endpoint] = [
    Endpoint(
        "GET",
        "/key-stats",
        key_stats,
        "Your presses, errors, speed and confusions, by key and by two keys in a row.",
        "key stats",
        Who.PERSON,
        query=KeyStatsQuery,
        answer=KeyStatsAnswer,
        kept=that_day,
    ),
    Endpoint(
        "POST",
        "/ai/weak-keys-analysis",
        weak_keys,
        "Which of your keys are weak, which finger it is, and what to practise.",
        "key stats",
        Who.PERSON,
        body=WeakKeysBody,
        answer=WeakKeysAnswer,
        errors={403: ("plan_required",), 404: ("not_found",)},
    ),
]
