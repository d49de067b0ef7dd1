"""Which mix of subscriptions and API is cheapest: every number of seats, priced on the drawn trials.

The calls of the routed plan are drawn at list prices. In each trial and calendar month, the seats' allowances pay for
what they cover, in the order of the price list; what is left costs the overage of a subscription that states one, else
the list price (the API). A mix's range is that of its whole cost in the trials, never of their means: an allowance that
suffices on average may not in the months that matter.
"""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from itertools import product
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from ...pricing.book import PriceBook, without_subscriptions
from ..architecture.distributions import Floats
from ..architecture.schedule import moment
from ..mix_results import PlanMix, SeatCount
from ..quantiles import simulated_usd, sorted_quantiles
from .monte_carlo import draw
from .policies.draws import draw_usd_by_model

if TYPE_CHECKING:
    from ...pricing.overlay import Subscription
    from ...pricing.rows import ModelKey
    from .costs import Costs
    from .plans import Plan
    from .policies.calls import Costed
    from .settings import Settings
    from .workload import Horizon

MOST_SEATS = 2_000
MOST_TRIED = 64
"""Numbers of seats that are tried of one subscription; of more, every n-th."""
SHOWN = 12
Covered = frozenset[str]
"""The names of the subscriptions that cover a model."""


@dataclass(frozen=True)
class Demand:
    """What the calls to models under the same subscriptions would cost at list prices, and how many there are.

    Both are (months, trials).
    """

    usd: Floats
    requests: Floats

    def __add__(self, other: Demand) -> Demand:
        return Demand(self.usd + other.usd, self.requests + other.requests)


def subscription_mixes(costs: Costs, plan: Plan, settings: Settings) -> list[PlanMix]:
    """The mixes for the calls of a plan, the cheapest at P90 first; nothing without subscriptions that it could use.

    USD over the horizon. A subscription's fee and allowance are those of the horizon's part of each month. The mix
    that the price list states (`stated`) is always among them, and so is the API alone. Nothing either where a model
    has no price without its subscription.
    """
    book = costs.book(costs.run_book)
    offered = _offered(book, costs.horizon)
    if not offered:
        return []
    listed = replace(costs, _books={costs.run_book: without_subscriptions(book)}, _costings={}, _planned={})
    planned = [listed.planned(name, plan) for name in plan.models]
    if not all(costed.priced for costed in planned):
        return []
    demands = _demands(planned, offered, book, costs.horizon, settings)
    used = [entry for entry in offered if any(entry.name in covered for covered in demands)]
    if not used:
        return []
    tried = [_seats(entry, demands, costs.horizon) for entry in used]
    mixes = [
        _mix(used, counts, demands, costs.horizon) for counts in _combinations(used, tried, demands, costs.horizon)
    ]
    mixes.sort(key=lambda mix: (mix.p90_usd, mix.expected_usd, [seat.seats for seat in mix.seats]))
    return [mix for place, mix in enumerate(mixes) if place < SHOWN or mix.stated or mix.is_api]


def _offered(book: PriceBook, horizon: Horizon) -> list[Subscription]:
    """The subscriptions that run when the horizon begins; of one name, the last layer's."""
    at = moment(int(horizon.edges[0]))
    entries = {entry.name: entry for layer in book.layers for entry in layer.subscriptions if entry.valid_at(at)}
    return list(entries.values())


def _demands(
    planned: Iterable[Costed], offered: Sequence[Subscription], book: PriceBook, horizon: Horizon, settings: Settings
) -> dict[Covered, Demand]:
    """The drawn calls by the subscriptions that cover their models."""
    months = _months(horizon)
    found: dict[Covered, Demand] = {}
    for costed in planned:
        plain = costed.plain
        sums = draw(plain.work, plain.profile, plain.brackets, horizon.days, settings.trials, settings.seed)
        runs = np.broadcast_to(sum(sums.runs, np.zeros((horizon.days, 1))), (horizon.days, settings.trials))
        shares = _call_shares(costed)
        for model, usd in draw_usd_by_model(costed, sums, settings.trials, settings.seed).items():
            key = book.resolve(model)
            covered = frozenset(entry.name for entry in offered if key in _keys(entry, book))
            whole = np.broadcast_to(usd, (horizon.days, settings.trials))
            own = Demand(_by_month(whole, months), _by_month(runs * shares.get(model, 0.0), months))
            found[covered] = found[covered] + own if covered in found else own
    return found


def _keys(entry: Subscription, book: PriceBook) -> set[ModelKey | None]:
    return {book.resolve(model) for model in entry.models} - {None}


def _call_shares(costed: Costed) -> dict[str, float]:
    """Expected calls of each model by run of the component."""
    runs = float(sum(costed.plain.work.runs.expected))
    calls: dict[str, float] = defaultdict(float)
    for call in costed.calls:
        calls[call.model] += float(call.expected_calls)
    return {model: count / runs if runs else 0.0 for model, count in calls.items()}


def _months(horizon: Horizon) -> dict[date, list[int]]:
    """The horizon's days by the first of their month."""
    found: dict[date, list[int]] = defaultdict(list)
    for place, day in enumerate(horizon.dates):
        found[day.replace(day=1)].append(place)
    return dict(found)


def _by_month(daily: Floats, months: Mapping[date, list[int]]) -> Floats:
    return np.stack([daily[days].sum(axis=0) for days in months.values()])


