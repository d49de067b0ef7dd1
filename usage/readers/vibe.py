"""Mistral Vibe: a session's `meta.json`, which has its totals; they are overwritten as the session runs.

https://github.com/mistralai/mistral-vibe (vibe/core/types.py, core/agent_loop.py, core/session/session_logger.py):
`stats` are sums of calls, cached tokens within the prompt. A compaction, and going back in a conversation, begin a
session of its own (`parent_session_id`) whose sums run on from its parent's: what the parent's file had by then is
taken off. A session that is resumed counts from 0 again, over what it had. A subagent has a session of its own. The
model is the one that was set at the end, by its alias in the settings; its cost is Vibe's own estimate, in older
versions at the full price for cached tokens. Vibe 1 wrote one file, `{"metadata", "messages"}`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..fast_json import parsed
from ..reader import Reader, Sample
from ..tags import project_of
from ..unfold import beside, no_objects, state, whole
from .nested import priced, text

TOKENS = ("session_prompt_tokens", "session_completion_tokens", "session_cached_tokens")
_STATS = f"STRUCT({', '.join(f'{name} HUGEINT' for name in TOKENS)}, session_cost VARCHAR)"
COLUMNS = {
    **dict.fromkeys(("session_id", "start_time", "end_time", "git_branch", "username", "model", "provider"), "VARCHAR"),
    "environment": "JSON",
    "stats": _STATS,
    "before": _STATS,
}
COST, COST_BEFORE = (f"TRY_CAST({stats}.session_cost AS DECIMAL(38, 18))" for stats in ("stats", "before"))

SQL = f"""
WITH entry AS (
    SELECT *, {", ".join(f"coalesce(stats.{name}, 0) - coalesce(before.{name}, 0) AS {name}" for name in TOKENS)},
        CASE WHEN before IS NULL THEN stats.session_cost ELSE ({COST} - {COST_BEFORE})::VARCHAR END AS cost,
        {text("environment", "working_directory")} AS cwd
    FROM record
)
SELECT file_id, line,
    'vibe:' || nullif(session_id, '') AS event_id,
    coalesce(utc(end_time), utc(start_time)) AS ts,
    session_id AS session,
    provider, model,
    TRUE AS aggregated,
    0 AS request,
    session_prompt_tokens
        - CASE WHEN session_cached_tokens > session_prompt_tokens THEN 0 ELSE session_cached_tokens END AS input,
    session_cached_tokens AS cache_read,
    session_completion_tokens AS output,
    {priced("cost", "session_prompt_tokens + session_completion_tokens")} AS recorded_usd,
    {project_of("cwd")} AS project,
    nullif(git_branch, '') AS branch,
    username AS "user",
    json_object('cwd', cwd) AS tags
FROM entry
WHERE session_prompt_tokens <> 0 OR session_completion_tokens <> 0
"""  # noqa: S608 (constants only)

TOOL_CALLS = ("agreed", "rejected", "hook_denied", "failed", "succeeded")
SAID = ("messages", "tools_available", "system_prompt", "loops", "experiments", "config", "agent_config")


def unfold(content: Path, file: Path) -> Iterator[dict[str, Any] | str]:
    """The session without what was said and set in it, with its model and what its parent had."""
    session = _session(content)
    config = session.get("config") or session.get("agent_config")
    kept = {name: value for name, value in session.items() if name not in SAID}
    yield {**kept, **_model(config if isinstance(config, dict) else {}), "before": _before(session, file)}
    yield from no_objects(session.get("stats"))


def _session(content: Path) -> dict[str, Any]:
    found = parsed(content.read_bytes())
    if isinstance(found, dict) and isinstance(found.get("metadata"), dict):
        found = found["metadata"]
    if not isinstance(found, dict):
        raise ValueError
    return found


def _model(config: dict[str, Any]) -> dict[str, Any]:
    """The model that is set: the one of that alias."""
    active, models = config.get("active_model"), config.get("models")
    for model in models if isinstance(models, list) else []:
        if isinstance(model, dict) and active and active in (model.get("alias"), model.get("name")):
            return {"model": model.get("name") or active, "provider": model.get("provider")}
    return {"model": active, "provider": None}


def _before(session: dict[str, Any], file: Path) -> dict[str, Any] | None:
    """What the sums of a session run on from: its parent's, where that ended before and none of them has fallen."""
    parent = _parent(str(session.get("parent_session_id") or ""), file)
    stats, before = session.get("stats"), parent.get("stats")
    if not (isinstance(stats, dict) and isinstance(before, dict)):
        return None
    ended, began = str(parent.get("end_time") or ""), str(session.get("start_time") or "")
    runs_on = all(0 <= whole(before.get(name)) <= whole(stats.get(name)) for name in (*TOKENS, "steps"))
    return {name: before.get(name) for name in (*TOKENS, "session_cost")} if runs_on and ended <= began else None


