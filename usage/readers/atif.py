"""ATIF, the Agent Trajectory Interchange Format: a run's steps (trajectory.json of Harbor, Devin's transcripts).

https://www.harborframework.com/docs/agents/trajectory-format (harbor 0.25: models/trajectories, agents/installed): the
prompt includes cached tokens, and what was written where `extra` has it as Anthropic's or OpenAI's API does; what it
has as `cache_write_tokens` stands beside it (OpenCode, whose reasoning stands beside the output too). Steps copied for
context were counted where they were made. Subagents are trajectories within, or in files of their own. The sums of a
trajectory count only where no step of it states metrics. Devin's older transcripts state them in `metadata`, in classes
that are not documented: they are named as unread. A run's own log beside it has the same calls.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..fast_json import parsed
from ..members import but, listed
from ..reader import Reader, Sample
from ..unfold import no_objects
from .nested import JsonTexts, priced, uncached

TOKENS = ("prompt_tokens", "completion_tokens", "cached_tokens")
WITHIN = ("extra.cache_creation_input_tokens", "extra.cache_write_input_tokens")
BESIDE, REASONING = "extra.cache_write_tokens", "extra.reasoning_tokens"
HOUR, SEARCHES = "extra.cache_creation.ephemeral_1h_input_tokens", "extra.server_tool_use.web_search_requests"
COUNTED = (*TOKENS, "cost_usd", *WITHIN, BESIDE, HOUR, SEARCHES)
STATED = JsonTexts("stated", (*COUNTED, REASONING))
SUMS = ("total_prompt_tokens", "total_completion_tokens", "total_cached_tokens", "total_cost_usd")
SUM_OF = dict(zip(SUMS, (*TOKENS, "cost_usd"), strict=True))
OWN = ("session", "trajectory", "agent", "model", "last", "summed", "counts")
COLUMNS = {
    **dict.fromkeys(("step_id", "timestamp", "llm_call_count", *OWN), "VARCHAR"),
    "summed": "BOOLEAN",
    "counts": "JSON",
}
PROMPT, OUTPUT, READ, LONG = (f'"{name}"' for name in ("prompt", "output", "read", "hour"))

SQL = f"""
WITH counted AS (
    SELECT *, {STATED.count("prompt_tokens")} AS prompt, {STATED.count("completion_tokens")} AS said,
        {STATED.count("cached_tokens")} AS "read", {STATED.count(BESIDE)} AS beside,
        greatest({STATED.count(WITHIN[0])}, {STATED.count(WITHIN[1])}) AS within,
        least({STATED.count(HOUR)}, within) AS hour, {STATED.count(SEARCHES)} AS searches,
        CASE WHEN agent = 'opencode' THEN {STATED.count(REASONING)} ELSE 0 END AS thought,
        {STATED.text("cost_usd")} AS usd, TRY_CAST(llm_call_count AS BIGINT) AS calls
    FROM (SELECT *, {STATED.listed("counts")} FROM record WHERE counts IS NOT NULL)
)
SELECT file_id, line,
    concat_ws(':', 'atif', coalesce(session, path), trajectory, CASE WHEN summed THEN 'sum' ELSE step_id END,
        CASE WHEN summed THEN NULL ELSE coalesce("timestamp", concat_ws(':', prompt, said, "read")) END) AS event_id,
    coalesce(utc("timestamp"), utc(last), modified) AS ts,
    agent,
    session,
    nullif(model, '') AS model,
    summed OR coalesce(calls, 1) > 1 AS aggregated,
    CASE WHEN summed THEN 0 ELSE greatest(coalesce(calls, 1), 1) END AS request,
    {uncached("prompt", "said", "0", '"read"', "within")} AS input,
    "read" AS cache_read,
    CASE WHEN least(within, beside, hour) < 0 THEN -1 ELSE within + beside - hour END AS cache_write_5m,
    hour AS cache_write_1h,
    CASE WHEN least(said, thought) < 0 THEN -1 ELSE said + thought END AS output,
    searches AS web_search,
    {priced("usd", "prompt + said")} AS recorded_usd
