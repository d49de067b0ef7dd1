"""The Monte Carlo: unbiased, shaped as single runs would be, with its two kinds of uncertainty kept apart."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from datetime import date
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from costsim.analysis.architecture.distributions import Constant, Distribution, Lognormal, Triangular
from costsim.analysis.architecture.model import Architecture
from costsim.analysis.projection import PlanResult, Projection
from costsim.analysis.simulation.brackets import Bracket
from costsim.analysis.simulation.costs import Costs
from costsim.analysis.simulation.monte_carlo import GAMMA_VARIANCE, draw
from costsim.analysis.simulation.plan_sums import PlanSum
from costsim.analysis.simulation.plans import plans_of
from costsim.analysis.simulation.profiles import Independent, Joint, Unknown
from costsim.analysis.simulation.settings import Settings
from costsim.analysis.simulation.simulate import simulate_plans
from costsim.analysis.simulation.workload import Horizon, Runs, Work
from numpy.typing import NDArray

Read = Callable[..., Architecture]
Project = Callable[..., Projection]
Floats = NDArray[np.float64]

HAIKU, SONNET, GEMINI = "anthropic/claude-haiku-4-5", "anthropic/claude-sonnet-4-6", "google/gemini-2.5-pro"
START = date(2026, 6, 1)


def simulated(architecture: Architecture, days: int = 10, trials: int = 2000, seed: int = 1) -> list[PlanSum]:
    """The plans' raw sums: naive, routed, then the file's own."""
    settings = Settings(start=START, days=days, trials=trials, seed=seed, naive=SONNET)
    horizon = Horizon.of(START, days, ZoneInfo("UTC"))
    costs = Costs.of(architecture, horizon, "list", SONNET)
    return simulate_plans(architecture, plans_of(architecture, SONNET), costs.planned, horizon, settings)


def standard_errors(drawn: Floats, expected: Fraction) -> float:
    """How many standard errors the mean of independent draws is off; rounding alone counts as none."""
    error = float(drawn.std(ddof=1)) / math.sqrt(len(drawn))
    off = float(drawn.mean()) - float(expected)
    return 0.0 if abs(off) <= 1e-9 * max(1.0, abs(float(expected))) else off / error


# ---- unbiased: the exact expectation is what the draws average to


def random_amount(dice: random.Random, scale: float, varies: bool = True) -> Any:
    low, mode, high = sorted(round(scale * dice.uniform(0.2, 5), 2) for _ in range(3))
    more = {"varies": dice.choice(["run", "mean"])} if varies else {}
    return dice.choice(
        [
            round(scale),
            {"low": low, "mode": mode, "high": high} | more,
            {"low": low, "high": high} | more,
            {"p50": mode, "p95": round(mode * dice.uniform(1.05, 8), 2)} | more,
        ]
    )


def random_component(dice: random.Random, name: str) -> dict[str, Any]:
    rate = dice.choice([0.3, 2.5, 6, 40, 700])
    when = dice.choice(
        [
            {"schedule": dice.choice(["*/30 * * * *", "0 7 * * *", "0 */3 * * 1-5", "0 0 31 * *"])},
            {"runs_per_day": rate},
            {"runs_per_day": {"poisson": rate}},
            {"runs_per_day": {"low": rate / 2, "high": rate * 2, "varies": "mean"}},
            {"runs_per_day": {"low": rate / 2, "mode": rate, "high": rate * 3, "varies": "run"}},
        ]
    )
    if dice.random() < 0.25:
        tokens: dict[str, Any] = {"from_usage": {"file": "log.csv", "columns": {"input": "i", "output": "o"}}}
    else:
        # 150,000 input tokens straddle Gemini's tier at 200,000
        tokens = {"input": random_amount(dice, dice.choice([2000, 150_000])), "output": random_amount(dice, 500)}
    row: dict[str, Any] = {"name": name, "task": dice.choice("xy"), "tokens": tokens} | when  # type: ignore[operator]
    if dice.random() < 0.3:
        row["uncertainty"] = {"low": 0.5, "mode": 1, "high": 3}
    return row | ({"weekdays_only": True} if dice.random() < 0.2 else {})


def log(seed: int, calls: int = 300) -> str:
    """A log whose two columns go together, some of its calls above a context tier."""
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=calls)
    inputs = np.rint(np.exp(10 + 1.2 * shared))
    outputs = np.rint(np.exp(5 + 0.9 * shared + 0.5 * rng.normal(size=calls)))
    return "i,o\n" + "".join(f"{int(i)},{int(o)}\n" for i, o in zip(inputs, outputs, strict=True))


@pytest.fixture(scope="module")
def family(read: Read) -> list[list[PlanSum]]:
    """Thirty random architectures, each simulated under three plans."""
    found = []
    for seed in range(30):
        dice = random.Random(seed)
        content = {
            "model_routing": {"x": HAIKU, "fallback": GEMINI},
            "plans": {"other": {"model_routing": {"x": GEMINI}}},
            "components": [random_component(dice, f"c{n}") for n in range(dice.randint(1, 4))],
        }
        found.append(simulated(read(content, {"log.csv": log(seed)}), seed=seed))
    return found


@pytest.mark.slow
def test_every_plans_draws_average_to_its_exact_cost(family: list[list[PlanSum]]) -> None:
    off = [
        standard_errors(total.drawn_usd.sum(axis=0), sum(total.expected_usd, Fraction(0)))
        for sums in family
        for total in sums
    ]
    assert len(off) == 90
    assert max(map(abs, off)) < 4
    assert 0.7 < math.sqrt(np.mean(np.square([z for z in off if z]))) < 1.3  # 1 where nothing is biased


@pytest.mark.slow
def test_every_savings_draws_average_to_its_exact_saving(family: list[list[PlanSum]]) -> None:
    off = [
        standard_errors(total.saved_usd, sum(total.saved_by_component.values(), Fraction(0)))
        for sums in family
        for total in sums[1:]
    ]
    assert max(map(abs, off)) < 4
    assert 0.7 < math.sqrt(np.mean(np.square([z for z in off if z]))) < 1.3


def component(**words: Any) -> dict[str, Any]:
    return {"name": "a", "model": HAIKU, "runs_per_day": 48, "tokens": {"input": 1000, "output": 100}} | words


RATES = {
    "poisson": {"poisson": 3.3},
    "a mean that nobody knows": {"low": 1, "high": 9, "varies": "mean"},
    "days that vary": {"low": 1, "mode": 2, "high": 9, "varies": "run"},
    "less than one run": 0.2,
    "a rate and a half": 7.5,
    "many poisson": {"poisson": 3000},
}
TOKENS = {
    "constant": {"input": 3000, "output": 100},
    "lognormal": {"input": {"p50": 2000, "p95": 12_000}, "output": {"p50": 300, "p95": 900}},
    "triangular": {"input": {"low": 0, "mode": 500, "high": 9000}, "output": 5},
    "uniform": {"input": 50, "output": {"low": 0, "high": 800}},
    "unknown mean": {"input": {"low": 500, "high": 1500, "varies": "mean"}, "output": {"p50": 9, "p95": 90}},
    "over a tier": {"input": {"p50": 120_000, "p95": 400_000}, "output": {"low": 0, "high": 3}},
    "a log": {"from_usage": {"file": "log.csv", "columns": {"input": "i", "output": "o"}}},
    "a log over its input only": {"from_usage": {"file": "log.csv", "columns": {"input": "i"}}},
}  # fmt: skip


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("tokens", TOKENS)
def test_every_law_of_runs_and_tokens_is_unbiased(read: Read, rate: str, tokens: str) -> None:
    row = component(model=GEMINI, runs_per_day=RATES[rate], tokens=TOKENS[tokens])
    for total in simulated(read({"components": [row]}, {"log.csv": log(7)}), days=5):
        assert abs(standard_errors(total.drawn_usd.sum(axis=0), sum(total.expected_usd, Fraction(0)))) < 4


# ---- shaped as single runs would be


def day_tokens(profile: Independent | Joint, runs: Runs, starts: tuple[int, ...] = (), trials: int = 20_000) -> Floats:
    """Simulated sums of all tokens of one day: (classes, trials)."""
    work = Work(_named("a"), runs, profile, Unknown())
    found = draw(work, profile, tuple(profile.brackets(starts)), 1, trials, 1)
    return np.array(
        [sum(np.broadcast_to(b[n], (1, trials))[0] for b in found.tokens) for n in range(len(found.tokens[0]))]
    )


def _named(name: str) -> Any:
    from costsim.analysis.architecture.model import Component

    return Component(name=name)


def brute_force(part: Distribution, runs: int, trials: int = 20_000) -> Floats:
    """Sums of single draws."""
    return np.asarray(part.draw(np.random.default_rng(99), (runs, trials)).sum(axis=0), float)


PARTS: dict[str, Distribution] = {
    "triangular": Triangular(Fraction(100), Fraction(200), Fraction(2000)),
    "p95 three times p50": Lognormal(Fraction(1000), Fraction(3000)),
    "p95 ten times p50": Lognormal(Fraction(1000), Fraction(10_000)),
    "p95 forty times p50": Lognormal(Fraction(1000), Fraction(40_000)),
}


@pytest.mark.parametrize("runs", [1, 3, 8, 48, 300])
@pytest.mark.parametrize("name", PARTS)
def test_a_days_sum_has_the_quantiles_of_its_single_runs(name: str, runs: int) -> None:
    # P10, P50 and P90 within 2%; within 5% for the wildest, where the quantiles of these trials are that noisy
    # themselves. A gamma sum of the same mean and variance would be 11% off at 48 runs of p95 = 10 x p50, and 60%
    # at 40 x.
    trials = 100_000 if runs < 10 else 20_000
    (drawn,) = day_tokens(Independent({"input": PARTS[name]}), Runs((Fraction(runs),)), trials=trials)
    off = np.quantile(drawn, [0.1, 0.5, 0.9]) / np.quantile(brute_force(PARTS[name], runs, trials), [0.1, 0.5, 0.9]) - 1
    assert np.abs(off).max() < (0.05 if "forty" in name else 0.02)


@pytest.mark.parametrize(("ratio", "runs"), [(3, 48), (10, 310)])
def test_where_a_gamma_is_drawn_it_is_within_two_percent_of_single_runs(ratio: int, runs: int) -> None:
    # p95 = 3 x p50 has a squared variation of 0.56, 48 runs of it 0.012; p95 = 10 x p50 has 6.1, and needs 305 runs
    # to come to the limit of 0.02: the worst that is drawn from a gamma.
    part = Lognormal(Fraction(1000), Fraction(1000 * ratio))
    assert 0.01 < part.variance / float(part.mean) ** 2 / runs < GAMMA_VARIANCE
    (drawn,) = day_tokens(Independent({"input": part}), Runs((Fraction(runs),)))
    off = np.quantile(drawn, [0.1, 0.5, 0.9]) / np.quantile(brute_force(part, runs), [0.1, 0.5, 0.9]) - 1
    assert np.abs(off).max() < 0.02


@pytest.mark.slow
@pytest.mark.parametrize("runs", [1, 2, 7, 48, 1000])
def test_rows_of_a_log_are_summed_as_whole_rows(runs: int) -> None:
    # a class that goes up with another and one that goes down with it, both heavy-tailed
    rng = np.random.default_rng(5)
    shared = rng.normal(size=3000)
    rows = np.column_stack([np.exp(7 + shared), np.exp(5 + 0.8 * shared), np.exp(5 - shared)])
    whole = np.rint(rows).astype(np.int64)
    profile = Joint(("input", "output", "web_search"), whole)
    drawn = day_tokens(profile, Runs((Fraction(runs),)))
    single = whole[rng.integers(0, len(whole), (runs, 20_000))].sum(axis=0).T
    assert drawn.min() >= 0
    for mine, theirs in zip(drawn, single, strict=True):
        off = np.quantile(mine, [0.1, 0.5, 0.9]) / np.quantile(theirs, [0.1, 0.5, 0.9]) - 1
        assert np.abs(off).max() < 0.06  # noise of 20,000 heavy-tailed trials
    assert np.corrcoef(drawn) == pytest.approx(np.corrcoef(single), abs=0.05)
    assert np.corrcoef(drawn)[0, 2] < -0.2 < 0.7 < np.corrcoef(drawn)[0, 1]  # type: ignore[index]


def test_rows_on_both_sides_of_a_tier_are_counted_on_their_own_side() -> None:
    rows = np.array([[100_000, 10], [300_000, 30], [300_000, 50], [500_000, 70]], dtype=np.int64)
    profile = Joint(("input", "output"), rows)
    low, high = profile.brackets((200_001,))
    assert (low.probability, high.probability) == (Fraction(1, 4), Fraction(3, 4))
    assert high.mean == {"input": Fraction(1_100_000, 3), "output": Fraction(50)}
    work = Work(_named("a"), Runs((Fraction(5),)), profile, Unknown())
    found = draw(work, profile, (low, high), 1, 1000, 1)
    assert (found.runs[0] + found.runs[1] == 5).all()
    assert (found.tokens[0][0] == found.runs[0] * 100_000).all()
    assert (found.tokens[1][0] >= found.runs[1] * 300_000).all()


def test_nothing_that_varies_stays_one_number_a_day() -> None:
    profile = Independent({"input": Constant(Fraction(7))})
    work = Work(_named("a"), Runs((Fraction(2), Fraction(3))), profile, Unknown())
    found = draw(work, profile, (Bracket(0, Fraction(1), profile.mean),), 2, 10_000, 1)
    assert found.tokens[0][0].tolist() == [[14], [21]]


# ---- two kinds of uncertainty


def relative_width(plan: PlanResult) -> float:
    """P10 to P90 of the horizon, in parts of its P50."""
    return float((plan.horizon.p90_usd - plan.horizon.p10_usd) / plan.horizon.p50_usd)


def test_what_runs_vary_by_averages_out_as_the_square_root_of_the_days(projected: Project) -> None:
    # one run a day, uniform over 500-1500: sd 288.7 of 1000, P10-P90 of a normal 2.563 sd
    row = component(runs_per_day=1, tokens={"input": {"low": 500, "high": 1500}})
    widths = {
        days: relative_width(projected({"components": [row]}, days=days, trials=10_000).plan("routed"))
        for days in (1, 30, 120)
    }
    assert widths[1] == pytest.approx(0.8, abs=0.02)  # P10 600, P90 1400
    assert widths[30] == pytest.approx(2.563 * 0.2887 / math.sqrt(30), rel=0.05)  # 0.135
    assert widths[120] == pytest.approx(widths[30] / 2, rel=0.05)  # four times the days, half the width


@pytest.mark.slow
def test_what_nobody_knows_about_a_mean_never_averages_out(projected: Project) -> None:
    unknown = {"low": 500, "high": 1500, "varies": "mean"}
    for row in (
        component(tokens={"input": unknown}),
        component(runs_per_day=unknown),
        component(uncertainty={"low": 500, "high": 1500}),
    ):
        for days in (1, 30, 120):
            plan = projected({"components": [row]}, days=days, trials=10_000).plan("routed")
            assert relative_width(plan) == pytest.approx(0.8, abs=0.025)  # P10 600, P90 1400 of 1000, ever


def test_mixing_the_two_kinds_would_make_a_month_absurdly_certain(projected: Project) -> None:
    # "$1-3 per day" for ad hoc coding. Its mean unknown: a month is 60 USD, P10 36, P90 84. Read as days that vary,
    # each drawn anew, it would be 60 +- 1.28 x 0.577 x sqrt(30) = 56 to 64: nobody knows that.
    calibrate = {"daily_usd": {"low": 1, "high": 3}, "input_per_output": 4, "book": "article-2026"}
    row = component(tokens=None, runs_per_day={"poisson": 6}, calibrate=calibrate)
    honest = projected({"components": [row]}, trials=10_000, book="article-2026").plan("routed").horizon
    assert float(honest.p10_usd) == pytest.approx(36, abs=1.5)
    assert float(honest.p90_usd) == pytest.approx(84, abs=2)

    usd_1_each = {"input": 1_250_000}  # a million and a quarter of Haiku's input at 0.80
    mixed_row = component(runs_per_day={"low": 1, "high": 3, "varies": "run"}, tokens=usd_1_each)
    mixed = projected({"components": [mixed_row]}, trials=10_000, book="article-2026").plan("routed").horizon
    assert float(mixed.p10_usd) == pytest.approx(56, abs=1.5)
    assert float(mixed.p90_usd) == pytest.approx(64, abs=1.5)


def test_poisson_runs_vary_and_average_out(projected: Project) -> None:
    # 4 runs per day for 25 days: 100 +- 10 runs
    row = component(runs_per_day={"poisson": 4})
    plan = projected({"components": [row]}, days=25, trials=10_000).plan("routed")
    assert relative_width(plan) == pytest.approx(2.563 * 10 / 100, rel=0.06)


# ---- common random numbers and seeds


def test_a_plan_that_is_the_baseline_saves_exactly_nothing_in_every_trial(read: Read) -> None:
    rows = [component(runs_per_day={"poisson": 5}, tokens=TOKENS["lognormal"])]
    content = {"components": rows, "plans": {"same": {"model": SONNET}}}
    _, _, same = simulated(read(content))
    assert (same.saved_usd == 0).all()


def test_the_same_draws_make_a_saving_more_certain_than_either_cost(projected: Project) -> None:
    # Sonnet costs three times Haiku on every token, so the saving is two thirds of the cost, trial by trial
    row = component(uncertainty={"low": 1, "high": 3})
    found = projected({"components": [row]}, naive=SONNET)
    naive, saving = found.plan("naive"), found.savings[0]
    assert float(saving.p10_usd_per_day) == pytest.approx(float(naive.horizon.p10_usd) / 30 * 2 / 3, rel=1e-6)
    assert float(saving.p90_usd_per_day) == pytest.approx(float(naive.horizon.p90_usd) / 30 * 2 / 3, rel=1e-6)


def test_another_component_changes_no_draw_of_the_first(projected: Project) -> None:
    varying = component(runs_per_day={"poisson": 5}, tokens=TOKENS["lognormal"])
    alone = projected({"components": [varying]})
    joined = projected({"components": [component(name="before"), varying, component(name="after")]})
    assert joined.plan("routed").components[1] == alone.plan("routed").components[0]


def test_one_seed_gives_one_result_and_another_gives_another(projected: Project) -> None:
    content = {"components": [component(tokens=TOKENS["lognormal"])]}
    first, again, other = (projected(content, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first.plan("routed").p90_usd_per_day != other.plan("routed").p90_usd_per_day
    assert first.plan("routed").expected_usd_per_day == other.plan("routed").expected_usd_per_day


# ---- horizon quantiles


def test_horizon_quantiles_come_from_horizon_sums(projected: Project) -> None:
    # Thirty independent days: the P90 of the month is far below thirty P90s of a day, which never come together.
    row = component(runs_per_day=1, tokens={"input": {"p50": 1000, "p95": 8000}})
    plan = projected({"components": [row]}, trials=10_000).plan("routed")
    summed_p90, summed_p10 = 30 * plan.p90_usd_per_day, 30 * plan.p10_usd_per_day
    assert plan.horizon.p90_usd < summed_p90 * 7 / 10
    assert plan.horizon.p10_usd > summed_p10 * 2
    assert plan.horizon.p10_usd < plan.horizon.expected_usd < plan.horizon.p90_usd


def test_one_day_is_its_own_horizon(projected: Project) -> None:
    plan = projected({"components": [component(tokens=TOKENS["lognormal"])]}, days=1).plan("routed")
    assert (plan.horizon.p10_usd, plan.horizon.p90_usd) == (plan.p10_usd_per_day, plan.p90_usd_per_day)
    assert plan.horizon.expected_usd == plan.expected_usd_per_day
