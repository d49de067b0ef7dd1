"""GitHub's workflow commands: annotations on the lines of a pull request.

https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from collections.abc import Sequence

from ...analysis.findings import Finding, Status
from ..escaping import CONTROLS, REPLACEMENT, Commands, without_commands

LEVELS: dict[Status, str] = {"fail": "error", "warn": "warning", "note": "notice", "pass": "notice"}


def render(title: str, findings: Sequence[Finding]) -> str:
    """A command a line for all that is not as it should be, or that changed; where all is well, one notice says so."""
    lines = [_command(finding) for finding in findings if finding.status != "pass" or finding.rule == "cost-change"]
    count = "1 check passed" if len(findings) == 1 else f"all {len(findings)} checks passed"
    passed = f"::notice title={_property(f'costsim: {title}')}::{count}"
    return Commands("\n".join(lines or [passed]) + "\n")


def _command(finding: Finding) -> str:
    places = {"file": finding.file, "line": finding.line, "title": f"costsim {finding.rule}: {finding.subject}"}
    properties = ",".join(f"{name}={_property(str(value))}" for name, value in places.items() if value is not None)
    said = f"{finding.message}. {finding.fix}" if finding.fix else finding.message
    return f"::{LEVELS[finding.status]} {properties}::{_data(said)}"


def _data(text: str) -> str:
    text = without_commands(text)  # Azure's runner knows `##vso[…]` anywhere in a line
    return CONTROLS.sub(REPLACEMENT, text.replace("\r", " ")).replace("%", "%25").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
