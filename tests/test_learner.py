"""Practice against other ways, in a short form of `make learners`."""

from server.core.lexicon import Lexicon
from tests.learner.__main__ import table
from tests.learner.person import KINDS, NEAR_ERRORS, Kind, Person
from tests.learner.policies import Even, LikeKeybr, Ours
from tests.learner.trial import Outcome, lexicon, run

PRESSES_MAX = 40_000
SEEDS = (1, 2)
WRONG_BUT_FAST = KINDS[1]


def test_the_target_is_reached_in_fewer_keystrokes_than_by_either_other_way() -> None:
    pressed = {
        policy.name: [run(WRONG_BUT_FAST, policy, seed, PRESSES_MAX).presses for seed in SEEDS]
        for policy in (Ours, Even, LikeKeybr)
    }
    assert all(presses < PRESSES_MAX for presses in pressed[Ours.name])
    for other in (Even, LikeKeybr):
        assert sum(pressed[Ours.name]) < 0.75 * sum(pressed[other.name]), pressed


def learner(kind: Kind = WRONG_BUT_FAST) -> tuple[Person, Lexicon]:
    words = lexicon(kind.language)
    return Person(kind, sorted(words.letters), 3), words


def test_a_learner_is_as_weak_as_said_and_learns_what_is_typed() -> None:
    person, words = learner()
    weak = min(person.weak)
    began = person.error_rate(weak)
    assert began > 2 * WRONG_BUT_FAST.error_rate > NEAR_ERRORS
    assert not person.is_there(weak)
    holders = list(words.holders[weak][:20])
    for _ in range(60):
        evidence = person.type(holders)
    assert person.error_rate(weak) < began / 2
    assert evidence.counts.keys[weak][0] >= 20
    assert evidence.at_ms <= person.now_ms


def test_what_is_not_typed_is_forgotten() -> None:
    person, words = learner()
    person.type(list(words.holders["e"][:100]))
    fresh = person.latency_ms("e")
    person.now_ms += 60 * 86_400_000
    assert person.latency_ms("e") > fresh


def test_the_table_says_when_nobody_got_there() -> None:
    never = Outcome([0.4, 0.6, 0.6, 0.8], 0.5, 60_000)
    soon = Outcome([0.4, 0.6, 0.8, 0.8], 0.7, 20_000)
    written = table({("typist", "ours"): [never, soon, never]})
    assert table({("typist", "ours"): [never]}).endswith("| over 60,000 | over 60,000 |\n")
    assert written.splitlines()[-1] == (
        "| typist | ours | 40% | 60% | 67% | 80% | 57% | over 60,000 | 20,000 to over 60,000 |"
    )
