"""Plans: which model each component runs on. `naive` and `routed` always exist; the file may name more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..architecture.policies import MODEL_POLICIES, POLICIES, Policy
from ..routing.resolve import Resolver, known
from .policies.calls import ComponentChoice

if TYPE_CHECKING:
    from ..architecture.model import Architecture, Component, PlanSpec


@dataclass(frozen=True)
class Plan:
    """A named choice of models: `models` by component name; `says` is the choice in words.

    `policies` apply where a component states them; `targets` are the models that they send runs to, by component.
    """

    name: str
    message: str
    models: dict[str, str]
    policies: frozenset[Policy] = frozenset()
    targets: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)

    def choice(self, component: Component) -> ComponentChoice:
        """What the plan decides for a component."""
        return ComponentChoice(
            self.models[component.name], self.policies & component.stated, self.targets.get(component.name, ())
        )

    def used_models(self, components: Iterable[Component]) -> set[str]:
        """Every model that some component may call."""
        return {model for component in components for model in self.choice(component).models}


def plans_of(architecture: Architecture, naive: str) -> list[Plan]:
    """The baseline `naive` on that model, then `routed`, then the plans of the file in their order."""
    plans = [single_model_plan(architecture, "naive", naive), routed_plan(architecture)]
    return plans + [_named(architecture, name, spec) for name, spec in architecture.plans.items()]


def routed_plan(architecture: Architecture) -> Plan:
    """Each task on the routing's model, with all policies."""
    message = "the routing's model for each task"
    return _plan(architecture, "routed", message, architecture.resolver(), POLICIES)


def single_model_plan(architecture: Architecture, name: str, model: str) -> Plan:
    """Every task on one model, without policies."""
    return _plan(architecture, name, f"every task on {model}", Resolver({}, everything=model), ())


def _named(architecture: Architecture, name: str, spec: PlanSpec) -> Plan:
    message = f"every task on {spec.model}" if spec.model else "the routing"
    moved = [f"{key} on {model}" for key, model in (spec.model_routing | spec.components).items()]
    message += f", but {', '.join(moved)}" if moved else ""
    if spec.policies is not None:
        message += f"; policies: {', '.join(spec.policies) or 'none'}"
    all_policies = [policy for policy in POLICIES if not (spec.model and policy in MODEL_POLICIES)]
    policies = all_policies if spec.policies is None else spec.policies
    return _plan(architecture, name, message, architecture.resolver(spec), policies)


def _plan(architecture: Architecture, name: str, message: str, routing: Resolver, policies: Iterable[Policy]) -> Plan:
    models = {c.name: known(routing.model(c.name, c.task), c) for c in architecture.components}
    targets = {
        component.name: tuple((where, routing.target(key)) for where, key in component.model_keys.items())
        for component in architecture.components
        if component.escalate or component.large_context
    }
    return Plan(name, message, models, frozenset(policies), targets)


def named_models(architecture: Architecture) -> list[str]:
    """The models that the routing and pinned components name: the candidates for `naive`, in file order."""
    pinned = [component.model for component in architecture.components if component.model]
    return list(dict.fromkeys([*architecture.model_routing.values(), *pinned]))


def policy_models(architecture: Architecture) -> list[str]:
    """The models that policies name in full."""
    keys = [key for component in architecture.components for key in component.model_keys.values()]
    return [key for key in dict.fromkeys(keys) if key not in architecture.model_routing]
