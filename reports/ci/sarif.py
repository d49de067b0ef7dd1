"""Findings as SARIF 2.1.0 (OASIS), which code hosts show as annotations beside the line that is meant."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ...analysis.findings import CHECKS, Finding, FindingRule
from ...analysis.lint.rules import RULES
from ...json_text import json_text
from ...version import __version__
from ..escaping import sarif
from .finding_ids import fingerprint

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
VERSION = "2.1.0"


def render(title: str, findings: Sequence[Finding]) -> str:  # noqa: ARG001 (a run is named by its tool)
    """The log of check or diff: all of their rules, and a result for all that is not as it should be."""
    found = [finding for finding in findings if finding.status != "pass"]
    return json_text(to_sarif(found, list(CHECKS.values())))


def render_lint(title: str, findings: Sequence[Finding]) -> str:  # noqa: ARG001 (as above)
    """The log of lint: the rules that were found broken, and a result for each finding."""
    return json_text(to_sarif(findings, [RULES[rule] for rule in sorted({found.rule for found in findings})]))


def to_sarif(findings: Sequence[Finding], rules: Sequence[FindingRule]) -> dict[str, Any]:
    """The log of one run of costsim: these rules, and a result for each finding, in order.

    Paths inside the working folder are relative to `SRCROOT`; columns count Unicode code points, from 1.
    """
    places = {rule.id: place for place, rule in enumerate(rules)}
    run = {
        "tool": {
            "driver": {"name": "costsim", "semanticVersion": __version__, "rules": [_rule(rule) for rule in rules]}
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"SRCROOT": {"description": {"text": "The folder in which costsim was run."}}},
        "results": [_result(finding, places[finding.rule]) for finding in findings],
    }
    return {"$schema": SCHEMA, "version": VERSION, "runs": [run]}


def _rule(rule: FindingRule) -> dict[str, Any]:
    described: dict[str, Any] = {"id": rule.id, "shortDescription": {"text": rule.message}}
    if rule.severity is None:
        return described
    return {
        "id": rule.id, "name": rule.name, "shortDescription": {"text": rule.message}, "help": {"text": rule.help},
        "defaultConfiguration": {"level": rule.severity},
    }  # fmt: skip


def _result(finding: Finding, rule_index: int) -> dict[str, Any]:
    return {
        "ruleId": finding.rule,
        "ruleIndex": rule_index,
        "level": finding.severity,
        "message": {"text": sarif(_text(finding))},
        "partialFingerprints": {"costsim/v1": fingerprint(finding)},
        **({"locations": [_location(finding, finding.file)]} if finding.file else {}),
    }


def _text(finding: Finding) -> str:
    """`fleet-month: costs …. Move …` of what has a name; else a sentence."""
    if finding.name:
        return f"{finding.name}: {finding.message}" + (f". {finding.fix}" if finding.fix else "")
    text = f"{finding.message}; {finding.fix}" if finding.fix else finding.message
    return text[:1].upper() + text[1:] + "."


def _location(finding: Finding, file: Path) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": _artifact(file)}
    if finding.line:
        columns = {"startColumn": finding.column, "endColumn": finding.end_column}
        physical["region"] = {"startLine": finding.line, **{name: n for name, n in columns.items() if n}}
    location: dict[str, Any] = {"physicalLocation": physical}
    if finding.key:
        location["logicalLocations"] = [{"fullyQualifiedName": finding.key, "kind": "member"}]
    return location


def _artifact(file: Path) -> dict[str, str]:
    """Where a file is: relative to `SRCROOT` where it lies in the working folder."""
    absolute, here = file.absolute(), Path.cwd()
    if absolute.is_relative_to(here):
        return {"uri": quote(os.fsencode(absolute.relative_to(here).as_posix())), "uriBaseId": "SRCROOT"}
    return {"uri": absolute.as_uri()}
