"""FOCUS 1.2 and 1.3: logged usage as rows that any FinOps tool reads.

https://focus.finops.org/focus-specification/v1-3/ and v1-2. Version 1.3 adds ServiceProviderName and HostProviderName,
both mandatory, and keeps ProviderName and PublisherName, deprecated; the host of a model is its provider here, as logs
say no more. `Tags` has the component, agent and task, and the dimensions that are asked for.

A row is one day of one component, model and token class. What only a bill states, without tokens that a price is known
for, is a row too, so that the costs add up to those of `costsim spend`: its category is Adjustment (Credit where it is
below zero), which has no quantity and no unit price, and `x_TokenClass` is `as billed`. The
21 mandatory columns come first; then the conditional ones that token usage meets (quantities, unit prices, SKU),
then ours with the `x_` prefix that the specification reserves for them. Costs are exact: BilledCost,
EffectiveCost and ContractedCost at the stack's prices, ListCost at its base book alone. ConsumedUnit counts
tokens, requests or searches; PricingUnit is what a price is quoted for (1000000 Tokens).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from ...errors import CostsimError, UnpricedError
from ...pricing.book import PriceBook
from ...usage.reader import identifier, text
from ...usage.rollup import call_sums, rolled_models
from ...usage.tags import TAG
from .ledger import Ledger, rollup_needs
from .query import DIMENSIONS, SUMMED, Query, call_columns
from .spend import spend

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

MANDATORY = (
    "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd",
    "BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargePeriodEnd",
    "ChargePeriodStart", "ContractedCost", "EffectiveCost", "InvoiceIssuerName", "ListCost", "PricingQuantity",
    "PricingUnit", "ProviderName", "PublisherName", "ServiceCategory", "ServiceName",
)  # fmt: skip

VERSIONS = ("1.2", "1.3")
NEW_IN = {"1.2": (), "1.3": ("ServiceProviderName", "HostProviderName")}
"""The mandatory columns that a version adds to `MANDATORY`."""

ROWS = """
WITH summed AS (
    SELECT
        shown_day AS day, component, agent, task, {tags} AS tags, as_billed,
        CASE WHEN as_billed THEN coalesce(priced_provider, provider, source) ELSE priced_provider END
            AS priced_provider,
        CASE WHEN as_billed THEN coalesce(priced_model, nullif(model, '')) ELSE priced_model END AS priced_model,
        processing, CASE WHEN as_billed THEN 'as billed' ELSE token_class END AS token_class,
        CASE WHEN NOT as_billed THEN price_id END AS price_id,
        CASE WHEN as_billed THEN 'stated by ' || source END AS stated_by,
        CASE WHEN NOT as_billed THEN list_unit_usd END AS list_unit_usd,
        (sum(tokens) FILTER (NOT as_billed))::BIGINT AS quantity, sum(usd) AS usd, sum(list_usd) AS list_usd
    FROM focus_cell
    GROUP BY ALL
),
measured AS (
    SELECT
        summed.*, price.per, price.usd AS unit_usd, coalesce(stated_by, price.source) AS source,
        concat_ws('/', priced_provider, priced_model) AS sku,
        -- the price row by what distinguishes it from others, so that it is the same in every export
        CASE WHEN NOT as_billed THEN concat_ws(':', sku, summed.token_class, price.processing,
            'from ' || price.min_input_tokens, coalesce(strftime(price.valid_from, '%Y-%m-%dT%H:%MZ'), 'always'),
            price.utc_from::VARCHAR, rtrim(rtrim(price.usd::VARCHAR, '0'), '.') || ' USD') END
            AS sku_price_id,
        CASE summed.token_class WHEN 'as billed' THEN NULL
            WHEN 'request' THEN 'Requests' WHEN 'web_search' THEN 'Searches' ELSE 'Tokens' END
            AS unit,
        -- exact, where a division would be a DOUBLE
        summed.quantity * (CASE price.per WHEN 1000000 THEN 0.000001 WHEN 1000 THEN 0.001 ELSE 1 END)::DECIMAL(18, 6)
            AS pricing_quantity,
        strftime(day, '%Y-%m-%dT00:00:00Z') AS day_start,
        strftime(day + 1, '%Y-%m-%dT00:00:00Z') AS day_end,
        strftime(date_trunc('month', day), '%Y-%m-%dT00:00:00Z') AS month_start,
        strftime(date_trunc('month', day) + INTERVAL 1 MONTH, '%Y-%m-%dT00:00:00Z') AS month_end
    FROM summed
    LEFT JOIN price USING (price_id)
)
SELECT
    usd AS BilledCost,
    $account AS BillingAccountId,
    $account AS BillingAccountName,
    'USD' AS BillingCurrency,
    month_end AS BillingPeriodEnd,
    month_start AS BillingPeriodStart,
    CASE WHEN NOT as_billed THEN 'Usage' WHEN usd < 0 THEN 'Credit' ELSE 'Adjustment' END AS ChargeCategory,
    NULL::VARCHAR AS ChargeClass,
    concat_ws(' ', sku, token_class, stated_by, 'for', component) AS ChargeDescription,
    day_end AS ChargePeriodEnd,
    day_start AS ChargePeriodStart,
    usd AS ContractedCost,
    usd AS EffectiveCost,
    priced_provider AS InvoiceIssuerName,
    list_usd AS ListCost,
    pricing_quantity AS PricingQuantity,
    CASE WHEN per = 1 THEN unit ELSE per || ' ' || unit END AS PricingUnit,
    priced_provider AS ProviderName,
    priced_provider AS PublisherName,
    'AI and Machine Learning' AS ServiceCategory,
    priced_provider || ' API' AS ServiceName,
    {new}
    'Usage-Based' AS ChargeFrequency,
    NULL::VARCHAR AS InvoiceId,  -- no invoice is known before the provider's
    quantity AS ConsumedQuantity,
    unit AS ConsumedUnit,
    unit_usd AS ContractedUnitPrice,
    list_unit_usd AS ListUnitPrice,
    CASE WHEN NOT as_billed THEN 'Standard' END AS PricingCategory,
    'Generative AI' AS ServiceSubcategory,
    sku AS SkuId,
    token_class AS SkuMeter,
    sku_price_id AS SkuPriceId,
    tags AS Tags,
    component AS x_Component,
    agent AS x_Agent,
    task AS x_Task,
    sku AS x_Model,
    token_class AS x_TokenClass,
    processing AS x_Processing,
    source AS x_PriceSource
