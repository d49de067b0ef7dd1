"""Robust levels: what is usual for a weekday, how far days are from it, and where the level shifts.

All of it works on the logarithm of cost, so that effects multiply. Arrays have one entry per day; a day of no cost
is NaN. Medians throughout: half of the days would have to be outliers to move them.
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
SLOPE_MARGIN = 0.85
"""Two levels must leave at most that share of the distances that a slope leaves."""


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
    deviations = logs - medians(windows(logs, 3, 3))
    if len(logs) >= 20:
        deviations[:3] = deviations[-3:] = np.nan
    effects = medians(np.stack([np.where(weekday == day, deviations, np.nan) for day in range(7)]))
    return np.nan_to_num(effects)


def spread(deviations: Floats) -> float:
    """The standard deviation of noise around zero, from its median absolute value; 0 where nothing is known."""
    known = np.abs(deviations[~np.isnan(deviations)])
    return MAD_TO_SD * float(np.median(known)) if known.size else 0.0


def shifts(level: Floats, noise: float, most: int = 3) -> list[int]:
    """The days from which the level is another, at most that many: [40] where day 40 is the first of a new level.

    `level` is logs without their weekday effects. Around a shift the medians of up to 14 days on both sides are
    SHIFT_SCORE standard errors apart (of a median: 1.2533 that of a mean), and two flat levels fit those days
    better than one slope. The largest score first; none within SHIFT_DAYS of another or of an end.
    """
    found: list[int] = []
    passed: set[int] = set()
    for _ in range(2 * most):
        scores = _shift_scores(level, sorted({0, len(level), *found}), max(noise, 1e-9))
        scores[list(passed)] = 0
        best = int(np.argmax(scores))
        if scores[best] < SHIFT_SCORE or len(found) == most:
            break
        start = max([0, *(day for day in found if day <= best)], default=0)
        end = min([len(level), *(day for day in found if day > best)])
        day = _placed(level, max(start, best - SHIFT_WINDOW), min(end, best + SHIFT_WINDOW))
        passed |= set(range(best - SHIFT_DAYS, min(best + SHIFT_DAYS, len(level))))
        if day is not None:
            found.append(day)
    return sorted(found)


def _shift_scores(level: Floats, cuts: list[int], noise: float) -> Floats:
    """How many standard errors both sides of each day are apart, looking no further than the next cut."""
    scores = np.zeros(len(level))
    for start, end in pairwise(cuts):
        part = level[start:end]
        before = windows(part, SHIFT_WINDOW, 0)[:, :-1]
        after = windows(part, 0, SHIFT_WINDOW - 1)
        counts = [np.count_nonzero(~np.isnan(side), axis=1) for side in (before, after)]
        apart = np.abs(np.nan_to_num(medians(after) - medians(before)))
        error = noise * 1.2533 * np.sqrt(sum(1 / np.maximum(count, 1) for count in counts))
        enough = (np.minimum(*counts) >= SHIFT_DAYS) & (apart >= SHIFT_LEAST)
        scores[start:end] = np.where(enough, apart / error, 0.0)
    return scores


def _placed(level: Floats, start: int, end: int) -> int | None:
    """The day that parts these days into the two levels that they are nearest to; None where one slope fits as well."""
    known = np.arange(start, end)[~np.isnan(level[start:end])]
    values = level[known]
    costs = [
        _distance(values[:cut]) + _distance(values[cut:]) for cut in range(SHIFT_DAYS, len(known) - SHIFT_DAYS + 1)
    ]
    third = len(known) // 3
    rise = np.median(values[-third:]) - np.median(values[:third])  # Tukey's resistant line
    slope = rise / (np.median(known[-third:]) - np.median(known[:third]))
    if min(costs) > SLOPE_MARGIN * _distance(values - slope * known):
        return None
    return int(known[SHIFT_DAYS + int(np.argmin(costs))])


def _distance(values: Floats) -> float:
    return float(np.abs(values - np.median(values)).sum())
