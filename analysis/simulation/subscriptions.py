"""Subscriptions: a flat price per day for models that a plan may call, however much it calls them."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import TYPE_CHECKING

from ...pricing.rows import ModelKey
from ..architecture.schedule import moment
from .workload import Horizon

if TYPE_CHECKING:
    from ...pricing.book import PriceBook

FlatCosts = dict[str, tuple[ModelKey, list[Fraction]]]
"""By subscription: a model that it covers, and its USD on each day."""


def flat_usd_per_day(models: Iterable[str], book: PriceBook, horizon: Horizon) -> Fraction:
    """What the subscriptions cost per day that cover some of the models, over the horizon."""
    flat = subscriptions_of(models, book, horizon)
    return sum((flat_total(flat, name) for name in flat), Fraction(0)) / horizon.days


def flat_total(flat: FlatCosts, name: str) -> Fraction:
    """A subscription's cost over the horizon; 0 where it is not used."""
    return sum(flat[name][1], Fraction(0)) if name in flat else Fraction(0)


def subscriptions_of(models: Iterable[str], book: PriceBook, horizon: Horizon) -> FlatCosts:
    """The subscriptions that cover some of the models, with their costs by day."""
    keys = sorted({key for model in models if (key := book.resolve(model))})
    flat: FlatCosts = {}
    for day in range(horizon.days):
        for key in keys:
            subscription = book.subscription(key, moment(int(horizon.edges[day])))
            if subscription:
                _, costs = flat.setdefault(subscription.name, (key, [Fraction(0)] * horizon.days))
                costs[day] = subscription.fee_usd(horizon.dates[day])
    return flat


def limited_subscriptions(models: Iterable[str], book: PriceBook, horizon: Horizon) -> list[str]:
    """Warnings of subscriptions that include only so much: a projection has their fee, and nothing beyond it."""
    named = subscriptions_of(models, book, horizon)
    entries = {entry.name: entry for layer in book.layers for entry in layer.subscriptions if entry.name in named}
    return [
        f"subscription {name} includes {entry.included.amount * entry.seats:,f} {entry.included.unit} a month; "
        "the plans have its fee, and take all calls as included; what is beyond is in the mixes of subscriptions"
        for name, entry in entries.items()
        if entry.included
    ]
