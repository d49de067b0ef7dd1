"""How quick large fleets are: `run`, `check` and `diff` of 1,000 mixed components, and `run` of 10,000.

    python tests/bench/bench_fleets.py [--components 1000] [--large 10000] [--days 30] [--trials 10000]

Each command is a process of its own, from start to end: its seconds and its peak memory. The fleet is mixed: constant
and random tokens, crons, poisson and unknown runs, calibrated costs, caches, retries, escalation, batches, freshness,
spawned runs, and sessions; two plans, with budgets. Targets for 1,000 components: 10 s, 10 s, 8 s (all change), each
within 4 GiB; 10,000 components run.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

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
    m = n + turned
    ranged = {"low": 1000 + m, "mode": 2000 + m, "high": 9000 + m}
    skewed = {"p50": 300 + m % 700, "p95": 1400 + m % 700}
    usual = {
        "name": f"component-{n}",
        "agent": f"agent-{n % 40}",
        "task": TASKS[n % len(TASKS)],
        "tokens": {"input": ranged, "output": skewed},
        "schedule": f"*/{10 + n % 20} * * * *",
    }
    session = {"turns": {"p50": 12, "p95": 40}, "prompt": 12_000 + m, "input": ranged, "output": skewed}
    lanes: dict[int, dict[str, Any]] = {
        0: {"tokens": {"input": 4000 + m, "output": 300}, "schedule": f"*/{5 + n % 25} * * * *"},
        1: {"schedule": f"{n % 60} {n % 24} * * *"},
        2: {"schedule": f"{n % 60} {n % 24} * * *"},
        **{lane: {"runs_per_day": {"poisson": 20 + n % 400}} for lane in (3, 4, 5)},
        6: {"runs_per_day": {"low": 50, "mode": 100 + n % 200, "high": 600}},
        7: {"runs_per_day": {"low": 50, "mode": 100, "high": 300, "varies": "mean"}},
        8: {"calibrate": {"daily_usd": 2 + m % 5, "input_per_output": 8}},
        9: {"runs_per_day": {"poisson": 30}, "cache": {"share": 0.7}},
        10: {"retry": {"failure_rate": 0.05, "max_attempts": 3}},
        11: {"runs_per_day": {"poisson": 200}, "escalate": {"probability": 0.2, "start": "triage"}},
        12: {"runs_per_day": 96, "batch_with": {"tasks": 4, "overhead_tokens": 1000}},
        13: {"fresh_for": "6h"},
        14: {"uncertainty": {"low": 0.8, "mode": 1, "high": 1.5}},
        15: {"tokens": {"input": ranged | {"high": 400_000}, "output": skewed}},
        16: {"spawns": [{"component": f"component-{n + 1}", "count": {"low": 1, "mode": 2, "high": 5}}]},
    }
    if n % (5 * LANES) == 18:
        return without_unused(usual | {"tokens": {"session": session}, "runs_per_day": {"poisson": 12}})
    return without_unused(usual | lanes.get(n % LANES, {}))


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
    """Write it as YAML."""
    file.write_text(yaml.dump(fleet(components, turned), Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper)))
    return file


def measure(command: list[str]) -> tuple[float, float, float]:
    """Seconds on the clock, seconds of the processor, and peak GiB of one command in a process of its own."""
    began = time.perf_counter()
    ended = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, status, used = os.wait4(ended.pid, 0)
    assert os.waitstatus_to_exitcode(status) in (0, 1), ended.stderr and ended.stderr.read().decode()
    return time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 2**20


def show(name: str, components: int, found: tuple[float, float, float], target: str = "") -> None:
    """One line of a measurement."""
    clock, processor, gib = found
    print(f"{name:6} {components:7,} components {clock:8.1f} s {processor:8.1f} s of CPU {gib:6.2f} GiB {target}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--components", type=int, default=1000)
    parser.add_argument("--large", type=int, default=10_000, help="0: not measured")
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--trials", type=int, default=10_000)
    given = parser.parse_args()
    print(f"load average {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        base = write_fleet(Path(folder) / "base.yaml", given.components)
        head = write_fleet(Path(folder) / "head.yaml", given.components, turned=7)
        costsim, start = [sys.executable, "-m", "costsim"], "2026-12-01"
        run = ["--start", start, "--days", str(given.days), "--trials", str(given.trials), "--format", "json"]
        commands = {
            "run": [*costsim, "run", str(base), *run],
            "check": [*costsim, "check", str(base), "--today", start],
            "diff": [*costsim, "diff", str(base), str(head), "--start", start],
        }
        for name, command in commands.items():
            show(name, given.components, measure(command), f"(target: {TARGETS[name]:g} s, {TARGET_GIB:g} GiB)")
        if given.large:
            many = write_fleet(Path(folder) / "many.yaml", given.large)
            show("run", given.large, measure([*costsim, "run", str(many), *run]))
    print(f"load average {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
