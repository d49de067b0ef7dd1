"""Routing policies: worked examples at prices made for them, and the draws against the exact expectation."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import costsim
import numpy as np
import pytest
from costsim.analysis.architecture.load import read_architecture
from costsim.analysis.architecture.model import Architecture
from costsim.analysis.outcomes.store import load_outcomes
from costsim.analysis.projection import ComponentCost, Projection
from costsim.analysis.simulation.costs import Costs
from costsim.analysis.simulation.plans import plans_of
from costsim.analysis.simulation.policies.spawns import first_after_expiry
from costsim.analysis.simulation.run import project
from costsim.analysis.simulation.settings import Settings
from costsim.analysis.simulation.simulate import simulate_plans
from costsim.analysis.simulation.workload import Horizon
from costsim.errors import ArchitectureError, InputError
from costsim.usage.store import open_store

Read = Callable[..., Architecture]
Project = Callable[..., Projection]

START = date(2026, 6, 1)
CHEAP, COSTLY, TIERED, PLAIN = "lab/cheap", "lab/costly", "lab/tiered", "lab/plain"
# USD per million tokens
PRICES: dict[str, dict[str, Any]] = {
    CHEAP: {"input": 1, "cache_read": "0.1", "cache_write_5m": "1.25", "cache_write_1h": 2, "output": 5},
    COSTLY: {"input": 5, "cache_read": "0.5", "cache_write_5m": "6.25", "cache_write_1h": 10, "output": 25},
    TIERED: {"input": 2, "cache_read": "0.2", "cache_write_5m": "2.5", "cache_write_1h": 4, "output": 10},
    PLAIN: {"input": 1, "output": 5},
}
TWICE: dict[str, Any] = {"input": 4, "cache_read": "0.4", "cache_write_5m": 5, "cache_write_1h": 8, "output": 15}
OVERLAY: dict[str, Any] = {
    "book": "lab",
    "source": "made for this test",
    "models": [{"model": name, "usd_per_mtok": usd} for name, usd in PRICES.items() if name != TIERED]
    + [
        {
            "model": TIERED,
            "usd_per_mtok": PRICES[TIERED],
            "tiers": [{"min_input_tokens": 200_001, "usd_per_mtok": TWICE}],
        }
    ],
}
ROUTING = {"cheap": CHEAP, "costly": COSTLY, "tiered": TIERED, "plain": PLAIN, "fallback": CHEAP}
HALF_HOURLY: dict[str, Any] = {"schedule": "*/30 * * * *"}
TEN: dict[str, Any] = {"runs_per_day": 10}
RUN: dict[str, Any] = {"tokens": {"input": 10_000, "output": 2_000}}  # 0.02 USD on cheap, 0.10 on costly


@pytest.fixture(autouse=True)
def _stores_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Stores that lie in another folder than the architecture."""
    monkeypatch.setenv("COSTSIM_ALLOW", str(tmp_path_factory.getbasetemp()))


def content(*rows: dict[str, Any], **more: Any) -> dict[str, Any]:
    components = [{"name": f"c{n}", **row} for n, row in enumerate(rows)]
    return {"prices": "prices.yaml", "model_routing": ROUTING, "components": components} | more


@pytest.fixture
def routed(projected: Project) -> Callable[..., Projection]:
    """Project one component (or several) in one day, or more."""

    def run(*rows: dict[str, Any], days: int = 1, **more: Any) -> Projection:
        return projected(content(*rows, **more), {"prices.yaml": OVERLAY}, days=days, trials=10, naive=COSTLY)

    return run


def only(projection: Projection, plan: str = "routed") -> ComponentCost:
    return projection.plan(plan).components[0]


def cost(projection: Projection, plan: str = "routed") -> Fraction:
    amount = only(projection, plan).expected_usd_per_day
    assert amount is not None
    return Fraction(amount)


def said(projection: Projection, policy: str) -> str:
    return next(note.message for note in projection.policy_notes if note.policy == policy)


# Escalation


