"""How quick large fleets are: `run`, `check` and `diff` of 1,000 mixed components, and `run` of 10,000.

    python tests/bench/bench_fleets.py [--components 1000] [--large 10000] [--days 30] [--trials 10000]

Each command is a process of its own, from start to end: its seconds and its peak memory. The fleet is mixed: constant
and random tokens, crons, poisson and unknown runs, calibrated costs, caches, retries, escalation, batches, freshness,
spawned runs, and sessions; two plans, with budgets. Targets for 1,000 components: 10 s, 10 s, 8 s (all change), each
within 4 GiB; 10,000 components run.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

TARGETS = {"run": 10.0, "check": 10.0, "diff": 8.0}
TARGET_GIB = 4.0
ROUTING = {
    "strategy": "anthropic/claude-opus-4-6", "coding": "anthropic/claude-sonnet-4-6", "review": "openai/gpt-5",
    "research": "google/gemini-2.5-pro", "triage": "anthropic/claude-haiku-4-5", "curation": "openai/gpt-5-mini",
    "monitoring": "google/gemini-2.5-flash", "fallback": "anthropic/claude-sonnet-4-5",
}  # fmt: skip
TASKS = tuple(ROUTING)[:-1]
LANES = 20
"""Components of every kind: one in so many has a given mix of schedule, tokens and policies."""


def component(n: int, turned: int = 0) -> dict[str, Any]:
    """The nth component; `turned` changes its tokens, so that two fleets differ in every one of them."""
    lane, m = n % LANES, n + turned
    ranged = {"low": 1000 + m, "mode": 2000 + m, "high": 9000 + m}
    skewed = {"p50": 300 + m % 700, "p95": 1400 + m % 700}
    row: dict[str, Any] = {
        "name": f"component-{n}",
        "agent": f"agent-{n % 40}",
        "task": TASKS[n % len(TASKS)],
        "tokens": {"input": ranged, "output": skewed},
        "schedule": f"{n % 60} * * * *",
    }
    match lane:
        case 0:
            row |= {"tokens": {"input": 4000 + m, "output": 300}, "schedule": f"*/{5 + n % 25} * * * *"}
        case 1 | 2:
            row |= {"schedule": f"{n % 60} {n % 24} * * *"}
        case 3 | 4 | 5:
            row |= {"runs_per_day": {"poisson": 20 + n % 400}}
        case 6:
            row |= {"runs_per_day": {"low": 50, "mode": 100 + n % 200, "high": 600}}
        case 7:
            row |= {"runs_per_day": {"low": 50, "mode": 100, "high": 300, "varies": "mean"}}
        case 8:
            row |= {"calibrate": {"daily_usd": 2 + m % 5, "input_per_output": 8}}
        case 9:
            row |= {"runs_per_day": {"poisson": 30}, "cache": {"share": 0.7}}
        case 10:
            row |= {"retry": {"failure_rate": 0.05, "max_attempts": 3}}
        case 11:
            row |= {"runs_per_day": {"poisson": 200}, "escalate": {"probability": 0.2, "start": "triage"}}
        case 12:
            row |= {"runs_per_day": 96, "batch_with": {"tasks": 4, "overhead_tokens": 1000}}
        case 13:
            row |= {"fresh_for": "6h"}
        case 14:
            row |= {"uncertainty": {"low": 0.8, "mode": 1, "high": 1.5}}
        case 15:
            row |= {"tokens": {"input": ranged | {"high": 400_000}, "output": skewed}}
        case 16:
            row |= {"spawns": [{"component": f"component-{n + 1}", "count": {"low": 1, "mode": 2, "high": 5}}]}
        case 18 if n % (5 * LANES) == 18:
            session = {"turns": {"p50": 12, "p95": 40}, "prompt": 12_000 + m, "input": ranged, "output": skewed}
            row |= {"tokens": {"session": session}, "runs_per_day": {"poisson": 12}}
        case _:
            row |= {"schedule": f"*/{10 + n % 20} * * * *"}
    return without_unused(row)


def without_unused(row: dict[str, Any]) -> dict[str, Any]:
    """Runs per day replace the schedule, a calibrated cost the tokens."""
    unused = {"schedule"} if "runs_per_day" in row else set()
    return {
        key: value for key, value in row.items() if key not in unused | ({"tokens"} if "calibrate" in row else set())
    }


def fleet(components: int, turned: int = 0) -> dict[str, Any]:
    """An architecture file of so many components."""
    return {
        "name": f"fleet of {components}",
        "model_routing": ROUTING,
        "components": [component(n, turned) for n in range(components)],
        "budgets": [
            {"name": "all", "usd": 10**9},
            *(
                {"name": f"agent-{n}", "scope": {"agent": f"agent-{n}"}, "period": "day", "usd": 10**8}
                for n in range(min(40, components))
            ),
        ],
    }


def write_fleet(file: Path, components: int, turned: int = 0) -> Path:
    """Write it; JSON is YAML."""
    file.write_text(json.dumps(fleet(components, turned), indent=1))
    return file


if __name__ == "__main__":
    f = write_fleet(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
