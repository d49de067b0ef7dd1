"""How well the mean of a few logged sessions is known: their bootstrap, widened for how few they are.

The mean of S drawn sessions is a draw of what the true mean may be. Of few sessions that is too narrow: the spread of
values is itself not known well, and the largest values are rarely among them. So its distance from 1 is widened by what
Student's 90 % quantile (n - 1 degrees of freedom) exceeds the normal one by, times sqrt(n / (n - 1)), where n is how
many sessions of equal size would have as much to say: (sum x)^2 / sum x^2 of S sessions with x tokens each.
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


def widening(count: float) -> float:
    """How many times farther from 1 the factor of so many sessions may be; 1 for many, 3.4 for two."""
    degrees = max(count, 2.0) - 1
    count = degrees + 1
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
    times = np.array([widening(equal) for equal in _equal_sessions(sessions)])
    widened = np.maximum(1 + times * (relative - 1), 0.0)
    average = widened.mean(axis=0)
    factors: Floats = np.divide(widened, average, out=np.ones_like(widened), where=average > 0).T
    return factors


def _equal_sessions(sessions: Floats) -> list[float]:
    """Of each column, how many sessions of equal size would show its mean as well: at most as many as there are."""
    total, squares = sessions.sum(axis=0), (sessions**2).sum(axis=0)
    equal = np.divide(total**2, squares, out=np.full(len(total), float(len(sessions))), where=squares > 0)
    return [round(value, 1) for value in equal.tolist()]


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
