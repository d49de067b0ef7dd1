"""The range of a difference is that of what differs: what both sides have alike is drawn alike and cancels.

A lognormal of p50 m and p95 q has sigma = ln(q / m) / 1.6449, mean m exp(sigma^2 / 2) and variance
mean^2 (exp(sigma^2) - 1). Input of p50 1,000 and p95 5,000: sigma 0.9784, mean 1,614, standard deviation 2,049.
Claude Sonnet 4.5 costs $3 a million input tokens, $15 a million output tokens.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from math import exp, log, sqrt
from typing import Any

import pytest
from costsim.analysis.architecture.model import Architecture
from costsim.analysis.compare.architectures import difference
from costsim.analysis.compare.results import ArchitectureDifference
from costsim.analysis.compare.sides import Side
from costsim.analysis.simulation.settings import Settings

pytestmark = pytest.mark.slow

INPUT, OUTPUT = {"p50": 1_000, "p95": 5_000}, {"p50": 2_000, "p95": 9_000}
START = date(2026, 6, 1)
DAYS, Z95, Z90 = 30, 1.6449, 1.2816


def usd_deviation(tokens: dict[str, int], usd_per_mtok: float, runs: float) -> float:
    """Of the cost of so many runs."""
    sigma = log(tokens["p95"] / tokens["p50"]) / Z95
    mean = tokens["p50"] * exp(sigma**2 / 2)
    return sqrt(runs * (exp(sigma**2) - 1)) * mean * usd_per_mtok / 1e6


def component(runs: Any = 20, input: Any = INPUT, output: Any = OUTPUT, **more: Any) -> dict[str, Any]:
    return {"name": "bot", "runs_per_day": runs, "tokens": {"input": input, "output": output}, **more}


Compare = Callable[[dict[str, Any], dict[str, Any]], ArchitectureDifference]


def width(found: ArchitectureDifference) -> float:
    return float(found.p90_usd - found.p10_usd)


def test_where_the_input_becomes_certain_the_output_adds_nothing_to_the_range(compare: Compare) -> None:
    found = compare(component(), component(input=1_500))
    assert width(found) == pytest.approx(2 * Z90 * usd_deviation(INPUT, 3, 20 * DAYS), rel=0.06)  # 2 x 1.28 x $0.15


def test_an_unknown_factor_of_one_percent_moves_one_percent(compare: Compare) -> None:
    """Triangular between 0.99 and 1.01 of $30.25 or so: P10 and P90 are at 0.55 % of it, not at chance's 8 %."""
    found = compare(component(), component(uncertainty={"low": "0.99", "high": "1.01"}))
    assert found.difference_usd == 0
    assert width(found) < 0.02 * float(found.before_usd)


@pytest.mark.slow
def test_more_runs_add_the_range_of_these_runs(compare: Compare) -> None:
    found = compare(component(runs=200), component(runs=210))
    own = sqrt(usd_deviation(INPUT, 3, 10 * DAYS) ** 2 + usd_deviation(OUTPUT, 15, 10 * DAYS) ** 2)
    assert width(found) == pytest.approx(2 * Z90 * own, rel=0.06)


@pytest.mark.slow
def test_more_poisson_runs_add_the_range_of_a_poisson_number_of_them(compare: Compare) -> None:
    """The variance of a Poisson number of costs is the number times their mean square: the runs' number varies too."""
    found = compare(component(runs={"poisson": 200}), component(runs={"poisson": 210}))
    runs = 10 * DAYS
    own = usd_deviation(INPUT, 3, runs) ** 2 + usd_deviation(OUTPUT, 15, runs) ** 2
    each = float(found.difference_usd) / runs
    assert width(found) == pytest.approx(2 * Z90 * sqrt(own + runs * each**2), rel=0.06)


@pytest.mark.slow
@pytest.mark.parametrize("runs", [20, 80, 120, 400])
def test_a_slightly_wider_distribution_is_a_slight_difference_however_it_is_drawn(compare: Compare, runs: int) -> None:
    """From some number of runs on a day's sum is a gamma draw, below it is put together from a pool of runs."""
    found = compare(component(runs=runs), component(runs=runs, output={"p50": 2_000, "p95": 9_300}))
    assert found.p10_usd > 0
    assert width(found) < float(found.difference_usd)


def test_with_another_model_only_the_price_differs(compare: Compare) -> None:
    """Haiku 4.5 costs a third of Sonnet 4.5 per token: the saving is two thirds of the draws themselves."""
    found = compare(component(), component(model="anthropic/claude-haiku-4-5"))
    own = sqrt(usd_deviation(INPUT, 2, 20 * DAYS) ** 2 + usd_deviation(OUTPUT, 10, 20 * DAYS) ** 2)
    assert width(found) == pytest.approx(2 * Z90 * own, rel=0.06)


def test_a_side_that_is_drawn_otherwise_is_independent(compare: Compare) -> None:
    """A session of one turn and the same tokens: nothing couples the two, so both ranges are in the difference."""
    session = {"name": "bot", "runs_per_day": 20, "tokens": {"session": {"turns": 1, "input": INPUT, "output": OUTPUT}}}
    found = compare(component(), session)
    one = usd_deviation(INPUT, 3, 20 * DAYS) ** 2 + usd_deviation(OUTPUT, 15, 20 * DAYS) ** 2
    assert width(found) == pytest.approx(2 * Z90 * sqrt(2 * one), rel=0.08)


@pytest.fixture(name="compare")
def _compare(read: Callable[..., Architecture]) -> Compare:
    def compared(base: dict[str, Any], head: dict[str, Any]) -> ArchitectureDifference:
        steady = {**component(runs={"poisson": 50}), "name": "steady"}
        routing = {"fallback": "anthropic/claude-sonnet-4-5"}
        fleets = [read({"model_routing": routing, "components": [one, steady]}) for one in (base, head)]
        chosen = Settings(START, days=DAYS, trials=10_000)
        found = difference(
            *(Side(name, fleet, "list", "routed", chosen) for name, fleet in zip("ab", fleets, strict=True))
        )
        assert found.unchanged == 1
        return found

    return compared
