"""What a person has typed: the list with its filters, and what it amounts to."""

import re
from collections import Counter
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from operator import attrgetter
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field
from typing_extensions import TypedDict

from server.api.attempts import UUID_PATTERN, AttemptAnswer, nothing_else, shown
from server.api.endpoint import ApiError, Call, Endpoint, Model, Parts, Query, Who
from server.api.kept import entity_tag
from server.core.course import Block
from server.core.source import SourceKind
from server.db.history import DAY_MS, EVERYTHING, Filter, Place, list_history
from server.db.lessons import list_completed
from server.db.stats import Day, list_days

MINUTE_MS = 60_000
OFFSET_MAX = 1_000_000
INSTANT_MS_MAX = 10**14
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_iso = re.compile(r"\d{4}-\d\d-\d\d")


def _iso_only(given: object) -> object:
    # A number is Unix ms, never the seconds that pydantic would take it for.
    if isinstance(given, str) and not _iso.match(given):
        raise ValueError("must be Unix ms or a date and time as in 2026-01-31T12:00:00Z")
    return given


Instant = Annotated[
    Annotated[int, Field(ge=0, le=INSTANT_MS_MAX)]
    | Annotated[datetime, BeforeValidator(_iso_only)],
    Field(union_mode="left_to_right"),
]
CalendarDay = Annotated[date, BeforeValidator(_iso_only)]
LanguageName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z-]{1,15}$")]


def _in_ms(instant: int | datetime | None) -> int | None:
    if not isinstance(instant, datetime):
        return instant
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return (aware - EPOCH) // timedelta(milliseconds=1)


class AttemptQuery(Query):
    """Which attempts. `mode` is a source without its language: time:60, words:25, custom.

    `language` `und` stands for texts of one's own, whose language nobody knows.
    """

    kind: SourceKind | None = None
    language: LanguageName | None = None
    mode: Annotated[str, Field(pattern=r"^[a-z]{1,16}(:[A-Za-z0-9_.-]{1,64})?$")] | None = None
    verdict: Literal["ranked", "unranked", "review"] | None = None

    def filter(self) -> Filter:
        """These conditions, at any time."""
        kind = None if self.kind is None else self.kind.value
        return Filter(kind=kind, mode=self.mode, language=self.language, verdict=self.verdict)


class HistoryQuery(AttemptQuery):
    """Filters and a page. With a `cursor` the page begins after it, and `offset` counts from there.

    `from_date` is the first instant and `to_date` the first one after; a time without a zone is
    UTC. With `keys=false` the `keys` of each attempt, most of what is sent, are left empty.
    """

    limit: Annotated[int, Field(ge=1, le=100)] = 20
    offset: Annotated[int, Field(ge=0, le=OFFSET_MAX)] = 0
    cursor: Annotated[str, Field(pattern=rf"^[0-9]{{1,15}}\.{UUID_PATTERN}$")] | None = None
    lesson_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")] | None = None
    from_date: Instant | None = None
    to_date: Instant | None = None
    keys: bool = True


class HistoryAnswer(Model):
    """A page of attempts, newest first. `total` counts all that pass the filters.

    `next` is the `cursor` of the next page, null on the last.
    """

    total: int
    results: list[AttemptAnswer]
    next: str | None


def _only_me(call: Call) -> str:
    """The caller's id, asked for as `me` or by itself; anybody else is not found."""
    user_id = call.me.user_id
    if call.request.path_params["id"] not in ("me", user_id):
        raise ApiError(404, "not_found", "There is no such person, or it is not you.")
    return user_id


async def history(parts: Parts, call: Call) -> HistoryAnswer:
    user_id = _only_me(call)
    query: HistoryQuery = call.query
    mode = query.mode
    if query.lesson_id is not None:
        lesson = f"{SourceKind.LESSON.value}:{query.lesson_id}"
        if mode not in (None, lesson):
            return HistoryAnswer(total=0, results=[], next=None)
        mode = lesson
    wanted = replace(
        query.filter(),
        since_ms=_in_ms(query.from_date),
        until_ms=_in_ms(query.to_date),
        mode=mode,
    )
    total, rows = await list_history(
        parts.database,
        user_id,
        wanted,
        limit=query.limit + 1,  # one more says whether there is another page
        offset=query.offset,
        after=_place(query.cursor),
    )
    results = [shown(row if query.keys else {**row, "keys": None}) for row in rows[: query.limit]]
    following = None
    if len(rows) > query.limit:
        following = f"{results[-1].finished_at}.{results[-1].id}"
    return HistoryAnswer(total=total, results=results, next=following)


