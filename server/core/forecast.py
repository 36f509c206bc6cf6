"""When a target will be reached, if practice goes on as it has gone."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import exp, log, sqrt

from server.core.key_model import BOUND, DAY_MS, Evidence
from server.core.strength import MS_PER_WPM, Target

ATTEMPTS_MIN = 8
PRESSES_MIN = 1_000
GROWTH_MAX = 100.0  # times all that was ever pressed: further ahead nobody can look


class Outlook(StrEnum):
    REACHED = "reached"
    AHEAD = "ahead"  # presses and days can be said
    TOO_LITTLE = "too_little"  # not enough was typed yet
    STANDSTILL = "standstill"  # no progress can be told from chance, or none to that end


class Side(StrEnum):
    SPEED = "speed"
    ACCURACY = "accuracy"


@dataclass(frozen=True, slots=True)
class Forecast:
    """`presses` and `days` as (soonest, likely, latest), each bound with a chance of CREDIBLE.

    They are None unless the outlook is AHEAD; `latest` alone is None when it cannot be told.
    `side` is what takes longer.
    """

    outlook: Outlook
    side: Side
    presses: tuple[int, int, int | None] | None = None
    days: tuple[float, float, float | None] | None = None


@dataclass(frozen=True, slots=True)
class _Point:
    presses_before: float
    presses: int
    value: float  # the logarithm of what should become less


def forecast(newest_first: Sequence[Evidence], ever: int, target: Target) -> Forecast:
    """By the power law of practice: ln latency, and ln error rate, fall along ln presses.

    `ever` counts all presses up to now. Each line is fitted by least squares, an attempt weighing
    as much as it has presses; the bounds come from the uncertainty of its slope.
    """
    speed, accuracy = _points(newest_first, ever)
    pressed = sum(point.presses for point in accuracy)
    if len(speed) < ATTEMPTS_MIN or pressed < PRESSES_MIN:
        return Forecast(Outlook.TOO_LITTLE, Side.SPEED)
    goals = {
        Side.SPEED: (speed, log(MS_PER_WPM / target.wpm)),
        Side.ACCURACY: (accuracy, log(max(target.error_rate, 0.001))),
    }
    span_ms = newest_first[0].at_ms - newest_first[-1].at_ms
    a_day = pressed / max(1.0, span_ms / DAY_MS)
    outlooks = [_ahead(side, points, goal, ever, a_day) for side, (points, goal) in goals.items()]
    return max(outlooks, key=_lasts)


def _lasts(found: Forecast) -> float:
    if found.outlook is Outlook.STANDSTILL:
        return float("inf")
    return found.presses[1] if found.presses else -1.0


def _points(newest_first: Sequence[Evidence], ever: int) -> tuple[list[_Point], list[_Point]]:
    """An attempt each, newest first: its mean latency, and its share of errors."""
    speed, accuracy = [], []
    before = float(ever)
    for evidence in newest_first:
        presses = errors = ms = timed = 0
        for packed in evidence.counts.keys.values():
            presses += packed[0]
            errors += packed[1]
            ms += packed[2]
            timed += packed[3]
        middle = max(1.0, before - presses / 2)
        before = max(1.0, before - presses)
        if presses:
            # Half an error more, so that an attempt without one has a logarithm.
            accuracy.append(_Point(middle, presses, log((errors + 0.5) / (presses + 1))))
        if timed and ms:
            speed.append(_Point(middle, timed, log(ms / timed)))
    return speed, accuracy


def _ahead(side: Side, points: Sequence[_Point], goal: float, ever: int, a_day: float) -> Forecast:
    now, slope, slope_sd = _fit(points, log(ever))
    if now <= goal:
        return Forecast(Outlook.REACHED, side)
    if slope + BOUND * slope_sd >= 0:
        return Forecast(Outlook.STANDSTILL, side)

    def presses(at: float) -> float | None:
        growth = (goal - now) / at if at < 0 else float("inf")
        return ever * (exp(growth) - 1) if growth < log(GROWTH_MAX) else None

    likely = presses(slope)
    if likely is None:
        return Forecast(Outlook.STANDSTILL, side)
    soonest = presses(slope - BOUND * slope_sd) or 0.0
    latest = presses(slope + BOUND * slope_sd)
    return Forecast(
        Outlook.AHEAD,
        side,
        (round(soonest), round(likely), None if latest is None else round(latest)),
        (soonest / a_day, likely / a_day, None if latest is None else latest / a_day),
    )


def _fit(points: Sequence[_Point], x_now: float) -> tuple[float, float, float]:
    """The line's value at `x_now`, its slope, and the slope's standard deviation."""
    xs = [log(point.presses_before) for point in points]
    weight = sum(point.presses for point in points)
    x_mean = sum(x * point.presses for x, point in zip(xs, points, strict=True)) / weight
    y_mean = sum(point.value * point.presses for point in points) / weight
    spread = sum((x - x_mean) ** 2 * p.presses for x, p in zip(xs, points, strict=True))
    if spread <= 0:
        return y_mean, 0.0, float("inf")
    slope = (
        sum((x - x_mean) * (p.value - y_mean) * p.presses for x, p in zip(xs, points, strict=True))
        / spread
    )
    left = sum(
        (p.value - y_mean - slope * (x - x_mean)) ** 2 * p.presses
        for x, p in zip(xs, points, strict=True)
    )
    sd = sqrt(left / max(1, len(points) - 2) / spread)
    return y_mean + slope * (x_now - x_mean), slope, sd
