"""Days of no cost: whether a day to come costs anything at all.

Three ways in which days may rest are weighed by how well they explain the days seen: all days share one chance of a
cost (a fleet that runs now and then), working days and weekends have one each, or every weekday has its own. Before a
day is seen a chance is Beta(0.15, 0.15), mostly near 0 or 1: a weekday that always cost something probably will again.
"""

from __future__ import annotations

from math import lgamma

import numpy as np
from numpy.typing import NDArray

from .history import Floats

HALF_LIFE_DAYS = 14.0
"""Of what a day says of the chances; of which weekdays share one, every day says as much."""
GROUPS = (np.zeros(7, dtype=np.int64), np.repeat([0, 1], [5, 2]), np.arange(7))
GROUP_CHANCES = np.array([0.08, 0.35, 0.03])
"""Which weekdays share a chance, and how likely that is before a day is seen; else no day rests."""
ENOUGH_WEEKS = 2
"""Where every weekday was seen so often and no day rested, none will."""
BETA = 0.15
"""Both parameters of the chances' prior."""


def draw_active(
    costs: Floats, weekday: NDArray[np.int64], ahead: NDArray[np.int64], trials: int, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Whether the days to come, of the weekdays `ahead`, cost anything: (trials, days).

    `costs` (days,) are the days known, oldest first, of which the newest count most; `weekday` theirs.
    """
    seen = np.arange(len(costs)) > 0  # known days begin with a cost: that one says nothing of how often there is one
    yes, no = _counts(costs, weekday, seen.astype(np.float64))
    if not no.any() and yes.min() >= ENOUGH_WEEKS:
        return np.ones((trials, len(ahead)), dtype=np.bool_)
    evidence = [sum(map(_evidence, np.bincount(group, yes), np.bincount(group, no))) for group in GROUPS]
    likely = GROUP_CHANCES * np.exp(np.array(evidence))
    always = 0.0 if no.any() else 1 - GROUP_CHANCES.sum()
    if no.any():
        yes, no = _counts(costs, weekday, seen * 0.5 ** (np.arange(len(costs))[::-1] / HALF_LIFE_DAYS))
    drawn = rng.multinomial(trials, np.array([*likely, always]) / (likely.sum() + always))
    chances = [
        rng.beta(np.bincount(group, yes) + BETA, np.bincount(group, no) + BETA, (count, group.max() + 1))[:, group]
        for group, count in zip(GROUPS, drawn[:-1], strict=True)
    ]
    chance = rng.permutation(np.vstack([*chances, np.ones((drawn[-1], 7))]))
    return rng.random((trials, len(ahead))) < chance[:, ahead]


def _counts(costs: Floats, weekday: NDArray[np.int64], weight: Floats) -> tuple[Floats, Floats]:
    """By weekday, how many of the days cost something and how many nothing: (7,) each."""
    yes, no = (np.bincount(weekday, weight * part, 7).astype(np.float64) for part in (costs > 0, costs <= 0))
    return yes, no


def _evidence(yes: float, no: float) -> float:
    """The logarithm of the chance of such days, however likely a cost is."""
    return _log_beta(yes + BETA, no + BETA) - _log_beta(BETA, BETA)


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)
