"""Which mix of seats and API is cheapest at P90, from the drawn trials."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from costsim.analysis.architecture.load import read_architecture
from costsim.analysis.mix_results import PlanMix
from costsim.analysis.projection import Projection
from costsim.analysis.simulation import mixes
from costsim.analysis.simulation.run import project
from costsim.analysis.simulation.settings import Settings
from costsim.reports.tables import as_markdown

HAIKU, OPUS = "anthropic/claude-haiku-4-5", "anthropic/claude-opus-4-6"
Projected = Callable[..., Projection]


@pytest.fixture
def projected(tmp_path: Path) -> Projected:
    """October 2026 of components under subscriptions."""

    def run(subscriptions: str, components: str, trials: int = 400, days: int = 31) -> Projection:
        (tmp_path / "prices.yaml").write_text(f"book: mine\nsource: contract\nsubscriptions: [{subscriptions}]\n")
        (tmp_path / "architecture.yaml").write_text(f"prices: prices.yaml\ncomponents: [{components}]\n")
        return project(read_architecture(tmp_path / "architecture.yaml"), Settings(date(2026, 10, 1), days, trials, 1))

    return run


def component(name: str, model: str, runs: str, millions: int) -> str:
    return f"{{name: {name}, agent: a, task: t, model: {model}, runs_per_day: {runs}, tokens: {{input: {millions}000000}}}}"


def by_seats(found: Projection) -> dict[tuple[int, ...], PlanMix]:
    return {tuple(seat.seats for seat in mix.seats): mix for mix in found.mixes}


def test_credits_beyond_what_the_seats_include_cost_overage(projected: Projected) -> None:
    """Haiku: $1 per million, one a day: $31 in October are 3,100 credits of $0.01.

    A seat of $5 includes 1,000: none costs $31; 1 costs 5 + 2,100 x 0.012 = 30.20; 2: 10 + 1,100 x 0.012 = 23.20;
    3: 15 + 100 x 0.012 = 16.20; 4: $20 and nothing beyond.
    """
    plan = f"{{name: p, models: [{HAIKU}], usd_per_month: 5, seats: 4, included: {{credits: 1000}}, "
    found = projected(plan + "overage: {usd_per_credit: 0.012}}", component("a", HAIKU, "1", 1))
    costs = {seats: mix.p90_usd for seats, mix in by_seats(found).items()}
    assert costs == {
        (0,): 31, (1,): Decimal("30.2"), (2,): Decimal("23.2"), (3,): Decimal("16.2"), (4,): 20,
    }  # fmt: skip
    assert [mix.name for mix in found.mixes[:2]] == ["3 × p + API", "4 × p + API"]
    assert [mix.stated for mix in found.mixes[:2]] == [False, True]
    assert "Cheapest at P90: 3 × p + API, $16.20 in 31 days; as stated (4 × p + API) it is $20.00." in as_markdown(
        found
    )


def test_without_overage_the_rest_goes_to_the_api(projected: Projected) -> None:
    plan = f"{{name: p, models: [{HAIKU}], usd_per_month: 5, seats: 1, included: {{requests: 10}}}}"
    found = projected(plan, component("a", HAIKU, "1", 1))
    # 31 requests of $1: a seat takes 10 of them, 5 + 21 = 26; 3 seats: 15 + 1 = 16; 4: $20
    assert {seats: mix.p90_usd for seats, mix in by_seats(found).items()} == {
        (0,): 31,
        (1,): 26,
        (2,): 21,
        (3,): 16,
        (4,): 20,
    }


def test_the_range_is_of_the_trials_and_not_of_their_means(projected: Projected) -> None:
    """On average the seat includes all of it; in the months that have more, the rest is the API's."""
    plan = f"{{name: p, models: [{HAIKU}], usd_per_month: 1, seats: 1, included: {{credits: 3100}}}}"
    found = projected(plan, component("a", HAIKU, "{poisson: 1}", 1), trials=2_000)
    one = by_seats(found)[1,]
    assert one.p10_usd == 1  # fewer than 31 calls: the fee alone
    assert 6 <= one.p90_usd <= 11  # Poisson of mean 31 has P90 38: 7 calls beyond
    assert one.expected_usd > 1
    assert [mix for mix in found.mixes if mix.p90_usd < one.p90_usd]  # a second seat is worth its dollar


