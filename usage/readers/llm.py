"""LLM (Simon Willison's command line and library): its calls, from its database (logs.db).

https://llm.datasette.io/en/stable/logging.html: a row of `turns`, or (older versions) of `responses`, is one call; a
row that is in both has one id. `input_tokens` and `output_tokens` are the provider's figures, `token_details` what else
its usage has, without what is 0: OpenAI's and Gemini's cached tokens within the input, Anthropic's beside it. An older
plugin for Gemini has thoughts beside the output, and then no `candidatesTokenCount`. OpenRouter states the cost.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..processing import processing
from ..reader import Reader, Sample
from ..unfold import loaded, rows, tables
from .nested import JsonTexts, less

COLUMNS = {
    **dict.fromkeys(("id", "thread", "model", "resolved_model", "datetime_utc"), "VARCHAR"),
    "input_tokens": "HUGEINT",
    "output_tokens": "HUGEINT",
    "token_details": "JSON",
}
WITHIN = ("prompt_tokens_details.cached_tokens", "input_tokens_details.cached_tokens", "cachedContentTokenCount")
BESIDE = ("cache_read_input_tokens", "cache_creation_input_tokens", "cache_creation.ephemeral_1h_input_tokens")
THOUGHTS, CANDIDATES = "thoughtsTokenCount", "candidatesTokenCount"
SEARCHES = "server_tool_use.web_search_requests"
DETAILS = JsonTexts("stated", (*WITHIN, *BESIDE, THOUGHTS, CANDIDATES, SEARCHES, "cost", "service_tier"))
READ, WRITTEN, HOUR = map(DETAILS.count, BESIDE)

SQL = f"""
WITH call AS (
    SELECT *, {DETAILS.listed("token_details")} FROM record
),
counted AS (
    SELECT *, {" + ".join(map(DETAILS.count, WITHIN))} AS within,
        {READ} AS read, {WRITTEN} AS written, {HOUR} AS hour,
        CASE WHEN {DETAILS.text(CANDIDATES)} IS NULL THEN {DETAILS.count(THOUGHTS)} ELSE 0 END AS thoughts
    FROM call
)
SELECT file_id, line,
    'llm:' || nullif(id, '') AS event_id,
    utc(datetime_utc) AS ts,
    thread AS session,
    coalesce(nullif(resolved_model, ''), model) AS model,
    {processing(DETAILS.text("service_tier"))} AS processing,
    CASE WHEN within > input_tokens THEN input_tokens ELSE {less("input_tokens", "within")} END AS input,
    within + read AS cache_read,
    {less("written", "hour")} AS cache_write_5m,
    hour AS cache_write_1h,
    CASE WHEN least(output_tokens, thoughts) < 0 THEN -1 ELSE output_tokens + thoughts END AS output,
    {DETAILS.count(SEARCHES)} AS web_search,
    {DETAILS.text("cost")} AS recorded_usd,
    json_object('model', model) AS tags
FROM counted
WHERE input_tokens IS NOT NULL OR output_tokens IS NOT NULL
"""  # noqa: S608 (constants only)

KEPT = ("id", "model", "resolved_model", "input_tokens", "output_tokens", "token_details", "datetime_utc")


def unfold(content: Path, _file: Path) -> Iterator[dict[str, Any]]:
    """The calls of both tables, without what was said."""
    for table, thread in (("turns", "thread_id"), ("responses", "conversation_id")):
        for row in rows(content, f"SELECT * FROM {table}") if table in tables(content) else ():  # noqa: S608
            kept = {name: row.get(name) for name in KEPT}
            details = kept["token_details"]
            yield {**kept, "token_details": loaded(details) if isinstance(details, str) else details,
                   "thread": row.get(thread)}  # fmt: skip


def recognises(sample: Sample) -> bool:
    """The database's tables, and that of the library that changes them."""
    return sample.layout == "sqlite" and sample.has("responses", "conversations", "_llm_migrations")


READER = Reader(
    name="llm",
    origin="agent",
    doc="https://llm.datasette.io/en/stable/logging.html",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=None,
    unfold=unfold,
    counted=(
        "input_tokens",
        "output_tokens",
        *(f"token_details.{name}" for name in (*WITHIN, *BESIDE, THOUGHTS, SEARCHES, "cost")),
    ),
    left_out={
        f"token_details.{name}": why
        for name, why in {
            CANDIDATES: "part of the output",
            "completion_tokens_details": "parts of the output",
            "output_tokens_details": "parts of the output",
            "cache_creation.ephemeral_5m_input_tokens": "the rest of the writes",
            "server_tool_use.web_fetch_requests": "fetching a page costs only its tokens",
            "promptTokensDetails": "parts of the input",
            "candidatesTokensDetails": "parts of the output",
            "cacheTokensDetails": "parts of the cached tokens",
            "cost_details": "parts of the cost",
        }.items()
    },
    own=("thread",),
    unique_by="the call's id",
    kept_at="~/.config/io.datasette.llm/logs.db (LLM_USER_PATH); llm logs path names it",
    undercounts="calls with --no-log, and of models whose plugins state no usage",
    no_call="no call that states usage",
    sample="made: the tables as its migrations make them",
)
