"""The steps of OpenCode's messages: each is one call, and states its own usage (a part `step-finish`).

Until the end of 2025 a message could have many (packages/opencode/src/session/prompt.ts). Its cost is their sum, but
its tokens are the last one's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..fast_json import parsed
from ..unfold import is_read, loaded, plain_rows, rows

Step = dict[str, Any]
FINISHED = "step-finish"
PART_BYTES = 16 * 1024  # such a part has half a kilobyte; others have what tools gave back
_IS_STEP = f"""instr(data, '"type":"{FINISHED}"') > 0"""
OF_SEVERAL = f"""
SELECT message_id, data FROM part WHERE {_IS_STEP} AND message_id IN (
    SELECT message_id FROM part WHERE {_IS_STEP} GROUP BY message_id HAVING count(*) > 1)
ORDER BY message_id, id
"""  # noqa: S608 (constants only)


def calls_of(message: dict[str, Any], steps: Sequence[Step]) -> Iterator[dict[str, Any]]:
    """A message as it is, or one for each of its steps where it has several, or states no tokens itself."""
    if not steps or len(steps) < (2 if _has_tokens(message.get("tokens")) else 1):
        yield message
        return
    for number, step in enumerate(steps, 1):
        id = message.get("id") if number == 1 else f"{message.get('id')}:{number}"
        yield {**message, "id": id, "step": number, "tokens": step.get("tokens"), "cost": step.get("cost")}


def _has_tokens(tokens: Any) -> bool:
    return bool(tokens) and not (isinstance(tokens, dict) and not any(map(_counts, tokens.values())))


def _counts(count: Any) -> bool:
    return any(count.values()) if isinstance(count, dict) else bool(count)


def finished(parts: Any) -> list[Step]:
    """The steps among the parts of a message."""
    listed = parts if isinstance(parts, list) else []
    return [part for part in listed if isinstance(part, dict) and part.get("type") == FINISHED]


def stored_steps(content: Path) -> dict[str, list[Step]]:
    """By the id of a message of a database: the steps of those that have several."""
    if not {"id", "message_id", "data"} <= {row["name"] for row in rows(content, "PRAGMA table_info(part)")}:
        return {}
    steps: dict[str, list[Step]] = {}
    for message, data in plain_rows(content, OF_SEVERAL):
        steps.setdefault(message, []).extend(finished([loaded(str(data))]))
    return steps


def steps_beside(file: Path) -> list[Step]:
    """The steps of a message in a file of its own: storage/message/SESSION/ID.json and storage/part/ID/*.json."""
    if file.parent.parent.name != "message":
        return []
    return finished(
        [part for path in sorted((file.parents[2] / "part" / file.stem).glob("*.json")) for part in _part(path)]
    )


def _part(path: Path) -> Iterator[Any]:
    try:
        if is_read(path) and path.stat().st_size <= PART_BYTES:
            yield parsed(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return
