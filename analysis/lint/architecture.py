"""Lint an architecture file: its routing, and its components with their models, runs and costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

from ...documents import Document, dotted
from ...money import to_usd
from ..architecture.load import LoadedArchitecture, load_architecture
from ..architecture.model import Architecture, Component
from ..findings import Finding
from ..routing.resolve import routed_model
from ..routing.routing import RoutingConfig, read_routing
from ..simulation.costs import Costs
from ..simulation.profiles import Profile, largest_input
from ..simulation.workload import Horizon
from .components import AssignedComponent, lint_components
from .policies import lint_policies
from .routing import lint_routing

DAYS = 30
"""A month, in what a finding says it costs."""


def lint_architecture(file: Path, document: Document, start: date, book: str | None = None) -> list[Finding]:
    """The findings of an architecture's routing and components, costed over 30 days from `start`.

    `document` is the file as read; `book` overrides its base price book. Raises InputError and its kinds, and
    UnpricedError.
    """
    loaded = load_architecture(file, document)
    architecture = loaded.architecture
    base = book or architecture.book
    costs = Costs.of(architecture, Horizon.of(start, DAYS, ZoneInfo(architecture.timezone)), base)
    return lint_costed(costs, loaded)


def lint_costed(costs: Costs, loaded: LoadedArchitecture) -> list[Finding]:
    """The same for an architecture whose costs are at hand. Raises as `lint_architecture`."""
    architecture, book = costs.architecture, costs.book(costs.run_book)
    config = _config(architecture, loaded.document)
    components = [_assigned(component, architecture, costs, loaded) for component in architecture.components]
    routing = lint_routing(config, book) if config.model_routing else []
    return routing + lint_components(components, config, book) + lint_policies(costs, config, loaded)


def _config(architecture: Architecture, document: Document) -> RoutingConfig:
    """The routing file's config where the architecture names one; its own model_routing lies on top."""
    if architecture.routing is None:
        return RoutingConfig(document, architecture.model_routing)
    config = read_routing(architecture.routing, needs_fallback=False)
    return replace(config, model_routing=architecture.model_routing)


def _assigned(
    component: Component, architecture: Architecture, costs: Costs, loaded: LoadedArchitecture
) -> AssignedComponent:
    work = costs.works[component.name]
    place = loaded.place_of(component.name)
    return AssignedComponent(
        component.name,
        component.agent,
        component.task,
        routed_model(component, architecture.model_routing),
        to_usd(work.runs.per_day),
        _usd_per_month(costs, component.name),
        _own_input(component, work.profile),
        component.model is not None,
        loaded.document.file,
        loaded.document.line(place or ("components",)),
        None if place is None else dotted(place),
    )


def _usd_per_month(costs: Costs, name: str) -> Callable[[str], Decimal | None]:
    def on(model: str) -> Decimal | None:
        per_day: Fraction | None = costs.usd_per_day(name, model)
        return None if per_day is None else to_usd(per_day * DAYS)

    return on


def _own_input(component: Component, profile: Profile) -> int | None:
    """The largest total input of a run that stays on the component's own model."""
    largest, large = largest_input(profile), component.large_context
    return min(largest, large.over) if large and largest is not None else largest
