"""The charts as specifications: what they hold, and that names in them are data only."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from unittest.mock import Mock

import pytest
import vl_convert
from costsim.analysis.grouping import fold
from costsim.analysis.projection import Projection, WaterfallStep
from costsim.errors import OutputError
from costsim.reports import captions, charts, vega
from costsim.reports.colours_by_name import model_label
from costsim.reports.theme import CSS

FleetBuilder = Callable[..., Projection]

MARK = "'];alert(1);//"
"""Part of a name that would be noticed wherever it were code."""


def _all(projection: Projection) -> dict[str, Any]:
    drawn = {
        "components": charts.cost_by_component(projection),
        "days": charts.daily_cost(projection),
        "plans": charts.plan_ranges(projection),
        "models": charts.cost_by_model(projection),
        "agents": charts.cost_by_agent(projection),
    }
    return {name: chart.to_dict() for name, chart in drawn.items()}  # to_dict validates against the schema


def _code(spec: Any) -> list[str]:
    """All that Vega would parse as an expression, and all names of fields."""
    if isinstance(spec, list):
        return [text for part in spec for text in _code(part)]
    if not isinstance(spec, dict):
        return []
    keys = ("expr", "signal", "test", "update", "field", "as", "groupby", "sort", "fields")
    own = [json.dumps(spec[key]) for key in keys if key in spec]
    return own + [text for key, part in spec.items() if key not in ("values", "datasets") for text in _code(part)]


@pytest.mark.slow
def test_a_name_is_never_an_expression_nor_a_field(fleet: FleetBuilder) -> None:
    names = {"ceo-heartbeat": f"a{MARK}", "c-suite": MARK, "ad-hoc-coding": f'"+{MARK}'}
    projection = fleet(rename=names)
    plans = [
        plan.model_copy(
            update={
                "name": plan.name + MARK,
                "components": [
                    row.model_copy(update={"agent": row.agent + MARK, "model": row.model + MARK})
                    for row in plan.components
                ],
            }
        )
        for plan in projection.plans
    ]
    for name, spec in _all(projection.model_copy(update={"plans": plans})).items():
        compiled = vl_convert.vegalite_to_vega({**spec, "width": 500})
        assert not [code for code in _code(compiled) if "alert" in code], name
        assert name == "saving" or "alert" in json.dumps(compiled)


def test_bars_of_a_plan_add_up_to_its_cost(fleet: FleetBuilder) -> None:
    projection = fleet()
    rows = _all(projection)["components"]["datasets"]["rows"]
    for plan in projection.plans:
        stacked = sum(row["usd"] for row in rows if row["plan"] == plan.name)
        assert stacked == pytest.approx(float(plan.expected_usd_per_day))


def test_the_most_expensive_component_comes_first_and_the_cheapest_are_folded(fleet: FleetBuilder) -> None:
    rows = _all(fleet())["components"]["datasets"]["rows"]
    routed = [row["component"] for row in rows if row["plan"] == "routed"]
    assert routed[:2] == ["ad-hoc-coding", "coo-heartbeat"]
    assert routed[-1] == "3 other components"  # ten priced ones, seven with a colour of their own
    assert len(routed) == 8


def test_a_single_other_component_keeps_its_name() -> None:
    assert fold(["a", "b", "c"], 2, "components") == (["a", "b", "c"], "")
    assert fold(["a", "b", "c", "d"], 2, "components") == (
        ["a", "b", "2 other components"],
        "2 other components",
    )


@pytest.mark.slow
def test_an_unpriced_component_is_in_no_bar(fleet: FleetBuilder) -> None:
    for spec in _all(fleet()).values():
        assert "guardrail" not in json.dumps(spec)
        assert "llama-guard" not in json.dumps(spec)


def test_models_lose_their_provider_only_where_no_two_are_alike(fleet: FleetBuilder) -> None:
    projection = fleet(unpriced=False)
    row = projection.plans[0].components[0]
    assert model_label(projection)(row.model) == "claude-opus-4-6"
    twin = row.model_copy(update={"model": "bedrock/claude-opus-4-6"})
    plan = projection.plans[0].model_copy(update={"components": [row, twin]})
    assert model_label(projection.model_copy(update={"plans": [plan]}))(row.model) == "anthropic/claude-opus-4-6"


def test_one_day_is_drawn_as_a_point_and_not_as_an_empty_band(fleet: FleetBuilder) -> None:
    marks = [layer["mark"]["type"] for layer in charts.daily_cost(fleet(days=1)).to_dict()["layer"]]
    assert marks == ["rule", "line"]


@pytest.mark.slow
def test_charts_are_drawn_in_colours_by_reference_too(fleet: FleetBuilder) -> None:
    spec = charts.cost_by_component(fleet(), CSS).to_dict()
    assert 'fill="var(--parts-1)"' in vl_convert.vegalite_to_svg({**spec, "width": 400})


def test_captions_say_what_the_charts_show(fleet: FleetBuilder) -> None:
    projection = fleet()
    assert captions.of_components(projection) == "ad-hoc-coding takes $2.00 of the $3.96 that routed costs per day."
    # 0.10 + 0.75 + 0.10 + 2.00 on Sonnet 4.6
    assert captions.of_models(projection).startswith("claude-sonnet-4-6 takes $2.95 of the $3.96")
    # cto: 0.10 + 0.0625 + 2.00
    assert captions.of_agents(projection).startswith("cto takes $2.16 of the $3.96")
    # P10 is 0.71 and P90 1.33 of the mean of 3.9625
    assert captions.of_days(projection).startswith("A day of routed costs $2.81 to $5.27 in eight cases of ten.")
    assert captions.mostly(Decimal("2.93"), Decimal("2.93")) == "always $2.93"
    assert captions.headline(projection.savings[0]) == "routed saves $2.85 per day (41.8%) against naive."


@pytest.mark.parametrize(
    ("p10", "p90", "message"),
    [
        (
            "1",
            "3",
            "In eight trials of ten routed saves $1.00 to $3.00 per day; in nine of ten at least $1.00.",
        ),
        (
            "-1",
            "3",
            "Half of the trials save $2.00 per day or more with routed, but in some it costs more than naive.",
        ),
        ("-3", "-1", "In nine trials of ten routed adds $1.00 per day or more to naive."),
    ],
)
def test_the_saving_s_caption_tells_a_gain_from_a_risk_and_a_loss(
    fleet: FleetBuilder, p10: str, p90: str, message: str
) -> None:
    quantiles = {
        "p10_usd_per_day": Decimal(p10),
        "p50_usd_per_day": Decimal(2),
        "p90_usd_per_day": Decimal(p90),
    }
    assert captions.of_saving(fleet().savings[0].model_copy(update=quantiles)) == message


STEPS = [
    {"step": "naive", "expected_usd_per_day": Decimal(10), "saved_usd_per_day": Decimal(0)},
    {"step": "routing", "expected_usd_per_day": Decimal(6), "saved_usd_per_day": Decimal(4)},
    {
        "step": "cache",
        "expected_usd_per_day": Decimal("6.5"),
        "saved_usd_per_day": Decimal("-0.5"),
        "shapley_usd_per_day": Decimal("-0.4"),
    },
    {
        "step": "escalate",
        "expected_usd_per_day": Decimal(5),
        "saved_usd_per_day": Decimal("1.5"),
        "shapley_usd_per_day": Decimal("1.4"),
    },
]


def test_the_waterfall_falls_from_naive_to_routed_and_rises_where_a_step_costs_more(fleet: FleetBuilder) -> None:
    steps = [WaterfallStep.model_validate(step) for step in STEPS]
    projection = fleet().model_copy(update={"waterfall": steps})
    spec = charts.waterfall(projection).to_dict()
    rows = [(row["step"], row["low"], row["high"], row["kind"], row["shown"]) for row in spec["datasets"]["rows"]]
    assert rows == [
        ("naive", 0, 10, "naive", "$10.00"),
        ("routing", 6, 10, "saves", "−$4.00"),
        ("cache", 6, 6.5, "costs more", "+$0.50"),
        ("escalate", 5, 6.5, "saves", "−$1.50"),
        ("routed", 0, 5, "routed", "$5.00"),
    ]
    assert captions.of_waterfall(projection) == (
        "From $10.00 per day: $4.00 saved by the routing, $1.00 saved by policies; averaged over all orders, escalate "
        "saves most: $1.40."
    )
    losing = fleet().model_copy(update={"waterfall": steps[:3]})
    assert captions.of_waterfall(losing) == "From $10.00 per day: $4.00 saved by the routing, $0.50 added by policies."


def test_a_plan_that_costs_more_is_said_to_add() -> None:
    from costsim.analysis.projection import Saving

    costlier = Saving.model_validate(
        {
            "plan": "careful", "baseline": "naive", "expected_usd_per_day": "-0.5", "percent": "-10",
            "p10_usd_per_day": "-0.6", "p50_usd_per_day": "-0.5", "p90_usd_per_day": "-0.4",
            "components": [], "histogram": [("-0.6", "-0.4", 10)],
        }
    )  # fmt: skip
    assert captions.headline(costlier) == "careful adds $0.50 per day (10.0%) to naive."


def test_a_page_states_first_how_sure_its_cost_is(fleet: FleetBuilder) -> None:
    known = fleet(unpriced=False)
    assert captions.sureness(known) == "How sure: 30 days cost $95.42 to $143.13 in eight cases of ten."
    noted = known.model_copy(update={"range_note": "the range shows only chance; state uncertainty: for them"})
    assert captions.sureness(noted).endswith("in eight cases of ten; the range shows only chance.")
    assert captions.sureness(fleet()).endswith("; 1 model without a price: what runs there is in no total.")


def test_a_drawing_that_a_signal_ends_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Too little address space (`ulimit -v`) aborts V8: in a process of its own, not in this one."""
    artist = Mock()
    artist.stdin.flush.side_effect, artist.wait.return_value = BrokenPipeError, -9
    monkeypatch.setattr(vega, "_artist", lambda: artist)
    for asked in ({"mark": "point"}, "a script"):
        with pytest.raises(OutputError, match=r"no chart can be drawn: what draws them was ended \(signal 9\)"):
            vega.converted(asked)
