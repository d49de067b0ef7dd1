"""Workloads: how often components run, what their runs use, what is not known about them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from costsim.analysis.architecture.model import Architecture
from costsim.analysis.simulation.costs import Costs
from costsim.analysis.simulation.profiles import Independent, Joint
from costsim.analysis.simulation.workload import Horizon, Work
from costsim.errors import InputError

Read = Callable[..., Architecture]

HAIKU = "anthropic/claude-haiku-4-5"


def work(
    read: Read, beside: dict[str, Any] | None = None, *, first: date = date(2026, 6, 1), days: int = 7, **words: Any
) -> Work:
    """The work of one component in a week from Monday, 1 June 2026."""
    row = {"name": "a", "model": HAIKU, "tokens": {"input": 1000}} | words
    architecture = read({"timezone": "Europe/Berlin", "components": [row]}, beside)
    return Costs.of(architecture, Horizon.of(first, days, ZoneInfo("Europe/Berlin")), "list").works["a"]


def counts(read: Read, **words: Any) -> list[float]:
    return [float(count) for count in work(read, **words).runs.expected]


def test_a_rate_is_a_number_a_range_or_a_poisson_mean(read: Read) -> None:
    assert counts(read, runs_per_day="2.5") == [2.5] * 7
    assert counts(read, runs_per_day={"poisson": 6}) == [6] * 7
    assert counts(read, runs_per_day={"low": 1, "high": 3}) == [2] * 7
    assert counts(read, runs_per_day={"low": 1, "mode": 3, "high": 8}) == [4] * 7


def test_a_range_of_runs_is_what_we_do_not_know_unless_it_says_that_days_vary(read: Read) -> None:
    assert work(read, runs_per_day={"low": 1, "high": 3}).runs.law == "mean"
    assert work(read, runs_per_day={"low": 1, "high": 3, "varies": "run"}).runs.law == "day"


def test_weekdays_only_leaves_out_saturday_and_sunday(read: Read) -> None:
    assert counts(read, runs_per_day=2, weekdays_only=True) == [2, 2, 2, 2, 2, 0, 0]
    assert counts(read, schedule="0 7 * * *", weekdays_only=True) == [1, 1, 1, 1, 1, 0, 0]


def test_start_and_end_days_both_count(read: Read) -> None:
    assert counts(read, runs_per_day=1, start="2026-06-02", end="2026-06-03") == [0, 1, 1, 0, 0, 0, 0]


def test_a_cron_runs_in_its_own_time_zone_and_counts_on_our_days(read: Read) -> None:
    # 23:30 in New York is 5:30 of the next day in Berlin; Friday's run falls on Saturday
    found = counts(read, schedule="30 23 * * 1-5", timezone="America/New_York")
    assert found == [0, 1, 1, 1, 1, 1, 0]


def test_days_on_which_clocks_change_have_46_or_50_half_hours(read: Read) -> None:
    assert counts(read, schedule="*/30 * * * *", first=date(2026, 3, 28), days=3) == [48, 46, 48]
    assert counts(read, schedule="*/30 * * * *", first=date(2026, 10, 24), days=3) == [48, 50, 48]
    assert counts(read, runs_per_day=48, first=date(2026, 3, 28), days=3) == [48, 48, 48]  # a rate is by the day


def test_rates_by_the_hour_count_the_hours_that_a_day_has(read: Read) -> None:
    # Sunday, 29 March has no hour from 2 to 3, 25 October has it twice
    by_hour = [0, 0, 7, *[1] * 21]
    hourly = {"hourly": {"sun": by_hour, "mon": [0] * 24}}
    assert counts(read, runs_per_day=hourly, first=date(2026, 3, 29), days=2) == [21, 0]
    assert counts(read, runs_per_day=hourly, first=date(2026, 10, 25), days=3) == [2 * 7 + 21, 0, 0]
    assert counts(read, runs_per_day=hourly, days=7) == [0, 0, 0, 0, 0, 0, 28]


def test_tokens_whose_mean_is_unknown_are_constant_within_a_trial(read: Read) -> None:
    found = work(read, runs_per_day=1, tokens={"input": {"low": 100, "high": 300, "varies": "mean"}, "output": 5})
    assert isinstance(found.profile, Independent)
    assert found.profile.mean == {"input": 200, "output": 5}
    assert found.profile.parts["input"].variance == 0
    assert list(found.unknown.tokens) == ["input"]
    assert found.unknown.tokens["input"].mean == 1
    assert found.unknown.tokens["input"].upper == 1.5


def test_an_uncertainty_has_the_mean_of_what_it_states(read: Read) -> None:
    unknown = work(read, runs_per_day=1, uncertainty={"low": 1, "high": 4}).unknown
    assert unknown.mean == Fraction(5, 2)
    assert work(read, runs_per_day=1, uncertainty={"low": "0.7", "high": "1.3"}).unknown.mean == 1


def test_a_log_gives_whole_runs_and_its_own_rate(read: Read) -> None:
    log = "when,context,generated\n1,100,5\n2,300,7\n3,200,0\n"
    columns = {"ts": "when", "input": "context", "output": "generated"}
    found = work(
        read,
        {"log.csv": log},
        runs_per_day={"from_usage": 24},
        tokens={"from_usage": {"file": "log.csv", "columns": columns}},
    )
    assert isinstance(found.profile, Joint)
    assert sorted(found.profile.rows.tolist()) == [[100, 5], [200, 0], [300, 7]]
    assert found.profile.mean == {"input": 200, "output": 4}
    assert found.runs.expected[0] == 72  # three calls in the logged hour, 24 such hours
    assert found.runs.law == "poisson"


def test_a_log_whose_input_counts_cached_tokens_is_taken_apart(read: Read) -> None:
    columns = {"input": "prompt", "cache_read": "cached"}
    source = {"file": "log.csv", "columns": columns, "input_includes_cached": True}
    found = work(read, {"log.csv": "prompt,cached\n1000,900\n"}, runs_per_day=1, tokens={"from_usage": source})
    assert found.profile.mean == {"input": 100, "cache_read": 900}


@pytest.mark.parametrize(
    ("log", "said"),
    [
        ("prompt\n5\n-1\n", "holds -1 in row 2"),
        ("prompt\n5\n7000000000\n", "holds 7000000000 in row 2"),
        ("prompt\n5\n\n7\n", "column 'prompt' is empty in row 2"),
        ("prompt\n5\nmany\n", "column 'prompt' holds 'many' in row 2, which is no whole number; write the count"),
        ("prompt\n5\n1.5\n", "column 'prompt' holds '1.5' in row 2, which is no whole number"),
        ("prompt\ntrue\nfalse\n", "column 'prompt' holds 'true' in row 1, which is no whole number"),
        ("other\n5\n", "there is no column 'prompt' for input"),
        ("prompt\n", "the log holds no call"),
    ],
)
def test_a_log_that_is_not_usable_says_why(read: Read, log: str, said: str) -> None:
    source = {"file": "log.csv", "columns": {"input": "prompt"}}
    with pytest.raises(InputError) as raised:
        work(read, {"log.csv": log}, runs_per_day=1, tokens={"from_usage": source})
    assert said in str(raised.value)
    assert "log.csv" in str(raised.value)


def test_a_grid_of_runs_keeps_the_mean_to_half_a_token_in_all(read: Read) -> None:
    tokens = {"input": {"low": 0, "mode": "0.1", "high": "0.3"}, "output": {"p50": 1000, "p95": 30_000}}
    profile = work(read, runs_per_day=1, tokens=tokens).profile
    assert isinstance(profile, Independent)
    grid = Joint.from_grid(profile)
    assert grid.rows.shape == (16 * 4096, 2)
    assert (grid.rows >= 0).all()
    for name, mean in profile.mean.items():
        assert abs(grid.mean[name] - mean) <= Fraction(1, 4096)
    correlation = np.asarray(np.corrcoef(grid.rows.T))[0, 1]
    assert abs(correlation) < 0.05  # classes vary independently


@pytest.mark.parametrize("log", ["v[1].csv", "u?.csv", "w*.csv", "a\\v?.csv", "input=5/z.csv", "input=5/z.jsonl"])
def test_the_log_that_is_named_is_read_whatever_its_name_means_to_duckdb(read: Read, log: str) -> None:
    """`[1]` would be v1.csv, `u?.csv` another file, which may lead out, a backslash a folder, `input=5` a column."""
    others = dict.fromkeys(("v1.csv", "u1.csv", "w1.csv", "a/v?.csv"), "input\n7\n")
    content = '{"input": 1000}\n' if log.endswith(".jsonl") else "input\n1000\n"
    source = {"file": log, "columns": {"input": "input"}}
    found = work(read, {**others, log: content}, runs_per_day=1, tokens={"from_usage": source})
    assert found.profile.mean == {"input": 1000}
