"""Shelley (exe.dev): the messages of its database (shelley.db), each with the usage of its call.

https://github.com/boldsoftware/shelley (llm/llm.go, db/schema, db/query/messages.sql): `usage_data` of an answer has
disjoint classes, whatever the provider, and the cost that exe.dev's gateway stated; 0 is none. `other_usage_data` lists
calls made for the message beside it: compactions, titles, searches. A fork copies messages with both, under ids of its
own, and names the original: of these one counts. Of Gemini's own API it writes estimates by the length of the texts:
such a call has the gateway's cost and no tokens, and without a cost it is rejected.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..reader import Reader, Sample
from ..tags import project_of
from ..unfold import loaded, no_objects, plain_rows, rows
from .nested import priced

TOKENS = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
INPUT, OUTPUT, READ, WRITTEN = (f"coalesce(usage.{name}, 0)" for name in TOKENS)
OWN = ("key", "conversation", "created", "model", "api", "cwd", "person", "parent")
COLUMNS = {
    **dict.fromkeys(OWN, "VARCHAR"),
    "usage": f"""STRUCT({", ".join(f"{name} HUGEINT" for name in TOKENS)}, cost_usd VARCHAR, model VARCHAR,
        url VARCHAR, start_time VARCHAR, end_time VARCHAR, purpose VARCHAR)""",
}

SQL = f"""
WITH call AS (
    SELECT *, coalesce(nullif(usage.model, ''), nullif(model, '')) AS named,
        named ILIKE '%gemini%' AND NOT regexp_matches(coalesce(usage.url, api, ''), 'chat/completions|responses')
            AS estimated
    FROM record
)
SELECT file_id, line,
    'shelley:' || "key" AS event_id,
    coalesce(utc(usage.end_time), utc(usage.start_time), utc(created)) AS ts,
    conversation AS session,
    CASE WHEN parent <> '' THEN 'subagent' END AS agent,
    usage.purpose AS task,
    named AS model,
    CASE WHEN estimated THEN 0 ELSE {INPUT} END AS input,
    CASE WHEN estimated THEN 0 ELSE {READ} END AS cache_read,
    CASE WHEN estimated THEN 0 ELSE {WRITTEN} END AS cache_write_5m,
    CASE WHEN estimated THEN 0 ELSE {OUTPUT} END AS output,
    {priced("usage.cost_usd", " + ".join((INPUT, OUTPUT, READ, WRITTEN)))} AS recorded_usd,
    {project_of("cwd")} AS project,
    nullif(person, '') AS "user",
    json_object('cwd', cwd, 'url', coalesce(usage.url, api)) AS tags,
    CASE WHEN estimated AND coalesce(TRY_CAST(usage.cost_usd AS DOUBLE), 0) = 0
        THEN 'Shelley''s estimate of a call of Gemini by the length of its texts' END AS fault
FROM call
WHERE {INPUT} <> 0 OR {OUTPUT} <> 0 OR {READ} <> 0 OR {WRITTEN} <> 0 OR TRY_CAST(usage.cost_usd AS DOUBLE) <> 0
"""  # noqa: S608 (constants only)


def unfold(content: Path, _file: Path) -> Iterator[dict[str, Any] | str]:
    """Each call of a message, and those made beside it; a copied message is the one that was copied."""
    talks = {row.get("conversation_id"): row for row in rows(content, "SELECT * FROM conversations")}
    origins: dict[Any, Any] = {}
    with suppress(sqlite3.OperationalError):  # a version without forks
        origins.update(plain_rows(content, "SELECT message_id, forked_from_message_id FROM messages"))
    for row in rows(content, "SELECT * FROM messages"):
        talk = talks.get(row.get("conversation_id"), {})
        head = {"conversation": row.get("conversation_id"), "created": row.get("created_at"), "cwd": talk.get("cwd"),
                "model": row.get("model_name") or talk.get("model"), "api": row.get("llm_api_url"),
                "person": row.get("user_email"), "parent": talk.get("parent_conversation_id")}  # fmt: skip
        key = _original(row["message_id"], origins)
        others = _read(row.get("other_usage_data"))
        for place, usage in enumerate(
            [_read(row.get("usage_data")), *(others if isinstance(others, list) else [others])]
        ):
            yield from no_objects(usage)
            if isinstance(usage, dict):
                yield {**head, "key": f"{key}:{place}" if place else key, "usage": usage}


def _original(id: Any, origins: dict[Any, Any]) -> Any:
    """The message that this one is a copy of, through copies of copies; of these it is then known, too.

    Messages that name one another in a circle are copies of none.
    """
    seen: dict[Any, None] = {}
    while origins.get(id) and id not in seen:
        seen[id] = None
        id = origins[id]
    chain = list(seen)
    circle = chain.index(id) if id in seen else len(chain)
    origins.update(dict.fromkeys(chain[:circle], id))
    origins.update(dict.fromkeys(chain[circle:]))
    return id


def _read(text: Any) -> Any:
    """What the JSON in a column holds; the text where it is none."""
    if not isinstance(text, str) or not text.strip():
        return None
    found = loaded(f'{{"held": {text}}}')
    return found.get("held") if isinstance(found, dict) else text


def recognises(sample: Sample) -> bool:
    """The database's tables."""
    return sample.layout == "sqlite" and sample.has("conversations", "messages", "migrations")


READER = Reader(
    name="shelley",
    origin="agent",
    doc="https://github.com/boldsoftware/shelley",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=False,
    unfold=unfold,
    counted=(*(f"usage.{name}" for name in TOKENS), "usage.cost_usd"),
    own=OWN,
    unique_by="the message's id, a copied one's is its original's, and the place of a call beside it",
    kept_at="~/.config/shelley/shelley.db (SHELLEY_DB)",
    undercounts="Gemini's tokens, which it estimates; messages that were deleted",
    no_call="no message with usage",
    sample="made: the tables as its migrations make them",
)
