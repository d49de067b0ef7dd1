"""Days that cost far more, or far less, than usual: spikes, not shifts of the level.

A day is compared, by its weekday, with the median of the seven days before it and with that of the seven after
it, and the nearer of the two counts: after a change of price or routing the days agree with those that follow, so
a shift of the level is no run of anomalies. How far is too far is set so that all the days and series shown
together raise a false alarm with a chance of 1 % (Bonferroni), on Student's t for a scale estimated from few days.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ...money import to_usd
from . import levels, student
from .history import Days, Floats, History, weekdays
from .results import Anomaly

ALPHA = 0.01
"""The chance of any false alarm, over all days and series shown."""
BEFORE, AFTER = timedelta(56), timedelta(14)
FEWEST_DAYS, FEWEST_PER_WEEKDAY = 14, 3
LEAST_SD = 0.05
"""Days that never vary would make an anomaly of every cent: noise is taken to be at least 5 %."""
LONGEST_RUN = 3
"""More days in a row than this, all too high or all too low, are a new level."""


@dataclass(frozen=True)
class _Usual:
    """What is usual of each day (days,): cost, USD; the day's distance from it in standard deviations."""

    expected: Floats
    score: Floats
    sd: float
    freedom: int


def anomalies(
    history: History, first: date, last: date, component: str | None = None, *, series: int = 1
) -> list[Anomaly]:
    """The anomalies from `first` to `last` of one series, in order of day.

    Eight weeks before `first` and two after `last` are looked at where the history has them. `series` is how many
    series are looked at together: they share the 1 % of false alarms. With fewer than 14 days that cost something
    nothing can be said, and the list is empty. Raises CostsimError on a negative cost.
    """
    days = Days.of(history)
    if days is None or last < first:
        return []
    days = days.between(first - BEFORE, last + AFTER)
    usual = _usual(days) if days else None
    if days is None or usual is None:
        return []
    chance = ALPHA / (2 * series * ((last - first).days + 1))
    limit = student.quantile(chance, usual.freedom)
    found = _spikes(np.where(usual.score > limit, 1, np.where(usual.score < -limit, -1, 0)), days.costs > 0)
    return [
        _anomaly(days, n, usual, limit, component, lasting)
        for n, lasting in found.items()
        if first <= days.first + timedelta(n) <= last
    ]


def anomalies_by_component(histories: Mapping[str | None, History], first: date, last: date) -> list[Anomaly]:
    """The anomalies of several series (None: the total), which share the 1 % of false alarms; a day's largest first."""
    found = [
        anomaly
        for component, history in histories.items()
        for anomaly in anomalies(history, first, last, component, series=len(histories))
    ]
    return sorted(
        found,
        key=lambda anomaly: (anomaly.day, anomaly.component is not None, -abs(anomaly.usd - anomaly.expected_usd)),
    )


