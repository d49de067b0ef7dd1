"""A budget compared with costs by day: the limit that holds today, the figure, and the sentence about both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Literal

from ...documents import dotted
from ...money import format_amount, to_usd
from ..architecture.budgets import Budget, BudgetException
from ..findings import Finding, Status
from .results import BudgetCheck, CheapestFix, Contribution
from .scopes import StatedBudget
from .windows import Daily
from .words import crosses_on, share

MAX_CONTRIBUTIONS = 10
AT = {"mean": "on average", "p50": "at P50", "p90": "at P90", "p99": "at P99"}
EACH = {"run": "a run", "day": "per day", "week": "a week", "month": "a month"}


@dataclass(frozen=True)
class Limit:
    """What a budget allows today: `stated_usd` without the exception, `usd` with it. None cannot be judged."""

    usd: Fraction | None
    stated_usd: Fraction | None
    exception: BudgetException | None = None
    unknown: str = ""


def limit_of(budget: Budget, last_period_usd: Fraction | None, today: date) -> Limit:
    """The limit that holds today. `last_period_usd` is what the period before cost, None where nobody knows."""
    if budget.usd is not None:
        stated = Fraction(budget.usd)
    elif last_period_usd is None:
        return Limit(None, None, unknown="what the period before cost is only known with --usage")
    elif not last_period_usd:
        return Limit(None, None, unknown="the period before cost nothing, so a percentage of it says nothing")
    else:
        stated = last_period_usd * Fraction(budget.percent_of_last_period or 0) / 100
    exception = budget.exception(stated, today)
    return Limit(exception.limit_usd(stated) if exception else stated, stated, exception)


class Parts(dict[str, Fraction]):
    """What each component costs of a window; sorted once for all budgets that look at it."""

    @cached_property
    def most_expensive_first(self) -> list[str]:
        """The components; of equals, the first."""
        return sorted(self, key=lambda name: -self[name])

    @cached_property
    def contributions(self) -> list[Contribution]:
        """The most expensive components first, by name where they cost the same, and what part of the whole each is."""
        total = sum(self.values(), Fraction(0))
        most_expensive = sorted(self.items(), key=lambda item: (-item[1], item[0]))[:MAX_CONTRIBUTIONS]
        return [
            Contribution(component=name, usd=to_usd(cost), percent=to_usd(round(100 * cost / total, 6)))
            for name, cost in most_expensive
            if cost
        ]


@dataclass(frozen=True)
class Judged:
    """A budget, its limit, and the window that it was compared with; `over` if logged usage covers the whole window.

    `sought` is False where it is breached and no change was sought: too many are.
    """

    stated: StatedBudget
    source: Literal["projection", "usage"]
    limit: Limit
    window: Daily
    today: date
    by_component: Parts
    spent_usd: Decimal | None = None
    over: bool = False
    whose: str = ""
    fix: CheapestFix | None = None
    sought: bool = True

    @property
    def budget(self) -> Budget:
        """What was stated."""
        return self.stated.budget

    @property
    def value_usd(self) -> Fraction:
        """The figure compared with the limit."""
        return self.window.at(self.budget.at)

    @property
    def breached(self) -> bool:
        """Whether the figure is beyond the limit that holds today."""
        return self.limit.usd is not None and self.value_usd > self.limit.usd

    @property
    def status(self) -> Status:
        """Expired budgets, and those that cannot be judged, warn."""
        if self.limit.usd is None or not self.budget.enforced(self.today):
            return "warn"
        return self.budget.severity if self.breached else "pass"

    @property
    def crossed_on(self) -> date | None:
        """The day on which the limit is expected to be passed; None where it is not."""
        return None if self.limit.usd is None else self.window.crossed_on(self.limit.usd)

    @property
    def crosses_on(self) -> date | None:
        """As `crossed_on`, for people: None for a projected day of the running month that is already past."""
        return crosses_on(self.crossed_on, self.source, self.window.dates[-1], self.today)

    def result(self) -> BudgetCheck:
        """The typed result."""
        budget, limit, window = self.budget, self.limit, self.window
        return BudgetCheck(
            name=budget.name,
            source=self.source,
            scope=str(budget.scope),
            period=budget.period,
            at=budget.at,
            severity=budget.severity,
            owner=budget.owner,
            status=self.status,
            breached=self.breached,
            enforced=budget.enforced(self.today),
            limit_usd=None if limit.usd is None else to_usd(limit.usd),
            stated_usd=None if limit.stated_usd is None else to_usd(limit.stated_usd),
            excused=limit.exception.reason if limit.exception else "",
            first=window.dates[0],
            last=window.dates[-1],
            expected_usd=to_usd(window.total_usd),
            value_usd=to_usd(self.value_usd),
            p50_usd=to_usd(window.at("p50")),
            p90_usd=to_usd(window.at("p90")),
            p99_usd=to_usd(window.at("p99")),
            spent_usd=self.spent_usd,
            chance=None if limit.usd is None else window.chance(limit.usd),
            crossed_on=self.crossed_on,
            contributions=self.by_component.contributions,
            fix=self.fix,
            message=message(self),
        )

    def verdict(self) -> Finding:
        """The same as a verdict, at the budget's place in its file."""
        name = self.budget.name if self.source == "projection" else f"{self.budget.name} ({self.source})"
        place = self.stated
        return Finding(
            rule="budget", name=name, status=self.status, message=message(self), fix=_help(self),
            file=place.document.file, line=place.line, key=dotted(place.path),
        )  # fmt: skip


