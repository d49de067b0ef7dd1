"""Budgets against logged usage: what is spent of the month, and the forecast of what is still to come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ...money import strip, to_usd
from ..architecture.budgets import Budget
from ..forecast.history import Days
from ..forecast.month import ENOUGH_DAYS, HISTORY_DAYS, TRIALS, basis, forecast_month
from ..spend.ledger import Ledger
from ..spend.query import Query, key_of
from ..spend.spend import choose
from .judge import Judged, Parts, limit_of
from .results import BudgetUse
from .scopes import NAMED, AnyScope, Labels, StatedBudget, counts, tags_of
from .windows import Daily, Floats, days_of_month, last_period, windows

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from ...pricing.book import PriceBook

LAST_DAY = "SELECT max(day) FROM usage_daily"
REJECTED = """
SELECT load.path, load.rejected, load.entries, min(reject.line)
FROM load LEFT JOIN reject USING (file_id) WHERE load.rejected > 0 GROUP BY ALL ORDER BY load.path
"""
ENTRIES = "SELECT coalesce(sum(entries + rejected), 0)::BIGINT FROM load"
UNPRICED = """
SELECT coalesce(provider || '/', '') || coalesce(model, '(no model)'), list_sort(list(DISTINCT component)),
    sum(unpriced_tokens)::BIGINT
FROM priced WHERE unpriced_tokens > 0 AND day >= ? GROUP BY 1 ORDER BY 1
"""


class LoggedDay(NamedTuple):
    """What one component spent on one model on one day, exact."""

    day: date
    labels: Labels
    usd: Decimal


class UnpricedTokens(NamedTuple):
    """A logged model without a price: its tokens are in no cost."""

    model: str
    components: list[str]
    tokens: int


@dataclass(frozen=True)
class Usage:
    """Logged costs by day, through `as_of`, the last whole day known; `unpriced` are of the month only."""

    month: date
    as_of: date
    book: PriceBook = field(repr=False)
    rows: tuple[LoggedDay, ...] = field(repr=False)
    unpriced: tuple[UnpricedTokens, ...] = ()

    @property
    def last_day(self) -> date:
        """The last day of the month."""
        return list(days_of_month(self.month))[-1]

    def in_scope(self, scope: AnyScope) -> list[LoggedDay]:
        """The costs that a scope counts."""
        if scope not in self._in_scope:
            holds = counts(scope, self.book)
            self._in_scope[scope] = [row for row in self.rows if holds(row.labels)]
        return self._in_scope[scope]

    @cached_property
    def _in_scope(self) -> dict[AnyScope, list[LoggedDay]]:
        return {}

    def spent(self, scope: AnyScope, first: date, last: date) -> Decimal:
        """What a scope cost on the days from `first` to `last`, exact."""
        return sum((row.usd for row in self.in_scope(scope) if first <= row.day <= last), Decimal(0))

    def daily(self, scope: AnyScope, seed: int) -> Daily:
        """A scope's cost by day, to the end of the month: known days exactly, those to come as forecast.

        It begins with the Monday on or before the month, so that its first week is whole.
        """
        days = list(days_of_month(self.month))
        days = [days[0] - timedelta(n) for n in range(days[0].weekday(), 0, -1)] + days
        known = _by_day((row.day, row.usd) for row in self.in_scope(scope))
        history = _without_credits(known)
        expected = [Fraction(known.get(day, Decimal(0))) for day in days]
        ahead = [n for n, day in enumerate(days) if day > self.as_of]
        recent = self.as_of - timedelta(HISTORY_DAYS)
        if not ahead or not any(cost for day, cost in known.items() if day > recent):
            return Daily(tuple(days), tuple(expected), _certain(expected))
        drawn = np.repeat(_certain(expected), TRIALS, axis=1)
        outlook = forecast_month(history, self.month, self.as_of, seed=seed)
        spent = float(outlook.forecast.spent_usd)
        coming = np.diff(outlook.cumulative, axis=1, prepend=spent).T
        ahead = ahead[-len(coming) :]
        drawn[ahead] = coming
        for n, mean in zip(ahead, coming.mean(axis=1).tolist(), strict=True):
            expected[n] = Fraction(to_usd(mean))
        return Daily(tuple(days), tuple(expected), drawn)

    @property
    def doubt(self) -> str:
        """That the forecast of the month rests on few days, in a sentence; empty where it does not."""
        known = Days.of(_without_credits(_by_day((row.day, row.usd) for row in self.rows)), self.as_of)
        few = known is not None and len(known) < ENOUGH_DAYS and self.as_of < self.last_day
        return f"the forecast is {basis(known)}" if known and few else ""


def _certain(expected: Sequence[Fraction]) -> Floats:
    return np.array([[float(cost)] for cost in expected])


def _by_day(history: Iterable[tuple[date, Decimal]]) -> dict[date, Decimal]:
    found: dict[date, Decimal] = {}
    for day, cost in history:
        found[day] = found.get(day, Decimal(0)) + cost
    return found


def _without_credits(known: Mapping[date, Decimal]) -> list[tuple[date, Decimal]]:
    """What a forecast is made from: a day on which credits outweigh the costs cost nothing."""
    return [(day, max(cost, Decimal(0))) for day, cost in known.items()]


def last_whole_day(ledger: Ledger, today: date) -> date | None:
    """The last day that the store knows whole: yesterday, or its last day if that is earlier; None if it is empty."""
    (last,) = ledger.connection.execute(LAST_DAY).fetchone() or (None,)
    return None if last is None else min(last, today - timedelta(1))


def read_usage(
    connection: DuckDBPyConnection,
    book: PriceBook,
    month: date,
    as_of: date,
    tags: Mapping[str, Mapping[str, str]],
    dimensions: Sequence[str] = (),
) -> Usage:
    """What the store's calls cost, by day, in the month and the half year before it; `tags` by component.

    `dimensions` are those that the budgets ask of the calls themselves (see `of_calls`).
    """
    first = month.replace(day=1)
    ledger = Ledger.open(connection, book)
    query = Query((*NAMED, *dimensions), min(first, as_of) - timedelta(HISTORY_DAYS), as_of)
    choose(ledger, query)
    ledger.price_rows()
    by_component = {name: tags_of(own) for name, own in tags.items()}
    keys = ", ".join(f"{key_of(name)} AS key_{n}" for n, name in enumerate(query.by))
    sql = f"SELECT shown_day, sum(usd), {keys} FROM priced GROUP BY ALL ORDER BY ALL"  # noqa: S608 (names of ours)
    rows = tuple(
        LoggedDay(
            day,
            Labels(
                component,
                agent,
                task,
                model,
                by_component.get(component, frozenset()),
                (*zip(dimensions, own, strict=True),),
            ),
            strip(cost),
        )
        for day, cost, component, agent, task, model, *own in connection.execute(sql).fetchall()
    )
    unpriced = tuple(UnpricedTokens(*row) for row in connection.execute(UNPRICED, [first]).fetchall())
    return Usage(first, as_of, book, rows, unpriced)


def judge_usage(stated: Sequence[StatedBudget], usage: Usage, today: date, seed: int) -> list[Judged]:
    """Every budget against the month so far and its forecast; those of a run are left out.

    The window judged is the one that costs the most at the budget's quantile; for a percentage of the last period,
    the one in progress.
    """
    known: dict[AnyScope, Daily] = {}
    found = []
    for entry in stated:
        scope = entry.budget.scope
        if entry.budget.period != "run":
            if scope not in known:
                known[scope] = usage.daily(scope, seed)
            found.append(_judge(entry, usage, known[scope], today))
    return found


def last_period_usd(budget: Budget, usage: Usage) -> Fraction | None:
    """What the scope cost in the period before the one in progress; None where the logs begin later."""
    first, last = last_period(budget.period, _in_progress(usage))
    begins = min((row.day for row in usage.rows), default=None)
    return None if begins is None or begins > last else Fraction(usage.spent(budget.scope, first, last))


def _in_progress(usage: Usage) -> date:
    """The first day that is not known yet, or the month's last one once it is over."""
    return min(usage.as_of + timedelta(1), usage.last_day)


