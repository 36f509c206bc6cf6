"""Strength, due times and targets."""

from dataclasses import replace

import pytest

from server.core.bigrams import Counts, Packed
from server.core.key_model import DAY_MS, Evidence, Known, read_evidence
from server.core.strength import (
    LONGEST_MS,
    SHORTEST_MS,
    Target,
    due_at_ms,
    failed,
    lacking,
    speed_wpm,
    strength,
    usual_wpm,
    wait_ms,
)

TARGET = Target(60)  # 200 ms a press, 96 % right


def known(presses: int, errors: int, latency_ms: int) -> Known:
    right = presses - errors
    counts: Packed = [presses, errors, right * latency_ms, right]
    evidence = Evidence(0, Counts({"a": counts}, {"ba": counts}))
    return read_evidence([evidence], {}, 0).keys["a"]


def test_a_target_is_a_latency_and_an_error_rate() -> None:
    assert TARGET.latency_ms == 200
    assert TARGET.error_rate == pytest.approx(0.04)


def test_the_weaker_of_speed_and_accuracy_counts() -> None:
    slow, wrong = strength(known(400, 2, 400), TARGET), strength(known(400, 80, 100), TARGET)
    assert slow.accuracy == 1
    assert slow.value == round(100 * slow.speed) == pytest.approx(41, abs=3)
    assert wrong.speed == 1
    assert wrong.value == round(100 * wrong.accuracy) < 20


def test_a_corrected_slip_does_not_make_a_key_strong() -> None:
    """keybr#302: whoever errs and mends at once is no stronger for being fast."""
    assert strength(known(300, 0, 100), TARGET).value == 100
    assert strength(known(300, 45, 100), TARGET).value < 25


def test_what_is_not_shown_is_not_believed() -> None:
    values = [strength(known(presses, 0, 150), TARGET).value for presses in (2, 10, 40, 200)]
    assert values == sorted(values)
    assert values[0] < 70
    assert values[-1] == 100


def test_a_key_lacks_what_is_not_shown_or_not_there() -> None:
    assert lacking(known(400, 2, 100), TARGET) < 0.01
    assert lacking(known(400, 60, 100), TARGET) > 0.99
    assert lacking(known(400, 2, 300), TARGET) > 0.99
    # Twenty right presses in a row say little of what goes wrong once in twenty.
    assert 0.1 < lacking(known(20, 0, 100), TARGET) < 0.5


def test_more_errors_never_make_it_stronger() -> None:
    values = [strength(known(100, errors, 150), TARGET).value for errors in range(0, 60, 5)]
    assert values == sorted(values, reverse=True)


def test_the_wait_grows_with_strength_and_shrinks_on_failure() -> None:
    good = known(100, 0, 150)
    waits = [wait_ms(good, value) for value in (0, 50, 80, 100)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (SHORTEST_MS, LONGEST_MS)
    bad = replace(good, last_presses=10, last_errors=2)
    assert failed(bad)
    assert not failed(replace(good, last_presses=20, last_errors=2))
    assert not failed(replace(good, last_presses=1, last_errors=1))
    assert wait_ms(bad, 80) == pytest.approx(waits[2] / 4, abs=1)


def test_it_is_due_so_long_after_it_was_practised() -> None:
    practised = replace(known(50, 0, 150), last_at_ms=5 * DAY_MS)
    assert due_at_ms(practised, 100) == 35 * DAY_MS
    assert due_at_ms(replace(practised, last_at_ms=None), 100) is None


def test_the_usual_target_is_a_little_above_ones_own_speed() -> None:
    assert usual_wpm(read_evidence([], {}, 0)) == 30
    typed: Packed = [2_000, 20, 2_000 * 200, 2_000]
    model = read_evidence([Evidence(0, Counts({"a": typed}, {"ba": typed}))], {}, 0)
    assert speed_wpm(model) == pytest.approx(60, abs=1)
    assert usual_wpm(model) in (65, 70)