def test_an_escalated_run_pays_both_calls_and_carries_the_first_answer_over(routed: Callable[..., Projection]) -> None:
    # first call 0.01 + 0.01 = 0.02; the second reads 10,000 + 2,000: 0.06 + 0.05 = 0.11
    # 10 x (0.02 + 0.25 x 0.11) = 0.475
    found = routed({**TEN, **RUN, "task": "cheap", "escalate": {"probability": "0.25", "to": "costly"}})
    assert cost(found) == Fraction("0.475")
    assert [(call.kind, call.model, call.calls_per_day) for call in only(found).calls] == [
        ("first", CHEAP, 10),
        ("escalated", COSTLY, Fraction("2.5")),
    ]


def test_starting_cheap_breaks_even_where_both_calls_cost_what_the_dear_one_alone_does(
    routed: Callable[..., Projection],
) -> None:
    # directly on costly: 0.05 + 0.05 = 0.10. (0.10 - 0.02) / 0.11 = 72.7%
    row = {**TEN, **RUN, "task": "costly"}
    paying = routed({**row, "escalate": {"probability": "0.72", "start": "cheap"}})
    assert "pays below 72.7%" in said(paying, "escalate")
    assert paying.warnings == []
    losing = routed({**row, "escalate": {"probability": "0.73", "start": "cheap"}})
    assert cost(losing) > 1 > cost(paying)  # costly alone: 10 x 0.10
    assert any("72.7%" in warning for warning in losing.warnings)


def test_a_share_of_the_answer_can_be_carried(routed: Callable[..., Projection]) -> None:
    # the second call reads 10,000 + 0.5 x 2,000: 0.055 + 0.05; 10 x (0.02 + 0.105) = 1.25
    row = {**TEN, **RUN, "escalate": {"probability": 1, "to": COSTLY, "carry": "0.5"}}
    assert cost(routed({"task": "cheap", **row})) == Fraction("1.25")


def test_what_is_carried_over_can_cross_a_price_tier(routed: Callable[..., Projection]) -> None:
    # first on cheap 0.20 + 0.01 = 0.21; the second reads 202,000 tokens, over 200,000: 0.808 + 0.03
    tokens = {"input": 200_000, "output": 2_000}
    row = {"runs_per_day": 1, "tokens": tokens, "task": "cheap", "escalate": {"probability": 1, "to": "tiered"}}
    assert cost(routed(row)) == Fraction("1.048")


# How often it escalates, from evidence

ESCALATED = {"escalated": 30, "of": 100}
OUTCOMES = "ts,task,model,success,escalated\n" + "".join(
    f"2026-05-{day:02}T08:00:00Z,{task},{model},yes,{'yes' if day <= escalated else 'no'}\n"
    for task, model, escalated in (("review", CHEAP, 7), ("review", COSTLY, 1), ("triage", CHEAP, 14))
    for day in range(1, 29)
)


def from_outcomes(**more: Any) -> dict[str, Any]:
    probability = {"from_outcomes": "outcomes.csv", **more}
    return {**TEN, **RUN, "task": "review", "escalate": {"probability": probability, "to": "costly"}}


@pytest.fixture
def counted(projected: Project) -> Callable[..., Projection]:
    """Project one component beside `outcomes.csv`; its task "review" runs on the cheap model."""

    def run(row: dict[str, Any], outcomes: str = OUTCOMES, **settings: Any) -> Projection:
        data = content(row, model_routing={**ROUTING, "review": CHEAP})
        beside = {"prices.yaml": OVERLAY, "outcomes.csv": outcomes}
        return projected(data, beside, **{"days": 1, "trials": 10, "naive": COSTLY, **settings})

    return run


def test_the_chance_of_escalation_is_counted_for_the_task_on_the_model_it_starts_with(
    counted: Callable[..., Projection],
) -> None:
    # 7 of 28 runs of "review" on cheap: 10 x (0.02 + 0.25 x 0.11) = 0.475, as with a stated 0.25
    found = counted(from_outcomes())
    assert cost(found) == Fraction("0.475")
    assert "25.0% of runs escalate (7 of 28 in outcomes.csv; 95%: 12.7% to 43.4%)" in said(found, "escalate")
    assert any("7 of 28 in outcomes.csv" in line for line in found.assumptions)


def test_another_task_or_model_may_stand_for_it(counted: Callable[..., Projection]) -> None:
    assert cost(counted(from_outcomes(task="triage"))) == 10 * (Fraction("0.02") + Fraction(14, 28) * Fraction("0.11"))
    assert "1 of 28" in said(counted(from_outcomes(model="costly")), "escalate")


