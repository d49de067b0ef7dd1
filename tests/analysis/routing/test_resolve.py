"""Which model a task gets: pins, the task's own line, the fallback, and what a plan moves."""

import pytest
from costsim.analysis.architecture.component import Component
from costsim.analysis.routing.resolve import Resolver, model_of_key, routed_model
from costsim.errors import ArchitectureError

ROUTING = {"triage": "a/small", "review": "a/large", "fallback": "a/middle"}


def test_a_task_gets_its_own_line_else_the_fallback() -> None:
    routed = Resolver(ROUTING)
    assert [routed.model("", task) for task in ("triage", "poetry", "")] == ["a/small", "a/middle", "a/middle"]
    assert Resolver({"triage": "a/small"}).model("", "poetry") is None


def test_a_known_component_has_its_own_task_and_a_pin_wins_over_the_routing() -> None:
    routed = Resolver(ROUTING, tasks={"desk": "review", "cron": "triage"}, pinned={"cron": "b/pinned"})
    assert routed.model("desk", "triage") == "a/large"
    assert routed.model("cron") == "b/pinned"


def test_a_plan_moves_components_before_tasks_before_everything_before_pins() -> None:
    plan = Resolver(
        ROUTING,
        tasks={"desk": "review", "cron": "triage", "other": "poetry", "third": "triage"},
        pinned={"desk": "b/pinned", "other": "b/pinned"},
        moved_components={"cron": "c/moved"},
        moved_tasks={"triage": "c/task", "fallback": "c/fallback"},
        everything="c/all",
    )
    models = [plan.model(name) for name in ("desk", "cron", "third", "other")]
    # review is a line of the routing that the plan does not move; poetry is on the fallback's, which it moves
    assert models == ["c/all", "c/moved", "c/task", "c/fallback"]


def test_a_policy_sends_runs_to_the_plans_model_of_a_key_or_to_a_model_in_full() -> None:
    assert Resolver(ROUTING).target("review") == "a/large"
    assert Resolver(ROUTING, moved_tasks={"review": "c/task"}, everything="c/all").target("review") == "c/task"
    assert Resolver(ROUTING, everything="c/all").target("triage") == "c/all"
    assert Resolver(ROUTING, everything="c/all").target("z/full") == model_of_key(ROUTING, "z/full") == "z/full"


def test_a_component_that_no_line_gives_a_model_is_an_error_that_names_both() -> None:
    component = Component(name="desk", task="poetry")
    with pytest.raises(
        ArchitectureError, match="component 'desk': no model; the routing has neither the task 'poetry'"
    ):
        routed_model(component, {"triage": "a/small"})
    assert routed_model(component.model_copy(update={"model": "b/pinned"}), {}) == "b/pinned"
