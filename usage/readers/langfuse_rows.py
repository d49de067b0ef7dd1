"""Where Langfuse's observations stand: one a record or a row of a table, or in a list of a trace or of a page."""

from __future__ import annotations

from dataclasses import replace

from ..reader import Reader, Sample

OLDEST = ("inputUsage", "promptTokens", "outputUsage", "completionTokens", "totalUsage", "totalTokens")
PARTS_OF_COST = ("inputCost", "calculatedInputCost", "outputCost", "calculatedOutputCost")

FIELDS = {
    "id": "VARCHAR",
    "type": "VARCHAR",
    "name": "VARCHAR",
    "model": "VARCHAR",
    **dict.fromkeys(("providedModelName", "provided_model_name", "startTime", "start_time"), "VARCHAR"),
    **dict.fromkeys(("traceId", "trace_id", "parentObservationId", "parent_observation_id"), "VARCHAR"),
    **dict.fromkeys(("sessionId", "session_id", "userId", "user_id", "traceName", "trace_name"), "VARCHAR"),
    "level": "VARCHAR",
    "environment": "VARCHAR",
    "usageDetails": "JSON",
    "usage_details": "JSON",
    "usage": "JSON",
    "costDetails": "JSON",
    "cost_details": "JSON",
    "totalCost": "VARCHAR",
    "total_cost": "VARCHAR",
    "calculatedTotalCost": "VARCHAR",
    **dict.fromkeys((*OLDEST, *PARTS_OF_COST, "unit"), "VARCHAR"),
    "modelParameters": "JSON",
    "model_parameters": "JSON",
    "metadata": "JSON",
    "tags": "JSON",
}
_OBSERVATIONS = "STRUCT(" + ", ".join(f'"{name}" {kind}' for name, kind in FIELDS.items()) + ")[]"
COLUMNS = {
    **FIELDS,
    "trace": "STRUCT(id VARCHAR, name VARCHAR, sessionId VARCHAR, userId VARCHAR, tags JSON)",
    "observations": _OBSERVATIONS,
    "data": _OBSERVATIONS,
}

_FIELDS = ", ".join(f'"{name}"' for name in FIELDS)
OWN = f"""
observation AS (
    SELECT file_id, line, NULL AS trace_session, NULL AS trace_user, NULL AS trace_named, NULL AS trace_tags,
        {_FIELDS}
    FROM record
),
"""  # noqa: S608 (constants only)
LISTED = f"""
taken AS MATERIALIZED (
    SELECT * FROM record
),
observation AS (
    SELECT file_id, line, NULL AS trace_session, NULL AS trace_user, NULL AS trace_named, NULL AS trace_tags,
        {_FIELDS}
    FROM taken WHERE observations IS NULL AND data IS NULL
    UNION ALL
    -- a trace with its observations: its own fields stand in `trace`, or beside the list
    SELECT file_id, line, coalesce(trace.sessionId, "sessionId"), coalesce(trace.userId, "userId"),
        coalesce(trace.name, "name"), coalesce(trace.tags, tags), unnest(observations, max_depth := 2)
    FROM taken WHERE observations IS NOT NULL
    UNION ALL
    SELECT file_id, line, NULL, NULL, NULL, NULL, unnest(data, max_depth := 2) FROM taken WHERE data IS NOT NULL
),
"""  # noqa: S608 (constants only)
"""SQL for `observation`, of records that may have a list of them; OWN, of those that have none."""


def narrowed(reader: Reader, sample: Sample) -> Reader:
    """The reader for a table, of which a row is one observation: no list of them has to be looked for in each."""
    lists = COLUMNS.keys() - FIELDS.keys()
    if sample.layout not in ("csv", "parquet") or lists & sample.columns:
        return reader
    return replace(reader, columns=FIELDS, sql=reader.sql.replace(LISTED, OWN))
