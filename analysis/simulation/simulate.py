"""Components simulated one after the other and priced for every plan; only their sums are kept.

Memory is a few arrays of (days, trials) per plan however many components there are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from .fleets import is_large
from .plan_sums import CostingOf, PlanSum, PricedDraws, ProjectionDay, component_days, component_rows, priced_draws
from .plans import Plan
from .settings import check_draws
from .simulate_fleet import FleetSimulation
from .workload import Horizon

if TYPE_CHECKING:
    from ..architecture.model import Architecture
    from .settings import Progress, Settings


def simulate_plans(
    architecture: Architecture,
    plans: list[Plan],
    costing_of: CostingOf,
    horizon: Horizon,
    settings: Settings,
    progress: Progress | None = None,
    sink: Callable[[list[ProjectionDay]], None] | None = None,
) -> list[PlanSum]:
    """Simulate every component once and price its draws for every plan; those of a large fleet fewer times."""
    shape = (horizon.days, settings.trials)
    check_draws(*shape, 2 * len(plans), f"each of {len(plans)} plans")  # a plan has its sum, and room for a component's
    sums = [PlanSum(plan, np.zeros(shape), np.zeros(settings.trials)) for plan in plans]
    if is_large(architecture, settings.trials):
        return FleetSimulation(architecture, plans, costing_of, horizon, settings, sums).run(progress, sink)
    rooms = [np.empty(shape) for _ in plans]
    for done, component in enumerate(architecture.components):
        priced = priced_draws(component, plans, costing_of, horizon.days, settings.seed, rooms)
        _add_component(sums, priced, component.name)
        if sink:
            sink([row for plan, own in zip(plans, priced, strict=True) for row in component_days(plan, own, horizon)])
        for total, row in zip(sums, component_rows(priced), strict=True):
            total.components.append(row)
        if progress:
            progress(done + 1, len(architecture.components))
    return sums


def _add_component(sums: list[PlanSum], priced: list[PricedDraws], name: str) -> None:
    baseline = priced[0]
    for total, own in zip(sums, priced, strict=True):
        if own.costing.priced:
            total.add(own.costing.expected_usd, own.drawn_usd)
        if own.costing.priced and baseline.costing.priced:  # a saving compares like with like, or says nothing
            saved = baseline.horizon_usd - own.horizon_usd
            total.save(name, baseline.costing.horizon_usd, own.costing.horizon_usd, saved)
