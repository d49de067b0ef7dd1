"""Calibration: the ranges that the forecast gave in the course of past months, against what the months came to.

A forecast of a month is made anew from the days through the 5th, 10th and 20th alone, by the one forecast of month.py:
what it would have said on the morning after. P10 to P90 should hold eight months in ten; of few months nothing can be
said yet, for with a perfect forecast 5 of 6 or fewer lie inside in three cases of four.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Literal

from ...errors import CostsimError
from ...money import strip
from ...months import month_bounds, month_span
from .history import Days, History
from .month import FEW_DAYS, TRIALS, forecast_month
from .results import Calibration, ForecastCheck, ForecastRecord

DAYS = (5, 10, 20)
"""The days of a month whose forecasts are looked at."""
MONTHS = 12
"""How far back the record goes."""
COMPONENTS = 8
"""So many of the month's most expensive components have a row of their own."""
QUICK_TRIALS = 1_000
"""Draws of a component's forecast, and of earlier months'; the month's own has as many as it was given with."""
ENOUGH_MONTHS = 6
WANTED = 0.8


def calibrate(series: Mapping[str | None, History], month: str, as_of: date) -> Calibration | None:
    """How the forecasts of a month, by component and (None) in all, and of the months before have kept.

    `month` is written 2026-10; where it is not over by `as_of`, the last day known whole, the month before is looked
    at. None where no forecast of that month could have been made from a week of days or more.
    """
    first, last = month_span(month)
    if last > as_of:
        first, last = month_bounds(date.fromordinal(first.toordinal() - 1))
    total = series.get(None, ())
    checks = _checks(total, first, last, None, TRIALS)
    if not checks:
        return None
    own = {name: _checks(series[name], first, last, name, QUICK_TRIALS) for name in _largest(series, first, last)}
    earlier = [check for bounds in _months_before(first) for check in _checks(total, *bounds, None, QUICK_TRIALS)]
    return Calibration(
        month=f"{first:%Y-%m}",
        checks=[*checks, *(check for of in own.values() for check in of)],
        record=_record([*earlier, *checks]),
    )


def _months_before(first: date) -> list[tuple[date, date]]:
    found: list[tuple[date, date]] = []
    for _ in range(MONTHS - 1):
        found.append(month_bounds(date.fromordinal(first.toordinal() - 1)))
        first = found[-1][0]
    return found[::-1]


def _largest(series: Mapping[str | None, History], first: date, last: date) -> list[str]:
    spent = {
        name: sum((usd for day, usd in history if first <= day <= last), Decimal(0))
        for name, history in series.items()
        if name is not None
    }
    ranked = sorted((name for name, usd in spent.items() if usd), key=lambda name: (-spent[name], name))
    return ranked[:COMPONENTS]


def _checks(history: History, first: date, last: date, component: str | None, trials: int) -> list[ForecastCheck]:
    """The forecasts of a month that could have been made, against what it came to."""
    whole = Days.of(history, last)
    if whole is None:
        return []
    actual = whole.spent(first, last)
    found = (_check(history, first.replace(day=day), component, actual, trials) for day in DAYS)
    return [check for check in found if check]


def _check(history: History, as_of: date, component: str | None, actual: Decimal, trials: int) -> ForecastCheck | None:
    known = Days.of(history, as_of)
    if known is None or len(known) < FEW_DAYS:
        return None
    try:
        given = forecast_month(history, as_of, as_of, trials=trials).forecast
    except CostsimError:  # every day so far cost nothing
        return None
    fell: Literal["below", "within", "above"] = "within"
    if not given.p10_usd <= actual <= given.p90_usd:
        fell = "below" if actual < given.p10_usd else "above"
    return ForecastCheck(
        month=given.month, component=component, as_of=as_of, p10_usd=strip(given.p10_usd),
        p50_usd=strip(given.p50_usd), p90_usd=strip(given.p90_usd), actual_usd=strip(actual), fell=fell,
    )  # fmt: skip


def _record(checks: Sequence[ForecastCheck]) -> list[ForecastRecord]:
    found = []
    for day in DAYS:
        of = [check for check in checks if check.as_of.day == day]
        if of:
            inside = sum(check.fell == "within" for check in of)
            found.append(
                ForecastRecord(day=day, months=len(of), inside=inside, wanted=WANTED, enough=len(of) >= ENOUGH_MONTHS)
            )
    return found