def _parts(horizon: Horizon) -> list[Fraction]:
    """Which part of each month lies in the horizon."""
    return [Fraction(len(days), monthrange(m.year, m.month)[1]) for m, days in _months(horizon).items()]


def _fee(entry: Subscription, horizon: Horizon) -> Fraction:
    """What one seat costs over the horizon."""
    return sum((entry.fee_usd(day) for day in horizon.dates), Fraction(0)) / entry.seats


def _seats(entry: Subscription, demands: Mapping[Covered, Demand], horizon: Horizon) -> list[int]:
    """Numbers of seats worth trying: none, those stated, and up to what would include the largest month drawn."""
    if entry.included is None or not entry.included.amount:
        return [0, entry.seats]  # without a limit, the seats are those of the people who use it
    unit = _units(entry, sum((d.usd for c, d in demands.items() if entry.name in c), np.zeros(1)), demands)
    parts = np.array([[float(part)] for part in _parts(horizon)])
    most = min(ceil(float((unit / parts).max() / float(entry.included.amount))), MOST_SEATS)
    step = max(1, ceil(most / MOST_TRIED))
    return sorted({0, entry.seats, *range(0, most + 1, step)})


def _units(entry: Subscription, usd: Floats, demands: Mapping[Covered, Demand]) -> Floats:
    """How many credits or requests the calls that it covers need, (months, trials)."""
    if entry.included and entry.included.unit == "credits":
        return usd / float(entry.included.usd_per_credit)
    counted: Floats = sum((d.requests for c, d in demands.items() if entry.name in c), np.zeros(1))
    return counted


def _combinations(
    used: Sequence[Subscription], tried: Sequence[Sequence[int]], demands: Mapping[Covered, Demand], horizon: Horizon
) -> list[tuple[int, ...]]:
    """All numbers of seats of one subscription; of several, each one's best alone, those stated, and none."""
    stated = tuple(entry.seats for entry in used)
    if len(used) == 1:
        return [(count,) for count in tried[0]]
    few = []
    for place, counts in enumerate(tried):
        alone = [tuple(n if k == place else 0 for k in range(len(used))) for n in counts]
        ranked = sorted(alone, key=lambda one: _mix(used, one, demands, horizon).p90_usd)
        few.append(sorted({0, stated[place], *(one[place] for one in ranked[:2])}))
    return [*dict.fromkeys([stated, *product(*few)])]


def _mix(
    used: Sequence[Subscription], counts: Sequence[int], demands: Mapping[Covered, Demand], horizon: Horizon
) -> PlanMix:
    fees = sum((_fee(entry, horizon) * n for entry, n in zip(used, counts, strict=True)), Fraction(0))
    usage = _usage_usd(list(zip(used, counts, strict=True)), demands, horizon)
    drawn = usage.sum(axis=0) + float(fees)
    p10, p50, p90 = sorted_quantiles(drawn.copy(), simulated_usd)
    return PlanMix(
        seats=[SeatCount(subscription=e.name, seats=n) for e, n in zip(used, counts, strict=True)],
        fee_usd=simulated_usd(float(fees)),
        expected_usd=simulated_usd(float(drawn.mean())),
        p10_usd=p10,
        p50_usd=p50,
        p90_usd=p90,
        stated=all(n == entry.seats for entry, n in zip(used, counts, strict=True)),
    )


def _usage_usd(
    seats: Sequence[tuple[Subscription, int]], demands: Mapping[Covered, Demand], horizon: Horizon
) -> Floats:
    """What the calls cost beyond the fees, (months, trials)."""
    left = {covered: np.ones_like(demand.usd) for covered, demand in demands.items()}
    bought = [(entry, count) for entry, count in seats if count]
    for entry, count in bought:
        _include(entry, count, demands, left, _parts(horizon))
    total: Floats = np.zeros(1)
    for covered, demand in demands.items():
        overage = next((e for e, _ in bought if e.name in covered and e.overage), None)
        usd = demand.usd if overage is None else _overage_usd(overage, demand)
        total = total + left[covered] * usd
    return total


def _include(
    entry: Subscription, count: int, demands: Mapping[Covered, Demand], left: dict[Covered, Floats],
    parts: Sequence[Fraction],
) -> None:  # fmt: skip
    """Take what the seats include from what is left of the calls that they cover, of each its share."""
    own = [covered for covered in demands if entry.name in covered]
    if entry.included is None:
        for covered in own:
            left[covered] = np.zeros_like(left[covered])
        return
    by_credit = entry.included.unit == "credits"
    needed: Floats = sum(
        (left[c] * (demands[c].usd if by_credit else demands[c].requests) for c in own), np.zeros(1)
    )  # fmt: skip
    value = entry.included.usd_per_credit if by_credit else Fraction(1)
    pool = np.array([[float(Fraction(entry.included.amount) * count * Fraction(value) * part)] for part in parts])
    rest = np.divide(np.maximum(needed - pool, 0), needed, out=np.zeros_like(needed), where=needed > 0)
    for covered in own:
        left[covered] = left[covered] * rest


def _overage_usd(entry: Subscription, demand: Demand) -> Floats:
    price = float((entry.overage.usd_per_unit if entry.overage else None) or 0)
    if entry.included and entry.included.unit == "credits":
        return demand.usd / float(entry.included.usd_per_credit) * price
    return demand.requests * price
