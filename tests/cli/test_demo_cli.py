"""`costsim demo` as a user runs it: everything in a folder, nothing overwritten."""

from __future__ import annotations

import csv
import errno
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest


@pytest.mark.slow
def test_the_demo_writes_its_logs_store_and_review(
    costsim: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = costsim("demo", "--out", "demo")
    assert (done.code, done.err) == (0, "")
    written = {path.name for path in (tmp_path / "demo").iterdir()}
    assert written >= {"logs", "architecture.yaml", "prices.yaml", "costsim.duckdb", "review.html", "README.md"}
    assert "2026-10-22" in (tmp_path / "demo" / "review.html").read_text()
    store, file = tmp_path / "demo" / "costsim.duckdb", tmp_path / "demo" / "architecture.yaml"
    assert costsim("check", file, "--usage", "--db", store, "--today", "2026-11-01", "--month", "2026-10").code == 0
    again = costsim("demo", "--out", "demo")
    assert again.code == 2
    assert "there is already logs, architecture.yaml" in again.err
    assert again.err.count("\n") == 1
    monkeypatch.chdir(tmp_path / "demo")
    all_commands_give_one_total(costsim)


def all_commands_give_one_total(costsim: Any) -> None:
    """In a folder with an architecture every command has its price stack, and says so."""
    month = ("--month", "2026-10")
    spent = costsim("spend", *month, "--by", "model", "--format", "json")
    moved = costsim("replay", *month, "--model", "anthropic/claude-opus-4-6", "--as-logged", "--format", "json")
    review = costsim("report", *month, "--format", "json", "--today", "2026-11-01")
    costsim("export", *month, "--out", "focus.csv")
    with Path("focus.csv").open() as rows:
        exported = sum(Decimal(row["EffectiveCost"]) for row in csv.DictReader(rows))
    total = Decimal(json.loads(spent.out)["total"]["computed_usd"])
    assert total > 100
    assert Decimal(json.loads(moved.out)["total"]["spent_usd"]) == total
    assert Decimal(json.loads(review.out)["headline"]["month"]["usd"]) == total
    assert exported == total
    stacks = {outcome.err.splitlines()[0] for outcome in (spent, moved, review)}
    assert len(stacks) == 1
    assert stacks.pop().startswith("prices of architecture.yaml: list + ")
    # the overlay that the architecture names, named again, is no second discount
    twice = costsim("spend", *month, "--by", "model", "--format", "json", "--prices", "prices.yaml")
    assert json.loads(twice.out)["total"] == json.loads(spent.out)["total"]


def test_nothing_is_written_where_something_is_in_the_way(costsim: Any, tmp_path: Path) -> None:
    (tmp_path / "prices.yaml").write_text("mine")
    assert costsim("demo").code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["prices.yaml"]
    assert (tmp_path / "prices.yaml").read_text() == "mine"


def test_a_folder_that_cannot_be_is_said_in_one_line(costsim: Any, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("mine")
    for folder in ("taken", "taken/sub"):
        outcome = costsim("demo", "--out", folder)
        assert (outcome.code, outcome.err.count("\n")) == (2, 1)
        assert "this cannot be a folder" in outcome.err
    assert (tmp_path / "taken").read_text() == "mine"


def test_a_link_to_nowhere_is_in_the_way_and_stays(costsim: Any, tmp_path: Path) -> None:
    (tmp_path / "logs").symlink_to(tmp_path / "nowhere")
    assert costsim("demo").code == 2
    assert (tmp_path / "logs").is_symlink()


def test_a_demo_that_fails_leaves_nothing_that_was_not_there(
    costsim: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "logs")

    monkeypatch.setattr("costsim.analysis.demo.files.log_files", full)
    (tmp_path / "mine").mkdir()
    for folder in ("demo", "a/b/c", "mine", "mine/sub"):
        outcome = costsim("demo", "--out", folder)
        assert (outcome.code, outcome.err) == (2, "costsim: logs: No space left on device\n")
    assert [path.name for path in tmp_path.rglob("*")] == ["mine"]
