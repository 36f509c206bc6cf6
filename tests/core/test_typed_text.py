"""A text being typed under each rule, keystroke by keystroke."""

from collections.abc import Sequence
from time import thread_time_ns

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.text import Text
from server.core.typed_text import PAST_END_MAX, ErrorRule, Keystroke, TypedText
from tests.core import PROPERTY

FREE, STOP, CORRECT = ErrorRule.FREE, ErrorRule.STOP, ErrorRule.CORRECT
WORD = "\u0017"


def typed(
    text: str,
    keys: Sequence[str],
    rule: ErrorRule = FREE,
    limit_ms: int | None = None,
    dt_ms: int = 100,
) -> TypedText:
    """`keys` typed `dt_ms` apart, as far as they count."""
    typed_text = TypedText(Text.of(text), rule, limit_ms)
    for key in keys:
        typed_text.apply(Keystroke(dt_ms, key))
    return typed_text


@pytest.mark.parametrize(
    ("text", "rule", "keys", "stands", "complete", "errors"),
    [
        pytest.param("ab", FREE, "a", "a", False, 0, id="half of it"),
        pytest.param("ab", FREE, "ab", "ab", True, 0, id="free: right to the end"),
        pytest.param("ab", FREE, "ax", "ax", True, 1, id="free: a wrong end completes it"),
        pytest.param("ab", FREE, "x\bab", "ab", True, 1, id="free: mended"),
        pytest.param("ab", FREE, "abc", "ab", True, 0, id="free: nothing counts after the end"),
        pytest.param("ab", STOP, "xa", "a", False, 1, id="stop: a wrong key is not typed"),
        pytest.param("ab", STOP, "axxb", "ab", True, 2, id="stop: complete at the length"),
        pytest.param("ab", STOP, "a\bab", "ab", True, 0, id="stop: a right key can be deleted"),
        pytest.param("ab", CORRECT, "ax", "ax", False, 1, id="correct: a wrong end is no end"),
        pytest.param("ab", CORRECT, "ax\bb", "ab", True, 1, id="correct: mended"),
        pytest.param("ab", CORRECT, "xb\b\bab", "ab", True, 1, id="correct: mended behind"),
        pytest.param("ab", CORRECT, "axy\b\bb", "ab", True, 2, id="correct: past the end"),
        pytest.param("ab", CORRECT, "xbb\b\b\bab", "ab", True, 2, id="correct: twice wrong"),
        pytest.param("ab", FREE, "\b\ba", "a", False, 0, id="deleting nothing is lawful"),
        pytest.param("ab", FREE, WORD + "a", "a", False, 0, id="no word to delete"),
        pytest.param("a b c", FREE, "a b" + WORD, "a ", False, 0, id="a word deleted"),
        pytest.param("a b c", FREE, "a b " + WORD, "a ", False, 0, id="blanks go first"),
        pytest.param("a b c", FREE, "a  " + WORD, "", False, 1, id="all blanks, then the word"),
        pytest.param("a\tbc", FREE, "a\tx" + WORD, "a\t", False, 1, id="a tab ends a word"),
        pytest.param("a\nbc", FREE, "a\nx" + WORD, "a\n", False, 1, id="a line end ends a word"),
        pytest.param("a\u2003bc", FREE, "a x" + WORD, "a ", False, 1, id="any space is a space"),
        pytest.param("«a» — it’s", FREE, '"a" - it\'s', '"a" - it\'s', True, 0, id="equals"),
        pytest.param("a...b", FREE, "a…b", "a...b", True, 0, id="an ellipsis is three dots"),
        pytest.param("a...b", FREE, "a…\bx", "a..x", False, 1, id="each dot can be deleted"),
        pytest.param("a.", FREE, "a…", "a.", True, 0, id="the first dot completes it"),
        pytest.param("a.bc", STOP, "a…", "a.", False, 2, id="stop: dots that are wrong"),
        pytest.param("ab", FREE, ["a", "\u200d"], "a\u200d", True, 1, id="a format character"),
        pytest.param("e", FREE, ["\u0301"], "\u0301", True, 1, id="never merged with the text"),
    ],
)
def test_rule_decides_what_stands_typed(
    text: str, rule: ErrorRule, keys: Sequence[str], stands: str, complete: bool, errors: int
) -> None:
    typed_text = typed(text, keys, rule)
    assert ("".join(typed_text.typed), typed_text.complete) == (stands, complete)
    assert typed_text.errors == errors


def test_correct_keeps_twenty_past_the_end_and_counts_the_rest() -> None:
    typed_text = typed("ab", "ax" + "y" * (PAST_END_MAX + 5), CORRECT)
    assert len(typed_text.typed) == 2 + PAST_END_MAX
    assert typed_text.presses == 2 + PAST_END_MAX + 5
    assert typed_text.errors == 1 + PAST_END_MAX + 5
    assert set(typed_text.keys) == {"a", "b"}  # past the end belongs to no key