def test_counts_can_be_stated(routed: Callable[..., Projection]) -> None:
    escalate = {"probability": ESCALATED | {"source": "in the review of May"}, "to": "costly"}
    found = routed({**TEN, **RUN, "task": "cheap", "escalate": escalate})
    assert cost(found) == 10 * (Fraction("0.02") + Fraction(3, 10) * Fraction("0.11"))
    assert "30 of 100 in the review of May" in said(found, "escalate")


def test_it_is_said_where_the_counts_leave_open_whether_starting_cheap_pays(
    routed: Callable[..., Projection],
) -> None:
    # it pays below 72.7%; 7 of 10 are somewhere from 39.7% to 89.2%, 700 of 1,000 from 67.1% to 72.8%, 300 far below
    row = {**TEN, **RUN, "task": "costly"}

    def message(escalated: int, of: int) -> str:
        return said(
            routed({**row, "escalate": {"probability": {"escalated": escalated, "of": of}, "start": "cheap"}}),
            "escalate",
        )

    assert "the evidence leaves open which it is" in message(7, 10)
    assert "leaves open" not in message(300, 1_000)


def test_evidence_widens_the_range_and_more_of_it_less_so(projected: Project) -> None:
    """20,000 runs per day vary little by themselves: what remains is what the counts leave open about the mean."""
    row = {"runs_per_day": 20_000, **RUN, "task": "cheap"}

    def width(probability: Any) -> float:
        escalate = {"probability": probability, "to": "costly"}
        data = content({**row, "escalate": escalate})
        found = only(projected(data, {"prices.yaml": OVERLAY}, days=1, trials=4_000, naive=COSTLY))
        assert found.p90_usd_per_day is not None
        assert found.p10_usd_per_day is not None
        return float(found.p90_usd_per_day - found.p10_usd_per_day)

    stated, many, few = (width(p) for p in ("0.3", {"escalated": 3_000, "of": 10_000}, ESCALATED))
    # Wilson's standard deviation of 30 in 100 is (0.396 - 0.219) / 3.92 = 0.0452: P10 to P90 is 2.56 of it
    assert few == pytest.approx(2.563 * 0.0452 * 20_000 * 0.11, rel=0.05)
    assert stated < many < few / 5


def test_a_store_holds_outcomes_too(projected: Project, tmp_path: Path) -> None:
    file, listed = tmp_path / "costsim.duckdb", tmp_path / "outcomes.csv"
    listed.write_text(OUTCOMES)
    with open_store(file) as store:
        load_outcomes(store, listed)
    data = content(from_outcomes(from_outcomes=str(file)), model_routing={**ROUTING, "review": CHEAP})
    assert cost(projected(data, {"prices.yaml": OVERLAY}, days=1, trials=10, naive=COSTLY)) == Fraction("0.475")


NO_EVIDENCE: dict[str, tuple[dict[str, Any], str]] = {
    "task": (
        from_outcomes(task="other"),
        "components[0].escalate.probability: 'c0': outcomes.csv has no outcome of task 'other' on lab/cheap; it has "
        "review on lab/cheap, review on lab/costly, triage on lab/cheap; or state the probability",
    ),
    "file": (from_outcomes(from_outcomes="none.csv"), "none.csv: there is no such file"),
    "more than all": (
        {**TEN, **RUN, "escalate": {"probability": {"escalated": 3, "of": 2}, "to": "costly"}},
        "escalate.probability: 3 of 2 runs cannot have escalated",
    ),
    "key": (
        {**TEN, **RUN, "escalate": {"probability": {"escalatd": 3, "of": 2}, "to": "costly"}},
        "unknown key 'escalatd'; did you mean 'escalated'?",
    ),
    "share": (
        {**TEN, **RUN, "escalate": {"probability": "1.5", "to": "costly"}},
        "escalate.probability: this should be less than or equal to 1",
    ),
}


@pytest.mark.parametrize("case", NO_EVIDENCE)
def test_lacking_evidence_is_said_in_one_line(counted: Callable[..., Projection], case: str) -> None:
    row, message = NO_EVIDENCE[case]
    with pytest.raises(InputError) as caught:
        counted(row)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


# Large context