def _place(cursor: str | None) -> Place | None:
    if cursor is None:
        return None
    finished_at_ms, _, attempt_id = cursor.partition(".")
    return Place(int(finished_at_ms), attempt_id)


# Statistics


class Period(StrEnum):
    """So many days up to and with today, by the caller's clock."""

    ALL = "all"
    YEAR = "year"
    MONTH = "month"
    WEEK = "week"
    DAY = "day"


PERIOD_DAYS = {Period.YEAR: 365, Period.MONTH: 30, Period.WEEK: 7, Period.DAY: 1}


class ClockQuery(Query):
    """`utc_offset_minutes` says how far the caller's clock is ahead of UTC: it makes the days."""

    utc_offset_minutes: Annotated[int, Field(ge=-840, le=840)] = 0

    @property
    def utc_offset_ms(self) -> int:
        return self.utc_offset_minutes * MINUTE_MS

    def today(self, now_ms: int) -> int:
        """The caller's day, counted from 1970-01-01."""
        return (now_ms + self.utc_offset_ms) // DAY_MS


class PeriodQuery(ClockQuery):
    """A period that ends today, by the caller's clock."""

    period: Period = Period.ALL

    def first_day(self, now_ms: int) -> int | None:
        """The first day of the period; None for all time."""
        days = PERIOD_DAYS.get(self.period)
        return None if days is None else self.today(now_ms) - days + 1

    def since_ms(self, now_ms: int) -> int | None:
        """When the period began; None for all time."""
        first = self.first_day(now_ms)
        return None if first is None else first * DAY_MS - self.utc_offset_ms


def that_day(_parts: Parts, call: Call, now_ms: int) -> int:
    """What an answer to a ClockQuery is made of besides the history: the caller's day."""
    query: ClockQuery = call.query
    return query.today(now_ms)


class DaysQuery(AttemptQuery, ClockQuery):
    """Attempts of the days from `from_day` to `to_day`, both included, by the caller's clock."""

    from_day: CalendarDay | None = None
    to_day: CalendarDay | None = None

    def filter(self) -> Filter:
        """These conditions, within those days."""
        since_ms = None if self.from_day is None else self._begin_ms(self.from_day)
        until_ms = None if self.to_day is None else self._begin_ms(self.to_day) + DAY_MS
        return replace(super().filter(), since_ms=since_ms, until_ms=until_ms)

    def _begin_ms(self, day: date) -> int:
        return number_of(day) * DAY_MS - self.utc_offset_ms


def number_of(day: date) -> int:
    """The day counted from 1970-01-01."""
    return day.toordinal() - EPOCH.toordinal()


def named(number: int) -> str:
    """The day of that number, as 2026-01-31."""
    return date.fromordinal(EPOCH.toordinal() + number).isoformat()


class DayAnswer(TypedDict):
    """One day. The means are over the attempts that were completed; null if none was."""

    date: str
    attempts: int
    avg_wpm: float | None
    avg_raw_wpm: float | None
    accuracy: float | None
    consistency: float | None


class Streak(Model):
    """Days in a row with an attempt; `current` still counts while today has none yet."""

    current: int
    best: int


class StatsAnswer(Model):
    """What a person's attempts amount to.

    `attempts`, errors and time count every attempt with a result; means are over those that were
    completed, bests over those that are ranked. Lessons are those of the course that were typed to
    the end, or reported, in any language. `streak_days` is of all time, whatever the period.
    """

    user_id: str
    period: Period
    attempts: int
    attempts_completed: int
    total_lessons_completed: int
    total_lessons_available: int
    average_wpm: float | None
    average_raw_wpm: float | None
    best_wpm: float | None
    average_accuracy: float | None
    best_accuracy: float | None
    average_consistency: float | None
    total_errors: int
    total_time_ms: int
    total_time_seconds: int
    lessons_by_difficulty: dict[str, int]
    streak_days: Streak
    progress_trend: list[DayAnswer]


