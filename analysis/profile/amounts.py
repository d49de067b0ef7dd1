"""Amounts as an architecture file has them, fitted by their moments: the mean is kept, for it decides the cost."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from statistics import NormalDist

import numpy as np

from ..architecture.amounts import Percentiles, Range
from ..architecture.distributions import Z95, Floats
from ..architecture.session import MAX_GAP_SECONDS, MAX_TURNS, distribution_of
from ..simulation.sessions.chances import at_most, mean_turns

Amount = Decimal | Range | Percentiles
ALIKE = 0.02
"""A standard deviation below that part of the mean is a constant."""
MOST_SIGMA = 2.5
DIGITS = 5


@dataclass(frozen=True)
class FittedAmount:
    """An amount, what it was fitted to (mean and its standard error), and the largest distance of the distributions.

    `distance` is between the cumulative distributions, logged and fitted: 0 for the same, 1 for none in common; None
    where only moments are known.
    """

    amount: Amount
    mean: float
    standard_error: float | None
    distance: float | None = None


def rounded(value: float) -> Decimal:
    """To five significant digits, without an exponent."""
    if not value:
        return Decimal(0)
    places = max(0, DIGITS - 1 - math.floor(math.log10(abs(value))))
    return Decimal(f"{value:.{min(places, 9)}f}").normalize() + Decimal(0)


def by_moments(mean: float, deviation: float) -> Amount:
    """A constant where nothing varies, else a lognormal of that mean and standard deviation."""
    if mean <= 0:
        return Decimal(0)
    if deviation < ALIKE * mean:
        return rounded(mean)
    sigma = min(math.sqrt(math.log1p((deviation / mean) ** 2)), MOST_SIGMA)
    p50 = mean * math.exp(-(sigma**2) / 2)
    return Percentiles(p50=_positive(p50), p95=_positive(p50 * math.exp(Z95 * sigma)))


def _positive(value: float) -> Decimal:
    return max(rounded(value), Decimal("0.000000001"))


def fit_turns(turns: Floats) -> FittedAmount:
    """Whole turns of sessions: lognormal or triangular, whichever is nearer to the logged ones, of the same mean."""
    mean, deviation = float(turns.mean()), float(turns.std(ddof=1)) if len(turns) > 1 else 0.0
    error = deviation / math.sqrt(len(turns)) if len(turns) > 1 else None
    if deviation < ALIKE * mean:
        return FittedAmount(rounded(mean), mean, error, 0.0)
    found = [FittedAmount(amount, mean, error, distance(turns, amount)) for amount in _of_turns(turns, mean, deviation)]
    return min(found, key=lambda fitted: fitted.distance or 0.0)


def _of_turns(turns: Floats, mean: float, deviation: float) -> list[Amount]:
    """The candidates, each scaled until the mean of its whole turns is the logged one."""
    low, high = float(turns.min()), float(turns.max())
    mode = min(max(3 * mean - low - high, low), high)
    shapes = [_lognormal(mean, deviation), (low, mode, high)]
    return [amount for amount in (_scaled(shape, mean) for shape in shapes) if amount is not None]


def _lognormal(mean: float, deviation: float) -> tuple[float, float]:
    sigma = min(math.sqrt(math.log1p((deviation / mean) ** 2)), MOST_SIGMA)
    p50 = mean * math.exp(-(sigma**2) / 2)
    return p50, p50 * math.exp(Z95 * sigma)


def _scaled(shape: tuple[float, ...], mean: float) -> Amount | None:
    """The shape times what brings the mean of its whole turns to `mean`; None where that leaves the bounds."""
    scale = 1.0
    for _ in range(8):
        amount = _written(shape, scale)
        if amount is None:
            return None
        reached = float(mean_turns(distribution_of(amount)))
        if abs(reached / mean - 1) < 1e-4:
            break
        scale *= mean / reached
    return amount


def _written(shape: tuple[float, ...], scale: float) -> Amount | None:
    values = [max(rounded(value * scale), Decimal(1)) for value in shape]
    if values[-1] > MAX_TURNS:
        return None
    if len(values) == 2:
        return Percentiles(p50=values[0], p95=max(values))
    return Range(low=values[0], mode=sorted(values)[1], high=max(values))


def distance(logged: Floats, amount: Amount) -> float:
    """The largest distance between the logged cumulative distribution of whole turns and the fitted one."""
    values, counts = np.unique(logged, return_counts=True)
    shares = np.cumsum(counts) / len(logged)
    part = distribution_of(amount)
    fitted = np.array([float(at_most(part, Fraction(float(value)) + Fraction(1, 2))) for value in values])
    below = np.array([float(at_most(part, Fraction(float(value)) - Fraction(1, 2))) for value in values])
    return float(max(np.abs(fitted - shares).max(), np.abs(below - np.concatenate([[0.0], shares[:-1]])).max()))


def fit_gap(median: float, spread: float, ttl: int | None, warm: float) -> Amount:
    """Gaps in seconds: lognormal as logged, the median moved so that the share within `ttl` is the `warm` one.

    None is longer than a session may state, 366 days: any cache is cold long before.
    """
    median, sigma = min(max(median, 0.1), MAX_GAP_SECONDS), min(max(spread, 0.05), MOST_SIGMA)
    if ttl is None:
        return by_lognormal(median, sigma)
    if warm > 0.9999:
        return rounded(min(median, ttl))
    if warm < 0.0001:
        return rounded(max(median, 2 * ttl))
    return by_lognormal(ttl * math.exp(-NormalDist().inv_cdf(warm) * sigma), sigma)


def by_lognormal(median: float, sigma: float) -> Amount:
    """A lognormal of that median, in seconds, and deviation of its logarithm."""
    p95 = min(median * math.exp(Z95 * sigma), MAX_GAP_SECONDS)
    return Percentiles(p50=_positive(min(median, p95)), p95=_positive(p95))
