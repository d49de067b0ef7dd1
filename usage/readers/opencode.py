"""OpenCode: its database (opencode.db) and its older files, one message each (storage/message/*/*.json).

https://github.com/anomalyco/opencode (packages/opencode/src/session/message-v2.ts): assistant messages count; parts,
events and the session's totals repeat the same usage. `tokens.input` excludes cache, `tokens.output` reasoning,
unless `total` says that reasoning is within. A message has one id in both places, which rises with time; a fork of its
session copies completed ones under later ids: of messages with the same times and figures, the first id names the
call. Cost 0 means that no price is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..fast_json import parsed
from ..processing import processing
from ..reader import Reader, Sample
from ..tags import project_of
from ..unfold import SQLITE, loaded, no_objects, plain_rows
from .nested import JsonTexts, priced, text

MESSAGES = "SELECT id, session_id, time_created, data FROM message"
COLUMNS = {
    "id": "VARCHAR",
    "sessionID": "VARCHAR",
    "role": "VARCHAR",
    "time": "JSON",
    "modelID": "VARCHAR",
    "providerID": "VARCHAR",
    "model": "JSON",
    "agent": "VARCHAR",
    "cost": "VARCHAR",
    "tokens": "JSON",
    "place": "JSON",
    "error": "JSON",
    **dict.fromkeys(("serviceTier", "service_tier", "speed"), "VARCHAR"),
}

TOKENS = JsonTexts("token", ("input", "output", "reasoning", "cache.read", "cache.write", "total"))
TIMES = JsonTexts("times", ("created", "completed"))

SQL = f"""
WITH entry AS MATERIALIZED (
    SELECT * EXCLUDE (token, times), {TOKENS.count("input")} AS inputs, {TOKENS.count("output")} AS outputs,
        {TOKENS.count("reasoning")} AS reasoning, {TOKENS.count("cache.read")} AS cached,
        {TOKENS.count("cache.write")} AS written, {TOKENS.count("total")} AS total,
        {TIMES.text("created")} AS created, {TIMES.text("completed")} AS completed
    FROM (SELECT * EXCLUDE (tokens, "time"), {TOKENS.listed("tokens")}, {TIMES.listed('"time"')}
        FROM record WHERE role = 'assistant')
),
-- a fork copies messages under new ids, which are larger; times and figures stay
shared AS (SELECT created FROM entry WHERE completed IS NOT NULL GROUP BY created HAVING count(*) > 1),
named AS (
    SELECT *, nullif(id, '') AS name FROM entry ANTI JOIN shared USING (created)
    UNION ALL
    SELECT *, CASE WHEN completed IS NULL THEN nullif(id, '') ELSE min(nullif(id, '')) OVER (
        PARTITION BY created, completed, modelID, inputs, cached, written, outputs, reasoning, cost) END
    FROM entry SEMI JOIN shared USING (created)
)
SELECT file_id, line,
    'opencode:' || name AS event_id,
    utc_epoch(created) AS ts,
    agent,
    sessionID AS session,
    coalesce(providerID, {text("model", "providerID")}) AS provider,
    coalesce(modelID, {text("model", "modelID", "id")}) AS model,
    CASE WHEN json_type(error) = 'OBJECT' THEN 'error' ELSE 'ok' END AS status,
    {processing("coalesce(serviceTier, service_tier)", "speed")} AS processing,
    inputs AS input,
    cached AS cache_read,
    written AS cache_write_5m,
    CASE WHEN least(outputs, reasoning) < 0 THEN -1
         WHEN reasoning > 0 AND total = inputs + cached + written + outputs THEN outputs
         ELSE outputs + reasoning END AS output,
    nullif(total, 0) AS stated_total,
    {priced("cost")} AS recorded_usd,
    {project_of("cwd")} AS project,
    json_object('cwd', cwd) AS tags
FROM (SELECT *, {text("place", "cwd")} AS cwd FROM named)
"""  # noqa: S608 (constants only)


def unfold(content: Path, _file: Path) -> Iterator[dict[str, Any] | str]:
    """The messages: of the database, or the one that the file is."""
    with content.open("rb") as stream:
        database = stream.read(len(SQLITE)) == SQLITE
    if not database:
        found = parsed(content.read_bytes())
        for item in found if isinstance(found, list) else [found]:
            yield from _with_faults(item)
        return
    for name, session, created, data in plain_rows(content, MESSAGES):
        message = loaded(str(data))
        if isinstance(message, str):
            yield message
        else:
            message["id"], message["sessionID"] = name, session
            if not message.get("time"):
                message["time"] = {"created": created}
            yield from _with_faults(message)


def _with_faults(message: Any) -> Iterator[dict[str, Any] | str]:
    """A message, and what stands where the objects with its counts are expected and is none."""
    yield _renamed(message)
    tokens = message.get("tokens")
    yield from no_objects(tokens, tokens.get("cache") if isinstance(tokens, dict) else None)


def _renamed(message: Any) -> dict[str, Any]:
    """`path` is also the name of the file's path."""
    if not isinstance(message, dict):
        raise ValueError
    if "path" in message:
        message["place"] = message.pop("path")
    return message


def recognises(sample: Sample) -> bool:
    """The database's tables, or a message's own fields."""
    if sample.layout == "sqlite":
        return sample.has("message", "part", "session")
    return sample.has("sessionID", "role", "modelID", "providerID", "tokens")


READER = Reader(
    name="opencode",
    origin="agent",
    doc="https://opencode.ai/docs/",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=False,
    unfold=unfold,
    counted=(
        "cost",
        *(f"tokens.{name}" for name in ("input", "output", "reasoning", "total", "cache.read", "cache.write")),
    ),
    unique_by="the message's id; copies in a fork have the first one's",
    kept_at="~/.local/share/opencode/opencode.db or storage/message",
    no_call="no assistant message with tokens",
    sample="real: v1.16.0",
)
