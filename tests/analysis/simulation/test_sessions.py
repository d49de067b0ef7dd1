"""Sessions: turns that send the whole context again, with a cache, compaction and price tiers; by hand and by draws."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from costsim.analysis.architecture.model import Architecture
from costsim.analysis.architecture.session import Session, distribution_of
from costsim.analysis.projection import ComponentCost, Projection
from costsim.analysis.simulation.costs import Costs
from costsim.analysis.simulation.monte_carlo import draw, price
from costsim.analysis.simulation.plans import routed_plan
from costsim.analysis.simulation.sessions.chances import survival
from costsim.analysis.simulation.sessions.expected import expected_brackets
from costsim.analysis.simulation.sessions.profile import SessionProfile
from costsim.analysis.simulation.workload import Horizon
from costsim.errors import ArchitectureError
from hypothesis import given, settings
from hypothesis import strategies as st
from thorough import examples

Read = Callable[..., Architecture]
Project = Callable[..., Projection]

LAB, LARGE = "lab/tiered", "lab/large"
# Writes cost 1.25 (5m) and 2 (1h) times the input, reads a tenth; from 10,001 tokens on all of it twice.
PRICES = {"input": 2, "cache_read": "0.2", "cache_write_5m": "2.5", "cache_write_1h": 4, "output": 10}
TWICE = {"input": 4, "cache_read": "0.4", "cache_write_5m": 5, "cache_write_1h": 8, "output": 20}
OVERLAY = {
    "book": "lab",
    "source": "made for this test",
    "models": [
        {
            "model": LAB,
            "usd_per_mtok": PRICES,
            "context_window": 20_000,
            "tiers": [{"min_input_tokens": 10_001, "usd_per_mtok": TWICE}],
        },
        {"model": LARGE, "usd_per_mtok": {"input": 1, "cache_read": "0.5", "output": 3}, "context_window": 200_000},
    ],
}
BESIDE = {"prices.yaml": OVERLAY}
MTOK = 1_000_000


def fleet(session: dict[str, Any], model: str = LAB, runs: float = 1, **more: Any) -> dict[str, Any]:
    component = {"name": "coder", "model": model, "runs_per_day": runs, "session": session, **more}
    return {"prices": "prices.yaml", "components": [component]}


def row(projection: Projection, plan: str = "routed") -> ComponentCost:
    return projection.plan(plan).components[0]


def tokens(session: dict[str, Any]) -> dict[str, Fraction]:
    return SessionProfile.of(Session.model_validate(session)).mean


def test_each_turn_reads_the_context_before_and_writes_the_rest() -> None:
    found = tokens({"turns": 3, "prompt": 1000, "input": 100, "output": 50, "cache": "5m"})
    # turn 1 writes 1100; turn 2 sends 1250, reads 1100 and writes 150; turn 3 sends 1400, reads 1250, writes 150
    assert found == {"cache_read": 1100 + 1250, "cache_write_5m": 1100 + 150 + 150, "output": 3 * 50}


def test_a_session_may_begin_with_a_cached_prompt() -> None:
    # contexts 1,100, 1,250 and 1,400: the first reads half of the prompt, the others the context before
    session = {"turns": 3, "prompt": 1000, "input": 100, "output": 50, "prompt_cached": "0.5"}
    assert tokens(session) == {"cache_read": 500 + 1100 + 1250, "cache_write_5m": 600 + 150 + 150, "output": 150}
    varied = {**session, "input": {"low": 50, "high": 150}}
    assert tokens(varied) == tokens(session)
    with pytest.raises(ValueError, match="prompt_cached needs a cache"):
        Session.model_validate({**session, "cache": "none"})


def test_after_a_gap_longer_than_the_ttl_all_is_written_again() -> None:
    session = {"turns": 3, "prompt": 1000, "input": 100, "output": 50}
    assert tokens({**session, "cache": "5m", "gap": "301s"}) == {
        "cache_read": 0, "cache_write_5m": 1100 + 1250 + 1400, "output": 150,
    }  # fmt: skip
    assert tokens({**session, "cache": "1h", "gap": "301s"})["cache_read"] == 2350
    # a gap between 0 and 400 s is within 300 s three times of four: 3/4 of the 2350 are read
    assert tokens({**session, "gap": {"low": 0, "high": "400s"}})["cache_read"] == Fraction(3, 4) * 2350


def test_without_a_cache_every_turn_sends_all_of_it() -> None:
    found = tokens({"turns": 3, "prompt": 1000, "input": 100, "output": 50, "cache": "none"})
    assert found == {"input": 1100 + 1250 + 1400, "output": 150}


def test_thinking_is_output_and_leaves_the_context() -> None:
    with_it = tokens({"turns": 2, "prompt": 1000, "input": 100, "output": 50, "thinking": 400})
    assert with_it == {"cache_read": 1100, "cache_write_5m": 1250, "output": 2 * 450}


def test_a_session_costs_what_its_turns_cost(projected: Project) -> None:
    found = row(projected(fleet({"turns": 3, "prompt": 1000, "input": 100, "output": 50}, runs=2), BESIDE))
    # a session: 2350 read at 0.2, 1400 written at 2.5, 150 output at 10 = 470 + 3500 + 1500 = 5470 USD per mtok
    assert found.expected_usd_per_day == Decimal("0.01094")
    assert (found.expected_error_percent, found.p10_usd_per_day) == (None, Decimal("0.01094"))
    assert found.session
    assert found.session.usd_per_session == Decimal("0.00547")
    assert (found.session.turns, found.session.requests, found.session.largest_context_p95) == (3, 3, 1400)


def test_every_turn_is_in_the_tier_of_its_own_context(projected: Project) -> None:
    found = row(projected(fleet({"turns": 3, "prompt": 8000, "input": 900, "output": 300}), BESIDE))
    # contexts 8900, 10100, 11300; the last two at twice the price
    # 8900 x 2.5 + 300 x 10 = 25,250
    # 8900 x 0.4 + 1200 x 5 + 300 x 20 = 3560 + 6000 + 6000 = 15,560
    # 10100 x 0.4 + 1200 x 5 + 6000 = 4040 + 6000 + 6000 = 16,040
    assert found.expected_usd_per_day == Decimal("0.05685")
    assert found.expected_error_percent is None


def test_compaction_is_one_more_call_and_a_short_context(projected: Project) -> None:
    compaction = {"limit": 2000, "keep": 300, "call": {"input": 10, "output": 250}}
    session = {"turns": 4, "prompt": 1000, "input": 400, "output": 100, "compaction": compaction}
    # turn 1 sends 1400; turn 2 1900; turn 3 would send 2400, so that
    #   the call sends 2000 + 10: reads 1900, writes 110, answers 250
    #   turn 3 sends 1000 + 300 + 400 = 1700: reads the prompt, 1000, writes 700
    # turn 4 would send 2200: the call sends 1800 + 10, reads 1700, writes 110; turn 4 sends 1700 again
    assert tokens(session) == {
        "cache_read": 1400 + 1900 + 1000 + 1700 + 1000,
        "cache_write_5m": 1400 + 500 + 110 + 700 + 110 + 700,
        "output": 4 * 100 + 2 * 250,
    }
    found = row(projected(fleet(session), BESIDE))
    assert found.session
    assert (found.session.requests, found.session.compactions) == (6, 2.0)


def test_half_a_turn_is_a_turn_half_of_the_time() -> None:
    assert survival(distribution_of(Decimal("2.5"))) == (1, 1, Fraction(1, 2))
    two, three = (tokens({"turns": n, "prompt": 1000, "input": 100, "output": 50}) for n in (2, 3))
    mixed = tokens({"turns": 2.5, "prompt": 1000, "input": 100, "output": 50})
    assert mixed == {name: (two[name] + three[name]) / 2 for name in two}


def test_turns_that_vary_are_summed_over_their_whole_numbers() -> None:
    # uniform from 1 to 3, rounded: 1 with 1/4, 2 with 1/2, 3 with 1/4
    assert survival(Session.model_validate({"turns": {"low": 1, "high": 3}, "prompt": 1}).turns.distribution()) == (  # type: ignore[union-attr]
        1, Fraction(3, 4), Fraction(1, 4),
    )  # fmt: skip


def test_a_large_context_goes_to_another_model_and_writes_its_cache_there(projected: Project) -> None:
    session = {"turns": 3, "prompt": 1000, "input": 500, "output": 500, "cache": "5m"}
    policy: dict[str, Any] = {"large_context": {"over": 2000, "use": LARGE}}
    found = row(projected(fleet(session, **policy), BESIDE))
    # turn 1 sends 1500 on the first model: 1500 x 2.5 + 500 x 10 = 8750
    # turn 2 sends 2500 on the other, cold: 2500 at its input price of 1, 500 x 3 = 4000
    # turn 3 sends 3500 there, reads 2500 x 0.5 and writes 1000 x 1, 500 x 3 = 3750
    assert found.expected_usd_per_day == Decimal("0.0165")
    assert {call.kind: call.calls_per_day for call in found.calls} == {"first": 1, "large_context": 2}


def test_an_escalated_turn_finds_no_cache_on_the_second_model(projected: Project) -> None:
    policy: dict[str, Any] = {"escalate": {"probability": 1, "to": LARGE, "carry": 0}}
    found = row(projected(fleet({"turns": 2, "prompt": 1000, "input": 100, "output": 50}, **policy), BESIDE))
    # first: 1100 x 2.5 + 500, then 1100 x 0.2 + 150 x 2.5 + 500 = 4345; escalated: (1100 + 1250) x 1 + 100 x 3 = 2650
    assert found.expected_usd_per_day == Decimal("0.006995")


def test_a_session_that_outgrows_its_window_is_said_first(projected: Project) -> None:
    result = projected(fleet({"turns": 30, "prompt": 5000, "input": 800, "output": 200}), BESIDE)
    # the largest context is 5000 + 30 x 800 + 29 x 200 = 34,800, the window 20,000
    assert [entry.component for entry in result.outgrown] == ["coder"]
    assert "100 % of its sessions outgrow the 20,000 tokens of lab/tiered (up to 34,800)" in result.outgrown[0].message
    assert "session.compaction: {limit: 16000}" in result.outgrown[0].fix


def test_a_run_whose_one_input_outgrows_the_window_is_said_too(projected: Project) -> None:
    run = {"name": "all", "model": LAB, "runs_per_day": 1, "tokens": {"input": 30_000, "output": 10}}
    result = projected({"prices": "prices.yaml", "components": [run]}, BESIDE)
    assert "state it as a session" in result.outgrown[0].message
    assert any("counts as one request of more than 10,001 input tokens" in line for line in result.warnings)


@pytest.mark.parametrize(
    ("session", "message"),
    [
        ({"turns": 0, "prompt": 1}, "from 1 to 10,000 turns"),
        ({"turns": 3}, "a session needs tokens"),
        ({"turns": 3, "prompt": 1, "cache": "10m"}, "'5m', '1h' or 'none'"),
        ({"turns": 3, "promt": 1}, "unknown key 'promt'; did you mean 'prompt'?"),
        ({"turns": 3, "prompt": 900, "compaction": {"limit": 1000, "keep": 100}}, "not less than its limit"),
        ({"turns": {"low": 1, "high": 3, "varies": "mean"}, "prompt": 1}, "state an unknown mean as uncertainty"),
    ],
)
def test_a_wrong_session_is_one_clear_error(read: Read, session: dict[str, Any], message: str) -> None:
    with pytest.raises(ArchitectureError, match=message):
        read(fleet(session), BESIDE)


def test_a_session_has_a_cache_of_its_own(read: Read) -> None:
    with pytest.raises(ArchitectureError, match="it has a cache of its own"):
        read(fleet({"turns": 3, "prompt": 1}, cache={"share": 0.5}), BESIDE)


def test_a_session_may_stand_in_tokens_too(projected: Project) -> None:
    session = {"turns": 3, "prompt": 1000, "input": 100, "output": 50}
    component = {"name": "coder", "model": LAB, "runs_per_day": 2, "tokens": {"session": session}}
    found = row(projected({"prices": "prices.yaml", "components": [component]}, BESIDE))
    assert found.expected_usd_per_day == Decimal("0.01094")


def by_drawing(session: dict[str, Any], starts: tuple[int, ...], count: int, seed: int) -> list[float]:
    """USD of drawn sessions, turn by turn, written apart from the code that is tested."""
    stated = Session.model_validate(session)
    rng, dice = np.random.default_rng(seed), random.Random(seed)
    parts = {n: distribution_of(getattr(stated, n)) for n in ("turns", "prompt", "input", "output", "thinking", "gap")}

    costs = []
    for _ in range(count):
        drawn = float(parts["turns"].draw(rng, (1,))[0])
        exact = isinstance(stated.turns, Decimal)
        turns = int(drawn + dice.random()) if exact else min(10_000, max(1, round(drawn)))
        each = zip(
            *(parts[n].draw(rng, (turns,)).tolist() for n in ("input", "output", "thinking", "gap")), strict=True
        )
        prompt, context, answer, usd = float(parts["prompt"].draw(rng, (1,))[0]), 0.0, 0.0, 0.0
        for turn, (new, output, thought, gap) in enumerate(each):
            sent = prompt + new if turn == 0 else context + answer + new
            warm = turn > 0 and stated.ttl_seconds is not None and gap <= stated.ttl_seconds
            read = context if warm else 0.0
            if turn and stated.compaction and sent > stated.compaction.limit:
                whole = context + answer + float(stated.compaction.call.input)
                usd += cost(whole, read, float(stated.compaction.call.output), stated.cache, starts)
                sent, read = prompt + float(stated.compaction.kept) + new, prompt if stated.ttl_seconds else 0.0
            usd += cost(sent, read, output + thought, stated.cache, starts)
            context, answer = sent, output
        costs.append(usd)
    return costs


def cost(sent: float, read: float, output: float, cache: str, starts: tuple[int, ...]) -> float:
    prices: dict[str, Any] = TWICE if starts and sent >= starts[0] else PRICES
    write = float(prices["input"] if cache == "none" else prices[f"cache_write_{cache}"])
    return (read * float(prices["cache_read"]) + (sent - read) * write + output * float(prices["output"])) / MTOK


def usd_of(session: dict[str, Any]) -> tuple[float, bool]:
    """The expected USD of a session, and whether it is exact."""
    brackets = expected_brackets(SessionProfile.of(Session.model_validate(session)).rules, (10_001,))
    usd = 0.0
    for bracket in brackets:
        prices: dict[str, Any] = TWICE if bracket.min_input_tokens else PRICES
        mean = sum(float(amount) * float(prices[name]) for name, amount in bracket.mean.items())
        usd += float(bracket.probability) * mean / MTOK
    return usd, all(bracket.replicates is None for bracket in brackets)


AMOUNT = st.one_of(
    st.integers(10, 800),
    st.tuples(st.integers(10, 400), st.integers(1, 900)).map(lambda x: {"low": x[0], "high": x[0] + x[1]}),
    st.tuples(st.integers(50, 400), st.floats(1.2, 4)).map(lambda x: {"p50": x[0], "p95": round(x[0] * x[1])}),
)
SESSIONS = st.fixed_dictionaries(
    {
        "turns": st.one_of(
            st.integers(1, 20), st.just({"low": 1, "mode": 4, "high": 25}), st.just({"p50": 6, "p95": 20})
        ),
        "prompt": st.integers(0, 6000),
        "input": AMOUNT,
        "output": AMOUNT,
        "thinking": st.sampled_from([0, 50]),
        "gap": st.sampled_from(["10s", {"low": 0, "high": 600}, {"p50": 60, "p95": 900}, "2h"]),
        "cache": st.sampled_from(["5m", "1h", "none"]),
    },
    optional={"compaction": st.just({"limit": 9000, "keep": 1500, "call": {"input": 100, "output": 500}})},
)


@pytest.mark.slow
@settings(max_examples=examples(5, 15), deadline=None, derandomize=True)
@given(SESSIONS)
def test_drawn_sessions_agree_with_the_expected_cost_within_four_standard_errors(session: dict[str, Any]) -> None:
    expected, _ = usd_of(session)
    drawn = np.array(by_drawing(session, (10_001,), 1500, 7))
    error = drawn.std(ddof=1) / np.sqrt(len(drawn))
    assert abs(drawn.mean() - expected) <= 4 * error + 0.001 * expected


def test_what_is_computed_numerically_states_its_error_and_keeps_to_it(projected: Project) -> None:
    session = {"turns": 12, "prompt": 3000, "input": {"low": 100, "high": 900}, "output": {"p50": 200, "p95": 500}}
    found = row(projected(fleet(session), BESIDE))
    assert found.expected_error_percent is not None
    assert 0 < found.expected_error_percent <= 0.1
    result = projected(fleet(session), BESIDE)
    assert "except of coder: computed numerically" in result.assumptions[1]


def test_tiers_of_other_models_leave_a_cost_exact(read: Read) -> None:
    session = {"turns": 12, "prompt": 3000, "input": {"low": 100, "high": 900}, "output": {"low": 100, "high": 300}}
    architecture = read({**fleet(session, LARGE), "model_routing": {"fallback": LAB}}, BESIDE)
    costs = Costs.of(architecture, Horizon.of(date(2026, 6, 1), 1, ZoneInfo("UTC")), "list")
    costed = costs.planned("coder", routed_plan(architecture))
    # i = 500, o = 200: read 11 x 3000 + 66 x 500 + 55 x 200 = 77,000; sent 12 x 3000 + 78 x 500 + 66 x 200 = 88,200
    # 77,000 x 0.5 + 11,200 x 1 + 2400 x 3 = 56,900
    assert costed.expected_usd == (Fraction(569, 10_000),)
    assert costed.expected_error < 1e-9


@pytest.mark.slow
def test_the_simulation_has_the_expected_mean_and_spreads_as_sessions_do(read: Read) -> None:
    turns = {"low": 1, "mode": 4, "high": 25}
    session = {"turns": turns, "prompt": 2000, "input": {"p50": 300, "p95": 900}, "output": 200}
    architecture = read(fleet(session, runs=5), BESIDE)
    costs = Costs.of(architecture, Horizon.of(date(2026, 6, 1), 20, ZoneInfo("UTC")), "list")
    plain = costs.planned("coder", routed_plan(architecture)).plain
    sums = draw(plain.work, plain.profile, plain.brackets, 20, 2000, 1)
    usd = price(sums, plain, np.empty((20, 2000)))
    alone = np.array(by_drawing(session, (10_001,), 4000, 3))
    expected = float(plain.expected_usd[0])
    assert abs(usd.mean() - expected) <= 4 * usd.std() / np.sqrt(usd.size)
    assert usd.std() == pytest.approx(np.sqrt(5) * alone.std(), rel=0.15)


def test_the_share_of_cold_turns_is_the_chance_of_a_gap_beyond_the_ttl(projected: Callable[..., Projection]) -> None:
    """Gaps of p50 40 s and p95 8 min: sigma = ln 12 / 1.6449 = 1.5107; 1 - Phi(ln 7.5 / 1.5107) = 9.11 %, not a draw."""
    session = {
        "turns": 30,
        "prompt": 1000,
        "input": 100,
        "output": 10,
        "gap": {"p50": "40s", "p95": "8m"},
        "cache": "5m",
    }
    content = {
        "model_routing": {"fallback": "anthropic/claude-sonnet-4-6"},
        "components": [{"name": "agent", "runs_per_day": 1, "session": session}],
    }
    facts = projected(content).plans[-1].components[0].session
    assert facts is not None
    assert facts.cold_percent == 9.11
