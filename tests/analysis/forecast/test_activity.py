"""Whether days to come cost anything: what is known of days of no cost, from few days and from many."""

from __future__ import annotations

import numpy as np
import pytest
from costsim.analysis.forecast.activity import draw_active

TRIALS = 4000


def chances(pattern: str, first: int = 0) -> list[float]:
    """By weekday, the chance of a cost in the week after these days (x: cost, .: none); `first` is their weekday."""
    costs = np.array([float(day == "x") for day in pattern])
    known = (first + np.arange(len(costs))) % 7
    active = draw_active(costs, known, np.arange(7), TRIALS, np.random.default_rng(1))
    return [float(share) for share in active.mean(axis=0)]


def test_two_weeks_in_which_no_day_rests_leave_no_doubt() -> None:
    # the first day is there because the days begin with a cost: it counts for nothing, so a day more than 14
    assert chances("x" * 15) == [1.0] * 7


def test_five_working_days_leave_the_weekend_open() -> None:
    week = chances("xxxxx")
    assert min(week[:5]) > 0.95
    assert 0.6 < week[5] < 0.95


def test_a_saturday_that_ran_speaks_for_the_sunday() -> None:
    assert chances("xxxxxx")[6] > chances("xxxxx")[6] + 0.05
    assert chances("xxxxxx")[6] > 0.93


def test_working_days_and_weekends_of_rest_differ_from_days_at_random() -> None:
    week = chances("xxxxx.." * 3)
    assert min(week[:5]) > 0.95
    assert max(week[5:]) < 0.1


def test_days_at_random_share_a_chance_and_no_weekday_is_certain() -> None:
    # 10 of 30 days at random: with half-lives of 14 days about a third
    week = chances("x..x....xx.x.....x..x..xx..x..")
    assert all(0.1 < share < 0.65 for share in week)


def test_the_first_day_says_nothing_of_how_often_days_cost_something() -> None:
    # after it one of four days cost something: nearer to a quarter than to two fifths
    assert sum(chances("x.x..")) / 7 == pytest.approx(0.3, abs=0.15)


def test_a_weekly_job_keeps_its_weekday() -> None:
    week = chances("x......" * 6, first=2)
    assert week[2] > 0.9
    assert sum(week) - week[2] < 0.5


def test_working_days_that_never_rested_go_on_though_weekends_rest() -> None:
    # twelve weeks: 60 working days without a rest; days that would count for half after 14 days would leave 3 % of rest
    assert min(chances("xxxxx.." * 12)[:5]) > 0.98


def test_many_days_at_random_leave_little_doubt_of_their_chance() -> None:
    # one day in six over 84 days: a standard error of 4 points where all days count, of 8 where they halve in 14 days
    pattern = "x.....x....x.......x.....x..x........x.....x....x......x........x...x.......x.x....."
    assert sum(chances(pattern)) / 7 == pytest.approx(13 / 83, abs=0.04)


def test_a_fleet_that_stopped_is_believed_to_have_stopped() -> None:
    # forty days at work, then twenty of rest: chances that change explain them, by one chance for all days a third
    assert max(chances("x" * 40 + "." * 20)) < 0.45


def test_a_week_of_rest_after_the_first_cost_still_leaves_days_at_random() -> None:
    # none of eight: a chance that all days share is Beta(0.5, 8.5), whose mean is 1 in 18
    assert min(chances("x........")) > 0.03