def test_two_subscriptions_are_combined_with_each_other_and_the_api(projected: Projected) -> None:
    """Haiku $31 and Opus 5 x 31 = $155 in October: seats that cover each alone, both, or none."""
    plans = (
        f"{{name: small, models: [{HAIKU}], usd_per_month: 20, included: {{credits: 3100}}}}, "
        f"{{name: large, models: [{OPUS}], usd_per_month: 200, included: {{credits: 15500}}}}"
    )
    found = projected(plans, component("a", HAIKU, "1", 1) + ", " + component("b", OPUS, "1", 1))
    costs = {seats: mix.p90_usd for seats, mix in by_seats(found).items()}
    assert [costs[seats] for seats in ((0, 0), (1, 0), (0, 1), (1, 1))] == [
        Decimal(usd) for usd in (186, 175, 231, 220)
    ]
    assert found.mixes[0].name == "1 × small + API"


def test_a_part_of_a_month_has_its_part_of_the_fee_and_of_what_is_included(projected: Projected) -> None:
    """Ten of October's 31 days: 10/31 of 3,100 credits are the 1,000 that ten calls need, and 10/31 of $31 are $10."""
    plan = f"{{name: p, models: [{HAIKU}], usd_per_month: 31, included: {{credits: 3100}}}}"
    found = projected(plan, component("a", HAIKU, "1", 1), days=10)
    assert by_seats(found)[1,].fee_usd == by_seats(found)[1,].p90_usd == 10


def test_an_architecture_without_subscriptions_has_no_mixes(projected: Projected) -> None:
    assert projected("", component("a", HAIKU, "1", 1), trials=10).mixes == []


def test_a_subscription_without_limit_is_stated_seats_or_none(projected: Projected) -> None:
    found = projected(f"{{name: p, models: [{HAIKU}], usd_per_day: 2, seats: 3}}", component("a", HAIKU, "1", 1), 10)
    assert {seats: mix.p90_usd for seats, mix in by_seats(found).items()} == {(0,): 31, (3,): 186}


def test_a_model_that_only_a_subscription_has_counts_at_its_shadow_price(projected: Projected) -> None:
    """31 calls of a million tokens at $1: $31 as by the token; a seat includes $10 of it."""
    model = "kimi-coding/kimi-for-coding"
    shadow = "shadow_usd_per_mtok: {input: 1, output: 1}"
    plan = f"{{name: p, models: [{model}], usd_per_month: 5, included: {{credits: 1000}}, {shadow}}}"
    found = projected(plan, component("a", model, "1", 1), trials=10)
    assert {seats: mix.p90_usd for seats, mix in by_seats(found).items() if seats[0] < 3} == {
        (0,): 31,
        (1,): 26,
        (2,): 21,
    }


@pytest.mark.slow
def test_of_many_subscriptions_not_all_combinations_are_tried(
    projected: Projected, monkeypatch: pytest.MonkeyPatch
) -> None:
    """12 of two numbers of seats each have 4,096 combinations; each is looked at alone, and 64 together."""
    monkeypatch.setattr(mixes, "MAX_COMBINED", 64)
    tried: list[object] = []
    p90 = mixes._Mixes._p90

    def counted(own: mixes._Mixes, counts: Mapping[str, int]) -> float:
        tried.append(counts)
        return p90(own, counts)

    monkeypatch.setattr(mixes._Mixes, "_p90", counted)
    plans = ", ".join(
        f"{{name: s{n}, models: [{HAIKU}], usd_per_month: 1, included: {{requests: 1}}}}" for n in range(12)
    )
    found = projected(plans, component("a", HAIKU, "1", 1), trials=20)
    assert len(tried) <= 64 + 12 * mixes.MOST_TRIED
    assert {mix.stated for mix in found.mixes} == {True, False}