def _usual(days: Days) -> _Usual | None:
    costs, weekday = days.costs, weekdays(days.first, len(days))
    active = costs > 0
    if np.count_nonzero(active) < FEWEST_DAYS:
        return None
    logs = np.log(np.where(active, costs, np.nan))
    effects, tested = _effects(logs, weekday)
    if not tested.any():
        return None
    level = logs - effects[weekday]
    reference = _nearer(level)
    away = np.where(active, level - reference, -np.inf)
    sd = _scale(away[active], idle=1 - float(active[tested[weekday]].mean()))
    # Upwards by ratio, downwards by difference: both are the gentler for the skew that counts and costs have
    score = np.where(away > 0, away, np.expm1(np.minimum(away, 0))) / sd
    judged = ~np.isnan(reference) & (tested[weekday] | (away > 0)) & (active | _never_idle(active, weekday))
    freedom = max(2, int(active.sum()) // 3)
    return _Usual(np.exp(reference + effects[weekday]), np.where(judged, score, 0.0), sd, freedom)


def _effects(logs: Floats, weekday: NDArray[np.int64]) -> tuple[Floats, NDArray[np.bool_]]:
    """Weekday effects in logs (7,), and whether that weekday usually costs anything.

    With too few weeks to distinguish weekdays the effects are 0, and their difference counts as noise. A weekday
    that is usually idle is compared with the most expensive weekday: it is an anomaly only if it would be one there.
    """
    seen = np.bincount(weekday, minlength=7)
    cost = np.bincount(weekday[~np.isnan(logs)], minlength=7)
    usual = cost * 2 > seen
    if not usual.any() or cost[usual].min() < FEWEST_PER_WEEKDAY:
        return np.zeros(7), usual
    effects = levels.weekday_effects(logs, weekday)
    return np.where(usual, effects, effects[usual].max()), usual


def _nearer(level: Floats) -> Floats:
    """The median of the seven days before or after each day, whichever is nearer to it; NaN where neither is known."""
    sides = [levels.windows(level, 7, 0)[:, :-1], levels.windows(level, 0, 7)[:, 1:]]
    before, after = (
        np.where(np.count_nonzero(~np.isnan(side), axis=1) >= 3, levels.medians(side), np.nan) for side in sides
    )
    before, after = np.where(np.isnan(before), after, before), np.where(np.isnan(after), before, after)
    at = np.where(np.isnan(level), np.fmin(before, after), level)  # a day of no cost: the lower level is nearer
    to_before, to_after = np.abs(at - before), np.abs(at - after)
    return np.where(to_before <= to_after, before, after)


def _scale(away: Floats, idle: float) -> float:
    """The noise's standard deviation: from the median of the distances or from their 90th percentile, the larger.

    `idle` is the share of days without cost among weekdays that usually have some: where it is large the series
    is made of single calls, and two on a day where one is usual are no anomaly.
    """
    known = np.abs(away[np.isfinite(away)])
    least = math.log(2) / 2 if idle > 0.2 else LEAST_SD
    tail = float(np.quantile(known, 0.9)) / 1.645 if known.size else 0.0
    return max(levels.spread(known), tail, least)


def _never_idle(active: NDArray[np.bool_], weekday: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether all but one in twenty of the other days of this weekday cost something: then no cost is an anomaly."""
    idle, seen = np.bincount(weekday[~active], minlength=7), np.bincount(weekday, minlength=7)
    others = idle[weekday] - ~active
    return (others * 20 <= seen[weekday] - 1) & (seen[weekday] > FEWEST_PER_WEEKDAY)


def _spikes(side: NDArray[np.int64], active: NDArray[np.bool_]) -> dict[int, int]:
    """The anomalies that are no new level, and how many days, to the end of what is known, are as unusual as each.

    `side` is 1 for too high, -1 for too low. A run that is still going on the last day is reported by its first day.
    """
    matters = np.flatnonzero(active | (side != 0))  # weekends of no cost do not end a run
    cuts = [0, *(np.flatnonzero(np.diff(side[matters])) + 1), len(matters)]
    found: dict[int, int] = {}
    for start, end in pairwise(cuts):
        run = matters[start:end]
        if not run.size or side[run[0]] == 0 or len(run) > LONGEST_RUN:
            continue
        going_on = len(run) > 1 and end == len(matters)
        found |= {int(run[0]): len(run)} if going_on else {int(day): 1 for day in run}
    return found


def _anomaly(days: Days, n: int, usual: _Usual, limit: float, component: str | None, lasting: int) -> Anomaly:
    day, cost, expected = days.first + timedelta(n), days.usd[n], float(usual.expected[n])
    low = expected * max(0.0, 1 - limit * usual.sd)
    high = expected * math.exp(limit * usual.sd)
    return Anomaly(
        day=day, component=component, usd=cost, expected_usd=to_usd(expected), low_usd=to_usd(low),
        high_usd=to_usd(high),
        score=round(float(usual.score[n]), 2), message=_says(day, cost, expected, lasting),
    )  # fmt: skip


def _says(day: date, cost: Decimal, expected: float, lasting: int) -> str:
    times = float(cost) / expected
    far = f"{times:.1f} times" if times >= 1 else f"{100 * times:.0f} % of"
    since = "" if lasting == 1 else f"; so did the {lasting - 1} after it: perhaps a new level"
    return f"{day:%A} {day} cost {far} what is usual{since}"
