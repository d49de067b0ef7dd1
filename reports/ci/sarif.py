"""Verdicts as SARIF 2.1.0, for code scanning."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from ... import __version__
from ...analysis.verdicts import Rule, Status, Verdict
from ..sarif import artifact, log
from .places import fingerprint

LEVELS: dict[Status, str] = {"fail": "error", "warn": "warning"}
SAYS: dict[Rule, str] = {
    "budget": "A budget is breached, or likely to be.",
    "unpriced-model": "A model has no price, so its cost is unknown.",
    "rejected-lines": "Lines of the usage logs could not be read.",
    "routing": "The routing cannot work, or cannot mean what it says.",
    "claim": "A claim of the architecture does not hold.",
    "cost-increase": "A change costs more than is allowed.",
    "cost-change": "A change costs more, or less.",
    "exception": "An exception or a budget has expired.",
}


def render(title: str, verdicts: Sequence[Verdict]) -> str:  # noqa: ARG001 (a run is named by its tool)
    """A log of one run: all rules, and a result for all that is not as it should be."""
    rules = [{"id": rule, "shortDescription": {"text": SAYS[rule]}} for rule in get_args(Rule)]
    results = [_result(verdict) for verdict in verdicts if verdict.status != "pass"]
    return json.dumps(log(rules, results, __version__), indent=2) + "\n"


def _result(verdict: Verdict) -> dict[str, Any]:
    said = f"{verdict.name}: {verdict.says}" + (f". {verdict.help}" if verdict.help else "")
    return {
        "ruleId": verdict.rule,
        "ruleIndex": get_args(Rule).index(verdict.rule),
        "level": LEVELS[verdict.status],
        "message": {"text": said},
        "partialFingerprints": {"costsim/v1": fingerprint(verdict)},
        **({"locations": [_location(verdict, verdict.file)]} if verdict.file else {}),
    }


def _location(verdict: Verdict, file: str) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": artifact(Path(file))}
    if verdict.line:
        physical["region"] = {"startLine": verdict.line}
    location: dict[str, Any] = {"physicalLocation": physical}
    if verdict.key:
        location["logicalLocations"] = [{"fullyQualifiedName": verdict.key, "kind": "member"}]
    return location
