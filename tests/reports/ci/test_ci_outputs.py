"""Findings in the forms of CI systems: valid by their schemas, escaped, and pointing at the line that is meant.

COSTSIM_GOLDEN=1 writes the golden files anew: read the diff.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from costsim.analysis.findings import Finding
from costsim.reports.ci import RENDERERS, CiFormat, render

DATA = Path(__file__).parents[2] / "data"
GOLDEN = Path(__file__).parents[1] / "golden"
VERDICTS = [
    Finding(
        rule="budget", name="fleet-month", status="fail", message="costs $231.40 at P90, over its $200 a month",
        fix="Move growth-content to anthropic/claude-haiku-4-5: saves $48.20", file=Path("architecture.yaml"), line=41,
        key="budgets[0].usd",
    ),
    Finding(rule="budget", name="cto-day", status="warn", message="costs $9.80 at P90, 98% of its $10", file=Path("architecture.yaml"), line=45),
    Finding(rule="unpriced-model", name="acme/llm-1", status="fail", message="has no price"),
    Finding(rule="claim", name="the fleet costs under $300", status="pass", message="holds: $210"),
]  # fmt: skip
HOSTILE = "a|b<script>\x1b[31m%0A::error::\r\n:,]]>&\"'\ud800"


@pytest.mark.parametrize("format", RENDERERS)
def test_outputs_are_as_agreed(format: CiFormat) -> None:
    printed = render(format, "c-suite", VERDICTS)
    golden = GOLDEN / f"verdicts.{format}.txt"
    if os.environ.get("COSTSIM_GOLDEN"):
        golden.write_text(printed)
    assert printed == golden.read_text()


def hostile() -> list[Finding]:
    name = HOSTILE.replace("\ud800", "")
    return [Finding(rule="budget", name=name, status="fail", message=name, fix=name, file=Path("a b,c.yaml"), line=1)]


@pytest.mark.parametrize("verdicts", [VERDICTS, hostile(), []])
def test_junit_keeps_its_schema(verdicts: list[Finding]) -> None:
    import xmlschema  # long to import: not before it is needed

    text = render("junit", "c-suite", verdicts)
    xmlschema.XMLSchema(DATA / "junit" / "jenkins-junit.xsd").validate(text)
    suite = ET.fromstring(text).find("testsuite")
    assert suite is not None
    assert int(suite.get("failures", "")) == sum(verdict.status == "fail" for verdict in verdicts)


def test_no_name_begins_a_line_of_its_own_in_junit() -> None:
    """It is read by eye too, where a build prints it."""
    name = "c\nEverything is within the budgets\r\u2028Forged"
    both = [Finding(rule="budget", name=name, status=status, message=name, fix=name) for status in ("fail", "warn")]
    lines = render("junit", name, both).splitlines()
    assert not [line for line in lines if line.strip().startswith(("Everything", "Forged"))]


@pytest.mark.parametrize("verdicts", [VERDICTS, hostile(), []])
def test_sarif_keeps_its_schema(verdicts: list[Finding]) -> None:
    log: dict[str, Any] = json.loads(render("sarif", "c-suite", verdicts))
    schema = json.loads((DATA / "sarif" / "sarif-2.1.0-rtm.5.json").read_text())
    jsonschema.Draft4Validator(schema, format_checker=jsonschema.FormatChecker()).validate(log)
    assert len(log["runs"][0]["results"]) == sum(verdict.status != "pass" for verdict in verdicts)


def test_code_quality_issues_have_what_gitlab_asks_for_and_marks_that_stay() -> None:
    issues = json.loads(render("gitlab", "c-suite", VERDICTS))
    assert [issue["severity"] for issue in issues] == ["major", "minor", "major"]
    assert issues[0]["location"] == {"path": "architecture.yaml", "lines": {"begin": 41}}
    costlier = VERDICTS[0].model_copy(update={"message": "costs $240 at P90", "line": 60})
    assert json.loads(render("gitlab", "", [costlier]))[0]["fingerprint"] == issues[0]["fingerprint"]
    assert len({issue["fingerprint"] for issue in issues}) == 3


def test_no_name_breaks_out_of_a_workflow_command() -> None:
    lines = render("github", "c-suite", hostile()).splitlines()
    assert len(lines) == 1
    properties, _, message = lines[0].removeprefix("::error ").partition("::")
    assert "file=a b%2Cc.yaml,line=1,title=" in properties
    assert "%250A" in message
    assert "\n" not in message


def test_where_all_is_well_github_hears_one_notice() -> None:
    assert render("github", "c-suite", VERDICTS[3:]) == "::notice title=costsim%3A c-suite::1 check passed\n"
