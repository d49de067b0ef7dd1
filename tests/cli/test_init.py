"""`costsim init`: what it writes passes its own check, and nothing of the user's is ever touched."""

from __future__ import annotations

import json
import os
import shlex
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from costsim.analysis.architecture.load import read_architecture
from costsim.cli.start import PLACES, STARTER, installed_from, write_starter
from costsim.errors import OutputError

if TYPE_CHECKING:
    from conftest import Run

FILES = ["architecture.yaml", "prices.yaml", ".github/workflows/costsim.yml"]


def tree(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


@pytest.mark.slow
def test_init_writes_three_files_that_pass_the_check(costsim: Run, tmp_path: Path) -> None:
    written = costsim("init")
    assert (written.code, written.out.splitlines()) == (0, [f"wrote {name}" for name in FILES])
    for month in ("2026-02", "2026-07"):  # the shortest month, and a long one with the most weekdays
        checked = costsim("check", "--month", month)
        assert (checked.code, checked.err) == (0, "")
        assert "all 3 budgets within; 2 other checks passed" in checked.out
    assert costsim("lint", "architecture.yaml").out == "0 errors, 0 warnings, 0 notes\n"
    assert costsim("run", "architecture.yaml", "--trials", "50").code == 0


@pytest.mark.slow
def test_the_starters_budgets_leave_room_but_would_be_breached_by_a_fleet_of_twice_the_size(
    costsim: Run, tmp_path: Path
) -> None:
    write_starter(tmp_path)
    file = tmp_path / "architecture.yaml"
    file.write_text(file.read_text().replace("poisson: 120}  # 120", "poisson: 240}  # 240"))
    checked = costsim("check")
    assert checked.code == 1
    assert "customers" in checked.out


def test_init_writes_into_a_folder_of_your_choice(costsim: Run, tmp_path: Path) -> None:
    assert costsim("init", "--out", "new/fleet").code == 0
    assert read_architecture(tmp_path / "new" / "fleet" / "architecture.yaml").name == "my-fleet"


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_exists_stops_it_before_anything_is_written(costsim: Run, tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("mine")
    before = tree(tmp_path)
    stopped = costsim("init")
    assert (stopped.code, stopped.out) == (2, "")
    assert stopped.err == f"costsim: there is already {name}; nothing was written: name another folder, --out\n"
    assert (tree(tmp_path), (tmp_path / name).read_text()) == (before, "mine")


def test_all_that_is_in_the_way_is_listed_in_one_line(tmp_path: Path) -> None:
    write_starter(tmp_path)
    with pytest.raises(OutputError) as caught:
        write_starter(tmp_path)
    assert all(str(tmp_path / name) in str(caught.value) for name in FILES)
    assert "\n" not in str(caught.value)


def test_a_link_to_nowhere_is_in_the_way_too(tmp_path: Path) -> None:
    (tmp_path / "prices.yaml").symlink_to(tmp_path / "elsewhere.yaml")
    with pytest.raises(OutputError, match=r"prices\.yaml"):
        write_starter(tmp_path)
    assert tree(tmp_path) == ["prices.yaml"]


def test_what_cannot_be_finished_is_taken_back(tmp_path: Path) -> None:
    (tmp_path / ".github").write_text("a file where a folder is needed")
    with pytest.raises(OutputError, match="cannot be"):
        write_starter(tmp_path)
    assert tree(tmp_path) == [".github"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    with pytest.raises(OutputError, match="cannot be written"):
        write_starter(tmp_path)


def test_every_shipped_file_has_its_place() -> None:
    assert sorted(PLACES) == sorted(path.name for path in STARTER.iterdir())


def test_the_workflow_asks_for_no_more_rights_than_it_needs() -> None:
    workflow = yaml.safe_load((STARTER / "github-workflow.yml").read_text())
    assert workflow["permissions"] == {"contents": "read"}
    steps = workflow["jobs"]["budgets"]["steps"]
    assert any("costsim check architecture.yaml" in step.get("run", "") for step in steps)
    assert not any("${{" in step.get("run", "") for step in steps)  # nothing of a pull request is put into a script


GIT = {"url": "https://ci:secret@example.org/x.git", "vcs_info": {"vcs": "git", "commit_id": "abc123"}}


@pytest.mark.parametrize(
    ("recorded", "requirement"),
    [
        (None, "costsim==0.1.0"),
        (GIT, "git+https://example.org/x.git@abc123"),  # the password stays here
        ({"url": "https://example.org/costsim.whl", "archive_info": {}}, "costsim @ https://example.org/costsim.whl"),
        ({"url": "file:///home/me/costsim", "dir_info": {"editable": True}}, None),
    ],
    ids=["from the index", "from git", "from a file of the web", "from a folder"],
)
def test_the_workflow_installs_what_is_installed_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recorded: dict[str, object] | None, requirement: str | None
) -> None:
    class Installed:
        version = "0.1.0"

        def read_text(self, name: str) -> str | None:
            assert name == "direct_url.json"
            return json.dumps(recorded) if recorded else None

    monkeypatch.setattr(metadata, "distribution", lambda _: Installed())
    assert installed_from() == requirement
    write_starter(tmp_path, installed_from())
    steps = yaml.safe_load((tmp_path / FILES[2]).read_text())["jobs"]["budgets"]["steps"]
    [install] = [step["run"] for step in steps if "pip install" in step.get("run", "")]
    assert shlex.split(install)[-1] == (requirement or "costsim")


@pytest.mark.parametrize("kept", [FILES[:1], FILES[:2], FILES[1:]])
def test_a_start_that_was_killed_between_two_files_is_completed(tmp_path: Path, kept: list[str]) -> None:
    write_starter(tmp_path / "whole")
    for name in kept:
        (tmp_path / "begun" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "begun" / name).write_bytes((tmp_path / "whole" / name).read_bytes())
    write_starter(tmp_path / "begun")
    assert tree(tmp_path / "begun") == tree(tmp_path / "whole")
    with pytest.raises(OutputError, match="nothing was written"):
        write_starter(tmp_path / "begun")
