"""Noise that falls as the level rises: a fleet of many calls a day varies less than one of few.

Of a sum of n calls the logarithm varies by 1/n; what moves all calls of a day varies it as much whatever n is. Which of
both a fleet's days show is weighed by the likelihood of their distances from what is usual.
"""

from __future__ import annotations

import numpy as np

from .history import Floats

POWERS = {0.0: 0.5, 0.5: 0.25, 1.0: 0.25}
"""By what power of the level the noise's variance falls, and the chance of each before a day is seen."""
FARTHEST = 2.0
"""In logs: levels farther from the newest days' are taken to be as far as this."""
LARGEST = 2.5
"""Standard deviations: days farther off are anomalies and say no more than this."""


def power(scores: Floats, usual: Floats) -> float:
    """The power of the level by which the variance falls, 0 to 1: the posterior's mean.

    `scores` (days,) are the days' distances from what is usual in standard deviations, `usual` (days,) that in logs.
    """
    squares, usual = np.minimum(scores**2, LARGEST**2), usual - usual.mean()
    powers = np.array(list(POWERS))
    sums = np.exp(powers[:, None] * usual) @ squares
    evidence = -len(scores) / 2 * np.log(sums + 1e-9)  # the usual levels' mean is 0, so that no determinant is left
    likely = np.array(list(POWERS.values())) * np.exp(evidence - evidence.max())
    return float(powers @ likely / likely.sum())


def precision(above: Floats, power: float) -> Floats:
    """How many times as precise days are whose level is `above` the newest days' by so much, in logs: (days,)."""
    times: Floats = np.exp(power * np.clip(above, -FARTHEST, FARTHEST))
    return times
