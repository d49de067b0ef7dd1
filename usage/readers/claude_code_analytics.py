"""Anthropic's Claude Code Analytics API: pages of sums by day, user and terminal, tokens and cost by model. A bill.

https://platform.claude.com/docs/en/api/admin/usage_report/retrieve_claude_code: `input` excludes cached tokens, writes
are not distinguished by lifetime, and `estimated_cost` is in cents. The same use stands in Anthropic's usage report (of
an organization of the API) and in Claude Code's own logs: never added to these.
"""

from __future__ import annotations

from ..reader import Reader, Sample
from .buckets import named
from .counts import count_in_text, usd_from_cents

KINDS = ("input", "output", "cache_read", "cache_creation")
_TOKENS = ", ".join(f'"{kind}" VARCHAR' for kind in KINDS)
ACTOR = ("email_address", "api_key_name")
COLUMNS = {
    **dict.fromkeys(("date", "organization_id", "customer_type", "subscription_type", "terminal_type"), "VARCHAR"),
    "actor": f"STRUCT({', '.join(f'{name} VARCHAR' for name in ACTOR)})",
    "model_breakdown": f"""STRUCT(model VARCHAR, tokens STRUCT({_TOKENS}),
        estimated_cost STRUCT(currency VARCHAR, amount VARCHAR))[]""",
}
KEY = ("date", "organization_id", "who", "customer_type", "subscription_type", "terminal_type", "model")
NAME, PLACE = named("claude-code-analytics", ("file_id",), KEY, "outputs")

SQL = f"""
WITH used AS (
    SELECT * EXCLUDE (model_breakdown), coalesce(actor.email_address, actor.api_key_name) AS who,
        unnest(model_breakdown, max_depth := 2)
    FROM record
),
counted AS (
    SELECT *, {", ".join(f"{count_in_text(f'tokens.{kind}')} AS {kind}s" for kind in KINDS)},
        estimated_cost.amount AS cents, upper(coalesce(estimated_cost.currency, 'USD')) AS currency
    FROM used
)
SELECT file_id, line,
    {NAME} || CASE {PLACE} WHEN 1 THEN '' ELSE '|' || {PLACE} END AS event_id,
    utc("date") AS ts,
    TRY(ts + INTERVAL 1 DAY) AS period_end,
    TRUE AS aggregated,
    'anthropic' AS provider,
    model,
    inputs AS input,
    cache_reads AS cache_read,
    cache_creations AS cache_write_5m,
    outputs AS output,
    0 AS request,
    CASE currency WHEN 'USD' THEN {usd_from_cents("cents")} ELSE cents || ' cents of ' || currency END AS recorded_usd,
    who AS "user",
    json_object('customer_type', customer_type, 'subscription', subscription_type, 'terminal', terminal_type) AS tags
FROM counted
"""  # noqa: S608 (constants only)


def recognises(sample: Sample) -> bool:
    """Days of an actor, or their page."""
    return any(sample.has(f"{top}actor", f"{top}core_metrics", f"{top}date") for top in ("data.", ""))


READER = Reader(
    name="claude-code-analytics",
    origin="provider",
    doc="https://platform.claude.com/docs/en/api/admin/usage_report/retrieve_claude_code",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=False,
    counted=(*(f"model_breakdown.tokens.{kind}" for kind in KINDS), "model_breakdown.estimated_cost.amount"),
    role="bill",
    pages=("data",),
    unique_by="day, organization, actor, terminal and model",
    kept_at="GET /v1/organizations/usage_report/claude_code (an admin key)",
    undercounts="the lifetime of cache writes: its own cost has it",
    no_call="no model was used",
    sample="made: in the documented shape",
)
