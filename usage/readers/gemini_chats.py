"""Gemini CLI chats: JSON lines that are appended to, and the older session files, one JSON document each.

https://github.com/google-gemini/gemini-cli (packages/core/src/services/chatRecordingService.ts): a message stands again
under its id when its tool calls are known; the last one counts. `tokens.input` includes `cached`, `output` excludes
`thoughts`; `tool` are tokens of tool results in the prompt, beside `input`; `total` is the sum.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..reader import Reader, Sample

COLUMNS = {
    "id": "VARCHAR",
    "timestamp": "VARCHAR",
    "type": "VARCHAR",
    "model": "VARCHAR",
    "sessionId": "VARCHAR",
    "projectHash": "VARCHAR",
    "tokens": """STRUCT(input HUGEINT, "output" HUGEINT, cached HUGEINT, thoughts HUGEINT, "tool" HUGEINT,
        total HUGEINT)""",
}

SQL = """
WITH entry AS (
    SELECT *,
        last_value(sessionId IGNORE NULLS) OVER told AS session_id,
        last_value(projectHash IGNORE NULLS) OVER told AS project
    FROM record
    WINDOW told AS (PARTITION BY file_id ORDER BY line)
)
SELECT file_id, line,
    'gemini-cli:' || nullif(id, '') AS event_id,
    utc("timestamp") AS ts,
    session_id AS session,
    'google' AS provider,
    model,
    tokens.input - coalesce(tokens.cached, 0) + coalesce(tokens."tool", 0) AS input,
    tokens.cached AS cache_read,
    coalesce(tokens."output", 0) + coalesce(tokens.thoughts, 0) AS output,
    json_object('project', project) AS tags
FROM entry
WHERE "type" = 'gemini' AND tokens IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY file_id, coalesce(id, line::VARCHAR) ORDER BY line DESC) = 1
"""


def unfold(content: Path, _file: Path) -> Iterator[dict[str, Any]]:
    """The head and its messages; a line of JSON lines is a record already."""
    text = content.read_text("utf-8-sig", "replace")
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if isinstance(found, dict):
        messages = found.pop("messages", [])
        yield {**found, "type": "head"}
        yield from (item for item in messages if isinstance(item, dict))
        return
    for line in text.splitlines():
        if line.strip():
            yield json.loads(line)


def recognises(sample: Sample) -> bool:
    """A head with the project's hash, or messages of the model with their tokens."""
    return sample.has("sessionId", "projectHash", "startTime") or (
        sample.has("tokens.cached", "tokens.total", "type") and "gemini" in sample.values("type")
    )


READER = Reader(
    name="gemini-cli",
    doc="https://github.com/google-gemini/gemini-cli",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=True,
    ordered=True,
    unfold=unfold,
    counted=tuple(f"tokens.{name}" for name in ("input", "output", "cached", "thoughts", "tool")),
    left_out={"tokens.total": "the sum"},
    unique_by="the message's id; the last of them counts",
    kept_at="~/.gemini/tmp/PROJECT/chats",
    no_call="a session with no message of the model",
    sample="real: 2026-04",
)
