"""How people type, made up: times between keys as published of 136 million keystrokes.

Within a person the logarithm of the time between two keys spreads by 0.57 around their own
median, with a tail of pauses; a backspace comes after 2.7 times the median, the key after it after
1.5 times, a space after 0.86 and the key after a space after 1.3 times (Dhakal and others,
"Observations on Typing from 136 Million Keystrokes", CHI 2018, and sums of that data).
"""

import math
from collections.abc import Iterator
from random import Random
from typing import NamedTuple

KEYSTROKES_PER_S = 5.6  # 67 wpm, the mean over everybody
SPREAD_OF_PEOPLE = 0.42  # of the logarithm: p10 27 and p90 80 wpm around p50 48
SPREAD = 0.5
PAUSE_SHARE = 0.04
PAUSE_TIMES = 3.0
MISTAKE_SHARE = 0.04
DELETE = "\b"
# How much longer than the median the mean is with all of the above.
MEAN_TIMES = 1.39


class Press(NamedTuple):
    """A key, and how long after the one before it is pressed."""

    dt_ms: int
    key: str


class Batch(NamedTuple):
    """What a client sends at once, and when, counted from its first key."""

    at_ms: int
    seq: int
    presses: tuple[Press, ...]


def typing(text: str, random: Random) -> Iterator[Press]:
    """One person's keystrokes, mistakes and their mending, until the text is typed."""
    speed = math.exp(random.gauss(0, SPREAD_OF_PEOPLE) - SPREAD_OF_PEOPLE**2 / 2)
    median_ms = 1_000 / KEYSTROKES_PER_S / MEAN_TIMES / speed
    before = ""
    for place, right in enumerate(text):
        wrong = place < len(text) - 1 and random.random() < MISTAKE_SHARE
        for key in ("q", DELETE, right) if wrong else (right,):
            times = math.exp(random.gauss(0, SPREAD))
            if random.random() < PAUSE_SHARE:
                times *= PAUSE_TIMES
            times *= _after(before, key)
            yield Press(int(median_ms * times) if before else 0, key)
            before = key


def _after(before: str, key: str) -> float:
    if key == DELETE:
        return 2.7
    if key == " ":
        return 0.86
    return {DELETE: 1.5, " ": 1.3}.get(before, 1.0)


def batches(presses: Iterator[Press], seconds: float, every_ms: int, wait_ms: int) -> list[Batch]:
    """How a client sends them: `every_ms` after its last batch, `wait_ms` after the first waiting.

    Sixteen that wait go at once.
    """
    made: list[Batch] = []
    waiting: list[Press] = []
    seq, now_ms, due_ms, sent_at_ms = 1, 0, 0, -every_ms
    for press in presses:
        now_ms += press.dt_ms
        if waiting and (due_ms < now_ms or len(waiting) >= 16):
            sent_at_ms = min(due_ms, now_ms)
            made.append(Batch(sent_at_ms, seq, tuple(waiting)))
            seq += len(waiting)
            waiting = []
        if now_ms > seconds * 1_000:
            return made
        if not waiting:
            due_ms = max(now_ms + wait_ms, sent_at_ms + every_ms)
        waiting.append(press)
    if waiting:
        made.append(Batch(due_ms, seq, tuple(waiting)))
    return made