async def stats(parts: Parts, call: Call) -> StatsAnswer:
    query: PeriodQuery = call.query
    user_id = call.me.user_id
    now_ms = parts.clock.now_ms()
    today = query.today(now_ms)
    every_day = await days_of(parts, call, query.utc_offset_ms)
    first = query.first_day(now_ms)
    days = [day for day in every_day if first is None or day.day >= first]
    lessons = await _lessons_by_block(parts, user_id, query.since_ms(now_ms))
    time_ms = sum(day.duration_ms for day in days)
    return StatsAnswer(
        user_id=user_id,
        period=query.period,
        attempts=sum(day.attempts for day in days),
        attempts_completed=sum(day.completed for day in days),
        total_lessons_completed=sum(lessons.values()),
        total_lessons_available=len(parts.lessons.course),
        lessons_by_difficulty=lessons,
        average_wpm=mean(days, "wpm", 2),
        average_raw_wpm=mean(days, "raw_wpm", 2),
        average_accuracy=mean(days, "accuracy", 4),
        average_consistency=mean(days, "consistency", 4),
        best_wpm=_best(day.best_wpm for day in days),
        best_accuracy=_best(day.best_accuracy for day in days),
        total_errors=sum(day.errors for day in days),
        total_time_ms=time_ms,
        total_time_seconds=time_ms // 1_000,
        streak_days=streak([day.day for day in every_day], today),
        progress_trend=[_day(day) for day in days],
    )


async def _lessons_by_block(parts: Parts, user_id: str, since_ms: int | None) -> dict[str, int]:
    modes = set(await list_completed(parts.database, user_id, since_ms))
    course = parts.lessons.course
    completed = Counter(lesson.block for lesson in course if lesson.mode in modes)
    return {block.value: completed[block] for block in Block}


async def days_of(
    parts: Parts, call: Call, utc_offset_ms: int, wanted: Filter = EVERYTHING
) -> list[Day]:
    """What each day of the caller amounts to: all periods and charts are made of the same."""
    me = call.me

    def ask() -> Awaitable[list[Day]]:
        return list_days(parts.database, me.user_id, utc_offset_ms, wanted)

    if me.history is None:
        return await ask()
    return await parts.days.get(entity_tag(me.user_id, me.history, utc_offset_ms, wanted), ask)


def mean(days: Sequence[Day], measure: str, digits: int) -> float | None:
    """The mean of a measure over the completed attempts of these days; None if there are none."""
    sums, counts = attrgetter(f"{measure}_sum"), attrgetter(f"{measure}_count")
    return _share(sum(one or 0 for one in map(sums, days)), sum(map(counts, days)), digits)


def _share(total: float | None, count: int, digits: int) -> float | None:
    return round(float(total or 0) / count, digits) if count else None


def _best(found: Iterable[float | None]) -> float | None:
    return max((one for one in found if one is not None), default=None)


def _day(day: Day) -> DayAnswer:
    return DayAnswer(
        date=named(day.day),
        attempts=day.attempts,
        avg_wpm=_share(day.wpm_sum, day.wpm_count, 2),
        avg_raw_wpm=_share(day.raw_wpm_sum, day.raw_wpm_count, 2),
        accuracy=_share(day.accuracy_sum, day.accuracy_count, 4),
        consistency=_share(day.consistency_sum, day.consistency_count, 4),
    )


def streak(days: Sequence[int], today: int) -> Streak:
    """The streaks among days in rising order."""
    best = run = 0
    before: int | None = None
    for day in days:
        run = run + 1 if before is not None and day == before + 1 else 1
        best = max(best, run)
        before = day
    alive = before is not None and before >= today - 1
    return Streak(current=run if alive else 0, best=best)


ENDPOINTS: list[Endpoint] = [
    Endpoint(
        "GET",
        "/users/{id}/progress",
        history,
        "Your attempts, newest first. Only your own: `me`, or your id.",
        "history",
        Who.PERSON,
        query=HistoryQuery,
        answer=HistoryAnswer,
        errors={404: ("not_found",)},
        path_patterns={"id": f"me|{UUID_PATTERN}"},
        kept=nothing_else,
    ),
    Endpoint(
        "GET",
        "/progress/stats",
        stats,
        "What your attempts amount to, in all and day by day.",
        "history",
        Who.PERSON,
        query=PeriodQuery,
        answer=StatsAnswer,
        kept=that_day,
    ),
]
