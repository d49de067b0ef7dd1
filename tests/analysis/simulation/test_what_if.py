"""What if, without editing files: scale, prices, keys set otherwise, a named baseline."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from costsim.analysis.architecture.edits import edited
from costsim.analysis.architecture.load import load_architecture
from costsim.analysis.architecture.model import Architecture
from costsim.analysis.projection import Projection
from costsim.analysis.simulation import moves as moves_room
from costsim.analysis.simulation.moves import moves
from costsim.analysis.simulation.run import costs_of
from costsim.analysis.simulation.scale import Scale
from costsim.analysis.simulation.settings import Settings
from costsim.errors import ArchitectureError, CostsimError, InputError, UnpricedError

Read = Callable[..., Architecture]
Project = Callable[..., Projection]
Written = Callable[..., Path]

CHEAP, COSTLY = "lab/cheap", "lab/costly"
OVERLAY = {
    "book": "lab",
    "source": "made for this test",
    "models": [{"model": CHEAP, "usd_per_mtok": {"input": 1}}, {"model": COSTLY, "usd_per_mtok": {"input": 10}}],
}
ALONE = {"book": "lab", "source": "made for this test", "models": [{"model": CHEAP, "usd_per_mtok": {"input": 99}}]}
BESIDE = {"prices.yaml": OVERLAY, "other.yaml": ALONE}


def fleet(**more: Any) -> dict[str, Any]:
    return {
        "prices": "prices.yaml",
        "model_routing": {"triage": CHEAP, "fallback": COSTLY},
        "components": [
            {"name": "triage", "task": "triage", "schedule": "0 * * * *", "tokens": {"input": 1_000_000}},
            {"name": "answer", "runs_per_day": 2, "tokens": {"input": 1_000_000}},
        ],
        **more,
    }


def usd(projection: Projection, plan: str = "routed") -> dict[str, Any]:
    return {row.name: row.expected_usd_per_day for row in projection.plan(plan).components}


def test_everything_or_one_component_runs_more_often(projected: Project) -> None:
    assert usd(projected(fleet(), BESIDE)) == {"triage": 24, "answer": 20}
    assert usd(projected(fleet(), BESIDE, scale=Scale.parse(["2"]))) == {"triage": 48, "answer": 40}
    assert usd(projected(fleet(), BESIDE, scale=Scale.parse(["triage=1.5"]))) == {"triage": 36, "answer": 20}
    assert usd(projected(fleet(), BESIDE, scale=Scale.parse(["2", "triage=0.5"]))) == {"triage": 24, "answer": 40}


def test_what_is_spawned_is_scaled_once(projected: Project) -> None:
    boss = {"name": "boss", "model": CHEAP, "runs_per_day": 2, "tokens": {"input": 1}, "spawns": [{"component": "w"}]}
    data = {
        "prices": "prices.yaml",
        "components": [boss, {"name": "w", "model": CHEAP, "tokens": {"input": 1_000_000}}],
    }
    assert usd(projected(data, BESIDE, scale=Scale.parse(["3"])))["w"] == 6
    assert usd(projected(data, BESIDE, scale=Scale.parse(["w=3"])))["w"] == 6
    tree = projected(data, BESIDE, scale=Scale.parse(["w=3"])).plan("routed").spawn_trees[0]
    assert tree.children[0].expected_usd_per_day == 6


@pytest.mark.parametrize("text", ["0", "-1", "x", "triage=", "1e99", "nan"])
def test_a_scale_is_a_factor_above_zero(text: str) -> None:
    with pytest.raises(InputError, match="is no factor above 0"):
        Scale.parse([text])


def test_a_scaled_component_must_be_there(projected: Project) -> None:
    with pytest.raises(InputError, match="there is no component 'triagge'; did you mean 'triage'"):
        projected(fleet(), BESIDE, scale=Scale.parse(["triagge=2"]))


def test_a_key_may_be_set_otherwise(written: Written) -> None:
    file = written(fleet(), BESIDE)
    found = load_architecture(file, edited(file, ["components.triage.runs_per_day=300"])).architecture.components[0]
    assert (found.runs_per_day, found.schedule) == (Decimal(300), None)
    routed = load_architecture(file, edited(file, [f"model_routing.triage={COSTLY}"])).architecture
    assert routed.model_routing["triage"] == COSTLY
    session = "components.answer.session={turns: 3, prompt: 10}"
    answer = load_architecture(file, edited(file, [session])).architecture.components[1]
    assert answer.tokens
    assert answer.tokens.session
    assert '"runs_per_day": 2' in file.read_text()


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        ("components.triage", "is not KEY=VALUE"),
        ("components.triag.task=x", "components has no 'triag'; did you mean 'triage'"),
        ("components.triage.taskk=x", "unknown key 'taskk'; did you mean 'task'"),
        ("components.triage.runs_per_day=[", "the value is not YAML"),
    ],
)
def test_a_wrong_edit_is_one_clear_error(written: Written, edit: str, message: str) -> None:
    file = written(fleet(), BESIDE)
    with pytest.raises((InputError, ArchitectureError), match=message):
        load_architecture(file, edited(file, [edit]))


def test_other_prices_do_not_change_the_baseline(written: Written, projected: Project) -> None:
    other = written({"components": []}, BESIDE).parent / "other.yaml"
    result = projected(fleet(), BESIDE, prices=(other,))
    assert usd(result) == {"triage": 24 * 99, "answer": 20}
    # at these prices the cheap model costs most; the baseline stays the one of the file's own prices
    assert result.baseline.startswith(f"naive, on {COSTLY}; policies: none; caching: none")


def test_a_baseline_may_be_a_plan_or_a_model(projected: Project) -> None:
    plans = {"all-cheap": {"model": CHEAP}}
    result = projected(fleet(plans=plans), BESIDE, baseline="routed")
    assert [saving.baseline for saving in result.savings] == ["routed", "routed"]
    assert [plan.name for plan in result.plans] == ["routed", "naive", "all-cheap"]
    # naive costs 24 x 10 + 2 x 10 = 260, routed 44
    assert result.savings[0].expected_usd_per_day == -216
    named = projected(fleet(baseline=CHEAP), BESIDE)
    assert (named.plans[0].name, named.plans[0].expected_usd_per_day) == ("naive", 26)
    with pytest.raises(CostsimError, match="either --baseline or --naive"):
        projected(fleet(), BESIDE, baseline=CHEAP, naive=COSTLY)


def test_a_baseline_without_a_price_is_an_error(projected: Project) -> None:
    with pytest.raises(UnpricedError, match="cannot be priced: no price for 'lab/none'"):
        projected(fleet(), BESIDE, baseline="lab/none")
    with pytest.raises(UnpricedError, match="there is no baseline: no price for 'lab/none'"):
        projected({"components": [{"name": "a", "model": "lab/none", "runs_per_day": 1, "tokens": {"input": 1}}]})


def test_more_moves_than_people_read_are_refused(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    costs = costs_of(read(fleet(), BESIDE), Settings(date(2026, 6, 1)))
    monkeypatch.setattr(moves_room, "MAX_MOVED", 3)
    with pytest.raises(
        CostsimError, match="2 components on 2 models are 4 moves: at most 3; give an architecture with"
    ):
        moves(costs, {})


def test_each_task_on_each_model_is_priced_before_any_log_exists(read: Read) -> None:
    needing = {"name": "eye", "task": "sight", "runs_per_day": 1, "tokens": {"input": 1_000_000}, "needs": ["images"]}
    data = fleet()
    architecture = read({**data, "components": [*data["components"], needing]}, BESIDE)
    found = moves(costs_of(architecture, Settings(date(2026, 6, 1))), {("triage", COSTLY): (12, 9)})
    rows = {(row.task, row.model): row for row in found.rows}
    # triage runs 24 times a day, 720 times in 30 days, a million tokens each
    assert rows["triage", CHEAP].usd_per_month == 720
    assert rows["triage", CHEAP].current
    assert (rows["triage", COSTLY].usd_per_month, rows["triage", COSTLY].difference_usd_per_month) == (7200, 6480)
    assert (rows["triage", COSTLY].evidence, rows["triage", CHEAP].evidence) == ("9 of 12 runs solved", "none")
    assert (rows["sight", CHEAP].images, rows["triage", CHEAP].images) == ("unknown", "not needed")
    assert rows["triage", CHEAP].window == "unknown"  # the book states none


def test_people_who_wait_get_no_batch(read: Read) -> None:
    chat = {"name": "chat", "model": CHEAP, "runs_per_day": 1, "tokens": {"input": 1}, "interactive": True}
    assert read({"components": [chat]}, BESIDE).components[0].interactive
    with pytest.raises(ArchitectureError, match="people wait, but processing: batch lets them wait"):
        read({"components": [{**chat, "processing": "batch"}]}, BESIDE)
