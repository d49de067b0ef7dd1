"""Findings as SARIF 2.1.0 (OASIS), which code hosts show as annotations beside the line that is meant."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..analysis.lint.findings import RULES, Finding, LintRule

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
VERSION = "2.1.0"


def to_sarif(findings: Sequence[Finding], tool_version: str) -> dict[str, Any]:
    """A SARIF log of one run: the rules that were found broken, and a result for each finding, in order.

    Paths inside the working folder are relative to `SRCROOT`; columns count Unicode code points, from 1.
    """
    ids = sorted({finding.rule for finding in findings})
    results = [_result(finding, ids.index(finding.rule)) for finding in findings]
    return log([_rule(RULES[rule]) for rule in ids], results, tool_version)


def log(rules: list[dict[str, Any]], results: list[dict[str, Any]], tool_version: str) -> dict[str, Any]:
    """The log of one run of costsim; results name their rule by `ruleId` and its place, `ruleIndex`."""
    run = {
        "tool": {"driver": {"name": "costsim", "semanticVersion": tool_version, "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"SRCROOT": {"description": {"text": "The folder in which costsim was run."}}},
        "results": results,
    }
    return {"$schema": SCHEMA, "version": VERSION, "runs": [run]}


def _rule(rule: LintRule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "name": rule.name,
        "shortDescription": {"text": rule.says},
        "help": {"text": rule.help},
        "defaultConfiguration": {"level": rule.severity},
    }


def _result(finding: Finding, rule_index: int) -> dict[str, Any]:
    said = f"{finding.message}; {finding.mend}" if finding.mend else finding.message
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": rule_index,
        "level": finding.severity,
        "message": {"text": said[:1].upper() + said[1:] + "."},
        "partialFingerprints": {"costsim/v1": _fingerprint(finding)},
    }
    if finding.file is not None:
        result["locations"] = [_location(finding, finding.file)]
    return result


def _location(finding: Finding, file: Path) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": artifact(file)}
    if finding.line:
        columns = {"startColumn": finding.column, "endColumn": finding.end_column}
        physical["region"] = {"startLine": finding.line, **{name: n for name, n in columns.items() if n}}
    location: dict[str, Any] = {"physicalLocation": physical}
    if finding.key:
        location["logicalLocations"] = [{"fullyQualifiedName": finding.key, "kind": "member"}]
    return location


def artifact(file: Path) -> dict[str, str]:
    """Where a file is: relative to `SRCROOT` where it lies in the working folder."""
    absolute, here = file.absolute(), Path.cwd()
    if absolute.is_relative_to(here):
        return {"uri": quote(absolute.relative_to(here).as_posix()), "uriBaseId": "SRCROOT"}
    return {"uri": absolute.as_uri()}


def _fingerprint(finding: Finding) -> str:
    """The same finding keeps it when lines move: its rule, file, key and words, not its line."""
    parts = (finding.rule, finding.file.name if finding.file else "", finding.key or "", finding.message)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
