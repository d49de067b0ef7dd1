"""Days of no cost: whether a day to come costs anything at all.

Three ways in which days may rest are weighed by how well they explain the days seen: all days share one chance of a
cost (a fleet that runs now and then), working days and weekends have one each, or every weekday has its own. Before a
day is seen a weekday's chance is Beta(0.15, 0.15), mostly near 0 or 1: a weekday that always cost something probably
will again. The chance that all days share is Beta(0.5, 0.5), Jeffreys' prior, for days at random may be of any number.
Whether the chances change, so that old days count for less, is weighed as well.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .history import Floats

HALF_LIVES = {14.0: 0.25, math.inf: 0.75}
"""In days, of what a day says of the chances, which change or do not, and how likely either is before a day is seen."""
MOST_DAYS = 182
"""Days looked at."""
GROUPS = (np.zeros(7, dtype=np.int64), np.repeat([0, 1], [5, 2]), np.arange(7))
GROUP_CHANCES = np.array([0.08, 0.35, 0.03])
"""Which weekdays share a chance, and how likely that is before a day is seen; else no day rests."""
ENOUGH_WEEKS = 2
"""Where every weekday was seen so often and no day rested, none will."""
BETAS = (0.5, 0.15, 0.15)
"""Both parameters of the chances' prior, by group."""


def draw_active(
    costs: Floats, weekday: NDArray[np.int64], ahead: NDArray[np.int64], trials: int, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Whether the days to come, of the weekdays `ahead`, cost anything: (trials, days).

    `costs` (days,) are the days known, oldest first; `weekday` theirs.
    """
    costs, weekday = costs[-MOST_DAYS:], weekday[-MOST_DAYS:]
    active = costs > 0
    seen = np.bincount(weekday[1:], minlength=7)  # known days begin with a cost: the first says nothing
    if active[1:].all() and seen.min() >= ENOUGH_WEEKS:
        return np.ones((trials, len(ahead)), dtype=np.bool_)
    always = 1 - GROUP_CHANCES.sum() if active[1:].all() else 0.0
    ways = [
        (group, beta, *_evidence(active, group, weekday, half_life, beta))
        for group, beta in zip(GROUPS, BETAS, strict=True)
        for half_life in HALF_LIVES
    ]
    prior = np.outer(GROUP_CHANCES, list(HALF_LIVES.values())).ravel()
    likely = prior * np.exp([way[2] for way in ways])
    drawn = rng.multinomial(trials, np.array([*likely, always]) / (likely.sum() + always))
    chances = [
        rng.beta(yes + beta, no + beta, (count, len(yes)))[:, group]
        for (group, beta, _, yes, no), count in zip(ways, drawn[:-1], strict=True)
    ]
    chance = rng.permutation(np.vstack([*chances, np.ones((drawn[-1], 7))]))
    return rng.random((trials, len(ahead))) < chance[:, ahead]


def _evidence(
    active: NDArray[np.bool_], group: NDArray[np.int64], weekday: NDArray[np.int64], half_life: float, beta: float
) -> tuple[float, Floats, Floats]:
    """How likely such days are, forecast one by one (its logarithm), and the counts by group that they leave.

    Counts halve every `half_life` days. `group` is by weekday; `active` and `weekday` are (days,), the first of which
    counts for nothing.
    """
    groups, group = int(group.max()) + 1, group[weekday]
    day = np.arange(len(active) + 1)
    age = day[:, None] - 1 - day[None, :-1]
    weight = np.where(age >= 0, 0.5 ** (np.maximum(age, 0) / half_life), 0.0)
    weight[:, 0] = 0
    same = weight[:-1] * (group[:, None] == group)
    yes, no = same @ active + beta, same @ ~active + beta
    chance = np.where(active, yes, no)[1:] / (yes + no)[1:]
    last = [np.bincount(group, weight[-1] * part, groups).astype(np.float64) for part in (active, ~active)]
    return float(np.log(chance).sum()), last[0], last[1]
