"""Anomalies: spikes are found, shifts of the level and plain noise are not."""

from __future__ import annotations

import math
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest
from costsim.analysis.forecast.anomalies import anomalies, anomalies_by_component
from costsim.analysis.forecast.student import quantile, tail
from costsim.money import to_usd
from numpy.typing import NDArray

MONDAY = date(2026, 6, 1)
JULY = (date(2026, 7, 1), date(2026, 7, 31))
JULY_1 = 30
"""July begins 30 days after the first of June; the histories below are of June and July, 61 days."""
WEEK = np.array([1.0, 1.05, 1.1, 1.0, 0.9, 0.5, 0.45])
Costs = NDArray[np.float64]


def rows(costs: Costs) -> list[tuple[date, Decimal]]:
    return [(MONDAY + timedelta(n), to_usd(float(cost))) for n, cost in enumerate(costs) if cost > 0]


def poisson(seed: int, calls: float = 150, days: int = 61) -> Costs:
    """Calls by weekday, at a cent each: nothing but Poisson noise."""
    return np.random.default_rng(seed).poisson(calls * WEEK[np.arange(days) % 7]) / 100


def noise(seed: int, cv: float, days: int = 61) -> Costs:
    return 10 * WEEK[np.arange(days) % 7] * np.exp(cv * np.random.default_rng(seed).standard_normal(days))


def anomalous_days(costs: Costs, first: date = JULY[0], last: date = JULY[1]) -> list[int]:
    return [(found.day - MONDAY).days for found in anomalies(rows(costs), first, last)]


def test_a_day_of_three_times_the_usual_is_found_and_nothing_else() -> None:
    for seed in range(20):
        costs, day = noise(seed, cv=0.12), JULY_1 + seed
        costs[day] *= 3
        assert anomalous_days(costs) == [day]


def test_an_anomaly_says_what_would_have_been_usual() -> None:
    costs = noise(1, cv=0.1)
    costs[40] = 33.0  # 2026-07-11, a Saturday: usual is 10 * 0.5
    found = anomalies(rows(costs), *JULY, component="heartbeat")[0]
    assert (found.component, found.usd) == ("heartbeat", 33)
    assert float(found.expected_usd) == pytest.approx(5, rel=0.15)
    assert found.low_usd < found.expected_usd < found.high_usd < found.usd
    assert found.score > 6
    assert "Saturday 2026-07-11" in found.message
    assert "times what is usual" in found.message


@pytest.mark.parametrize(
    "costs_of", [poisson, lambda seed: poisson(seed, calls=8), lambda seed: poisson(seed, calls=0.7)]
)
def test_poisson_noise_with_weekdays_raises_no_alarm(costs_of: object) -> None:
    # The chance of any alarm in a month is held to 1 %: of 60 months, two would be a bad sign
    assert callable(costs_of)
    assert sum(bool(anomalous_days(costs_of(seed))) for seed in range(60)) <= 1


@pytest.mark.parametrize("cv", [0.05, 0.3])
def test_overdispersed_noise_raises_no_alarm(cv: float) -> None:
    assert sum(bool(anomalous_days(noise(seed, cv))) for seed in range(60)) <= 1


@pytest.mark.parametrize("factor", [0.4, 1.3, 2.5])
def test_a_shift_of_the_level_is_no_anomaly(factor: float) -> None:
    for seed in range(10):
        costs = noise(seed, cv=0.08)
        costs[JULY_1 + 10 :] *= factor
        assert anomalous_days(costs) == []


def test_a_spike_after_a_shift_is_found() -> None:
    costs = noise(3, cv=0.08)
    costs[JULY_1 + 10 :] *= 1.5
    costs[JULY_1 + 20] *= 3
    assert anomalous_days(costs) == [JULY_1 + 20]


def test_two_anomalies_in_a_row_are_both_found() -> None:
    costs = noise(4, cv=0.08)
    costs[40:42] *= 4
    assert anomalous_days(costs) == [40, 41]


