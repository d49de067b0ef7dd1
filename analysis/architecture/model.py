"""The architecture as it is written: components, schedules, token profiles, routing, plans and claims."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from ...named_files import beside
from ..routing.resolve import Resolver
from .amounts import Amount, Named, Number, Part, Spread, way
from .budgets import Budget, unique_names
from .component import BookName, Component, Cron, Defaults, TokenProfile, folder_of
from .growth import Growth
from .policies import Policy, named_file
from .schedule import time_zone

__all__ = ["Architecture", "Claim", "Component", "Cron", "PlanSpec", "Spread", "TokenProfile"]
MAX_COMPONENTS = 10_000


class PlanSpec(Part):
    """A named plan: one `model` for everything, or the routing with some tasks or components moved.

    `policies` names those that it applies of what components state. Default: all; in a plan with one `model`
    all but escalate and large_context, which choose others.
    """

    model: Named | None = None
    model_routing: dict[str, str] = Field(default={})
    components: dict[str, str] = Field(default={})
    policies: list[Policy] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> PlanSpec:
        if not self.model_fields_set:
            raise ValueError("say model, model_routing, components or policies")
        return self


class PriceRatio(Part):
    """How many times more expensive `model` is than `to`, for `input_per_output` input tokens per output token."""

    model: str
    to: str
    input_per_output: Annotated[Amount, Field(le=10**6)] = Decimal(1)


class CostRatio(Part):
    """One component's daily cost on `model` against the same component on `to`."""

    component: str
    model: str
    to: str


class PlanRatio(Part):
    """One plan's cost against another's."""

    plan: str
    to: str


class DailyCost(Part):
    """The expected daily cost of a component, or of `total`, under a plan."""

    of: str = "total"
    plan: str = "routed"


class Claim(Part):
    """A statement about cost, checked at each of `books` (default: the book of the run).

    `stated` is a number, or a range that the computed value must lie in; `tolerance` is relative to it.
    """

    says: str
    stated: Annotated[Number | Annotated[Spread, Tag("|range")], Discriminator(way)]
    tolerance: Amount = Decimal("0.1")
    severity: Literal["fail", "warn"] = Field(default="fail", description="what costsim check makes of a broken claim")
    books: list[BookName] = Field(default=[])
    price_ratio: PriceRatio | None = None
    cost_ratio: CostRatio | None = None
    plan_ratio: PlanRatio | None = None
    daily_usd: DailyCost | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Claim:
        given = [self.price_ratio, self.cost_ratio, self.plan_ratio, self.daily_usd]
        if sum(kind is not None for kind in given) != 1:
            raise ValueError("a claim needs exactly one of price_ratio, cost_ratio, plan_ratio, daily_usd")
        return self


Overlays = Annotated[
    list[Path],
    Field(description="price overlays, a file or several; later ones win"),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]


def _beside_the_file(given: Any, info: ValidationInfo) -> Any:
    """Paths as they stand in the file: in its folder, and there."""
    folder = folder_of(info)
    if info.field_name == "prices" and isinstance(given, str):
        given = [given]
    if info.field_name == "routing" and isinstance(given, dict | list):
        raise ValueError(
            "this names a file with a routing (routing: model-routing.json); a routing in this file stands under "
            "model_routing, such as model_routing: {triage: anthropic/claude-haiku-4-5}"
        )
    if isinstance(given, str):
        return beside(folder, given)
    if isinstance(given, list) and info.field_name == "prices":
        return [beside(folder, path) if isinstance(path, str) else path for path in given]
    return given


class LoggedForecast(Part):
    """The days that a `store` logged (UTC), from `since` to `until`: what the forecast is made from."""

    store: Path
    since: date | None = None
    until: date | None = Field(default=None, description="the last day known; default: the newest whole one")

    @field_validator("store", mode="before")
    @classmethod
    def _beside_the_file(cls, given: Any, info: ValidationInfo) -> Any:
        return named_file(given, info)


class PriceKeys(Part):
    """What an architecture file says of prices, whatever else it says: the base book, and overlays on top."""

    model_config = ConfigDict(extra="ignore")

    book: BookName = "list"
    prices: Overlays = Field(default=[])

    _paths = field_validator("prices", mode="before")(_beside_the_file)


class Architecture(Part):
    """The whole file. Paths in it are relative to its folder."""

    name: str = Field(default="", max_length=200)
    description: str = ""
    timezone: str = Field(default="UTC", description="whose days are counted")
    book: BookName = Field(default="list", description="the base price book: list, article-2026 or a file")
    prices: Overlays = Field(default=[])
    routing: Path | None = Field(default=None, description="a file with model_routing")
    model_routing: dict[str, str] = Field(default={})
    crons: list[Cron] | Path = Field(default=[])
    defaults: Defaults | None = Field(default=None, description="tokens and policies of components that state none")
    growth: Growth | None = None
    components: list[Component] = Field(default=[], max_length=MAX_COMPONENTS)
    forecast: LoggedForecast | None = Field(
        default=None,
        description="components whose tokens are from this store run as often as its forecast says, on each day",
    )
    plans: dict[str, PlanSpec] = Field(default={})
    baseline: str | None = Field(
        default=None, description="the plan or model that savings are compared with; default: the most expensive model"
    )
    policy_order: list[Policy] = Field(default=[], description="the order in which the waterfall takes up policies")
    claims: list[Claim] = Field(default=[])
    acknowledged: list[str] = Field(
        default=[], description="fields of logs that are known not to be usage, for costsim load"
    )
    budgets: list[Budget] | Path = Field(default=[], description="limits that costsim check enforces, or their file")

    @field_validator("timezone")
    @classmethod
    def _is_zone(cls, name: str) -> str:
        return time_zone(name).key

    _paths = field_validator("prices", "crons", "routing", "budgets", mode="before")(_beside_the_file)

    @field_validator("budgets")
    @classmethod
    def _own_names(cls, budgets: list[Budget] | Path) -> list[Budget] | Path:
        return unique_names(budgets) if isinstance(budgets, list) else budgets

    @field_validator("policy_order")
    @classmethod
    def _each_once(cls, order: list[Policy]) -> list[Policy]:
        twice = next((name for name in order if order.count(name) > 1), None)
        if twice:
            raise ValueError(f"{twice!r} stands twice")
        return order

    @field_validator("plans")
    @classmethod
    def _free_names(cls, plans: dict[str, PlanSpec]) -> dict[str, PlanSpec]:
        for name in ("naive", "routed"):
            if name in plans:
                raise ValueError(f"the plan {name!r} always exists; give yours another name")
        return plans

    def resolver(self, plan: PlanSpec | None = None) -> Resolver:
        """Which model its components and tasks get, as routed or under a plan of the file."""
        return Resolver(
            self.model_routing,
            tasks={component.name: component.task for component in self.components},
            pinned={component.name: component.model for component in self.components if component.model},
            moved_components=plan.components if plan else {},
            moved_tasks=plan.model_routing if plan else {},
            everything=plan.model if plan else None,
        )
