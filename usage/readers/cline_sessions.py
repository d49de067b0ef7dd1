"""Cline's CLI, desktop app and SDK: NAME.messages.json of a session, its subagents and its team, one document each.

https://github.com/cline/cline (sdk/packages/core/docs/messages-contract-v1.md): `metrics` stands on the assistant
message that ends a call, with that call's usage; `inputTokens` includes cache reads and writes. A message has one id,
in copies of a session too. Cost is USD; 0 means that no price is known. What was copied from an older task has sums
without a time, which are rejected.
"""

from __future__ import annotations

from ..reader import Reader, Sample
from .cline_task import PROVIDERS
from .nested import priced

COUNTS = ("inputTokens", "outputTokens", "cacheReadTokens", "cacheWriteTokens")
_MESSAGE = f"""STRUCT(id VARCHAR, "role" VARCHAR, ts VARCHAR, modelInfo STRUCT(id VARCHAR, provider VARCHAR),
    metrics STRUCT({", ".join(f"{name} HUGEINT" for name in COUNTS)}, cost VARCHAR))"""
_PROVIDERS = " ".join(f"WHEN '{name}' THEN '{meant}'" for name, meant in PROVIDERS.items())

SQL = f"""
WITH entry AS (
    SELECT file_id, line, "sessionId" AS session, agent, unnest(messages) AS message FROM record
)
SELECT file_id, line,
    'cline-session:' || session || ':' || nullif(message.id, '') AS event_id,
    coalesce(utc_epoch(message.ts), utc(message.ts)) AS ts,
    session,
    agent,
    CASE message.modelInfo.provider {_PROVIDERS} ELSE message.modelInfo.provider END AS provider,
    message.modelInfo.id AS model,
    message.metrics.inputTokens - coalesce(message.metrics.cacheReadTokens, 0)
        - coalesce(message.metrics.cacheWriteTokens, 0) AS input,
    message.metrics.cacheReadTokens AS cache_read,
    message.metrics.cacheWriteTokens AS cache_write_5m,
    message.metrics.outputTokens AS output,
    {priced("message.metrics.cost")} AS recorded_usd
FROM entry WHERE message.role = 'assistant' AND message.metrics IS NOT NULL
"""  # noqa: S608 (constants only)


def recognises(sample: Sample) -> bool:
    """A document of the contract's own fields."""
    return sample.layout in ("json", "ndjson") and sample.has("version", "sessionId", "agent", "messages.role")


READER = Reader(
    name="cline-session",
    origin="agent",
    doc="https://github.com/cline/cline/blob/main/sdk/packages/core/docs/messages-contract-v1.md",
    columns={"version": "VARCHAR", "sessionId": "VARCHAR", "agent": "VARCHAR", "messages": f"{_MESSAGE}[]"},
    sql=SQL,
    recognises=recognises,
    input_includes_cached=True,
    counted=tuple(f"messages.metrics.{name}" for name in (*COUNTS, "cost")),
    unique_by="session and message id",
    sample="made: in the contract's shape",
    kept_at="~/.cline/data/sessions/*/*.messages.json (CLINE_DIR, CLINE_DATA_DIR)",
    no_call="a session with no answer",
)
