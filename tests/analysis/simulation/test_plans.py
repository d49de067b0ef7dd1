"""Plans: which model each component runs on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from costsim.analysis.architecture.model import Architecture
from costsim.analysis.projection import Projection
from costsim.analysis.simulation.plans import named_models, plans_of
from costsim.errors import ArchitectureError

Read = Callable[..., Architecture]
Project = Callable[..., Projection]

OPUS, SONNET, HAIKU = "anthropic/claude-opus-4-6", "anthropic/claude-sonnet-4-6", "anthropic/claude-haiku-4-5"
TOKENS = {"runs_per_day": 1, "tokens": {"input": 1000, "output": 100}}
FLEET: dict[str, Any] = {
    "model_routing": {"strategy": OPUS, "monitoring": HAIKU, "fallback": SONNET},
    "components": [
        {"name": "ceo", "task": "strategy", **TOKENS},
        {"name": "monitor", "task": "monitoring", **TOKENS},
        {"name": "odd-job", "task": "odds-and-ends", **TOKENS},
        {"name": "pinned", "task": "strategy", "model": SONNET, **TOKENS},
    ],
}


def models(read: Read, **plans: Any) -> dict[str, list[str]]:
    """Each plan's models, in the order of the components."""
    return {plan.name: list(plan.models.values()) for plan in plans_of(read(FLEET | {"plans": plans}), OPUS)}


def test_naive_and_routed_always_exist_and_naive_comes_first(read: Read) -> None:
    assert models(read) == {"naive": [OPUS] * 4, "routed": [OPUS, HAIKU, SONNET, SONNET]}


def test_a_task_that_the_routing_does_not_know_falls_back(read: Read) -> None:
    assert models(read)["routed"][2] == SONNET


def test_a_plan_moves_a_task_a_component_or_everything(read: Read) -> None:
    found = models(
        read,
        thrifty={"model_routing": {"strategy": SONNET}},
        one={"components": {"ceo": HAIKU}},
        all={"model": HAIKU},
        most={"model": HAIKU, "components": {"ceo": OPUS}},
    )
    assert found["thrifty"] == [SONNET, HAIKU, SONNET, SONNET]
    assert found["one"] == [HAIKU, HAIKU, SONNET, SONNET]
    assert found["all"] == [HAIKU] * 4
    assert found["most"] == [OPUS, HAIKU, HAIKU, HAIKU]


def test_a_plan_that_moves_the_fallback_moves_the_tasks_that_fall_back(read: Read) -> None:
    assert models(read, p={"model_routing": {"fallback": HAIKU}})["p"] == [OPUS, HAIKU, HAIKU, SONNET]


def test_the_naive_model_is_by_default_the_most_expensive_that_is_named(projected: Project) -> None:
    assert projected(FLEET).plans[0].message == f"every task on {OPUS}"
    assert projected(FLEET, naive=HAIKU).plans[0].message == f"every task on {HAIKU}"


def test_named_models_are_those_of_the_routing_and_of_pinned_components(read: Read) -> None:
    assert named_models(read(FLEET)) == [OPUS, HAIKU, SONNET]


def test_no_model_at_all_is_an_error(projected: Project) -> None:
    with pytest.raises(ArchitectureError, match=r"component 'a': no model; the routing has neither"):
        projected({"components": [{"name": "a", **TOKENS}]}, naive=OPUS)
    with pytest.raises(ArchitectureError, match="no model is named"):
        projected({"components": [{"name": "a", **TOKENS}]})


def test_a_plan_costs_what_its_models_cost(projected: Project) -> None:
    # 1,000 input and 100 output tokens: Opus 0.0075, Sonnet 0.0045, Haiku 0.0015 USD
    found = projected(FLEET | {"plans": {"thrifty": {"model_routing": {"strategy": SONNET}}}})
    costs = {plan.name: str(plan.expected_usd_per_day) for plan in found.plans}
    assert costs == {"naive": "0.03", "routed": "0.018", "thrifty": "0.015"}
    assert [(s.plan, s.baseline, str(s.expected_usd_per_day), str(s.percent)) for s in found.savings] == [
        ("routed", "naive", "0.012", "40"),
        ("thrifty", "naive", "0.015", "50"),
    ]
    assert [(c.name, str(c.expected_usd_per_day)) for c in found.savings[0].components] == [
        ("monitor", "0.006"),
        ("odd-job", "0.003"),
        ("pinned", "0.003"),
        ("ceo", "0"),
    ]
