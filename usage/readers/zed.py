"""Zed's agent: the sums of each thread, from its database (threads.db).

https://github.com/zed-industries/zed (crates/agent/src/db.rs, thread.rs): `cumulative_token_usage` sums a thread's
requests since https://github.com/zed-industries/zed/pull/58378 (2026-06); `request_token_usage` has the last request of
each of the user's messages only, so the larger of the two counts. The classes are disjoint where a provider states
cached tokens apart. A subagent's thread has sums of its own, a thread that was shared none. The model is the one that
was last chosen; `zed.dev` hosts models of others. Agents that Zed runs (Claude Code, Gemini CLI) keep their own logs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..packing import BrokenOffError, unpacked_bytes
from ..processing import processing
from ..reader import Reader, Sample
from ..tags import project_of
from ..unfold import loaded, no_objects, rows, whole
from .nested import text

NAMES = ("input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
_USAGE = f"STRUCT({', '.join(f'{name} HUGEINT' for name in NAMES)})"
COLUMNS = {
    **dict.fromkeys(("id", "parent_id", "updated_at", "folder", "speed"), "VARCHAR"),
    "model": "JSON",
    "cumulative_token_usage": _USAGE,
    "requests": _USAGE,
}


def _figures(usage: str, join: str) -> str:
    return join.join(f"coalesce({usage}.{name}, 0)" for name in NAMES)


SUMS, REQUESTS = "cumulative_token_usage", "requests"
SQL = f"""
WITH entry AS (
    SELECT *, CASE WHEN least({_figures(SUMS, ", ")}) < 0 THEN {SUMS}
        WHEN {_figures(SUMS, " + ")} > greatest({_figures(REQUESTS, " + ")} - 1, 0) THEN {SUMS}
        ELSE {REQUESTS} END AS used
    FROM record
)
SELECT file_id, line,
    'zed:' || nullif(id, '') AS event_id,
    utc(updated_at) AS ts,
    id AS session,
    CASE WHEN parent_id <> '' THEN 'subagent' END AS agent,
    nullif({text("model", "provider")}, 'zed.dev') AS provider,
    {text("model", "model")} AS model,
    {processing("NULL", "speed")} AS processing,
    TRUE AS aggregated,
    0 AS request,
    used.input_tokens AS input,
    used.cache_read_input_tokens AS cache_read,
    used.cache_creation_input_tokens AS cache_write_5m,
    used.output_tokens AS output,
    {project_of("folder")} AS project,
    json_object('cwd', folder, 'provider', {text("model", "provider")}) AS tags
FROM entry
WHERE used IS NOT NULL AND (least({_figures("used", ", ")}) < 0 OR {_figures("used", " + ")} > 0)
"""  # noqa: S608 (constants only)

SAID = ("messages", "title", "summary", "detailed_summary", "initial_project_snapshot", "draft_prompt", "data")


def unfold(content: Path, _file: Path) -> Iterator[dict[str, Any] | str]:
    """The threads without what was said in them; one that cannot be read is a line to be rejected."""
    for row in rows(content, "SELECT * FROM threads"):
        try:
            thread = _thread(row)
        except (BrokenOffError, ValueError) as error:
            yield f"thread {row.get('id')}: {error}"
            continue
        stated = thread.get("request_token_usage")
        requests = list(stated.values()) if isinstance(stated, dict) else stated
        yield {
            **{name: value for name, value in {**thread, **row}.items() if name not in SAID},
            "folder": str(row.get("folder_paths") or "").partition("\n")[0] or None,
            "requests": _sums(requests if isinstance(requests, list) else []),
        }
        yield from no_objects(thread.get("cumulative_token_usage"), *(requests if isinstance(requests, list) else ()))


def _thread(row: dict[str, Any]) -> dict[str, Any]:
    """What a row's data hold. Raises BrokenOffError, ValueError."""
    data = row.get("data")
    if not isinstance(data, bytes | str):
        raise ValueError("no thread")
    data = data.encode() if isinstance(data, str) else data
    thread = loaded((unpacked_bytes(data) if row.get("data_type") == "zstd" else data).decode("utf-8", "replace"))
    if not isinstance(thread, dict):
        raise ValueError("not JSON")
    return thread


def _sums(requests: Sequence[Any]) -> dict[str, int]:
    """Each class of the requests, added up; -1 where one is no count."""
    counts = {name: [whole(one.get(name)) for one in requests if isinstance(one, dict)] for name in NAMES}
    return {name: -1 if min(found, default=0) < 0 else sum(found) for name, found in counts.items()}


def recognises(sample: Sample) -> bool:
    """The database's one table."""
    return sample.layout == "sqlite" and sample.columns == {"threads"}


READER = Reader(
    name="zed",
    origin="agent",
    doc="https://zed.dev/docs/ai/agent-panel",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=None,
    unfold=unfold,
    counted=(
        *(f"cumulative_token_usage.{name}" for name in NAMES),
        *(f"request_token_usage.{way}{name}" for way in ("", "*.") for name in NAMES),
    ),
    own=("folder", "requests"),
    unique_by="the thread's id",
    kept_at="~/.local/share/zed/threads/threads.db, on a Mac ~/Library/Application Support/Zed/threads",
    undercounts="totals of threads only, of one model each; before June 2026 all but the last request of each message",
    no_call="no thread with usage",
    sample="made: the table and a thread as its code writes them",
)
