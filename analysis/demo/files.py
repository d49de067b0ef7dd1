"""The demo's files: logs as a LiteLLM proxy exports them, outcomes, the architecture, prices, attribution."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, timedelta
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING, Any

import yaml

from ..simulation.streams import generator
from .calls import DemoCall, works_of
from .planted import DRIFT, MONTH, PRICE_CHANGE, RUNAWAY

if TYPE_CHECKING:
    from ...pricing.book import PriceBook
    from ..architecture.model import Architecture

LOGS, ARCHITECTURE, PRICES, ATTRIBUTION, OUTCOMES, README = (
    "logs", "architecture.yaml", "prices.yaml", "attribution.yaml", "outcomes.csv", "README.md",
)  # fmt: skip
SUCCESS = 0.992
"""How often a task is solved, on the model that the routing names for it: nothing calls for a move."""
JUDGED = 0.25
"""The share of calls whose outcome somebody judged."""


def log_files(calls: Iterable[DemoCall], book: PriceBook) -> dict[str, str]:
    """A file of `LiteLLM_SpendLogs` rows (JSON lines) for each day: path to text."""
    days = groupby(enumerate(calls, 1), key=lambda numbered: numbered[1].at.date())
    return {
        f"{LOGS}/{day}.jsonl": "".join(json.dumps(_row(number, call, book)) + "\n" for number, call in calls)
        for day, calls in days
    }


def _row(number: int, call: DemoCall, book: PriceBook) -> dict[str, Any]:
    provider, _, model = call.model.partition("/")
    return {
        "request_id": f"chatcmpl-{number:08d}",
        "call_type": "acompletion",
        "startTime": f"{call.at.isoformat(timespec='milliseconds')}Z",
        "endTime": f"{(call.at + timedelta(seconds=4)).isoformat(timespec='milliseconds')}Z",
        "model": model,
        "custom_llm_provider": provider,
        "prompt_tokens": call.input,
        "completion_tokens": call.output,
        "total_tokens": call.input + call.output,
        "spend": float(usd(call, book)),
        "cache_hit": "None",
        "status": "success",
        "agent_id": call.agent,
        "team_id": "c-suite",
        "request_tags": [f"component:{call.component}", f"task:{call.task}"],
        "metadata": {},
    }


def usd(call: DemoCall, book: PriceBook) -> Decimal:
    """What a call cost, by the book at its own moment."""
    key = book.resolve(call.model)
    at = call.at.replace(tzinfo=UTC)
    total = Decimal(0)
    for name, tokens in (("input", call.input), ("output", call.output)):
        row = key and book.price(key, name, at=at, input_tokens=call.input)
        total += tokens * row.usd / row.per if row else 0
    return total


def outcomes(calls: Iterable[DemoCall], seed: int) -> str:
    """Judged runs as a CSV. A run that drifted is left out: nobody has judged Opus at monitoring."""
    rng = generator(seed, "demo outcomes")
    as_configured = [call for call in calls if call.model == call.configured]
    draws = rng.random((len(as_configured), 2))
    lines = [
        f"{call.at.isoformat(timespec='seconds')}Z,{call.task},{call.model},{'true' if solved < SUCCESS else 'false'}"
        for call, (judged, solved) in zip(as_configured, draws, strict=True)
        if judged < JUDGED
    ]
    return "\n".join(["ts,task,model,success", *lines]) + "\n"


def prices(example: str) -> str:
    """The example's overlay with the planted change on top."""
    data = yaml.safe_load(example)
    change = {name: float(amount) for name, amount in PRICE_CHANGE.usd_per_mtok.items()}
    data["book"] = "demo-overlay"
    data["models"].append(
        {
            "model": PRICE_CHANGE.model,
            "valid_from": PRICE_CHANGE.day,
            "usd_per_mtok": change,
            "note": "a negotiated rate, invented for this demo",
        }
    )
    return yaml.safe_dump(data, sort_keys=False)


def architecture_file(architecture: Architecture) -> str:
    """The fleet with the tokens that its logs are drawn around, and budgets that hold."""
    works = works_of(architecture)
    components = []
    for component in architecture.components:
        tokens = {name: round(float(mean)) for name, mean in works[component.name].profile.mean.items()}
        when: dict[str, Any] = (
            {"schedule": component.schedule}
            if component.schedule
            else {"runs_per_day": {"poisson": float(works[component.name].runs.per_day)}}
        )
        components.append(
            {"name": component.name, "agent": component.agent, "task": component.task, **when, "tokens": tokens}
        )
    data = {
        "name": "c-suite-demo",
        "timezone": architecture.timezone,
        "prices": PRICES,
        "model_routing": dict(architecture.model_routing),
        "components": components,
        "budgets": [
            {"name": "fleet-month", "usd": 250, "period": "month", "owner": "cfo"},
            {"name": "cto-month", "usd": 150, "period": "month", "scope": {"agent": "cto"}, "owner": "cto"},
        ],
    }
    return yaml.safe_dump(data, sort_keys=False, default_flow_style=None, width=110)


def attribution(architecture: Architecture) -> str:
    """Rules that read a call's component and task from its tags."""
    rules = [
        {
            "match": {"tags.request_tags": f'*"component:{c.name}"*'},
            "component": c.name,
            "agent": c.agent,
            "task": c.task,
        }
        for c in architecture.components
    ]
    return yaml.safe_dump({"attribution": rules}, sort_keys=False, default_flow_style=None, width=140)


def readme(calls: int) -> str:
    """What was planted, for whoever checks the review against it."""
    new = ", ".join(f"{name} ${amount}" for name, amount in PRICE_CHANGE.usd_per_mtok.items())
    return f"""# A worked month

Two months of calls of the article's fleet ({calls:,} calls), drawn by costsim's simulator. Three things
are planted in {MONTH}; the rest is noise:

1. **A price**: from {PRICE_CHANGE.day} {PRICE_CHANGE.model} costs {new} per million tokens (`{PRICES}`; invented).
2. **Drift**: from {DRIFT.day} {DRIFT.component} calls {DRIFT.went_to}; the routing says otherwise.
3. **A runaway**: on {RUNAWAY.day} {RUNAWAY.component} runs {RUNAWAY.times} times as often as usual.

`review.html` should find these and nothing else. It was made, in this folder, by:

    costsim load {LOGS} --attribution {ATTRIBUTION}
    costsim outcomes {OUTCOMES}
    costsim report --month {MONTH} --architecture {ARCHITECTURE} --out review.html
"""
