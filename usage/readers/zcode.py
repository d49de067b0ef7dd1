"""ZCode (Z.ai's coding agent): each request of its database (~/.zcode/cli/db/db.sqlite, table model_usage).

https://zcode.z.ai: its source is not public. The table is as several tools read it, and one that measured its rows:
input includes what was read from the cache and written to it, output includes reasoning (the provider's total is the
sum of the two), every attempt is a row of its own, and one that failed or was cancelled was billed where it has tokens.
There is no cost. Its log files state no tokens.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..reader import Reader, Sample
from ..tags import project_of
from ..unfold import plain_rows, rows
from .nested import uncached

TOKENS = ("input_tokens", "output_tokens", "reasoning_tokens", "cache_read_input_tokens", "cache_creation_input_tokens",
          "provider_total_tokens")  # fmt: skip
INPUT, OUTPUT, REASONING, READ, WRITTEN, TOTAL = (f"coalesce({name}, 0)" for name in TOKENS)
TEXTS = ("id", "session_id", "started_at", "completed_at", "model_id", "provider_id", "status", "agent", "query_source",
         "directory")  # fmt: skip
COLUMNS = {
    **dict.fromkeys(TEXTS, "VARCHAR"),
    **dict.fromkeys((*TOKENS, "computed_total_tokens"), "HUGEINT"),
}

SQL = f"""
SELECT file_id, line,
    'zcode:' || nullif(id, '') AS event_id,
    coalesce(utc_epoch(completed_at), utc_epoch(started_at)) AS ts,
    nullif(agent, '') AS agent,
    nullif(query_source, '') AS task,
    session_id AS session,
    nullif(model_id, '') AS model,
    CASE coalesce(nullif(status, ''), 'completed') WHEN 'completed' THEN 'ok' ELSE status END AS status,
    {uncached(INPUT, OUTPUT, TOTAL, READ, WRITTEN)} AS input,
    {READ} AS cache_read,
    {WRITTEN} AS cache_write_5m,
    CASE WHEN least({OUTPUT}, {REASONING}) < 0 THEN -1
        WHEN {REASONING} > 0 AND {TOTAL} = {INPUT} + {OUTPUT} + {REASONING} THEN {OUTPUT} + {REASONING}
        ELSE {OUTPUT} END AS output,
    coalesce(nullif(provider_total_tokens, 0), nullif(computed_total_tokens, 0)) AS stated_total,
    {project_of("directory")} AS project,
    json_object('cwd', directory, 'provider', provider_id) AS tags
FROM record
WHERE {INPUT} <> 0 OR {OUTPUT} <> 0 OR {READ} <> 0 OR {WRITTEN} <> 0
"""  # noqa: S608 (constants only)


def unfold(content: Path, _file: Path) -> Iterator[dict[str, Any]]:
    """The requests, with the folder of their session."""
    folders: dict[Any, Any] = {}
    with suppress(sqlite3.OperationalError):  # an older table without it
        folders.update(plain_rows(content, "SELECT id, directory FROM session"))
    for row in rows(content, "SELECT * FROM model_usage"):
        yield {**row, "directory": folders.get(row.get("session_id"))}


def recognises(sample: Sample) -> bool:
    """The database's tables; it has OpenCode's beside its own."""
    return sample.layout == "sqlite" and sample.has("model_usage", "session")


READER = Reader(
    name="zcode",
    origin="agent",
    doc="https://zcode.z.ai/",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=True,
    unfold=unfold,
    counted=tuple(name for name in TOKENS if name not in ("reasoning_tokens", "provider_total_tokens")),
    left_out={
        "reasoning_tokens": "part of the output; beside it where the provider's total says so",
        "provider_total_tokens": "the sum",
        "computed_total_tokens": "the sum",
        "provider_metadata_json": "the same counts as the provider stated them",
    },
    own=("directory",),
    unique_by="the request's id",
    kept_at="~/.zcode/cli/db/db.sqlite (ZCODE_SESSION_DB_PATH, ZCODE_SESSION_DB)",
    no_call="no request with tokens",
    sample="made: the table as tools that read it know it",
)
