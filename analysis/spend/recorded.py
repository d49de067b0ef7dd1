"""Recorded against computed cost, by source and model: what a difference of a constant factor probably is."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from ...money import format_usd

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FACTORS: dict[Decimal, str] = {
    Decimal("2"): "the source counts them twice, or costsim half of them",
    Decimal("0.5"): "the batch price",
    Decimal("1.1"): "a regional surcharge (inference in one region)",
    Decimal("6"): "the fast mode's price",
    Decimal("0"): "the source knows no price, or a subscription pays",
}
"""What a factor probably is."""
NEAR = Decimal("0.002")  # of the factor: recorded costs are rounded
CONSTANT_DAYS = 3  # a factor that is not in the list is named from so many days on

BY_SOURCE = """
WITH hour AS (
    SELECT unit_id, max(usd) FILTER (token_class = 'cache_write_1h') - max(usd) FILTER (token_class = 'cache_write_5m')
        AS more
    FROM unit_price GROUP BY unit_id
),
daily AS (
    SELECT source, coalesce(priced_provider || '/' || priced_model, model, '') AS name, day,
        sum(recorded_usd) AS recorded,
        sum(usd) AS computed, sum(cache_write_5m * more) AS if_for_an_hour
    FROM priced LEFT JOIN hour USING (unit_id)
    WHERE role = 'calls' AND recorded_calls = calls AND recorded_usd IS NOT NULL AND unpriced_tokens = 0
    GROUP BY ALL HAVING sum(usd) > 0
)
SELECT source, name, sum(recorded)::VARCHAR, sum(computed)::VARCHAR, coalesce(sum(if_for_an_hour), 0)::VARCHAR,
    count(*), min(recorded / computed)::VARCHAR, max(recorded / computed)::VARCHAR
FROM daily GROUP BY ALL ORDER BY ALL
"""


def recorded_notes(connection: DuckDBPyConnection) -> tuple[str, ...]:
    """A sentence for each source and model whose recorded costs differ from the computed ones in a way that has a name.

    The rows that are compared are those of `priced` of which every call has a recorded cost. Costs in USD.
    """
    found = []
    for source, model, *numbers in connection.execute(BY_SOURCE).fetchall():
        recorded, computed, hour, days, low, high = map(Decimal, numbers)
        if why := _why(recorded, computed, hour, int(days), low, high):
            found.append(
                f"{source} recorded {format_usd(recorded)} for calls of {model} that cost {format_usd(computed)} "
                f"here: {why}"
            )
    return tuple(found)


def _why(recorded: Decimal, computed: Decimal, hour: Decimal, days: int, low: Decimal, high: Decimal) -> str | None:
    """What a difference probably is; None where there is none, or where it has no name."""
    if abs(recorded - computed) <= NEAR * computed:
        return None
    if hour and abs(recorded - computed - hour) <= NEAR * computed:
        return "its cache writes were for one hour, which it does not state; they are counted as five-minute ones"
    factor = recorded / computed
    constant = high - low <= 2 * NEAR * factor
    for known, name in FACTORS.items():
        if constant and abs(factor - known) <= NEAR * known:
            return f"{known:f} times as much, probably {name}"
    if constant and days >= CONSTANT_DAYS:
        return f"a constant factor of {factor:.4f} on {days} days, probably a discount, a markup or a currency"
    return None