@pytest.mark.parametrize(
    ("dts_ms", "counted", "over"),
    [
        pytest.param([0, 999], 2, False, id="before the limit"),
        pytest.param([0, 1_000], 2, False, id="equal to the limit counts"),
        pytest.param([0, 1_001], 1, True, id="later does not"),
        pytest.param([0, 500, 501, 0], 2, True, id="nothing after a late one"),
        pytest.param([5_000, 1_000], 2, False, id="the clock starts with the first key"),
    ],
)
def test_time_ends_what_counts(dts_ms: list[int], counted: int, over: bool) -> None:
    typed_text = TypedText(Text.of("abcdef"), FREE, 1_000)
    assert sum(typed_text.apply(Keystroke(dt_ms, "a")) for dt_ms in dts_ms) == counted
    assert (typed_text.keystrokes, typed_text.time_over, typed_text.over) == (counted, over, over)
    assert typed_text.score().duration_ms == 1_000


def test_timed_text_completed_before_takes_the_time_it_took() -> None:
    assert typed("ab", "ab", limit_ms=1_000).score().duration_ms == 100


def test_race_counts_from_the_start() -> None:
    race = TypedText(Text.of("ab"), FREE, from_start=True)
    assert race.apply(Keystroke(700, "a"))
    assert race.apply(Keystroke(300, "b"))
    assert race.score().duration_ms == 1_000
    assert race.keys["a"].latency_count == 0  # no press before it


def test_late_time_is_added_to_the_duration_alone() -> None:
    in_time, late = typed("abcdef", "abc").score(), typed("abcdef", "abc").score(1_800)
    assert (in_time.duration_ms, late.duration_ms) == (200, 2_000)
    assert late.wpm == 18.0
    assert late.consistency == in_time.consistency


def test_touched_keys_are_told_once_with_totals() -> None:
    typed_text = typed("aab", "ax")
    assert typed_text.take_touched() == {"a": (2, 1)}
    assert typed_text.take_touched() == {}
    typed_text.apply(Keystroke(100, "B"))
    assert typed_text.take_touched() == {"b": (1, 1)}


def test_progress_takes_the_time_up_to_the_last_keystroke() -> None:
    progress = typed("abcdef", "abx\b", dt_ms=200).progress()
    assert (progress.position, progress.errors, progress.accuracy) == (2, 1, 0.6667)
    assert (progress.wpm, progress.raw_wpm) == (40.0, 60.0)  # 0.6 s


KEYSTROKES = st.lists(
    st.builds(Keystroke, st.integers(0, 3_000), st.sampled_from("ab c.…\b" + WORD)), max_size=30
)


@PROPERTY
@given(st.text("ab .", min_size=1, max_size=9), st.sampled_from(ErrorRule), KEYSTROKES)
def test_counts_always_add_up(text: str, rule: ErrorRule, keystrokes: list[Keystroke]) -> None:
    typed_text = TypedText(Text.of(text), rule)
    for keystroke in keystrokes:
        counts = typed_text.apply(keystroke)
        right = sum(a == b for a, b in zip(typed_text.typed, text, strict=False))
        assert typed_text.right_places == right
        assert counts or typed_text.over
    assert sum(typed_text.presses_per_second) == typed_text.presses
    past_end = typed_text.presses - sum(key.presses for key in typed_text.keys.values())
    assert typed_text.errors == past_end + sum(key.errors for key in typed_text.keys.values())
    assert rule is not STOP or typed_text.right_places == len(typed_text.typed)
    assert rule is not CORRECT or len(typed_text.typed) <= len(text) + PAST_END_MAX


TYPEABLE = st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="…")


@PROPERTY
@given(st.text(TYPEABLE, min_size=1, max_size=20), st.sampled_from(ErrorRule))
def test_text_typed_as_it_stands_is_complete_without_an_error(text: str, rule: ErrorRule) -> None:
    typed_text = typed(text, Text.of(text).graphemes, rule)
    assert (typed_text.complete, typed_text.errors) == (True, 0)


def keystroke_ns(length: int, keystrokes: int = 1_000) -> int:
    """What a burst of wrong keys and deletes costs near the end of a text of `length`."""
    best = 1 << 62
    for _ in range(3):
        typed_text = TypedText(Text.of("abcde" * (length // 5)), CORRECT)
        for place in range(length - 5):
            typed_text.apply(Keystroke(50, "abcde"[place % 5]))
        burst = [Keystroke(50, key) for key in ("a", "x", "\b", "\b")] * (keystrokes // 4)
        began_ns = thread_time_ns()
        for keystroke in burst:
            typed_text.apply(keystroke)
            typed_text.progress()
        best = min(best, thread_time_ns() - began_ns)
    return best


def test_keystroke_costs_the_same_in_a_short_and_in_a_long_text() -> None:
    short_ns, long_ns = keystroke_ns(50), keystroke_ns(10_000)
    assert long_ns < 4 * short_ns  # anything that walks the text is a hundred times slower
