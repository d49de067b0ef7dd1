"""The main job: an architecture in, a priced and compared projection out."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ...errors import ArchitectureError
from ...pricing.book import PriceBook
from ..architecture.schedule import moment
from ..results import Projection
from .claims import ClaimCosts, check
from .costs import Costs
from .plans import Plan, named_models, plans_of, single_model_plan
from .policies.notes import policy_notes
from .settings import Progress, Settings
from .simulate import ProjectionDay
from .summary import summarise
from .waterfall import waterfall
from .workload import Horizon

if TYPE_CHECKING:
    from ..architecture.model import Architecture

Sink = Callable[[list[ProjectionDay]], None]


def project(
    architecture: Architecture, settings: Settings, progress: Progress | None = None, sink: Sink | None = None
) -> Projection:
    """Cost every plan of the architecture: exact in expectation, at random in range, compared with the first.

    `sink` is given the rows of the `projection` table, component by component.
    Raises CostsimError and its kinds: an unknown name, a book or log that is not usable.
    """
    costs = costs_of(architecture, settings)
    horizon = costs.horizon
    plans = plans_of(architecture, settings.naive or most_expensive_model(architecture, costs))
    return summarise(
        costs.architecture, plans, costs.planned, costs.book(costs.run_book), horizon, settings,
        check(architecture.claims, claim_costs(plans, costs), costs.run_book),
        waterfall(costs, plans[0], plans[1]), policy_notes(costs, plans[1]), progress, sink,
    )  # fmt: skip


def baseline_model(architecture: Architecture, settings: Settings) -> str:
    """The one model of the `naive` plan: the settings', else the most expensive. Raises as `project`."""
    return settings.naive or most_expensive_model(architecture, costs_of(architecture, settings))


def costs_of(architecture: Architecture, settings: Settings, opened: PriceBook | None = None) -> Costs:
    """All costs of an architecture over the settings' days; `opened` as in `Costs.of`. Raises as `project`."""
    settings.check()
    horizon = Horizon.of(settings.start, settings.days, ZoneInfo(architecture.timezone))
    return Costs.of(architecture, horizon, settings.book or architecture.book, settings.naive, opened)


def most_expensive_model(architecture: Architecture, costs: Costs) -> str:
    """The named model on which the whole architecture would cost most; unpriced ones cannot be judged."""
    best: tuple[Fraction, str] | None = None
    for model in named_models(architecture):
        total = costs.plan_usd_per_day(single_model_plan(architecture, "naive", model), costs.run_book)
        if total is not None and (best is None or total > best[0]):
            best = (total, model)
    if best is None:
        names = named_models(architecture)
        if not names:
            raise ArchitectureError("no model is named; give model_routing, or a model to a component")
        return names[0]
    return best[1]


def claim_costs(plans: list[Plan], costs: Costs) -> ClaimCosts:
    """What claims about these plans are checked against."""
    by_name = {plan.name: plan for plan in plans}
    return ClaimCosts(
        plan_usd_per_day=lambda book, plan, of: costs.plan_usd_per_day(by_name[plan], book, of),
        model_usd_per_day=lambda book, component, model: costs.usd_per_day(component, model, book),
        open_book=costs.book,
        at=moment(int(costs.horizon.edges[0])),
        plans=list(by_name),
        components=list(costs.works),
    )
