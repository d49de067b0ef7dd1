"""`costsim demo` as a user runs it: everything in a folder, nothing overwritten."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def test_the_demo_writes_its_logs_store_and_review(costsim: Any, tmp_path: Path) -> None:
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
