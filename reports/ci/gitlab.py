"""GitLab's code quality report: an issue beside the line of a merge request.

https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ...analysis.verdicts import Status, Verdict
from .places import fingerprint

SEVERITIES: dict[Status, str] = {"fail": "major", "warn": "minor"}
NOWHERE = "architecture.yaml"
"""GitLab wants a path; what has none is about the architecture."""


def render(title: str, verdicts: Sequence[Verdict]) -> str:  # noqa: ARG001 (the format has no title)
    """A JSON array; empty where all is as it should be."""
    return json.dumps([_issue(verdict) for verdict in verdicts if verdict.status != "pass"], indent=2) + "\n"


def _issue(verdict: Verdict) -> dict[str, Any]:
    return {
        "description": f"{verdict.name}: {verdict.says}",
        "check_name": f"costsim/{verdict.rule}",
        "fingerprint": fingerprint(verdict),
        "severity": SEVERITIES[verdict.status],
        "location": {"path": verdict.file or NOWHERE, "lines": {"begin": verdict.line or 1}},
    }
