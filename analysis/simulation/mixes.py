"""Which mix of subscriptions and API is cheapest: numbers of seats, priced on the trials that the plan is drawn by.

A mix is costed as the plan is (`subscriptions`), so the mix that the price list states costs what the plan costs. Its
range is that of its whole cost in the trials, never of their means: an allowance that suffices on average may not in
the months that matter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from itertools import product
from math import ceil, prod
from typing import TYPE_CHECKING

import numpy as np

from ...money import to_usd
from ..architecture.distributions import Floats
from ..mix_results import PlanMix, SeatCount
from ..quantiles import simulated_usd, sorted_quantiles
from .needs import Needs
from .overage import Covered, Needed, Rows, beyond_usd, units
from .subscriptions import fee_usd, subscription_costs, used_subscriptions, without_list_price

if TYPE_CHECKING:
    from ...pricing.stated import Subscription
    from .costs import Costs
    from .plan_sums import PlanSum
    from .settings import Settings
    from .workload import Horizon

MOST_SEATS = 2_000
MOST_TRIED = 64
"""Numbers of seats that are tried of one subscription; of more, every n-th."""
MAX_COMBINED = 1_024
"""Mixes of several that are tried, each in some 15 ms."""
SHOWN = 12


def subscription_mixes(costs: Costs, calls: PlanSum, settings: Settings) -> list[PlanMix]:
    """The mixes for a plan, the cheapest at P90 first; nothing without subscriptions that it could use.

    USD over the horizon; `calls` are the plan's sums without subscriptions. A subscription's fee and allowance are
    those of the horizon's part of each month. The mix that the price list states (`stated`) is always among them, and
    so is the API alone. Nothing either where a model has no price without its subscription.
    """
    plan, book = calls.plan, costs.book(costs.run_book)
    used = used_subscriptions(plan.used_models(costs.architecture.components), book, costs.horizon)
    planned = [costs.planned(name, plan) for name in plan.models]
    if not used or not all(costed.priced for costed in planned) or without_list_price(planned):
        return []
    needs = costs.needs(plan, plan.models, settings.trials, settings.seed)
    return _Mixes(used, needs, calls, costs.horizon).cheapest()


@dataclass
class _Mixes:
    used: Sequence[Subscription]
    needs: Needs
    calls: PlanSum
    horizon: Horizon

    def cheapest(self) -> list[PlanMix]:
        """Those that are cheapest by whole months, then costed by day as the plan is."""
        tried = self._combinations([self._counts(name) for name in self._names])
        best = sorted(tried, key=lambda counts: (round(self._p90(counts), 2), sum(counts.values())))[:SHOWN]
        kept = {tuple(counts.items()) for counts in (self._stated, dict.fromkeys(self._names, 0), *best)}
        mixes = [self._mix(dict(counts)) for counts in kept]
        mixes.sort(key=_cheapest_first)
        return [mix for place, mix in enumerate(mixes) if place < SHOWN or mix.stated or mix.is_api]

    @cached_property
    def _names(self) -> list[str]:
        return list(dict.fromkeys(entry.name for entry in self.used))

    @cached_property
    def _stated(self) -> dict[str, int]:
        first = {entry.name: entry.seats for entry in reversed(self.used)}
        return {name: first[name] for name in self._names}

    @cached_property
    def _months(self) -> tuple[Rows, dict[Covered, Needed]]:
        """What the calls need by whole months, as drawn."""
        rows = Rows.monthly(self.horizon)
        return rows, {c: Needed(*map(rows.summed, need.drawn)) for c, need in self.needs.items()}

    def _seats(self, counts: Mapping[str, int]) -> list[tuple[Subscription, int]]:
        """So many seats of each; as stated, where all are: an entry that follows another may have other seats."""
        if counts == self._stated:
            return [(entry, entry.seats) for entry in self.used]
        return [(entry, counts[entry.name]) for entry in self.used]

    def _counts(self, name: str) -> list[int]:
        """Numbers of seats worth trying: none, those stated, and up to what would include the largest month drawn."""
        entry = next(entry for entry in self.used if entry.name == name)
        if entry.included is None or not entry.included.amount:
            return [0, entry.seats]  # without a limit, the seats are those of the people who use it
        rows, used = self._months
        need = sum(
            (units(entry, own) for covered, own in used.items() if name in covered), np.zeros((len(rows.days), 1))
        )
        seat = np.array([[float(pool)] for pool in rows.pools(entry, 1)])
        largest = np.divide(need, seat, out=np.zeros_like(need), where=seat > 0).max()
        most = min(ceil(float(largest)), MOST_SEATS)
        return sorted({0, entry.seats, *range(0, most + 1, max(1, ceil(most / MOST_TRIED)))})

    def _combinations(self, tried: Sequence[Sequence[int]]) -> list[dict[str, int]]:
        """All numbers of seats of one subscription; of several, each one's best alone, those stated, and none.

        Of so many that their combinations are over `MAX_COMBINED`, the later ones have their best alone in all.
        """
        names = self._names
        if len(names) == 1:
            return [{names[0]: count} for count in tried[0]]
        few: list[list[int]] = []
        for name, counts in zip(names, tried, strict=True):
            ranked = sorted(counts, key=lambda count: self._p90(dict.fromkeys(names, 0) | {name: count}))
            worth = sorted({0, self._stated[name], *ranked[:2]})
            few.append(worth if prod(map(len, few)) * len(worth) <= MAX_COMBINED else ranked[:1])
        return [dict(zip(names, counts, strict=True)) for counts in product(*few)]

    def _p90(self, counts: Mapping[str, int]) -> float:
        """The mix's P90 where allowances are used up by whole months: all but what it is by day."""
        rows, used = self._months
        seats = self._seats(counts)
        fees = sum((sum(fee_usd(entry, count, self.horizon)) for entry, count in seats), Fraction(0))
        beyond = sum((usd.sum(axis=0) for usd in beyond_usd(seats, used, rows).values()), np.zeros(1))
        return float(np.quantile(self._calls_usd + beyond, 0.9)) + float(fees)

    @cached_property
    def _calls_usd(self) -> Floats:
        total: Floats = self.calls.drawn_usd.sum(axis=0)
        return total

    def _mix(self, counts: Mapping[str, int]) -> PlanMix:
        parts = subscription_costs(self._seats(counts), self.needs, {}, self.horizon)
        drawn = self.calls.drawn_usd.copy()
        for part in parts:
            drawn += part.drawn_usd
        expected = sum((part.total_usd for part in parts), sum(self.calls.expected_usd, Fraction(0)))
        p10, p50, p90 = sorted_quantiles(drawn.sum(axis=0), simulated_usd)
        return PlanMix(
            seats=[SeatCount(subscription=name, seats=count) for name, count in counts.items()],
            fee_usd=to_usd(sum((sum(part.fee_usd, Fraction(0)) for part in parts), Fraction(0))),
            expected_usd=to_usd(expected),
            p10_usd=p10,
            p50_usd=p50,
            p90_usd=p90,
            stated=counts == self._stated,
        )


def _cheapest_first(mix: PlanMix) -> tuple[Decimal, Decimal, bool, Decimal]:
    """Of mixes that cost the same to the cent, the stated one, then the one with the lowest fees."""
    return round(mix.p90_usd, 2), round(mix.expected_usd, 2), not mix.stated, mix.fee_usd