FROM counted JOIN file_time USING (file_id)
WHERE prompt <> 0 OR said <> 0 OR "read" <> 0 OR beside <> 0 OR TRY_CAST(usd AS DOUBLE) IS DISTINCT FROM 0
"""  # noqa: S608 (constants only)

REPLACED = """now.session = before.session AND suffix(now.event_id, ':sum') <> suffix(before.event_id, ':sum')"""
"""The sums of a trajectory, or its steps: what it states by now."""

SAID = ("message", "reasoning_content", "tool_calls", "observation", "metrics", "model_name")
IDS = ("prompt_token_ids", "completion_token_ids", "logprobs")


def unfold(content: Path, _file: Path) -> Iterator[dict[str, Any] | str]:
    """The steps of a trajectory and of those within it, without what was said; or its sums."""
    found = parsed(content.read_bytes())
    for trajectory in found if isinstance(found, list) else [found]:
        yield from no_objects(trajectory)
        if isinstance(trajectory, dict):
            yield from _trajectory(trajectory, None)


def _trajectory(trajectory: dict[str, Any], run: Any) -> Iterator[dict[str, Any] | str]:
    agent = trajectory.get("agent")
    agent = agent if isinstance(agent, dict) else {}
    steps = [step for step in listed(trajectory, "steps") if isinstance(step, dict)]
    head = {
        "session": trajectory.get("session_id") or run,
        "trajectory": trajectory.get("trajectory_id"),
        "agent": agent.get("name"),
        "last": next((step["timestamp"] for step in reversed(steps) if step.get("timestamp")), None),
    }
    for step in steps:
        metrics = step.get("metrics")
        yield from no_objects(metrics)
        if isinstance(metrics, dict) and not step.get("is_copied_context"):
            counts = {name: value for name, value in metrics.items() if name not in IDS}
            model = step.get("model_name") or agent.get("model_name")
            yield {**but(step, *SAID), **head, "model": model, "metrics": counts, "counts": counts, "summed": False}
        elif not isinstance(metrics, dict):
            yield but(step, *SAID)
    sums = trajectory.get("final_metrics")
    yield from no_objects(sums)
    if isinstance(sums, dict):
        of_steps = any(isinstance(step.get("metrics"), dict) for step in steps)
        own = None if of_steps else {SUM_OF[name]: value for name, value in sums.items() if name in SUM_OF}
        yield {**head, "model": agent.get("model_name"), "final_metrics": sums, "counts": own, "summed": True}
    for within in listed(trajectory, "subagent_trajectories"):
        yield from no_objects(within)
        if isinstance(within, dict):
            yield from _trajectory(within, head["session"])


def recognises(sample: Sample) -> bool:
    """A trajectory by its version, or by the steps of an agent."""
    if sample.layout not in ("json", "ndjson"):
        return False
    versions = (version for version in sample.values("schema_version") if isinstance(version, str))
    return (
        any(version.startswith("ATIF-") for version in versions)
        or sample.has("agent.name", "steps.step_id", "final_metrics")
        or sample.has("agent.name", "steps.step_id", "steps.metrics.prompt_tokens")
    )


READER = Reader(
    name="atif",
    origin="agent",
    doc="https://www.harborframework.com/docs/agents/trajectory-format",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=True,
    unfold=unfold,
    replaced=(REPLACED,),
    counted=(*(f"metrics.{name}" for name in COUNTED), *(f"final_metrics.{name}" for name in SUMS)),
    left_out={
        "metrics.extra": "what the agent's own log states beside it",
        "final_metrics.extra": "sums of what agents' own logs state",
        "final_metrics.total_steps": "how many steps it has",
    },
    own=OWN,
    unique_by="the run, the trajectory, the step and its time, else its figures",
    kept_at="trajectory.json of a run of Harbor; ~/.local/share/devin/cli/transcripts",
    undercounts="what the sums of a trajectory have beyond its steps",
    no_call="a trajectory with no metrics",
    sample="made: after the models that write it",
)