def test_days_still_going_on_are_reported_once() -> None:
    costs = noise(5, cv=0.08)
    costs[-3:] *= 4
    found = anomalies(rows(costs), *JULY)
    assert [day.day for day in found] == [date(2026, 7, 29)]
    assert "2 after it" in found[0].message


def test_a_day_without_cost_in_a_fleet_that_never_rests_is_an_anomaly() -> None:
    costs = noise(6, cv=0.08)
    costs[44] = 0
    found = anomalies(rows(costs), *JULY)
    assert [(day.day, day.usd) for day in found] == [(date(2026, 7, 15), 0)]
    assert found[0].score < 0


def test_weekends_without_cost_are_usual_and_an_expensive_one_is_not() -> None:
    costs = noise(7, cv=0.08)
    costs[np.arange(61) % 7 >= 5] = 0
    assert anomalous_days(costs) == []
    costs[JULY_1 + 10] = 40.0  # 2026-07-11, a Saturday, at four times a weekday's cost
    assert anomalous_days(costs) == [JULY_1 + 10]


def test_a_component_that_ends_is_no_anomaly_every_day_after() -> None:
    costs = noise(8, cv=0.08)
    costs[JULY_1 + 10 :] = 0
    history = [*rows(costs), (MONDAY + timedelta(60), Decimal(0))]
    assert anomalies(history, *JULY) == []


def test_a_component_of_constant_cost_is_no_anomaly_for_a_cent() -> None:
    costs = np.full(61, 5.0)
    costs[40] = 5.4
    assert anomalous_days(costs) == []
    costs[40] = 15.0
    assert anomalous_days(costs) == [40]


@pytest.mark.parametrize("known", [0, 1, 13])
def test_of_too_few_days_nothing_is_said(known: int) -> None:
    costs = noise(9, cv=0.1, days=known)
    if known:
        costs[-1] *= 10
    assert anomalous_days(costs, MONDAY, MONDAY + timedelta(30)) == []


def test_a_gradual_rise_is_no_anomaly() -> None:
    assert anomalous_days(noise(10, cv=0.08) * np.exp(0.02 * np.arange(61))) == []


@pytest.mark.slow
def test_components_share_the_false_alarms() -> None:
    # 40 components of noise: still no more than one month in a hundred with an alarm
    months = 0
    for month in range(10):
        histories = {f"c{n}": rows(noise(1000 * month + n, cv=0.15)) for n in range(40)}
        months += bool(anomalies_by_component(histories, *JULY))  # type: ignore[arg-type]
    assert months <= 1


def test_the_total_and_the_component_are_reported_the_most_expensive_first() -> None:
    quiet, loud = noise(11, cv=0.06), noise(12, cv=0.06)
    loud[40] *= 5
    histories = {"quiet": rows(quiet), None: rows(quiet + loud), "loud": rows(loud)}
    found = anomalies_by_component(histories, *JULY)
    assert [(anomaly.component, anomaly.day) for anomaly in found] == [
        (None, date(2026, 7, 11)),
        ("loud", date(2026, 7, 11)),
    ]


def test_only_the_days_asked_for_are_reported() -> None:
    costs = noise(13, cv=0.08)
    costs[[10, 40]] *= 4
    assert anomalous_days(costs) == [40]
    assert anomalous_days(costs, JULY[1], JULY[0]) == []


@pytest.mark.parametrize(
    ("freedom", "t", "chance"),
    # The usual tables: t of 0.05, 0.025 and 0.0005 in one tail
    [(2, 2.920, 0.05), (10, 2.228, 0.025), (30, 3.646, 0.0005), (60, 1.671, 0.05)],
)
def test_students_t_by_the_tables(freedom: int, t: float, chance: float) -> None:
    assert tail(t, freedom) == pytest.approx(chance, rel=2e-3)
    assert quantile(chance, freedom) == pytest.approx(t, abs=1e-3)


def test_two_degrees_of_freedom_have_a_closed_form() -> None:
    # P(T > t) = (1 - t / sqrt(2 + t^2)) / 2
    for t in (0.5, 3.0, 40.0):
        assert tail(t, 2) == pytest.approx((1 - t / math.sqrt(2 + t * t)) / 2, rel=1e-6)