def _judge(entry: StatedBudget, usage: Usage, daily: Daily, today: date) -> Judged:
    budget = entry.budget
    limit = limit_of(budget, last_period_usd(budget, usage), today)
    found = windows(daily, budget.period, usage.month)
    if budget.percent_of_last_period is not None:
        found = [window for window in found if _in_progress(usage) in window.dates] or found[-1:]
    window = max(found, key=lambda one: one.at(budget.at))
    by_component = Parts()
    for row in usage.in_scope(budget.scope):
        if window.dates[0] <= row.day <= window.dates[-1]:
            name = row.labels.component
            by_component[name] = by_component.get(name, Fraction(0)) + Fraction(row.usd)
    spent = usage.spent(budget.scope, window.dates[0], min(window.dates[-1], usage.as_of))
    over = window.dates[-1] <= usage.as_of
    return Judged(entry, "usage", limit, window, today, by_component, strip(spent), over)


def budget_uses(budgets: Sequence[StatedBudget], usage: Usage, today: date, *, seed: int = 1) -> list[BudgetUse]:
    """The monthly budgets against the month, for a review: what is used of each, and the forecast of a running month.

    `percent` is the figure compared with the limit, in percent of it. Budgets that have expired, or whose limit
    nobody knows, are left out.
    """
    monthly = [entry for entry in budgets if entry.budget.period == "month" and entry.budget.enforced(today)]
    return [
        BudgetUse(
            name=judged.budget.name,
            scope=str(judged.budget.scope),
            limit_usd=to_usd(judged.limit.usd),
            spent_usd=judged.spent_usd or Decimal(0),
            forecast_usd=to_usd(judged.window.total_usd) if judged.window.varies else None,
            percent=to_usd(round(100 * judged.value_usd / judged.limit.usd, 6)) if judged.limit.usd else Decimal(0),
            breached=judged.breached,
        )
        for judged in judge_usage(monthly, usage, today, seed)
        if judged.limit.usd is not None
    ]
