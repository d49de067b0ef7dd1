"""Another routing for logged calls: a model for each component and task, from a plan, a routing file or one model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from ..documents import did_you_mean
from ..errors import ArchitectureError
from .routing import FALLBACK, RoutingConfig

if TYPE_CHECKING:
    from .architecture import Architecture


@dataclass(frozen=True)
class Reroute:
    """`choose(component, task)` is the model that a call would have gone to; None leaves it where it ran.

    A call without a task has the task "". `says` is the choice in words, `notes` what it leaves out.
    """

    name: str
    says: str
    choose: Callable[[str, str], str | None]
    notes: tuple[str, ...] = ()


def reroute_to_model(model: str) -> Reroute:
    """Every call on one model."""
    return Reroute(model, f"every call on {model}", lambda _component, _task: model)


def reroute_by_routing(routing: RoutingConfig) -> Reroute:
    """Each task on the routing's model for it, the fallback's where it has none."""
    models = routing.model_routing
    notes = ("large_context is not replayed: sums of calls have no size of their own",) if routing.large_context else ()
    return Reroute(
        routing.document.file.name,
        "the routing's model for each task",
        lambda _component, task: models.get(task) or models.get(FALLBACK),
        notes,
    )


def reroute_by_plan(architecture: Architecture, plan: str, start: date) -> Reroute:
    """The models of an architecture's plan: by component where it has that one, else by task.

    `start` is the day whose prices decide which model `naive` is. Raises ArchitectureError for an unknown plan.
    """
    if plan == "naive":
        from .project import Settings, baseline_model

        model = baseline_model(architecture, Settings(start))
        return Reroute(plan, f"every call on {model}", lambda _component, _task: model)
    known = ["routed", "naive", *architecture.plans]
    if plan not in known:
        raise ArchitectureError(f"the architecture has no plan {plan!r}{did_you_mean(plan, known)}")
    spec = architecture.plans.get(plan)
    routing = architecture.model_routing | (spec.model_routing if spec else {})
    everything = spec.model if spec else None
    own = {} if everything else {c.name: c.model for c in architecture.components if c.model}
    tasks = {c.name: c.task for c in architecture.components}

    def choose(component: str, task: str) -> str | None:
        key = tasks.get(component, task)
        key = key if key in routing else FALLBACK
        if spec and component in spec.components:
            return spec.components[component]
        if spec and key in spec.model_routing:
            return spec.model_routing[key]
        return everything or own.get(component) or routing.get(key)

    return Reroute(plan, f"plan {plan} of {architecture.name}", choose)
