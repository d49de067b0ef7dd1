"""What `costsim lint` found, as lines of text or JSON."""

from __future__ import annotations

from collections.abc import Sequence

from ..analysis.findings import Finding
from ..analysis.lint.rules import RULES
from ..json_text import json_text
from ..shown import shortened


def line(finding: Finding) -> str:
    """`file:line:column: warning: key: message; fix [rule]`, the form that editors can jump to."""
    parts = [part for part in (finding.place, finding.severity, finding.key, finding.message) if part]
    help = RULES[finding.rule].help
    said = f"{': '.join(parts)}; {finding.fix or help[0].lower() + help[1:].rstrip('.')} [{finding.rule}]"
    return shortened(said)


def as_text(findings: Sequence[Finding]) -> str:
    """A line for each, then how many there are: `1 error, 0 warnings, 2 notes`."""
    severities = [finding.severity for finding in findings]
    counted = [(name, severities.count(name)) for name in ("error", "warning", "note")]
    tally = ", ".join(f"{count} {name}{'' if count == 1 else 's'}" for name, count in counted)
    return "\n".join([*map(line, findings), tally]) + "\n"


def as_json(findings: Sequence[Finding]) -> str:
    """A list; each with its rule, severity, message, fix and place, as far as known."""
    return json_text([_record(finding) for finding in findings])


def _record(finding: Finding) -> dict[str, object]:
    return {
        "rule": finding.rule, "severity": finding.severity, "message": finding.message, "fix": finding.fix,
        "file": str(finding.file) if finding.file else None, "line": finding.line, "column": finding.column,
        "key": finding.key, "keys": list(finding.keys),
    }  # fmt: skip
