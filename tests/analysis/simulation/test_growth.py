"""Growth of runs, at a rate or in dated steps; and a cache's ttl compared with any traffic."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from math import exp
from typing import Any

import pytest
from costsim.analysis.architecture.model import Architecture
from costsim.analysis.projection import PlanResult
from costsim.analysis.simulation.run import project
from costsim.analysis.simulation.settings import Settings
from costsim.errors import ArchitectureError

HAIKU = "anthropic/claude-haiku-4-5"
Read = Callable[..., Architecture]


def component(name: str = "a", **words: Any) -> dict[str, Any]:
    """On Haiku, 10 runs of a million input tokens are $10 per day."""
    return {"name": name, "model": HAIKU, "runs_per_day": 10, "tokens": {"input": 1_000_000}} | words


def routed(read: Read, *rows: dict[str, Any], days: int = 62, **keys: Any) -> PlanResult:
    return project(read({"components": list(rows), **keys}), Settings(date(2026, 6, 1), days, 2000)).plan("routed")


def test_ten_percent_a_month_is_a_tenth_more_from_month_to_month(read: Read) -> None:
    by_day = {day.day: day.expected_usd for day in routed(read, component(growth="10% a month")).days}
    assert by_day[date(2026, 6, 1)] == 10
    assert by_day[date(2026, 7, 1)] == 11
    assert by_day[date(2026, 8, 1)] == Decimal("12.1")
    # Half of June: 10 x 1.1^(15/30)
    assert float(by_day[date(2026, 6, 16)]) == pytest.approx(10 * 1.1**0.5)


def test_growth_begins_with_the_component_and_may_be_of_the_whole_file(read: Read) -> None:
    rows = (component("a", start=date(2026, 7, 1)), component("b", growth="-50% per month"))
    plan = routed(read, *rows, growth="100% a month")
    by_day = {day.day: day.expected_usd for day in plan.days}
    assert by_day[date(2026, 7, 1)] == 10 + 5
    assert by_day[date(2026, 8, 1)] == 20 + Decimal("2.5")


def test_dated_steps_are_times_the_stated_runs(read: Read) -> None:
    steps = [{"from": "2026-06-11", "times": "1.5"}, {"from": "2026-06-21", "times": 3}]
    plan = routed(read, component(growth=steps), days=30)
    # 10 days of $10, of $15 and of $30
    assert plan.horizon.expected_usd == 100 + 150 + 300


@pytest.mark.parametrize("runs", [{"poisson": 10}, {"low": 5, "high": 15}, {"low": 5, "high": 15, "varies": "run"}])
def test_draws_grow_as_the_mean_does(read: Read, runs: Any) -> None:
    month = routed(read, component(runs_per_day=runs, growth=[{"from": "2026-06-01", "times": 4}]), days=30).horizon
    assert month.expected_usd == 1200
    assert float(month.p50_usd) == pytest.approx(1200, rel=0.03)


@pytest.mark.parametrize("growth", ["ten percent", "10%", "5000% a month", "-100% a month", [], "10% a day or so"])
def test_what_is_no_growth_is_one_line(read: Read, growth: Any) -> None:
    if growth == []:
        assert routed(read, component(growth=growth)).horizon.expected_usd == 620
        return
    with pytest.raises(ArchitectureError, match="write it like 10% a month"):
        read({"components": [component(growth=growth)]})


def test_a_cache_with_a_ttl_takes_any_traffic(read: Read) -> None:
    # 288 runs per day are one in 5 minutes on average: at random, a run finds the cache warm with 1 - e^-1
    # Haiku: cold 100,000 x $1.25, warm x $0.10 per million tokens
    tokens = {"input": 100_000}
    cache = {"share": 1, "ttl": "5m"}
    warm = 1 - exp(-1)
    usd = 288 * (0.125 * (1 - warm) + 0.01 * warm)
    hourly = {day: [12] * 24 for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
    for runs in (288, {"low": 100, "high": 476}, {"poisson": 288}, {"hourly": hourly}):
        plan = routed(read, component(runs_per_day=runs, tokens=tokens, cache=cache), days=7)
        assert float(plan.expected_usd_per_day) == pytest.approx(usd, rel=1e-6)


def test_weekdays_and_weekends_are_shown_apart(read: Read) -> None:
    plan = routed(read, component(weekdays_only=True), days=7)
    assert (plan.weekday_usd_per_day, plan.weekend_usd_per_day) == (Decimal(10), Decimal(0))