@pytest.mark.parametrize(("tokens", "usd"), [(50_000, "0.05"), (50_001, "0.250005")])
def test_only_runs_over_the_threshold_go_to_the_other_model(
    routed: Callable[..., Projection], tokens: int, usd: str
) -> None:
    row = {"runs_per_day": 1, "tokens": {"input": tokens}, "task": "cheap", "large_context": {"use": "costly"}}
    assert cost(routed(row)) == Fraction(usd)


def test_the_threshold_is_the_users(routed: Callable[..., Projection]) -> None:
    # uniform to 200,000: half are over 100,000, at 150,000 on average on costly: 0.5 x 0.75 + 0.5 x 0.05
    row = {"runs_per_day": 1, "tokens": {"input": {"low": 0, "high": 200_000}}, "task": "cheap"}
    found = routed({**row, "large_context": {"over": 100_000, "use": "costly"}})
    assert float(cost(found)) == pytest.approx(0.40, rel=1e-4)


def test_every_logged_run_takes_its_own_way(read: Read) -> None:
    """Independently of brackets: each row priced by itself, over its chances."""
    rows = [(1_000, 50), (49_000, 2_000), (60_000, 4_000), (199_999, 3), (199_000, 1_500), (250_000, 9_000)]
    log = "ts,i,o\n" + "".join(f"2026-06-01T00:0{n}:00,{i},{o}\n" for n, (i, o) in enumerate(rows))
    tokens = {"from_usage": {"file": "log.csv", "columns": {"ts": "ts", "input": "i", "output": "o"}}}
    row = {
        "runs_per_day": {"poisson": 7},
        "tokens": tokens,
        "task": "cheap",
        "large_context": {"over": 199_500, "use": "tiered"},
        "escalate": {"probability": "0.3", "to": "tiered", "carry": "0.5"},
        "retry": {"failure_rate": "0.1", "max_attempts": 2},
        "cache": {"share": "0.6", "hit_rate": "0.9"},
    }
    costs = costs_of(read(content(row), {"prices.yaml": OVERLAY, "log.csv": log}), 1)

    def call(model: str, context: Fraction | int, prefix: Fraction, output: int) -> Fraction:
        usd = TWICE if model == TIERED and context > 200_000 else PRICES[model]
        sure = (context - prefix) * Fraction(usd["input"]) + output * Fraction(usd["output"])
        cached = Fraction("0.9") * Fraction(usd["cache_read"]) + Fraction("0.1") * Fraction(usd["cache_write_5m"])
        return (sure + prefix * cached) / 10**6

    total = Fraction(0)
    for read_in, output in rows:
        prefix = Fraction("0.6") * read_in
        if read_in > 199_500:
            total += call(TIERED, read_in, prefix, output)
            continue
        second = call(TIERED, read_in + Fraction(output, 2), prefix, output)
        total += call(CHEAP, read_in, prefix, output) + Fraction("0.3") * second
    routed = plans_of(costs.architecture, COSTLY)[1]
    assert costs.plan_usd_per_day(routed, "list") == total * Fraction(7, 6) * Fraction("1.1")


# Freshness


@pytest.mark.parametrize(
    ("schedule", "ttl", "runs"),
    [
        ("0 */3 * * *", "24h", 1),  # the scan of midnight is fresh all day, and over at the next midnight
        ("0 */3 * * *", "25h", 8 / 9),  # midnight, then 3:00 the next day, and so on: every 27 hours
        ("0 */3 * * *", "5h", 4),  # 0, 6, 12, 18
        ("0 * * * *", "90m", 12),
        ("0 9 * * *", "1h", 1),
    ],
)
def test_the_first_run_after_expiry_runs(
    routed: Callable[..., Projection], schedule: str, ttl: str, runs: float
) -> None:
    found = only(routed({"schedule": schedule, **RUN, "fresh_for": ttl}, days=9))
    assert float(found.runs_per_day) == pytest.approx(runs)
    assert found.p10_usd_per_day is not None


def test_freshness_is_walked_along_the_instants() -> None:
    assert first_after_expiry(np.array([0, 10, 59, 60, 61, 130]), 60).tolist() == [0, 60, 130]


def test_a_stated_hit_rate_skips_that_share_of_runs(routed: Callable[..., Projection]) -> None:
    found = routed({**HALF_HOURLY, **RUN, "task": "cheap", "fresh_for": {"hit_rate": "0.75"}})
    assert (only(found).runs_per_day, cost(found)) == (12, Fraction("0.24"))


