"""Another routing for logged calls: a model for each component and task, from a plan, a routing file or one model.

Of policies only the large-context threshold is replayed: which calls are over it is known of a sum whose tiers start
there. The others change which calls there are, and the logged ones are what happened.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from ...documents import did_you_mean
from ...errors import ArchitectureError
from ..architecture.policies import POLICIES
from ..routing.conditions import Span
from ..routing.resolve import Resolver
from ..routing.routing import RoutingConfig

if TYPE_CHECKING:
    from ..architecture.model import Architecture, PlanSpec


@dataclass(frozen=True)
class Large:
    """Calls whose total input lies in `span` (tokens) would have gone to `model` instead."""

    span: Span
    model: str

    @property
    def tier_starts(self) -> tuple[int, ...]:
        """Where a call is in, and where it is out again: the rollup's sums must not reach across them."""
        ends = (self.span.over, self.span.at_most)
        return tuple(tokens + 1 for tokens in ends if tokens is not None)


@dataclass(frozen=True)
class Reroute:
    """`choose(component, task)` is the model that a call would have gone to; None leaves it where it ran.

    A call without a task has the task "". `large(component, task)` says what its large contexts do instead, and
    `tier_starts` at which token counts the rollup must part its sums for that. `says` is the choice in words,
    `notes` what it leaves out.
    """

    name: str
    message: str
    choose: Callable[[str, str], str | None]
    notes: tuple[str, ...] = ()
    large: Callable[[str, str], Large | None] = lambda _component, _task: None
    tier_starts: tuple[int, ...] = ()


def reroute_to_model(model: str) -> Reroute:
    """Every call on one model."""
    return Reroute(model, f"every call on {model}", lambda _component, _task: model)


def reroute_by_routing(routing: RoutingConfig) -> Reroute:
    """Each task on the routing's model for it, the fallback's where it has none; large contexts on theirs."""
    models, stated = Resolver(routing.model_routing), routing.large_context
    large = Large(stated.span, routing.model(stated.use)) if stated else None
    return Reroute(
        routing.document.file.name,
        "the routing's model for each task",
        models.model,
        large=lambda _component, task: large if stated and task in stated.tasks else None,
        tier_starts=large.tier_starts if large else (),
    )


def reroute_by_plan(architecture: Architecture, plan: str, start: date) -> Reroute:
    """The models of an architecture's plan: by component where it has that one, else by task.

    `start` is the day whose prices decide which model `naive` is. Raises ArchitectureError for an unknown plan.
    """
    if plan == "naive":
        from ..simulation.run import baseline_model
        from ..simulation.settings import Settings

        model = baseline_model(architecture, Settings(start))
        return Reroute(plan, f"every call on {model}", lambda _component, _task: model)
    known = ["routed", "naive", *architecture.plans]
    if plan not in known:
        raise ArchitectureError(f"the architecture has no plan {plan!r}{did_you_mean(plan, known)}")
    spec = architecture.plans.get(plan)
    routing = architecture.resolver(spec)
    large = _large_contexts(architecture, spec, routing)
    return Reroute(
        plan,
        f"plan {plan} of {architecture.name}",
        routing.model,
        _policies_left_out(architecture, spec),
        large=lambda component, _task: large.get(component),
        tier_starts=tuple(sorted({start for own in large.values() for start in own.tier_starts})),
    )


def _large_contexts(architecture: Architecture, spec: PlanSpec | None, routing: Resolver) -> dict[str, Large]:
    """By component, where the plan applies the policy; not in a plan of one model that does not name it."""
    if not _sends_large_contexts(spec):
        return {}
    return {
        component.name: Large(Span(over=policy.over), routing.target(policy.use))
        for component in architecture.components
        if (policy := component.large_context)
    }


def _sends_large_contexts(spec: PlanSpec | None) -> bool:
    if spec is None:
        return True
    return spec.model is None if spec.policies is None else "large_context" in spec.policies


def _policies_left_out(architecture: Architecture, spec: PlanSpec | None) -> tuple[str, ...]:
    named = POLICIES if spec is None or spec.policies is None else spec.policies
    stated = {policy for component in architecture.components for policy in component.stated}
    left_out = [policy for policy in POLICIES if policy in stated and policy in named and policy != "large_context"]
    return (f"not replayed, as the logged calls are what happened: {', '.join(left_out)}",) if left_out else ()
