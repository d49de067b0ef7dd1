"""Ranges and means that say what they are: stated factors, unknown means over price tiers, what nobody stated."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from costsim.analysis.architecture.distributions import (
    Distribution,
    Lognormal,
    Scaled,
    Triangular,
    Uniform,
    below,
)
from costsim.analysis.architecture.model import Architecture
from costsim.analysis.projection import PlanResult, Projection
from costsim.analysis.simulation.guessed import parse_share
from costsim.analysis.simulation.run import project
from costsim.analysis.simulation.settings import Settings
from costsim.errors import InputError

HAIKU, GEMINI = "anthropic/claude-haiku-4-5", "google/gemini-2.5-pro"
Read = Callable[..., Architecture]


def component(name: str = "a", **words: Any) -> dict[str, Any]:
    """On Haiku, 10 runs of a million input tokens are $10 per day."""
    return {"name": name, "model": HAIKU, "runs_per_day": 10, "tokens": {"input": 1_000_000}} | words


def projected(read: Read, *rows: dict[str, Any], days: int = 30, **settings: Any) -> Projection:
    return project(read({"components": list(rows)}), Settings(date(2026, 6, 1), days, 4000, **settings))


def routed(read: Read, *rows: dict[str, Any], days: int = 30, **settings: Any) -> PlanResult:
    return projected(read, *rows, days=days, **settings).plan("routed")


def test_a_factor_from_one_to_three_doubles_the_expected_cost(read: Read) -> None:
    # 30 days of $10, times a factor from 1 to 3: 600 on average, P10 of the factor 1.2, P90 2.8
    found = projected(read, component(uncertainty={"low": 1, "high": 3}))
    month = found.plan("routed").horizon
    assert month.expected_usd == 600
    assert float(month.p10_usd) == pytest.approx(360, rel=0.02)
    assert float(month.p90_usd) == pytest.approx(840, rel=0.02)
    assert any("1 to 3 times the cost, has a mean of 2" in warning for warning in found.warnings)


def test_a_factor_around_one_leaves_the_expected_cost(read: Read) -> None:
    found = projected(read, component(uncertainty={"low": "0.7", "high": "1.3"}))
    assert found.plan("routed").horizon.expected_usd == 300
    assert not found.warnings


def test_an_unknown_mean_over_a_context_tier_is_priced_over_its_distribution(read: Read) -> None:
    # Half of 100,000 to 300,000 tokens is up to 200,000: 150,000 on average at $1.25, the other 250,000 at $2.50, and
    # 1,000 output tokens at $10 and $15: (0.1875 + 0.01 + 0.625 + 0.015) / 2 = 0.41875
    tokens = {"input": {"low": 100_000, "high": 300_000, "varies": "mean"}, "output": 1000}
    plan = routed(read, component(model=GEMINI, runs_per_day=1, tokens=tokens), days=1)
    assert plan.horizon.expected_usd == Decimal("0.41875")
    # P10 is 120,000 tokens at $1.25 and the output: 0.16; P90 280,000 at $2.50: 0.715
    assert float(plan.horizon.p10_usd) == pytest.approx(0.16, rel=0.02)
    assert float(plan.horizon.p90_usd) == pytest.approx(0.715, rel=0.02)


def test_runs_of_a_trial_share_an_unknown_mean_and_its_tier(read: Read) -> None:
    tokens = {"input": {"low": 100_000, "high": 300_000, "varies": "mean"}}
    widths = []
    for runs in (1, 100):
        month = routed(read, component(model=GEMINI, runs_per_day=runs, tokens=tokens)).horizon
        widths.append(float(month.p90_usd / month.p10_usd))
        assert month.expected_usd == 30 * runs * Decimal("0.40625")
    assert widths[0] == pytest.approx(widths[1], rel=0.05)  # 0.70 / 0.15: it never averages out
    assert widths[1] == pytest.approx(4.67, rel=0.05)


def test_a_range_over_a_context_tier_is_integrated_exactly(read: Read) -> None:
    tokens = {"input": {"low": 100_000, "high": 300_000}}
    plan = routed(read, component(model=GEMINI, runs_per_day=1, tokens=tokens))
    assert plan.horizon.expected_usd == 30 * Decimal("0.40625")
    assert plan.components[0].expected_error_percent is None


def test_what_is_computed_on_a_grid_states_its_error(read: Read) -> None:
    tokens = {"input": {"low": 50_000, "high": 150_000}, "cache_read": {"low": 50_000, "high": 150_000}}
    found = projected(read, component(model=GEMINI, runs_per_day=1, tokens=tokens))
    row = found.plan("routed").components[0]
    assert row.expected_error_percent
    assert row.expected_error_percent < 0.2
    # By symmetry half of the runs have up to 200,000 tokens in all. Above, each class has on average 100,000 plus half
    # of the mean excess, which of a triangle of width 100,000 is 33,333: 116,667; below 83,333.
    # (83,333 x (1.25 + 0.125) + 116,667 x (2.5 + 0.25)) / 2 per million tokens = 0.217708
    assert float(row.expected_usd_per_day or 0) == pytest.approx(0.217708, rel=0.002)


@pytest.mark.parametrize(
    "part",
    [
        Uniform(Fraction(10), Fraction(30)),
        Triangular(Fraction(10), Fraction(15), Fraction(30)),
        Triangular(Fraction(10), Fraction(10), Fraction(30)),
        Triangular(Fraction(10), Fraction(30), Fraction(30)),
        Lognormal(Fraction(12), Fraction(40)),
        Scaled(Triangular(Fraction(1), Fraction(2), Fraction(4)), Fraction(7)),
    ],
)
@pytest.mark.parametrize("limit", [5, 12, 15, 22, 29, 45])
def test_partial_means_agree_with_many_quantiles(part: Distribution, limit: int) -> None:
    steps = part.quantile((np.arange(400_000) + 0.5) / 400_000)
    chance, share = below(part, Fraction(limit))
    assert float(chance) == pytest.approx(float((steps <= limit).mean()), abs=1e-5)
    assert float(share) == pytest.approx(float(np.where(steps <= limit, steps, 0).mean()), abs=2e-3)


def test_what_nobody_stated_is_said_beside_the_range(read: Read) -> None:
    stated = component("s", uncertainty={"low": "0.5", "high": "1.5"})
    others = [component(f"c{n}", runs_per_day={"poisson": 5}) for n in range(5)]
    note = projected(read, stated, *others).range_note
    assert note.startswith("no uncertainty is stated for 5 of 6 components: the range shows only chance")
    assert projected(read, stated).range_note == ""


def test_one_uncertainty_for_all_that_state_none(read: Read) -> None:
    rows = [component("a"), component("b", uncertainty={"low": 1, "high": 1})]
    plain = routed(read, *rows).horizon
    found = projected(read, *rows, uncertainty=parse_share("30%"))
    month = found.plan("routed").horizon
    assert plain.p10_usd == plain.p90_usd == month.expected_usd == 600
    # a alone varies: $300 x 0.76 and 1.24 at P10 and P90, b is $300
    assert float(month.p10_usd) == pytest.approx(300 + 300 * 0.76, rel=0.01)
    assert float(month.p90_usd) == pytest.approx(300 + 300 * 1.24, rel=0.01)
    assert found.range_note == ""


@pytest.mark.parametrize("text", ["", "x", "-3%", "0", "140%", "nan", "1e999999999"])
def test_an_uncertainty_that_is_no_share_is_one_line(text: str) -> None:
    with pytest.raises(InputError, match="write it like 30%"):
        parse_share(text)
