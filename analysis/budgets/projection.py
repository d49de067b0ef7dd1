"""Budgets against the projection: what each scope will cost in the month by the architecture as it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from functools import cache, cached_property

from ..architecture.budgets import At, Period
from .change import Change, Trial, applied, touched
from .changes import cheapest_fix
from .judge import Judged, Limit, Parts, limit_of
from .projected import Projected, ScopeCost
from .results import CheapestFix
from .scopes import AnyScope, StatedBudget
from .tried import Tried, costliest_run
from .windows import Daily, costliest_window

MAX_DRAWN = 20
"""A change of more components is not drawn again."""

LastPeriod = Callable[[StatedBudget], Fraction | None]
"""What the period before cost in a budget's scope; None where nobody knows."""


def judge_projection(
    stated: Sequence[StatedBudget], projected: Projected, month: date, today: date, last_period: LastPeriod
) -> list[Judged]:
    """Every budget against the month in which `month` lies, each with the change that would fix it.

    The window judged is the one whose expected cost is largest: its quantile is that of one window, not the
    largest of many noisy ones.
    """
    tried = Tried(projected)
    costs = projected.scopes({entry.budget.scope for entry in stated if entry.budget.period != "run"})
    found = []

    @cache
    def costliest(scope: AnyScope, period: Period) -> tuple[Daily, Parts]:
        return _costliest(costs[scope], period, month)

    for entry in stated:
        budget = entry.budget
        limit = limit_of(budget, last_period(entry), today)
        if budget.period == "run":
            found.append(_judge_run(entry, tried, limit, today))
        else:
            window, parts = costliest(budget.scope, budget.period)
            judged = Judged(entry, "projection", limit, window, today, parts)
            found.append(_with_fix(judged, tried, costs[budget.scope].daily, month))
    return found


def _costliest(cost: ScopeCost, period: Period, month: date) -> tuple[Daily, Parts]:
    """The costliest window, and what each component costs of it."""
    window = costliest_window(cost.daily, period, month)
    first = cost.daily.dates.index(window.dates[0])
    days = slice(first, first + len(window.dates))
    return window, Parts({name: sum(usd[days], Fraction(0)) for name, usd in cost.by_component.items()})


def _with_fix(judged: Judged, tried: Tried, daily: Daily, month: date) -> Judged:
    """With the change that would keep a budget that is breached."""
    budget = judged.budget
    if not judged.breached:
        return judged
    key = (budget.scope, budget.period, budget.at)
    trial = tried.trial(key, lambda: _Scoped(tried, budget.scope, daily, budget.period, budget.at, month).trial)
    return _fixed(judged, tried, judged.by_component, trial)


def _fixed(judged: Judged, tried: Tried, by_component: Parts, trial: Trial | None) -> Judged:
    """With the change that would keep it; without a trial none is sought."""
    if trial is None or judged.limit.usd is None:
        return replace(judged, sought=False)
    one_run = judged.budget.period == "run"
    fix = _fix(tried, by_component, trial, judged.value_usd, judged.limit.usd, one_run=one_run)
    return replace(judged, fix=fix)


def _fix(
    tried: Tried,
    by_component: Parts,
    trial: Trial,
    value_usd: Fraction,
    limit_usd: Fraction,
    *,
    one_run: bool,
) -> CheapestFix | None:
    names = [name for name in by_component.most_expensive_first if name in tried.projected.costs.works]
    return cheapest_fix(tried.changes(names, one_run=one_run), trial, value_usd, limit_usd)


@dataclass(frozen=True)
class _Scoped:
    """Changes tried on a scope: only what they touch is costed again, on the same random numbers."""

    tried: Tried
    scope: AnyScope
    daily: Daily
    period: Period
    at: At
    month: date

    @property
    def trial(self) -> Trial:
        return Trial(
            lambda taken: self._saved_usd(taken, self.scope),
            lambda taken: self._saved_usd(taken, "total"),
            self._value_usd,
        )

    def _saved_usd(self, taken: Sequence[Change], scope: AnyScope) -> Fraction:
        """In the window that is most expensive before the change, exact."""
        names, projected = touched(taken), self.tried.projected
        before = projected.expected_usd(scope, names, self._days)
        return before - applied(projected, taken).expected_usd(scope, names, self._days)

    @cached_property
    def _days(self) -> slice:
        window = costliest_window(self.daily, self.period, self.month)
        first = self.daily.dates.index(window.dates[0])
        return slice(first, first + len(window.dates))

    def _value_usd(self, taken: Sequence[Change]) -> Fraction:
        """After the change; of one that touches many components, the figure is scaled as the mean is."""
        names = touched(taken)
        if len(names) > MAX_DRAWN:
            window = costliest_window(self.daily, self.period, self.month)
            return window.at(self.at) * (1 - self._saved_usd(taken, self.scope) / window.total_usd)
        before, after = self.tried.part(self.scope, names), self.tried.part(self.scope, names, taken)
        daily = self.daily.plus(before.expected_usd, before.drawn_usd, -1).plus(after.expected_usd, after.drawn_usd)
        return costliest_window(daily, self.period, self.month).at(self.at)


