"""What a change costs: exact by cause, nothing where nothing changed, the same with the other sign looked at backwards."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from costsim.analysis.architecture.load import load_architecture
from costsim.analysis.architecture.model import Architecture
from costsim.analysis.compare.architectures import IncreaseLimit, difference
from costsim.analysis.compare.results import ArchitectureDifference, ComponentDifference
from costsim.analysis.compare.sides import Side
from costsim.analysis.projection import Projection
from costsim.analysis.simulation.settings import Settings
from costsim.reports.diff import print_diff
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console
from thorough import examples

HAIKU, SONNET, OPUS = (f"anthropic/claude-{name}" for name in ("haiku-4-5", "sonnet-4-6", "opus-4-6"))
FLEET: dict[str, Any] = {
    "model_routing": {"triage": HAIKU, "review": SONNET, "fallback": HAIKU},
    "components": [
        {"name": "inbox", "task": "triage", "schedule": "0 * * * *", "tokens": {"input": 1000, "output": 100}},
        {"name": "review", "task": "review", "runs_per_day": {"poisson": 40}, "tokens": {"input": 5000, "output": {"p50": 400, "p95": 900}}},
    ],
}  # fmt: skip
Read = Callable[..., Architecture]


def side(architecture: Architecture, label: str = "x", plan: str = "routed", **more: Any) -> Side:
    chosen = Settings(start=date(2026, 6, 1), trials=400, **more)
    return Side(label, architecture, chosen.book or architecture.book, plan, chosen)


def of(
    read: Read, base: dict[str, Any], head: dict[str, Any], limit: IncreaseLimit | None = None
) -> ArchitectureDifference:
    return difference(side(read(base)), side(read(head)), limit=limit)


def changed(**of_inbox: Any) -> dict[str, Any]:
    fleet = copy.deepcopy(FLEET)
    fleet["components"][0] |= of_inbox
    return {**fleet, "components": [{k: v for k, v in c.items() if v is not None} for c in fleet["components"]]}


def one(found: ArchitectureDifference) -> ComponentDifference:
    (row,) = found.components
    return row


def causes(row: ComponentDifference) -> dict[str, Decimal]:
    return {effect.cause: effect.usd for effect in row.causes}


def test_nothing_changed_costs_nothing(read: Read) -> None:
    found = of(read, FLEET, FLEET)
    assert (found.components, found.unchanged, found.difference_usd) == ([], 2, 0)
    assert (found.p10_usd, found.p90_usd) == (0, 0)


def test_half_the_runs_are_a_cheaper_schedule_and_nothing_else(read: Read) -> None:
    # a run: 1,000 x $1 + 100 x $5 per million = $0.0015; 24 per day, 30 days: $1.08; every other hour: $0.54
    row = one(of(read, FLEET, changed(schedule="0 */2 * * *")))
    assert (row.before_usd, row.after_usd) == (Decimal("1.08"), Decimal("0.54"))
    assert causes(row) == {"schedule": Decimal("-0.54")}
    assert row.causes[0].message == "schedule: 0 * * * * -> 0 */2 * * *"
    assert (row.p10_usd, row.p90_usd) == (Decimal("-0.54"), Decimal("-0.54"))  # nothing in it varies


def test_a_terminal_shows_the_first_two_hundred_changes_and_counts_the_rest(read: Read) -> None:
    found = of(read, FLEET, changed(schedule="0 */2 * * *"))
    rows = [one(found).model_copy(update={"component": f"c{n:03}"}) for n in range(201)]
    console = Console(file=StringIO(), width=160)
    print_diff(found.model_copy(update={"components": rows}), console)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "c199" in shown
    assert "c200" not in shown
    assert "and 1 component more, with smaller differences" in shown


def test_another_model_is_named(read: Read) -> None:
    # Sonnet at $3 and $15: $0.0045 a run, 720 runs: $3.24
    row = one(of(read, FLEET, changed(model=SONNET)))
    assert causes(row) == {"model": Decimal("2.16")}
    assert row.causes[0].message == f"{HAIKU} -> {SONNET}"


def test_a_routing_that_changes_moves_every_component_of_the_task(read: Read) -> None:
    head = copy.deepcopy(FLEET) | {"model_routing": {"triage": SONNET, "review": SONNET, "fallback": HAIKU}}
    found = of(read, FLEET, head)
    assert [(row.component, causes(row)) for row in found.components] == [("inbox", {"model": Decimal("2.16")})]


def test_two_causes_share_what_they_do_together(read: Read) -> None:
    # runs x1/2 and model x3 on $1.08: $1.62. Schedule alone -.54, after the model -1.62: mean -1.08; model 2.16 or 1.08: 1.62
    row = one(of(read, FLEET, changed(schedule="0 */2 * * *", model=SONNET)))
    assert causes(row) == {"schedule": Decimal("-1.08"), "model": Decimal("1.62")}


def test_added_and_removed_components(read: Read) -> None:
    head = copy.deepcopy(FLEET)
    head["components"][0]["name"] = "mail"
    rows = {row.component: row for row in of(read, FLEET, head).components}
    assert (rows["mail"].change, rows["mail"].difference_usd) == ("added", Decimal("1.08"))
    assert (rows["inbox"].change, rows["inbox"].difference_usd) == ("removed", Decimal("-1.08"))
    assert rows["mail"].before_model is None


def test_new_prices_change_only_whom_they_price(read: Read, tmp_path: Path) -> None:
    overlay = f"book: p\nsource: s\nmodels: [{{model: {HAIKU}, usd_per_mtok: {{input: 2}}}}]\n"
    head = read(FLEET | {"prices": "prices.yaml"}, {"prices.yaml": overlay})
    row = one(difference(side(read(FLEET)), side(head)))
    # 720 runs x 1,000 tokens x $1 more per million
    assert (row.component, causes(row)) == ("inbox", {"prices": Decimal("0.72")})


def test_a_policy_that_is_added(read: Read) -> None:
    row = one(of(read, FLEET, changed(fresh_for={"hit_rate": 0.5})))
    assert causes(row) == {"policies": Decimal("-0.54")}  # every other run is skipped


def test_the_range_is_of_the_paired_difference(read: Read) -> None:
    """Both sides draw the same runs, so one more token an answer is almost certain in cost, though the runs vary."""
    fleet = copy.deepcopy(FLEET)
    fleet["components"][1]["tokens"] = {"input": 5001, "output": {"p50": 400, "p95": 900}}
    found = of(read, FLEET, fleet)
    spread = found.p90_usd - found.p10_usd
    # 40 runs per day x 30 days x 1 token x $3 per million = $0.0036
    assert found.difference_usd == Decimal("0.0036")
    assert 0 < spread < Decimal("0.001")


def test_a_model_without_a_price_is_in_no_figure_and_fails(read: Read) -> None:
    found = of(read, FLEET, changed(model="acme/llm-1"))
    assert found.unpriced == ["acme/llm-1"]
    assert (one(found).after_usd, one(found).difference_usd) == (None, None)
    assert found.difference_usd == 0
    assert found.exit_code == 1


@pytest.mark.parametrize(
    ("limit", "code"),
    [
        (IncreaseLimit(usd=Decimal("2.16")), 0),
        (IncreaseLimit(usd=Decimal("2.15")), 1),
        (IncreaseLimit(percent=Decimal(1)), 1),
        (IncreaseLimit(percent=Decimal(1000)), 0),
    ],
)
def test_an_increase_beyond_the_limit_fails(read: Read, limit: IncreaseLimit, code: int) -> None:
    assert of(read, FLEET, changed(model=SONNET), limit).exit_code == code


def test_a_difference_points_at_the_components_line(written: Callable[..., Path], read: Read) -> None:
    file = written("model_routing: {fallback: " + HAIKU + "}\ncomponents:\n  - name: a\n    runs_per_day: 2\n    tokens: {input: 1000}\n")  # fmt: skip
    head = side(read(file.read_text()))
    nothing = side(head.architecture.model_copy(update={"components": []}))
    found = difference(nothing, head, loaded=load_architecture(file))
    assert one(found).line == 3


def components() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "task": st.sampled_from(["triage", "review"]),
            "runs_per_day": st.integers(1, 9),
            "tokens": st.fixed_dictionaries({"input": st.integers(1, 9000), "output": st.integers(0, 900)}),
        },
        optional={"model": st.sampled_from([OPUS, HAIKU]), "processing": st.just("batch")},
    )


fleets = st.dictionaries(st.sampled_from(["a", "b", "c"]), components(), min_size=1).map(
    lambda parts: FLEET | {"components": [{"name": name, **part} for name, part in parts.items()]}
)


@settings(max_examples=examples(10, 25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fleets, fleets)
def test_differences_add_up_and_turn_their_sign(read: Read, base: dict[str, Any], head: dict[str, Any]) -> None:
    there, back = of(read, base, head), of(read, head, base)
    assert there.difference_usd == -back.difference_usd == there.after_usd - there.before_usd
    assert sum((row.difference_usd or Decimal(0)) for row in there.components) == there.difference_usd
    for row in there.components:
        if row.change == "changed":
            assert sum(effect.usd for effect in row.causes) == row.difference_usd
    assert {row.component: causes(row) for row in there.components} == {
        row.component: {cause: -amount for cause, amount in causes(row).items()} for row in back.components
    }


CALIBRATED = FLEET | {
    "components": [
        *FLEET["components"],
        {"name": "scan", "task": "review", "runs_per_day": 10, "calibrate": {"daily_usd": 10, "input_per_output": 5}},
        {"name": "watch", "model": OPUS, "runs_per_day": 4, "calibrate": {"daily_usd": 2, "input_per_output": 3}},
    ],
    "plans": {"cheap": {"model": HAIKU}, "moved": {"model_routing": {"review": OPUS}}, "bare": {"policies": []}},
}


@pytest.mark.parametrize("plan", ["routed", "naive", "cheap", "moved", "bare"])
def test_a_side_costs_what_a_run_says_under_every_plan(
    read: Read, projected: Callable[..., Projection], plan: str
) -> None:
    more = copy.deepcopy(CALIBRATED)
    more["components"][2]["calibrate"]["daily_usd"] = 15
    more["components"][0]["tokens"]["output"] = 300
    naive = {"naive": OPUS}
    found = difference(*(side(read(fleet), plan=plan, **naive) for fleet in (CALIBRATED, more)))
    runs = [projected(fleet, trials=1, **naive) for fleet in (CALIBRATED, more)]
    a_day = [next(p.expected_usd_per_day for p in run.plans if p.name == plan) for run in runs]
    # a day's cost is given to 12 places
    assert [round(found.before_usd, 9), round(found.after_usd, 9)] == [round(30 * usd, 9) for usd in a_day]


def test_a_calibrated_component_that_moves_is_solved_anew_and_both_are_said(read: Read) -> None:
    # $10 per day on Sonnet ($3 and $15); the same tokens on Opus ($5 and $25) are 5/3 of it: $200 more in 30 days.
    head = CALIBRATED | {"model_routing": FLEET["model_routing"] | {"review": OPUS}}
    rows = {row.component: row for row in of(read, CALIBRATED, head).components}
    # Shapley: the model is worth $200 on the old tokens, and $300 x 2/5 = $120 on the new ones, which are 3/5 of them
    assert causes(rows["scan"]) == {"tokens": Decimal("-160"), "model": Decimal("160")}
    assert rows["scan"].causes[0].message == "solved anew from the daily cost"
    assert rows["scan"].difference_usd == 0


def test_a_log_that_lies_elsewhere_is_the_same_log(read: Read) -> None:
    log = "ts,in\n2026-06-01,1000\n"
    tokens = {"from_usage": {"file": "log.csv", "columns": {"ts": "ts", "input": "in"}}}
    fleet = FLEET | {"components": [{"name": "inbox", "task": "triage", "runs_per_day": 10, "tokens": tokens}]}
    same = difference(side(read(fleet, {"log.csv": log})), side(read(fleet, {"log.csv": log})))
    assert (same.components, same.unchanged) == ([], 1)
    other = difference(side(read(fleet, {"log.csv": log})), side(read(fleet, {"log.csv": log.replace("1000", "2000")})))
    # 10 runs x 30 days x 1,000 tokens x $1 per million
    assert causes(one(other)) == {"tokens": Decimal("0.3")}
    assert one(other).causes[0].message == "the log that they are drawn from"
