"""What a reader of a projection should do next: at most a few sentences, the most urgent first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..analysis.grouping import summed
from ..money import format_cents, format_range
from .captions import broken_budget, shown_plan, shown_saving
from .numbers import percent

if TYPE_CHECKING:
    from ..analysis.projection import Projection


def next_steps(projection: Projection, *, found: bool) -> list[str]:
    """Price what has none, take the plan that costs least, look at its largest part, state what is not known.

    `found`: the page has a what-if.
    """
    steps = [_price(projection), _adopt(projection), _look(projection, found), _widen(projection)]
    return [step for step in steps if step]


def _price(projection: Projection) -> str:
    names = list(dict.fromkeys(gap.model for gap in projection.unpriced))
    return f"Price {', '.join(names)} in a price file: what runs on it is in no total." if names else ""


def _adopt(projection: Projection) -> str:
    """The plan that the headline speaks of, where it costs less than the baseline."""
    plan = shown_plan(projection)
    saving = shown_saving(projection)
    if broken := broken_budget(projection):
        how = "run costsim check, which proposes the cheapest change"
        return f"Bring {plan.name} within the budget {broken.budget}: {how}."
    if saving is None or saving.expected_usd_per_day <= 0:
        return ""
    low, high = saving.p10_usd_per_day, saving.p90_usd_per_day
    sure = f" ({format_range(low, high)} per day in eight cases of ten)" if low != high else ""
    month = format_cents(30 * saving.expected_usd_per_day)
    return f"Run {plan.name} instead of {saving.baseline}: it saves {month} per month{sure}."


def _look(projection: Projection, found: bool) -> str:
    """The component that costs most, and what to try with it."""
    plan = shown_plan(projection)
    totals = summed(plan, lambda row: row.name)
    if not totals or not plan.expected_usd_per_day:
        return ""
    name, usd = max(totals.items(), key=lambda item: item[1])
    share = percent(100 * usd / plan.expected_usd_per_day)
    how = "try another model for it under What if" if found else "try another model for it"
    return f"Look at {name}, {share} of {plan.name}: {how}."


def _widen(projection: Projection) -> str:
    """What the ranges lack."""
    return f"Read the ranges with care: {projection.range_note}." if projection.range_note else ""