def test_poisson_runs_wait_for_the_next_one_after_expiry(routed: Callable[..., Projection]) -> None:
    # one an hour, fresh for an hour: a run every 60 + 60 minutes, 12 per day
    assert only(routed({"runs_per_day": {"poisson": 24}, **RUN, "fresh_for": "1h"})).runs_per_day == 12


# Batching


def test_a_batch_shares_the_prompt_overhead(routed: Callable[..., Projection]) -> None:
    # five runs of 10,000 tokens, 8,000 of them shared: 5 x 10,000 - 4 x 8,000 = 18,000 input and 10,000 output:
    # 0.018 + 0.05 = 0.068, twice a day; without the batch 10 x 0.02 = 0.20
    found = routed({**TEN, **RUN, "task": "cheap", "batch_with": {"tasks": 5, "overhead_tokens": 8_000}})
    assert (only(found).runs_per_day, cost(found)) == (2, Fraction("0.136"))
    assert "which saves $0.0640 per day" in said(found, "batch_with")


def test_a_batch_says_where_it_crosses_a_price_tier(routed: Callable[..., Projection]) -> None:
    # n x 30,000 - (n - 1) x 5,000 > 200,000 from n = 8 on: 240,000 - 35,000 = 205,000
    row = {"runs_per_day": 56, "tokens": {"input": 30_000, "output": 100}, "task": "tiered"}
    small = routed({**row, "batch_with": {"tasks": 7, "overhead_tokens": 5_000}})
    assert "from 8 on" in said(small, "batch_with")
    assert small.warnings == []
    large = routed({**row, "batch_with": {"tasks": 8, "overhead_tokens": 5_000}})
    assert cost(large) == 7 * (Fraction(205_000 * 4 + 800 * 15, 10**6))
    assert cost(large) > cost(small) == 8 * Fraction(180_000 * 2 + 700 * 10, 10**6)
    assert any("more expensive price tier" in warning for warning in large.warnings)


def test_a_batch_of_varying_runs_keeps_their_mean(routed: Callable[..., Projection]) -> None:
    # 48 runs per day on a cron; 12 spawns of 4 x 3,000 - 3 x 1,000 = 9,000 input and 4 x 200 output tokens
    tokens = {"input": {"low": 2_000, "high": 4_000}, "output": {"p50": 200, "p95": 200}}
    found = routed({**HALF_HOURLY, "tokens": tokens, "batch_with": {"tasks": 4, "overhead_tokens": 1_000}})
    assert cost(found) == 12 * Fraction(9_000 + 800 * 5, 10**6)


def test_an_overhead_larger_than_a_run_is_refused(routed: Callable[..., Projection]) -> None:
    with pytest.raises(ArchitectureError, match="overhead_tokens is 20,000, more than the 10,000 input tokens"):
        routed({**TEN, **RUN, "batch_with": {"tasks": 2, "overhead_tokens": 20_000}})


# Caching


def test_a_thirty_minute_heartbeat_never_hits_a_five_minute_cache(routed: Callable[..., Projection]) -> None:
    # 48 x (2,000 x 1 + 8,000 x 1.25 + 2,000 x 5) / 10^6 = 48 x 0.022; without the cache 48 x 0.02
    found = routed({**HALF_HOURLY, **RUN, "task": "cheap", "cache": {"share": "0.8"}})
    assert cost(found) == 48 * Fraction("0.022")
    assert any("never finds its 5m cache warm" in w and "costs $0.0960 per day" in w for w in found.warnings)


def test_an_hours_cache_is_renewed_by_every_half_hourly_hit(routed: Callable[..., Projection]) -> None:
    # the first call writes: 2,000 + 8,000 x 2 + 10,000 = 0.028; 95 hits in two days read: 2,000 + 800 + 10,000
    found = routed({**HALF_HOURLY, **RUN, "task": "cheap", "cache": {"share": "0.8", "ttl": "1h"}}, days=2)
    assert cost(found) == (Fraction("0.028") + 95 * Fraction("0.0128")) / 2
    days = [(day.expected_usd, day.p10_usd, day.p90_usd) for day in found.plan("routed").days]
    assert all(float(usd) == pytest.approx(float(low)) == pytest.approx(float(high)) for usd, low, high in days)


