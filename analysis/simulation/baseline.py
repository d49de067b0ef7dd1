"""The baseline that savings are compared with: a plan or a model, named, and always priced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import ArchitectureError, CostsimError, UnpricedError
from ...plurals import quoted_names
from .plans import Plan, named_models, plans_of

if TYPE_CHECKING:
    from ..architecture.model import Architecture
    from .costs import Costs

ALWAYS = ("naive", "routed")


def is_plan(architecture: Architecture, baseline: str | None) -> bool:
    """Whether that names a plan, not a model."""
    return baseline in ALWAYS or baseline in architecture.plans


def most_expensive_model(architecture: Architecture, costs: Costs) -> str:
    """The named model on which the whole architecture would cost most. Raises UnpricedError where none is priced."""
    names, best = named_models(architecture), None
    for model in names:
        total = costs.single_model_usd_per_day(model)
        if total is not None and (best is None or total > best[0]):
            best = (total, model)
    if not names:
        raise ArchitectureError("no model is named; give model_routing, or a model to a component")
    if best is None:
        shown = quoted_names(names[:3])
        raise UnpricedError(
            f"there is no baseline: no price for {shown}, so that no model that is named prices every component; "
            "name one with --baseline MODEL, or add prices to an overlay that `prices:` names"
        )
    return best[1]


def compared_plans(architecture: Architecture, baseline: str | None, naive: str) -> list[Plan]:
    """All plans, the baseline first."""
    plans = plans_of(architecture, naive)
    if baseline and is_plan(architecture, baseline):
        plans.sort(key=lambda plan: plan.name != baseline)
    return plans


def check_priced(first: Plan, costs: Costs) -> None:
    """Raises UnpricedError where the baseline has no price: nothing is saved against an unknown cost."""
    if costs.plan_usd_per_day(first, costs.run_book) is None:
        lacking = [name for part in first.models for name, _ in costs.planned(part, first).lacking]
        shown = quoted_names(lacking)
        raise UnpricedError(
            f"the baseline {first.name!r} ({first.message}) cannot be priced: no price for {shown}; "
            "choose another with --baseline PLAN or MODEL, or add its price"
        )


def described(architecture: Architecture, plan: Plan, chosen: bool) -> str:
    """The baseline in a sentence: its models, its policies, its caching, and who chose it."""
    models = sorted(set(plan.models.values()))
    on = models[0] if len(models) == 1 else f"{len(models)} models"
    policies = sorted({name for part in architecture.components for name in plan.choice(part).policies})
    sessions = any(part.tokens and part.tokens.session for part in architecture.components)
    counted = any(part.tokens and "cache_read" in part.tokens.counted for part in architecture.components)
    caching = [
        *(["policy cache"] if "cache" in policies else []),
        *(["in sessions"] if sessions else []),
        *(["as tokens state"] if counted else []),
    ]
    why = "" if chosen else "; the most expensive model named: choose another with baseline: or --baseline"
    return (
        f"{plan.name}, on {on}; policies: {', '.join(policies) or 'none'}; caching: {', '.join(caching) or 'none'}{why}"
    )


def chosen_naive(architecture: Architecture, baseline: str | None, naive: str | None) -> str | None:
    """The model of the naive plan, where somebody named it. Raises CostsimError where two do."""
    model = baseline if baseline and not is_plan(architecture, baseline) else None
    if model and naive and model != naive:
        raise CostsimError("give either --baseline or --naive")
    return naive or model
