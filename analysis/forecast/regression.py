"""Bayesian regression under a grid of priors: the posterior is a mixture weighed by marginal likelihood.

Normal-inverse-gamma, conjugate: Gelman et al., Bayesian Data Analysis, 3rd ed., ch. 14. Precisions and prior widths are
in units of the noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from .history import Floats

PRIOR_FREEDOM = 1.5
"""Of the noise's inverse gamma prior: as if a day and a half had been seen."""
WEEKDAY_WIDTHS = {0.1: 0.35, 0.6: 0.35, 2.0: 0.25, 6.0: 0.05}
TREND_WIDTHS = {0.001: 0.4, 0.2: 0.2, 1.0: 0.4}
WANDER_WIDTHS = {0.02: 0.45, 0.1: 0.2, 0.3: 0.2, 1.0: 0.15}
"""Prior widths in units of the noise, and their chances: of weekday effects, of trend a week, of wandering per day."""
GRID = list(product(WEEKDAY_WIDTHS, TREND_WIDTHS, WANDER_WIDTHS))
GRID_CHANCES = np.array([WEEKDAY_WIDTHS[w] * TREND_WIDTHS[t] * WANDER_WIDTHS[v] for w, t, v in GRID])


@dataclass(frozen=True)
class Posterior:
    """What is known of the coefficients: a mixture, by GRID, of normal-inverse-gamma distributions.

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


def regress(features: Floats, logs: Floats, weights: Floats, widths: Floats, prior_sd: float) -> Posterior:
    """Weighted regression of `logs` (n,) on `features` (n, k) at every row of `widths` (grid, k).

    A day of weight w has the noise's variance over w; `prior_sd` is the noise that is expected before any day is seen.
    """
    weighted = features * weights[:, None]
    gram, moment = weighted.T @ features, weighted.T @ logs
    precision = np.repeat(gram[None], len(widths), axis=0)
    k = np.arange(len(gram))
    precision[:, k, k] += widths**-2.0
    cholesky = np.linalg.cholesky(precision).astype(np.float64, copy=False)
    moments = np.broadcast_to(moment[:, None], (len(widths), len(moment), 1))
    mean = np.linalg.solve(precision, moments)[:, :, 0].astype(np.float64, copy=False)
    squares = np.maximum((weights * logs) @ logs - mean @ moment, 0)
    shape = (PRIOR_FREEDOM + len(logs)) / 2
    rate = (PRIOR_FREEDOM * prior_sd**2 + squares) / 2
    evidence = -np.log(cholesky[:, k, k]).sum(axis=1) - np.log(widths).sum(axis=1) - shape * np.log(rate)
    top = evidence.max()
    likely = GRID_CHANCES * np.exp(evidence - top)
    total = float(top + np.log(likely.sum()) + np.log(weights).sum() / 2)
    return Posterior(likely / likely.sum(), mean, cholesky, shape, rate, total)
