"""OpenHands: what each conversation used, from its state (base_state.json).

https://github.com/OpenHands/software-agent-sdk (openhands-sdk/openhands/sdk/llm/utils/metrics.py, telemetry.py):
`token_usages` has each call, of each use of a model (`agent`, `condenser`, ...); a subagent's calls stand in its
parent's state too, under the same response id. The prompt includes cached tokens, but of agents that run by ACP; output
includes reasoning. `costs` are LiteLLM's figures, one for each call that has a price, with its time: where there
are fewer, nothing tells whose they are, and calls are of the last one's time. A state as the API gives it has only
sums.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..fast_json import parsed
from ..members import listed
from ..reader import Reader, Sample
from ..tags import project_of
from ..unfold import no_objects
from .nested import priced, uncached

TOKENS = ("prompt_tokens", "completion_tokens", "cache_read_tokens", "cache_write_tokens")
PROMPT, OUTPUT, READ, WRITTEN = (f"coalesce({name}, 0)" for name in TOKENS)
OWN = ("conversation", "use", "place", "moment", "cost", "summed", "cwd")
COLUMNS = {
    **dict.fromkeys(("response_id", "model", *OWN), "VARCHAR"),
    "summed": "BOOLEAN",
    **dict.fromkeys(TOKENS, "HUGEINT"),
}

SQL = f"""
SELECT file_id, line,
    'openhands:' || coalesce(nullif(response_id, ''), concat_ws(':', nullif(conversation, ''), "use", place))
        AS event_id,
    coalesce(utc_epoch(moment), modified) AS ts,
    "use" AS task,
    conversation AS session,
    nullif(response_id, '') AS response_id,
    nullif(model, 'default') AS model,
    summed AS aggregated,
    CASE WHEN summed THEN 0 ELSE 1 END AS request,
    {uncached(PROMPT, OUTPUT, "0", READ, WRITTEN)} AS input,
    {READ} AS cache_read,
    {WRITTEN} AS cache_write_5m,
    {OUTPUT} AS output,
    {priced("cost", f"{PROMPT} + {OUTPUT}")} AS recorded_usd,
    {project_of("cwd")} AS project,
    json_object('cwd', cwd) AS tags
FROM record JOIN file_time USING (file_id)
WHERE {PROMPT} <> 0 OR {OUTPUT} <> 0 OR {READ} <> 0
"""  # noqa: S608 (constants only)

REPLACED = ("now.session = before.session AND now.task = before.task AND now.aggregated <> before.aggregated",)
"""The sums of a state, or its calls: what it states by now."""


def unfold(content: Path, _file: Path) -> Iterator[dict[str, Any] | str]:
    """Each call of a conversation, or what each use of a model sums up to."""
    state = parsed(content.read_bytes())
    stats = state.get("stats") if isinstance(state, dict) else None
    uses = stats.get("usage_to_metrics") if isinstance(stats, dict) else None
    if not isinstance(uses, dict):
        raise ValueError
    workspace = state.get("workspace")
    cwd = workspace.get("working_dir") if isinstance(workspace, dict) else None
    for use, metrics in uses.items():
        yield from no_objects(metrics)
        for call in _calls(metrics) if isinstance(metrics, dict) else ():
            yield {**call, "conversation": state.get("id"), "use": use, "cwd": cwd} if isinstance(call, dict) else call


def _calls(metrics: dict[str, Any]) -> Iterator[dict[str, Any] | str]:
    costs = [cost for cost in listed(metrics, "costs") if isinstance(cost, dict)]
    last = costs[-1].get("timestamp") if costs else None
    calls = listed(metrics, "token_usages")
    if not calls:
        total = metrics.get("accumulated_token_usage")
        yield from no_objects(total)
        if isinstance(total, dict):
            yield {**total, "moment": last, "cost": metrics.get("accumulated_cost"), "summed": True}
    for place, call in enumerate(calls):
        cost = costs[place] if len(costs) >= len(calls) else {"timestamp": last}
        yield from no_objects(call)
        if isinstance(call, dict):
            moment, usd = cost.get("timestamp"), cost.get("cost")
            yield {**call, "place": place, "moment": moment, "cost": usd, "summed": False}


def recognises(sample: Sample) -> bool:
    """A conversation's state, with what each use of a model used."""
    return sample.layout in ("json", "ndjson") and sample.has("id", "stats.usage_to_metrics")


READER = Reader(
    name="openhands",
    origin="agent",
    doc="https://docs.openhands.dev/sdk/guides/metrics",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=True,
    unfold=unfold,
    replaced=REPLACED,
    counted=(*TOKENS, "cost"),
    left_out={
        "reasoning_tokens": "part of the output",
        "context_window": "the size of a model's context",
        "per_turn_token": "the sum",
    },
    own=OWN,
    unique_by="the response's id",
    kept_at="~/.openhands/conversations/CONVERSATION/base_state.json",
    no_call="a conversation in which no model was asked",
    sample="made: after the code that writes it",
)
