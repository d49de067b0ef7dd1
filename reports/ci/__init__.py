"""Findings in the forms that CI systems read: one registry, of which check, diff and lint all print.

`github` workflow commands, `junit` XML, `sarif` 2.1.0, `gitlab` code quality; `pull_request_comment` is Markdown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from ...analysis.findings import Finding
from ...shown import shortened
from . import github, gitlab, junit, sarif

CiFormat = Literal["github", "junit", "sarif", "gitlab"]
Command = Literal["check", "diff", "lint"]

RENDERERS: dict[CiFormat, Callable[[str, Sequence[Finding]], str]] = {
    "github": github.render,
    "junit": junit.render,
    "sarif": sarif.render,
    "gitlab": gitlab.render,
}


def render(format: CiFormat, title: str, findings: Sequence[Finding], command: Command = "check") -> str:
    """Findings as text, ended by a line break. `title` names what was checked (untrusted, as all names)."""
    findings = [_bounded(finding) for finding in findings]
    if command == "lint" and format == "sarif":  # its rules are others
        return sarif.render_lint(title, findings)
    return RENDERERS[format](title, findings)


def _bounded(finding: Finding) -> Finding:
    """The finding with its texts as long as people read them."""
    texts = {name: shortened(getattr(finding, name)) for name in ("name", "message", "fix")}
    return finding.model_copy(update=texts)
