"""The Beta distribution: what is known of a share after so many hits and misses."""

from math import exp, inf, lgamma, log, log1p

TERMS_MAX = 200
STEPS_MAX = 60
CLOSE = 1e-9
NEAR = 1e-7  # so far a quantile may be from the chance it is asked for
TINY = 1e-300


def beta_cdf(x: float, a: float, b: float) -> float:
    """The chance that a share of Beta(a, b) is at most `x`: the regularised incomplete beta.

    `a` and `b` are above 0. By its continued fraction (DLMF 8.17.22), to about 1e-9.
    """
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    if x > (a + 1) / (a + b + 2):  # The fraction converges fast on the other side only.
        return 1 - beta_cdf(1 - x, b, a)
    scale = lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)
    return exp(scale) / (a * _fraction(x, a, b))


def _fraction(x: float, a: float, b: float) -> float:
    """1 + d1/(1 + d2/(1 + ...)), evaluated forwards by Lentz's method."""
    value, upper, lower = 1.0, 1.0, 0.0
    for m in range(1, TERMS_MAX):
        half, odd = divmod(m, 2)
        if odd:
            factor = -(a + half) * (a + b + half) / ((a + m - 1) * (a + m))
        else:
            factor = half * (b - half) / ((a + m - 1) * (a + m))
        term = factor * x
        lower = 1 / (1 + term * lower or TINY)
        upper = 1 + term / upper or TINY
        step = upper * lower
        value *= step
        if abs(step - 1) < CLOSE:
            break
    return value


def beta_quantile(chance: float, a: float, b: float) -> float:
    """The share that is not exceeded with this chance (0..1): Newton's steps, kept in bounds."""
    low, high = 0.0, 1.0
    x = a / (a + b)
    constant = lgamma(a + b) - lgamma(a) - lgamma(b)
    for _ in range(STEPS_MAX):
        wrong_by = beta_cdf(x, a, b) - chance
        if wrong_by > 0:
            high = x
        else:
            low = x
        if abs(wrong_by) < NEAR or high - low < CLOSE:
            break
        logarithm = constant + (a - 1) * log(x) + (b - 1) * log1p(-x)
        slope = exp(logarithm) if logarithm < 700 else inf
        x = x - wrong_by / slope if slope else low
        if not low < x < high:
            x = (low + high) / 2
    return x
