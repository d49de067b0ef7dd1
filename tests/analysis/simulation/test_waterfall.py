"""The waterfall's steps add up exactly, and the Shapley values do without an order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from costsim.analysis.architecture.model import Architecture
from costsim.analysis.architecture.policies import POLICIES
from costsim.analysis.projection import Projection
from costsim.analysis.simulation.costs import Costs
from costsim.analysis.simulation.plans import plans_of
from costsim.analysis.simulation.waterfall import ExactStep, Game, steps
from costsim.analysis.simulation.workload import Horizon
from hypothesis import given, settings
from hypothesis import strategies as st
from thorough import examples

Read = Callable[..., Architecture]

HAIKU, SONNET, OPUS = "anthropic/claude-haiku-4-5", "anthropic/claude-sonnet-4-6", "anthropic/claude-opus-4-6"
ROUTING = {"small": HAIKU, "code": SONNET, "large": "google/gemini-2.5-pro", "fallback": HAIKU}
SHARES = st.decimals(0, 1, places=2).map(str)

ROWS = st.builds(
    lambda when, tokens, task, policies: {**when, "tokens": tokens, "task": task, **policies},
    st.sampled_from([{"schedule": "*/30 * * * *"}, {"schedule": "0 */5 * * *"}, {"runs_per_day": {"poisson": 9}}]),
    st.fixed_dictionaries({"input": st.integers(1_000, 300_000), "output": st.integers(0, 9_000)}),
    st.sampled_from(["small", "code"]),
    st.fixed_dictionaries(
        {},
        optional={
            "fresh_for": st.sampled_from(["2h", "1d", {"hit_rate": "0.5"}]),
            "batch_with": st.builds(
                lambda n, k: {"tasks": n, "overhead_tokens": k}, st.integers(1, 6), st.integers(0, 1_000)
            ),
            "large_context": st.just({"over": 100_000, "use": "large"}),
            "escalate": SHARES.map(lambda p: {"probability": p, "start": "small", "to": OPUS}),
            "cache": st.builds(lambda s, ttl: {"share": s, "ttl": ttl}, SHARES, st.sampled_from(["5m", "1h"])),
            "retry": SHARES.map(lambda f: {"failure_rate": f, "max_attempts": 3}),
        },
    ),
)


def costs_of(read: Read, rows: list[dict[str, Any]], order: list[str] | None = None) -> Costs:
    components = [{"name": f"c{n}", **row} for n, row in enumerate(rows)]
    architecture = read({"model_routing": ROUTING, "components": components, "policy_order": order or []})
    return Costs.of(architecture, Horizon.of(date(2026, 6, 1), 2, ZoneInfo("UTC")), "list")


def steps_of(costs: Costs, order: list[str]) -> list[ExactStep]:
    naive, routed, *_ = plans_of(costs.architecture, OPUS)
    return steps(costs, naive, routed, order)  # type: ignore[arg-type]


@pytest.mark.slow
@settings(max_examples=examples(8, 25), deadline=None)
@given(rows=st.lists(ROWS, min_size=1, max_size=3), order=st.permutations(POLICIES))
def test_steps_and_shapley_values_add_up_to_the_whole_saving(
    read: Read, rows: list[dict[str, Any]], order: list[str]
) -> None:
    costs = costs_of(read, rows)
    naive, routed, *_ = plans_of(costs.architecture, OPUS)
    whole = costs.plan_usd_per_day(naive, "list"), costs.plan_usd_per_day(routed, "list")
    assert whole[0] is not None
    assert whole[1] is not None
    found = steps_of(costs, order)
    assert sum(step.saved for step in found) == whole[0] - whole[1]  # fractions: equal to the last digit
    policies = sum((step.shapley or Fraction(0) for step in found), Fraction(0))
    assert found[1].saved + policies == whole[0] - whole[1]
    again = {step.name: step.shapley for step in steps_of(costs, list(reversed(order)))}
    assert again == {step.name: step.shapley for step in found}
    idle = {name for name in POLICIES if not any(name in row for row in rows)}
    assert all(step.saved == step.shapley == 0 for step in found if step.name in idle)


def test_a_game_worked_by_hand() -> None:
    # costs: {} 10, {cache} 6, {retry} 11, both 8. cache saves 4 first or 3 last: 3.5; retry -1 first, -2 last: -1.5
    costs: dict[frozenset[str], int] = {
        frozenset(): 10,
        frozenset({"cache"}): 6,
        frozenset({"retry"}): 11,
        frozenset({"cache", "retry"}): 8,
    }
    game = Game(frozenset({"cache", "retry"}), lambda chosen: Fraction(costs[chosen]))
    assert (game.shapley("cache"), game.shapley("retry"), game.shapley("escalate")) == (
        Fraction(7, 2),
        Fraction(-3, 2),
        0,
    )


def test_a_subscription_that_only_a_policy_uses_counts_in_its_step(projected: Callable[..., Projection]) -> None:
    # 10 runs of 0.06 on Haiku, a tenth of a Poisson... all are over the threshold: 0.60 less, and 0.25 flat
    overlay = {
        "book": "lab",
        "source": "test",
        "subscriptions": [{"name": "kimi", "models": ["lab/kimi"], "usd_per_day": "0.25"}],
        "models": [],
    }
    row = {"name": "a", "task": "small", "runs_per_day": 10, "tokens": {"input": 60_000}}
    content = {
        "prices": "prices.yaml",
        "model_routing": ROUTING,
        "components": [{**row, "large_context": {"use": "lab/kimi"}}],
    }
    found = projected(content, {"prices.yaml": overlay}, days=2, trials=5, naive=HAIKU)
    last = found.waterfall[-1]
    assert (last.step, last.expected_usd_per_day) == ("large_context", Decimal("0.25"))
    assert last.saved_usd_per_day == last.shapley_usd_per_day == Decimal("0.35")
    assert found.plan("routed").expected_usd_per_day == Decimal("0.25")


@pytest.mark.parametrize("order", [["cache", "batch_with"], ["batch_with", "cache"]])
def test_the_file_says_the_order(projected: Callable[..., Projection], order: list[str]) -> None:
    row = {"name": "a", "task": "small", "schedule": "*/5 * * * *", "tokens": {"input": 9_000, "output": 9}}
    row |= {"cache": {"share": "0.5", "ttl": "1h"}, "batch_with": {"tasks": 3, "overhead_tokens": 900}}
    content = {"model_routing": ROUTING, "components": [row], "policy_order": order}
    found = projected(content, days=1, trials=5)
    assert [step.step for step in found.waterfall] == ["naive", "routing", *order]
    saved = sum(step.saved_usd_per_day for step in found.waterfall)
    assert saved == found.waterfall[0].expected_usd_per_day - found.plan("routed").expected_usd_per_day


def test_without_policies_there_is_no_waterfall(projected: Callable[..., Projection]) -> None:
    row = {"name": "a", "task": "small", "runs_per_day": 1, "tokens": {"input": 9_000}}
    assert projected({"model_routing": ROUTING, "components": [row]}, days=1, trials=5).waterfall == []


def test_the_waterfall_is_shown_in_the_terminal_and_in_markdown(costsim: Callable[..., Any], tmp_path: Any) -> None:
    (tmp_path / "a.yaml").write_text(
        "model_routing: {small: anthropic/claude-haiku-4-5, fallback: anthropic/claude-sonnet-4-6}\n"
        "components:\n"
        "  - {name: beat, task: small, schedule: '*/30 * * * *', tokens: {input: 10000, output: 100},"
        " cache: {share: 0.8}}\n"
    )
    shown = costsim("run", "a.yaml", "--trials", "10")
    assert "Where the saving comes from" in shown.out
    assert "never finds its 5m cache warm" in shown.out
    markdown = costsim("run", "a.yaml", "--trials", "10", "--format", "markdown")
    assert "| cache |" in markdown.out
