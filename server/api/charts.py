"""What the attempts that pass a filter amount to: day by day, by their speed, and the best."""

import math
from dataclasses import replace

from typing_extensions import TypedDict

from server.api.endpoint import Call, Endpoint, Model, Parts, Who
from server.api.history import DaysQuery, Streak, days_of, mean, named, number_of, streak, that_day
from server.core.plan import GRANTS
from server.db.stats import SPEED_STEP_WPM, Best, Day, list_speeds

# A calendar of a year has so many days at the most: it begins with a week.
CALENDAR_DAYS = 371


class ChartDay(TypedDict):
    """One day. Means are over the attempts that were completed, `best_wpm` over the ranked ones;
    null if there was none. `wpm_spread` is the standard deviation of their speeds.
    """

    date: str
    attempts: int
    completed: int
    time_ms: int
    errors: int
    wpm: float | None
    wpm_spread: float | None
    best_wpm: float | None
    accuracy: float | None
    consistency: float | None


class SpeedAnswer(TypedDict):
    """How many completed attempts were at least so fast, and slower than the next step."""

    from_wpm: int
    attempts: int


class BestAnswer(TypedDict):
    """The fastest ranked attempt of a mode and language, and how many ranked ones there are."""

    id: str
    mode: str
    language: str | None
    wpm: float
    accuracy: float
    finished_at: int
    attempts: int


class ChartsAnswer(Model):
    """`days` reach back a year from the end, for a calendar, even if `from_day` is later: all else
    is of the days asked for. `streak_days` is of all time. Without advanced stats older days than a
    year are hidden: those before `hidden_before`, null if there are none.

    `speeds` are steps of `speed_step_wpm`; `bests` those of the modes typed most, at most 20.
    """

    days: list[ChartDay]
    hidden_before: str | None
    speed_step_wpm: int
    speeds: list[SpeedAnswer]
    bests: list[BestAnswer]
    streak_days: Streak


async def charts(parts: Parts, call: Call) -> ChartsAnswer:
    query: DaysQuery = call.query
    user_id = call.me.user_id
    today = query.today(parts.clock.now_ms())
    wanted = query.filter()
    always = replace(wanted, since_ms=None, until_ms=None)
    days = await days_of(parts, call, query.utc_offset_ms, always)
    speeds, bests = await list_speeds(parts.database, user_id, wanted)
    last = today if query.to_day is None else number_of(query.to_day)
    first = 0 if query.from_day is None else number_of(query.from_day)
    first = min(first, last - CALENDAR_DAYS + 1)
    shown = first
    if not GRANTS[call.me.plan].advanced_stats:
        shown = max(first, today - CALENDAR_DAYS + 1)
    hidden = any(first <= day.day < shown for day in days)
    return ChartsAnswer(
        hidden_before=named(shown) if hidden else None,
        days=[_day(day) for day in days if shown <= day.day <= last],
        speed_step_wpm=SPEED_STEP_WPM,
        speeds=[
            SpeedAnswer(from_wpm=step * SPEED_STEP_WPM, attempts=count) for step, count in speeds
        ],
        bests=[_best(best) for best in bests],
        streak_days=streak([day.day for day in days], today),
    )


def _day(day: Day) -> ChartDay:
    return ChartDay(
        date=named(day.day),
        attempts=day.attempts,
        completed=day.completed,
        time_ms=day.duration_ms,
        errors=day.errors,
        wpm=mean([day], "wpm", 2),
        wpm_spread=_spread(day),
        best_wpm=day.best_wpm,
        accuracy=mean([day], "accuracy", 4),
        consistency=mean([day], "consistency", 4),
    )


def _spread(day: Day) -> float | None:
    if not day.wpm_count:
        return None
    average = (day.wpm_sum or 0) / day.wpm_count
    # Rounding may leave a little less than nothing.
    variance = max(0.0, (day.wpm_square_sum or 0) / day.wpm_count - average**2)
    return round(math.sqrt(variance), 2)


def _best(best: Best) -> BestAnswer:
    return BestAnswer(
        id=best.id,
        mode=best.mode,
        language=best.language,
        wpm=best.wpm,
        accuracy=best.accuracy,
        finished_at=best.finished_at_ms,
        attempts=best.attempts,
    )


def _that_day_and_plan(parts: Parts, call: Call, now_ms: int) -> object:
    return that_day(parts, call, now_ms), call.me.plan.value


ENDPOINTS: list[Endpoint] = [
    Endpoint(
        "GET",
        "/progress/charts",
        charts,
        "Your attempts day by day, by speed, and the best of each mode, for the filters given.",
        "history",
        Who.PERSON,
        query=DaysQuery,
        answer=ChartsAnswer,
        kept=_that_day_and_plan,
    ),
]
