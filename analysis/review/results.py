"""What a monthly review says: the contract of `costsim report --format json`, and all that a page shows.

Money is Decimal USD, exact. Every part names the `query` (see `Review.queries`) that yields its figures from
the store's own tables, so that a reader can run it. A figure that cannot be known is null, never 0.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import Field

from ..budgets.results import BudgetUse
from ..compare.bridge_results import Bridge, Effect
from ..decided.results import RoutingChange, TakenDecision
from ..forecast.results import Anomaly, Backtest, Calibration, MonthForecast
from ..move_results import WhatIf
from ..outcomes.outcomes import ModelOutcome, OutcomeChange, SuccessRate
from ..projection import BookLayer, UsedPrice
from ..reconcile.results import SourcePair
from ..result import Result, Usd


class FigureQuery(Result):
    """SQL that a reader can run on the store (`duckdb costsim.duckdb`) to get a part's figures."""

    id: str
    title: str
    sql: str
    message: str = Field(default="", description="what costsim does with the rows, where it does more than show them")


class Month(Result):
    """A month of logs: `first` and `last` bound its days that have any; `complete` once it is over.

    `only_billed_usd` of `usd` is what only a bill states, without calls or priced tokens.
    """

    month: str = Field(description="2026-10")
    first: date
    last: date
    complete: bool
    usd: Usd
    calls: int
    tokens: int
    unpriced_tokens: int
    only_billed_usd: Usd = Decimal(0)


class Headline(Result):
    """What we spent. `previous` is the month before where the store has it; `forecast` of a running month.

    `change_usd` is against the month before; of a running month, of its whole days against the same days of it (see
    `Bridge`), and null on its first day, and where there is `too_little` to compare.
    """

    month: Month
    previous: Month | None
    change_usd: Usd | None
    change_percent: Usd | None
    budgets: list[BudgetUse]
    forecast: MonthForecast | None
    too_little: str = Field(default="", description="why the month before is not compared with, where it is not")
    query: str


class Cell(Result):
    """One component on one model in the month; `usd` is null where nothing of it has a price."""

    component: str
    agent: str
    model: str
    calls: int
    tokens: int
    usd: Usd | None


class Mover(Result):
    """A component's change against the month before; `mostly` is the bridge's largest effect on it."""

    component: str
    agent: str
    before_usd: Usd
    after_usd: Usd
    change_usd: Usd
    mostly: Effect | None


class ComponentDay(Result):
    """What a component cost on a day; days without calls have no row."""

    day: date
    component: str
    agent: str
    usd: Usd


class ClassCost(Result):
    """What the month's tokens of a class cost (searches and calls too); `usd` is null where none has a price."""

    token_class: str
    units: int
    usd: Usd | None
    unpriced_units: int


class OwnerCost(Result):
    """A session, user, project or the like; or the sum of all `others`, of so many `owners`; or what has none."""

    name: str
    kind: Literal["owner", "others", "unattributed"]
    owners: int
    calls: int
    tokens: int
    usd: Usd | None


class OwnerCosts(Result):
    """One dimension of the month's calls: its most expensive values, the others, the rest; together, the month."""

    dimension: str
    rows: list[OwnerCost]


class Where(Result):
    """Where it goes: `cells` of the month; `days` of the month and the one before; anomalies of the month."""

    cells: list[Cell]
    movers: list[Mover]
    days: list[ComponentDay]
    anomalies: list[Anomaly]
    classes: list[ClassCost] = Field(default_factory=list, description="the month by token class")
    owners: list[OwnerCosts] = Field(default_factory=list, description="by session, user, project, as the logs have")
    query: str


class RoutingSaving(Result):
    """The month's calls as they were, on one model (`naive`), and as the configured plan would have sent them.

    `saved_usd` is naive less actual, `missed_usd` actual less planned; the ranges are what measured token
    multipliers leave open. The plan's figures are null without a configured routing.
    """

    actual_usd: Usd
    naive_model: str
    naive_usd: Usd
    saved_usd: Usd
    saved_low_usd: Usd
    saved_high_usd: Usd
    plan: str | None
    planned_usd: Usd | None
    missed_usd: Usd | None
    missed_low_usd: Usd | None
    missed_high_usd: Usd | None
    notes: list[str]
    query: str


class Drift(Result):
    """Calls of a task that went to another model than the routing says.

    `worth_usd` is what they cost more than the configured model would have (negative where they cost less);
    null where one of the two has no price. `share` is of the task's calls, from `first` to `last`.
    """

    component: str
    task: str
    configured: str
    went_to: str
    calls: int
    share: float
    first: date
    last: date
    usd: Usd | None
    worth_usd: Usd | None


