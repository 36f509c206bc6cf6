"""What is practised next and why, and the text that is made for it."""

from collections import Counter
from itertools import pairwise
from random import Random
from statistics import mean

import pytest

from server.core.bigrams import Counts, Packed
from server.core.key_model import DAY_MS, Evidence
from server.core.key_stats import KeyStats
from server.core.layout import key_places
from server.core.lexicon import Lexicon
from server.core.practice import BIGRAMS_MAX, KEYS_MAX, Practice, Reason, plan_practice
from server.core.practice_text import BIGRAM_MIN, KEY_MIN, KEYS_MIN, MIX_UP_MIN, WORDS, compose
from server.lessons import read_words

NOW_MS = 100 * DAY_MS
LAYOUTS = {"en": "qwerty", "ru": "jcuken"}
LEXICONS = {
    language: Lexicon(read_words(language, "lesson_words"), read_words(language, "unwanted"))
    for language in LAYOUTS
}
WPM = 60  # 200 ms a press


def key(presses: int = 400, errors: int = 2, latency_ms: int = 120) -> Packed:
    right = presses - errors
    return [presses, errors, right * latency_ms, right]


def plan(
    weak: dict[str, Packed] | None = None,
    bigrams: dict[str, Packed] | None = None,
    language: str = "en",
    days_ago: float = 0,
    without: str = "",
    wpm: float | None = WPM,
) -> Practice:
    """The practice of somebody who is good at every key but these."""
    lexicon = LEXICONS[language]
    keys = {letter: key() for letter in lexicon.letters if letter not in without} | (weak or {})
    pairs = {f" {name}": packed for name, packed in keys.items()} | (bigrams or {})
    evidence = [Evidence(round(NOW_MS - days_ago * DAY_MS), Counts(keys, pairs))]
    places = key_places(LAYOUTS[language])
    return plan_practice(evidence, {}, lexicon, places, NOW_MS, wpm)


def of_beginner(language: str = "en", lexicon: Lexicon | None = None) -> Practice:
    places = key_places(LAYOUTS[language])
    return plan_practice([], {}, lexicon or LEXICONS[language], places, NOW_MS)


def chosen(practice: Practice) -> dict[str, Reason]:
    return {focus.part: focus.reason for focus in practice.focus}


# What, and why


@pytest.mark.parametrize(
    ("weak", "reason"),
    [
        (key(errors=60), Reason.ERRORS),
        ([*key(errors=60), {"k": 50, "q": 10}], Reason.MIXED_UP),
        ([*key(errors=60), {"1": 50, "q": 10}], Reason.ERRORS),
        (key(latency_ms=300), Reason.SLOW),
        (key(presses=3, errors=0), Reason.NEW),
        (key(presses=14, errors=0, latency_ms=215), Reason.UNSURE),
    ],
    ids=["errors", "mixed up", "mixed up with no letter", "slow", "new", "unsure"],
)
def test_the_weak_key_is_chosen_and_said_why(weak: Packed, reason: Reason) -> None:
    focus = plan({"l": weak}).focus[0]
    assert (focus.part, focus.reason) == ("l", reason)
    assert focus.other == ("k" if reason is Reason.MIXED_UP else None)


def test_a_key_fast_but_wrong_is_as_weak_as_one_slow_but_right() -> None:
    found = chosen(plan({"d": key(errors=60, latency_ms=90), "k": key(latency_ms=400)}))
    assert list(found)[:2] == ["d", "k"]


def test_a_new_key_comes_before_weak_ones_and_those_before_what_is_only_unsure() -> None:
    weak = {"d": key(errors=60), "k": key(14, 0, latency_ms=215), "q": key(1, 0)}
    assert list(chosen(plan(weak)))[:3] == ["q", "d", "k"]


def test_so_many_are_chosen_and_no_more() -> None:
    everything = {letter: key(errors=90) for letter in LEXICONS["en"].letters}
    slow = {f"{one}e": key(presses=20, errors=0, latency_ms=900) for one in "abcdf"}
    found = chosen(plan(everything, slow))
    assert sum(len(part) == 1 for part in found) == KEYS_MAX
    assert sum(len(part) == 2 for part in found) == BIGRAMS_MAX


def test_strong_keys_are_due_after_their_rest_and_only_kept_before() -> None:
    assert set(chosen(plan()).values()) == {Reason.KEPT}
    later = plan(days_ago=45)
    assert set(chosen(later).values()) <= {Reason.DUE, Reason.UNSURE}
    assert Reason.DUE in chosen(later).values()
    assert all(due <= NOW_MS for due in later.due_at_ms.values())


def test_a_bigram_is_chosen_if_it_is_slow_for_its_second_key() -> None:
    slow, pair = key(presses=30, errors=0, latency_ms=450), {"od": key(30, 0, 130)}
    assert chosen(plan(bigrams={"ed": slow, **pair})).get("ed") is Reason.SLOW
    # After every key d is so slow: then the key is weak, not the pair.
    everywhere = {f"{one}d": slow for one in "abceiou"}
    found = chosen(plan({"d": key(latency_ms=450)}, {**everywhere, " d": key(0, 0, 0)}))
    assert found == {part: why for part, why in found.items() if len(part) == 1}
    assert found["d"] is Reason.SLOW


