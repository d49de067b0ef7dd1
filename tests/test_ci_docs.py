"""The CI configurations in docs/: every block is YAML, and what it asks for exists."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
import yaml
from costsim.cli.start import write_starter

ROOT = Path(__file__).parent.parent
DOCS = {name: (ROOT / "docs" / name).read_text() for name in ("github.md", "gitlab.md")}
BLOCKS: list[tuple[str, Any]] = [
    (name, yaml.safe_load(block))
    for name, text in DOCS.items()
    for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
GITLAB = next(block for name, block in BLOCKS if name == "gitlab.md")


def test_every_block_is_a_mapping() -> None:
    assert len(BLOCKS) == 5
    assert all(isinstance(block, dict) for _, block in BLOCKS)


def test_the_workflow_uses_the_action_with_inputs_that_it_has() -> None:
    workflow = BLOCKS[0][1]
    step = workflow["jobs"]["budgets"]["steps"][-1]
    assert "/costsim@" in step["uses"]
    assert set(step["with"]) <= set(ACTION["inputs"])
    assert step["with"]["notify"] in step["env"]
    assert step["env"][step["with"]["notify"]].startswith("${{ secrets.")


def test_every_input_of_the_action_is_documented() -> None:
    assert [name for name in ACTION["inputs"] if f"| `{name}` |" not in DOCS["github.md"]] == []


def test_the_hooks_of_the_docs_are_those_that_are_shipped() -> None:
    shipped = {hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
    [repo] = BLOCKS[1][1]["repos"]
    assert {hook["id"] for hook in repo["hooks"]} == shipped


@pytest.mark.parametrize("breached", [False, True])
def test_the_gitlab_job_leaves_its_reports_and_fails_on_a_breach(tmp_path: Path, breached: bool) -> None:
    """Its script, line by line as GitLab runs it, in a folder with the starter."""
    write_starter(tmp_path)
    if breached:
        file = tmp_path / "architecture.yaml"
        file.write_text(file.read_text().replace("usd: 90\n", "usd: 9\n"))
    tool = tmp_path / "costsim"
    tool.write_text(f'#!/usr/bin/env bash\nexec {shlex.quote(sys.executable)} -m costsim "$@"\n')
    tool.chmod(0o755)
    job = GITLAB["costsim"]
    variables = {"ARCHITECTURE": job["variables"]["ARCHITECTURE"], "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", "\n".join(job["script"])],
        check=False, cwd=tmp_path, env=variables, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == int(breached), done.stderr
    reports = job["artifacts"]["reports"]
    issues = json.loads((tmp_path / reports["codequality"]).read_text())
    suites = ET.parse(tmp_path / reports["junit"]).getroot()
    assert [issue["location"]["path"] for issue in issues] == ["architecture.yaml"] * breached
    assert len(suites.findall(".//failure")) == int(breached)
