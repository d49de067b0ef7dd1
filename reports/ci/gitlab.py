"""GitLab's code quality report: an issue beside the line of a merge request.

https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...analysis.findings import Finding, Status
from ...json_text import json_text
from ..escaping import without_escapes
from .finding_ids import fingerprint

SEVERITIES: dict[Status, str] = {"fail": "major", "warn": "minor", "note": "info"}
NOWHERE = "architecture.yaml"
"""GitLab wants a path; what has none is about the architecture."""


def render(title: str, findings: Sequence[Finding]) -> str:  # noqa: ARG001 (the format has no title)
    """A JSON array; empty where all is as it should be."""
    return json_text([_issue(finding) for finding in findings if finding.status != "pass"])


def _issue(finding: Finding) -> dict[str, Any]:
    return {
        "description": without_escapes(f"{finding.subject}: {finding.message}"),
        "check_name": f"costsim/{finding.rule}",
        "fingerprint": fingerprint(finding),
        "severity": SEVERITIES[finding.status],
        "location": {"path": str(finding.file or NOWHERE), "lines": {"begin": finding.line or 1}},
    }
