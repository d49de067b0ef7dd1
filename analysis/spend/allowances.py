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
from ...usage import future

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from ...pricing.book import PriceBook
    from ...pricing.stated import Subscription

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
    """A subscription in a month, of the days from `first_day` to `last_day` (see `fee_days`); USD, to 12 places.

    `fee_usd` is for all seats, of those days, or of the month, however few of its days they are. `included` and `used`
    are in `unit` (credits or requests; None: without limit). `list_usd` is what the calls would have cost at list
    prices, `overage_usd` what they cost beyond what is included, the marginal cost. `unbilled` is what was used beyond
    it where no overage is stated.
    """

    name: str
    month: str
    first_day: date
    last_day: date
    seats: int
    fee_usd: Decimal
    unit: str | None
    included: Decimal | None
    used: Decimal | None
    unbilled: Decimal
    overage_usd: Decimal
    list_usd: Decimal


def allowances(
    connection: DuckDBPyConnection,
    book: PriceBook,
    since: date | None = None,
    until: date | None = None,
    today: date | None = None,
) -> tuple[Allowance, ...]:
    """The subscriptions of the book in each month of the days asked for, from rows that are `chosen` and `priced`.

    `today` (default: the day, UTC) ends a fee by the day: what is still to come costs nothing yet.
    """
    subscriptions = book.subscriptions
    logged = connection.execute(SPAN).fetchone() if subscriptions else None
    days = fee_days(since, until, logged or (None, None), today or future.this_day())
    if not days:
        return ()
    used = {(name, month): (usd, requests) for name, month, usd, requests in connection.execute(USED).fetchall()}
    return tuple(
        _allowance(subscription, month, *used.get((subscription.name, f"{month[0]:%Y-%m}"), (Decimal(0), 0)))
        for subscription in subscriptions
        for month in _months(*days)
        if any(_valid(subscription, day) for day in month)
    )


def fee_days(
    since: date | None, until: date | None, logged: tuple[date | None, date | None], today: date
) -> tuple[date, date] | None:
    """The first and the last day that a fee is counted for: those asked for, whether they have calls or not.

    They end today, or with the last call if that is later. Where no bound is asked for, the first and last call is it;
    None where there is neither.
    """
    first, last = since or logged[0], logged[1]
    if since or until:
        last = min(until or date.max, max(today, last or today))
    return (first, last) if first and last and first <= last else None


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
        subscription.name, f"{days[0]:%Y-%m}", days[0], days[-1], subscription.seats, to_usd(fee), unit,
        None if included is None else to_usd(included), None if used is None else to_usd(used),
        to_usd(unbilled), to_usd(overage), to_usd(list_usd),
    )  # fmt: skip
