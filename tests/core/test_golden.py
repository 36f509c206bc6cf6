"""The golden files, against a second computation and against the core that wrote them."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.replay import retype
from server.core.text import Text, canonical, graphemes, key_name
from server.core.typed_text import ErrorRule, Keystroke
from tests.core import PROPERTY
from tests.core.slow_score import SlowAttempt, differences, is_zs, key_of, same
from tests.golden import __main__ as golden
from tests.golden.cases import SCORES as CASES

SCORES = json.loads((golden.HERE / "scores.json").read_text(encoding="utf-8"))
LAYOUTS = json.loads((golden.HERE / "layouts.json").read_text(encoding="utf-8"))
TEXT = json.loads((golden.HERE / "text.json").read_text(encoding="utf-8"))


def slow_attempt(case: dict[str, Any]) -> SlowAttempt:
    attempt = SlowAttempt(case["text"], case["rules"]["errors"], case["limit_ms"], case["race"])
    return attempt.type((dt_ms, key) for dt_ms, key in case["events"])


@pytest.mark.parametrize("case", SCORES, ids=lambda case: case["name"])
def test_score_case_is_what_the_definitions_say(case: dict[str, Any]) -> None:
    slow = slow_attempt(case)
    expect = case["expect"]
    assert (slow.counted, slow.complete, "".join(slow.typed)) == (
        expect["counted"],
        expect["complete"],
        expect["typed"],
    )
    assert differences(slow.score(case["late_ms"]), expect["result"]) == []


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("wpm", lambda wpm: wpm + 0.01),
        ("raw_wpm", lambda wpm: wpm - 0.01),
        ("accuracy", lambda accuracy: round(accuracy - 0.0001, 4)),
        ("errors", lambda errors: errors + 1),
        ("duration_ms", lambda duration_ms: duration_ms + 1),
        ("consistency", lambda consistency: round(consistency + 0.0001, 4)),
        ("keys", lambda keys: {**keys, "q": {**keys["q"], "presses": 99}}),
    ],
)
def test_second_computation_sees_a_number_one_step_off(
    name: str, wrong: Callable[[Any], Any]
) -> None:
    case = next(case for case in SCORES if case["name"] == "a slip mended at once, free")
    result = case["expect"]["result"]
    assert differences(slow_attempt(case).score(), {**result, name: wrong(result[name])}) != []


def test_score_file_is_what_the_core_writes_today() -> None:
    assert [json.loads(json.dumps(golden.as_json(case))) for case in CASES] == SCORES


def test_score_cases_have_names_of_their_own_and_cover_every_kind() -> None:
    names = [case["name"] for case in SCORES]
    assert len(set(names)) == len(names)
    assert {case["rules"]["errors"] for case in SCORES} == set(ErrorRule)
    assert any(case["race"] for case in SCORES)
    assert any(case["limit_ms"] and case["expect"]["complete"] for case in SCORES)
    assert any(case["limit_ms"] and not case["expect"]["complete"] for case in SCORES)


def test_text_file_says_what_the_definitions_say() -> None:
    for case in TEXT["same"]:
        assert same(case["a"], case["b"]) == case["same"], case
    for case in TEXT["key_names"]:
        assert key_of(case["grapheme"]) == case["name"], case
    for case in TEXT["graphemes"]:
        assert "".join(case["graphemes"]) == case["text"]


def test_text_file_is_what_the_core_says_today() -> None:
    assert all(graphemes(case["text"]) == case["graphemes"] for case in TEXT["graphemes"])
    assert all((canonical(c["a"]) == canonical(c["b"])) == c["same"] for c in TEXT["same"])
    assert all(key_name(case["grapheme"]) == case["name"] for case in TEXT["key_names"])


KEYS = ["a", "b", "A", ".", " ", "\u00a0", "'", "’", "-", "—", "\n", "é", "👍🏽"]
TEXTS = st.lists(st.sampled_from(KEYS), min_size=1, max_size=8).map("".join)
EVENTS = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 400), st.sampled_from([0, 500, 999, 1_000, 5_000, 5_001])),
        st.sampled_from([*KEYS, "\b", "\b", "\x17", "…"]),
    ),
    max_size=40,
)
LIMITS = st.sampled_from([None, None, 1_000, 2_500])


@PROPERTY
@given(TEXTS, st.sampled_from(ErrorRule), LIMITS, st.booleans(), EVENTS, st.integers(0, 2_000))
def test_core_scores_as_the_definitions_do(
    text: str,
    rule: ErrorRule,
    limit_ms: int | None,
    race: bool,
    events: list[tuple[int, str]],
    late_ms: int,
) -> None:
    slow = SlowAttempt(text, rule.value, limit_ms, race).type(events)
    typed_text = retype(Text.of(text), rule, limit_ms, [Keystroke(*e) for e in events], race)
    assert typed_text.keystrokes == slow.counted
    assert typed_text.typed == slow.typed
    assert typed_text.complete == slow.complete
    assert differences(slow.score(late_ms), typed_text.score(late_ms).columns()) == []


@PROPERTY
@given(st.characters(exclude_categories=["Cs"]), st.characters(exclude_categories=["Cs"]))
def test_core_compares_as_the_definitions_do(one: str, other: str) -> None:
    assert (canonical(one) == canonical(other)) == same(one, other)
    assert key_name(one) == key_of(one)
    assert (canonical(one) == " ") == is_zs(one)


def test_layouts_are_what_the_core_makes_of_them() -> None:
    assert golden.layouts() == LAYOUTS
