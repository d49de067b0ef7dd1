"""Cost by day of an open store: the history that every forecast of it is made from."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from ..spend.ledger import Ledger

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from ...pricing.book import PriceBook

Series = list[tuple[date, Decimal]]
"""Cost by day, USD."""
SPAN = "SELECT min(day), max(day) FROM usage_daily"
DAILY = """
SELECT component, day, sum(greatest(usd, 0)) FROM priced WHERE usd > 0 OR unpriced_tokens = 0
GROUP BY ALL ORDER BY ALL
"""


def daily_costs(
    connection: DuckDBPyConnection, book: PriceBook, until: date, since: date | None = None
) -> dict[str | None, Series]:
    """Each component's cost by day, through `until`, and under None the total's; days without any price have no row."""
    ledger = Ledger.open(connection, book)
    ledger.choose(since, until)
    ledger.price_rows()
    series: dict[str | None, Series] = {None: []}
    total: dict[date, Decimal] = defaultdict(Decimal)
    for component, day, usd in connection.execute(DAILY).fetchall():
        series.setdefault(component, []).append((day, usd))
        total[day] += usd
    series[None] = sorted(total.items())
    return series


def last_day_known(connection: DuckDBPyConnection, today: date, until: date | None = None) -> date | None:
    """The last day, through `until`, that the store knows whole: before `today`, but where it has no other.

    None where the store has no calls.
    """
    first, last = connection.execute(SPAN).fetchone() or (None, None)
    if first is None or last is None:
        return None
    newest: date = min(last, until or last)
    return newest if newest < today or newest <= first else min(newest, today - timedelta(1))