def fix_rest(judged: Judged, tried: Tried, as_of: date) -> Judged:
    """A breached budget of usage, with the change that fixes it if it is made on the day after `as_of`.

    Of what is forecast for the days still to come, each component has the part that it had so far, and a change
    saves of it what it saves of the component's projection. Flat prices of subscriptions stay as they are.
    """
    projected = tried.projected
    scope, limit_usd, last = judged.budget.scope, judged.limit.usd, judged.window.dates[-1]
    if not judged.breached or limit_usd is None:
        return judged
    coming = [n for n, day in enumerate(projected.costs.horizon.dates) if as_of < day <= last]
    rest = slice(coming[0], coming[-1] + 1) if coming else slice(0)
    weights = _weights(judged, projected, rest, as_of)

    def relief_usd(taken: Sequence[Change], of: AnyScope = scope) -> Fraction:
        after, total = applied(projected, taken), Fraction(0)
        for name in touched(taken):
            saved = projected.expected_usd(of, [name], rest, flat=False) - after.expected_usd(
                of, [name], rest, flat=False
            )
            total += weights.get(name, Fraction(0)) * saved
        return total

    value = judged.value_usd
    trial = Trial(relief_usd, lambda taken: relief_usd(taken, "total"), lambda taken: value - relief_usd(taken))
    return replace(judged, fix=_fix(tried, judged.by_component, trial, value, limit_usd, one_run=False))


def _weights(judged: Judged, projected: Projected, rest: slice, as_of: date) -> dict[str, Fraction]:
    """By component, how many times its projection of the days still to come is forecast."""
    ahead = zip(judged.window.dates, judged.window.expected_usd, strict=True)
    forecast_usd = sum((usd for day, usd in ahead if day > as_of), Fraction(0))
    spent_usd = sum(judged.by_component.values(), Fraction(0))
    found = {}
    for name, spent in judged.by_component.items():
        if name in projected.costs.works and spent_usd:
            projected_usd = projected.expected_usd("total", [name], rest, flat=False)
            if projected_usd:
                found[name] = forecast_usd * spent / spent_usd / projected_usd
    return found


def _judge_run(entry: StatedBudget, tried: Tried, limit: Limit, today: date) -> Judged:
    """One run of the most expensive component in scope, on the day on which it is most expensive."""
    budget, projected = entry.budget, tried.projected
    root = budget.with_spawned
    runs = {one: run for one in projected.counted(budget.scope) if (run := tried.run(one, root=root))}
    if not runs:
        nothing = Daily.nothing([projected.costs.horizon.start])
        return Judged(entry, "projection", limit, nothing, today, Parts())
    name = max(runs, key=lambda n: runs[n].at(budget.at))
    judged = Judged(entry, "projection", limit, runs[name], today, Parts({name: runs[name].total_usd}), whose=name)
    if not judged.breached or limit.usd is None:
        return judged

    def value_usd(taken: Sequence[Change]) -> Fraction:
        after = runs | _runs(applied(projected, taken), runs if root else touched(taken), root=root)
        return max(run.at(budget.at) for run in after.values())

    def saved_usd(taken: Sequence[Change]) -> Fraction:
        after = _runs(applied(projected, taken), [name], root=root)
        return runs[name].total_usd - after[name].total_usd if name in after else Fraction(0)

    means = {one: run.total_usd for one, run in runs.items() if run.at(budget.at) > limit.usd}
    if root:
        means = dict.fromkeys([*means, *projected.spawned_by(means)], Fraction(0)) | means
    trial = tried.trial((budget.scope, "run", budget.at, root), lambda: Trial(saved_usd, saved_usd, value_usd))
    return _fixed(judged, tried, Parts(means), trial)


def _runs(projected: Projected, names: Iterable[str], *, root: bool) -> dict[str, Daily]:
    """The most expensive run of each component that ever runs and has a price; of a root, with all that it spawns."""
    return {name: run for name in names if (run := costliest_run(projected, name, root=root))}
