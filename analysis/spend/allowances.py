"""What subscriptions cost and include: fee, allowance, overage and list value, by subscription and calendar month.

Calls to a subscription's models cost nothing more in the rows of spend, where they keep their list value apart. What a
month's calls need beyond what is included is billed for the month as a whole, so it stands here, in no row.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from ...money import to_usd

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from ...pricing.book import PriceBook
    from ...pricing.overlay import Subscription

USED = """
WITH covered AS (
    SELECT DISTINCT unit_id, regexp_extract(source, '^subscription (.*?)(; shadow: .*)?$', 1) AS name
    FROM unit_price JOIN price USING (price_id) WHERE source LIKE 'subscription %'
)
SELECT name, strftime(shown_day, '%Y-%m'), sum(shadow_usd), sum(request)::BIGINT
FROM priced JOIN covered USING (unit_id) GROUP BY ALL
"""
SPAN = "SELECT min(shown_day), max(shown_day) FROM chosen"


@dataclass(frozen=True)
class Allowance:
    """A subscription in a month (UTC), of the days that were chosen; USD, to 12 places.

    `fee_usd` is for all seats; `included` and `used` are in `unit` (credits or requests; None: without limit).
    `list_usd` is what the calls would have cost at list prices, `overage_usd` what they cost beyond what is included,
    the marginal cost. `unbilled` is what was used beyond it where no overage is stated.
    """

    name: str
    month: str
    seats: int
    fee_usd: Decimal
    unit: str | None
    included: Decimal | None
    used: Decimal | None
    unbilled: Decimal
    overage_usd: Decimal
    list_usd: Decimal


def allowances(connection: DuckDBPyConnection, book: PriceBook) -> tuple[Allowance, ...]:
    """The subscriptions of the book in each month of the days that `chosen` has, from rows that are `priced`."""
    subscriptions = book.subscriptions
    if not subscriptions:
        return ()
    first, last = connection.execute(SPAN).fetchone() or (None, None)
    if first is None or last is None:
        return ()
    used = {(name, month): (usd, requests) for name, month, usd, requests in connection.execute(USED).fetchall()}
    return tuple(
        _allowance(subscription, days, *used.get((subscription.name, f"{days[0]:%Y-%m}"), (Decimal(0), 0)))
        for subscription in subscriptions
        for days in _months(first, last)
        if any(_valid(subscription, day) for day in days)
    )


def _months(first: date, last: date) -> Iterator[list[date]]:
    """The days from `first` to `last`, month by month."""
    days: list[date] = []
    for number in range((last - first).days + 1):
        day = first + timedelta(number)
        if days and day.day == 1:
            yield days
            days = []
        days.append(day)
    yield days


def _valid(subscription: Subscription, day: date) -> bool:
    return subscription.valid_at(datetime(day.year, day.month, day.day, tzinfo=UTC))


def _allowance(subscription: Subscription, days: list[date], list_usd: Decimal | None, requests: int) -> Allowance:
    fee = sum((subscription.fee_usd(day) for day in days if _valid(subscription, day)), Fraction(0))
    if subscription.usd_per_month is not None:  # billed for the month, however few of its days are shown
        fee = Fraction(subscription.usd_per_month) * subscription.seats
    value = list_usd or Decimal(0)
    included = subscription.included
    if included is None:
        return _row(subscription, days, fee, value)
    total = Fraction(included.amount) * subscription.seats
    used = Fraction(requests) if included.unit == "requests" else Fraction(value) / Fraction(included.usd_per_credit)
    beyond = max(used - total, Fraction(0))
    price = subscription.overage.usd_per_unit if subscription.overage else None
    return _row(
        subscription, days, fee, value, included.unit, total, used,
        beyond if price is None else Fraction(0), Fraction(price or 0) * beyond,
    )  # fmt: skip


def _row(
    subscription: Subscription, days: list[date], fee: Fraction, list_usd: Decimal, unit: str | None = None,
    included: Fraction | None = None, used: Fraction | None = None, unbilled: Fraction = Fraction(0),
    overage: Fraction = Fraction(0),
) -> Allowance:  # fmt: skip
    return Allowance(
        subscription.name, f"{days[0]:%Y-%m}", subscription.seats, to_usd(fee), unit,
        None if included is None else to_usd(included), None if used is None else to_usd(used),
        to_usd(unbilled), to_usd(overage), to_usd(list_usd),
    )  # fmt: skip
