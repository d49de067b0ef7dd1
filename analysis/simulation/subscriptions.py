"""What a plan's subscriptions cost: a fee by day, and what its calls need beyond what is included.

Beyond an allowance cost is no longer linear in the calls: where calls vary, its expectation is a mean of the drawn
trials, each day's draws scaled to the exact mean of what is needed, and its error is stated. Where nothing varies it is
computed in fractions.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from ...money import format_price
from ...plurals import counted
from ...pricing.rows import ModelKey
from ..architecture.distributions import Floats
from .needs import Needs
from .overage import Amounts, Rows, beyond_usd, runs_on
from .workload import Horizon

if TYPE_CHECKING:
    from ...pricing.book import PriceBook
    from ...pricing.stated import Subscription
    from .policies.calls import Costed

LEAST_ERROR = 1e-6
"""The least relative error that is stated of a mean of draws."""
Seats = Sequence[tuple["Subscription", int]]


@dataclass(frozen=True)
class SubscriptionCost:
    """A subscription by day: its fee, what calls cost beyond what it includes, expected and drawn, (days, trials).

    `error` are three standard errors of what is expected beyond it over the horizon, USD; None where it is exact.
    """

    name: str
    key: ModelKey | None
    fee_usd: tuple[Fraction, ...]
    beyond_usd: tuple[Fraction, ...]
    beyond_drawn_usd: Floats = field(repr=False)
    error: float | None = None

    @property
    def expected_usd(self) -> tuple[Fraction, ...]:
        """Fee and what is beyond, by day."""
        return tuple(fee + beyond for fee, beyond in zip(self.fee_usd, self.beyond_usd, strict=True))

    @property
    def total_usd(self) -> Fraction:
        """The same over the horizon."""
        return sum(self.expected_usd, Fraction(0))

    @property
    def drawn_usd(self) -> Floats:
        """Fee and what is beyond as drawn, (days, trials), or (days, 1) where nothing varies."""
        drawn: Floats = np.array([float(fee) for fee in self.fee_usd])[:, None] + self.beyond_drawn_usd
        return drawn

    @property
    def error_percent(self) -> float | None:
        """The error in percent of the whole, rounded up to four places; None where it is exact."""
        if self.error is None:
            return None
        total = float(self.total_usd)
        return math.ceil(max(self.error / total if total else 0.0, LEAST_ERROR) * 1e6) / 1e4


def used_subscriptions(models: Iterable[str], book: PriceBook, horizon: Horizon) -> list[Subscription]:
    """Those that cover some of the models on some day, in the order of the price list."""
    keys = {key for model in models if (key := book.resolve(model))}
    return [
        entry
        for entry in book.subscriptions
        if any(entry.covers(key) for key in keys) and any(runs_on(entry, horizon))
    ]  # fmt: skip


def covering(model: str, book: PriceBook, horizon: Horizon) -> frozenset[str]:
    """The names of the subscriptions that cover a model on some day."""
    return frozenset(entry.name for entry in used_subscriptions([model], book, horizon))


def fee_usd(entry: Subscription, seats: int, horizon: Horizon) -> tuple[Fraction, ...]:
    """What so many seats cost on each day."""
    days = zip(horizon.dates, runs_on(entry, horizon), strict=True)
    return tuple(entry.fee_usd(day) / entry.seats * seats if running else Fraction(0) for day, running in days)


def subscription_costs(
    seats: Seats, needs: Needs, keys: Mapping[str, ModelKey], horizon: Horizon
) -> list[SubscriptionCost]:
    """What so many seats of subscriptions cost with these calls, by name; one named "" for what none covers."""
    rows = Rows.daily(horizon)
    drawn = beyond_usd(seats, {covered: need.drawn for covered, need in needs.items()}, rows)
    varies = any(need.varies for need in needs.values())
    if varies:
        centred = beyond_usd(seats, {covered: need.centred for covered, need in needs.items()}, rows)
        beyond = {name: _means(usd, horizon.days) for name, usd in centred.items()}
        errors = _errors(centred, needs)
    else:
        exact = beyond_usd(seats, {covered: need.exact for covered, need in needs.items()}, rows)
        beyond, errors = {name: tuple(usd[:, 0].tolist()) for name, usd in exact.items()}, {}
    nothing = (Fraction(0),) * horizon.days
    names = dict.fromkeys([*(entry.name for entry, _ in seats), *drawn])
    return [
        SubscriptionCost(
            name, keys.get(name), _fees(name, seats, horizon), beyond.get(name, nothing),
            drawn.get(name, np.zeros((horizon.days, 1))), errors.get(name),
        )
        for name in names
    ]  # fmt: skip


def _fees(name: str, seats: Seats, horizon: Horizon) -> tuple[Fraction, ...]:
    own = [fee_usd(entry, count, horizon) for entry, count in seats if entry.name == name]
    return tuple(sum(day, Fraction(0)) for day in zip(*own, strict=True)) or (Fraction(0),) * horizon.days


def _means(usd: Amounts, days: int) -> tuple[Fraction, ...]:
    """Means of draws to 12 significant digits, as many as are worth having."""
    return tuple(Fraction(Decimal(f"{mean:.12g}")) for mean in np.broadcast_to(usd, (days, usd.shape[1])).mean(axis=1))


def _errors(centred: Mapping[str, Amounts], needs: Needs) -> dict[str, float]:
    """Three standard errors of what is beyond: of what does not go along with the list value, whose mean is exact."""
    whole = sum(need.usd.drawn.sum(axis=0) for need in needs.values())
    return {name: _error(usd.sum(axis=0), np.asarray(whole)) for name, usd in centred.items() if usd.shape[1] > 1}


def _error(beyond: Floats, need: Floats) -> float:
    around = need - need.mean()
    variance = float((around**2).mean())
    slope = float((around * beyond).mean()) / variance if variance else 0.0
    return 3 * float(np.std(beyond - slope * around)) / math.sqrt(len(beyond))


def terms(entries: Iterable[Subscription]) -> list[str]:
    """What subscriptions include and what is beyond it costs, in sentences; of those that are limited."""
    return [
        f"Subscription {entry.name} includes {entry.included.amount * entry.seats:,f} {entry.included.unit} a month "
        f"({counted(entry.seats, 'seat')}); what is beyond costs {_price(entry)}."
        for entry in entries
        if entry.included
    ]


def _price(entry: Subscription) -> str:
    if entry.overage is None or entry.included is None:
        return "list price, as no overage is stated"
    return f"{format_price(entry.overage.usd_per_unit)} a {entry.included.unit.removesuffix('s')}"


def without_list_price(costings: Iterable[Costed]) -> dict[ModelKey, str]:
    """The models under subscriptions that have none, and the token class that lacks it."""
    return {
        ModelKey(row.provider, row.model): row.token_class
        for costed in costings
        for row in costed.used
        if not row.usd and row.shadow_usd is None and row.source.startswith("subscription ")
    }


def beyond_unknown(costings: Iterable[Costed], book: PriceBook, horizon: Horizon) -> list[str]:
    """Warnings of subscriptions whose calls have no list price, so that what is beyond them cannot be counted."""
    return [
        f"subscription {entry.name} includes only so many {entry.included.unit}, and {key} has no list price for "
        f"{name}: what is beyond is not counted; state shadow_usd_per_mtok"
        for key, name in without_list_price(costings).items()
        for entry in used_subscriptions([str(key)], book, horizon)
        if entry.included and not (entry.overage and entry.included.unit == "requests")
    ]
