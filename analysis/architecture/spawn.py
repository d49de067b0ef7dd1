"""Components that a run spawns, as the architecture file writes them; who spawns whom, without circles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Any, Protocol

from pydantic import AfterValidator, Discriminator, Field, Tag

from .amounts import Number, Part, Percentiles, Range, way
from .policies import Share

MAX_COUNT = 100_000


def _bounded(amount: Any) -> Any:
    highest = amount.high if isinstance(amount, Range) else amount.p95 if isinstance(amount, Percentiles) else amount
    if highest > MAX_COUNT:
        raise ValueError(f"a run spawns {MAX_COUNT:,} runs of a component at most")
    if getattr(amount, "varies", None) == "mean":
        raise ValueError("a count varies from run to run; state an unknown mean as uncertainty of what is spawned")
    return amount


Count = Annotated[
    Number
    | Annotated[Range, Tag("|range")]
    | Annotated[Percentiles, Tag("|p50")]
    | Annotated[Percentiles, Tag("|p95")],
    Discriminator(way),
    AfterValidator(_bounded),
]


class Spawn(Part):
    """With `chance`, a run spawns `count` runs of another component; of 2.5, two or three, each half of the time."""

    component: str = Field(description="the name of the component that is spawned")
    count: Count = Field(default=Decimal(1), description="3, {low, mode, high} or {p50, p95}, drawn for every run")
    chance: Share = Field(default=Decimal(1), description="of a run to spawn at all")


class Spawning(Protocol):
    """A component, as far as it spawns others."""

    @property
    def spawns(self) -> list[Spawn]:
        """What its runs spawn."""


def spawned_names(components: Iterable[Spawning]) -> frozenset[str]:
    """The components that others spawn."""
    return frozenset(spawn.component for component in components for spawn in component.spawns)


def descendants(components: Mapping[str, Spawning], name: str) -> list[str]:
    """All that a component spawns, directly or not, each once."""
    found: dict[str, None] = {}
    waiting = [name]
    while waiting:
        for spawn in components[waiting.pop()].spawns:
            if spawn.component not in found:
                found[spawn.component] = None
                waiting.append(spawn.component)
    return list(found)


def circle(components: Mapping[str, Spawning]) -> list[str] | None:
    """Names that spawn one another in a circle, the first again at the end; None where there is no circle."""
    settled: set[str] = set()
    for start in components:
        path = [start]
        following = [_spawned_by(components, start)]
        while path and start not in settled:
            child = next(following[-1], None)
            if child is None:
                settled.add(path.pop())
                following.pop()
            elif child in path:
                return [*path[path.index(child) :], child]
            elif child not in settled:
                path.append(child)
                following.append(_spawned_by(components, child))
    return None


def _spawned_by(components: Mapping[str, Spawning], name: str) -> Iterator[str]:
    return (spawn.component for spawn in components[name].spawns)