def test_locked_letters_are_not_chosen() -> None:
    beginner = of_beginner()
    assert len(beginner.opened) == 6
    assert set(chosen(beginner)) <= set(beginner.opened)
    assert set(chosen(beginner).values()) == {Reason.NEW}


def test_without_a_goal_the_target_follows_ones_own_speed() -> None:
    assert plan(wpm=None).target.wpm > 90
    assert plan(wpm=None, weak={}).target.accuracy == 0.96
    assert of_beginner().target.wpm == 30


def test_counters_alone_open_letters() -> None:
    """As after an import, or for whoever comes back after years."""
    totals = {letter: KeyStats(500, 10, 60_000, 450) for letter in LEXICONS["en"].letters}
    practice = plan_practice([], totals, LEXICONS["en"], key_places("qwerty"), NOW_MS, WPM)
    assert len(practice.opened) == 26
    assert practice.due_at_ms == {}
    assert all(0 < found.value < 100 for found in practice.strengths.values())


# The text

WEAK = {
    "en": {"q": key(errors=60), "b": key(latency_ms=400), "l": [*key(errors=60), {"k": 60}]},
    "ru": {"щ": key(errors=60), "б": key(latency_ms=400), "ш": [*key(errors=60), {"и": 60}]},
}


@pytest.mark.parametrize("language", LAYOUTS)
@pytest.mark.parametrize("seed", range(5))
def test_a_text_holds_what_was_chosen_often_enough(language: str, seed: int) -> None:
    slow = {"en": "ly", "ru": "ть"}[language]
    pair = {slow: key(presses=30, errors=0, latency_ms=900)}
    practice = plan(WEAK[language], pair, language)
    words = compose(practice, LEXICONS[language], Random(seed))
    assert len(words) == WORDS
    assert all(one != other for one, other in pairwise(words))
    text = "".join(words)
    for focus in practice.focus:
        least = KEY_MIN if len(focus.part) == 1 else BIGRAM_MIN
        assert " ".join(words).count(focus.part) >= least, focus.part
        if focus.other is not None:
            assert sum({focus.part, focus.other} <= set(word) for word in words) >= MIX_UP_MIN
    # All but one of the four keys chosen are weak, and they share what the fourth does not need.
    assert all(text.count(key) >= KEYS_MIN // 4 for key in WEAK[language])
    assert set(text) <= set(practice.opened)


@pytest.mark.parametrize(("language", "weak"), [("en", "x"), ("ru", "щ")])
def test_one_weak_key_has_the_text_to_itself(language: str, weak: str) -> None:
    practice = plan({weak: key(errors=60)}, language=language)
    assert len(practice.focus) == KEYS_MAX
    text = "".join(compose(practice, LEXICONS[language], Random(4)))
    assert text.count(weak) >= 0.8 * KEYS_MIN


@pytest.mark.parametrize("language", LAYOUTS)
def test_the_text_of_who_begins_has_open_letters_alone(language: str) -> None:
    few = Lexicon(LEXICONS[language].words[:1_000])  # too few for a text of six letters
    practice = of_beginner(language, few)
    words = compose(practice, few, Random(3))
    assert set("".join(words)) == set(practice.opened)
    assert all(one != other for one, other in pairwise(words))
    assert 3 <= sum(word in few.words for word in words) < WORDS


def test_where_real_words_are_enough_there_are_no_others() -> None:
    words = compose(plan({"t": key(errors=60)}), LEXICONS["en"], Random(1))
    known = set(LEXICONS["en"].words)
    assert sum(word in known for word in words) >= 0.9 * WORDS


def test_texts_differ_and_no_word_comes_twice_in_one() -> None:
    practice = plan(WEAK["en"])
    texts = [compose(practice, LEXICONS["en"], Random(seed)) for seed in range(10)]
    assert all(len(set(words)) == WORDS for words in texts)
    shared = [len(set(one) & set(other)) / WORDS for one, other in pairwise(texts)]
    assert mean(shared) < 0.5
    assert len({word for words in texts for word in words}) > 3 * WORDS


def test_the_same_die_makes_the_same_text() -> None:
    practice = plan(WEAK["en"])
    assert compose(practice, LEXICONS["en"], Random(7)) == compose(
        practice, LEXICONS["en"], Random(7)
    )


def test_a_text_is_denser_in_weak_keys_than_words_drawn_evenly() -> None:
    practice = plan(WEAK["en"])
    made = Counter("".join(compose(practice, LEXICONS["en"], Random(2))))
    even = Counter("".join(Random(2).sample(LEXICONS["en"].words, WORDS)))
    weak = set(WEAK["en"])
    assert sum(made[one] for one in weak) / made.total() > 2 * (
        sum(even[one] for one in weak) / even.total()
    )


def test_of_two_words_one_follows_the_other() -> None:
    lexicon = Lexicon(["ab", "ba"])
    practice = plan_practice([], {}, lexicon, key_places("qwerty"), NOW_MS)
    words = compose(practice, lexicon, Random(1), 9)
    assert len(words) == 9
    assert all(one != other for one, other in pairwise(words))
