"""Costs by name: added up, ranked, and the least of them folded into one, as charts show them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .projection import ComponentCost, PlanResult


def ranked(plans: Iterable[PlanResult], key: Callable[[ComponentCost], str]) -> list[str]:
    """Names by the most that they cost in any plan, most expensive first; unpriced ones last."""
    most: dict[str, Decimal] = {}
    for plan in plans:
        for name, amount in summed(plan, key).items():
            most[name] = max(most.get(name, Decimal(-1)), amount)
    return sorted(most, key=lambda name: -most[name])


def summed(plan: PlanResult, key: Callable[[ComponentCost], str]) -> dict[str, Decimal]:
    """Expected USD per day by name; a name whose components are all unpriced is not in it."""
    totals: dict[str, Decimal] = {}
    for row in plan.components:
        if row.expected_usd_per_day is not None:
            totals[key(row)] = totals.get(key(row), Decimal(0)) + row.expected_usd_per_day
    return totals


def fold(names: list[str], most: int, kind: str) -> tuple[list[str], str]:
    """The first names, and one name for the rest ("" where there is none): a rest of one is not worth it."""
    if len(names) <= most + 1:
        return names, ""
    folded = f"{len(names) - most:,} other {kind}"
    return [*names[:most], folded], folded


def fold_costs(totals: dict[str, Decimal], names: list[str], folded: str) -> dict[str, Decimal]:
    """The totals of these names, with the rest added up under the name `folded`, if there is one."""
    kept = {name: totals[name] for name in names if name in totals}
    rest = sum((amount for name, amount in totals.items() if name not in kept), Decimal(0))
    return {**kept, folded: rest} if folded else kept


def by_cost(costs: Iterable[tuple[str, Decimal | None]]) -> list[str]:
    """Names by what all of their costs add up to, the largest first, then by name."""
    total: dict[str, Decimal] = {}
    for name, cost in costs:
        total[name] = total.get(name, Decimal(0)) + (cost or Decimal(0))
    return sorted(total, key=lambda name: (-total[name], name))
