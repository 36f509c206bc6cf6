"""The simulation notices what is wrong in one point (tests/simulation/wrong.py)."""

import pytest

from tests.simulation.simulation import Wrong, simulate
from tests.simulation.wrong import WRONG

SEEDS_MAX = 1_000


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.name)
def test_the_simulation_goes_red_on_one_that(wrong: Wrong) -> None:
    def hunt() -> None:
        for seed in range(SEEDS_MAX):
            simulate(seed, wrong=wrong)

    with pytest.raises(AssertionError):
        hunt()
