"""Bayesian regression under a grid of priors: the posterior is a mixture weighed by marginal likelihood.

Normal-inverse-gamma, conjugate: Gelman et al., Bayesian Data Analysis, 3rd ed., ch. 14. The prior widths of the
patterns are stated in logs of cost, for a fleet grows or rests at weekends as much however noisy its days are; the
noise that they go with is part of the grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from .history import Floats

PRIOR_FREEDOM = 4.0
"""Of the noise's inverse gamma prior around a scale of the grid: as if four days had been seen."""
NOISE_SCALES = {0.03: 0.1, 0.08: 0.2, 0.16: 0.3, 0.32: 0.2, 0.64: 0.2}
"""A day's noise before any is seen, in logs, and the chance of each."""
WEEKDAYS = {(0.03, 0.03, 0.0): 0.5, (0.08, 0.5, -0.6): 0.4, (0.4, 1.2, -0.5): 0.1}
"""Standard deviations of a weekday's effect and of the weekend's, and the mean of the weekend's, in logs. What weekends
differ by is left wide: a prior that is sure of it makes a trend of the rest, which few days carry far ahead."""
TRENDS = {0.001: 0.5, 0.1: 0.5}
"""Standard deviation of the trend a week, in logs, and the chance of each, from four weeks on."""
FIRST_CHANGE, FIRST_TREND = 1 / 3, (0.15, 0.4)
"""Before, one width: the level may have moved by e^±0.33 over the days known; and the least and the most a week."""
WANDERS = {0.001: 0.8, 0.02: 0.15, 0.05: 0.05}
"""Standard deviation of the level's steps per day, in logs, and the chance of each."""
FIRST_DAYS = 28
LEAST_WEIGHT = 0.003
"""Rows of the grid that are less likely are not drawn from: a forecast of few days would take twice as long."""


@dataclass(frozen=True)
class Prior:
    """One way in which days may vary, before any is seen: standard deviations and means in logs of cost."""

    noise: float
    weekday: float
    weekend: float
    weekend_mean: float
    trend: float
    wander: float
    chance: float


def priors(noises: dict[float, float], days: int) -> list[Prior]:
    """The grid, for these scales of noise and their chances, where so many days are known."""
    trends = TRENDS if days >= FIRST_DAYS else _first_trends(days)
    return [
        Prior(noise, *weekday, trend, wander, p * q * r * s)
        for (noise, p), (weekday, q), (trend, r), (wander, s) in product(
            noises.items(), WEEKDAYS.items(), trends.items(), WANDERS.items()
        )
    ]


def _first_trends(days: int) -> dict[float, float]:
    low, high = FIRST_TREND
    return {min(max(7 * FIRST_CHANGE / days, low), high): 1.0}


@dataclass(frozen=True)
class Posterior:
    """What is known of the coefficients: a mixture, by row of the grid, of normal-inverse-gamma distributions.

    Shapes: weights (grid,), mean (grid, k), cholesky of the precision (grid, k, k), rate (grid,); shape of the noise
    is the same for all. `evidence` is the logarithm of the marginal likelihood, up to a constant of the data: it
    compares regressions of the same data.
    """

    weights: Floats
    mean: Floats
    cholesky: Floats
    shape: float
    rate: Floats
    evidence: float

    @property
    def best(self) -> int:
        """The likeliest of the grid."""
        return int(np.argmax(self.weights))

    @property
    def noise(self) -> float:
        """The noise's standard deviation at the likeliest of the grid."""
        return float(np.sqrt(self.rate[self.best] / self.shape))


def regress(
    features: Floats, logs: Floats, weights: Floats, grid: list[Prior], centre: Floats, width: Floats
) -> Posterior:
    """Weighted regression of `logs` (n,) on `features` (n, k).

    By row of the grid, `centre` and `width` (grid, k) are the means and standard deviations of the coefficients'
    priors. A day of weight w has the noise's variance over w.
    """
    noises = np.array([prior.noise for prior in grid])
    width = width / noises[:, None]
    weighted = features * weights[:, None]
    gram, moment = weighted.T @ features, weighted.T @ logs
    precision = np.repeat(gram[None], len(grid), axis=0)
    k = np.arange(len(gram))
    precision[:, k, k] += width**-2.0
    cholesky = np.linalg.cholesky(precision).astype(np.float64, copy=False)
    off = centre @ gram
    moments = moment - off
    mean = np.linalg.solve(precision, moments[:, :, None])[:, :, 0].astype(np.float64, copy=False)
    square = (weights * logs) @ logs - 2 * centre @ moment + np.einsum("gk,gk->g", centre, off)
    squares = np.maximum(square - np.einsum("gk,gk->g", mean, moments), 0)
    shape = (PRIOR_FREEDOM + len(logs)) / 2
    before = PRIOR_FREEDOM * noises**2 / 2
    rate = before + squares / 2
    evidence = -np.log(cholesky[:, k, k]).sum(axis=1) - np.log(width).sum(axis=1) - shape * np.log(rate)
    evidence += PRIOR_FREEDOM / 2 * np.log(before)
    top = evidence.max()
    likely = np.array([prior.chance for prior in grid]) * np.exp(evidence - top)
    total = float(top + np.log(likely.sum()) + np.log(weights).sum() / 2)
    return Posterior(likely_enough(likely, LEAST_WEIGHT), mean + centre, cholesky, shape, rate, total)


def likely_enough(likely: Floats, least: float) -> Floats:
    """Weights that add up to 1, and 0 where one would be below `least`."""
    kept: Floats = np.where(likely >= least * likely.sum(), likely, 0.0)
    weights: Floats = kept / kept.sum()
    return weights
