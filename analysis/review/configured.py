"""What the configuration says: the model for each component and task, and the others that it allows there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from ..routing.resolve import Resolver, model_of_key
from ..routing.routing import CODING_TASKS, LARGE_CONTEXT_KEY, LargeContextRule, RoutingConfig

if TYPE_CHECKING:
    from ...pricing.book import PriceBook
    from ..architecture.component import Component
    from ..architecture.model import Architecture


@dataclass(frozen=True)
class Configured:
    """The configured routing. Model names are as the configuration writes them.

    A component that the architecture has takes its own model, else its task's; any other call its logged task's;
    a task that the routing does not name the fallback's.
    """

    name: str
    routing: Mapping[str, str]
    components: Mapping[str, Component] = field(default_factory=dict)
    large_context: LargeContextRule | None = None

    def model(self, component: str, task: str) -> str | None:
        """The model that calls of a component and task ("" without one) go to; None where nothing is said of them."""
        return self._resolver.model(component, task) if component in self.components or task else None

    def allowed(self, component: str, task: str) -> set[str]:
        """Every model that such calls may go to: also by large context, escalation, or the logged task itself."""
        own = self.components.get(component)
        tasks = {task, own.task} if own else {task}
        keys = [*tasks, *(own.model_keys.values() if own else ())]
        if self.large_context and tasks & {*self.large_context.tasks}:
            keys.append(self.large_context.use)
        named = {self.routing.get(key, key if "/" in key else "") for key in keys}
        return {model for model in (*named, self.model(component, task)) if model}

    @cached_property
    def _resolver(self) -> Resolver:
        known = self.components.values()
        return Resolver(self.routing, {c.name: c.task for c in known}, {c.name: c.model for c in known if c.model})

    @property
    def models(self) -> list[str]:
        """Every model that it names."""
        own = [model for c in self.components.values() for model in (c.model, *self._policy_models(c)) if model]
        return list(dict.fromkeys([*self.routing.values(), *own]))

    def _policy_models(self, component: Component) -> list[str]:
        return [model_of_key(self.routing, key) for key in component.model_keys.values()]


def configured_by(architecture: Architecture | None, routing: RoutingConfig | None) -> Configured | None:
    """The routing as configured: the architecture's, with the mapping of `routing` in its place where given."""
    if architecture is None and routing is None:
        return None
    mapping = dict(routing.model_routing if routing else architecture.model_routing if architecture else {})
    names = [architecture.name if architecture else "", routing.document.file.name if routing else ""]
    large = routing.large_context if routing else _by_key(mapping)
    components = {component.name: component for component in architecture.components} if architecture else {}
    return Configured(", ".join(filter(None, names)), mapping, components, large)


def _by_key(routing: Mapping[str, str]) -> LargeContextRule | None:
    """What the key `large_context_coding` means in a routing that says no more of it."""
    from ..routing.conditions import Span

    return LargeContextRule(Span(0), LARGE_CONTEXT_KEY, CODING_TASKS) if LARGE_CONTEXT_KEY in routing else None


def book_names(book: PriceBook, models: set[str]) -> set[str]:
    """The models as the book calls them; those that it does not know keep their names."""
    from ..outcomes.costs import book_name

    return {book_name(book, model) for model in models}
