"""What calls cost beyond what seats include, by day: in the order in which the month uses up its allowance.

Arrays are (rows, trials), rows being days or whole months: floats of draws, or exact Fractions where nothing varies.
The seats of a subscription share one allowance in a calendar month. Several subscriptions to a model give theirs in the
order of the price list. What is beyond all of them costs the overage of the first that states one, else the list price.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..architecture.schedule import moment

if TYPE_CHECKING:
    from ...pricing.stated import Subscription
    from .workload import Horizon

Amounts = NDArray[Any]
Covered = frozenset[str]
"""The names of the subscriptions that cover a model."""
API = ""
"""The name that what no seat pays for is listed under."""


class Needed(NamedTuple):
    """What calls to models under the same subscriptions need: USD at list prices, and how many requests they are."""

    usd: Amounts
    requests: Amounts


@dataclass(frozen=True)
class Rows:
    """The rows of arrays: of each month those that are its own, and the days of the horizon that each row has."""

    months: tuple[slice, ...]
    days: tuple[tuple[int, ...], ...]
    horizon: Horizon

    @classmethod
    def daily(cls, horizon: Horizon) -> Rows:
        """A row per day."""
        spans = month_spans(horizon)
        return cls(spans, tuple((day,) for day in range(horizon.days)), horizon)

    @classmethod
    def monthly(cls, horizon: Horizon) -> Rows:
        """A row per month."""
        days = tuple(tuple(range(span.start, span.stop)) for span in month_spans(horizon))
        return cls(tuple(slice(n, n + 1) for n in range(len(days))), days, horizon)

    def summed(self, by_day: Amounts) -> Amounts:
        """Amounts by day as amounts by row."""
        if len(self.days) == self.horizon.days:
            return by_day
        return np.stack([by_day[days[0] : days[-1] + 1].sum(axis=0) for days in self.days])

    def running(self, entry: Subscription) -> NDArray[np.bool_]:
        """On which rows it runs, (rows, 1)."""
        running = runs_on(entry, self.horizon)
        return np.array([[any(running[day] for day in days)] for days in self.days])

    def pools(self, entry: Subscription, seats: int) -> list[Fraction]:
        """What the seats include in each month: of one that is not whole, the part of its days."""
        running, dates = runs_on(entry, self.horizon), self.horizon.dates
        whole = Fraction(entry.included.amount if entry.included else 0) * seats
        found = []
        for span in self.months:
            inside = [day for days in self.days[span] for day in days]
            first = dates[inside[0]]
            share = Fraction(sum(running[day] for day in inside), monthrange(first.year, first.month)[1])
            found.append(whole * share)
        return found


def month_spans(horizon: Horizon) -> tuple[slice, ...]:
    """The days of each calendar month of the horizon."""
    months: dict[date, list[int]] = {}
    for place, day in enumerate(horizon.dates):
        months.setdefault(day.replace(day=1), []).append(place)
    return tuple(slice(days[0], days[-1] + 1) for days in months.values())


def runs_on(entry: Subscription, horizon: Horizon) -> list[bool]:
    """Whether it runs on each day: at the middle of it, wherever its midnights lie."""
    edges = horizon.edges
    return [entry.valid_at(moment(int(edges[n] + edges[n + 1]) // 2)) for n in range(horizon.days)]


def beyond_usd(
    bought: Sequence[tuple[Subscription, int]], used: Mapping[Covered, Needed], rows: Rows
) -> dict[str, Amounts]:
    """USD beyond the fees, by the subscription that it is beyond of; `API` has what no seat covers."""
    held = [(entry, seats) for entry, seats in bought if seats]
    rest: dict[Covered, Amounts] = {covered: _ones(need.usd) for covered, need in used.items()}
    for entry, seats in held:
        _include(entry, seats, used, rest, rows)
    found: dict[str, Amounts] = {}
    for covered, need in used.items():
        for name, usd in _paid([entry for entry, _ in held if entry.name in covered], need, rest[covered], rows):
            found[name] = found[name] + usd if name in found else usd
    return found


def _ones(like: Amounts) -> Amounts:
    return np.full((len(like), 1), number(like)(Fraction(1)), dtype=like.dtype)


def number(like: Amounts) -> Callable[[Fraction | Decimal], Any]:
    """What turns an exact amount into one that the array holds."""
    kind: Any = Fraction if like.dtype == object else float
    held: Callable[[Fraction | Decimal], Any] = kind
    return held


def _include(
    entry: Subscription, seats: int, used: Mapping[Covered, Needed], rest: dict[Covered, Amounts], rows: Rows
) -> None:
    """Take what the seats include from the rest of the calls that they cover: of a row, the same share of all."""
    own, running = [covered for covered in used if entry.name in covered], rows.running(entry)
    if not own:
        return
    if entry.included is None:
        left: Amounts = np.array([[0]])
    else:
        need = sum(rest[covered] * units(entry, used[covered]) for covered in own) * running
        left = _over(need, rows.pools(entry, seats), rows.months) / np.where(need > 0, need, 1)
    for covered in own:
        rest[covered] = np.where(running, rest[covered] * left, rest[covered])


def _over(need: Amounts, pools: Sequence[Fraction], months: Sequence[slice]) -> Amounts:
    """Of each row's need, what the month's allowance no longer has."""
    over = np.empty_like(need)
    for pool, month in zip(pools, months, strict=True):
        beyond = np.maximum(np.cumsum(need[month], axis=0) - number(need)(pool), 0)
        over[month] = np.minimum(np.diff(beyond, axis=0, prepend=beyond[:1] * 0), need[month])
    return over


def units(entry: Subscription, used: Needed) -> Amounts:
    """How many credits or requests the calls need."""
    if entry.included and entry.included.unit == "credits":
        in_usd: Amounts = used.usd / number(used.usd)(entry.included.usd_per_credit)
        return in_usd
    return used.requests


def _paid(entries: Sequence[Subscription], need: Needed, rest: Amounts, rows: Rows) -> list[tuple[str, Amounts]]:
    """What the rest costs, by the subscription that it is beyond of."""
    found: list[tuple[str, Amounts]] = []
    unpaid = np.ones((len(rows.days), 1), dtype=bool)
    for entry in entries:
        if entry.overage:
            price = number(need.usd)(entry.overage.usd_per_unit or Decimal(0))
            running = rows.running(entry)
            found.append((entry.name, rest * units(entry, need) * price * (unpaid & running)))
            unpaid = unpaid & ~running
    at_list = rest * need.usd * unpaid
    limited = next((entry.name for entry in entries if entry.included), None)
    return [*found, (API if limited is None else limited, at_list)]
