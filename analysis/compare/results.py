"""What `costsim diff` says: the typed result, and the contract of its JSON.

Money is Decimal USD over the days compared. Every difference is head less base: positive where the change costs
more. The causes of a component add up to its difference, and the components to the total, to the last digit.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from ..findings import Finding
from ..projection import PriceBookRef
from ..result import Result, Usd

Cause = Literal["schedule", "tokens", "model", "policies", "prices"]
CauseLabel = Literal["volume", "schedule", "tokens", "model", "policies", "prices"]
"""How a cause is named: a schedule that changed only in how many runs it has is `volume`."""
CAUSES: tuple[Cause, ...] = ("schedule", "tokens", "model", "policies", "prices")


class CauseEffect(Result):
    """What one cause does to a component's cost: its Shapley value among the causes that changed."""

    cause: CauseLabel
    usd: Usd
    message: str = Field(description="what changed: `schedule: */30 * * * * -> 0 * * * *`")


class ComponentDifference(Result):
    """One component that is not what it was. Money is null where the model has no price.

    `p10_usd…p90_usd` are quantiles of the paired difference: both sides are drawn with the same random numbers.
    """

    component: str
    change: Literal["added", "removed", "changed"]
    before_model: str | None
    after_model: str | None
    before_usd: Usd | None
    after_usd: Usd | None
    difference_usd: Usd | None
    causes: list[CauseEffect]
    p10_usd: Usd | None
    p50_usd: Usd | None
    p90_usd: Usd | None
    line: int | None = Field(default=None, description="of the component in the head's file")


class ArchitectureDifference(Result):
    """Head against base over `days` from `start`. Components that cost the same are only counted.

    `subscriptions_usd` is the difference of subscriptions, fees and what is beyond them, part of the total and of no
    component.
    """

    base: str
    head: str
    plan: str
    start: date
    days: int
    trials: int
    seed: int
    before_usd: Usd
    after_usd: Usd
    difference_usd: Usd
    percent: Usd | None = Field(description="of the base's cost; null where that is nothing")
    p10_usd: Usd
    p50_usd: Usd
    p90_usd: Usd
    subscriptions_usd: Usd
    components: list[ComponentDifference] = Field(description="the largest difference first; unpriced before all")
    unchanged: int
    unpriced: list[str] = Field(description="models without a price, of either side; in no figure")
    base_prices: PriceBookRef | None
    head_prices: PriceBookRef | None
    verdicts: list[Finding]
    costsim_version: str

    @property
    def exit_code(self) -> int:
        """1 where a verdict fails, else 0."""
        return int(any(verdict.status == "fail" for verdict in self.verdicts))
