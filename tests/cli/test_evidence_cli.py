"""`costsim evaluate`, `outcomes`, `recommend` and `replay` as users meet them."""

from __future__ import annotations

import csv
import io
import json
from fractions import Fraction
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING, Any

import pytest
from costsim.analysis.outcomes.outcomes import OutcomeReport
from costsim.reports.evidence import _success_table

if TYPE_CHECKING:
    from conftest import Run

DATA = Path(__file__).parents[1] / "data"
OPUS, SONNET, HAIKU = (f"anthropic/claude-{name}" for name in ("opus-4-6", "sonnet-4-5", "haiku-4-5"))
ROUTING = {"model_routing": {"monitoring": OPUS, "brief": SONNET, "fallback": SONNET}}
ARCHITECTURE = {
    "name": "desk",
    "routing": "model-routing.json",
    "components": [
        {"name": "monitor", "task": "monitoring", "runs_per_day": 48, "tokens": {"input": 10_000, "output": 1_000}},
        {"name": "brief", "task": "brief", "runs_per_day": 1, "tokens": {"input": {"low": 1000, "high": 9000}, "output": 1_000}},
    ],
}  # fmt: skip


@pytest.fixture
def desk(costsim: Run, tmp_path: Path) -> Run:
    """An architecture, its routing, and outcomes: Haiku is good at monitoring, and fails at briefs."""
    (tmp_path / "model-routing.json").write_text(json.dumps(ROUTING, indent=2) + "\n")
    (tmp_path / "architecture.yaml").write_text(json.dumps(ARCHITECTURE))
    runs = [("monitoring", OPUS, 400, 399), ("monitoring", "claude-haiku-4-5", 400, 396), ("brief", HAIKU, 100, 60)]
    lines = [
        f"2026-10-05,{task},{model},{'true' if number < good else 'false'},0.01"
        for task, model, count, good in runs
        for number in range(count)
    ]
    (tmp_path / "outcomes.csv").write_text("\n".join(["ts,task,model,success,usd", *lines]) + "\n")
    assert costsim("outcomes", "outcomes.csv").code == 0
    return costsim


# many rows


@pytest.mark.slow
def test_a_table_of_many_outcomes_is_made_in_proportion(desk: Run) -> None:
    """Each pair of 30,000 rows would be 900 million."""
    report = OutcomeReport.model_validate_json(desk("outcomes", "outcomes.csv", "--format", "json").out)
    rows = [report.models[0].model_copy(update={"task": f"t{n // 2}"}) for n in range(30_000)]
    begun = process_time()
    _success_table(report.model_copy(update={"models": rows}))
    assert process_time() - begun < 10


# evaluate


def test_an_evaluation_shows_the_figures_of_the_field(costsim: Run) -> None:
    outcome = costsim("evaluate", DATA / "routing" / "gsm8k_compact.csv", "--score", "prompt_chars")
    assert "gsm8k_compact.csv: 1,307 questions, RouteLLM form" in outcome.out
    assert "weak right 63.734 %   strong right 85.769 %" in outcome.out
    oracle = next(line for line in outcome.out.splitlines() if line.startswith("│ oracle"))
    assert oracle.replace("│", " ").split()[1:6] == ["11.018", "%", "17.628", "%", "1.1309"]
    assert any(line.startswith("│ score") for line in outcome.out.splitlines())


def test_without_a_file_the_shipped_table_is_evaluated(costsim: Run) -> None:
    found = json.loads(costsim("evaluate", "--format", "json").out)
    assert (found["form"], found["queries"]) == ("routellm", 1307)


