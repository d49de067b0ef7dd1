"""GitHub's workflow commands: annotations on the lines of a pull request.

https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from collections.abc import Sequence

from ...analysis.verdicts import Status, Verdict

LEVELS: dict[Status, str] = {"fail": "error", "warn": "warning", "pass": "notice"}


def render(title: str, verdicts: Sequence[Verdict]) -> str:
    """A command a line for all that is not as it should be, or that changed; where all is well, one notice says so."""
    lines = [_command(verdict) for verdict in verdicts if verdict.status != "pass" or verdict.rule == "cost-change"]
    passed = f"::notice title={_property(f'costsim: {title}')}::{_data(f'all {len(verdicts)} checks within')}"
    return "\n".join(lines or [passed]) + "\n"


def _command(verdict: Verdict) -> str:
    places = {"file": verdict.file, "line": verdict.line, "title": f"costsim {verdict.rule}: {verdict.name}"}
    properties = ",".join(f"{name}={_property(str(value))}" for name, value in places.items() if value is not None)
    said = f"{verdict.says}. {verdict.help}" if verdict.help else verdict.says
    return f"::{LEVELS[verdict.status]} {properties}::{_data(said)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
