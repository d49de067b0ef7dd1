"""What many components keep in memory: their exact costs, not the runs that they are drawn from."""

from __future__ import annotations

import tracemalloc
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from costsim.analysis.architecture.model import Architecture
from costsim.analysis.simulation.costs import Costs
from costsim.analysis.simulation.plans import plans_of
from costsim.analysis.simulation.profiles import Joint
from costsim.analysis.simulation.workload import Horizon

MODEL = "anthropic/claude-sonnet-4-5"
ESCALATES = {"escalate": {"probability": 0.1, "to": "anthropic/claude-opus-4-6"}, "cache": {"share": 0.5}}


def component(number: int, **more: Any) -> dict[str, Any]:
    """One whose escalated call may lie beyond 200,000 tokens, where its model's prices change."""
    tokens = {"input": {"p50": 1_000 + number, "p95": 5_000}, "output": {"low": 10, "mode": 100, "high": 900}}
    return {"name": f"c{number}", "agent": "a", "task": "t", "runs_per_day": 10, "tokens": tokens, **more}


@pytest.mark.slow
def test_the_grids_of_many_components_are_not_kept() -> None:
    """A grid of 65,536 runs of two classes is 1 MiB, and its brackets are as much again. Eight grids stay at hand."""
    components = [component(n, **ESCALATES) for n in range(30)]
    routing = {"t": MODEL, "fallback": MODEL}
    architecture = Architecture.model_validate({"name": "f", "model_routing": routing, "components": components})
    costs = Costs.of(architecture, Horizon.of(date(2026, 12, 1), 3, ZoneInfo("UTC")), "list", MODEL)
    plan = next(plan for plan in plans_of(architecture, MODEL) if plan.name == "routed")
    costed = [costs.planned(f"c{n}", plan) for n in range(10)]
    assert isinstance(costed[0].profile, Joint)
    tracemalloc.start()
    try:
        for n in range(10, 30):
            assert costs.planned(f"c{n}", plan).horizon_usd > 0
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 8 * 2**20 + 20 * 100_000