def message(judged: Judged) -> str:
    """The verdict in a sentence."""
    budget, limit = judged.budget, judged.limit
    if not budget.enforced(judged.today):
        return f"expired on {budget.expires} and is not enforced; {_figure(judged)}{_against(judged)}"
    if limit.usd is None:
        return f"cannot be judged: {limit.unknown}; {_figure(judged)}"
    return f"{_figure(judged)}{_against(judged)}{_risk(judged)}{_makers(judged)}{_excused(judged)}"


def _figure(judged: Judged) -> str:
    """`total costs $213.40 a month at P90`."""
    budget, window = judged.budget, judged.window
    what = "everything" if budget.scope == "total" else str(budget.scope)
    when = {"day": f" ({window.dates[0]})", "week": f" ({window.dates[0]} to {window.dates[-1]})"}
    of = f"{judged.whose} " if judged.whose and budget.period == "run" else ""
    of = f" of {of.strip()}" if of else ""
    of += " with all that it spawns" if budget.with_spawned else ""
    per = f"{EACH[budget.period]}{of}{when.get(budget.period, '')}"
    amount = f"{format_amount(judged.value_usd)} {per} {AT[budget.at]}"
    if judged.spent_usd is None:
        return f"{what} costs {amount}"
    if judged.over:
        return f"{what} has cost {format_amount(judged.value_usd)} {per}"
    return f"{what} has cost {format_amount(judged.spent_usd)} so far and comes to {amount}"


def _against(judged: Judged) -> str:
    limit = judged.limit.usd
    if limit is None:
        return ""
    if not judged.breached:
        return f", within {format_amount(limit)}"
    return f", {format_amount(judged.value_usd - limit)} over {format_amount(limit)}"


def _risk(judged: Judged) -> str:
    """`; 34% of trials are over, from about 2026-11-28`: nothing where there is no risk, no day that has passed."""
    limit = judged.limit.usd
    chance = judged.window.chance(limit) if limit is not None else 0.0
    if limit is None or not chance:
        return ""
    day = judged.crosses_on if judged.budget.period in {"week", "month"} else None
    if not judged.window.varies:
        return f"; over from {day}" if day else ""
    return f"; {share(chance)} of trials are over{f', from about {day}' if day else ''}"


def _makers(judged: Judged) -> str:
    if not judged.breached or judged.budget.period == "run":
        return ""
    parts = [f"{part.component} {format_amount(part.usd)}" for part in judged.by_component.contributions[:3]]
    return f"; most of it: {', '.join(parts)}" if len(judged.by_component) > 1 and parts else ""


def _excused(judged: Judged) -> str:
    exception, stated = judged.limit.exception, judged.limit.stated_usd
    if exception is None or stated is None:
        return ""
    return f" (instead of {format_amount(stated)} until {exception.until}: {exception.reason})"


def _help(judged: Judged) -> str:
    """How to fix it."""
    budget = judged.budget
    if not budget.enforced(judged.today):
        return "Renew the budget or delete it."
    owner = f" Owner: {budget.owner}." if budget.owner else ""
    if judged.fix is None or not judged.breached:
        return owner.strip() if judged.breached else ""
    return f"{fix_sentence(judged.fix)}{owner}"


def fix_sentence(fix: CheapestFix) -> str:
    """The proposed change in a sentence."""
    after = f"saves {format_amount(fix.saved_usd)} and leaves {format_amount(fix.value_usd)}"
    what = fix.message[:1].upper() + fix.message[1:]
    return f"{what}: {after}." if fix.sufficient else f"Nothing tried is enough. {what}: {after}."


def expired_exceptions(stated: Sequence[StatedBudget], today: date) -> list[Finding]:
    """Exceptions that no longer excuse, said aloud until somebody deletes them."""
    return [
        Finding(
            rule="exception", name=entry.budget.name, status="warn",
            message=f"the exception until {exception.until} is over and no longer excuses: {exception.reason}",
            fix="Delete the exception, or give it a later date.",
            file=entry.document.file, line=entry.document.line((*entry.path, "exceptions", n)),
            key=dotted((*entry.path, "exceptions", n)),
        )
        for entry in stated
        for n, exception in enumerate(entry.budget.exceptions)
        if today > exception.until
    ]  # fmt: skip
