"""The whole result: what has no price, what is compared, how large it may get, how it is looked at."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from costsim.analysis.projection import Projection
from costsim.errors import ArchitectureError, CostsimError
from hypothesis import given, settings
from hypothesis import strategies as st

Project = Callable[..., Projection]

OPUS, SONNET, HAIKU = "anthropic/claude-opus-4-6", "anthropic/claude-sonnet-4-6", "anthropic/claude-haiku-4-5"
NOBODY = "nobody/knows"


def component(name: str, **words: Any) -> dict[str, Any]:
    return {"name": name, "model": HAIKU, "runs_per_day": 10, "tokens": {"input": 100_000}} | words


PARTLY: dict[str, Any] = {
    # on Haiku, 10 x 100,000 input tokens are 1 USD per day; on Opus 5
    "components": [component("known"), component("unknown", model=NOBODY), component("half", model="lab/half")],
    "prices": "half.yaml",
}
HALF = {  # prices input, not output
    "half.yaml": {"book": "h", "source": "h", "models": [{"model": "lab/half", "usd_per_mtok": {"input": 2}}]}
}


def test_what_has_no_price_costs_an_unknown_sum_never_zero(projected: Project) -> None:
    routed = projected(PARTLY, HALF, naive=OPUS).plan("routed")
    unknown = routed.components[1]
    assert unknown.expected_usd_per_day is unknown.p10_usd_per_day is unknown.p90_usd_per_day is None
    assert unknown.runs_per_day == 10  # its runs are known all the same


def test_what_has_no_price_is_in_no_total(projected: Project) -> None:
    routed = projected(PARTLY, HALF, naive=OPUS).plan("routed")
    assert routed.expected_usd_per_day == 1 + 2
    assert (routed.horizon.expected_usd, routed.horizon.p50_usd) == (90, 90)


def test_what_has_no_price_is_listed_with_its_reason(projected: Project) -> None:
    content = PARTLY | {"components": [*PARTLY["components"], component("out", model="lab/half", tokens={"output": 5})]}
    found = projected(content, HALF, naive=OPUS)
    assert [(u.model, u.plan, u.components, u.reason) for u in found.unpriced] == [
        (NOBODY, "routed", ["unknown"], "no price"),
        ("lab/half", "routed", ["out"], "no price for output"),
    ]


def test_a_saving_compares_only_what_both_plans_can_price(projected: Project) -> None:
    # naive on Opus: 15 USD, of which 10 are of what `routed` can price too; it pays 3 for that
    saving = projected(PARTLY, HALF, naive=OPUS).savings[0]
    assert saving.expected_usd_per_day == 7
    assert saving.percent == 70  # of those 10, not of the 15
    assert [c.name for c in saving.components] == ["known", "half"]
    assert (saving.p10_usd_per_day, saving.p90_usd_per_day) == (7, 7)


def test_a_baseline_without_a_price_compares_with_nothing(projected: Project) -> None:
    saving = projected(PARTLY, HALF, naive=NOBODY).savings[0]
    assert (saving.expected_usd_per_day, saving.percent, saving.components) == (0, 0, [])


def test_a_model_whose_output_has_no_price_is_fine_where_nothing_is_put_out(projected: Project) -> None:
    assert projected(PARTLY, HALF, naive=OPUS).plan("routed").components[2].expected_usd_per_day == 2


def test_plan_figures_are_sums_of_their_parts(projected: Project) -> None:
    content = {
        "model_routing": {"fallback": SONNET},
        "components": [
            component("a", runs_per_day="2.5"),
            component("b", schedule="0 9 * * 1-5", runs_per_day=None, tokens={"input": 7, "output": 3}),
            component("c", model=OPUS, start="2026-06-10"),
        ],
    }
    content["components"] = [{k: v for k, v in row.items() if v is not None} for row in content["components"]]  # type: ignore[attr-defined]
    for plan in projected(content).plans:
        parts = [row.expected_usd_per_day or Decimal(0) for row in plan.components]
        assert abs(sum(parts) - plan.expected_usd_per_day) < Decimal("1e-11")  # each rounds at 12 places
        assert abs(sum(day.expected_usd for day in plan.days) - plan.horizon.expected_usd) < Decimal("1e-10")
        assert len(plan.days) == 30


def test_every_price_that_was_used_is_listed_with_its_source(projected: Project) -> None:
    found = projected({"components": [component("a")]}, naive=HAIKU)
    assert [(p.model, p.token_class, p.usd, p.per) for p in found.prices] == [
        ("anthropic/claude-haiku-4-5", "input", 1, 1_000_000)
    ]
    assert found.prices[0].source.startswith("genai-prices")


def test_a_calibrated_component_says_so(projected: Project) -> None:
    row = {"name": "a", "model": HAIKU, "runs_per_day": 5, "calibrate": {"daily_usd": 1, "input_per_output": 4}}
    found = projected({"components": [row, component("b")]})
    assert [(c.calibrated, c.tokens) for c in found.plans[0].components] == [(True, "calibrated"), (False, "stated")]
    assert any("solved from $1.00 per day" in line and "not measured" in line for line in found.assumptions)


@pytest.mark.slow
def test_the_frame_has_a_row_per_plan_and_component_with_money_as_decimals(projected: Project) -> None:
    frame = projected(PARTLY, HALF, naive=OPUS).frame()
    assert list(zip(frame["plan"], frame["name"], strict=True)) == [
        (plan, name) for plan in ("naive", "routed") for name in ("known", "unknown", "half")
    ]
    costs = frame.set_index(["plan", "name"])["expected_usd_per_day"]
    assert costs["routed", "known"] == Decimal(1)
    assert isinstance(costs["routed", "known"], Decimal)
    assert costs["routed", "unknown"] is None


def test_the_result_survives_its_own_json(projected: Project) -> None:
    found = projected(PARTLY, HALF, naive=OPUS)
    assert Projection.model_validate_json(found.model_dump_json()) == found


def test_a_hundred_million_runs_a_day_are_counted_exactly(projected: Project) -> None:
    # 10^8 runs x 1 token x 1 USD per million
    row = component("a", runs_per_day=10**8, tokens={"input": 1})
    assert projected({"components": [row]}, days=2).plan("routed").expected_usd_per_day == 100
    varied = component("a", runs_per_day={"poisson": 10**8}, tokens={"input": {"p50": 100, "p95": 5000}})
    plan = projected({"components": [varied]}, days=2, trials=500).plan("routed")
    assert float(plan.p50_usd_per_day) == pytest.approx(float(plan.expected_usd_per_day), rel=0.001)


def test_a_trillion_runs_a_day_are_refused(projected: Project) -> None:
    with pytest.raises(ArchitectureError, match="1000000000000 runs per day is more than the 100,000,000"):
        projected({"components": [component("a", runs_per_day=10**12)]})
    log = {"from_usage": {"file": "log.csv", "columns": {"input": "i"}}}
    row = component("a", runs_per_day={"from_usage": 10**9}, tokens=log)
    with pytest.raises(ArchitectureError, match=r"component 'a': 2 logged calls times 1000000000 are more than"):
        projected({"components": [row]}, {"log.csv": "i\n5\n6\n"})


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("days", 0, "days must be from 1 to 1,096, not 0"),
        ("days", 1097, "days must be from 1 to 1,096, not 1,097"),
        ("trials", 0, "trials must be from 1 to 1,000,000, not 0"),
        ("trials", 10**7, "trials must be from 1 to 1,000,000"),
        ("seed", -1, "seed must be from 0"),
        ("start", date(1970, 12, 31), "the start 1970-12-31 is out of bounds"),
        ("start", date(9999, 1, 1), "the start 9999-01-01 is out of bounds"),
    ],
)
def test_settings_out_of_bounds_are_refused(projected: Project, name: str, value: Any, said: str) -> None:
    with pytest.raises(CostsimError) as raised:
        projected({"components": [component("a")]}, **{name: value})
    assert said in str(raised.value)


@pytest.mark.parametrize("start", [date(1971, 1, 1), date(2027, 12, 31), date(8999, 12, 31)])
@pytest.mark.parametrize("days", [1, 1096])
def test_horizons_at_the_bounds_work(projected: Project, start: date, days: int) -> None:
    row = {key: value for key, value in component("a", schedule="0 7 * * *").items() if key != "runs_per_day"}
    found = projected({"timezone": "Europe/Berlin", "components": [row]}, start=start, days=days, trials=1)
    assert found.plan("routed").components[0].runs_per_day == 1
    assert len(found.plan("routed").days) == days


def test_a_component_that_never_runs_costs_nothing(projected: Project) -> None:
    row = component("a", start="2030-01-01")
    plan = projected({"components": [row]}).plan("routed")
    assert (plan.expected_usd_per_day, plan.horizon.p90_usd) == (0, 0)
    calibrated = row | {"calibrate": {"daily_usd": 1, "input_per_output": 1}}
    del calibrated["tokens"]
    assert projected({"components": [calibrated]}).plan("routed").expected_usd_per_day == 0


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(st.integers(1, 40), st.integers(1, 50), st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu"]))
def test_every_quantile_stands_in_order(projected: Project, days: int, trials: int, zone: str) -> None:
    rows = [component("a", runs_per_day={"poisson": 2}, tokens={"input": {"p50": 500, "p95": 9000}}), component("b")]
    found = projected({"timezone": zone, "components": rows}, days=days, trials=trials, naive=SONNET)
    for plan in found.plans:
        for q in (plan, *plan.components):
            assert (q.p10_usd_per_day or 0) <= (q.p50_usd_per_day or 0) <= (q.p90_usd_per_day or 0)  # type: ignore[attr-defined]
        assert plan.horizon.p10_usd <= plan.horizon.p50_usd <= plan.horizon.p90_usd
        assert all(day.p10_usd <= day.p50_usd <= day.p90_usd for day in plan.days)
    assert sum(count for _, _, count in found.savings[0].histogram) == trials


def test_a_task_that_the_routing_lacks_is_warned_of_with_a_near_one(projected: Project) -> None:
    routing = {"monitoring": "anthropic/claude-haiku-4-5", "fallback": "anthropic/claude-sonnet-4-5"}
    run = {"runs_per_day": 1, "tokens": {"input": 1_000}}
    components = [
        {"name": "a", "task": "monitorin", **run},
        {"name": "b", "task": "monitoring", **run},
        {"name": "c", "task": "unlisted", "model": "anthropic/claude-haiku-4-5", **run},
        {"name": "d", **run},
    ]
    found = projected({"model_routing": routing, "components": components}, trials=10)
    assert found.warnings == [
        "a: the routing has no task 'monitorin', so it runs on the fallback; did you mean 'monitoring'?"
    ]


def test_a_model_that_is_named_for_its_fast_answers_is_warned_of_at_its_standard_price(projected: Project) -> None:
    run = {"runs_per_day": 1, "tokens": {"input": 1_000}}
    components = [
        {"name": "a", "model": "claude-opus-4-6-fast", **run},
        {"name": "b", "model": "claude-opus-4-6", "processing": "fast", **run},
        {"name": "c", "model": "grok-4-fast", **run},
    ]
    found = projected({"components": components}, trials=10)
    assert found.warnings == [
        "claude-opus-4-6-fast is priced at its standard price; its fast one takes processing: fast"
    ]
