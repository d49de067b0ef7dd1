"""Which model does this task get: the one place that answers, for projections, replays, reviews and the linter.

A pin wins over the task's own line, and that over the line `fallback`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ...errors import ArchitectureError

FALLBACK = "fallback"


class Routed(Protocol):
    """What a model is found for: it may be pinned to one."""

    @property
    def name(self) -> str: ...
    @property
    def task(self) -> str: ...
    @property
    def model(self) -> str | None: ...


def model_of_task(routing: Mapping[str, str], task: str) -> str | None:
    """The model of the task, else the fallback's; None where the routing has neither."""
    return routing.get(task) or routing.get(FALLBACK)


def model_of_key(routing: Mapping[str, str], key: str) -> str:
    """What a rule or a policy sends runs to: the model of a key of the routing, or a model named in full."""
    return routing.get(key, key)


def routed_model(component: Routed, routing: Mapping[str, str]) -> str:
    """The model that the component is pinned to, or that the routing gives its task. Raises ArchitectureError."""
    model = component.model or model_of_task(routing, component.task)
    if model is None:
        raise ArchitectureError(
            f"component {component.name!r}: no model; the routing has neither the task {component.task!r} "
            "nor a fallback"
        )
    return model
