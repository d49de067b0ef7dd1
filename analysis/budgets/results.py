"""What `costsim check` finds: the typed result, and the contract of its JSON.

Money is Decimal USD. Quantiles and chances come from the draws; where nothing varies, all figures are exact.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from ..architecture.budgets import At, Period, Severity
from ..findings import Finding, Status
from ..projection import PriceBookRef
from ..result import Result, Usd


class Contribution(Result):
    """A component's part in what was judged; `percent` of the scope's cost in the window."""

    component: str
    usd: Usd
    percent: Usd


class CheapestFix(Result):
    """A change that brings a breached budget within its limit: the one that takes least away.

    `saved_usd` is what it saves in the window, of everything, expected and exact (what leaves a scope may be spent
    outside of it); `value_usd` is the budget's figure after it, drawn anew on the same random numbers; where more than
    20 components change, and for usage, it is the figure before, scaled or shifted as the mean is.
    `sufficient` is false where nothing that was tried is enough: then these are the changes that save most.
    """

    message: str
    changes: list[str] = Field(description="each change by itself, as one would make it")
    saved_usd: Usd
    value_usd: Usd
    sufficient: bool


class BudgetCheck(Result):
    """One budget compared with the projection, or against the usage so far with its forecast.

    `value_usd` is the cost at the budget's `at`, of the most expensive window of its period (`first` to `last`);
    for a run, of one run of the most expensive component. `chance` is the share of trials in which it costs more than
    `limit_usd`; `crossed_on` the median day on which it does so, of those trials. `limit_usd` is null where the
    budget cannot be judged, which `says` explains.
    """

    name: str
    source: Literal["projection", "usage"]
    scope: str
    period: Period
    at: At
    severity: Severity
    owner: str | None
    status: Status
    breached: bool
    enforced: bool = Field(description="false for a budget that has expired")
    limit_usd: Usd | None = Field(description="what it may cost, exceptions included")
    stated_usd: Usd | None = Field(description="what it may cost without the exception that holds today")
    excused: str = Field(default="", description="the reason of the exception that holds today")
    first: date
    last: date
    expected_usd: Usd
    value_usd: Usd
    p50_usd: Usd
    p90_usd: Usd
    p99_usd: Usd
    spent_usd: Usd | None = Field(default=None, description="of usage: what of the window is spent")
    chance: float | None
    crossed_on: date | None
    contributions: list[Contribution] = Field(description="the most expensive components first, at most ten")
    fix: CheapestFix | None = None
    message: str


class CheckResult(Result):
    """All that was checked. `verdicts` are what outputs for CI are made from; they decide the exit code."""

    name: str
    month: str = Field(description="2026-10")
    today: date = Field(description="the day by which exceptions and budgets expire")
    as_of: date | None = Field(description="the last whole day of usage; null without usage")
    trials: int
    seed: int
    price_book: PriceBookRef
    status: Status
    budgets: list[BudgetCheck]
    verdicts: list[Finding]
    notes: list[str]
    costsim_version: str

    @property
    def exit_code(self) -> int:
        """0 where no verdict fails, else 1. (Bad input is an error, and exit code 2.)"""
        return int(self.status == "fail")


class BudgetUse(Result):
    """A monthly budget compared with the month: its limit and what of it is used."""

    name: str
    scope: str
    limit_usd: Usd
    spent_usd: Usd
    forecast_usd: Usd | None
    percent: Usd
    breached: bool
