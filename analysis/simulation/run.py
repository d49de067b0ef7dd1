"""The main job: an architecture in, a priced and compared projection out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ...documents import Document
from ...pricing.book import PriceBook
from ..architecture.schedule import moment
from ..budgets.scopes import stated_budgets
from ..projection import Projection
from .baseline import check_priced, chosen_naive, compared_plans, described, most_expensive_model
from .claims import ClaimCosts, check
from .costs import Costs
from .guessed import only_chance, with_uncertainty
from .plan_sums import ProjectionDay
from .plans import Plan
from .policies.notes import policy_notes
from .recommended import with_recommended
from .settings import Progress, Settings
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
    baseline = settings.baseline or architecture.baseline
    named = chosen_naive(architecture, baseline, settings.naive)
    naive = named or baseline_model(architecture, settings, costs)
    plans = compared_plans(architecture, baseline, naive)
    if not settings.naive:  # a model given as --naive is reported as unpriced, beside what else can be costed
        check_priced(plans[0], costs)
    by_name = {plan.name: plan for plan in plans}
    routed = by_name["routed"]
    found = summarise(
        costs, plans, settings,
        check(architecture.claims, claim_costs(plans, costs), costs.run_book),
        waterfall(costs, by_name["naive"], routed), policy_notes(costs, routed), progress, sink,
    )  # fmt: skip
    words = described(architecture, plans[0], bool(baseline or settings.naive))
    said = {"baseline": words, "what_if": list(settings.what_if), "forecast": costs.forecast}
    found = found.model_copy(update=said | {"range_note": only_chance(costs.architecture)})
    stated = stated_budgets(architecture, Document(Path(), None))
    return with_recommended(found, [entry.budget for entry in stated])


def baseline_model(architecture: Architecture, settings: Settings, costs: Costs | None = None) -> str:
    """The one model of the `naive` plan: the settings', else the most expensive. Raises as `project`.

    It is chosen at the architecture's own prices: prices to try do not change what they are compared with.
    """
    if settings.naive:
        return settings.naive
    own = costs if costs and not settings.prices else costs_of(architecture, replace(settings, prices=()))
    return most_expensive_model(architecture, own)


def costs_of(architecture: Architecture, settings: Settings, opened: PriceBook | None = None) -> Costs:
    """All costs of an architecture over the settings' days; `opened` as in `Costs.of`. Raises as `project`."""
    settings.check()
    settings.scale.check_names([component.name for component in architecture.components])
    architecture = own = with_uncertainty(architecture, settings.uncertainty)
    if settings.prices:
        architecture = architecture.model_copy(update={"prices": [*architecture.prices, *settings.prices]})
    horizon = Horizon.of(settings.start, settings.days, ZoneInfo(architecture.timezone))
    book = settings.book or architecture.book
    costs = Costs.of(architecture, horizon, book, settings.naive, opened, settings.scale)
    costs.trials, costs.seed = settings.trials, settings.seed
    if architecture.forecast is None:
        return costs
    from .logged import as_forecast

    return as_forecast(costs, architecture.forecast, own, settings.seed)


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
