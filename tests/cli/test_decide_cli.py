"""costsim decide: a proposal of the review is recorded by its id, once, in a file that people edit too."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from costsim.analysis.decided.file import read_decisions
from costsim.analysis.outcomes.store import load_outcomes
from costsim.usage.store import open_store
from fleet_days import FLEET, HAIKU, SONNET, calm, fill

if TYPE_CHECKING:
    from conftest import Run

MOVE = "move-acac36ca"
TODAY = ("--today", "2026-11-02")


@pytest.fixture
def project(costsim: Run, tmp_path: Path) -> Run:
    """A fleet's October, in which outcomes prove that the brief could move from Sonnet to Haiku and save $62."""
    (tmp_path / "architecture.yaml").write_text(json.dumps(FLEET))
    lines = [f"2026-10-{1 + n % 28:02d}T08:00:00Z,orchestration,{HAIKU},true" for n in range(200)]
    (tmp_path / "outcomes.csv").write_text("\n".join(["ts,task,model,success", *lines]) + "\n")
    with open_store(tmp_path / "costsim.duckdb") as store:
        fill(store, calm("2026-09", "2026-10"))
        load_outcomes(store, tmp_path / "outcomes.csv")
    return costsim


@pytest.mark.slow
def test_a_decision_is_recorded_with_its_promise_and_listed(project: Run, tmp_path: Path) -> None:
    found = json.loads(project("report", "--format", "json", *TODAY).out)["decisions"]
    assert [(d["id"], d["worth_usd"]) for d in found] == [(MOVE, "62")]
    done = project("decide", MOVE, "--accept", "--who", "Ana", "--note", "after the trial", *TODAY)
    assert (done.code, done.out.splitlines()) == (0, [
        f"decisions.yaml: {MOVE} accepted; promised are $62.00 per month; the reviews from 2026-11 on measure it"
    ])  # fmt: skip
    [record] = read_decisions(tmp_path / "decisions.yaml")
    assert (record.id, record.on, record.month, record.promised_usd_per_month) == (
        MOVE, date(2026, 11, 2), "2026-10", 62,
    )  # fmt: skip
    assert record.change
    assert (record.change.task, record.change.from_model, record.change.to_model) == ("orchestration", SONNET, HAIKU)
    listed = json.loads(project("decide", "--list", "--format", "json", *TODAY).out)
    assert ([of["who"] for of in listed["recorded"]], listed["open"]) == (["Ana"], [])
    review = json.loads(project("report", "--format", "json", *TODAY).out)
    assert (review["decisions"], review["taken"][0]["outcome"]) == ([], "not measured yet")


@pytest.mark.slow
def test_the_same_again_changes_nothing_and_the_opposite_is_added(project: Run, tmp_path: Path) -> None:
    file = tmp_path / "decisions.yaml"
    project("decide", MOVE, "--accept", *TODAY)
    file.write_text(file.read_text() + "    who: Bo  # by hand\n")
    text = file.read_text()
    again = project("decide", MOVE, "--accept", *TODAY)
    assert (again.code, file.read_text()) == (0, text)
    assert f"{MOVE} was accepted on 2026-11-02 already" in again.out
    assert project("decide", MOVE, "--reject", "--date", "2026-11-20").code == 0
    assert file.read_text().startswith(text)  # comments and all
    assert [(of.decision, of.on.day) for of in read_decisions(file)] == [("accepted", 2), ("rejected", 20)]


@pytest.mark.slow
def test_recommend_gives_the_same_move_the_same_id(project: Run) -> None:
    advice = json.loads(project("recommend", "--format", "json").out)["recommendation"]["tasks"]
    assert [task["id"] for task in advice if task["task"] == "orchestration"] == [MOVE]
    assert f"costsim decide {MOVE} --accept" in project("recommend").out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("decide",), "give an id with --accept or --reject, or --list alone"),
        (("decide", "move-1", "--accept", "--reject"), "give an id with --accept or --reject, or --list alone"),
        (("decide", "move-acac36cb", "--accept", *TODAY), f"nothing of that id is proposed; did you mean '{MOVE}'?"),
        (("decide", "--list", "--format", "pdf"), "'pdf'"),
    ],
)
def test_bad_input_is_one_line(project: Run, tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    done = project(*arguments)
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert not (tmp_path / "decisions.yaml").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("decisions: [{id: a, decision: maybe, date: 2026-11-02}]", "decisions[0].decision: this should be 'accepted'"),
        ("decisions: [{id: a, decision: accepted, dat: 2026-11-02}]", "unknown key 'dat'; did you mean 'date'?"),
        ("decisions: [{id: a, decision: accepted}]", "decisions[0].date: the key 'date' is missing"),
        ("decisions: [{id: !!python/name:os.system x, decision: accepted, date: 2026-11-02}]", "this is not YAML"),
    ],
)
def test_a_file_that_is_wrong_is_named_with_its_line(project: Run, tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "decisions.yaml").write_text(text)
    done = project("report", "--format", "markdown")
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert "decisions.yaml:1" in done.err


def test_a_link_that_leads_nowhere_is_no_empty_list(project: Run, tmp_path: Path) -> None:
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    (tmp_path / "gone.yaml").symlink_to("nowhere.yaml")
    for name in ("loop.yaml", "gone.yaml"):
        listed = project("decide", "--list", "--decisions", name, "--month", "2026-10")
        assert (listed.code, listed.out) == (2, "")
        assert name in listed.err
