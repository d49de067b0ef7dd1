"""Runs that spawn runs: numbers multiply along the tree, costs add up along it, budgets hold one root run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from costsim.analysis.architecture.model import Architecture
from costsim.analysis.budgets.check import CheckSettings, check
from costsim.analysis.compare.architectures import difference
from costsim.analysis.compare.sides import Side
from costsim.analysis.projection import ComponentCost, Projection
from costsim.analysis.simulation.settings import Settings
from costsim.analysis.simulation.spawn_tree import MAX_DEPTH
from costsim.errors import ArchitectureError

Read = Callable[..., Architecture]
Project = Callable[..., Projection]
Written = Callable[..., Path]

DOLLAR = "lab/dollar"
OVERLAY = {
    "book": "lab",
    "source": "made for this test",
    "models": [{"model": DOLLAR, "usd_per_mtok": {"input": 1, "output": 1}}],
}
BESIDE = {"prices.yaml": OVERLAY}
START = date(2026, 6, 1)


def part(name: str, usd: float, **more: Any) -> dict[str, Any]:
    """A component whose run costs that."""
    return {"name": name, "model": DOLLAR, "tokens": {"input": round(usd * 1_000_000)}, **more}


def fleet(*components: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"prices": "prices.yaml", "components": list(components), **more}


def spawn(component: str, **more: Any) -> dict[str, Any]:
    return {"component": component, **more}


THREE_DEEP = fleet(
    part("planner", 1, runs_per_day=2, spawns=[spawn("worker", count=3, chance=0.5)]),
    part("worker", 0.5, spawns=[spawn("checker", count=2)], runs_per_day=1),
    part("checker", 0.1),
)


def rows(projection: Projection, plan: str = "routed") -> dict[str, ComponentCost]:
    return {row.name: row for row in projection.plan(plan).components}


def test_runs_multiply_along_the_tree(projected: Project) -> None:
    found = rows(projected(THREE_DEEP, BESIDE))
    # workers: 1 of their own and 2 x 3 x 0.5; checkers: twice as many
    assert {name: row.runs_per_day for name, row in found.items()} == {"planner": 2, "worker": 4, "checker": 8}
    assert {name: row.expected_usd_per_day for name, row in found.items()} == {
        "planner": 2, "worker": 2, "checker": Decimal("0.8"),
    }  # fmt: skip


def test_a_component_costs_alone_and_with_all_that_it_spawned(projected: Project) -> None:
    result = projected(THREE_DEEP, BESIDE)
    found = rows(result)
    # a worker with its checkers 0.5 + 2 x 0.1 = 0.7; a planner 1 + 1.5 x 0.7 = 2.05
    assert found["planner"].with_spawned_usd_per_day == Decimal("4.1")
    assert found["worker"].with_spawned_usd_per_day == Decimal("2.8")
    assert found["checker"].with_spawned_usd_per_day is None
    planner, worker = result.plan("routed").spawn_trees
    assert (planner.with_spawned_usd_per_day, planner.with_spawned_usd_per_run) == (Decimal("4.1"), Decimal("2.05"))
    assert (planner.children[0].runs_per_day, worker.runs_per_day) == (3, 1)
    assert planner.children[0].with_spawned_usd_per_day == Decimal("2.1")
    # the roots with all that they spawned are the whole fleet: 4.1 + 0.7
    assert worker.with_spawned_usd_per_day == Decimal("0.7")
    assert result.plan("routed").expected_usd_per_day == Decimal("4.8")


def test_a_count_may_vary_and_draws_have_its_mean(projected: Project) -> None:
    spawns = [spawn("worker", count={"low": 0, "high": 5})]
    data = fleet(part("planner", 0, runs_per_day=50, spawns=spawns, tokens={"output": 1}), part("worker", 1))
    result = projected(data, BESIDE, days=1)
    worker = rows(result)["worker"]
    assert worker.runs_per_day == 125
    # 50 counts of a variance of 25/12 + 1/6 (rounded at random): a standard deviation of about 10.6
    assert worker.p10_usd_per_day == pytest.approx(Decimal(125 - 14), abs=Decimal(3))
    assert worker.p90_usd_per_day == pytest.approx(Decimal(125 + 14), abs=Decimal(3))


def test_draws_of_workers_follow_those_of_their_planner(projected: Project) -> None:
    data = fleet(part("planner", 1, runs_per_day={"poisson": 20}, spawns=[spawn("worker", count=3)]), part("worker", 1))
    day = projected(data, BESIDE, days=1).plan("routed").days[0]
    # 4 USD a planner run: a Poisson day of 20 has its P10 at 14 and its P90 at 26 runs
    assert (day.p10_usd, day.p90_usd) == (56, 104)


def test_a_run_that_is_skipped_spawns_nothing(projected: Project) -> None:
    planner = part("planner", 1, runs_per_day=10, spawns=[spawn("worker")], fresh_for={"hit_rate": 0.4})
    result = projected(fleet(planner, part("worker", 1)), BESIDE)
    assert rows(result)["worker"].expected_usd_per_day == 6
    assert rows(result, "naive")["worker"].expected_usd_per_day == 10
    steps = {step.step: step.expected_usd_per_day for step in result.waterfall}
    assert steps == {"naive": 20, "routing": 20, "fresh_for": 12}


def test_a_circle_is_named(read: Read) -> None:
    data = fleet(
        part("a", 1, runs_per_day=1, spawns=[spawn("b")]),
        part("b", 1, spawns=[spawn("c")]),
        part("c", 1, spawns=[spawn("b")]),
    )
    with pytest.raises(ArchitectureError, match="spawns go in a circle: b -> c -> b"):
        read(data, BESIDE)


def test_an_unknown_component_cannot_be_spawned(read: Read) -> None:
    with pytest.raises(ArchitectureError, match="there is no component 'wroker' to spawn; did you mean 'worker'"):
        read(fleet(part("a", 1, runs_per_day=1, spawns=[spawn("wroker")]), part("worker", 1, runs_per_day=1)), BESIDE)


def test_a_component_that_nothing_runs_is_an_error(read: Read) -> None:
    with pytest.raises(ArchitectureError, match="or let another component spawn it"):
        read(fleet(part("a", 1)), BESIDE)


@pytest.mark.slow
def test_a_chain_of_any_depth_adds_up_and_is_drawn_as_far_as_people_read(projected: Project) -> None:
    """600 components in a row, each spawned once by the one before, $0.01 a run: a root run costs $6, twice a day $12."""
    row = [
        part(
            f"c{n}", 0.01, **({"spawns": [spawn(f"c{n + 1}")]} if n < 599 else {}), **({} if n else {"runs_per_day": 2})
        )
        for n in range(600)
    ]
    result = projected(fleet(*row), BESIDE)
    (tree,) = result.plan("routed").spawn_trees
    assert (tree.with_spawned_usd_per_run, tree.with_spawned_usd_per_day) == (6, 12)
    levels = 1
    while tree.children:
        (tree,), levels = tree.children, levels + 1
    assert levels == MAX_DEPTH
    assert len(result.model_dump_json()) > 100_000


def test_a_diamond_of_any_depth_is_walked_once(projected: Project) -> None:
    levels = [part("n0", 0, tokens={"output": 1}, runs_per_day=1, spawns=[spawn("n1", count=2), spawn("n1")])]
    levels += [
        part(f"n{k}", 0, tokens={"output": 1}, spawns=[spawn(f"n{k + 1}"), spawn(f"n{k + 1}", chance=0)])
        for k in range(1, 25)
    ]
    result = projected(fleet(*levels, part("n25", 1)), BESIDE, days=1, trials=10)
    assert rows(result)["n25"].runs_per_day == 3


@pytest.mark.parametrize(("usd", "status"), [(4, "pass"), (3.9, "fail")])
def test_a_budget_holds_one_root_run_with_all_that_it_spawns(written: Written, usd: float, status: str) -> None:
    budget = {
        "name": "one",
        "scope": {"component": "planner"},
        "period": "run",
        "with_spawned": True,
        "usd": usd,
        "at": "p99",
    }
    planner = part("planner", 1, runs_per_day=7, spawns=[spawn("worker", count=3)])
    file = written(fleet(planner, part("worker", 1), budgets=[budget]), BESIDE)
    result = check(file, CheckSettings(START))
    assert (result.status, result.budgets[0].value_usd) == (status, 4)
    assert "of planner with all that it spawns" in result.budgets[0].message


def test_a_chance_makes_the_p99_of_a_root_run_more_than_its_mean(written: Written) -> None:
    budget = {"name": "one", "period": "run", "with_spawned": True, "usd": 1, "at": "p99"}
    planner = part("planner", 1, runs_per_day=7, spawns=[spawn("worker", count=3, chance=0.2)])
    found = check(written(fleet(planner, part("worker", 1), budgets=[budget]), BESIDE), CheckSettings(START)).budgets[0]
    assert (found.expected_usd, found.p50_usd, found.p99_usd) == (Decimal("1.6"), 1, 4)


def test_a_difference_sees_what_more_spawns_cost(read: Read) -> None:
    def side(count: int) -> Side:
        planner = part("planner", 1, runs_per_day=2, spawns=[spawn("worker", count=count)])
        return Side(str(count), read(fleet(planner, part("worker", 1)), BESIDE), "list", "routed", Settings(START))

    found = difference(side(3), side(4))
    # two planners spawn one worker more each, on 30 days
    assert [(row.component, row.difference_usd) for row in found.components] == [("worker", 60)]
    cause = found.components[0].causes[0]
    assert (cause.cause, cause.message) == ("volume", "runs per day, spawned ones included: 6 -> 8")


def test_spawned_runs_are_priced_when_their_parents_run(projected: Project) -> None:
    models = [
        {"model": "lab/moving", "usd_per_mtok": {"input": 1}, "valid_to": "2026-06-01T12:00:00"},
        {"model": "lab/moving", "usd_per_mtok": {"input": 3}, "valid_from": "2026-06-01T12:00:00"},
    ]
    planner = part("planner", 0, tokens={"output": 1}, schedule="0 6 * * *", spawns=[spawn("worker", count=2)])
    worker = {**part("worker", 1), "model": "lab/moving"}
    overlay = {**OVERLAY, "models": [*OVERLAY["models"], *models]}
    result = projected(fleet(planner, worker), {"prices.yaml": overlay}, days=1)
    assert rows(result)["worker"].expected_usd_per_day == 2
