"""Tasks and components on other models: what `costsim run --moves` and the what-if of a page say."""

from __future__ import annotations

from typing import Literal

from .result import Result, Usd

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


class WhatIfRow(Result):
    """A component (and task) as it is now, and on each model of `WhatIf.models`; USD per month, null: no price.

    `now` is its model, or `as logged`. `movable` where the routing's entry for its task decides the model.
    """

    component: str
    task: str
    now: str
    now_usd: Usd | None
    usd: list[Usd | None]
    movable: bool


class WhatIf(Result):
    """What a month costs with other models per task: every figure computed beforehand, each row by itself.

    `fixed_usd` is what no row has (fees of subscriptions that several need); `baseline_usd` is what is compared with,
    and `limit_usd` the lowest budget of the whole per month. `routing` is the mapping that a choice changes.
    """

    models: list[str]
    rows: list[WhatIfRow]
    fixed_usd: Usd
    baseline: str
    baseline_usd: Usd | None
    limit: str
    limit_usd: Usd | None
    routing: dict[str, str]
    note: str
