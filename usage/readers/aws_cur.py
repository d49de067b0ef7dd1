"""AWS Cost and Usage Report, 2.0 or the older one, as CSV or Parquet: its rows of Amazon Bedrock, a bill.

https://docs.aws.amazon.com/bedrock/latest/userguide/cost-mgmt-understanding-cur-data.html: usage types end in
`-input-tokens`, `-output-tokens`, `-cache-read-input-token-count`, `-cache-write-input-token-count`; models of the
Marketplace say `…_InputTokenCount-Units` and the like. The amount is in `pricing_unit`: tokens, thousands or millions;
where that says only "Units", the line's description decides. A report without that column counts single tokens.
`line_item_unblended_cost` is in the line's currency. Rows of other services are no part of what is counted here.
"""

from __future__ import annotations

from ..reader import Reader, Sample
from .meters import SAID, UNSAID, classes, instant, joined, numbers, per_unit, token_class, tokens, unreadable, usd

NAMES = {
    "identity_line_item_id": "identity/LineItemId",
    "identity_time_interval": "identity/TimeInterval",
    "line_item_product_code": "lineItem/ProductCode",
    "line_item_line_item_type": "lineItem/LineItemType",
    "line_item_usage_type": "lineItem/UsageType",
    "line_item_operation": "lineItem/Operation",
    "line_item_usage_start_date": "lineItem/UsageStartDate",
    "line_item_usage_amount": "lineItem/UsageAmount",
    "line_item_unblended_cost": "lineItem/UnblendedCost",
    "line_item_currency_code": "lineItem/CurrencyCode",
    "line_item_line_item_description": "lineItem/LineItemDescription",
    "line_item_usage_account_id": "lineItem/UsageAccountId",
    "line_item_iam_principal": "lineItem/IamPrincipal",
    "line_item_resource_id": "lineItem/ResourceId",
    "pricing_unit": "pricing/unit",
    "product_product_name": "product/ProductName",
    "product_region_code": "product/regionCode",
    "product_model": "product/model",
}
# CUR 2.0 has most of a product in one map: JSON in CSV, and in Parquet as DuckDB writes a map into a text.
OF_PRODUCT = {"product_product_name": "product_name", "product_region_code": "region", "product_model": "model"}
COLUMNS = dict.fromkeys((*NAMES, *NAMES.values(), "product"), "VARCHAR")


def _cell(new: str, old: str) -> str:
    in_map = f"""regexp_extract(product, '[{{", ]{OF_PRODUCT.get(new)}"?[:=] ?"?([^"=}}]*?)(?:"|, \\w+=|}})', 1)"""
    cells = [f'"{new}"', f'"{old}"', *([f"nullif({in_map}, '')"] if new in OF_PRODUCT else [])]
    return f"coalesce({', '.join(cells)}) AS {new.removeprefix('line_item_')}"


CELLS = ", ".join(_cell(new, old) for new, old in NAMES.items())
CLASS = token_class("usage_type")
# the name before the direction, without the region before it: USE1-Claude4.6Sonnet-input-tokens
MODEL = (
    "regexp_extract(usage_type, '^(?:[A-Z]{2,4}[0-9]?-)?(?:MP:)?(.*?)-"
    "(?:mantle-|cross-region-|global-|latency-optimized-)*(?:cache-(?:read|write)-)?(?:input|output)-token', 1)"
)

METER = (
    "line_item_type",
    "usage_type",
    "line_item_description",
    "pricing_unit",
    "product_product_name",
    "product_model",
    "operation",
    "usage_account_id",
    "iam_principal",
    "product_region_code",
    "resource_id",
)
"""What says which tokens a row counts, of which model and whose: of few kinds, so that it is read once for each."""
METERS = ", ".join(METER)

SQL = f"""
WITH entry AS MATERIALIZED (
    SELECT * FROM (SELECT file_id, line, {CELLS} FROM record)
    WHERE product_code = 'AmazonBedrock' OR product_product_name ILIKE '%bedrock%'
        OR regexp_matches(usage_type, 'TokenCount')
),
unit AS (
    SELECT *,
        CASE WHEN pricing_unit IS NULL THEN 'tokens'
             WHEN lower(pricing_unit) NOT IN ('units', 'unit') THEN pricing_unit
             ELSE regexp_extract(lower(line_item_description), 'million|thousand|1k|1m') END AS unit
    FROM (SELECT DISTINCT {METERS} FROM entry)
),
meter AS MATERIALIZED (
    SELECT {METERS},
        {per_unit("unit")} AS factor,
        CASE WHEN coalesce(line_item_type, 'Usage') IN ('Usage', 'DiscountedUsage', 'SavingsPlanCoveredUsage')
            AND usage_type ILIKE '%token%' THEN {CLASS} END AS kind,
        coalesce(nullif({MODEL}, ''), product_model,
            nullif(regexp_replace(product_product_name, ' \\(.*', ''), 'Amazon Bedrock')) AS model,
        CASE WHEN regexp_matches(lower(usage_type), 'batch') THEN 'batch'
             WHEN regexp_matches(lower(usage_type), 'flex') THEN 'flex'
             WHEN regexp_matches(lower(usage_type), 'priority') THEN 'priority' END AS processing,
        json_object('usage_type', usage_type, 'operation', operation, 'item_type', line_item_type,
            'account', usage_account_id, 'user', iam_principal, 'region', product_region_code, 'resource', resource_id,
            'unit', CASE WHEN kind IS NOT NULL AND factor IS NULL THEN pricing_unit END) AS tags
    FROM unit
),
metered AS (SELECT *, {numbers("usage_amount")} FROM ({joined("entry", "meter", METER)})),
counted AS (SELECT *, {tokens("usage_amount", "factor")} AS counted FROM metered)
SELECT file_id, line,
    'aws-cur:' || identity_line_item_id || ':' || coalesce(identity_time_interval, usage_start_date) AS event_id,
    {instant("usage_start_date")} AS ts,
    model,
    processing,
    {classes("kind", "counted", SAID)},
    {usd("coalesce(unblended_cost, 'nothing')", "currency_code")} AS recorded_usd,
    {unreadable("usage_amount", "kind IS NOT NULL AND factor IS NOT NULL")} AS fault,
    iam_principal AS "user",
    tags
FROM counted
"""  # noqa: S608 (constants only)


def recognises(sample: Sample) -> bool:
    """Line items by the report's column names, old or new."""
    return sample.has("line_item_usage_type", "line_item_unblended_cost") or sample.has(
        "lineItem/UsageType", "lineItem/UnblendedCost"
    )


READER = Reader(
    name="aws-cur",
    origin="provider",
    doc="https://docs.aws.amazon.com/bedrock/latest/userguide/cost-mgmt-understanding-cur-data.html",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=False,
    counted=("line_item_usage_amount", "line_item_unblended_cost", "lineItem/UsageAmount", "lineItem/UnblendedCost"),
    left_out={
        **dict.fromkeys(
            (
                "line_item_blended_cost",
                "line_item_net_unblended_cost",
                "pricing_public_on_demand_cost",
                "lineItem/BlendedCost",
            ),
            "another view of the unblended cost",
        ),
        "lineItem/UsageAccountId": "an account",
    },
    fixed={"provider": "'aws'", "aggregated": "TRUE", "request": "0", **dict.fromkeys(UNSAID, "0")},
    role="bill",
    unique_by="the line item's id and its interval, else the row's content",
    kept_at="AWS Cost and Usage Report 2.0, in S3",
    no_call="no row of a token meter",
    sample="made: usage types as the documentation writes them",
)
