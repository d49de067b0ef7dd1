"""How well the mean of a few logged sessions is known: their bootstrap, widened for how few they are.

The mean of S drawn sessions is a draw of what the true mean may be. Of few sessions that is too narrow: the spread of
S values is itself not known well, and its largest values are rarely among them. So the factor is raised to the power
by which Student's 90 % quantile (S - 1 degrees of freedom) exceeds the normal one, times sqrt(S / (S - 1)).
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from ...architecture.distributions import Floats
from ...forecast.student import quantile

MOST_RESAMPLED = 200
"""More sessions than that have a mean whose error is normal."""
Z90 = NormalDist().inv_cdf(0.9)


def widening(count: int) -> float:
    """The power by which the factor of so many sessions is raised; 1 for many, 3.4 for two."""
    if count < 2:
        return 1.0
    degrees = count - 1
    student = quantile(0.1, degrees) if degrees <= 100 else Z90 * (1 + (Z90**2 + 1) / (4 * degrees))
    return student / Z90 * math.sqrt(count / degrees)


def mean_factors(sessions: Floats, rng: np.random.Generator, trials: int) -> Floats:
    """How many times the logged mean the true mean may be: (columns, trials), each of mean 1.

    `sessions` are (sessions, columns); the columns are drawn together. One session alone shows no spread: all 1.
    """
    count, columns = sessions.shape
    mean = sessions.mean(axis=0)
    if count < 2:
        return np.ones((columns, trials))
    drawn = _resampled(sessions, rng, trials) if count <= MOST_RESAMPLED else _normal(sessions, rng, trials)
    relative = np.divide(drawn, mean, out=np.ones_like(drawn), where=mean > 0)
    widened = np.maximum(relative, 0.0) ** widening(count)
    average = widened.mean(axis=0)
    factors: Floats = np.divide(widened, average, out=np.ones_like(widened), where=average > 0).T
    return factors


def _resampled(sessions: Floats, rng: np.random.Generator, trials: int) -> Floats:
    count = len(sessions)
    times = rng.multinomial(count, np.full(count, 1 / count), trials)
    means: Floats = times @ sessions / count
    return means


def _normal(sessions: Floats, rng: np.random.Generator, trials: int) -> Floats:
    """Means with the covariance of the sessions over their number: a sum of them with normal weights."""
    around = sessions - sessions.mean(axis=0)
    shape = np.linalg.cholesky(around.T @ around / (len(sessions) - 1) / len(sessions) + _ridge(around))
    means: Floats = sessions.mean(axis=0) + rng.standard_normal((trials, sessions.shape[1])) @ shape.T
    return means


def _ridge(around: Floats) -> Floats:
    """As much more variance as keeps the covariance of columns that depend on one another positive."""
    ridge: Floats = np.diag((around**2).mean(axis=0) * 1e-9 + 1e-12)
    return ridge
