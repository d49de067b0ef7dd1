"""GitHub's billing report of Copilot: CSV, a row per day, user, model and SKU. A bill; it has no tokens.

https://docs.github.com/billing/reference/billing-reports: `gross_amount` is the quantity at its price in USD (a
premium request $0.04, an AI credit $0.01), and counts here; less `discount_amount`, what the plan includes, it is
`net_amount`, the part that is charged beyond the plan: both are kept as tags. `aic_quantity` and `aic_gross_amount` say
what premium requests would have cost in credits: never beside.
"""

from __future__ import annotations

from ..reader import Reader, Sample
from .restated import WHAT, same

NAMES = (
    "date", "username", "product", "sku", "model", "quantity", "unit_type", "gross_amount", "discount_amount",
    "net_amount", "organization", "repository", "cost_center_name",
)  # fmt: skip

IS_COPILOT = """sku IS NULL
    OR regexp_matches(lower(concat_ws(' ', sku, product)), 'copilot|coding_agent|premium|ai_credit|spark|models')"""
"""SQL for whether a row of a bill of GitHub's is of Copilot."""

SQL = f"""
SELECT file_id, line,
    coalesce(utc("date"), TRY(strptime("date", ['%m/%d/%Y', '%Y/%m/%d']))) AS ts,
    TRUE AS aggregated,
    'github' AS provider,
    nullif(model, '') AS model,
    0 AS request,
    coalesce(nullif(replace(replace(gross_amount, ',', ''), '$', ''), ''), 'nothing') AS recorded_usd,
    TRY(ts + INTERVAL 1 DAY) AS period_end,
    nullif(username, '') AS "user",
    nullif(organization, '') AS team,
    nullif(repository, '') AS repository,
    json_object('sku', sku, 'quantity', quantity, 'unit', unit_type,
        'discount_usd', discount_amount, 'net_usd', net_amount, 'cost_center', nullif(cost_center_name, '')) AS tags
FROM record
WHERE {IS_COPILOT}
"""  # noqa: S608 (constants only)
OF_TAGS = "".join(
    f" AND now.tags ->> '{name}' IS NOT DISTINCT FROM before.tags ->> '{name}'" for name in ("sku", "cost_center")
)
"""What its tags say beside figures."""


def recognises(sample: Sample) -> bool:
    """Rows by the report's own column names."""
    return sample.layout in ("csv", "parquet") and sample.has(
        "date", "sku", "model", "quantity", "gross_amount", "discount_amount", "net_amount"
    )


READER = Reader(
    name="copilot-bill",
    origin="provider",
    doc="https://docs.github.com/billing/reference/billing-reports",
    columns=dict.fromkeys(NAMES, "VARCHAR"),
    sql=SQL,
    recognises=recognises,
    input_includes_cached=False,
    counted=("gross_amount",),
    left_out={
        "discount_amount": "kept as a tag: what the plan includes",
        "net_amount": "kept as a tag: gross less discount",
        "quantity": "premium requests or AI credits; kept as a tag",
        "applied_cost_per_quantity": "a price",
        "aic_quantity": "what the same requests would be in AI credits",
        "aic_gross_amount": "what the same requests would have cost in AI credits",
        "total_monthly_quota": "a limit",
    },
    role="bill",
    replaced=(same("now", "before", [name for name in WHAT if name != "tags"]) + OF_TAGS,),
    unique_by="the row's content and place among its like",
    sample="real: 2026-05 and 2026-06",
    kept_at="exported: GitHub, Billing and licensing, Usage, Get usage report (AI usage or premium requests)",
    undercounts="tokens and requests: the report has money alone",
)
