"""Each task on each candidate model, before any log exists: cost of a month, what fits, what evidence there is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from ...errors import CostsimError
from ...money import to_usd
from ..move_results import Fit, Moves, TaskMove
from ..routing.kinds import can_replace, takes
from .costs import Costs
from .plans import Plan, named_models, routed_plan
from .profiles import largest_input

if TYPE_CHECKING:
    from ...pricing.abilities import Ability
    from ...pricing.book import PriceBook
    from ..architecture.component import Component

MONTH_DAYS = 30
NO_EVIDENCE = "none"
MAX_MOVED = 50_000
"""Components times models: each is costed and may be a row, half a millisecond."""

Evidence = Mapping[tuple[str, str], tuple[int, int]]
"""By task and the model's name in the price book: runs, and how many of them the model solved."""


def moves(costs: Costs, evidence: Evidence) -> Moves:
    """Every task of the architecture on every model that it names, as routed otherwise and with all policies.

    USD are of 30 days at the mean of the horizon: what the plan costs with the task, less what it costs without, so
    that what it takes of an allowance counts. The difference is to the models that the task has now. Raises
    CostsimError where components times models are over MAX_MOVED.
    """
    plan = routed_plan(costs.architecture)
    tasks: dict[str, list[Component]] = {}
    for component in costs.architecture.components:
        tasks.setdefault(component.task, []).append(component)
    models = named_models(costs.architecture)
    _check_size(len(costs.architecture.components), len(models))
    rows = []
    for task, components in tasks.items():
        now = costs.marginal_usd_per_day(plan, [component.name for component in components])
        rows += [_move(costs, plan, task, components, model, now, evidence) for model in models]
    return Moves(name=costs.architecture.name, days=costs.horizon.days, rows=rows)


def _check_size(components: int, models: int) -> None:
    if components * models > MAX_MOVED:
        raise CostsimError(
            f"{components:,} components on {models:,} models are {components * models:,} moves: at most {MAX_MOVED:,}; "
            "give an architecture with fewer of them"
        )


def _move(
    costs: Costs, plan: Plan, task: str, components: list[Component], model: str, now: Fraction | None,
    evidence: Evidence,
) -> TaskMove:  # fmt: skip
    """One row; `now` is what the task costs per day as routed."""
    names = [component.name for component in components]
    moved = replace(plan, models=plan.models | dict.fromkeys(names, model))
    then = costs.marginal_usd_per_day(moved, names)
    own = list(dict.fromkeys(plan.models[name] for name in names))
    book = costs.book(costs.run_book)
    return TaskMove(
        task=task,
        components=names,
        model=model,
        current=own == [model],
        current_models=own,
        usd_per_month=None if then is None else to_usd(then * MONTH_DAYS),
        difference_usd_per_month=None if now is None or then is None else to_usd((then - now) * MONTH_DAYS),
        kind="fits" if all(can_replace(model, name, book) for name in own) else "does not fit",
        window=_window(costs, names, model),
        tools=_need(components, "tools", model, book),
        images=_need(components, "images", model, book),
        evidence=_evidence(costs, task, model, evidence),
    )


def _window(costs: Costs, names: list[str], model: str) -> Fit:
    """Whether the largest request of a run (P95 where there is no largest) fits the context window."""
    book = costs.book(costs.run_book)
    key = book.resolve(model)
    window = book.context_window(key) if key else None
    sizes = [largest_input(costs.works[name].profile) for name in names]
    known = [size for size in sizes if size is not None]
    if window is None or not known:
        return "unknown"
    return "fits" if max(known) <= window else "does not fit"


def _need(components: list[Component], need: Ability, model: str, book: PriceBook) -> Fit:
    """What the price list's data or a price file say of it; unknown where they say nothing."""
    if not any(need in component.needs for component in components):
        return "not needed"
    known = takes(model, need, book)
    return "unknown" if known is None else "fits" if known else "does not fit"


def _evidence(costs: Costs, task: str, model: str, evidence: Evidence) -> str:
    key = costs.book(costs.run_book).resolve(model)
    runs, solved = evidence.get((task, str(key) if key else model), (0, 0))
    return f"{solved:,} of {runs:,} runs solved" if runs else NO_EVIDENCE
