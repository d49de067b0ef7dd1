"""One answer of a check: what every output for CI (annotations, JUnit, SARIF, code quality) is made from."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .results import Result

Status = Literal["pass", "warn", "fail"]
Rule = Literal[
    "budget", "unpriced-model", "rejected-lines", "routing", "claim", "cost-increase", "cost-change", "exception"
]


class Verdict(Result):
    """`says` is one line for people. `file` (as given on the command line), `line` from 1 and `key`
    (`budgets[0].usd`) say where it can be mended, as far as known; `help` how.
    """

    rule: Rule
    name: str = Field(description="what was judged: a budget's name, a model, a component")
    status: Status
    says: str
    help: str = ""
    file: str | None = None
    line: int | None = None
    key: str | None = None
