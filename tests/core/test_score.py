"""The formulas, number by number."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.score import accuracy, consistency, words_per_minute
from tests.core import PROPERTY


@pytest.mark.parametrize(
    ("chars", "duration_ms", "wpm"),
    [
        pytest.param(300, 60_000, 60.0, id="five characters are a word"),
        pytest.param(10, 0, 0.0, id="no time"),
        pytest.param(0, 60_000, 0.0, id="nothing right"),
        pytest.param(13, 2_400, 65.0, id="less than a minute"),
        pytest.param(1, 7_000, 1.71, id="rounded down"),
        pytest.param(1, 9_000, 1.33, id="rounded to 0.01"),
        pytest.param(1, 1, 12_000.0, id="one millisecond"),
        pytest.param(20_000, 1_800_000, 133.33, id="the longest"),
    ],
)
def test_words_per_minute(chars: int, duration_ms: int, wpm: float) -> None:
    assert words_per_minute(chars, duration_ms) == wpm


@pytest.mark.parametrize(
    ("presses", "errors", "share"),
    [(0, 0, 1.0), (1, 1, 0.0), (3, 1, 0.6667), (7, 0, 1.0), (20_000, 1, 1.0), (5_000, 1, 0.9998)],
)
def test_accuracy(presses: int, errors: int, share: float) -> None:
    assert accuracy(presses, errors) == share


@pytest.mark.parametrize(
    ("per_second", "duration_ms", "expected"),
    [
        pytest.param([], 0, 0.0, id="no time"),
        pytest.param([3], 400, 0.0, id="less than half a second"),
        pytest.param([0, 0], 2_000, 0.0, id="nothing pressed"),
        pytest.param([5, 5, 5], 3_000, 1.0, id="even"),
        pytest.param([5, 5, 9], 2_000, 1.0, id="a press on the last whole second is beyond"),
        pytest.param([6, 6, 3], 2_500, 1.0, id="half a second is scaled up"),
        pytest.param([6, 6, 3], 2_499, 1.0, id="less is left out"),
        pytest.param([4], 800, 1.0, id="one part alone"),
        pytest.param([1, 3], 2_000, 0.501, id="c = 0.5"),
        pytest.param([2], 2_000, 0.089, id="c = 1: an empty second counts"),
        pytest.param([9], 15_000, 0.0, id="c > 3"),
    ],
)
def test_consistency(per_second: Sequence[int], duration_ms: int, expected: float) -> None:
    assert consistency(per_second, duration_ms) == expected


@PROPERTY
@given(st.lists(st.integers(0, 40), max_size=60), st.integers(0, 60_000))
def test_shares_stay_shares(per_second: list[int], duration_ms: int) -> None:
    assert 0 <= consistency(per_second, duration_ms) <= 1


@PROPERTY
@given(st.lists(st.integers(1, 20), min_size=2, max_size=30), st.integers(2, 5))
def test_consistency_is_of_rhythm_not_of_speed(per_second: list[int], times: int) -> None:
    faster = [presses * times for presses in per_second]
    duration_ms = 1_000 * len(per_second)
    difference = consistency(faster, duration_ms) - consistency(per_second, duration_ms)
    assert abs(difference) <= 0.0001


@PROPERTY
@given(st.integers(0, 20_000), st.integers(1, 1_800_000))
def test_speed_is_to_a_hundredth(chars: int, duration_ms: int) -> None:
    wpm = words_per_minute(chars, duration_ms)
    assert wpm == round(wpm, 2)
    assert abs(wpm - chars * 12_000 / duration_ms) <= 0.005 + 1e-9