def test_an_hourly_run_comes_just_too_late_for_an_hours_cache(routed: Callable[..., Projection]) -> None:
    found = routed({"schedule": "0 * * * *", **RUN, "cache": {"share": "0.5", "ttl": "1h"}})
    assert any("never finds its 1h cache warm" in warning for warning in found.warnings)


def test_poisson_runs_find_a_cache_with_one_minus_exp_of_rate_times_ttl(routed: Callable[..., Projection]) -> None:
    # 12 an hour, 5 minutes: 1 - 1/e of runs read, 1/e write
    row = {"runs_per_day": {"poisson": 288}, "tokens": {"input": 1_000_000}, "task": "cheap"}
    hit = 1 - math.exp(-1)
    assert float(cost(routed({**row, "cache": {"share": 1}}))) == pytest.approx(288 * (0.1 * hit + 1.25 * (1 - hit)))


def test_a_cache_of_calls_that_few_runs_make_is_colder(routed: Callable[..., Projection]) -> None:
    # runs at 0, 25, 50, 60, 85 and 110 minutes: within the hour before each there are 0, 1, 2, 2, 2 and 2 others
    # (one exactly an hour ago is too long ago); a call escalated with 1/2 is warm with 1 - (1/2)^n:
    # warm 1/2 x (0 + 1/2 + 4 x 3/4) = 1.75 of 3 calls: 1.75 x 0.5 + 1.25 x 10 = 13.375
    row = {"schedule": "*/25 0-1 * * *", "tokens": {"input": 10**6}, "task": "plain"}
    found = routed({**row, "escalate": {"probability": "0.5", "to": "costly"}, "cache": {"share": 1, "ttl": "1h"}})
    escalated = next(call for call in only(found).calls if call.kind == "escalated")
    assert escalated.expected_usd_per_day == Fraction("13.375")


@pytest.mark.parametrize("tasks", [1, 3])
@pytest.mark.parametrize("keep", ["0", "0.4"])
def test_warmth_of_thinned_and_batched_runs_is_that_of_a_walk(read: Read, keep: str, tasks: int) -> None:
    """Spawns drawn run by run on a ten-minute cron, and how many follow another within the hour."""
    row = {"schedule": "*/10 * * * *", **RUN, "cache": {"share": 1, "ttl": "1h"}, "fresh_for": {"hit_rate": keep}}
    row |= {"batch_with": {"tasks": tasks}} if tasks > 1 else {}
    costs = costs_of(read(content(row), {"prices.yaml": OVERLAY}), 2)
    found = costs.planned("c0", plans_of(costs.architecture, COSTLY)[1])
    assert found.has_policies
    rng = np.random.default_rng(1)
    kept = np.flatnonzero(rng.random(600_000) >= float(keep)) * 10
    gaps = np.diff(kept[::tasks])
    assert float(found.calls[0].ways[0].shares[1]) == pytest.approx(float((gaps < 60).mean()), abs=0.005)


# Retries


def test_failed_calls_are_paid_up_to_the_last_attempt(routed: Callable[..., Projection]) -> None:
    # 1 + 0.2 + 0.04 = 1.24 calls for each of 10 runs of 0.02
    found = routed({**TEN, **RUN, "task": "cheap", "retry": {"failure_rate": "0.2", "max_attempts": 3}})
    assert cost(found) == Fraction("0.248")


# Where policies are stated


def test_a_cron_states_policies_and_its_component_may_say_otherwise(routed: Callable[..., Projection]) -> None:
    # every half hour on cheap at 0.02, tried 1.5 times: 48 x 0.02 x 1.5; the component that says so tries once
    retry = {"failure_rate": "0.5", "max_attempts": 2}
    crons = [{"name": n, **HALF_HOURLY, **RUN, "task": "cheap", "retry": retry} for n in ("alone", "named", "without")]
    found = routed({"cron": "named"}, {"cron": "without", "retry": None}, crons=crons)
    costs = {row.name: row.expected_usd_per_day for row in found.plan("routed").components}
    assert costs == {"alone": Fraction("1.44"), "c0": Fraction("1.44"), "c1": Fraction("0.96")}


