"""Expected costs are exact: they equal a sum over single runs, each priced by itself in fractions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from costsim.analysis.architecture.model import Architecture
from costsim.analysis.projection import Projection
from costsim.analysis.simulation.costs import Costs
from costsim.analysis.simulation.workload import Horizon
from costsim.errors import UnpricedError
from costsim.pricing.book import PriceBook
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st
from thorough import examples

Read = Callable[..., Architecture]
Project = Callable[..., Projection]

HAIKU, DEEPSEEK = "anthropic/claude-haiku-4-5", "deepseek/deepseek-chat"
MOVING, TIERED, FLAT, FREE = "lab/moving", "lab/tiered", "lab/flat", "lab/free"
CLASSES = ("input", "cache_read", "output")
START = date(2026, 6, 1)

# Prices that change at noon on 4 June, a model with tiers, a subscription that begins on 3 June.
OVERLAY = {
    "book": "lab",
    "source": "made for this test",
    "models": [
        {"model": MOVING, "usd_per_mtok": {"input": 1, "output": 7}, "valid_to": "2026-06-04T12:00:00"},
        {"model": MOVING, "usd_per_mtok": {"input": 3, "output": 11}, "valid_from": "2026-06-04T12:00:00"},
        {
            "model": TIERED,
            "usd_per_mtok": {"input": 2, "cache_read": "0.2", "output": 10},
            "tiers": [{"min_input_tokens": 200_001, "usd_per_mtok": {"input": 4, "cache_read": "0.4", "output": 15}}],
        },
        {"model": TIERED, "processing": "batch", "usd_per_mtok": {"input": 1, "cache_read": "0.1", "output": 5}},
        {"model": FREE, "usd_per_mtok": {"input": 0, "output": 0}},
        {"model": FLAT, "usd_per_mtok": {"input": 9, "output": 9}, "valid_to": "2026-06-03"},
    ],
    "subscriptions": [
        {
            "name": "lab-plan",
            "models": [FLAT],
            "usd_per_day": "0.63",
            "shadow_usd_per_mtok": {"input": 1, "output": 2},
            "valid_from": "2026-06-03",
        }
    ],
}
BESIDE = {"prices.yaml": OVERLAY}


def run_usd(book: PriceBook, model: str, at: datetime, tokens: dict[str, Decimal], processing: str) -> Fraction:
    """One call, priced by itself: its own moment, its own context tier."""
    key = book.resolve(model)
    assert key
    size = int(tokens["input"] + tokens["cache_read"])
    total = Fraction(0)
    for name in CLASSES:
        row = book.price(key, name, at=at, input_tokens=size, processing=processing)
        assert row
        total += Fraction(tokens[name]) * Fraction(row.usd) / row.per
    return total


def days(horizon: Horizon) -> Iterator[tuple[date, datetime, datetime]]:
    """Every day, and its two midnights in UTC."""
    zone = horizon.timezone
    for n in range(horizon.days):
        day, after = horizon.start + timedelta(days=n), horizon.start + timedelta(days=n + 1)
        yield day, *(datetime(d.year, d.month, d.day, tzinfo=zone).astimezone(UTC) for d in (day, after))  # type: ignore[misc]


def expected_by_hand(book: PriceBook, model: str, row: dict[str, Any], horizon: Horizon) -> Fraction:
    """USD over the horizon: run by run for a cron, half-hour by half-hour for a rate by the day or the hour."""
    tokens = {name: Decimal(0) for name in CLASSES} | {k: Decimal(v) for k, v in row["tokens"].items()}
    processing = row.get("processing", "standard")
    total = Fraction(0)
    for day, first, last in days(horizon):
        if row.get("weekdays_only") and day.isoweekday() > 5:
            continue
        if not row.get("start", "0") <= day.isoformat() <= row.get("end", "9"):
            continue
        if "schedule" in row:
            clock = datetime(day.year, day.month, day.day, tzinfo=horizon.timezone) - timedelta(minutes=1)
            steps = CronSim(row["schedule"], clock)
            while (at := next(steps).astimezone(UTC)) < last:
                total += run_usd(book, model, at, tokens, processing)
        else:
            ticks = [first + timedelta(minutes=30 * n) for n in range((last - first) // timedelta(minutes=30))]
            costs = [run_usd(book, model, at, tokens, processing) for at in ticks]  # prices change on half-hours only
            if isinstance(row["runs_per_day"], str):
                total += Fraction(row["runs_per_day"]) * sum(costs, Fraction(0)) / len(costs)
            else:
                rates = row["runs_per_day"]["hourly"].get(f"{day:%a}".lower(), [0] * 24)
                hours = [at.astimezone(horizon.timezone).hour for at in ticks]
                total += sum((Fraction(rates[h], 2) * usd for h, usd in zip(hours, costs, strict=True)), Fraction(0))
    return total


def costs_of(architecture: Architecture, count: int, start: date = START) -> Costs:
    horizon = Horizon.of(start, count, ZoneInfo(architecture.timezone))
    return Costs.of(architecture, horizon, architecture.book)


AMOUNTS = st.decimals(0, 300_000, places=2)
WHEN = st.one_of(
    st.sampled_from(["*/30 * * * *", "0 */3 * * *", "15 2 * * *", "0 9 * * 1-5", "7 0,12,23 4 * *"]).map(
        lambda cron: {"schedule": cron}
    ),
    st.decimals(0, 500, places=3).map(lambda rate: {"runs_per_day": str(rate)}),
    st.dictionaries(st.sampled_from(["mon", "thu", "sun"]), st.lists(st.integers(0, 9), min_size=24, max_size=24)).map(
        lambda rates: {"runs_per_day": {"hourly": rates}}
    ),
)
ROWS = st.builds(
    lambda when, tokens, more, batch: when | more | {"tokens": tokens} | ({"processing": "batch"} if batch else {}),
    WHEN,
    st.fixed_dictionaries({name: AMOUNTS.map(str) for name in CLASSES}),
    st.fixed_dictionaries(
        {},
        optional={
            "weekdays_only": st.booleans(),
            "start": st.sampled_from(["2025-01-01", "2026-06-02", "2026-06-04"]),
            "end": st.sampled_from(["2026-06-05", "2026-12-20"]),
        },
    ),
    st.booleans(),
)


@pytest.mark.slow
@settings(max_examples=examples(25, 60), deadline=None)
@given(
    ROWS,
    st.sampled_from([MOVING, TIERED, FLAT, DEEPSEEK, HAIKU, "google/gemini-2.5-pro"]),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"]),
    st.integers(1, 8),
    # prices that change within the days; clocks that go forward and back; DeepSeek's nightly discount
    st.sampled_from([START, START, date(2026, 3, 27), date(2026, 10, 23), date(2026, 10, 30), date(2025, 9, 1)]),
)
def test_an_expected_cost_is_the_sum_over_its_single_runs(
    read: Read, row: dict[str, Any], model: str, zone: str, count: int, start: date
) -> None:
    content = {"timezone": zone, "prices": "prices.yaml", "components": [{"name": "a", "model": model, **row}]}
    architecture = read(content, BESIDE)
    costs = costs_of(architecture, count, start)
    by_hand = expected_by_hand(costs.book("list"), model, row, costs.horizon)
    assert costs.usd_per_day("a", model) == by_hand / count  # fractions: equal to the last digit


def test_prices_that_change_at_noon_split_the_day_by_its_runs(read: Read) -> None:
    # 4 June has runs at 0, 6, 12 and 18: two at 1 USD and two at 3 USD per million input tokens, a million each.
    row = {"name": "a", "model": MOVING, "schedule": "0 */6 * * *", "tokens": {"input": 1_000_000, "output": 0}}
    costs = costs_of(read({"prices": "prices.yaml", "components": [row]}, BESIDE), 5)
    assert costs.costing("a", MOVING).expected_usd == (4, 4, 4, 1 + 1 + 3 + 3, 12)


def test_runs_without_a_clock_spread_evenly_over_a_day_whose_price_changes(read: Read) -> None:
    row = {"name": "a", "model": MOVING, "runs_per_day": 4, "tokens": {"input": 1_000_000, "output": 0}}
    costs = costs_of(read({"prices": "prices.yaml", "components": [row]}, BESIDE), 5)
    assert costs.costing("a", MOVING).expected_usd == (4, 4, 4, 2 * 1 + 2 * 3, 12)


def test_a_price_that_changes_within_a_minute_holds_from_the_next_run_on(read: Read) -> None:
    # valid to 12:00:30, so a run at 12:00 still pays the old price, and one at 12:01 the new
    models = [
        {"model": "lab/x", "usd_per_mtok": {"input": 1}, "valid_to": "2026-06-01T12:00:30"},
        {"model": "lab/x", "usd_per_mtok": {"input": 3}, "valid_from": "2026-06-01T12:00:30"},
    ]
    row = {"name": "a", "model": "lab/x", "schedule": "0-1 12 * * *", "tokens": {"input": 1_000_000}}
    beside = {"prices.yaml": {"book": "x", "source": "x", "models": models}}
    costs = costs_of(read({"prices": "prices.yaml", "components": [row]}, beside), 1)
    assert costs.costing("a", "lab/x").expected_usd == (1 + 3,)


def test_a_model_with_a_price_only_while_it_runs_is_priced(read: Read) -> None:
    models = [{"model": "lab/new", "usd_per_mtok": {"input": 1}, "valid_from": "2026-06-04"}]
    beside = {"prices.yaml": {"book": "x", "source": "x", "models": models}}
    row = {"name": "a", "model": "lab/new", "runs_per_day": 1, "tokens": {"input": 1_000_000}}
    later = costs_of(read({"prices": "prices.yaml", "components": [row | {"start": "2026-06-04"}]}, beside), 5)
    assert later.costing("a", "lab/new").expected_usd == (0, 0, 0, 1, 1)
    at_once = costs_of(read({"prices": "prices.yaml", "components": [row]}, beside), 5)
    assert not at_once.costing("a", "lab/new").priced  # three days of it have no price


def test_a_run_of_exactly_200k_tokens_is_in_the_lower_tier(read: Read) -> None:
    # the whole request is priced by its own total input, cached tokens counted: 150,000 + 50,000 and one more
    for cached, usd in ((50_000, "0.31"), (50_001, "0.6200004")):  # 0.15x2+0.05x0.2; 0.15x4+0.050001x0.4
        row = {"name": "a", "model": TIERED, "runs_per_day": 1, "tokens": {"input": 150_000, "cache_read": cached}}
        costs = costs_of(read({"prices": "prices.yaml", "components": [row]}, BESIDE), 1)
        assert costs.usd_per_day("a", TIERED) == Fraction(Decimal(usd))


def test_tokens_that_straddle_a_tier_keep_their_mean_and_split_their_price(read: Read) -> None:
    # uniform over 100,000 to 300,000: half the runs cost 2 USD per million at a mean of 150,000 tokens, half
    # cost 4 at a mean of 250,000: (0.30 + 1.00) / 2 = 0.65; at the mean of 200,000 it would be 0.40.
    row = {"name": "a", "model": TIERED, "runs_per_day": 1, "tokens": {"input": {"low": 100_000, "high": 300_000}}}
    content = {"prices": "prices.yaml", "components": [row], "plans": {"p": {"model": HAIKU}}}
    costs = costs_of(read(content, BESIDE), 1)
    tiered, flat = costs.usd_per_day("a", TIERED), costs.usd_per_day("a", HAIKU)
    assert float(tiered or 0) == pytest.approx(0.65, rel=1e-4)
    assert float(flat or 0) == pytest.approx(0.20, rel=1e-6)  # Haiku has no tiers: 200,000 at 1 USD per million


def test_a_models_tier_counts_in_a_claim_though_no_plan_names_the_model(read: Read) -> None:
    row = {"name": "a", "model": HAIKU, "runs_per_day": 1, "tokens": {"input": 300_000}}
    costs = costs_of(read({"prices": "prices.yaml", "components": [row]}, BESIDE), 1)
    assert costs.usd_per_day("a", TIERED) == Fraction(12, 10)  # 0.3 x 4


def test_a_lognormals_long_tail_is_not_lost_on_the_tier_grid(read: Read) -> None:
    # median 30,000 and p95 600,000: sigma 1.82, mean 30,000 x e^(sigma^2/2) = 157,300
    amount = {"p50": 30_000, "p95": 600_000}
    row = {"name": "a", "model": HAIKU, "runs_per_day": 1, "tokens": {"input": amount}}
    without = costs_of(read({"prices": "prices.yaml", "components": [row]}, BESIDE), 1).usd_per_day("a", HAIKU)
    beside_tiers = {"prices": "prices.yaml", "components": [row], "plans": {"p": {"model": TIERED}}}
    with_tiers = costs_of(read(beside_tiers, BESIDE), 1).usd_per_day("a", HAIKU)
    assert without
    assert with_tiers
    assert float(with_tiers / without) == pytest.approx(1, abs=1e-8)


def test_a_subscription_costs_its_flat_price_and_keeps_a_shadow_price(projected: Project) -> None:
    # 1 and 2 June: a million input and a million output tokens at 9 USD each; from 3 June 0.63 per day flat.
    row = {"name": "a", "model": FLAT, "runs_per_day": 1, "tokens": {"input": 1_000_000, "output": 1_000_000}}
    found = projected({"prices": "prices.yaml", "components": [row]}, BESIDE, days=4, naive=HAIKU)
    routed = found.plan("routed")
    assert [day.expected_usd for day in routed.days] == [18, 18, Decimal("0.63"), Decimal("0.63")]
    own, flat = routed.components
    assert own.expected_usd_per_day == 9  # 36 over 4 days
    assert own.shadow_usd_per_day == Decimal("1.5")  # 2 days of 1 + 2 USD
    assert (flat.name, flat.expected_usd_per_day, flat.tokens) == ("subscription lab-plan", Decimal("0.315"), "flat")


def test_a_calibrated_component_costs_what_it_was_solved_for(read: Read) -> None:
    calibrate = {"daily_usd": "0.37", "input_per_output": "3.7"}
    for model in (HAIKU, TIERED, "openai/gpt-4o"):
        row = {"name": "a", "model": model, "schedule": "0 9 * * 1-5", "calibrate": calibrate}
        costs = costs_of(read({"prices": "prices.yaml", "components": [row]}, BESIDE), 7)
        assert costs.usd_per_day("a", model) == Fraction("0.37") * 5 / 7  # on five of seven days


def test_calibration_looks_for_the_context_tier_that_its_answer_lies_in(read: Read) -> None:
    # 6 USD on one run with input alone-ish: at 2 USD per million it would be over 200,000 tokens, so 4 it is
    calibrate = {"daily_usd": 6, "input_per_output": 1000}
    row = {"name": "a", "model": TIERED, "runs_per_day": 1, "calibrate": calibrate}
    costs = costs_of(read({"prices": "prices.yaml", "components": [row]}, BESIDE), 1)
    assert costs.usd_per_day("a", TIERED) == 6
    assert costs.works["a"].profile.mean["input"] == 6 * Fraction(10**6) * 1000 / (1000 * 4 + 15)


def test_calibration_says_when_no_run_costs_that_much(read: Read) -> None:
    # 200,000 input and 200 output tokens cost 0.402 USD, one token more 0.803: nothing costs 0.60
    calibrate = {"daily_usd": "0.60", "input_per_output": 1000}
    row = {"name": "a", "model": TIERED, "runs_per_day": 1, "calibrate": calibrate}
    with pytest.raises(UnpricedError, match=r"no run of \$0.6000, its price jumps over that at a context tier"):
        costs_of(read({"prices": "prices.yaml", "components": [row]}, BESIDE), 1)


@pytest.mark.parametrize(("model", "said"), [("lab/nobody", "has no price"), (FREE, "is free")])
def test_calibration_needs_a_price_to_solve_from(read: Read, model: str, said: str) -> None:
    row = {"name": "a", "model": model, "runs_per_day": 1, "calibrate": {"daily_usd": 1, "input_per_output": 1}}
    with pytest.raises(UnpricedError, match=said):
        costs_of(read({"prices": "prices.yaml", "components": [row]}, BESIDE), 1)
