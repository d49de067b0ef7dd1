"""Large fleets: fewer draws of each component, and sums as wide as if every component were drawn for every trial."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pytest
from costsim.analysis.architecture.model import Architecture
from costsim.analysis.compare.architectures import difference
from costsim.analysis.compare.sides import Pair, Side
from costsim.analysis.projection import Projection
from costsim.analysis.simulation import fleets, simulate
from costsim.analysis.simulation.fleets import dominant, families, put_together, spread, variance_and_kurtosis
from costsim.analysis.simulation.gamma import gamma_sum
from costsim.analysis.simulation.run import project
from costsim.analysis.simulation.settings import Settings

Read = Callable[..., Architecture]
SETTINGS = Settings(date(2026, 12, 1), days=2, trials=4_000)


def row(n: int, input_tokens: int = 2000) -> dict[str, Any]:
    """Poisson runs of random tokens; the first ones cost as much as a hundred others, and spawn the next."""
    tokens = {"input": {"low": 1000, "mode": input_tokens + n, "high": 9000 + n}, "output": {"p50": 300, "p95": 800}}
    many = {"name": f"c{n}", "task": "xy"[n % 2], "runs_per_day": {"poisson": 500}, "tokens": tokens}
    if n == 0:
        return many | {"runs_per_day": {"low": 1000, "mode": 20_000, "high": 60_000, "varies": "mean"}}
    if n == 1:
        return many | {"spawns": [{"component": "c2", "count": {"low": 1, "mode": 2, "high": 9}}]}
    return many


def fleet(read: Read, components: int) -> Architecture:
    return read(fleet_file(components))


def fleet_file(components: int, input_tokens: int = 2000) -> dict[str, Any]:
    routing = {"x": "anthropic/claude-haiku-4-5", "fallback": "anthropic/claude-sonnet-4-6"}
    return {"model_routing": routing, "components": [row(n, input_tokens) for n in range(components)]}


@pytest.fixture(scope="module")
def both(read: Read) -> tuple[Projection, Projection]:
    """A fleet just large enough, drawn as a large one, and as if it were small."""
    large = fleet(read, fleets.LARGE + 1)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(simulate, "is_large", lambda fleet, trials: False)
        drawn = project(large, SETTINGS)
    return project(large, SETTINGS), drawn


@pytest.mark.slow
def test_sums_of_a_large_fleet_have_the_range_of_drawn_ones_within_one_percent(
    both: tuple[Projection, Projection],
) -> None:
    for put, drawn in zip(both[0].plans, both[1].plans, strict=True):
        for name in ("p10_usd", "p50_usd", "p90_usd"):
            mine, full = getattr(put.horizon, name), getattr(drawn.horizon, name)
            assert float(mine) == pytest.approx(float(full), rel=0.01)
        for here, there in zip(put.days, drawn.days, strict=True):
            assert float(here.p10_usd) == pytest.approx(float(there.p10_usd), rel=0.01)
            assert float(here.p90_usd) == pytest.approx(float(there.p90_usd), rel=0.01)
    saved, full_saved = both[0].savings[0], both[1].savings[0]
    assert float(saved.p90_usd_per_day) == pytest.approx(float(full_saved.p90_usd_per_day), rel=0.01)


@pytest.mark.slow
def test_expected_costs_of_a_large_fleet_are_the_exact_ones(both: tuple[Projection, Projection]) -> None:
    for put, drawn in zip(both[0].plans, both[1].plans, strict=True):
        assert put.horizon.expected_usd == drawn.horizon.expected_usd
        assert [part.expected_usd_per_day for part in put.components] == [
            part.expected_usd_per_day for part in drawn.components
        ]


@pytest.mark.slow
def test_every_component_of_a_large_fleet_keeps_a_range_of_its_own(both: tuple[Projection, Projection]) -> None:
    parts = zip(both[0].plans[1].components, both[1].plans[1].components, strict=True)
    for put, drawn in parts:
        assert put.name == drawn.name
        assert put.p10_usd_per_day
        assert put.p90_usd_per_day
        assert drawn.p90_usd_per_day
        assert float(put.p90_usd_per_day) == pytest.approx(float(drawn.p90_usd_per_day), rel=0.05)


def test_the_component_that_decides_the_width_is_drawn_in_full(both: tuple[Projection, Projection]) -> None:
    # c0's mean is unknown between 1,000 and 60,000 runs: its draws are those of the small fleet, to the digit
    put, drawn = both[0].plans[1].components[0], both[1].plans[1].components[0]
    assert (put.p10_usd_per_day, put.p90_usd_per_day) == (drawn.p10_usd_per_day, drawn.p90_usd_per_day)


def test_the_result_says_how_a_large_fleet_is_drawn_and_a_small_one_does_not(
    read: Read, both: tuple[Projection, Projection]
) -> None:
    assert fleets.METHOD in both[0].assumptions
    assert "200 components" in fleets.METHOD
    assert "1,000 times" in fleets.METHOD
    small = project(fleet(read, 3), Settings(date(2026, 12, 1), days=1, trials=1_001))
    assert fleets.METHOD not in small.assumptions


@pytest.mark.slow
def test_a_seed_decides_every_draw_of_a_large_fleet_and_no_expected_cost(read: Read) -> None:
    large = fleet(read, fleets.LARGE + 1)
    first, again, other = (project(large, Settings(date(2026, 12, 1), 1, trials=1_001, seed=n)) for n in (1, 1, 2))
    assert first == again
    ranges = [(found.plans[1].horizon.p10_usd, found.plans[1].horizon.p90_usd) for found in (first, other)]
    assert ranges[0] != ranges[1]
    assert first.plans[1].horizon.expected_usd == other.plans[1].horizon.expected_usd


@pytest.mark.slow
def test_a_difference_of_large_fleets_has_the_range_of_drawn_ones(read: Read) -> None:
    chosen = Settings(date(2026, 12, 1), days=2, trials=2_000)
    architectures = fleet(read, fleets.LARGE + 1), read(fleet_file(fleets.LARGE + 1, input_tokens=3000))
    sides = [Side(label, of, of.book, "routed", chosen) for label, of in zip("ab", architectures, strict=True)]
    put = difference(*sides)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Pair, "large", False)
        drawn = difference(*sides)
    assert put.difference_usd == drawn.difference_usd
    assert float(put.p10_usd) == pytest.approx(float(drawn.p10_usd), rel=0.01)
    assert float(put.p90_usd) == pytest.approx(float(drawn.p90_usd), rel=0.01)


def test_smooth_gamma_draws_have_the_quantiles_of_a_gamma_and_change_little_with_its_shape() -> None:
    # runs of mean 3 and variance 9 x 0.5: 100 of them have the mean 300 and the variance 450
    runs = np.array([[100.0], [0.0]])
    drawn = {n: gamma_sum(runs * n, 3, 4.5, np.random.default_rng(1), 200_000, smooth=True) for n in (1, 1.001)}
    exact = gamma_sum(runs, 3, 4.5, np.random.default_rng(2), 200_000, smooth=False)
    assert not drawn[1][1].any()
    assert drawn[1][0].mean() == pytest.approx(300, rel=0.001)
    assert drawn[1][0].var() == pytest.approx(450, rel=0.01)
    levels = [0.01, 0.1, 0.5, 0.9, 0.99]
    assert np.quantile(drawn[1][0], levels) == pytest.approx(np.quantile(exact[0], levels), rel=0.005)
    assert (drawn[1.001][0] - drawn[1][0]).std() < 0.03  # of a standard deviation of 21


def test_components_that_spawn_one_another_are_one_family(read: Read) -> None:
    named = [[member.name for member in family] for family in families(fleet(read, 5).components)]
    assert named == [["c0"], ["c1", "c2"], ["c3"], ["c4"]]


def test_components_that_share_the_draws_of_a_forecast_are_no_large_fleet(read: Read) -> None:
    large = fleet(read, fleets.LARGE + 1)
    assert fleets.is_large(large, 10_000)
    assert not fleets.is_large(large, fleets.DRAWN)
    assert not fleets.is_large(large.model_copy(update={"forecast": "costsim.duckdb"}), 10_000)


def test_every_draw_comes_into_as_many_trials_as_any_other() -> None:
    drawn = np.arange(6.0).reshape(2, 3)  # two days, three draws, into nine trials: three times each
    total = spread(drawn, 9, "family", seed=1)
    assert sorted(total[0]) == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert (total[1] - total[0] == 3).all()  # the days of a draw stay together
    put_together(total, drawn, "family", 1, sign=-1)
    assert not total.any()


def test_a_family_is_drawn_in_full_where_it_decides_a_sum() -> None:
    # 100 alike: sum of (1/100)^2 x 2 = 0.02, less than half of (2 x 0.005)^2 x 1000; with one of 50 times that: (1/3)^2 x 2
    alike = {f"f{n}": np.array([[1.0, 0.0]]) for n in range(100)}
    draws = dict.fromkeys([*alike, "large", "constant"], fleets.DRAWN)
    assert dominant(alike, draws) == []
    assert dominant(alike | {"large": np.array([[50.0, 0.0]])}, draws) == ["large"]
    assert dominant({"constant": np.array([[0.0, 0.0]])}, draws) == []


def test_fewer_draws_of_a_family_know_its_part_of_a_width_less_well() -> None:
    # 11 alike: 11 x (1/11)^2 x 2 / 1000 = 0.00018, and (2 x 0.01)^2 / 2 = 0.0002 may be left; with 250 draws three of
    # (1/11)^2 x 2 / 250 = 0.000066 each
    alike = {f"f{n}": np.array([[1.0, 0.0]]) for n in range(11)}
    assert dominant(alike, dict.fromkeys(alike, fleets.DRAWN)) == []
    assert dominant(alike, dict.fromkeys(alike, fleets.FEW)) == [*alike][:8]


def test_what_is_drawn_once_for_all_days_is_drawn_more_often(read: Read) -> None:
    components = fleet(read, 4).components  # c0's mean is unknown; c1 spawns c2; all others are drawn anew every day
    assert [fleets.draws_of(family, days=30) for family in families(components)] == [1000, 250, 250]
    assert fleets.draws_of(components[3:], days=2) == fleets.DRAWN
    for once in (
        {"uncertainty": {"low": 1, "mode": 1, "high": 2}},
        {"tokens": {"input": {"p50": 9, "p95": 20, "varies": "mean"}}},
    ):
        changed = read({"model_routing": {"fallback": "openai/gpt-5"}, "components": [row(3) | once]})
        assert fleets.draws_of(changed.components, days=30) == fleets.DRAWN


def test_variance_and_kurtosis_are_around_the_mean_of_each_row() -> None:
    # -1 and 1 alternating, around 5 and around 9: variance 1, fourth moment 1, excess kurtosis 1 - 3
    assert variance_and_kurtosis(np.array([[[4.0, 6.0], [8.0, 10.0]]])).tolist() == [[1.0, -2.0]]
    assert variance_and_kurtosis(np.full((1, 2, 3), 7.0)).tolist() == [[0.0, 0.0]]