def test_defaults_state_policies_for_every_component_but_those_that_say_otherwise(
    routed: Callable[..., Projection],
) -> None:
    defaults = {"retry": {"failure_rate": "0.5", "max_attempts": 2}}
    other = {"failure_rate": "0.5", "max_attempts": 3}
    row = {**TEN, **RUN, "task": "cheap"}
    found = routed(row, {**row, "retry": None}, {**row, "retry": other}, defaults=defaults)
    costs = [row.expected_usd_per_day for row in found.plan("routed").components]
    assert costs == [Fraction("0.3"), Fraction("0.2"), Fraction("0.35")]  # 10 x 0.02 x 1.5, x 1, x 1.75


def test_defaults_hold_tokens_and_policies_together(routed: Callable[..., Projection]) -> None:
    defaults = {**RUN["tokens"], "fresh_for": {"hit_rate": "0.75"}}
    assert cost(routed({**TEN, "task": "cheap"}, defaults=defaults)) == Fraction("0.05")
    with pytest.raises(ArchitectureError, match="defaults: say tokens, such as input and output, or policies"):
        routed({**TEN, **RUN}, defaults={})


def test_a_default_that_a_component_cannot_have_is_said_of_that_component(routed: Callable[..., Projection]) -> None:
    with pytest.raises(ArchitectureError, match="'c1': with runs_per_day a ttl gives no hit rate"):
        routed({**HALF_HOURLY, **RUN}, {**TEN, **RUN}, defaults={"fresh_for": "1h"})


# Plans


def test_a_plan_applies_the_policies_that_it_names(routed: Callable[..., Projection]) -> None:
    plans = {"p": {"policies": ["retry"]}, "none": {"policies": []}, "one": {"model": COSTLY}, "by-task": {
        "model_routing": {"cheap": "lab/plain"}}}  # fmt: skip
    retry = {"failure_rate": "0.5", "max_attempts": 2}
    row = {**TEN, **RUN, "task": "cheap", "retry": retry, "escalate": {"probability": "0.5", "to": "costly"}}
    found = routed(row, plans=plans)
    costs = {plan.name: cost(found, plan.name) for plan in found.plans}
    # runs 0.02 on cheap; 0.10 on costly and 0.11 escalated; 1.5 attempts
    assert costs == {
        "naive": Fraction("1"),
        "routed": Fraction("1.125"),
        "p": Fraction("0.3"),
        "none": Fraction("0.2"),
        "one": Fraction("1.5"),
        "by-task": Fraction("1.125"),
    }


def test_claims_are_about_plans_with_their_policies(routed: Callable[..., Projection]) -> None:
    claim = {"says": "x", "stated": "0.475", "tolerance": 0, "daily_usd": {"of": "c0"}}
    row = {**TEN, **RUN, "task": "cheap", "escalate": {"probability": "0.25", "to": "costly"}}
    assert routed(row, claims=[claim]).claims[0].holds


