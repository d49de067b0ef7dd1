"""Goose: the totals of each session, from its database (sessions.db), or exported (`goose session export`, `list`).

https://github.com/block/goose (crates/goose/src/session/session_manager.rs): `accumulated_*` are the session's totals,
`input_tokens` and `output_tokens` only the last call's. There is no usage per call and no cache class; input includes
what was cached. Ids are a day and a number, the same on every machine: when a session began is a part of its name. A
total beyond input and output has no class: the tag `without_class` says how much.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..fast_json import parsed
from ..reader import Reader, Sample
from ..unfold import SQLITE, loaded, no_objects, rows
from .nested import priced, text

COLUMNS = {
    "id": "VARCHAR",
    "working_dir": "VARCHAR",
    "created_at": "VARCHAR",
    "updated_at": "VARCHAR",
    "accumulated_total_tokens": "HUGEINT",
    "accumulated_input_tokens": "HUGEINT",
    "accumulated_output_tokens": "HUGEINT",
    "accumulated_cost": "VARCHAR",
    "input_tokens": "HUGEINT",
    "output_tokens": "HUGEINT",
    "total_tokens": "HUGEINT",
    "provider_name": "VARCHAR",
    "model_config_json": "JSON",
}

SQL = f"""
SELECT file_id, line,
    -- the database and an export write the same time in two ways
    'goose:' || nullif(id, '') || coalesce(':' || coalesce(utc(created_at)::VARCHAR, nullif(created_at, '')), '')
        AS event_id,
    coalesce(utc(updated_at), utc(created_at)) AS ts,
    id AS session,
    provider_name AS provider,
    {text("model_config_json", "model_name")} AS model,
    TRUE AS aggregated,
    0 AS request,
    accumulated_input_tokens AS input,
    accumulated_output_tokens AS output,
    nullif(accumulated_total_tokens, 0) AS stated_total,
    {priced("accumulated_cost")} AS recorded_usd,
    json_object('cwd', working_dir, 'without_class',
        nullif(greatest(accumulated_total_tokens - coalesce(accumulated_input_tokens, 0)
            - coalesce(accumulated_output_tokens, 0), 0), 0)::VARCHAR) AS tags,
    CASE WHEN coalesce(accumulated_input_tokens, accumulated_output_tokens, accumulated_total_tokens) IS NULL
        THEN 'a session without its accumulated tokens: only its last call is stated' END AS fault
FROM record
WHERE coalesce(accumulated_input_tokens, accumulated_output_tokens, accumulated_total_tokens) IS NOT NULL
    OR coalesce(input_tokens, output_tokens, total_tokens) > 0
"""  # noqa: S608 (constants only)


def unfold(content: Path, _file: Path) -> Iterator[dict[str, Any] | str]:
    """The sessions; in the database, the model's settings are JSON within text."""
    with content.open("rb") as stream:
        database = stream.read(len(SQLITE)) == SQLITE
    if not database:
        found = parsed(content.read_bytes())
        for session in found if isinstance(found, list) else [found]:
            yield from _exported(session)
        return
    for row in rows(content, "SELECT * FROM sessions"):
        settings = row.get("model_config_json")
        yield {**row, "model_config_json": loaded(settings) if isinstance(settings, str) else None}


def _exported(session: Any) -> Iterator[dict[str, Any] | str]:
    """An exported session without what was said in it."""
    if isinstance(session, dict):
        kept = {name: value for name, value in session.items() if name not in ("conversation", "model_config")}
        yield {**kept, "model_config_json": session.get("model_config")}
    yield from no_objects(session)


def recognises(sample: Sample) -> bool:
    """The database's tables, or the fields of an exported session."""
    if sample.layout == "sqlite":
        return sample.has("sessions", "messages", "schema_version") and not sample.has("state_meta")  # Hermes
    return sample.layout in ("json", "ndjson") and sample.has("id", "working_dir", "created_at", "extension_data")


READER = Reader(
    name="goose",
    origin="agent",
    doc="https://block.github.io/goose/docs/guides/sessions/session-management",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=True,
    unfold=unfold,
    counted=("accumulated_input_tokens", "accumulated_output_tokens", "accumulated_cost"),
    left_out={
        "accumulated_total_tokens": "the sum; what it has beyond input and output has no class",
        "total_tokens": "the last call's only",
        "input_tokens": "the last call's only",
        "output_tokens": "the last call's only",
    },
    unique_by="the session's id and when it began",
    kept_at="~/.local/share/goose/sessions/sessions.db; exported: goose session export --format json",
    no_call="no session with tokens",
    sample="made: a row in the real table, and its export",
    undercounts="totals of sessions; tokens that the total has beyond input and output have no class",
)
