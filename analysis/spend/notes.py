"""What the figures of a spend rest on, in words: of the calls that were chosen (see ledger.py) and priced."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from ...money import format_cents
from ...plurals import quoted_names
from ...pricing.matching import OPEN_MAKERS
from ...tokens import MEDIA_CLASSES, MEDIA_SUM, TOKEN_SUM
from .recorded import recorded_notes

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

INCLUDED = """
SELECT source, sum(recorded_usd), sum(TRY_CAST(tags ->> '$.discount_usd' AS DECIMAL(38, 18))),
    sum(TRY_CAST(tags ->> '$.net_usd' AS DECIMAL(38, 18)))
FROM usage_event
WHERE role = 'bill' AND covered_by IS NULL AND tags LIKE '%"discount_usd"%' AND source IN (SELECT source FROM chosen)
    AND ts::DATE BETWEEN getvariable('chosen_since') AND getvariable('chosen_until')
GROUP BY source HAVING sum(TRY_CAST(tags ->> '$.discount_usd' AS DOUBLE)) <> 0 ORDER BY source
"""

MAKER_ASSUMED = f"""coalesce(provider, '') = '' AND NOT contains(model, '/') AND priced_provider IN {OPEN_MAKERS}"""
"""SQL for whether a model's maker was taken for the provider, though others serve it too."""
MAY_BE = f"""
SELECT bool_or(processing <> 'standard'), bool_or(model LIKE '%:online'), bool_or(role = 'bill'),
    bool_or(recorded_calls > 0), bool_or({MEDIA_SUM} > 0), bool_or({MAKER_ASSUMED})
FROM priced
"""  # noqa: S608 (token classes, makers)
AS_TEXT = f"""
SELECT long.token_class, price.token_class, sum(tokens)::BIGINT,
    list_sort(list(DISTINCT price.provider || '/' || price.model))
FROM (UNPIVOT priced ON {", ".join(MEDIA_CLASSES)} INTO NAME token_class VALUE tokens) AS long
JOIN unit_price USING (unit_id, token_class) JOIN price USING (price_id)
WHERE tokens > 0 AND price.token_class <> long.token_class GROUP BY ALL ORDER BY ALL
"""  # noqa: S608 (token classes)


def price_notes(connection: DuckDBPyConnection) -> tuple[str, ...]:
    """Sums without sizes of requests, standard prices for want of others, fees and discounts that are in no price.

    And what recorded costs that differ probably are. What no row of `priced` can be is not asked.
    """
    levels, online, billed, recorded, media, assumed = connection.execute(MAY_BE).fetchone() or ()
    return (
        *_summed(connection),
        *(_at_standard_price(connection) if levels else ()),
        *(_searching(connection) if online else ()),
        *(_included(connection) if billed else ()),
        *(recorded_notes(connection) if recorded else ()),
        *(_as_text(connection) if media else ()),
        *(_maker_assumed(connection) if assumed else ()),
    )


def _included(connection: DuckDBPyConnection) -> tuple[str, ...]:
    """Bills that state what a plan includes: their list price counts."""
    found: list[tuple[str, Decimal, Decimal, Decimal]] = connection.execute(INCLUDED).fetchall()
    return tuple(
        f"{source} counts at list price, {format_cents(gross)}: discounts and what plans include take "
        f"{format_cents(discount)} off, {format_cents(net)} is charged beyond the plans"
        for source, gross, discount, net in found
    )


def _at_standard_price(connection: DuckDBPyConnection) -> tuple[str, ...]:
    """Processing levels that a model has no price of its own for."""
    sql = """
    SELECT DISTINCT priced_provider || '/' || priced_model, priced.processing
    FROM priced JOIN unit_price USING (unit_id) JOIN price USING (price_id)
    WHERE price.processing <> priced.processing AND price.token_class IN ('input', 'output') ORDER BY ALL
    """
    return tuple(
        f"{model} has no price for processing {level!r}: those calls are at its standard price"
        for model, level in connection.execute(sql).fetchall()
    )


def _as_text(connection: DuckDBPyConnection) -> tuple[str, ...]:
    """Audio and images of models without a price of their own for them."""
    return tuple(
        f"{tokens:,} tokens of {name} are priced as {paid}: there is no other price of {quoted_names(models)}"
        for name, paid, tokens, models in connection.execute(AS_TEXT).fetchall()
    )


def _maker_assumed(connection: DuckDBPyConnection) -> tuple[str, ...]:
    """Models whose provider no log states, and that others than their makers serve too, at other prices."""
    sql = f"""
    SELECT source, list_sort(list(DISTINCT priced_provider)), list_sort(list(DISTINCT model)) FROM priced
    WHERE {MAKER_ASSUMED} GROUP BY ALL ORDER BY ALL
    """  # noqa: S608 (makers)
    return tuple(
        f"{source} states no provider of {quoted_names(models)}: priced as served by the maker ({', '.join(makers)}). "
        "Where another serves them, state its prices in an overlay"
        for source, makers, models in connection.execute(sql).fetchall()
    )


def _searching(connection: DuckDBPyConnection) -> tuple[str, ...]:
    """OpenRouter's variant that searches: no log says how often."""
    sql = "SELECT DISTINCT model FROM chosen WHERE model LIKE '%:online' ORDER BY 1"
    return tuple(
        f"{model} searches the web: the fee of its searches is in no computed cost"
        for (model,) in connection.execute(sql).fetchall()
    )


def _summed(connection: DuckDBPyConnection) -> tuple[str, ...]:
    sql = """
    SELECT DISTINCT source FROM usage_event
    WHERE aggregated AND covered_by IS NULL AND context_tier IS NULL AND {tokens} > 0
        AND source IN (SELECT source FROM chosen)
        AND ts::DATE BETWEEN getvariable('chosen_since') AND getvariable('chosen_until')
    ORDER BY 1
    """
    sources = [name for (name,) in connection.execute(sql.format(tokens=TOKEN_SUM)).fetchall()]
    return tuple(
        f"{name} is already summed by its source: no request's size is known, so every call is priced at the base tier"
        for name in sources
    )