class MoveDown(Result):
    """A task that a cheaper model could do, with the evidence: what it would save in a month like this one.

    `proven` where the candidate's success interval clears the floor; else it is worth a trial, and `message` says why.
    `switch_usd` is taken off the saving, for cached prefixes that are written again: a proven move's part of what all
    moves of `priced_with` write again, replayed as one set, so that the savings add up; where that is empty, what the
    task writes again if it moves alone.
    """

    task: str
    model: str
    to: str
    calls: int
    usd: Usd
    saving_usd: Usd
    saving_low_usd: Usd
    saving_high_usd: Usd
    success: SuccessRate | None
    present_success: SuccessRate | None
    proven: bool
    message: str
    switch_usd: Usd = Decimal(0)
    priced_with: list[str] = Field(default_factory=list)


class Performance(Result):
    """How models did by task in the month, and against the month before. Empty without outcomes."""

    tasks: list[ModelOutcome]
    changes: list[OutcomeChange]
    query: str


class PriceMove(Result):
    """A price that changed, will change, or belongs to a newly priced rival; USD per million tokens.

    `worth_usd` is what the change is worth on this month's tokens of that class (positive: more expensive); null for
    models not in use.
    """

    kind: Literal["changed", "upcoming", "rival"]
    model: str
    token_class: str
    processing: str
    at: date | None
    before_usd: Usd | None
    after_usd: Usd
    in_use: bool
    worth_usd: Usd | None
    source: str
    message: str


class PriceUsed(UsedPrice):
    """A price row behind the month's figures: what it is, and the tokens and USD that it priced."""

    price_id: int
    units: int
    cost_usd: Usd


class Prices(Result):
    """The market since the last review, what is known to come, and the rows that priced the month."""

    moves: list[PriceMove]
    used: list[PriceUsed]
    book_hash: str
    layers: list[BookLayer]
    query: str


class UnpricedUsage(Result):
    """Usage without a price: in no total."""

    model: str
    calls: int
    tokens: int
    components: list[str]


class RejectedLines(Result):
    """Lines of a file that could not be read, for one reason."""

    file: str
    lines: int
    reason: str


class SourceCompleteness(Result):
    """What share of a source's usage is believed to be counted, in percent, and what lowers it."""

    source: str
    percent: Decimal
    reasons: list[str]


class Quality(Result):
    """How far the figures can be trusted. `recorded_usd` against `computed_usd` is of calls that have both."""

    unpriced: list[UnpricedUsage]
    rejected: list[RejectedLines]
    rejected_lines: int
    unattributed_usd: Usd
    unattributed_calls: int
    recorded_usd: Usd | None
    recorded_calls: int
    computed_usd: Usd | None
    difference_usd: Usd | None
    explained: str
    completeness: list[SourceCompleteness] = Field(description="of every source in the total")
    not_in_total: list[str] = Field(
        description="what only bills state, unread fields, contradicting totals, files passed over: a line each"
    )
    notes: list[str]
    query: str


DecisionGroup = Literal["save", "investigate", "information"]


class Decision(Result):
    """Something to decide; `part` is where its reasons stand.

    `worth_usd`, where it is known, is what a month costs more than it would otherwise (negative: less), as in the
    bridge: under `save` what acting takes off, under `investigate` what is at stake, under `information` what has
    changed already and needs no action. `id` is the same in every run and month: `costsim decide` takes it. `change` is
    the routing change that accepting means; null where it is none.
    """

    id: str
    group: DecisionGroup
    message: str
    worth_usd: Usd | None
    low_usd: Usd | None = None
    high_usd: Usd | None = None
    part: Literal["headline", "bridge", "where", "routing", "moves", "performance", "prices", "quality"]
    kind: Literal["drift", "move", "anomaly", "price", "quality", "budget", "performance"]
    change: RoutingChange | None = None


class Review(Result):
    """One month's review. The parts stand in the order in which a team lead asks for them."""

    name: str
    month: str
    made_on: date
    headline: Headline
    bridge: Bridge | None = Field(description="null without a month before, or with too little to compare")
    where: Where
    routing: RoutingSaving | None = Field(description="null where nothing has a price")
    drift: list[Drift]
    moves: list[MoveDown]
    what_if: WhatIf | None = Field(default=None, description="the logged calls on other models, by component and task")
    performance: Performance
    prices: Prices
    quality: Quality
    decisions: list[Decision] = Field(description="by group, in each the one worth most first; those taken left out")
    taken: list[TakenDecision] = Field(default_factory=list, description="recorded decisions, and what came of them")
    backtest: Backtest | None = Field(default=None, description="how good the forecast has been on this store")
    calibration: Calibration | None = Field(default=None, description="past forecasts against what happened")
    queries: list[FigureQuery]
    overlaps: list[str] = Field(default_factory=list, description="sources that may have the same calls: named first")
    agreement: list[SourcePair] = Field(default_factory=list, description="sources and bills compared, see reconcile")
    notes: list[str]
    costsim_version: str

    def query(self, id: str) -> FigureQuery:
        """The query of that id. Raises KeyError."""
        return {query.id: query for query in self.queries}[id]
