"""What a projection says: the typed result, and the contract of `costsim run --format json`.

Money is Decimal USD, exact where the arithmetic ends and rounded to 12 places where it repeats (a calibrated
token count is a fraction); in JSON it is a decimal string. Quantiles come from the Monte Carlo draws.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from .architecture.policies import Policy
from .mix_results import PlanMix
from .result import Result, Usd

if TYPE_CHECKING:
    import pandas as pd


class CallCost(Result):
    """The calls of one kind that a component under policies makes: averages over the days of the horizon.

    `kind`: first (every run's, but those of a large context), large_context, or escalated. Every attempt counts.
    """

    kind: Literal["first", "large_context", "escalated"]
    model: str
    calls_per_day: Usd
    expected_usd_per_day: Usd | None


class SessionFacts(Result):
    """One session of a component, on average: its turns, requests (compactions and attempts included) and tokens.

    `largest_context_p95` is the largest request that 95 % of sessions do not exceed; `cold_percent` of the turns after
    the first find the cache cold. `usd_per_session` is null where the model has no price.
    """

    turns: Usd
    requests: Usd
    tokens: dict[str, Usd]
    largest_context_p95: int
    cold_percent: float
    compactions: float
    usd_per_session: Usd | None


class Outgrown(Result):
    """A component with requests that the model of some plans cannot take: `percent` of its sessions, or runs."""

    component: str
    model: str
    context_window: int
    percent: Usd
    largest_tokens: int
    session: bool
    plans: list[str]
    fix: str

    @property
    def message(self) -> str:
        """The finding in a sentence."""
        what = "sessions outgrow" if self.session else "runs send more than"
        share = f"{float(self.percent):.3g}" if self.percent < 100 else "100"
        return (
            f"{self.component}: {share} % of its {what} the {self.context_window:,} tokens of {self.model} "
            f"(up to {self.largest_tokens:,}); plans: {', '.join(self.plans)}. To fix it, {self.fix}."
        )


class SpawnNode(Result):
    """A component's runs at one place of a spawn tree: what they cost alone, and with all that they spawn.

    A component that several others spawn stands below each of them with the runs that come from there.
    """

    component: str
    model: str
    runs_per_day: Usd
    expected_usd_per_day: Usd | None
    with_spawned_usd_per_day: Usd | None
    with_spawned_usd_per_run: Usd | None
    children: list[SpawnNode]


class ComponentCost(Result):
    """One component under one plan. `runs_per_day` and money are means over the days of the horizon.

    Money is null where the model has no price: unknown, not zero, and in no total (see `unpriced`). The
    quantiles are of one day's cost (a day drawn at random from the horizon). `shadow_usd_per_day` is what a
    subscription's calls would cost at its shadow price (0 elsewhere). A subscription is a component of its own, whose
    `overage_usd_per_day` is the part of its cost that is beyond what it includes. `tokens` says how they are known.
    """

    name: str
    agent: str
    task: str
    model: str
    runs_per_day: Usd
    expected_usd_per_day: Usd | None
    p10_usd_per_day: Usd | None
    p50_usd_per_day: Usd | None
    p90_usd_per_day: Usd | None
    calibrated: bool
    tokens: Literal["stated", "calibrated", "measured", "flat", "session"]
    shadow_usd_per_day: Usd = Decimal(0)
    overage_usd_per_day: Usd = Decimal(0)
    expected_error_percent: float | None = Field(
        default=None, description="of an expected cost that is computed numerically: 3 standard errors; null: exact"
    )
    session: SessionFacts | None = Field(default=None, description="of a component whose runs are sessions")
    with_spawned_usd_per_day: Usd | None = Field(
        default=None, description="of a component that spawns others: with all that it spawned, directly or not"
    )
    calls: list[CallCost] = Field(default=[], description="what policies make of its runs; empty without policies")


class DayCost(Result):
    """One plan on one day of the horizon."""

    day: date
    expected_usd: Usd
    p10_usd: Usd
    p50_usd: Usd
    p90_usd: Usd


class HorizonCost(Result):
    """One plan over all days together: quantiles of the sums, which are not the sums of day quantiles."""

    days: int
    expected_usd: Usd
    p10_usd: Usd
    p50_usd: Usd
    p90_usd: Usd


class PaidClass(Result):
    """What a plan's tokens of one class cost: `subscription` is what is paid however much is used."""

    token_class: str
    expected_usd_per_day: Usd
    percent: Usd = Field(description="of the plan's expected cost")


class PlanResult(Result):
    """One plan: its routing applied to every component. Day quantiles pool all days of all trials."""

    name: str
    message: str = Field(description="how the plan chooses models, in words")
    expected_usd_per_day: Usd
    p10_usd_per_day: Usd
    p50_usd_per_day: Usd
    p90_usd_per_day: Usd
    horizon: HorizonCost
    components: list[ComponentCost]
    days: list[DayCost]
    weekday_usd_per_day: Usd | None = Field(
        default=None, description="expected, from Monday to Friday; null: no such day"
    )
    weekend_usd_per_day: Usd | None = Field(default=None, description="expected, on Saturdays and Sundays")
    classes: list[PaidClass] = Field(
        default=[], description="expected cost by token class, the most expensive first; they add up to the plan's"
    )
    spawn_trees: list[SpawnNode] = Field(default=[], description="from every component that spawns and runs by itself")


def exactness(plans: list[PlanResult]) -> str:
    """`expected costs are exact`, or whose are not, and their largest error."""
    rows = [row for plan in plans for row in plan.components if row.expected_error_percent]
    if not rows:
        return "expected costs are exact"
    names = ", ".join(dict.fromkeys(row.name for row in rows))
    largest = max(row.expected_error_percent or 0.0 for row in rows)
    how = " and ".join(dict.fromkeys("from the draws" if row.tokens == "flat" else "numerically" for row in rows))
    return f"expected costs are exact, except of {names}: computed {how}, to {largest:.2g} % (3 standard errors)"


class ComponentSaving(Result):
    """What one component contributes to a saving; negative where the plan costs more than the baseline."""

    name: str
    expected_usd_per_day: Usd


class Saving(Result):
    """A plan against the baseline: baseline cost less plan cost, per day (mean over the horizon).

    Both are simulated on the same draws, so `p10…p90` are quantiles of the paired difference. `percent` is of
    the baseline's expected cost of what both plans can price. `histogram` holds (lower USD/day, upper USD/day,
    trials) for a picture.
    """

    plan: str
    baseline: str
    expected_usd_per_day: Usd
    percent: Usd
    p10_usd_per_day: Usd
    p50_usd_per_day: Usd
    p90_usd_per_day: Usd
    components: list[ComponentSaving]
    histogram: list[tuple[Usd, Usd, int]]


class ClaimResult(Result):
    """A claim checked at one book. `computed` is null where something in it has no price."""

    message: str
    stated: str
    computed: Usd | None
    unit: Literal["ratio", "usd_per_day"]
    book: str
    holds: bool | None
    note: str = ""


class BookLayer(Result):
    """One layer of the price stack, base first. `stale` marks prices kept for the record, not for planning."""

    name: str
    hash: str
    source: str
    stale: bool = False


class PriceBookRef(Result):
    """The price stack that every figure was computed with."""

    hash: str
    layers: list[BookLayer]


class UsedPrice(Result):
    """A price row that entered the result: USD `usd` per `per` units, and where it comes from."""

    model: str
    token_class: str
    processing: str
    min_input_tokens: int
    valid_from: str | None
    valid_to: str | None
    usd: Usd
    per: int
    source: str


class Unpriced(Result):
    """A model with no price: its runs are counted, its cost is unknown (not zero) and in no total."""

    model: str
    plan: str
    components: list[str]
    reason: str


class WaterfallStep(Result):
    """One step from the naive plan to the routed one: what a day costs after it, and what the step saves.

    The steps' savings add up to naive less routed; `shapley_usd_per_day` is a policy's saving averaged over all
    orders (null for the steps that are no policies), and adds up to the same. Components without a price in
    some step are left out of all.
    """

    step: Literal["naive", "routing", Policy]
    expected_usd_per_day: Usd
    saved_usd_per_day: Usd
    shapley_usd_per_day: Usd | None = None


class PolicyNote(Result):
    """A fact about a component's policy under the routed plan. `warns` if it costs more than it saves."""

    component: str
    policy: str
    message: str
    warns: bool = False


class PlanBudget(Result):
    """A plan compared with a budget of the whole: its `usd` at `at` (the mean, or a quantile) in the period.

    A month is 30 days at the mean, and for quantiles the projection's days where they are 28 to 31.
    """

    plan: str
    budget: str
    period: Literal["day", "month"]
    at: Literal["mean", "p50", "p90"]
    limit_usd: Usd
    usd: Usd
    within: bool


class Projection(Result):
    """What `costsim run` computes. `plans[0]` is the baseline of every saving."""

    name: str
    start: date
    days: int
    timezone: str
    trials: int
    seed: int
    plans: list[PlanResult]
    savings: list[Saving]
    claims: list[ClaimResult]
    price_book: PriceBookRef
    prices: list[UsedPrice]
    unpriced: list[Unpriced]
    assumptions: list[str]
    warnings: list[str]
    costsim_version: str
    waterfall: list[WaterfallStep] = Field(default=[], description="empty where no component states a policy")
    policy_notes: list[PolicyNote] = Field(default=[])
    baseline: str = Field(default="", description="what savings are compared with: its models, policies and caching")
    what_if: list[str] = Field(default=[], description="what is otherwise than the architecture file says")
    range_note: str = Field(default="", description="what the ranges leave out: components that state no uncertainty")
    forecast: str = Field(default="", description="what the runs of logged components are forecast from")
    budgets: list[PlanBudget] = Field(default=[], description="each plan against the budgets of the whole")
    recommended: str = Field(default="", description="the cheapest plan that meets those budgets, else the cheapest")
    outgrown: list[Outgrown] = Field(
        default=[], description="what does not fit a context window; costs count it as sent"
    )
    mixes: list[PlanMix] = Field(
        default=[], description="seats of subscriptions and API for the routed plan, the cheapest at P90 first"
    )

    def plan(self, name: str) -> PlanResult:
        """The plan of that name. Raises KeyError."""
        return next((plan for plan in self.plans if plan.name == name), None) or _no_plan(name)

    def frame(self) -> pd.DataFrame:
        """Components of all plans as a pandas frame: a row per plan and component, money as Decimal objects."""
        import pandas as pd

        rows = [{"plan": plan.name, **row.model_dump()} for plan in self.plans for row in plan.components]
        return pd.DataFrame(rows)


def _no_plan(name: str) -> PlanResult:
    raise KeyError(name)
