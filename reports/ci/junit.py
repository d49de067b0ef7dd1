"""JUnit XML: a test case for each finding, as Jenkins and GitLab read it.

Warnings are no failures: they stand in the suite's output. https://github.com/jenkinsci/xunit-plugin (junit-10.xsd)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from ...analysis.findings import Finding

FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even escaped."""


def render(title: str, findings: Sequence[Finding]) -> str:
    """One suite."""
    failures = str(sum(finding.status == "fail" for finding in findings))
    counts = {"tests": str(len(findings)), "failures": failures, "errors": "0", "time": "0"}
    suites = ET.Element("testsuites", {"name": "costsim", **counts})
    suite = ET.SubElement(suites, "testsuite", {"name": _text(title), **counts})
    for finding in findings:
        _case(suite, finding)
    warnings = [f"{finding.subject}: {finding.message}" for finding in findings if finding.status == "warn"]
    if warnings:
        ET.SubElement(suite, "system-out").text = _text("\n".join(warnings))
    ET.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(suites, encoding="unicode") + "\n"


def _case(suite: ET.Element, finding: Finding) -> None:
    names = {"classname": f"costsim.{finding.rule}", "name": _text(finding.subject), "time": "0"}
    case = ET.SubElement(suite, "testcase", names)
    if finding.status == "fail":
        failure = ET.SubElement(case, "failure", {"type": finding.rule, "message": _text(finding.message)})
        place = ":".join(str(part) for part in (finding.file, finding.line, finding.key) if part)
        failure.text = _text("\n".join(part for part in (finding.message, place, finding.fix) if part))


def _text(text: str) -> str:
    return FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
