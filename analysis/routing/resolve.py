"""Which model does this task get: the one place that answers, for projections, replays, reviews and the linter.

A component's pin wins over its task's line of the routing, and that over the line `fallback`. A plan may move
components, tasks or everything to other models; what it says wins over all of that.

`costsim route` stands in `$(…)` of a shell, so this module imports the standard library only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ...errors import ArchitectureError

FALLBACK = "fallback"


class Routed(Protocol):
    """What a model is found for: it has a task, and may be pinned to a model."""

    @property
    def name(self) -> str: ...
    @property
    def task(self) -> str: ...
    @property
    def model(self) -> str | None: ...


@dataclass(frozen=True)
class Resolver:
    """The models of tasks and components. `routing` maps tasks to models.

    Of known components, `tasks` has the task, and `pinned` the model of those that are pinned to one. A plan's own
    are `moved_components` and `moved_tasks` (to models), and `everything`, the model of all that it does not move.
    """

    routing: Mapping[str, str]
    tasks: Mapping[str, str] = field(default_factory=dict)
    pinned: Mapping[str, str] = field(default_factory=dict)
    moved_components: Mapping[str, str] = field(default_factory=dict)
    moved_tasks: Mapping[str, str] = field(default_factory=dict)
    everything: str | None = None

    def model(self, component: str, task: str = "") -> str | None:
        """The model of a component, or of a call with that task ("" without one); None where the routing has none.

        A component that is known has its own task, whatever the call says.
        """
        task = self.tasks.get(component, task)
        key = task if task in self.moved_tasks else key_of_task(self.routing, task)
        moved = self.moved_components.get(component) or self.moved_tasks.get(key) or self.everything
        return moved or self.pinned.get(component) or model_of_task(self.routing, task)

    def target(self, key: str) -> str:
        """Where a policy that names a key, or a model in full, sends runs."""
        if key in self.moved_tasks:
            return self.moved_tasks[key]
        return self.everything if self.everything and key in self.routing else model_of_key(self.routing, key)


def key_of_task(routing: Mapping[str, str], task: str) -> str:
    """The line of the routing that decides for a task: its own, else `fallback`."""
    return task if task in routing else FALLBACK


def model_of_task(routing: Mapping[str, str], task: str) -> str | None:
    """The model of the task, else the fallback's; None where the routing has neither."""
    return routing.get(task) or routing.get(FALLBACK)


def model_of_key(routing: Mapping[str, str], key: str) -> str:
    """What a rule or a policy names: the model of a key of the routing, or a model in full."""
    return routing.get(key, key)


def routed_model(component: Routed, routing: Mapping[str, str]) -> str:
    """The model that the component is pinned to, or that the routing gives its task. Raises ArchitectureError."""
    return component.model or known(model_of_task(routing, component.task), component)


def known(model: str | None, component: Routed) -> str:
    """The model found for a component. Raises ArchitectureError where there is none."""
    if model is None:
        raise ArchitectureError(
            f"component {component.name!r}: no model; the routing has neither the task {component.task!r} "
            "nor a fallback"
        )
    return model
