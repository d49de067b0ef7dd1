"""The examples of agents as they run: written without arithmetic by hand, within their budgets."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import costsim
import pytest
from costsim.analysis.architecture.load import read_architecture
from costsim.analysis.budgets.check import CheckSettings, check
from costsim.analysis.projection import Projection
from costsim.analysis.simulation.run import project
from costsim.analysis.simulation.settings import Settings

pytestmark = pytest.mark.slow

EXAMPLES = Path(costsim.__file__).parent / "examples"
FLEET, C_SUITE = (EXAMPLES / name / "architecture.yaml" for name in ("agent-fleet", "spawning-c-suite"))


def projected(file: Path) -> Projection:
    return project(read_architecture(file), Settings(date(2026, 12, 1), trials=200))


@pytest.mark.slow
def test_a_fleet_of_four_kinds_of_agents_takes_under_60_lines() -> None:
    assert len(FLEET.read_text().splitlines()) < 60
    routed = {row.name: row for row in projected(FLEET).plan("routed").components}
    planner, worker, coder = (routed[name] for name in ("planner", "worker", "coding-agent"))
    assert worker.runs_per_day == pytest.approx(planner.runs_per_day * 24 / 10)  # 3 with a chance of 0.8
    assert coder.session
    assert (coder.session.turns, routed["rag-bot"].runs_per_day) == (30, 40_000)
    assert coder.expected_error_percent is not None
    assert coder.expected_error_percent <= 0.1
    assert planner.with_spawned_usd_per_day == (planner.expected_usd_per_day or 0) + (worker.expected_usd_per_day or 0)


@pytest.mark.slow
def test_the_articles_agents_spawn_workers_on_the_models_of_its_table() -> None:
    result = projected(C_SUITE).plan("routed")
    trees = {tree.component: tree for tree in result.spawn_trees}
    assert {tree.model.rpartition("/")[2] for tree in trees.values()} == {
        "claude-opus-4-6", "claude-sonnet-4-6", "claude-sonnet-4-5",
    }  # fmt: skip
    below = {child.component: child.model.rpartition("/")[2] for child in trees["ceo"].children}
    assert below["monitor"] == "claude-haiku-4-5"
    assert below["large-code-task"] == "kimi-for-coding"
    # all roots with what they spawned are the whole fleet
    whole = sum(tree.with_spawned_usd_per_day or 0 for tree in trees.values())
    assert whole == pytest.approx(result.expected_usd_per_day)


@pytest.mark.parametrize("file", [FLEET, C_SUITE], ids=lambda file: file.parent.name)
def test_the_examples_keep_their_budgets(file: Path) -> None:
    assert check(file, CheckSettings(date(2026, 12, 1), trials=200)).exit_code == 0
