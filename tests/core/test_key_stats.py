"""What is counted of one key."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.key_stats import LATENCY_MS_MAX, KeyStats
from server.core.score import KeyScore
from tests.core import PROPERTY


def test_key_never_pressed_has_no_latency() -> None:
    assert KeyStats().score() == KeyScore(0, 0, None, {})


@pytest.mark.parametrize(
    ("presses", "latency_ms"),
    [
        pytest.param([(100, False)], None, id="not after a right press"),
        pytest.param([(100, True), (201, True)], 150.5, id="the mean"),
        pytest.param([(100, True), (100, True), (101, True)], 100.3, id="to 0.1 ms"),
        pytest.param([(100, True), (LATENCY_MS_MAX, True)], 2_550.0, id="a long wait counts"),
        pytest.param([(100, True), (LATENCY_MS_MAX + 1, True)], 100.0, id="a pause does not"),
        pytest.param([(0, True)], 0.0, id="at once"),
    ],
)
def test_latency_is_of_right_presses_after_right_ones(
    presses: list[tuple[int, bool]], latency_ms: float | None
) -> None:
    stats = KeyStats()
    for dt_ms, after_right_press in presses:
        stats.right(dt_ms, after_right_press)
    assert stats.score() == KeyScore(len(presses), 0, latency_ms, {})


def test_wrong_presses_are_counted_by_what_was_typed() -> None:
    stats = KeyStats()
    for typed in ("x", "’", "x"):
        stats.wrong(typed)
    assert stats.score() == KeyScore(3, 3, None, {"x": 2, "’": 1})


def test_score_does_not_change_afterwards() -> None:
    stats = KeyStats()
    stats.wrong("x")
    score = stats.score()
    stats.wrong("x")
    assert score.confusions == {"x": 1}


@PROPERTY
@given(st.lists(st.one_of(st.integers(0, 9_000), st.sampled_from("xyz")), max_size=30))
def test_errors_are_the_sum_of_confusions(presses: list[int | str]) -> None:
    stats = KeyStats()
    for press in presses:
        if isinstance(press, str):
            stats.wrong(press)
        else:
            stats.right(press, True)
    assert stats.errors == sum(stats.confusions.values())
    assert stats.presses == len(presses)
