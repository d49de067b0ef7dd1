"""Portkey's log export: JSON lines or CSV, one request a row.

https://portkey.ai/docs/product/observability/logs-export: `req_units` and `res_units` are tokens of the request and the
reply; the body of the reply, where it is exported, states cached ones too: then its usage counts. The unit of `cost`
is not documented there, so it is kept as a tag and as no amount of USD. A row that Portkey's cache answered asked no
provider.
"""

from __future__ import annotations

from ..media import PARTS
from ..processing import processing
from ..reader import Reader, Sample
from .api_usage import CLASSES, COUNTED, INPUTS, LEFT_OUT, OUTPUTS, counts
from .counts import count_in_text
from .nested import has, parsed, text

TEXTS = (
    "id",
    "trace_id",
    "created_at",
    "time_of_generation",
    "ai_org",
    "ai_provider",
    "ai_model",
    "cost",
    "req_units",
    "res_units",
    "total_units",
    "response_status_code",
    "cache_status",
    "is_success",
    "prompt_slug",
    "config",
    "workspace_slug",
)
COLUMNS = {**dict.fromkeys(TEXTS, "VARCHAR"), **dict.fromkeys(("request", "response", "metadata"), "JSON")}

SQL = f"""
WITH entry AS (
    SELECT * EXCLUDE (response, metadata), {parsed("response")} AS reply, {parsed("metadata")} AS meta,
        coalesce((reply -> '$.usage'), (reply -> '$.body.usage'), '{{}}') AS usage,
        regexp_matches(lower(coalesce(cache_status, '')), '(^|[ _-])hit$') AS hit  -- simple or semantic
    FROM record
),
counted AS (
    SELECT *, {has("usage", *INPUTS)} AS has_input, {has("usage", *OUTPUTS)} AS has_output, {counts("usage")} FROM entry
),
classed AS (
    SELECT *, {CLASSES} FROM counted
)
SELECT file_id, line,
    'portkey:' || coalesce(nullif(id, ''), nullif(trace_id, '')) AS event_id,
    {text("reply", "id", "body.id")} AS response_id,
    coalesce(utc(created_at), utc(time_of_generation)) AS ts,
    nullif(trace_id, '') AS session,
    prompt_slug AS task,
    lower(coalesce(nullif(ai_org, ''), ai_provider)) AS provider,
    coalesce({text("reply", "model", "body.model")}, ai_model) AS model,
    {processing(*(text("reply", n, f"usage.{n}", f"body.{n}") for n in ("service_tier", "speed", "inference_geo")))}
        AS processing,
    CASE WHEN TRY_CAST(response_status_code AS BIGINT) >= 400 OR lower(is_success) IN ('false', '0') THEN 'error'
         ELSE 'ok' END AS status,
    CASE WHEN hit THEN 0 WHEN has_input THEN input ELSE {count_in_text("req_units")} END AS input,
    CASE WHEN hit THEN 0 ELSE cache_read END AS cache_read,
    CASE WHEN hit THEN 0 ELSE cache_write_5m END AS cache_write_5m,
    CASE WHEN hit THEN 0 ELSE cache_write_1h END AS cache_write_1h,
    CASE WHEN hit THEN 0 WHEN has_output THEN output ELSE {count_in_text("res_units")} END AS output,
    CASE WHEN hit THEN 0 ELSE web_search END AS web_search,
    {", ".join(f"CASE WHEN hit OR NOT has_input THEN 0 ELSE {part} END AS {part}" for part in PARTS)},
    CASE WHEN hit THEN 0 ELSE 1 END AS request,
    CASE WHEN hit THEN NULL WHEN has_input THEN nullif(total, 0)
        ELSE nullif({count_in_text("total_units")}, 0) END AS stated_total,
    json_merge_patch(coalesce(CASE WHEN json_type(meta) = 'OBJECT' THEN meta END, '{{}}'::JSON),
        json_object('user', {text("meta", "_user", "user")}, 'metadata', meta, 'workspace', workspace_slug,
        'config', config, 'cost_without_unit', cost, 'cache_hit', CASE WHEN hit THEN 'true' END)) AS tags
FROM classed
"""  # noqa: S608 (constants only)


def recognises(sample: Sample) -> bool:
    """Rows by Portkey's own names for tokens and models."""
    return sample.has("req_units", "res_units", "ai_model")


_USAGES = ("response.usage", "response.body.usage")

READER = Reader(
    name="portkey",
    origin="gateway",
    doc="https://portkey.ai/docs/product/observability/logs-export",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=True,
    counted=("req_units", "res_units", *(f"{usage}.{name}" for usage in _USAGES for name in COUNTED)),
    texts=("response",),
    left_out={
        "cost": "its unit is not documented",
        "total_units": "a sum of what is counted",
        **{f"{usage}.{name}": why for usage in _USAGES for name, why in LEFT_OUT.items()},
    },
    unique_by="the log's id",
    kept_at="Portkey: Logs, Export",
    no_call="no request",
    sample="made: in the shape of an export",
)
