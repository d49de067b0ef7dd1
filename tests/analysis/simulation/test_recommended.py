"""Which plan a projection recommends: the cheapest that meets the budgets of the whole."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from costsim.analysis.architecture.model import Architecture
from costsim.analysis.projection import Projection
from costsim.analysis.simulation.run import project
from costsim.analysis.simulation.settings import Settings

FLEET: dict[str, Any] = {
    "name": "fleet",
    "model_routing": {"watch": "anthropic/claude-opus-4-6", "small": "anthropic/claude-haiku-4-5"},
    "plans": {"frugal": {"model": "anthropic/claude-haiku-4-5"}},
    "components": [
        {"name": "w", "agent": "cto", "task": "watch", "runs_per_day": 10, "tokens": {"input": 100_000, "output": 0}}
    ],
}


@pytest.fixture
def projected(read: Callable[..., Architecture]) -> Callable[..., Projection]:
    def run(**given: Any) -> Projection:
        return project(read(FLEET | given), Settings(date(2026, 11, 2), 30, 1, 200))

    return run


def test_the_cheapest_plan_is_recommended_and_compared_with_the_budget(projected: Callable[..., Projection]) -> None:
    found = projected(budgets=[{"name": "all", "usd": 100, "at": "mean"}])
    # 1M tokens per day: Opus $5, Haiku $1; 30 days $150 and $30
    assert found.recommended == "frugal"
    assert {(use.plan, use.usd, use.within) for use in found.budgets} == {
        ("naive", Decimal(150), False),
        ("routed", Decimal(150), False),
        ("frugal", Decimal(30), True),
    }


def test_without_a_plan_that_meets_the_budget_the_cheapest_is_shown(projected: Callable[..., Projection]) -> None:
    found = projected(budgets=[{"name": "all", "usd": 20, "period": "month"}])
    assert found.recommended == "frugal"
    assert not any(use.within for use in found.budgets)


def test_a_budget_of_one_component_or_of_one_run_says_nothing_of_the_whole(
    projected: Callable[..., Projection],
) -> None:
    scoped = {"name": "w", "usd": 1, "scope": {"component": "w"}}
    run = {"name": "run", "usd": 1, "period": "run", "scope": {"component": "w"}}
    assert projected(budgets=[scoped, run]).budgets == []


def test_a_plan_with_something_unpriced_is_not_the_cheapest(projected: Callable[..., Projection]) -> None:
    found = projected(plans={"unknown": {"model": "acme/nonesuch"}})
    assert found.plan("unknown").expected_usd_per_day == 0
    assert found.recommended != "unknown"
