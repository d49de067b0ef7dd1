"""Mux (Coder; later Xum): the chats of its workspaces (chat.jsonl, chat-archive.jsonl), and what no message has
(headless-usage.jsonl: titles, statuses, memory).

https://github.com/coder/mux (src/common/types/message.ts, src/common/utils/tokens/displayUsage.ts,
src/node/services/sessionUsageService.ts): `metadata.usage` of an answer sums the calls of its turn, `toolModelUsages`
are calls of its tools, and of models that refused, beside it. Input includes what was read from the cache and written
to it, unless it does not fit (older versions, Anthropic's models); output includes reasoning. A copied workspace has
its messages under their ids. `session-usage.json` sums the same by model. A model is written `provider:model`; what xAI
charged is in ticks, 10^10 to the dollar.
"""

from __future__ import annotations

from ..reader import Reader, Sample
from .nested import JsonTexts, items, uncached

COLUMNS = {
    **dict.fromkeys(("id", "role", "timestamp", "source", "model"), "VARCHAR"),
    **dict.fromkeys(("metadata", "usage", "providerMetadata"), "JSON"),
}
USAGE = ("inputTokens", "outputTokens", "totalTokens", "cachedInputTokens", "reasoningTokens")
WRITTEN, TICKS = "anthropic.cacheCreationInputTokens", "xai.costInUsdTicks"
CALL = JsonTexts("stated", ("model", "timestamp", "toolCallId", "agentId", "costsIncluded",
                            *(f"usage.{name}" for name in USAGE), f"providerMetadata.{WRITTEN}",
                            f"providerMetadata.{TICKS}"))  # fmt: skip
INPUT, OUTPUT, TOTAL, CACHED, REASONING = (f'"{name}"' for name in USAGE)

SQL = f"""
WITH answer AS (
    SELECT file_id, line, nullif(id, '') AS name, metadata, {items("(metadata -> '$.toolModelUsages')")} AS tools
    FROM record WHERE role = 'assistant'
),
said AS (  -- a turn's answer, each call of its tools, and what no message has
    SELECT file_id, line, name, 0 AS place, metadata AS call, NULL AS moment, NULL AS task FROM answer
    UNION ALL
    SELECT file_id, line, name, unnest(range(1, len(tools) + 1)) AS place, unnest(tools) AS call,
        metadata ->> '$.timestamp' AS moment, 'tool' AS task
    FROM answer
    UNION ALL
    SELECT file_id, line, NULL AS name, 0 AS place,
        json_object('model', model, 'usage', usage, 'providerMetadata', providerMetadata) AS call,
        "timestamp" AS moment, source AS task
    FROM record WHERE role IS NULL AND usage IS NOT NULL
),
counted AS (
    SELECT file_id, line, name, place, task, coalesce({CALL.text("timestamp")}, moment) AS moment,
        {CALL.text("model")} AS model, {CALL.text("agentId")} AS agent, {CALL.text("costsIncluded")} AS included,
        {", ".join(f'{CALL.count(f"usage.{name}")} AS "{name}"' for name in USAGE)},
        {CALL.count(f"providerMetadata.{WRITTEN}")} AS written, {CALL.text(f"providerMetadata.{TICKS}")} AS ticks
    FROM (SELECT *, {CALL.listed("call")} FROM said WHERE (call -> '$.usage') IS NOT NULL)
)
SELECT file_id, line,
    'mux:' || name || CASE WHEN place > 0 THEN ':' || place ELSE '' END AS event_id,
    utc_epoch(moment) AS ts,
    agent,
    task,
    nullif(regexp_extract(model, '^([^:/]+):', 1), '') AS provider,
    regexp_replace(model, '^[^:/]+:', '') AS model,
    place = 0 AND name IS NOT NULL AS aggregated,
    CASE WHEN place = 0 AND name IS NOT NULL THEN 0 ELSE 1 END AS request,
    {uncached(INPUT, OUTPUT, TOTAL, CACHED, "written")} AS input,
    {CACHED} AS cache_read,
    written AS cache_write_5m,
    CASE WHEN least({OUTPUT}, {REASONING}) < 0 THEN -1
         WHEN {REASONING} > {OUTPUT} THEN {OUTPUT} + {REASONING} ELSE {OUTPUT} END AS output,
    coalesce((TRY_CAST(ticks AS DECIMAL(27, 0)) * '0.0000000001'::DECIMAL(11, 10))::VARCHAR, ticks) AS recorded_usd,
    json_object('included', included) AS tags
FROM counted
"""  # noqa: S608 (constants only)


def recognises(sample: Sample) -> bool:
    """Messages as its history numbers them, or calls that none of them has."""
    return sample.layout in ("ndjson", "json") and (
        (sample.has("id", "role", "metadata.historySequence") and any("parts" in record for record in sample.records))
        or sample.has("timestamp", "source", "model", "metadataModel", "usage.inputTokens")
    )


_AT = ("metadata", "metadata.toolModelUsages", "")

READER = Reader(
    name="mux",
    origin="agent",
    doc="https://mux.coder.com/",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=True,
    counted=tuple(
        f"{at}.{name}".lstrip(".")
        for at in _AT
        for name in (*(f"usage.{name}" for name in USAGE), f"providerMetadata.{WRITTEN}", f"providerMetadata.{TICKS}")
    ),
    listed=("metadata.toolModelUsages",),
    left_out={
        "metadata.contextUsage": "the turn's last call only",
        "metadata.contextProviderMetadata": "the turn's last call only",
        "metadata.systemMessageTokens": "a part of the input",
        **{
            f"{at}.providerMetadata".lstrip("."): "what providers add, but for cache writes and xAI's cost"
            for at in _AT
        },
    },
    unique_by="the message's id, and the place of a tool's call",
    kept_at="~/.mux/sessions/WORKSPACE, ~/.xum/sessions/WORKSPACE (MUX_ROOT, XUM_ROOT)",
    undercounts="messages that were deleted, and workspaces, whose subagents' sums only session-usage.json keeps",
    no_call="a chat with no answer that states usage",
    sample="made: after the code that writes it",
)
