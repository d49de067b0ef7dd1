"""What we spent: the month, the one before, the forecast of a running one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from ...errors import CostsimError
from ...money import strip, to_usd
from ...plurals import counted
from ..budgets.results import BudgetUse
from ..compare.bridge_results import Bridge
from ..forecast.history import History
from ..forecast.month import forecast_month
from ..forecast.results import MonthForecast
from .results import Headline, Month

LEAST_CALLS = 30
"""Months of fewer calls are not compared: a few calls more would be growth of any size."""
NEEDED = f"a comparison needs {LEAST_CALLS} in both months"
ENDS = ("expected_usd", "p10_usd", "p50_usd", "p90_usd")


def months_of(lines: Iterable[tuple[Any, ...]], today: date) -> dict[str, Month]:
    """The months by name, from the rows of the headline's query (see queries.py).

    Raises CostsimError where they have usage of a day after `today`: the parts would not speak of the same days.
    """
    months = {line[0]: _month(*line, today=today) for line in lines}
    last = max((month.last for month in months.values()), default=today)
    if last > today:
        raise CostsimError(f"there is usage of {last}, after {today}: give --today {last} or later")
    return months


def _month(
    name: str,
    first: date,
    last: date,
    spent: Decimal | None,
    calls: int,
    tokens: int,
    unpriced: int,
    billed: Decimal,
    *,
    today: date,
) -> Month:
    return Month(
        month=name, first=first, last=last, complete=f"{today:%Y-%m}" > name, usd=strip(spent or Decimal(0)),
        calls=calls, tokens=tokens, unpriced_tokens=unpriced, only_billed_usd=strip(billed),
    )  # fmt: skip


def forecast(month: Month, history: History, as_of: date) -> MonthForecast | None:
    """The forecast of a running month; None where it is over, or where too little is known to make one."""
    if month.complete or not any(cost for day, cost in history if day <= as_of):
        return None
    try:
        found = forecast_month(history, month.first, as_of).forecast
    except CostsimError:
        return None
    ends = {name: max(getattr(found, name), month.usd) for name in ENDS}  # today's part is spent already
    return found.model_copy(update=ends)


def too_little(month: Month, previous: Month | None, compared: tuple[int, int] | None = None) -> str:
    """Why a month is not compared with the one before: one of them has too few calls; empty where it can be.

    `compared` are the calls of the days of a running month that are compared: of the month before, and its own.
    """
    if previous is None:
        return ""
    if min(month.calls, previous.calls) < LEAST_CALLS:
        few = month if month.calls < previous.calls else previous
        return f"too little to compare: {few.month} has {counted(few.calls, 'call')}, and {NEEDED}"
    if compared is None or min(compared) >= LEAST_CALLS:
        return ""
    name = month.month if compared[1] < compared[0] else previous.month
    return f"too little to compare yet: on these days {name} has {counted(min(compared), 'call')}, and {NEEDED}"


def headline(
    month: Month,
    previous: Month | None,
    budgets: list[BudgetUse],
    ahead: MonthForecast | None,
    bridge: Bridge | None,
    little: str = "",
) -> Headline:
    """The part; the change is what the bridge spans, in percent of where it begins."""
    change, percent = _change(bridge) if bridge else (None, None)
    return Headline(
        month=month,
        previous=previous,
        change_usd=change,
        change_percent=percent,
        budgets=budgets,
        forecast=ahead,
        too_little=little,
        query="headline",
    )


def _change(bridge: Bridge) -> tuple[Decimal, Decimal | None]:
    """In USD, and in percent where it begins above zero."""
    change = bridge.after_usd - bridge.before_usd
    return strip(change), to_usd(change / bridge.before_usd * 100) if bridge.before_usd else None
