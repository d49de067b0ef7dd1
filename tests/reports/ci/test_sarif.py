"""SARIF: valid against the published schema, and pointing where the finding stands."""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path
from typing import Any

import costsim
import jsonschema
import pytest
from conftest import Run
from costsim.analysis.findings import Finding
from costsim.analysis.lint import RULES, lint
from costsim.analysis.lint.rules import finding_of
from costsim.cli.routing import LintFormat
from costsim.reports.ci import gitlab
from costsim.reports.ci.sarif import render_lint

SCHEMA = Path(__file__).parents[2] / "data" / "sarif" / "sarif-2.1.0-rtm.5.json"
MODEL = "anthropic/claude-opus-4-6"


@pytest.fixture(scope="module")
def schema() -> Any:
    return json.loads(SCHEMA.read_text())


def log_of(findings: list[Finding]) -> dict[str, Any]:
    log: dict[str, Any] = json.loads(render_lint("", findings))
    return log


def check(log: dict[str, Any], schema: Any) -> dict[str, Any]:
    plain = json.loads(json.dumps(log))
    jsonschema.Draft4Validator(schema, format_checker=jsonschema.FormatChecker()).validate(plain)
    run: dict[str, Any] = plain["runs"][0]
    return run


def test_every_kind_of_finding_is_valid_sarif(schema: Any, tmp_path: Path) -> None:
    found = [finding_of(rule, "something", "fix it", tmp_path / "a b.py", 3, (7, 12), "a.b") for rule in RULES]
    bare = [finding_of(rule, "something") for rule in RULES]
    run = check(log_of([*found, *bare]), schema)
    assert len(run["results"]) == 2 * len(RULES)
    assert run["tool"]["driver"]["semanticVersion"] == costsim.__version__


def test_no_finding_is_a_run_without_results(schema: Any) -> None:
    assert check(log_of([]), schema)["results"] == []


def test_the_shipped_routings_findings_are_valid_sarif(schema: Any) -> None:
    run = check(log_of(lint(start=date(2026, 11, 1))), schema)
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert all(rules[result["ruleIndex"]] == result["ruleId"] for result in run["results"])
    assert {result["level"] for result in run["results"]} == {"warning", "note"}


def test_a_path_in_the_working_folder_is_relative_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, schema: Any
) -> None:
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "run it.py").write_text(f'\nspawn("{MODEL}")\n')
    monkeypatch.chdir(tmp_path)
    run = check(log_of(lint(Path("agents"), start=date(2026, 11, 1))), schema)
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "agents/run%20it.py", "uriBaseId": "SRCROOT"}
    assert place["region"] == {"startLine": 2, "startColumn": 8, "endColumn": 8 + len(MODEL)}


@pytest.mark.parametrize("format", LintFormat)
def test_a_name_that_is_no_utf8_is_in_every_format(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, costsim: Run, format: LintFormat
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(os.fsdecode(b"a\xff.py")).write_text(f'spawn("{MODEL}")\n')
    assert costsim("lint", ".", "-f", format.value).code == 1
    assert costsim("lint", ".", "-f", format.value, "--out", "findings.txt").code == 1
    if format == LintFormat.sarif:
        assert '"a%FF.py"' in Path("findings.txt").read_text("utf-8")


def test_a_path_elsewhere_is_a_file_uri(tmp_path: Path) -> None:
    log = log_of([finding_of("hardcoded-model", "x", file=tmp_path / "ä.py")])
    uri = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri.startswith("file:///")
    assert uri.endswith("/%C3%A4.py")


def test_a_fingerprint_outlives_a_move_of_lines() -> None:
    def print_of(line: int, message: str) -> str:
        finding = finding_of("hardcoded-model", message, file=Path("a.py"), line=line)
        result = log_of([finding])["runs"][0]["results"][0]
        return str(result["partialFingerprints"]["costsim/v1"])

    assert print_of(3, "x") == print_of(300, "x") != print_of(3, "y")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("[open](https://evil.example)", r"\[open\](https://evil.example)"),
        (r"\[open](https://evil.example)", r"\\\[open\](https://evil.example)"),
        ("[a[b](1)", r"\[a\[b\](1)"),
        ("components[2].schedule", "components[2].schedule"),
        ("a\u202eb\x1b]8;;https://x\x07c", "a\ufffdb\ufffd]8;;https://x\ufffdc"),
    ],
)
def test_no_name_is_a_link_in_a_message(name: str, shown: str, schema: Any) -> None:
    """Viewers make a link of `[text](address)` and read `\\[` as a bracket: SARIF 2.1.0, section 3.11.6."""
    finding = finding_of(next(iter(RULES)), f"unknown: {name}")
    (result,) = check(log_of([finding]), schema)["results"]
    assert result["message"]["text"] == f"Unknown: {shown}."


def test_no_name_turns_the_text_of_gitlabs_report() -> None:
    (issue,) = json.loads(gitlab.render("", [finding_of(next(iter(RULES)), "a\u202eb\x1bc")]))
    assert issue["description"].endswith("a\ufffdb\ufffdc")
