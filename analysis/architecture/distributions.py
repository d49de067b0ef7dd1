"""What a number of tokens (or runs) varies by: small distributions with an exact mean.

Each has `mean` (exact Fraction; rounded to a millionth of a token where the formula is transcendental),
`variance`, `upper` (the largest value, or infinity), `draw` and `quantile`. Amounts are tokens or runs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from statistics import NormalDist
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

Z95 = 1.6448536269514722  # the standard normal's 95th percentile


class Distribution(Protocol):
    """A non-negative random amount. Equal ones are one and the same: all are frozen dataclasses."""

    def __hash__(self) -> int:
        """So that what is computed of it can be kept."""

    @property
    def mean(self) -> Fraction:
        """The expected amount."""

    @property
    def variance(self) -> float:
        """The variance of one draw."""

    @property
    def upper(self) -> float:
        """No draw is larger; infinity where there is no bound."""

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
        """Independent draws of that shape."""

    def quantile(self, probability: Floats) -> Floats:
        """The amounts at those cumulative probabilities, within (0, 1)."""


@dataclass(frozen=True)
class Constant:
    """Always the same amount."""

    mean: Fraction
    variance: float = 0.0

    @property
    def upper(self) -> float:
        """The amount itself."""
        return float(self.mean)

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:  # noqa: ARG002 (a constant asks no dice)
        """The amount, in that shape."""
        return np.full(shape, float(self.mean))

    def quantile(self, probability: Floats) -> Floats:
        """The amount, for every probability."""
        return np.full(probability.shape, float(self.mean))

    def below(self, limit: Fraction) -> tuple[Fraction, Fraction]:
        """All or nothing."""
        return (Fraction(1), self.mean) if self.mean <= limit else (Fraction(0), Fraction(0))


@dataclass(frozen=True)
class Uniform:
    """Anything between `low` and `high` alike: mean (low + high)/2, variance (high - low)^2/12."""

    low: Fraction
    high: Fraction

    @property
    def mean(self) -> Fraction:
        """(low + high) / 2."""
        return (self.low + self.high) / 2

    @property
    def variance(self) -> float:
        """(high - low)^2 / 12."""
        return float((self.high - self.low) ** 2 / 12)

    @property
    def upper(self) -> float:
        """`high`."""
        return float(self.high)

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
        """Uniform draws."""
        return rng.uniform(float(self.low), float(self.high), shape)

    def quantile(self, probability: Floats) -> Floats:
        """Linear in the probability."""
        return float(self.low) + probability * float(self.high - self.low)

    def below(self, limit: Fraction) -> tuple[Fraction, Fraction]:
        """(x - low) / (high - low), and that times the middle of low and x; exact."""
        x = min(max(limit, self.low), self.high)
        chance = (x - self.low) / (self.high - self.low)
        return chance, chance * (self.low + x) / 2


@dataclass(frozen=True)
class Triangular:
    """Between `low` and `high`, most often near `mode`: mean (low + mode + high)/3."""

    low: Fraction
    mode: Fraction
    high: Fraction

    @property
    def mean(self) -> Fraction:
        """(low + mode + high) / 3."""
        return (self.low + self.mode + self.high) / 3

    @property
    def variance(self) -> float:
        """(l^2 + m^2 + h^2 - lm - lh - mh) / 18."""
        low, mode, high = self.low, self.mode, self.high
        return float((low**2 + mode**2 + high**2 - low * mode - low * high - mode * high) / 18)

    @property
    def upper(self) -> float:
        """`high`."""
        return float(self.high)

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
        """Triangular draws."""
        return rng.triangular(float(self.low), float(self.mode), float(self.high), shape)

    def quantile(self, probability: Floats) -> Floats:
        """The inverse of the two parabolas that make the cumulative distribution."""
        low, mode, high = float(self.low), float(self.mode), float(self.high)
        rising = low + np.sqrt(probability * (high - low) * (mode - low))
        falling = high - np.sqrt((1 - probability) * (high - low) * (high - mode))
        return np.where(probability < (mode - low) / (high - low), rising, falling)

    def below(self, limit: Fraction) -> tuple[Fraction, Fraction]:
        """Integrals of the rising density 2 (x - low) / ((high - low) (mode - low)), then of the falling; exact."""
        low, mode, high, width = self.low, self.mode, self.high, self.high - self.low
        x, chance, part = min(max(limit, low), high), Fraction(0), Fraction(0)
        if mode > low:
            rise = min(x, mode) - low
            chance += rise**2 / (width * (mode - low))
            part += rise**2 * (low / (width * (mode - low))) + 2 * rise**3 / (3 * width * (mode - low))
        if x > mode:  # the area of what falls up to x: that of the whole fall less that beyond x
            fall, rest, slope = high - mode, high - x, width * (high - mode)
            chance += (fall**2 - rest**2) / slope
            part += high * (fall**2 - rest**2) / slope - 2 * (fall**3 - rest**3) / (3 * slope)
        return chance, part


@dataclass(frozen=True)
class Lognormal:
    """Given by its median and 95th percentile: sigma = ln(p95/p50)/1.645, mean = p50 * exp(sigma^2/2)."""

    p50: Fraction
    p95: Fraction

    @cached_property
    def sigma(self) -> float:
        """The standard deviation of the logarithm."""
        return math.log(self.p95 / self.p50) / Z95

    @cached_property
    def _log_median(self) -> float:
        return math.log(self.p50)

    @property
    def mean(self) -> Fraction:
        """p50 * exp(sigma^2 / 2), rounded to a millionth of a token."""
        return Fraction(round(float(self.p50) * math.exp(self.sigma**2 / 2) * 1_000_000), 1_000_000)

    @property
    def variance(self) -> float:
        """mean^2 * (exp(sigma^2) - 1)."""
        return float(self.mean) ** 2 * math.expm1(self.sigma**2)

    @property
    def upper(self) -> float:
        """There is no largest value."""
        return math.inf

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
        """Lognormal draws."""
        return rng.lognormal(self._log_median, self.sigma, shape)

    def quantile(self, probability: Floats) -> Floats:
        """exp(mu + sigma * z)."""
        amounts: Floats = np.exp(self._log_median + self.sigma * _standard_normal(probability.tobytes()))
        return amounts

    def below(self, limit: Fraction) -> tuple[Fraction, Fraction]:
        """Phi(z), and mean * Phi(z - sigma) for z = ln(x / p50) / sigma, as double-precision numbers."""
        if limit <= 0:
            return Fraction(0), Fraction(0)
        z = math.log(limit / self.p50) / self.sigma
        normal = NormalDist().cdf
        return Fraction(normal(z)), self.mean * Fraction(normal(z - self.sigma))


@dataclass(frozen=True)
class Scaled:
    """A distribution times a constant."""

    of: Distribution
    by: Fraction

    @property
    def mean(self) -> Fraction:
        """The scaled mean."""
        return self.of.mean * self.by

    @property
    def variance(self) -> float:
        """The scaled variance."""
        return self.of.variance * float(self.by) ** 2

    @property
    def upper(self) -> float:
        """The scaled bound."""
        return self.of.upper * float(self.by)

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
        """Scaled draws."""
        return self.of.draw(rng, shape) * float(self.by)

    def quantile(self, probability: Floats) -> Floats:
        """Scaled quantiles."""
        return self.of.quantile(probability) * float(self.by)

    def below(self, limit: Fraction) -> tuple[Fraction, Fraction]:
        """As of the distribution, at the limit scaled back."""
        chance, part = below(self.of, limit / self.by)
        return chance, part * self.by


def integrable(part: Distribution) -> bool:
    """Whether `below` has a closed form for it."""
    return (
        integrable(part.of)
        if isinstance(part, Scaled)
        else isinstance(part, Constant | Uniform | Triangular | Lognormal)
    )


def below(part: Distribution, limit: Fraction) -> tuple[Fraction, Fraction]:
    """The chance of an amount up to `limit`, and the part of the mean that such amounts make.

    Exact; of a lognormal, in double precision. The distribution must be `integrable`.
    """
    assert isinstance(part, Constant | Uniform | Triangular | Lognormal | Scaled)  # noqa: S101
    return part.below(limit)


@lru_cache(maxsize=8)
def _standard_normal(probabilities: bytes) -> Floats:
    """The standard normal's quantiles; kept, because the same few grids are asked for again and again."""
    inverse = NormalDist().inv_cdf
    return np.array([inverse(probability) for probability in np.frombuffer(probabilities).tolist()])


def midpoints(part: Distribution, count: int) -> Floats:
    """`count` equally likely amounts, ascending, that stand for the distribution and have its mean.

    They are the quantiles at the midpoints of as many equal steps of probability; these miss a long tail, for
    which the largest stands.
    """
    amounts = part.quantile((np.arange(count) + 0.5) / count)
    amounts[-1] += float(part.mean) * count - amounts.sum()
    return amounts
