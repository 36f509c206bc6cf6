"""A simulated learner, made of how people were measured to type.

Sources, all of the 136 million keystrokes of Aalto unless said: a person's ln latency has an sd of
0.57, about 0.25 of it between keys; within a key it is skewed, which a slow component makes here;
7 characters of 100 go wrong, mostly into a neighbouring key; digraphs differ by about 0.15. Each
key improves by the power law of practice (Newell and Rosenbloom 1981), exponent 0.4 for latency;
what was gained is forgotten by half in 45 days without that key, and never below where it began.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log
from random import Random

from server.core.bigrams import Counts, pack_stats
from server.core.key_model import Evidence
from server.core.key_stats import KeyStats
from server.core.layout import KeyPlace, key_places

DAY_MS = 86_400_000
TEXTS_A_DAY = 12
PAUSE_MS = 20_000  # between two texts

WITHIN_KEY = 0.45
SLOW_SHARE = 0.06  # of presses before which somebody thinks or looks
SLOWER = 2.5
SKEW = WITHIN_KEY**2 / 2 + log(1 + SLOW_SHARE * (SLOWER - 1))  # of the mean above the middle
BETWEEN_BIGRAMS = 0.15
POWER = 0.4
ERROR_POWER = 0.7
PRESSES_SCALE = 60.0  # presses after which a key has begun to improve
FORGOTTEN_DAYS = 45.0
BEST_LATENCY = 0.35  # of where a key begins, without end
BEST_ERRORS = 0.1
NEAR_SPEED = 0.97
NEAR_ERRORS = 0.05
NEIGHBOUR_SHARE = 0.7  # of slips that hit a key beside the one meant
AFTER_DELETE_MS = 1.5  # times the latency, as after a correction


@dataclass(frozen=True)
class Kind:
    """What somebody brings along. `weak_*` name keys and how many times worse they begin."""

    name: str
    language: str
    layout: str
    wpm: float
    error_rate: float
    target_wpm: float
    weak: int = 5
    weak_speed: float = 1.5
    weak_errors: float = 3.0
    beginner: bool = False


KINDS = (
    Kind("typist, 5 keys slow and wrong", "en", "qwerty", 50, 0.05, 55),
    Kind("typist, 5 keys wrong but fast", "en", "qwerty", 50, 0.05, 55, weak_speed=1.0),
    Kind("typist, 5 keys slow but right", "en", "qwerty", 50, 0.05, 55, weak_errors=1.0),
    Kind("Russian typist, 5 keys slow and wrong", "ru", "jcuken", 45, 0.06, 50),
    Kind(
        "beginner, all keys", "en", "qwerty", 18, 0.06, 22, weak=4, weak_errors=2.0, beginner=True
    ),
)


@dataclass(slots=True)
class Skill:
    """One key: where it began, and how much practice is still worth something."""

    first_ms: float
    first_errors: float
    practised: float = 0.0
    last_at_ms: int = 0


class Person:
    """Types what is given, slips, and learns; every number follows from the seed."""

    def __init__(self, kind: Kind, letters: Sequence[str], seed: int) -> None:
        self.kind = kind
        self.now_ms = DAY_MS
        self.presses = 0
        self.texts = 0
        self.ever: dict[str, KeyStats] = {}
        self._rng = Random(seed)
        self._places = key_places(kind.layout)
        self._letters = list(letters)
        self.weak = frozenset(self._rng.sample(self._letters, kind.weak))
        self._skills = {key: self._skill(key) for key in [*letters, " "]}
        self._bigrams: dict[str, float] = {}
        self._beside = {key: self._neighbours(key) for key in self._skills}

    def _skill(self, key: str) -> Skill:
        typical = 12_000 / self.kind.wpm
        latency = typical * exp(self._rng.gauss(0, 0.18))
        errors = self.kind.error_rate * exp(self._rng.gauss(0, 0.4))
        if key in self.weak:
            latency = typical * self.kind.weak_speed
            errors = min(0.5, self.kind.error_rate * self.kind.weak_errors)
        if key == " ":
            latency, errors = typical * 0.86, self.kind.error_rate / 2
        return Skill(latency, errors)

    def _neighbours(self, key: str) -> list[str]:
        place = self._places[key]
        near = [
            other
            for other in self._letters
            if other != key and _distance(self._places[other], place) <= 1
        ]
        return near or [other for other in self._letters if other != key]

    # How good they are, truly

    def latency_ms(self, key: str) -> float:
        """What a press takes on average."""
        skill = self._skills[key]
        rest: float = (1 + self._practised(skill) / PRESSES_SCALE) ** -POWER
        return skill.first_ms * (BEST_LATENCY + (1 - BEST_LATENCY) * rest)

    def error_rate(self, key: str) -> float:
        skill = self._skills[key]
        rest: float = (1 + self._practised(skill) / PRESSES_SCALE) ** -ERROR_POWER
        return skill.first_errors * (BEST_ERRORS + (1 - BEST_ERRORS) * rest)

    def _practised(self, skill: Skill) -> float:
        days = max(0, self.now_ms - skill.last_at_ms) / DAY_MS
        left: float = 0.5 ** (days / FORGOTTEN_DAYS)
        return skill.practised * left

    def weakest(self, count: int) -> frozenset[str]:
        """The letters that are truly furthest from the target now."""

        def reached(key: str) -> float:
            speed = 12_000 / self.kind.target_wpm / self.latency_ms(key)
            return min(speed, 0.04 / self.error_rate(key))

        return frozenset(sorted(self._letters, key=reached)[:count])

    def is_there(self, key: str) -> bool:
        """Whether speed and accuracy of the key have reached the target, as near as can be told.

        Policies aim at the target itself: 96 % right. No policy could see the last percent.
        """
        fast = self.latency_ms(key) <= 12_000 / self.kind.target_wpm / NEAR_SPEED
        return fast and self.error_rate(key) <= NEAR_ERRORS

    # Typing

    def type(self, words: Sequence[str]) -> Evidence:
        """Type a text, mending each slip at once, and learn from it."""
        keys: dict[str, KeyStats] = {}
        bigrams: dict[str, KeyStats] = {}
        before: str | None = None
        started_ms = self.now_ms
        for key in " ".join(words):
            before = self._press(key, before, keys, bigrams)
        self.texts += 1
        day = DAY_MS * (self.texts // TEXTS_A_DAY + 1)
        self.now_ms = max(self.now_ms + PAUSE_MS, day)
        for name, stats in keys.items():
            self.ever.setdefault(name, KeyStats()).add(stats)
        packed = [{name: pack_stats(one) for name, one in part.items()} for part in (keys, bigrams)]
        return Evidence(max(started_ms, self.now_ms - PAUSE_MS), Counts(*packed))

    def _press(
        self,
        key: str,
        before: str | None,
        keys: dict[str, KeyStats],
        bigrams: dict[str, KeyStats],
    ) -> str | None:
        stats = keys.setdefault(key, KeyStats())
        while self._rng.random() < self.error_rate(key):
            hit = self._slip(key)
            stats.wrong(hit)
            if before is not None:
                bigrams.setdefault(before + key, KeyStats()).wrong(hit)
            self._learn(key, AFTER_DELETE_MS * self.latency_ms(key))
            before = None
        took_ms = self._takes_ms(before, key)
        stats.right(took_ms, after_right_press=before is not None)
        if before is not None:
            bigrams.setdefault(before + key, KeyStats()).right(took_ms, after_right_press=True)
        self._learn(key, took_ms)
        return key

    def _learn(self, key: str, took_ms: float) -> None:
        skill = self._skills[key]
        skill.practised = self._practised(skill) + 1
        self.now_ms += round(took_ms)
        skill.last_at_ms = self.now_ms
        self.presses += 1

    def _slip(self, key: str) -> str:
        others = self._beside[key]
        if self._rng.random() > NEIGHBOUR_SHARE:
            others = self._letters
        return self._rng.choice([other for other in others if other != key] or self._letters)

    def _takes_ms(self, before: str | None, key: str) -> int:
        middle = log(self.latency_ms(key)) - SKEW + self._of_bigram(before, key)
        spread = self._rng.gauss(0, WITHIN_KEY)
        if self._rng.random() < SLOW_SHARE:
            spread += log(SLOWER)
        return round(exp(middle + spread))

    def _of_bigram(self, before: str | None, key: str) -> float:
        name = (before or "") + key
        if name not in self._bigrams:
            self._bigrams[name] = self._rng.gauss(0, BETWEEN_BIGRAMS)
        return self._bigrams[name]


def _distance(one: KeyPlace, other: KeyPlace) -> float:
    rows = list(type(one.row))
    return max(abs(one.column - other.column), abs(rows.index(one.row) - rows.index(other.row)))
