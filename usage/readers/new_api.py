"""New API and One API (gateways): the rows of their table `logs`, from the database (one-api.db) or exported.

https://github.com/QuantumNous/new-api (model/log.go, service/log_info_generate.go): rows of type 2 are requests that
were charged. `other` has what else is known: cached tokens and audio within the prompt, but beside it where the usage
is Anthropic's (`claude`). The quota is what the gateway's own user was charged, in its own units and at its own prices.
An export of one's own rows has ids up to 1,023, which come again: the time, the id and the model name a request.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..reader import Reader, Sample
from ..unfold import loaded, rows
from .nested import JsonTexts, parsed, uncached, written_5m

NAMES = ("id", "created_at", "type", "username", "token_name", "model_name", "request_id", "group")
OTHER = JsonTexts(
    "stated",
    ("cache_tokens", "cache_creation_tokens", "cache_creation_tokens_5m", "cache_creation_tokens_1h", "audio_input",
     "audio_output", "web_search_call_count", "claude", "usage_semantic", "upstream_model_name"),
)  # fmt: skip
READ, WRITTEN, SHORT, LONG, AUDIO_IN, AUDIO_OUT, SEARCHES = map(OTHER.count, OTHER.paths[:7])
COLUMNS = {
    **dict.fromkeys(NAMES, "VARCHAR"),
    "prompt_tokens": "HUGEINT",
    "completion_tokens": "HUGEINT",
    "quota": "VARCHAR",
    "other": "JSON",
}

SQL = f"""
WITH entry AS (
    SELECT *, {parsed("other")} AS more FROM record WHERE "type" = '2'
),
counted AS (
    SELECT *, {READ} AS read, {written_5m(WRITTEN, SHORT, LONG)} AS written, {LONG} AS hour,
        {OTHER.text("claude")} = 'true' OR {OTHER.text("usage_semantic")} = 'anthropic' AS beside
    FROM (SELECT *, {OTHER.listed("more")} FROM entry)
)
SELECT file_id, line,
    concat_ws(':', 'new-api', created_at, id, model_name) AS event_id,
    utc_epoch(created_at) AS ts,
    nullif(request_id, '') AS request_id,
    nullif(username, '') AS "user",
    coalesce({OTHER.text("upstream_model_name")}, model_name) AS model,
    CASE WHEN beside THEN prompt_tokens
        ELSE {uncached("prompt_tokens", "completion_tokens", "0", "read", "written", "hour")} END AS input,
    read AS cache_read,
    written AS cache_write_5m,
    hour AS cache_write_1h,
    completion_tokens AS output,
    {AUDIO_IN} AS audio_in,
    {AUDIO_OUT} AS audio_out,
    {SEARCHES} AS web_search,
    json_object('token', token_name, 'group', "group", 'model', model_name) AS tags
FROM counted
"""  # noqa: S608 (constants only)


def unfold(content: Path, _file: Path) -> Iterator[dict[str, Any]]:
    """The rows of the table that were charged."""
    for row in rows(content, "SELECT * FROM logs WHERE type = 2"):
        other = row.get("other")
        row.pop("content", None)
        yield {**row, "other": loaded(other) if isinstance(other, str) and other else None}


def _database(sample: Sample) -> bool:
    return sample.layout == "sqlite" and sample.has("logs", "channels", "abilities", "tokens", "options")


def _rows(sample: Sample) -> bool:
    own = ("created_at", "type", "model_name", "quota", "prompt_tokens", "completion_tokens", "token_name")
    return sample.layout != "sqlite" and sample.has(*own)


READER = Reader(
    name="new-api",
    origin="gateway",
    doc="https://docs.newapi.pro/",
    columns=COLUMNS,
    sql=SQL,
    recognises=_database,
    input_includes_cached=None,
    unfold=unfold,
    counted=("prompt_tokens", "completion_tokens", *(f"other.{name}" for name in OTHER.paths[:7])),
    texts=("other",),
    left_out={
        "quota": "what the gateway's own user was charged, in its own units",
        "other.text_input": "the rest of the prompt",
        "other.text_output": "the rest of the output",
        "other.image_output": "counted within the prompt, as text",
        "other.audio_input_token_count": "counted within the prompt, as text",
        "other.file_search_call_count": "calls of file search, which have no class",
        "other.admin_info": "how the request was routed",
        **{f"other.subscription_{name}": "of a subscription, in the gateway's own units" for name in (
            "total", "used", "remain", "consumed", "pre_consumed", "post_delta")},
    },
    unique_by="the time, the id and the model",
    kept_at="one-api.db of the gateway, its table logs",
    no_call="no request that was charged",
    sample="made: the table as its code makes it",
)  # fmt: skip
EXPORT = replace(
    READER,
    name="new-api-logs",
    recognises=_rows,
    unfold=None,
    kept_at="the gateway's table logs, exported as CSV, JSON or JSON lines",
    sample="made: rows in the shape of the table",
)
