"""API Management's log of language models: rows of the table `ApiManagementGatewayLlmLog`, or records of its category.

https://learn.microsoft.com/azure/api-management/api-management-howto-llm-logs and
https://learn.microsoft.com/azure/azure-monitor/reference/tables/apimanagementgatewayllmlog: the entry with the counts
has `SequenceNumber` 0, those of messages none. Cached tokens, where they are stated, are within the prompt of OpenAI's
models and beside that of Claude's; cache writes are not stated. `RequestId` is the reply's id, by which the gateway's
own log (`azure`) has the same call. A portal's CSV has its times in the American manner; local ones are refused.
"""

from __future__ import annotations

from ..reader import Reader, Sample, identifier
from .azure import TIMES, at, lower_first
from .nested import count, has, parsed, text

NAMES = ("CorrelationId", "RequestId", "SequenceNumber", "DeploymentName", "ModelName", "PromptTokens",
    "PromptCachedTokens", "CompletionTokens", "TotalTokens", "Region", "ApiId", "OperationId", "IsStreamCompletion",
    "_ResourceId")  # fmt: skip


def _either(name: str) -> tuple[str, ...]:
    """A name of the table's, and the record's."""
    return name, lower_first(name)


ROW = ", ".join(f"'{name}', {identifier(name)}" for name in NAMES)
READS = count("said", *_either("PromptCachedTokens"))

SQL = f"""
WITH entry AS (
    SELECT file_id, line, category, location,
        coalesce("time", {", ".join(map(identifier, TIMES))}) AS stated,
        CASE WHEN properties IS NULL THEN json_object({ROW}) ELSE {parsed("properties")} END AS said
    FROM record WHERE coalesce(category, 'GatewayLlmLogs') = 'GatewayLlmLogs'
),
counted AS (
    SELECT *,
        {count("said", *_either("PromptTokens"))} AS prompt, {READS} AS reads,
        {count("said", *_either("CompletionTokens"))} AS outputs, {count("said", *_either("TotalTokens"))} AS total,
        {text("said", *_either("ModelName"))} AS named, {text("said", *_either("DeploymentName"))} AS deployed,
        reads > prompt OR contains(lower(concat_ws(' ', named, deployed)), 'claude')
            OR (reads > 0 AND total = prompt + outputs + reads) AS beside
    FROM entry
    WHERE {has("said", *_either("PromptTokens"), *_either("CompletionTokens"), *_either("TotalTokens"))}
)
SELECT file_id, line,
    'azure-llm:' || coalesce({text("said", *_either("RequestId"))}, {text("said", *_either("CorrelationId"))})
        AS event_id,
    {text("said", *_either("RequestId"))} AS response_id,
    {at("stated")} AS ts,
    'azure' AS provider,
    coalesce(named, deployed) AS model,
    CASE WHEN least(prompt, reads) < 0 THEN -1 WHEN beside THEN prompt ELSE prompt - reads END AS input,
    reads AS cache_read,
    outputs AS output,
    nullif(total, 0) AS stated_total,
    json_object('deployment', deployed, 'region', coalesce({text("said", *_either("Region"))}, location),
        'api', {text("said", *_either("ApiId"))}) AS tags
FROM counted
WHERE prompt <> 0 OR outputs <> 0 OR reads <> 0 OR total <> 0  -- of a probe, or of the parts of a message
"""  # noqa: S608 (constants only)


def recognises(sample: Sample) -> bool:
    """Rows of the table, or records of the category."""
    if sample.has("CorrelationId", "PromptTokens", "CompletionTokens", "ModelName"):
        return True
    return any("GatewayLlmLogs" in sample.values(path) for path in ("category", "records.category"))


_TOKENS = ("PromptTokens", "PromptCachedTokens", "CompletionTokens")

READER = Reader(
    name="azure-llm",
    origin="gateway",
    doc="https://learn.microsoft.com/azure/azure-monitor/reference/tables/apimanagementgatewayllmlog",
    columns={
        **dict.fromkeys((*NAMES, *TIMES, "time", "category", "location"), "VARCHAR"),
        "properties": "JSON",
    },
    sql=SQL,
    recognises=recognises,
    input_includes_cached=None,
    pages=("records",),
    counted=(*_TOKENS, *(f"properties.{name}" for kind in _TOKENS for name in _either(kind))),
    texts=("properties",),
    left_out=dict.fromkeys(
        ("TotalTokens", *(f"properties.{name}" for name in _either("TotalTokens"))), "the sum of the others"
    ),
    unique_by="the request's id, else the correlation id",
    kept_at="the table ApiManagementGatewayLlmLog of a Log Analytics workspace, exported; or its category in storage",
    undercounts="cache writes, which the gateway does not state",
    no_call="no entry with tokens",
    sample="made: in the shape of the table",
)