def _parent(id: str, file: Path) -> dict[str, Any]:
    """What is known of the session of this id, in a folder beside the one of the file."""
    sessions = file.parent.parent
    for name in _folders(sessions, state(sessions)).get(id[:8], []) if id[:8].isalnum() else ():
        other = beside(sessions / name / "meta.json", "meta.json")
        found = _sums(other, state(other)) if other else {}
        if found.get("session_id") == id:
            return found
    return {}


@lru_cache(4096)
def _sums(file: Path, _state: tuple[int, int]) -> dict[str, Any]:
    """What a session's children ask of it: read once for all of them."""
    try:
        session = _session(file)
    except (OSError, ValueError, RecursionError):
        return {}
    return {name: session.get(name) for name in ("session_id", "end_time", "stats")}


@lru_cache(2)
def _folders(sessions: Path, _state: tuple[int, int]) -> dict[str, list[str]]:
    """The folders of sessions, by what their names end with: listed once for all sessions in them."""
    found: dict[str, list[str]] = {}
    with suppress(OSError):
        for name in sorted(os.listdir(sessions)):
            found.setdefault(name.rpartition("_")[2], []).append(name)
    return found


def recognises(sample: Sample) -> bool:
    """A session's totals, in a file of their own or (Vibe 1) above its messages."""
    if sample.layout not in ("json", "ndjson"):
        return False
    return any(
        sample.has(f"{at}session_id", f"{at}start_time", f"{at}stats.session_prompt_tokens") for at in ("", "metadata.")
    )


READER = Reader(
    name="vibe",
    origin="agent",
    doc="https://github.com/mistralai/mistral-vibe",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=True,
    unfold=unfold,
    counted=tuple(f"stats.{name}" for name in (*TOKENS, "session_cost")),
    left_out={
        "stats.session_total_llm_tokens": "the sum",
        "stats.last_turn_prompt_tokens": "the last call's only",
        "stats.last_turn_completion_tokens": "the last call's only",
        "stats.last_turn_cached_tokens": "the last call's only",
        "stats.last_turn_total_tokens": "the last call's only",
        "stats.steps": "how many steps it took",
        **{f"stats.tool_calls_{how}": "calls of tools" for how in TOOL_CALLS},
        "stats.context_tokens": "the size of the context",
        "stats.tokens_per_second": "a speed",
        "stats.input_price_per_million": "a price; the cost counts",
        "stats.output_price_per_million": "a price; the cost counts",
        "stats.cached_input_price_per_million": "a price; the cost counts",
    },
    own=("model", "provider", "before"),
    unique_by="the session's id",
    kept_at="~/.vibe/logs/session/*/meta.json (VIBE_HOME), and subagents below it",
    undercounts="totals of sessions only, of one model each; what a session had before it was resumed",
    no_call="a session that has asked no model yet",
    sample="made: after the code that writes it",
)
