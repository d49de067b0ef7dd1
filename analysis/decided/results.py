"""What became of the decisions that were taken: what they promised, and what the month's calls say."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from ..result import Result, Usd

Verdict = Literal["accepted", "rejected"]
Outcome = Literal[
    "as promised", "less than promised", "more than promised", "costs more", "saves", "not yet visible",
    "not measured yet", "superseded", "no price", "no routing change", "rejected",
]  # fmt: skip


class RoutingChange(Result):
    """Calls of a task (of one component only, where it is named) that go to another model; `task` may be empty."""

    component: str = ""
    task: str = ""
    from_model: str
    to_model: str


class DecisionRecord(Result):
    """One entry of decisions.yaml: what was decided on a proposal, and what it promised, USD in a month like `month`.

    A promise is what a month costs less, so it is positive where it saves; null where nothing was promised.
    """

    id: str
    decision: Verdict
    on: date
    month: str = Field(description="2026-10: the month whose review proposed it")
    what: str = ""
    promised_usd_per_month: Usd | None = None
    low_usd_per_month: Usd | None = None
    high_usd_per_month: Usd | None = None
    change: RoutingChange | None = None
    who: str = ""
    note: str = ""


class TakenDecision(Result):
    """A recorded decision in a month: `measured_usd` is what the calls that it moved would have cost on the earlier
    model less what they cost, from `since` to `until`; `promised_usd` is the promise for as many days.

    `low_usd` and `high_usd` are P10 and P90 of the measured saving over what measured token multipliers leave open.
    `bridge_usd` is its part of the bridge's step `decisions`; null where it is in none.
    """

    record: DecisionRecord
    outcome: Outcome
    message: str
    since: date | None = None
    until: date | None = None
    promised_usd: Usd | None = None
    measured_usd: Usd | None = None
    low_usd: Usd | None = None
    high_usd: Usd | None = None
    moved_calls: int = 0
    bridge_usd: Usd | None = None


class DecisionList(Result):
    """What `costsim decide --list` prints: what was recorded, and what the newest review leaves open."""

    file: str
    recorded: list[DecisionRecord]
    month: str | None = Field(default=None, description="of the review whose open decisions these are")
    open: list[DecisionRecord] = Field(default_factory=list, description="as they would be recorded if accepted")