def test_a_policys_model_without_a_price_is_named(routed: Callable[..., Projection]) -> None:
    found = routed({**TEN, **RUN, "task": "cheap", "escalate": {"probability": "0.25", "to": "lab/nobody"}})
    assert [(entry.model, entry.plan) for entry in found.unpriced] == [("lab/nobody", "routed")]
    assert only(found).expected_usd_per_day is None
    assert found.waterfall[-1].expected_usd_per_day == 0  # nothing is left to compare


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "ttl": ({"fresh_for": "soon"}, "fresh_for: 'soon' is not a duration"),
    "both": ({"fresh_for": {"ttl": "1h", "hit_rate": 0}}, "either a ttl, such as 24h, or a hit_rate"),
    "key": ({"large_context": {"use": "dearr"}}, "large_context.use: 'c0': the routing has no key 'dearr'"),
    "typo": ({"escalate": {"probabilty": 1}}, "unknown key 'probabilty'; did you mean 'probability'?"),
    "chance": ({"fresh_for": "1h"}, "fresh_for: 'c0': with runs_per_day a ttl gives no hit rate"),
    "nowhere": ({"escalate": {"probability": 1}}, "say where it escalates"),
    "share": ({"retry": {"failure_rate": 2}}, "retry.failure_rate: this should be less than or equal to 1"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_policy_is_said_in_one_line_with_its_key(routed: Callable[..., Projection], case: str) -> None:
    stated, message = BAD[case]
    with pytest.raises(ArchitectureError) as caught:
        routed({**TEN, **RUN, **stated})
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


# The simulation


def costs_of(architecture: Architecture, days: int) -> Costs:
    return Costs.of(architecture, Horizon.of(START, days, ZoneInfo("UTC")), "list")


POLICIES: dict[str, dict[str, Any]] = {
    "fresh": {"fresh_for": "7h"},
    "fresh by chance": {"fresh_for": {"hit_rate": "0.3"}},
    "batch": {"batch_with": {"tasks": 3, "overhead_tokens": 900}},
    "large": {"large_context": {"over": 40_000, "use": "tiered"}},
    "escalate": {"escalate": {"probability": "0.3", "to": "tiered"}},
    "escalate by evidence": {"escalate": {"probability": {"escalated": 3, "of": 20}, "to": "tiered"}},
    "cache": {"cache": {"share": "0.7", "ttl": "1h"}},
    "retry": {"retry": {"failure_rate": "0.2", "max_attempts": 4}},
    "all": {
        "fresh_for": {"hit_rate": "0.3"},
        "batch_with": {"tasks": 3, "overhead_tokens": 900},
        "large_context": {"over": 90_000, "use": "tiered"},
        "escalate": {"probability": "0.3", "to": "costly"},
        "cache": {"share": "0.7", "ttl": "1h"},
        "retry": {"failure_rate": "0.2", "max_attempts": 4},
    },
}
WHEN: dict[str, dict[str, Any]] = {"cron": {"schedule": "*/20 9-17 * * *"}, "poisson": {"runs_per_day": {"poisson": 5}}}
TOKENS: dict[str, dict[str, Any]] = {
    "wide": {"input": {"low": 1_000, "high": 240_000}, "output": {"p50": 2_000, "p95": 9_000}},
    "unknown": {"input": {"low": 2_000, "high": 9_000, "varies": "mean"}, "output": 500},
}


@pytest.mark.parametrize(("policy", "when", "tokens"), list(product(POLICIES, WHEN, TOKENS)))
def test_the_draws_agree_with_the_exact_expectation(read: Read, policy: str, when: str, tokens: str) -> None:
    row = {"task": "cheap", **WHEN[when], "tokens": TOKENS[tokens], **POLICIES[policy]}
    row["uncertainty"] = {"low": "0.5", "high": "1.5"}
    costs = costs_of(read(content(row), {"prices.yaml": OVERLAY}), 4)
    plans = plans_of(costs.architecture, COSTLY)
    settings = Settings(START, 4, 4_000)
    total = simulate_plans(costs.architecture, plans, costs.planned, costs.horizon, settings)[1]
    drawn = total.drawn_usd.sum(axis=0)
    error = drawn.std() / math.sqrt(len(drawn))
    assert abs(drawn.mean() - float(sum(total.expected_usd))) <= 4 * error + 1e-9


def test_a_policy_that_changes_nothing_leaves_every_draw_as_it_is(read: Read) -> None:
    idle = {"retry": {"failure_rate": 0}, "escalate": {"probability": 0, "to": "costly"}}
    row = {"task": "cheap", **WHEN["poisson"], "tokens": TOKENS["unknown"], **idle, "cache": {"share": 0}}
    costs = costs_of(read(content(row, plans={"without": {"policies": []}}), {"prices.yaml": OVERLAY}), 3)
    plans = plans_of(costs.architecture, COSTLY)
    sums = simulate_plans(costs.architecture, plans, costs.planned, costs.horizon, Settings(START, 3, 200))
    assert np.allclose(sums[1].drawn_usd, sums[2].drawn_usd)
    assert sums[1].expected_usd == sums[2].expected_usd


@pytest.mark.slow
def test_the_second_example_shows_each_policy() -> None:
    file = Path(costsim.__file__).parent / "examples" / "c-suite" / "policies.yaml"
    found = project(read_architecture(file), Settings(START, 3, 50))
    steps = {step.step: step.saved_usd_per_day for step in found.waterfall}
    assert set(steps) > {"fresh_for", "batch_with", "escalate", "large_context", "cache", "retry"}
    assert all(steps[name] > 0 for name in ("fresh_for", "batch_with", "escalate", "large_context", "cache"))
    assert found.unpriced == []
    assert found.warnings == []
