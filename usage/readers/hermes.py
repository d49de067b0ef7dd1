"""Hermes Agent (Nous Research): what each session used by model and task, from its database (state.db).

https://github.com/NousResearch/hermes-agent (hermes_state_usage.py, agent/usage_pricing.py): `session_model_usage` sums
calls by session, model, provider and task. `sessions` sums the main conversation (with the voice chat), but no other
task (compression, titles, vision); what it has beyond those rows was written in one figure, or before there was the
table, and counts as its model's. The classes are disjoint, output includes reasoning. Costs are what a provider
charged, else Hermes's estimate; 0 is a subscription, or no price. A session that a compaction began counts on its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..reader import Reader, Sample
from ..tags import project_of
from ..unfold import rows, tables, whole
from .nested import priced

TOKENS = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens")
COSTS = ("actual_cost_usd", "estimated_cost_usd")
ROUTE = ("model", "billing_provider", "billing_base_url", "billing_mode", "task")
COLUMNS = {
    **dict.fromkeys(("session_id", *ROUTE, "moment", "cwd", "git_branch", "user_id", "source", *COSTS), "VARCHAR"),
    **dict.fromkeys((*TOKENS, "api_call_count"), "HUGEINT"),
    "rest": "BOOLEAN",
}
MAIN = ("", "voice_chat")
"""Tasks whose calls are in the sums of `sessions` too."""
REPLACED = f"""
now.session = before.session AND (before.event_id = 'hermes:' || before.session || ':rest'
    OR now.event_id = 'hermes:' || now.session || ':rest' AND coalesce(before.logged_task, '') IN {MAIN})
"""
"""What a session has beyond its rows and these rows: calls go from one to the other as the rows are written."""
COST = "coalesce(nullif(TRY_CAST(actual_cost_usd AS DECIMAL(38, 18)), 0)::VARCHAR, estimated_cost_usd)"

SQL = f"""
SELECT file_id, line,
    'hermes:' || nullif(session_id, '') || CASE WHEN rest THEN ':rest'
        ELSE ':' || concat_ws('/', {", ".join(f"coalesce({name}, '')" for name in ROUTE)}) END AS event_id,
    utc_epoch(moment) AS ts,
    session_id AS session,
    nullif(task, '') AS task,
    CASE WHEN billing_provider NOT IN ('', 'auto', 'custom') THEN billing_provider END AS provider,
    nullif(model, 'unknown') AS model,
    TRUE AS aggregated,
    api_call_count AS request,
    input_tokens AS input,
    cache_read_tokens AS cache_read,
    cache_write_tokens AS cache_write_5m,
    output_tokens AS output,
    {priced(COST, " + ".join(TOKENS))} AS recorded_usd,
    {project_of("cwd")} AS project,
    nullif(git_branch, '') AS branch,
    nullif(user_id, '') AS "user",
    json_object('cwd', cwd, 'source', source, 'billing', nullif(billing_mode, '')) AS tags
FROM record
WHERE {" OR ".join(f"{name} <> 0" for name in TOKENS)}
"""  # noqa: S608 (constants only)

KEPT = ("cwd", "git_branch", "user_id", "source")


def unfold(content: Path, _file: Path) -> Iterator[dict[str, Any]]:
    """What each session used of each model, and what its own sums have beyond that."""
    sessions = {row["id"]: row for row in rows(content, "SELECT * FROM sessions")}
    counted: dict[Any, list[dict[str, Any]]] = {}
    for used in rows(content, "SELECT * FROM session_model_usage") if "session_model_usage" in tables(content) else ():
        session = sessions.get(used.get("session_id"), {})
        if (used.get("task") or "") in MAIN:
            counted.setdefault(used.get("session_id"), []).append(used)
        yield {**used, **{name: session.get(name) for name in KEPT}, "moment": used.get("last_seen"), "rest": False}
    for id, session in sessions.items():
        if rest := _rest(session, counted.get(id, [])):
            kept = {name: session.get(name) for name in (*KEPT, *ROUTE)}
            moment = session.get("ended_at") or session.get("started_at")
            yield {**kept, **rest, "session_id": id, "moment": moment, "rest": True}


def _rest(session: dict[str, Any], counted: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The sums of a session without those of its rows; None where nothing is left, -1 where a sum is no count."""
    rest = {}
    for name in (*TOKENS, "api_call_count"):
        total, parts = whole(session.get(name)), [max(whole(one.get(name)), 0) for one in counted]
        rest[name] = -1 if total < 0 else max(total - sum(parts), 0)
    costs = {name: session.get(name) for name in COSTS} if not counted else {}
    return {**rest, **costs} if any(rest[name] for name in TOKENS) else None


def recognises(sample: Sample) -> bool:
    """The database's tables: those of Goose's, and one more."""
    return sample.layout == "sqlite" and sample.has("sessions", "messages", "schema_version", "state_meta")


READER = Reader(
    name="hermes",
    origin="agent",
    doc="https://hermes-agent.nousresearch.com/docs/",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=False,
    unfold=unfold,
    replaced=(REPLACED,),
    counted=(*TOKENS, *COSTS),
    left_out={"reasoning_tokens": "part of the output"},
    own=("moment", "rest", *KEPT),
    unique_by="the session, model, provider and task",
    kept_at="~/.hermes/state.db (HERMES_HOME), and below profiles",
    undercounts="sums by session and model; other tasks' calls before there was a table of them (2026)",
    no_call="no session with tokens",
    sample="made: the tables as its code makes them",
)
