"""Plans: which model each component runs on. `naive` and `routed` always exist; the file may name more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .workload import routed_model

if TYPE_CHECKING:
    from .architecture import Architecture, Component, PlanSpec


@dataclass(frozen=True)
class Plan:
    """A named choice of models: `models` by component name; `says` is the choice in words."""

    name: str
    says: str
    models: dict[str, str]


def plans_of(architecture: Architecture, naive: str) -> list[Plan]:
    """The baseline `naive` on that model, then `routed`, then the plans of the file in their order."""
    plans = [
        single_model_plan(architecture, "naive", naive),
        _plan(architecture, "routed", "the routing's model for each task", lambda _: None),
    ]
    return plans + [_named(architecture, name, spec) for name, spec in architecture.plans.items()]


def single_model_plan(architecture: Architecture, name: str, model: str) -> Plan:
    """Every task on one model."""
    return _plan(architecture, name, f"every task on {model}", lambda _: model)


def _named(architecture: Architecture, name: str, spec: PlanSpec) -> Plan:
    says = f"every task on {spec.model}" if spec.model else "the routing"
    moved = [f"{key} on {model}" for key, model in (spec.model_routing | spec.components).items()]
    says += f", but {', '.join(moved)}" if moved else ""
    routed = architecture.model_routing.keys() | spec.model_routing.keys()

    def choose(component: Component) -> str | None:
        task = component.task if component.task in routed else "fallback"
        return spec.components.get(component.name) or spec.model_routing.get(task) or spec.model

    return _plan(architecture, name, says, choose)


def _plan(architecture: Architecture, name: str, says: str, choose: Callable[[Component], str | None]) -> Plan:
    models = {c.name: choose(c) or routed_model(c, architecture.model_routing) for c in architecture.components}
    return Plan(name, says, models)


def named_models(architecture: Architecture) -> list[str]:
    """The models that the routing and pinned components name: the candidates for `naive`, in file order."""
    pinned = [component.model for component in architecture.components if component.model]
    return list(dict.fromkeys([*architecture.model_routing.values(), *pinned]))
