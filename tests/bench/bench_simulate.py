"""How quick the Monte Carlo is, as ratios within one run, and how much memory a large architecture takes.

    python tests/bench/bench_simulate.py [--components 12] [--trials 10000] [--days 30] [--large 1000]

(a) `simulate_plans` for two plans, against the time NumPy needs only to draw the random numbers it uses: the same
generator, distributions and shapes. Target: at most 2. (b) Many components in a process of their own: its time and
its peak memory. Target: below 4 GiB.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from costsim.analysis.architecture.load import read_architecture
from costsim.analysis.architecture.model import Architecture
from costsim.analysis.simulation.costs import Costs
from costsim.analysis.simulation.plans import plans_of
from costsim.analysis.simulation.settings import Settings
from costsim.analysis.simulation.simulate import simulate_plans
from costsim.analysis.simulation.streams import generator
from costsim.analysis.simulation.workload import Horizon

START = date(2026, 6, 1)
HAIKU, SONNET = "anthropic/claude-haiku-4-5", "anthropic/claude-sonnet-4-6"
TARGET_RATIO, TARGET_GIB = 2.0, 4.0


def architecture(folder: Path, components: int) -> Architecture:
    """Components of 48 runs per day, each with random input and output tokens."""
    rows = [
        {
            "name": f"component-{n}",
            "schedule": "*/30 * * * *",
            "tokens": {
                "input": {"low": 1000 + n, "mode": 2000 + n, "high": 9000 + n},
                "output": {"p50": 300 + n, "p95": 800 + n},
            },
        }
        for n in range(components)
    ]
    file = folder / "bench.yaml"
    file.write_text(json.dumps({"model_routing": {"fallback": HAIKU}, "components": rows}))
    return read_architecture(file)


def simulation(components: int, days: int, trials: int) -> tuple[Callable[[], object], Costs]:
    """A call that simulates a naive and a routed plan, everything exact already computed, and its costs."""
    with tempfile.TemporaryDirectory() as folder:
        read = architecture(Path(folder), components)
    horizon = Horizon.of(START, days, ZoneInfo("UTC"))
    settings = Settings(start=START, days=days, trials=trials)
    costs = Costs.of(read, horizon, "list", SONNET)
    plans = plans_of(read, SONNET)
    for plan in plans:
        for name, model in plan.models.items():
            _ = costs.costing(name, model).expected_usd
    return lambda: simulate_plans(read, plans, costs.planned, horizon, settings), costs


def only_draw(costs: Costs, days: int, trials: int) -> None:
    """The same gamma draws, into the same shapes, and nothing else."""
    for name, work in costs.works.items():
        rng = generator(1, name)
        for part in work.profile.parts.values():  # type: ignore[union-attr]
            mean = float(part.mean)
            sums = np.empty((days, trials))
            for day, runs in enumerate(work.runs.expected):
                rng.standard_gamma(float(runs) * mean * mean / part.variance, out=sums[day])


def best_of(times: int, call: Callable[[], object]) -> float:
    """The shortest of a few runs, in seconds."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        found.append(time.perf_counter() - began)
    return min(found)


def measure_ratio(components: int, days: int, trials: int, times: int = 5) -> float:
    """Simulation over bare draws; the two alternate, so that a busy machine slows both."""
    simulate, costs = simulation(components, days, trials)
    pairs = [(best_of(1, simulate), best_of(1, lambda: only_draw(costs, days, trials))) for _ in range(times)]
    simulated, drawn = min(s for s, _ in pairs), min(d for _, d in pairs)
    print(f"{components} components x {days} days x {trials:,} trials, 2 plans")
    print(f"  simulate_plans {simulated * 1e3:8.1f} ms")
    print(f"  only the draws {drawn * 1e3:8.1f} ms")
    print(f"  ratio          {simulated / drawn:8.2f}    (target: at most {TARGET_RATIO})")
    return simulated / drawn


def measure_memory(components: int, days: int, trials: int) -> float:
    """Peak GiB of a process that simulates that many components, everything included."""
    arguments = [sys.executable, __file__, "--alone", str(components), "--days", str(days), "--trials", str(trials)]
    seconds, kib = map(float, subprocess.run(arguments, check=True, capture_output=True, text=True).stdout.split())
    gib = kib / 2**20
    print(f"{components:,} components x {days} days x {trials:,} trials, 2 plans")
    print(f"  time           {seconds:8.1f} s")
    print(f"  peak memory    {gib:8.2f} GiB (target: below {TARGET_GIB})")
    return gib


def alone(components: int, days: int, trials: int) -> None:
    """Simulate once and print seconds and peak KiB: for a process of its own."""
    began = time.perf_counter()
    simulation(components, days, trials)[0]()
    print(time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def main(arguments: list[str] | None = None) -> tuple[float, float] | None:
    """Print both measurements; returns (ratio, GiB)."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--components", type=int, default=12)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--large", type=int, default=1000)
    parser.add_argument("--alone", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.alone:
        alone(given.alone, given.days, given.trials)
        return None
    ratio = measure_ratio(given.components, given.days, given.trials)
    return ratio, measure_memory(given.large, given.days, given.trials)


if __name__ == "__main__":
    main()
