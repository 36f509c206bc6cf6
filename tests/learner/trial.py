"""One learner under one policy: how soon the weak keys are known, and the target is reached."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from server.core.lexicon import Lexicon
from server.lessons import read_words
from tests.learner.person import Kind, Person
from tests.learner.policies import Policy

LOOKS = (500, 1_000, 2_000, 4_000)  # keystrokes after which it is asked which keys are weak
HALFWAY = 10_000
PRESSES_MAX = 60_000


@dataclass(frozen=True)
class Outcome:
    """`found`: at each of LOOKS, the share of the weak keys among as many as are named weakest.

    As many are named as there are, so precision and recall are this one number.
    """

    found: Sequence[float]
    there: float  # the share of letters that have reached the target after HALFWAY keystrokes
    presses: int  # until every letter has reached the target; PRESSES_MAX: it never did


@cache
def lexicon(language: str) -> Lexicon:
    return Lexicon(read_words(language, "lesson_words"), read_words(language, "unwanted"))


def run(kind: Kind, policy_of: type[Policy], seed: int, presses_max: int = PRESSES_MAX) -> Outcome:
    """The same seed makes the same learner for each policy."""
    words = lexicon(kind.language)
    letters = sorted(words.letters)
    person = Person(kind, letters, seed)
    policy = policy_of(person, words, seed + 1_000)
    found: list[float] = []
    there = 0.0
    while person.presses < presses_max and not all(map(person.is_there, letters)):
        policy.learn(person.type(policy.words()))
        if person.presses <= HALFWAY or there == 0.0:
            there = sum(map(person.is_there, letters)) / len(letters)
        while len(found) < len(LOOKS) and person.presses >= LOOKS[len(found)]:
            named = policy.weakest_first()[: kind.weak]
            found.append(len(person.weakest(kind.weak).intersection(named)) / kind.weak)
    found += [found[-1] if found else 0.0] * (len(LOOKS) - len(found))
    return Outcome(found, there, min(person.presses, presses_max))
