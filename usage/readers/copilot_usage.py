"""GitHub's billing usage API, its rows of Copilot: reports by model, and those of all products. Two bills.

https://docs.github.com/rest/billing/usage: a report by model (premium requests, AI credits) has its `timePeriod` (a
year, a month or a day) and sums of it; that of all products dates its items itself, or is a summary, and names no
model. `grossAmount` is the quantity at its price in USD, and counts here as in the report that is exported
(`copilot_bill`); `netAmount`, what is charged beyond the plan, is kept as a tag. Of one period, load one width and one
filter: a month's sums beside its days' are counted twice.
"""

from __future__ import annotations

from dataclasses import replace

from ..reader import Reader, Sample
from .buckets import named
from .copilot_bill import IS_COPILOT

AMOUNTS = ("grossAmount", "discountAmount", "netAmount")
ITEM = ("date", "product", "sku", "model", "unitType", "quantity", "grossQuantity", *AMOUNTS, "organizationName",
    "repositoryName")  # fmt: skip
COLUMNS = {
    "timePeriod": "STRUCT(year VARCHAR, month VARCHAR, day VARCHAR)",
    **dict.fromkeys(("organization", "enterprise", "user", "product", "model"), "VARCHAR"),
    "costCenter": "STRUCT(id VARCHAR, name VARCHAR)",
    "usageItems": f"STRUCT({', '.join(f'{name} VARCHAR' for name in ITEM)})[]",
}
KEY = ("began", "org", "whose", "cost_center", "product", "sku", "model", "repositoryName")


def _sql(name: str) -> str:
    row, place = named(name, ("file_id", "report"), KEY, "TRY_CAST(grossAmount AS DOUBLE)")
    return f"""
WITH item AS (
    SELECT file_id, line, timePeriod AS period, organization, enterprise, costCenter.name AS cost_center,
        "user" AS whose, report, unnest(usageItems, max_depth := 2)
    FROM (SELECT * EXCLUDE (product, model), row_number() OVER () AS report FROM record)
),
dated AS (
    SELECT *, coalesce(nullif(organizationName, ''), organization, enterprise) AS org,
        coalesce("date", concat_ws('-', period.year, lpad(coalesce(period.month, '1'), 2, '0'),
            lpad(coalesce(period.day, '1'), 2, '0'))) AS starts,
        coalesce("date", concat_ws('-', period.year, period.month, period.day)) AS began,
        CASE WHEN "date" IS NOT NULL OR period.day IS NOT NULL THEN INTERVAL 1 DAY
             WHEN period.month IS NOT NULL THEN INTERVAL 1 MONTH ELSE INTERVAL 1 YEAR END AS lasts
    FROM item
)
SELECT file_id, line,
    {row} || CASE {place} WHEN 1 THEN '' ELSE '|' || {place} END AS event_id,
    utc(starts) AS ts,
    TRY(ts + lasts) AS period_end,
    TRUE AS aggregated,
    'github' AS provider,
    nullif(model, '') AS model,
    0 AS request,
    coalesce(grossAmount, 'nothing') AS recorded_usd,
    whose AS "user",
    org AS team,
    nullif(repositoryName, '') AS repository,
    json_object('sku', sku, 'quantity', coalesce(quantity, grossQuantity), 'unit', unitType,
        'discount_usd', discountAmount, 'net_usd', netAmount, 'cost_center', cost_center) AS tags
FROM dated
WHERE {IS_COPILOT}
"""  # noqa: S608 (constants only)


def recognises(sample: Sample) -> bool:
    """A report whose items name their model."""
    return sample.layout in ("ndjson", "json") and sample.has("timePeriod", "usageItems.sku", "usageItems.model")


def recognises_all(sample: Sample) -> bool:
    """A report of all products, or one without items."""
    if sample.layout not in ("ndjson", "json") or recognises(sample):
        return False
    return sample.has("usageItems.sku", "usageItems.grossAmount") or any(
        {"timePeriod", "usageItems"} <= one.keys() for one in sample.records
    )


READER = Reader(
    name="copilot-usage",
    origin="provider",
    doc="https://docs.github.com/rest/billing/usage",
    columns=COLUMNS,
    sql=_sql("copilot-usage"),
    recognises=recognises,
    input_includes_cached=False,
    counted=("usageItems.grossAmount",),
    left_out={
        "usageItems.discountAmount": "kept as a tag: what the plan includes",
        "usageItems.netAmount": "kept as a tag: gross less discount",
        **dict.fromkeys(
            (f"usageItems.{name}" for name in ("quantity", "grossQuantity", "discountQuantity", "netQuantity")),
            "premium requests or AI credits; of all kept as a tag",
        ),
        "usageItems.pricePerUnit": "a price",
    },
    role="bill",
    unique_by="period, organization, user, SKU and model",
    kept_at="GET /organizations/ORG/settings/billing/premium_request/usage or ai_credit/usage; a user's too",
    undercounts="tokens and requests: the report has money alone",
    no_call="no item of Copilot",
    sample="made: in the documented shape",
)

ALL = replace(
    READER,
    name="github-usage",
    sql=_sql("github-usage"),
    recognises=recognises_all,
    unique_by="day or period, organization, repository and SKU",
    kept_at="GET /organizations/ORG/settings/billing/usage, or usage/summary; of a user or enterprise",
)
