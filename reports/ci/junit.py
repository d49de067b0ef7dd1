"""JUnit XML: a test case for each verdict, as Jenkins and GitLab read it.

Warnings are no failures: they stand in the suite's output. https://github.com/jenkinsci/xunit-plugin (junit-10.xsd)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from ...analysis.verdicts import Verdict

FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even escaped."""


def render(title: str, verdicts: Sequence[Verdict]) -> str:
    """One suite."""
    failures = str(sum(verdict.status == "fail" for verdict in verdicts))
    counts = {"tests": str(len(verdicts)), "failures": failures, "errors": "0", "time": "0"}
    suites = ET.Element("testsuites", {"name": "costsim", **counts})
    suite = ET.SubElement(suites, "testsuite", {"name": _text(title), **counts})
    for verdict in verdicts:
        _case(suite, verdict)
    warnings = [f"{verdict.name}: {verdict.says}" for verdict in verdicts if verdict.status == "warn"]
    if warnings:
        ET.SubElement(suite, "system-out").text = _text("\n".join(warnings))
    ET.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(suites, encoding="unicode") + "\n"


def _case(suite: ET.Element, verdict: Verdict) -> None:
    names = {"classname": f"costsim.{verdict.rule}", "name": _text(verdict.name), "time": "0"}
    case = ET.SubElement(suite, "testcase", names)
    if verdict.status == "fail":
        failure = ET.SubElement(case, "failure", {"type": verdict.rule, "message": _text(verdict.says)})
        place = ":".join(str(part) for part in (verdict.file, verdict.line, verdict.key) if part)
        failure.text = _text("\n".join(part for part in (verdict.says, place, verdict.help) if part))


def _text(text: str) -> str:
    return FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
