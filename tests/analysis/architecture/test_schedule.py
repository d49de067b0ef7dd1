"""When runs happen: cron expressions in time zones, days on which clocks change, what is not a cron."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from costsim.analysis.architecture.schedule import day_edges, fire_times, moment, parse_cron, runs_by_day, time_zone
from cronsim import CronSim, CronSimError
from hypothesis import assume, given, settings
from hypothesis import strategies as st

BERLIN = ZoneInfo("Europe/Berlin")
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)  # 2:00 becomes 3:00; 3:00 becomes 2:00


def counts(expression: str, start: date, days: int, zone: ZoneInfo = BERLIN) -> list[int]:
    """Runs on each day."""
    edges = day_edges(start, days, zone)
    found: list[int] = runs_by_day(fire_times(expression, zone, int(edges[0]), int(edges[-1])), edges).tolist()
    return found


@pytest.mark.parametrize(("day", "hours"), [(SPRING, 23), (AUTUMN, 25), (date(2026, 6, 1), 24)])
def test_a_day_is_as_long_as_its_clocks_make_it(day: date, hours: int) -> None:
    first, last = day_edges(day, 1, BERLIN)
    assert last - first == hours * 60


@pytest.mark.parametrize(("day", "runs"), [(SPRING, 46), (AUTUMN, 50), (date(2026, 6, 1), 48)])
def test_a_half_hourly_job_runs_in_real_time_when_clocks_change(day: date, runs: int) -> None:
    assert counts("*/30 * * * *", day, 1) == [runs]


@pytest.mark.parametrize("day", [SPRING, AUTUMN])
@pytest.mark.parametrize("expression", ["0 7 * * *", "30 2 * * *", "0 0 * * *", "0 3 * * *"])
def test_a_job_at_a_fixed_time_runs_once_when_clocks_change(day: date, expression: str) -> None:
    assert counts(expression, day - timedelta(days=1), 3) == [1, 1, 1]


def clock_times(expression: str, start: date, days: int, zone: ZoneInfo) -> list[str]:
    """What clocks show at each run, day and time."""
    edges = day_edges(start, days, zone)
    fired = fire_times(expression, zone, int(edges[0]), int(edges[-1])).tolist()
    return [f"{moment(at).astimezone(zone):%d %H:%M}" for at in fired]


@pytest.mark.parametrize("zone", ["America/Nuuk", "America/Scoresbysund"])
@pytest.mark.parametrize(
    ("expression", "times"),
    [
        ("59 23 * * *", ["27 23:59", "29 00:00", "29 23:59"]),  # 23:00 to 24:00 of the 28th does not exist
        ("59 23 28 * *", ["29 00:00"]),
        ("0,30 23 * * 6", ["29 00:00"]),  # a Saturday: both times are in the gap, and its end comes once
        ("0 0,23 * * *", ["27 00:00", "27 23:00", "28 00:00", "29 00:00", "29 23:00"]),
        ("59 22 * * *", ["27 22:59", "28 22:59", "29 22:59"]),
        ("*/30 23 * * *", ["27 23:00", "27 23:30", "29 23:00", "29 23:30"]),  # in real time
    ],
)
def test_a_job_in_a_gap_before_midnight_runs_at_its_end_the_next_day(
    zone: str, expression: str, times: list[str]
) -> None:
    assert clock_times(expression, date(2026, 3, 27), 3, ZoneInfo(zone)) == times


@pytest.mark.parametrize("zone", ["America/Nuuk", "America/Scoresbysund", "America/Havana", "Africa/Cairo"])
@pytest.mark.parametrize("expression", ["59 23 * * *", "30 0 * * *"])
def test_a_daily_job_runs_365_times_a_year_whatever_clocks_do_at_midnight(zone: str, expression: str) -> None:
    edges = day_edges(date(2026, 1, 1), 365, ZoneInfo(zone))
    assert len(fire_times(expression, ZoneInfo(zone), int(edges[0]), int(edges[-1]))) == 365


def test_a_day_that_a_country_left_out_has_its_jobs_at_its_end() -> None:
    # Samoa had no 30 December 2011
    assert clock_times("0 9 * * *", date(2011, 12, 29), 3, ZoneInfo("Pacific/Apia")) == [
        "29 09:00",
        "31 00:00",
        "31 09:00",
    ]
    assert clock_times("0 */9 * * *", date(2011, 12, 30), 2, ZoneInfo("Pacific/Apia")) == [
        "31 00:00",
        "31 09:00",
        "31 18:00",
    ]


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 4, 5), 24.5), (date(2026, 10, 4), 23.5)])
def test_clocks_that_change_by_half_an_hour_leave_the_full_hours_of_wildcards_after_it(day: date, hours: float) -> None:
    # Lord Howe: at 2:00 it is 1:30 again, or 2:30; CronSim steps on by full hours and misses 5:00 and 5:20
    zone = ZoneInfo("Australia/Lord_Howe")
    assert clock_times("*/20 5 * * *", day, 1, zone) == [f"{day:%d} 05:{minute}" for minute in ("00", "20", "40")]
    assert counts("*/30 * * * *", day, 1, zone) == [hours * 2]


def test_a_horizon_over_both_changes_has_as_many_half_hours_as_its_minutes_say() -> None:
    # 365 days, one hour lost and one won: 365 x 48
    assert sum(counts("*/30 * * * *", date(2026, 1, 1), 365)) == 365 * 48


def test_utc_never_changes_its_clocks() -> None:
    assert set(counts("*/30 * * * *", date(2026, 1, 1), 365, ZoneInfo("UTC"))) == {48}


def test_the_31st_comes_seven_times_a_year() -> None:
    days = counts("0 0 31 * *", date(2026, 1, 1), 365)
    assert sum(days) == 7
    assert [n for n, runs in enumerate(days[:90]) if runs] == [30, 89]  # 31 January, 31 March; none in February


def test_the_29th_of_february_waits_for_a_leap_year() -> None:
    assert sum(counts("0 0 29 2 *", date(2026, 1, 1), 730)) == 0
    assert sum(counts("0 0 29 2 *", date(2028, 1, 1), 366)) == 1


@pytest.mark.parametrize(
    ("expression", "days"),
    [
        ("0 9 * * 1-5", [1, 1, 1, 1, 1, 0, 0]),  # from Monday, 1 June 2026
        ("0 9 * * MON-FRI", [1, 1, 1, 1, 1, 0, 0]),
        ("0 9 * * 0", [0, 0, 0, 0, 0, 0, 1]),
        ("0 9 * * 7", [0, 0, 0, 0, 0, 0, 1]),  # Sunday has two numbers
        ("0 9,17 * * 3", [0, 0, 2, 0, 0, 0, 0]),
        ("0 9 2 * 5", [0, 1, 0, 0, 1, 0, 0]),  # the 2nd, and Fridays: cron adds the two day fields
    ],
)
def test_weekday_fields(expression: str, days: list[int]) -> None:
    assert counts(expression, date(2026, 6, 1), 7) == days


@pytest.mark.parametrize(
    ("macro", "same"), [("@hourly", "0 * * * *"), ("@daily", "0 0 * * *"), ("@weekly", "0 0 * * 0")]
)
def test_macros_mean_their_five_fields(macro: str, same: str) -> None:
    assert parse_cron(macro) == same


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("*/75 * * * *", "minute step 75 is past 59"),
        ("0 25 * * *", "bad hour (0 to 23)"),
        ("60 * * * *", "bad minute (0 to 59)"),
        ("0 0 32 * *", "bad day-of-month (1 to 31)"),
        ("0 0 30 2 *", "bad day-of-month"),  # February never has 30 days
        ("0 0 * 13 *", "bad month (1 to 12)"),
        ("0 0 * * 8", "bad day-of-week (0 to 7)"),
        ("* * * *", "it has 4 fields, not 5"),
        ("0 0 * * * *", "it has 6 fields, not 5"),
        ("", "it has 0 fields, not 5"),
        ("every day", "it has 2 fields, not 5"),
        ("a b c d e", "bad minute"),
        ("*/0 * * * *", "bad minute"),
        ("*/" + "9" * 5000 + " * * * *", "longer than 500 characters"),
    ],
)
def test_what_is_not_a_cron_expression_says_which_field(expression: str, problem: str) -> None:
    with pytest.raises(ValueError, match="is not a cron expression") as raised:
        parse_cron(expression)
    assert problem in str(raised.value)


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../../etc/passwd", "Europe"])
def test_what_is_not_a_time_zone_says_so(name: str) -> None:
    with pytest.raises(ValueError, match="is not a time zone"):
        time_zone(name)


def field(first: int, last: int) -> st.SearchStrategy[str]:
    """One cron field: everything, a step, a value, a list or a range."""
    number = st.integers(first, last)
    span = st.tuples(number, number).map(sorted).map(lambda pair: f"{pair[0]}-{pair[1]}")
    several = st.lists(number, min_size=1, max_size=3).map(lambda values: ",".join(map(str, values)))
    return st.one_of(st.just("*"), st.integers(1, last).map("*/{}".format), several, span)


EXPRESSIONS = st.tuples(field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 7)).map(" ".join)
ZONES = st.sampled_from(
    [
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "America/Havana",  # midnight comes twice, or not at all
        "Africa/Cairo",
        "America/Nuuk",  # the hour before midnight comes twice, or not at all
        "America/Scoresbysund",
        "Asia/Kathmandu",  # 5:45 ahead
        "America/St_Johns",
    ]
).map(ZoneInfo)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(EXPRESSIONS, ZONES, st.dates(date(2024, 1, 1), date(2027, 12, 1)), st.integers(1, 20))
def test_unfolding_a_cron_equals_stepping_through_it(expression: str, zone: ZoneInfo, start: date, days: int) -> None:
    edges = day_edges(start, days, zone)
    try:
        steps = CronSim(expression, datetime(start.year, start.month, start.day, tzinfo=zone) - timedelta(minutes=1))
    except CronSimError:
        assume(False)
    stepped = []
    for at in steps:
        if at.astimezone(UTC) >= moment(int(edges[-1])):
            break
        stepped.append(int(at.timestamp()) // 60)
    fired = fire_times(expression, zone, int(edges[0]), int(edges[-1]))
    assert fired.tolist() == [minute for minute in stepped if minute >= edges[0]]
    assert (np.diff(fired) > 0).all()
