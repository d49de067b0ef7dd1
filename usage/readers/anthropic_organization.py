"""Anthropic's organization usage and cost reports: pages of the Admin API.

https://platform.claude.com/docs/en/api/admin-api/usage-cost/get-messages-usage-report: sums over a bucket; input
excludes cached tokens; `context_window` says whether each request was over 200,000 tokens. Requests are not counted,
so `request` is 0. A bucket's start and what it is grouped by name a result; loaded again, the larger counts. So load
one width of buckets and one grouping: an hour's sums beside a day's are counted twice.
https://platform.claude.com/docs/en/api/admin-api/usage-cost/get-cost-report: `amount` is a decimal text in cents.
Costs of the priority tier are not reported there.
"""

from __future__ import annotations

from ..processing import processing
from ..reader import Reader, Sample
from .buckets import RESULTS, key_tags, pages, result_id, texts
from .counts import count_in_text, usd_from_cents

OWNERS = ("workspace_id", "api_key_id", "account_id", "service_account_id", "inference_geo")
USAGE_GROUPS = ("model", *OWNERS, "service_tier", "context_window", "speed")
COST_GROUPS = (
    "workspace_id",
    "description",
    "cost_type",
    "token_type",
    "model",
    "service_tier",
    "context_window",
    "inference_geo",
    "speed",
)

_USAGE = f"""{texts((*USAGE_GROUPS, "uncached_input_tokens", "cache_read_input_tokens", "output_tokens"))},
    cache_creation STRUCT({texts(("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"))}),
    server_tool_use STRUCT({texts(("web_search_requests",))})"""

PROCESSING = processing("service_tier", "speed", "inference_geo")
# A request of exactly 200,000 tokens is still of the lower tier.
CONTEXT_TIER = "CASE context_window WHEN '0-200k' THEN 0 WHEN '200k-1M' THEN 200001 END"

USAGE_SQL = f"""
WITH {RESULTS},
counted AS (
    SELECT *,
        {count_in_text("uncached_input_tokens")} AS inputs,
        {count_in_text("cache_read_input_tokens")} AS reads,
        {count_in_text("cache_creation.ephemeral_5m_input_tokens")} AS written_5m,
        {count_in_text("cache_creation.ephemeral_1h_input_tokens")} AS written_1h,
        {count_in_text("output_tokens")} AS outputs,
        {count_in_text("server_tool_use.web_search_requests")} AS searches
    FROM result
)
SELECT file_id, line,
    {result_id("anthropic-usage", ("starting_at", *USAGE_GROUPS), "(outputs, inputs, reads)")} AS event_id,
    utc(starting_at) AS ts,
    utc(ending_at) AS period_end,
    'anthropic' AS provider,
    model,
    {PROCESSING} AS processing,
    TRUE AS aggregated,
    {CONTEXT_TIER} AS context_tier,
    inputs AS input,
    reads AS cache_read,
    written_5m AS cache_write_5m,
    written_1h AS cache_write_1h,
    outputs AS output,
    searches AS web_search,
    0 AS request,
    {key_tags((*OWNERS, "service_tier"))} AS tags
FROM counted
"""  # noqa: S608 (constants only)

COSTS_SQL = f"""
WITH {RESULTS}
SELECT file_id, line,
    {result_id("anthropic-costs", ("starting_at", *COST_GROUPS), "TRY_CAST(amount AS DOUBLE)")} AS event_id,
    utc(starting_at) AS ts,
    utc(ending_at) AS period_end,
    'anthropic' AS provider,
    model,
    {PROCESSING} AS processing,
    TRUE AS aggregated,
    {CONTEXT_TIER} AS context_tier,
    0 AS request,
    CASE WHEN upper(coalesce(currency, 'USD')) = 'USD' THEN {usd_from_cents("coalesce(amount, 'no')")}
         ELSE concat_ws(' ', amount, 'cents of', currency) END AS recorded_usd,
    {key_tags(("workspace_id", "description", "cost_type", "token_type", "inference_geo"))} AS tags
FROM result
"""  # noqa: S608 (constants only)


def recognises_usage(sample: Sample) -> bool:
    """Results with uncached input; a page whose buckets are all empty is read as no usage."""
    return sample.has("data.starting_at", "data.results.uncached_input_tokens") or (
        sample.has("data.starting_at", "data.ending_at") and not sample.has("data.results")
    )


def recognises_costs(sample: Sample) -> bool:
    """Results with an amount."""
    return sample.has("data.starting_at", "data.results.amount", "data.results.currency")


USAGE = Reader(
    name="anthropic-usage",
    origin="provider",
    doc="https://platform.claude.com/docs/en/api/admin-api/usage-cost/get-messages-usage-report",
    columns={"data": pages("starting_at VARCHAR, ending_at VARCHAR", _USAGE)},
    sql=USAGE_SQL,
    recognises=recognises_usage,
    input_includes_cached=False,
    counted=(
        "data.results.uncached_input_tokens",
        "data.results.cache_read_input_tokens",
        "data.results.output_tokens",
        "data.results.cache_creation.ephemeral_5m_input_tokens",
        "data.results.cache_creation.ephemeral_1h_input_tokens",
        "data.results.server_tool_use.web_search_requests",
    ),
    role="bill",
    unique_by="bucket and what it is grouped by",
    sample="made: the vendor's documented example",
    kept_at="GET /v1/organizations/usage_report/messages (an admin key)",
    no_call="no result",
)

COSTS = Reader(
    name="anthropic-costs",
    origin="provider",
    doc="https://platform.claude.com/docs/en/api/admin-api/usage-cost/get-cost-report",
    columns={"data": pages("starting_at VARCHAR, ending_at VARCHAR", texts((*COST_GROUPS, "amount", "currency")))},
    sql=COSTS_SQL,
    recognises=recognises_costs,
    input_includes_cached=False,
    counted=("data.results.amount",),
    role="bill",
    unique_by="bucket and what it is grouped by",
    sample="made: the vendor's documented example",
    undercounts="the costs of the priority tier are not reported here",
    kept_at="GET /v1/organizations/cost_report (an admin key)",
    no_call="no result",
)
