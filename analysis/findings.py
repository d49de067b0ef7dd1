"""One finding of lint, check or diff: what every output for CI (annotations, JUnit, SARIF, …) is made from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, ConfigDict, Field

from .result import Result

Status = Literal["pass", "note", "warn", "fail"]
Severity = Literal["error", "warning", "note"]
STATUS: dict[Severity, Status] = {"error": "fail", "warning": "warn", "note": "note"}
SEVERITY: dict[Status, Severity] = {status: severity for severity, status in STATUS.items()}


class Finding(Result):
    """`message` is one line for people, `fix` what to do. `file`, `line`, `column` (from 1) and `key`
    (`budgets[0].usd`) say where, as far as known; `end_column` is the column after the last one that is meant.

    `keys` are the routing keys to use instead of a model's name in code. A finding without a name is known by its
    message.
    """

    model_config = ConfigDict(serialize_by_alias=True)

    rule: str
    name: str = Field(default="", description="what was judged: a budget's name, a model, a component")
    status: Status
    message: str = Field(validation_alias=AliasChoices("message", "says"))
    fix: str = Field(default="", validation_alias=AliasChoices("fix", "help"), serialization_alias="help")
    file: Path | None = None
    line: int | None = None
    key: str | None = None
    column: int | None = Field(default=None, exclude=True)
    end_column: int | None = Field(default=None, exclude=True)
    keys: tuple[str, ...] = Field(default=(), exclude=True)

    @property
    def severity(self) -> Severity:
        """What `status` is called by linters; a pass is a note."""
        return SEVERITY.get(self.status, "note")

    @property
    def subject(self) -> str:
        """What was judged, or the key at fault, or the rule."""
        return self.name or self.key or self.rule

    @property
    def place(self) -> str:
        """`agents/run.py:12:9`, as far as known; relative to the working folder where it lies in it."""
        if self.file is None:
            return ""
        return ":".join(str(part) for part in (shown_path(self.file), self.line, self.column) if part)


@dataclass(frozen=True)
class FindingRule:
    """A rule that findings are of: `message` is one sentence. Rules of lint also have a `name` for tools and `help`."""

    id: str
    message: str
    name: str = ""
    severity: Severity | None = None
    help: str = ""


CHECKS: dict[str, FindingRule] = {
    rule.id: rule
    for rule in (
        FindingRule("budget", "A budget is breached, or likely to be."),
        FindingRule("unpriced-model", "A model has no price, so its cost is unknown."),
        FindingRule("overlap", "Two sources may have the same calls, and both are counted."),
        FindingRule("rejected-lines", "Lines of the usage logs could not be read."),
        FindingRule("routing", "The routing cannot work, or cannot mean what it says."),
        FindingRule("claim", "A claim of the architecture does not hold."),
        FindingRule("cost-increase", "A change costs more than is allowed."),
        FindingRule("cost-change", "A change costs more, or less."),
        FindingRule("exception", "An exception or a budget has expired."),
    )
}
"""What check and diff look at."""


def shown_path(file: Path) -> str:
    """The path relative to the working folder where it lies in it, with forward slashes."""
    absolute = file.absolute()
    return absolute.relative_to(Path.cwd()).as_posix() if absolute.is_relative_to(Path.cwd()) else absolute.as_posix()
