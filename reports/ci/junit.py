"""JUnit XML: a test case for each finding, as Jenkins and GitLab read it.

Warnings are no failures: they stand in the suite's output. https://github.com/jenkinsci/xunit-plugin (junit-10.xsd)
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from ...analysis.findings import Finding
from ..escaping import xml


def render(title: str, findings: Sequence[Finding]) -> str:
    """One suite."""
    failures = str(sum(finding.status == "fail" for finding in findings))
    counts = {"tests": str(len(findings)), "failures": failures, "errors": "0", "time": "0"}
    suites = ET.Element("testsuites", {"name": "costsim", **counts})
    suite = ET.SubElement(suites, "testsuite", {"name": xml(title), **counts})
    for finding in findings:
        _case(suite, finding)
    warnings = [f"{finding.subject}: {finding.message}" for finding in findings if finding.status == "warn"]
    if warnings:
        ET.SubElement(suite, "system-out").text = "\n".join(map(xml, warnings))
    ET.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(suites, encoding="unicode") + "\n"


def _case(suite: ET.Element, finding: Finding) -> None:
    names = {"classname": f"costsim.{finding.rule}", "name": xml(finding.subject), "time": "0"}
    case = ET.SubElement(suite, "testcase", names)
    if finding.status == "fail":
        failure = ET.SubElement(case, "failure", {"type": finding.rule, "message": xml(finding.message)})
        place = ":".join(str(part) for part in (finding.file, finding.line, finding.key) if part)
        failure.text = "\n".join(xml(part) for part in (finding.message, place, finding.fix) if part)
