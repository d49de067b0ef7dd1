"""The what-if of the plan page: each component on each model, adding up to the plans."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from costsim.analysis.architecture.model import Architecture
from costsim.analysis.move_results import WhatIf
from costsim.analysis.simulation.run import costs_of, project
from costsim.analysis.simulation.settings import Settings
from costsim.analysis.simulation.what_if import what_if

OPUS, HAIKU = "anthropic/claude-opus-4-6", "anthropic/claude-haiku-4-5"
TOKENS = {"input": 100_000, "output": 0}
FLEET: dict[str, Any] = {
    "name": "fleet",
    "model_routing": {"watch": OPUS, "small": HAIKU},
    "budgets": [{"name": "all", "usd": 200, "at": "mean"}, {"name": "daily", "usd": 9, "period": "day"}],
    "components": [
        {"name": "w", "agent": "cto", "task": "watch", "runs_per_day": 10, "tokens": TOKENS},
        {"name": "v", "agent": "cto", "task": "watch", "runs_per_day": 10, "tokens": TOKENS, "model": HAIKU},
    ],
}


@pytest.fixture
def choices(read: Callable[..., Architecture]) -> WhatIf:
    settings = Settings(date(2026, 11, 2), 30, 1, 200)
    costs = costs_of(read(FLEET), settings)
    return what_if(costs, project(read(FLEET), settings))


def test_each_component_costs_what_it_would_on_each_model(choices: WhatIf) -> None:
    # 1M tokens per day and component: Opus $5, Haiku $1; 30 days
    assert choices.models == [OPUS, HAIKU]
    assert [(row.component, row.now, row.now_usd, row.usd, row.movable) for row in choices.rows] == [
        ("w", OPUS, Decimal(150), [Decimal(150), Decimal(30)], True),
        ("v", HAIKU, Decimal(30), [Decimal(150), Decimal(30)], False),  # its own model: the routing does not move it
    ]


def test_a_choice_is_compared_with_the_baseline_and_the_budget_of_a_month(choices: WhatIf) -> None:
    assert (choices.baseline, choices.baseline_usd) == ("naive", Decimal(300))
    assert (choices.limit, choices.limit_usd) == ("all", Decimal(200))
    assert choices.routing == FLEET["model_routing"]
