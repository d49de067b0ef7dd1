"""Robust levels: what is usual for a weekday, how far days stray from it, and where the level shifts.

All of it works on the logarithm of cost, so that effects multiply. Arrays have one entry per day; a day of no cost
is NaN. Medians throughout: half of the days would have to be odd to move them.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .history import Floats

MAD_TO_SD = 1.4826
"""The standard deviation of normal noise over its median absolute deviation."""
SHIFT_WINDOW, SHIFT_DAYS = 14, 4
SHIFT_SCORE, SHIFT_LEAST = 6.0, 0.08
"""A shift is that many standard errors between the medians of both sides, and at least that much in logs."""


def medians(values: Floats) -> Floats:
    """The median of each row, NaN left out; NaN for a row of nothing else. (rows, n) in, (rows,) out."""
    ordered = np.sort(values, axis=1)  # NaN last
    known = np.count_nonzero(~np.isnan(values), axis=1)
    rows = np.arange(len(values))
    low, high = np.maximum(known - 1, 0) // 2, known // 2
    middle: Floats = (ordered[rows, low] + ordered[rows, np.minimum(high, values.shape[1] - 1)]) / 2
    return np.where(known > 0, middle, np.nan)


def windows(values: Floats, before: int, after: int) -> Floats:
    """For each day, the days from `before` earlier to `after` later, NaN beyond the ends: (days, before+1+after)."""
    padded = np.concatenate([np.full(before, np.nan), values, np.full(after, np.nan)])
    return np.lib.stride_tricks.sliding_window_view(padded, before + 1 + after)


def weekday_effects(logs: Floats, weekday: NDArray[np.int64]) -> Floats:
    """Each weekday's usual distance from the median of the week around it, in logs: (7,), 0 where it is unknown.

    A window of seven days has each weekday once, so its median moves with the level and not with the weekday.
    The first and last three days have no whole week around them and are left out where there are others.
    """
    strays = logs - medians(windows(logs, 3, 3))
    if len(logs) >= 20:
        strays[:3] = strays[-3:] = np.nan
    effects = medians(np.stack([np.where(weekday == day, strays, np.nan) for day in range(7)]))
    return np.nan_to_num(effects)


def spread(strays: Floats) -> float:
    """The standard deviation of noise around zero, from its median absolute value; 0 where nothing is known."""
    known = np.abs(strays[~np.isnan(strays)])
    return MAD_TO_SD * float(np.median(known)) if known.size else 0.0


def shifts(levels: Floats, noise: float, most: int = 3) -> list[int]:
    """The days from which the level is another, at most that many: [40] where day 40 is the first of a new level.

    `levels` are logs without their weekday effects. A day is a shift where the median of up to 14 days from it on
    is SHIFT_SCORE standard errors (of a median: 1.2533 that of a mean) from that of the 14 before it, the largest
    score first, none within SHIFT_DAYS of another or of an end.
    """
    found: list[int] = []
    bounds = [0, len(levels)]
    while len(found) < most:
        scores = _shift_scores(levels, sorted({*bounds, *found}), max(noise, 1e-9))
        best = int(np.argmax(scores)) if scores.size else 0
        if not scores.size or scores[best] < SHIFT_SCORE:
            break
        found.append(best)
    return sorted(found)


def _shift_scores(levels: Floats, cuts: list[int], noise: float) -> Floats:
    """How many standard errors both sides of each day are apart, looking no further than the next cut."""
    scores = np.zeros(len(levels))
    for start, end in pairwise(cuts):
        part = levels[start:end]
        before = windows(part, SHIFT_WINDOW, 0)[:, :-1]
        after = windows(part, 0, SHIFT_WINDOW - 1)
        counts = [np.count_nonzero(~np.isnan(side), axis=1) for side in (before, after)]
        apart = np.abs(np.nan_to_num(medians(after) - medians(before)))
        error = noise * 1.2533 * np.sqrt(sum(1 / np.maximum(count, 1) for count in counts))
        enough = (np.minimum(*counts) >= SHIFT_DAYS) & (apart >= SHIFT_LEAST)
        scores[start:end] = np.where(enough, apart / error, 0.0)
    return scores
