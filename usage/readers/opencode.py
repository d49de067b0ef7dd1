"""OpenCode: its database (opencode.db), its older files, one message each (storage/message/*/*.json), and its export.

https://github.com/anomalyco/opencode (packages/opencode/src/session/message-v2.ts): assistant messages count; parts,
events and the session's totals repeat the same usage, but where a message had several steps (opencode_steps.py). Where
a session has no message with usage in `message`, those of the newer `session_message` count, and where it has none
there, its totals. `tokens.input` excludes cache, `tokens.output` reasoning, unless `total` says that reasoning is
within. A message has one id in both places, which rises with time; a fork of its session copies completed ones under
later ids: of messages with the same times and figures, the first id names the call. Cost 0 means that no price is
known.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..fast_json import parsed
from ..processing import processing
from ..reader import Reader, Sample
from ..tags import project_of
from ..unfold import SQLITE, loaded, no_objects, plain_rows, rows, tables
from .nested import JsonTexts, priced, text
from .opencode_steps import calls_of, finished, steps_beside, stored_steps

MESSAGES = "SELECT id, session_id, time_created, data FROM message"
NEWER = "SELECT id, session_id, time_created, data FROM session_message WHERE type = 'assistant'"
SESSIONS = "SELECT * FROM session"
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
    "aggregated": "BOOLEAN",
    "step": "BIGINT",
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
        PARTITION BY created, completed, step, modelID, inputs, cached, written, outputs, reasoning, cost) END
    FROM entry SEMI JOIN shared USING (created)
)
SELECT file_id, line,
    'opencode:' || name AS event_id,
    utc_epoch(created) AS ts,
    agent,
    sessionID AS session,
    coalesce(aggregated, FALSE) AS aggregated,
    CASE WHEN aggregated THEN 0 ELSE 1 END AS request,
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

REPLACED = (
    # a session's totals count only where its messages state nothing
    "now.session = before.session AND now.aggregated <> before.aggregated",
    # a copy takes the name of its original only while that is there
    "now.ts = before.ts AND now.model = before.model AND now.input = before.input AND now.output = before.output"
    " AND now.cache_read = before.cache_read AND now.cache_write_5m = before.cache_write_5m",
)


def unfold(content: Path, file: Path) -> Iterator[dict[str, Any] | str]:
    """The messages: of the database, of an export, or the one that the file is."""
    with content.open("rb") as stream:
        database = stream.read(len(SQLITE)) == SQLITE
    if database:
        yield from _stored(content)
        return
    found = parsed(content.read_bytes())
    exported = found.get("messages") if isinstance(found, dict) else None
    for item in exported if isinstance(exported, list) else found if isinstance(found, list) else [found]:
        inside = isinstance(item, dict) and "info" in item
        message, steps = (item["info"], finished(item.get("parts"))) if inside else (item, steps_beside(file))
        yield from _calls(message, steps)


def _stored(content: Path) -> Iterator[dict[str, Any] | str]:
    """The messages of a database, and of each session without any what else states its usage."""
    used: set[str] = set()
    found = tables(content)
    if "message" in found:
        yield from _messages(content, MESSAGES, used)
    older = frozenset(used)
    if "session_message" in found:
        yield from _messages(content, NEWER, used, older)
    yield from (_totals(row) for row in rows(content, SESSIONS) if row.get("tokens_input") and row["id"] not in used)


def _messages(
    content: Path, select: str, used: set[str], known: frozenset[str] = frozenset()
) -> Iterator[dict[str, Any] | str]:
    """The messages of a table but those of known sessions; sessions with usage are added to `used`."""
    steps = stored_steps(content) if select == MESSAGES else {}
    for name, session, created, data in plain_rows(content, select):
        message = loaded(str(data))
        if session in known:
            continue
        if isinstance(message, str):
            yield message
            continue
        if select == NEWER:
            message["role"] = "assistant"
        message["id"], message["sessionID"] = name, session
        if not message.get("time"):
            message["time"] = {"created": created}
        tokens = message.get("tokens")
        if isinstance(tokens, dict) and (tokens.get("input") or tokens.get("output")):
            used.add(session)
        yield from _calls(message, steps.get(name, []))


def _totals(row: dict[str, Any]) -> dict[str, Any]:
    """A session's totals, as a message."""
    counts = {name: row.get(f"tokens_{name}") for name in ("input", "output", "reasoning")}
    cache = {name: row.get(f"tokens_cache_{name}") for name in ("read", "write")}
    return {
        "id": f"session:{row['id']}",
        "sessionID": row["id"],
        "role": "assistant",
        "aggregated": True,
        "time": {"created": row.get("time_updated")},
        "model": loaded(str(row.get("model"))),
        "cost": row.get("cost"),
        "tokens": {**counts, "cache": cache},
        "place": {"cwd": row.get("directory")},
    }


def _calls(message: Any, steps: list[dict[str, Any]]) -> Iterator[dict[str, Any] | str]:
    """A message's calls, with what is wrong in them."""
    for call in calls_of(message, steps) if isinstance(message, dict) else [message]:
        yield from _with_faults(call)


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
        own = sample.has("message", "part", "session") or sample.has("session_message", "session")
        return own and not sample.has("model_usage")  # ZCode
    return sample.has("messages.info.modelID", "messages.info.tokens") or sample.has(
        "sessionID", "role", "modelID", "providerID", "tokens"
    )


READER = Reader(
    name="opencode",
    origin="agent",
    doc="https://opencode.ai/docs/",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=False,
    unfold=unfold,
    replaced=REPLACED,
    own=("aggregated", "step"),
    counted=(
        "cost",
        *(f"tokens.{name}" for name in ("input", "output", "reasoning", "total", "cache.read", "cache.write")),
    ),
    unique_by="the message's id; copies in a fork have the first one's",
    kept_at="~/.local/share/opencode/opencode.db or storage/message; exported: opencode export",
    no_call="no assistant message with tokens",
    sample="real: v1.16.0",
)
