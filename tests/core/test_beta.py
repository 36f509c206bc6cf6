"""The Beta distribution, against sums over the binomial one."""

from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.beta import beta_cdf, beta_quantile
from tests.core import PROPERTY


@PROPERTY
@given(st.integers(1, 60), st.integers(1, 60), st.floats(0.001, 0.999))
def test_it_is_the_chance_of_so_many_hits(a: int, b: int, x: float) -> None:
    """DLMF 8.17.5: of a + b - 1 throws at chance x at least a hit."""
    throws = a + b - 1
    hits = sum(comb(throws, n) * x**n * (1 - x) ** (throws - n) for n in range(a, throws + 1))
    assert beta_cdf(x, a, b) == pytest.approx(hits, abs=1e-8)


@pytest.mark.parametrize("x", [-1.0, 0.0, 1.0, 2.0])
def test_nothing_is_beyond_its_ends(x: float) -> None:
    assert beta_cdf(x, 0.3, 4) == (1.0 if x >= 1 else 0.0)


@PROPERTY
@given(st.floats(0.01, 0.99), st.floats(0.05, 400), st.floats(0.5, 4_000))
def test_a_quantile_is_exceeded_as_seldom_as_asked(chance: float, a: float, b: float) -> None:
    share = beta_quantile(chance, a, b)
    assert 0 <= share <= 1
    # Where the curve is steep, no share is nearer to the chance.
    assert beta_cdf(share * (1 - 1e-4) - 1e-8, a, b) - 1e-5 <= chance
    assert chance <= beta_cdf(min(1.0, share * (1 + 1e-4) + 1e-8), a, b) + 1e-5


def test_known_quantiles() -> None:
    assert beta_quantile(0.9, 1, 19) == pytest.approx(1 - 0.1 ** (1 / 19), abs=1e-7)
    assert beta_quantile(0.5, 7, 7) == pytest.approx(0.5, abs=1e-7)
    assert beta_quantile(0.1, 3, 1) == pytest.approx(0.1 ** (1 / 3), abs=1e-6)
