"""Tasks and components on other models: what `costsim run --moves` and the what-if of a page say."""

from __future__ import annotations

from typing import Literal

from .results import Result, Usd

Fit = Literal["fits", "does not fit", "unknown", "not needed"]


class TaskMove(Result):
    """A task on one model: USD of 30 days, and whether what its runs send fits. `evidence` is of logged outcomes."""

    task: str
    components: list[str]
    model: str
    current: bool
    current_models: list[str]
    usd_per_month: Usd | None
    difference_usd_per_month: Usd | None
    kind: Fit
    window: Fit
    tools: Fit
    images: Fit
    evidence: str


class Moves(Result):
    """Each task of an architecture on each candidate model: `costsim run --moves`."""

    name: str
    days: int
    rows: list[TaskMove]
