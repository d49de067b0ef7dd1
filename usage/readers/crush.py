"""Crush (Charm): what each session cost, from its database (.crush/crush.db of a project).

https://github.com/charmbracelet/crush (internal/agent/agent.go, internal/session): `cost` is what Crush computed of all
calls, by its own price list or as OpenRouter states it; a flat rate or a model without a price adds 0. A subagent's
session repeats in its parent's cost what it spent, so only sessions without a parent count; the subagents of one that
was deleted count as what is left of it, for they were in its cost. `prompt_tokens` and `completion_tokens` are the last
call's, and nothing else states tokens: a session has a recorded cost and no others.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from ..file_names import shown
from ..reader import Reader, Sample
from ..tags import project_of
from ..unfold import plain_rows, rows

COLUMNS = {
    **dict.fromkeys(("id", "created_at", "updated_at", "cost", "provider", "model", "models", "cwd"), "VARCHAR"),
    "prompt_tokens": "HUGEINT",
    "completion_tokens": "HUGEINT",
}
MODELS = "SELECT DISTINCT session_id, provider, model FROM messages WHERE role = 'assistant' AND model <> ''"

SQL = f"""
SELECT file_id, line,
    'crush:' || nullif(id, '') AS event_id,
    coalesce(utc_epoch(updated_at), utc_epoch(created_at)) AS ts,
    id AS session,
    provider, model,
    TRUE AS aggregated,
    0 AS request,
    cost AS recorded_usd,
    {project_of("cwd")} AS project,
    json_object('cwd', cwd, 'models', models) AS tags,
    CASE WHEN TRY_CAST(cost AS DOUBLE) = 0
        THEN 'a session whose cost was not known (a flat rate, or no price): Crush states its last call''s tokens only'
    END AS fault
FROM record
WHERE TRY_CAST(cost AS DOUBLE) IS DISTINCT FROM 0 OR prompt_tokens + completion_tokens > 0
"""  # noqa: S608 (constants only)


def unfold(content: Path, file: Path) -> Iterator[dict[str, Any]]:
    """The sessions that no other one contains, with the one model of theirs, or the names of several."""
    models: dict[str, list[tuple[str | None, str]]] = {}
    for session, provider, model in plain_rows(content, MODELS):
        models.setdefault(session, []).append((provider, model))
    sessions = list(rows(content, "SELECT * FROM sessions"))
    parents = {row["id"]: row.get("parent_session_id") for row in sessions}
    used: dict[str, set[tuple[str | None, str]]] = {}
    for session, asked in models.items():
        used.setdefault(_root(session, parents), set()).update(asked)
    cwd = shown(file.parent.parent) if file.parent.name == ".crush" else None
    left: dict[str, list[dict[str, Any]]] = {}
    for row in sessions:
        if _root(row["id"], parents) != row["id"]:
            continue
        row.pop("todos", None)
        row |= {**_named(sorted(used.get(row["id"], ()), key=str)), "cwd": cwd}
        if (parent := row.get("parent_session_id")) is None or parent in parents:
            yield row
        else:
            left.setdefault(parent, []).append(row)
    yield from (_of_deleted(parent, children) for parent, children in left.items())


def _of_deleted(session: str, children: list[dict[str, Any]]) -> dict[str, Any]:
    """What is left of a session: no later than it was, for where it was loaded before, it holds these."""
    first = min(children, key=lambda row: str(row.get("created_at")))
    costs = [row.get("cost") for row in children if row.get("cost") is not None]
    numbers = all(isinstance(cost, int | float) for cost in costs)
    cost = str(sum(map(Decimal, map(str, costs)))) if numbers else next(c for c in costs if isinstance(c, str | bytes))
    alike = {name: first.get(name) for name in ("provider", "model", "models")}
    named = alike if all({name: row.get(name) for name in alike} == alike for row in children) else {}
    return {
        **first,
        **dict.fromkeys(alike),
        **named,
        "id": session,
        "updated_at": first.get("created_at"),
        "cost": cost,
    }


def _root(session: str, parents: dict[str, str | None]) -> str:
    """The session that the cost of a session is added to, through all that spawned it, as far as they are there."""
    seen = {session}
    while (parent := parents.get(session)) is not None and parent in parents:
        if parent in seen:  # damaged: they name one another
            return min(seen, key=str)
        session = parent
        seen.add(session)
    return session


def _named(asked: list[tuple[str | None, str]]) -> dict[str, str | None]:
    if len(asked) == 1:
        return {"provider": asked[0][0], "model": asked[0][1]}
    return {"models": ", ".join(f"{provider}/{model}" if provider else model for provider, model in asked) or None}


def recognises(sample: Sample) -> bool:
    """The database's tables, and that of the library that changes them."""
    return sample.layout == "sqlite" and sample.has("sessions", "messages", "files", "goose_db_version")


READER = Reader(
    name="crush",
    origin="agent",
    doc="https://github.com/charmbracelet/crush",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=None,
    unfold=unfold,
    counted=("cost",),
    left_out={
        "prompt_tokens": "the last call's only",
        "completion_tokens": "the last call's only",
    },
    own=("models", "cwd"),
    unique_by="the session's id",
    kept_at="PROJECT/.crush/crush.db; ~/.local/share/crush/projects.json lists the projects (CRUSH_GLOBAL_DATA)",
    undercounts="no tokens but the last call's: sessions have Crush's own cost only, without subagents that failed",
    no_call="no session with a cost",
    sample="made: the tables as its migrations make them",
)