FROM measured
ORDER BY ChargePeriodStart, x_Component, x_Model, x_TokenClass, x_Processing, SkuPriceId
"""

# Base and stack are priced one after the other over the same rows; a model that only an overlay prices has no
# list price, so its contracted price stands in.
KEEP_LIST = """
CREATE OR REPLACE TEMP TABLE list_cell AS
SELECT row_id, cell.token_class, cell.usd, price.usd AS unit_usd FROM cell LEFT JOIN price USING (price_id)
"""
FOCUS_CELL = """
CREATE OR REPLACE TEMP TABLE focus_cell AS
SELECT
    cell.*,
    coalesce(list_cell.usd, cell.usd) AS list_usd,
    coalesce(list_cell.unit_usd, price.usd) AS list_unit_usd
FROM cell
LEFT JOIN price USING (price_id)
LEFT JOIN list_cell ON list_cell.row_id = cell.row_id AND list_cell.token_class = cell.token_class
WHERE CASE WHEN as_billed THEN cell.usd <> 0 ELSE cell.tokens > 0 AND price.price_id IS NOT NULL END
"""


def focus_rows(
    connection: DuckDBPyConnection,
    book: PriceBook,
    since: date | None,
    until: date | None,
    account: str,
    *,
    version: str = VERSIONS[-1],
    tags: Sequence[str] = (),
) -> DuckDBPyRelation:
    """The rows of an export, ordered; `account` is the BillingAccountId, `tags` further dimensions to put into Tags.

    Raises UnpricedError: a charge without a cost cannot be exported; CostsimError for an unknown version or dimension.
    """
    if version not in VERSIONS:
        raise CostsimError(f"costsim writes FOCUS {' and '.join(VERSIONS)}, not {version}")
    query = Query(tuple(dict.fromkeys(tags)), since, until)
    query.check()
    _fill_cells(connection, book, query)
    new = "".join(f"priced_provider AS {name}," for name in NEW_IN[version])
    return connection.sql(ROWS.format(tags=_tags(query.by), new=new), params={"account": account})


def _tags(names: Sequence[str]) -> str:
    """The SQL of the JSON object of tags: a key without a value is left out."""
    own = {"component": "component", "agent": "agent", "task": "task"}
    own |= {name.removeprefix(TAG): DIMENSIONS.get(name) or identifier(name) for name in names}
    pairs = ", ".join(f"{text(name)}, nullif(({sql})::VARCHAR, '')" for name, sql in own.items())
    return f"json_merge_patch('{{}}'::JSON, json_object({pairs}))::VARCHAR"


def _fill_cells(connection: DuckDBPyConnection, book: PriceBook, query: Query) -> None:
    """Fill the temporary table `focus_cell`: spend cells beside their cost at the base book alone, the list price."""
    found = spend(connection, book, Query((), query.since, query.until))
    if found.unpriced_models:
        raise UnpricedError.of(found.unpriced_models, "FOCUS wants a cost in every row")
    base = PriceBook(book.layers[:1], book.files[:1])
    _sum_calls(connection, query, (base, book))
    listed = Ledger.open(connection, base)
    _choose(listed, query)
    listed.price_cells()
    connection.execute(KEEP_LIST)
    ledger = Ledger.open(connection, book)
    _choose(ledger, query)
    ledger.price_cells()
    connection.execute(FOCUS_CELL)


def _sum_calls(connection: DuckDBPyConnection, query: Query, books: Sequence[PriceBook]) -> None:
    """Sum calls by the dimensions that the rollup has not, kept apart where a price of any of the books needs it."""
    if not query.by:
        return
    starts, by_half_hour = zip(*(rollup_needs(book, rolled_models(connection)) for book in books), strict=True)
    keep = ["component", "agent", "task", *(name for name in query.by if name not in SUMMED)]
    call_sums(
        connection, "UTC", [*dict.fromkeys(keep)], call_columns(query), sorted({*starts[0], *starts[1]}),
        sorted({*by_half_hour[0], *by_half_hour[1]}), since=query.since, until=query.until,
    )  # fmt: skip


def _choose(ledger: Ledger, query: Query) -> None:
    if query.by:
        ledger.choose(query.since, query.until, relation="usage_asked", shown="local_day")
    else:
        ledger.choose(query.since, query.until)