def test_a_routerbench_table_shows_its_models(costsim: Run, tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("query,model,quality,cost\na,[big],1,0.01\na,small,0,0.001\n")
    outcome = costsim("evaluate", "b.csv")
    assert "b.csv: 1 queries, RouterBench form" in outcome.out
    assert "[big]" in outcome.out
    assert "oracle" in outcome.out


# outcomes


@pytest.mark.slow
def test_outcomes_show_success_with_its_interval_and_cost_per_solved(desk: Run) -> None:
    outcome = desk("outcomes")
    assert "97.5% - 99.6%" in outcome.out  # Wilson of 396 in 400
    found = json.loads(desk("outcomes", "--format", "json").out)
    brief = next(row for row in found["models"] if row["task"] == "brief")
    assert brief["usd_per_solved"] == "0.016666666667"  # 100 runs at $0.01 over 60 solved


def test_logged_calls_show_error_rates_and_are_no_outcomes(sessions: Run) -> None:
    outcome = sessions("outcomes", "--from-usage", "--format", "json")
    found = json.loads(outcome.out)
    # 170 calls of two real sessions, none of which failed
    assert sum(row["calls"] for row in found["models"]) == 170
    assert {row["failed"] for row in found["models"]} == {0}
    assert "not whether its task was solved" in found["note"]
    assert "Failed calls" in sessions("outcomes", "--from-usage").out


def test_logged_calls_are_no_evidence_for_a_cheaper_model(sessions: Run) -> None:
    sessions("outcomes", "--from-usage")
    outcome = sessions("recommend")
    assert outcome.code == 2
    assert "there are no outcomes; load them first: costsim outcomes FILE" in outcome.err


def test_a_file_of_outcomes_and_logged_calls_are_not_asked_for_at_once(sessions: Run, tmp_path: Path) -> None:
    (tmp_path / "more.csv").write_text(f"ts,task,model,success\n2026-02-11,fallback,{OPUS},true\n")
    outcome = sessions("outcomes", "more.csv", "--from-usage")
    assert outcome.code == 2
    assert "give either a file of outcomes or --from-usage" in outcome.err


@pytest.mark.slow
def test_runs_that_no_log_has_are_not_paid_by_the_log(sessions: Run, tmp_path: Path) -> None:
    (tmp_path / "more.csv").write_text(f"ts,task,model,success\n2026-02-11,fallback,{OPUS},true\n")
    found = json.loads(sessions("outcomes", "more.csv", "--format", "json").out)
    assert {row["model"]: row["paid_usd"] for row in found["models"]} == {OPUS: None}


@pytest.mark.slow
def test_a_month_is_tested_against_the_month_before(costsim: Run, tmp_path: Path) -> None:
    days = [
        ("2026-09-05", HAIKU, 60),
        ("2026-10-05", HAIKU, 99),
        ("2026-09-06", SONNET, 99),
        ("2026-10-06", SONNET, 99),
    ]
    lines = [f"{day},triage,{m},{'yes' if n < good else 'no'}" for day, m, good in days for n in range(100)]
    (tmp_path / "o.csv").write_text("\n".join(["ts,task,model,success", *lines]) + "\n")
    costsim("outcomes", "o.csv")
    found = json.loads(costsim("outcomes", "--month", "2026-10", "--min-success", "0.9", "--format", "json").out)
    assert [row["success"]["trials"] for row in found["models"]] == [100, 100]
    assert [(row["verdict"], row["used_to_need"]) for row in found["changes"]] == [
        ("now handles it", SONNET), ("no change shown", HAIKU),
    ]  # fmt: skip
    assert "now handles it" in costsim("outcomes", "--min-success", "0.9").out
    assert "no outcomes for those days" in costsim("outcomes", "--month", "2026-01").out


# recommend


def advice(desk: Run, *more: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(desk("recommend", "architecture.yaml", *more, "--format", "json").out)
    return found


@pytest.mark.slow
def test_a_task_moves_to_the_cheapest_model_that_surely_succeeds(desk: Run) -> None:
    found = advice(desk)["recommendation"]
    assert found["changes"] == {"monitoring": HAIKU}
    monitoring = found["tasks"][0]
    # 1,440 runs: Opus at 10,000 x $5/M + 1,000 x $25/M = $0.075, Haiku at $0.015
    assert (monitoring["present_usd_per_month"], monitoring["usd_per_month"]) == ("108", "21.6")
    assert monitoring["saving_usd_per_month"] == "86.4"
    assert [row["message"] for row in monitoring["considered"]] == [
        "clears the floor",
        "no evidence",
        "clears the floor",
    ]
    assert found["saving"]["range_from"] == "draws"
    outcome = desk("recommend", "architecture.yaml")
    assert "Saves $86.40 a month" in outcome.out
    assert f'+    "monitoring": "{HAIKU}",' in outcome.out


@pytest.mark.slow
def test_costs_are_those_of_the_projection(desk: Run) -> None:
    found = advice(desk)["recommendation"]
    run = json.loads(desk("run", "architecture.yaml", "--trials", "10", "--format", "json").out)
    routed = next(plan for plan in run["plans"] if plan["name"] == "routed")
    # the projection rounds to 12 places a day, the recommendation a month
    daily = sum(Fraction(part["expected_usd_per_day"]) for part in routed["components"])
    assert abs(daily * 30 - Fraction(found["saving"]["present_usd"])) < Fraction(1, 10**9)


@pytest.mark.slow
def test_a_model_with_evidence_is_considered_though_no_routing_names_it(desk: Run) -> None:
    models = [row["model"] for row in advice(desk)["recommendation"]["tasks"][1]["considered"]]
    assert models == [HAIKU, SONNET, OPUS]


@pytest.mark.slow
def test_a_budget_buys_the_most_successes(desk: Run) -> None:
    pytest.importorskip("scipy")
    found = advice(desk, "--budget", "500")["recommendation"]
    assert found["tasks"][0]["model"] == OPUS  # 399 of 400 is more than 396, and the money is there
    outcome = desk("recommend", "architecture.yaml", "--budget", "1")
    assert outcome.code == 2
    assert "1 USD a month is too little" in outcome.err


@pytest.mark.slow
def test_a_recommendation_is_printed_for_a_spreadsheet_and_for_a_pull_request(desk: Run) -> None:
    rows = list(csv.DictReader(io.StringIO(desk("recommend", "architecture.yaml", "--format", "csv").out)))
    monitoring = [row for row in rows if row["task"] == "monitoring"]
    assert next((row["model"], row["message"]) for row in monitoring) == (HAIKU, "clears the floor")
    assert {row["recommended"] for row in monitoring} == {HAIKU}
    assert {row["model"]: row["usd_per_month"] for row in monitoring}[OPUS] == "108"
    text = desk("recommend", "architecture.yaml", "--format", "markdown").out
    assert "**Saves $86.40 a month of" in text
    assert f"| monitoring | move | {OPUS} | {HAIKU} | $21.60 |" in text
    assert "```diff" in text
    assert f'+    "monitoring": "{HAIKU}",' in text


@pytest.mark.slow
def test_the_new_routing_is_written_and_nothing_else_overwritten(desk: Run, tmp_path: Path) -> None:
    file = tmp_path / "model-routing.json"
    before = file.read_text()
    outcome = desk("recommend", "architecture.yaml", "--write", "model-routing.json")
    assert outcome.code == 2
    assert "there is a file already" in outcome.err
    assert file.read_text() == before
    assert desk("recommend", "architecture.yaml", "--write", "new.json").code == 0
    assert json.loads((tmp_path / "new.json").read_text())["model_routing"]["monitoring"] == HAIKU
    same = ("--config", "model-routing.json", "--write", "model-routing.json")
    assert desk("recommend", "architecture.yaml", *same).code == 0
    assert file.read_text() == before.replace(OPUS, HAIKU)
    assert "model-routing.json stays as it is" in desk("recommend", "architecture.yaml").out


# replay


@pytest.mark.slow
def test_a_replay_compares_with_what_was_spent(sessions: Run) -> None:
    found = json.loads(sessions("replay", "--model", HAIKU, "--format", "json").out)
    assert found["total"]["spent_usd"] == "11.9789443"
    outcome = sessions("replay", "--model", HAIKU)
    assert "would have saved $9.48 of the $11.98 spent (79.2%)" in outcome.out
    assert [row["name"] for row in found["days"]] == ["2026-02-10", "2026-02-11"]


@pytest.mark.slow
def test_a_replay_prints_in_every_format(sessions: Run, tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text(json.dumps(ROUTING))
    rows = list(csv.DictReader(io.StringIO(sessions("replay", "--config", "r.json", "--format", "csv").out)))
    assert [row["by"] for row in rows] == ["component", "day", "day", "total"]
    assert "| **total** |" in sessions("replay", "--config", "r.json", "--format", "markdown").out


@pytest.mark.slow
def test_a_plan_of_the_architecture_is_replayed(sessions: Run, tmp_path: Path) -> None:
    (tmp_path / "model-routing.json").write_text(json.dumps(ROUTING))
    (tmp_path / "architecture.yaml").write_text(json.dumps(ARCHITECTURE))
    found = json.loads(sessions("replay", "--plan", "routed", "--format", "json").out)
    assert {move["to"] for move in found["moves"]} == {SONNET}
    found = json.loads(sessions("replay", "--plan", "naive", "--since", "2026-02-11", "--format", "json").out)
    assert found["total"]["difference_usd"] == "0"  # that day everything ran on Opus, the most expensive


@pytest.mark.slow
def test_an_unpriced_replay_is_loud_and_no_success(sessions: Run) -> None:
    outcome = sessions("replay", "--model", "acme/nonesuch")
    assert outcome.code == 2
    assert "UNPRICED: in neither figure" in outcome.out
    assert "no price for 'acme/nonesuch'" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["replay"], "one of: --plan NAME, --config FILE, --model MODEL"),
        (["replay", "--plan", "a", "--model", "b"], "one of: --plan NAME"),
        (["replay", "--plan", "routed"], "architecture.yaml: there is no such file"),
        (["replay", "--model", HAIKU, "--month", "2026-10", "--since", "2026-10-01"], "give either --month"),
        (["recommend"], "there is no store here"),
        (["recommend", "--budget", "much"], "budget: 'much' is not an amount in USD"),
        (["outcomes"], "there are no outcomes; load them first"),
        (["outcomes", "gone.csv"], "gone.csv: there is no such file"),
        (["evaluate", "gone.csv"], "gone.csv: there is no such file"),
        (["evaluate", "--score", "prompt_char"], "did you mean 'prompt_chars'"),
    ],
)
def test_bad_input_is_one_line(costsim: Run, arguments: list[str], message: str) -> None:
    outcome = costsim(*arguments)
    assert outcome.code == 2
    assert message in outcome.err
    assert outcome.err.count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize("form", ["table", "json", "csv", "markdown"])
def test_models_that_only_a_bill_names_have_no_calls_to_replay(costsim: Run, form: str) -> None:
    samples = DATA / "usage"
    assert costsim("load", samples / "claude-code", samples / "copilot-bill").code == 0
    done = costsim("replay", "--model", HAIKU, "-f", form)
    assert done.code == 0
    assert "within a session pays with" in done.out or form in ("json", "csv")
    assert "from Auto: GPT-5.4 to" not in done.out  # a switch of no calls pays from no turn on
