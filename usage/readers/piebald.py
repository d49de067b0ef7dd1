"""Piebald: the messages of its database (app.db), each with the usage of its call.

https://piebald.ai: its source is not public; https://github.com/Piebald-AI/splitrail (src/analyzers/piebald.rs), of the
same makers, reads it, and so does this reader. The classes are disjoint and output includes reasoning, but for OpenAI's
models: of these input includes what was cached, where reads and writes can overlap, and reasoning stands beside the
output. Ids are numbers that begin anew on each machine: when a message was made is a part of its name. A service tier
is set in tables of its own.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..processing import processing
from ..reader import Reader, Sample
from ..tags import project_of
from ..unfold import plain_rows, rows

TOKENS = ("input_tokens", "output_tokens", "reasoning_tokens", "cache_read_tokens", "cache_write_tokens")
INPUT, OUTPUT, REASONING, READ, WRITTEN = (f"coalesce({name}, 0)" for name in TOKENS)
OWN = ("chosen", "directory", "service_tier")
COLUMNS = {
    **dict.fromkeys(("id", "parent_chat_id", "model", "created_at", "updated_at", "status", *OWN), "VARCHAR"),
    **dict.fromkeys(TOKENS, "HUGEINT"),
}
OPENAI = "regexp_matches(named, '(?i)(^|/)(gpt-|o[1-9])')"
LEAST = f"least({INPUT}, {READ}, {WRITTEN}, {OUTPUT}, {REASONING})"
CACHED = f"greatest({READ}, {WRITTEN})"
TIERS = ("override_gen_cfg_data_openai_responses", "override_gen_cfg_data_openai_completions")

SQL = f"""
WITH call AS (SELECT *, coalesce(nullif(model, ''), nullif(chosen, '')) AS named FROM record)
SELECT file_id, line,
    concat_ws(':', 'piebald', created_at, id) AS event_id,
    coalesce(utc(updated_at), utc(created_at)) AS ts,
    parent_chat_id AS session,
    named AS model,
    {processing("service_tier", "NULL")} AS processing,
    CASE WHEN {LEAST} < 0 THEN -1 WHEN {OPENAI} AND {CACHED} <= {INPUT} THEN {INPUT} - {CACHED} ELSE {INPUT} END
        AS input,
    {READ} AS cache_read,
    {WRITTEN} AS cache_write_5m,
    CASE WHEN {OPENAI} THEN {OUTPUT} + {REASONING} ELSE {OUTPUT} END AS output,
    {project_of("directory")} AS project,
    json_object('cwd', directory) AS tags
FROM call
WHERE {INPUT} <> 0 OR {OUTPUT} <> 0 OR {READ} <> 0 OR {WRITTEN} <> 0
"""  # noqa: S608 (constants only)


def unfold(content: Path, _file: Path) -> Iterator[dict[str, Any]]:
    """The messages with what their chat and their settings say."""
    folders: dict[Any, Any] = {}
    tiers: dict[Any, Any] = {}
    with suppress(sqlite3.OperationalError):  # tables that a version lacks
        folders.update(plain_rows(content, "SELECT id, directory FROM projects"))
    for table in reversed(TIERS):
        with suppress(sqlite3.OperationalError):
            found = plain_rows(content, f"SELECT gen_cfg_id, service_tier FROM {table}")  # noqa: S608 (a constant)
            tiers.update((key, tier) for key, tier in found if tier)
    chats = {row.get("id"): row for row in rows(content, "SELECT * FROM chats")}
    for row in rows(content, "SELECT * FROM messages"):
        chat = chats.get(row.get("parent_chat_id"), {})
        yield {**row, "chosen": chat.get("model"), "directory": folders.get(chat.get("project_id")),
               "service_tier": tiers.get(row.get("config_id"))}  # fmt: skip


def recognises(sample: Sample) -> bool:
    """The database's tables."""
    return sample.layout == "sqlite" and sample.has("chats", "messages", "message_parts")


READER = Reader(
    name="piebald",
    origin="agent",
    doc="https://piebald.ai/",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=None,
    unfold=unfold,
    counted=TOKENS,
    own=OWN,
    unique_by="when the message was made, and its number",
    kept_at="~/.local/share/piebald/app.db, on a Mac ~/Library/Application Support/piebald/app.db",
    no_call="no message with tokens",
    sample="made: the tables as its makers' own reader knows them",
)
