"""Gemini CLI chats: JSON lines that are appended to, and the older session files, one JSON document each.

https://github.com/google-gemini/gemini-cli (packages/core/src/services/chatRecordingService.ts): a message stands again
under its id when its tool calls are known, and in the list of a checkpoint (`$set`); the last one counts.
`tokens.input` includes `cached`, unless the total is the sum with them beside; `output` excludes `thoughts`; `tool` are
tokens of tool results in the prompt, beside `input`; `total` is the sum.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..reader import Reader, Sample
from ..unfold import loaded, no_objects

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

# the total proves that the tokens of tool results stand inside the input
TOOL_INSIDE = 'tokens.total = tokens.input + tokens."output" + coalesce(tokens.thoughts, 0)'

# ... or that cached tokens stand beside it: older versions wrote what was not cached
CACHED_BESIDE = """tokens.cached > 0 AND (tokens.cached > tokens.input
    OR tokens.total = tokens.input + tokens.cached + tokens."output" + coalesce(tokens.thoughts, 0)
        + coalesce(tokens."tool", 0))"""

SQL = f"""
WITH entry AS (
    SELECT *,
        last_value(sessionId IGNORE NULLS) OVER so_far AS session_id,
        last_value(projectHash IGNORE NULLS) OVER so_far AS project
    FROM record
    WINDOW so_far AS (PARTITION BY file_id ORDER BY line)
)
SELECT file_id, line,
    'gemini-cli:' || nullif(id, '') AS event_id,
    utc("timestamp") AS ts,
    session_id AS session,
    'google' AS provider,
    model,
    tokens.input - CASE WHEN {CACHED_BESIDE} THEN 0 ELSE coalesce(tokens.cached, 0) END
        + CASE WHEN {TOOL_INSIDE} THEN 0 ELSE coalesce(tokens."tool", 0) END AS input,
    tokens.cached AS cache_read,
    coalesce(tokens."output", 0) + coalesce(tokens.thoughts, 0) AS output,
    nullif(tokens.total, 0) AS stated_total,
    json_object('project', project) AS tags
FROM entry
WHERE "type" = 'gemini'
QUALIFY row_number() OVER (PARTITION BY file_id, coalesce(id, line::VARCHAR)
    ORDER BY tokens IS NOT NULL DESC, line DESC) = 1
"""  # noqa: S608 (constants only)


def unfold(content: Path, _file: Path) -> Iterator[dict[str, Any] | str]:
    """The head and its messages; a line of JSON lines is a record already."""
    session = _document(content)
    if session is None:
        with content.open(encoding="utf-8-sig", errors="replace", newline="\n") as lines:
            for line in lines:
                yield line.rstrip("\r\n")
                if '"$set"' in line and '"messages"' in line:
                    yield from _checkpoint(loaded(line))
        return
    messages = session.pop("messages")
    yield {**session, "type": "head"}
    yield from _messages(messages)


def _checkpoint(line: dict[str, Any] | str) -> Iterator[dict[str, Any] | str]:
    """The messages that a line sets anew: some of them may stand nowhere else."""
    head = line.get("$set") if isinstance(line, dict) else None
    messages = head.get("messages") if isinstance(head, dict) else None
    yield from _messages(messages if isinstance(messages, list) else [])


def _messages(messages: list[Any]) -> Iterator[dict[str, Any] | str]:
    for item in messages:
        if isinstance(item, dict):
            yield item
        yield from no_objects(item)


def _document(content: Path) -> dict[str, Any] | None:
    """The older session file, if it is one."""
    with content.open("rb") as stream:
        first, second = stream.readline(), stream.readline()
    if second.lstrip()[:1] == b"{" or (b'"messages"' not in first and first.rstrip()[-1:] == b"}"):
        return None
    found = loaded(content.read_text("utf-8-sig", "replace"))
    return found if isinstance(found, dict) and isinstance(found.get("messages"), list) else None


def recognises(sample: Sample) -> bool:
    """A head with the project's hash, or messages of the model with their tokens."""
    return sample.has("sessionId", "projectHash", "startTime") or (
        sample.has("tokens.cached", "tokens.total", "type") and "gemini" in sample.values("type")
    )


READER = Reader(
    name="gemini-cli",
    origin="agent",
    doc="https://github.com/google-gemini/gemini-cli",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=True,
    ordered=True,
    unfold=unfold,
    counted=tuple(f"tokens.{name}" for name in ("input", "output", "cached", "thoughts", "tool")),
    left_out={"tokens.total": "the sum", "$set.messages": "messages of a checkpoint, which are read"},
    unique_by="the message's id; the last of them counts",
    kept_at="~/.gemini/tmp/PROJECT/chats",
    no_call="a session with no message of the model",
    sample="real: 2026-04",
    undercounts="calls beside the conversation (compressions, routing, searches), which its telemetry has",
)
