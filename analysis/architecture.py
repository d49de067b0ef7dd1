"""The architecture file: components, schedules, token profiles, routing, plans and claims.

YAML, JSON or TOML; unknown keys are errors. The article's own files are taken as they are: a `model_routing`
mapping and a `crons` list may stand in the file itself or in files of their own that it names.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from ..documents import Document, KeyPath, did_you_mean, read_document, validate
from ..errors import ArchitectureError
from .distributions import Constant, Distribution, Lognormal, Triangular, Uniform
from .policies.evidence import with_evidence
from .policies.spec import Policies, Policy
from .schedule import parse_cron, time_zone

MAX_RUNS_PER_DAY = Decimal(100_000_000)
MAX_TOKENS_PER_RUN = Decimal(1_000_000_000)
MAX_COMPONENTS = 10_000
MAX_P95_PER_P50 = 1_000

Amount = Annotated[Decimal, Field(ge=0, le=10**18, decimal_places=18)]
"""A number in the file, bounded so that exact arithmetic stays quick (1e-9999999 has millions of digits)."""


class Part(BaseModel):
    """Base of everything in the file: closed to unknown keys, immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Spread(Part):
    """Between `low` and `high`, most often near `mode`: triangular; without a mode, uniform."""

    low: Amount
    mode: Amount | None = None
    high: Amount

    @model_validator(mode="after")
    def _ordered(self) -> Spread:
        middle = self.low if self.mode is None else self.mode
        if not self.low <= middle <= self.high:
            stated = ", ".join(str(amount) for amount in (self.low, self.mode, self.high) if amount is not None)
            raise ValueError(f"low, mode and high must ascend, not {stated}")
        if self.high == 0:
            raise ValueError("high must be more than 0")
        return self

    def distribution(self) -> Distribution:
        """The distribution meant."""
        low, high = Fraction(self.low), Fraction(self.high)
        if float(low) == float(high):  # too near for a draw to tell them apart
            return Constant((low + high) / 2)
        return Uniform(low, high) if self.mode is None else Triangular(low, Fraction(self.mode), high)


class Range(Spread):
    """A spread of tokens or runs, which `varies` says more about.

    `run`: every run draws anew (every day, for runs_per_day), which averages out over a month. `mean`: we do
    not know the mean; drawn once per trial, it never averages out. Default: `run` for tokens, `mean` for
    runs_per_day.
    """

    varies: Literal["run", "mean"] | None = None


class Percentiles(Part):
    """A median and a 95th percentile: lognormal, the usual shape of token counts. `varies` as in a range."""

    p50: Annotated[Amount, Field(gt=0, le=MAX_TOKENS_PER_RUN)]
    p95: Annotated[Amount, Field(gt=0, le=MAX_TOKENS_PER_RUN)]
    varies: Literal["run", "mean"] | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Percentiles:
        if self.p95 < self.p50:
            raise ValueError(f"p95 ({self.p95}) is below p50 ({self.p50})")
        if self.p95 > MAX_P95_PER_P50 * self.p50:
            raise ValueError(f"p95 ({self.p95}) is more than {MAX_P95_PER_P50:,} times p50 ({self.p50})")
        return self

    def distribution(self) -> Distribution:
        """The distribution meant."""
        p50, p95 = Fraction(self.p50), Fraction(self.p95)
        return Constant(p50) if float(p50) == float(p95) else Lognormal(p50, p95)


class Poisson(Part):
    """Independent runs at a mean rate per day: the number on a day is Poisson."""

    poisson: Annotated[Amount, Field(le=MAX_RUNS_PER_DAY)]


class LogRate(Part):
    """The number of calls in the component's `from_usage` log, times this: 24 where it holds one hour."""

    from_usage: Annotated[Amount, Field(gt=0)]


Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[str, ...] = get_args(Weekday)


class Hourly(Part):
    """Independent runs at a rate for every hour of every weekday, as a log has them: 24 rates a weekday.

    A weekday that is not named has none. On days on which clocks change, the hours count that there are.
    """

    hourly: dict[Weekday, Annotated[list[Annotated[Amount, Field(ge=0)]], Field(min_length=24, max_length=24)]]

    @model_validator(mode="after")
    def _bounded(self) -> Hourly:
        for weekday, rates in self.hourly.items():
            if sum(rates) > MAX_RUNS_PER_DAY:
                raise ValueError(f"{weekday} has {sum(rates):f} runs, more than the {MAX_RUNS_PER_DAY:,} a day")
        return self


def _kind(given: Any) -> str:
    """Which of the ways to write an amount is meant, so that an error speaks of that one only.

    The names of the ways have a mark that no key has: they are in the path of an error, and must not be taken
    for keys.
    """
    keys = given if isinstance(given, dict) else getattr(given, "__dict__", None)
    if keys is None:
        return "|number"
    return next((f"|{key}" for key in ("p50", "p95", "poisson", "from_usage", "hourly") if key in keys), "|range")


def _within(limit: Decimal, unit: str) -> Callable[[Any], Any]:
    def check(amount: Any) -> Any:
        value = amount.high if isinstance(amount, Range) else amount
        if isinstance(value, Decimal) and value > limit:
            raise ValueError(f"{value:f} {unit} is more than the {limit:,} that costsim takes")
        return amount

    return check


Number = Annotated[Amount, Tag("|number")]
Tokens = Annotated[
    Number
    | Annotated[Range, Tag("|range")]
    | Annotated[Percentiles, Tag("|p50")]
    | Annotated[Percentiles, Tag("|p95")],
    Discriminator(_kind),
    AfterValidator(_within(MAX_TOKENS_PER_RUN, "tokens a run")),
]
RunsPerDay = Annotated[
    Number
    | Annotated[Range, Tag("|range")]
    | Annotated[Poisson, Tag("|poisson")]
    | Annotated[LogRate, Tag("|from_usage")]
    | Annotated[Hourly, Tag("|hourly")],
    Discriminator(_kind),
    AfterValidator(_within(MAX_RUNS_PER_DAY, "runs a day")),
]
DailyUsd = Annotated[
    Annotated[Amount, Field(gt=0), Tag("|number")] | Annotated[Spread, Tag("|range")], Discriminator(_kind)
]


def _beside(given: Any, info: ValidationInfo) -> Any:
    """A book's file is beside the architecture; the name of a shipped book has no ending."""
    return str(_folder(info) / given) if isinstance(given, str) and Path(given).suffix else given


BookName = Annotated[str, BeforeValidator(_beside)]


class FromUsage(Part):
    """Tokens as a log has them: every run draws one logged call, its token classes together.

    Either a `file`, CSV, JSONL or Parquet, whose `columns` map costsim's names (`ts`, `input`, `output`,
    `cache_read`, …) to its own (`input_includes_cached` says whether its input figure counts cached tokens too);
    or a `store` that `costsim load` has filled, and `where` its fields (component, agent, task, model) are these.
    """

    file: Path | None = None
    columns: dict[str, str] = {}
    input_includes_cached: bool = False
    store: Path | None = None
    where: dict[Literal["component", "agent", "task", "provider", "model", "source"], str] = {}

    @field_validator("file", "store", mode="before")
    @classmethod
    def _beside_the_architecture(cls, given: Any, info: ValidationInfo) -> Any:
        return _folder(info) / given if isinstance(given, str) else given

    @model_validator(mode="after")
    def _one_source(self) -> FromUsage:
        if (self.file is None) == (self.store is None):
            raise ValueError("name either the file of a log or a store")
        if self.file and not self.columns:
            raise ValueError("the file needs columns, such as {input: prompt_tokens, output: completion_tokens}")
        return self


class TokenProfile(Part):
    """Tokens per run, by disjoint class: `input` is what is not cached, `output` includes reasoning."""

    input: Tokens = Decimal(0)
    cache_read: Tokens = Decimal(0)
    cache_write_5m: Tokens = Decimal(0)
    cache_write_1h: Tokens = Decimal(0)
    output: Tokens = Decimal(0)
    web_search: Tokens = Decimal(0)
    from_usage: FromUsage | None = None

    @model_validator(mode="after")
    def _one_way(self) -> TokenProfile:
        if self.from_usage and self.counted:
            raise ValueError("give either from_usage or token counts, not both")
        if not self.from_usage and not self.counted:
            raise ValueError("no token count is given; write at least input and output")
        return self

    @property
    def counted(self) -> list[str]:
        """The token classes that the file gives, in the order of every array."""
        return [name for name in TokenProfile.model_fields if name in self.model_fields_set - {"from_usage"}]


class Calibrate(Part):
    """Solve for a run's tokens from a known daily cost: output = cost / (ratio x input price + output price).

    `daily_usd` is the cost of a day on which the component runs; a range is what we do not know about its
    mean. Prices are those of `book` at the run's start, for `model` (default: the model that routing gives).
    """

    daily_usd: DailyUsd
    input_per_output: Annotated[Amount, Field(le=10**6, description="input tokens per output token")]
    book: BookName = "list"
    model: str | None = None


class Cron(Part):
    """An entry of a `crons:` list, as the article writes it; further keys as in a component."""

    name: str = Field(min_length=1, max_length=200)
    schedule: str
    model: str | None = None
    agent: str | None = None
    task: str | None = None
    timezone: str | None = None
    tokens: TokenProfile | None = None
    calibrate: Calibrate | None = None

    @field_validator("schedule")
    @classmethod
    def _is_cron(cls, schedule: str) -> str:
        return parse_cron(schedule)

    @field_validator("timezone")
    @classmethod
    def _is_zone(cls, name: str | None) -> str | None:
        return name if name is None else time_zone(name).key


class Component(Policies):
    """One recurring piece of work: who does it, what kind of task it is, when it runs, what a run uses."""

    name: str = Field(min_length=1, max_length=200)
    agent: str = "unassigned"
    task: str = Field(default="fallback", description="the key of the routing that picks the model")
    model: str | None = Field(default=None, description="pins the model, whatever the routing says")
    processing: Literal["standard", "batch", "flex", "priority", "fast"] = "standard"
    cron: str | None = Field(default=None, description="takes schedule and model from the cron of this name")
    schedule: str | None = Field(default=None, description="a cron expression")
    timezone: str | None = None
    runs_per_day: RunsPerDay | None = None
    weekdays_only: bool = False
    start: date | None = None
    end: date | None = Field(default=None, description="the last day on which it runs")
    tokens: TokenProfile | None = None
    calibrate: Calibrate | None = None
    uncertainty: Spread | None = Field(default=None, description="an unknown factor on its cost, once per trial")
    note: str = ""

    @field_validator("schedule")
    @classmethod
    def _is_cron(cls, schedule: str | None) -> str | None:
        return None if schedule is None else parse_cron(schedule)

    @field_validator("timezone")
    @classmethod
    def _is_zone(cls, name: str | None) -> str | None:
        return None if name is None else time_zone(name).key

    @model_validator(mode="after")
    def _consistent(self) -> Component:
        if self.start and self.end and self.end < self.start:
            raise ValueError(f"end {self.end} is before start {self.start}")
        if isinstance(self.runs_per_day, LogRate) and not (self.tokens and self.tokens.from_usage):
            raise ValueError("runs_per_day.from_usage needs tokens.from_usage, the log whose calls it counts")
        if self.uncertainty and self.calibrate and isinstance(self.calibrate.daily_usd, Spread):
            raise ValueError("calibrate.daily_usd is a range already; leave out uncertainty")
        return self


class PlanSpec(Part):
    """A named plan: one `model` for everything, or the routing with some tasks or components moved.

    `policies` names those that it applies of what components state. Default: all; in a plan with one `model`
    all but escalate and large_context, which choose others.
    """

    model: str | None = None
    model_routing: dict[str, str] = {}
    components: dict[str, str] = {}
    policies: list[Policy] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> PlanSpec:
        if not self.model_fields_set:
            raise ValueError("say model, model_routing, components or policies")
        return self


class PriceRatio(Part):
    """How many times dearer `model` is than `to`, for `input_per_output` input tokens per output token."""

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
    stated: Annotated[Number | Annotated[Spread, Tag("|range")], Discriminator(_kind)]
    tolerance: Amount = Decimal("0.1")
    books: list[BookName] = []
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


class Architecture(Part):
    """The whole file. Paths in it are relative to its folder."""

    name: str = Field(default="", max_length=200)
    description: str = ""
    timezone: str = Field(default="UTC", description="whose days are counted")
    book: BookName = Field(default="list", description="the base price book: list, article-2026 or a file")
    prices: Overlays = []
    routing: Path | None = Field(default=None, description="a file with model_routing")
    model_routing: dict[str, str] = {}
    crons: list[Cron] | Path = []
    defaults: TokenProfile | None = Field(default=None, description="tokens of components that state none")
    components: list[Component] = Field(default=[], max_length=MAX_COMPONENTS)
    plans: dict[str, PlanSpec] = {}
    policy_order: list[Policy] = Field(default=[], description="the order in which the waterfall takes up policies")
    claims: list[Claim] = []

    @field_validator("timezone")
    @classmethod
    def _is_zone(cls, name: str) -> str:
        return time_zone(name).key

    @field_validator("prices", "crons", "routing", mode="before")
    @classmethod
    def _beside_the_file(cls, given: Any, info: ValidationInfo) -> Any:
        folder = _folder(info)
        if info.field_name == "prices" and isinstance(given, str):
            given = [given]
        if isinstance(given, str):
            return folder / given
        if isinstance(given, list) and info.field_name == "prices":
            return [folder / path if isinstance(path, str) else path for path in given]
        return given

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


def _folder(info: ValidationInfo) -> Path:
    document: Document | None = (info.context or {}).get("document")
    return document.file.parent if document else Path()


class _RoutingFile(Part):
    """The article's routing file; other keys of it belong to routing decisions, not to costs."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    model_routing: dict[str, str]


class _CronFile(Part):
    crons: list[Cron]


@dataclass(frozen=True)
class _Entry:
    """A component, and where its words stand: its own entry, or that of the cron that it is."""

    component: Component
    document: Document
    path: KeyPath

    def wrong(self, message: str, *key: str) -> Exception:
        """An ArchitectureError that names the component and the place."""
        message = f"{self.component.name!r}: {message}"
        return self.document.error(ArchitectureError, message, (*self.path, *key))


def read_architecture(file: Path) -> Architecture:
    """The architecture in `file`, its routing and cron files read in, every reference resolved.

    Raises ArchitectureError, in one line that says what, where (file, line, key) and how to mend it.
    """
    document = read_document(file, ArchitectureError)
    architecture = validate(document, Architecture, ArchitectureError)
    crons, cron_document = _crons(architecture, document)
    entries = _entries(architecture, document, crons, cron_document)
    for index, entry in enumerate(entries):
        _check(entry, entries[:index])
    if not entries:
        raise document.error(ArchitectureError, "there is nothing to run: list components, or crons")
    complete = architecture.model_copy(
        update={
            "name": architecture.name or file.stem,
            "model_routing": _routing(architecture),
            "crons": crons,
            "components": [entry.component for entry in entries],
        }
    )
    _check_plans(complete, document)
    for entry in entries:
        _check_policies(entry, complete.model_routing)
        _check_chances(entry)
    return with_evidence(complete, lambda n, message: entries[n].wrong(message, "escalate", "probability"))


def _routing(architecture: Architecture) -> dict[str, str]:
    if architecture.routing is None:
        return architecture.model_routing
    document = read_document(architecture.routing, ArchitectureError)
    return validate(document, _RoutingFile, ArchitectureError).model_routing | architecture.model_routing


def _crons(architecture: Architecture, document: Document) -> tuple[list[Cron], Document]:
    """The crons, and the document that they stand in."""
    if isinstance(architecture.crons, list):
        crons = architecture.crons
    else:
        document = read_document(architecture.crons, ArchitectureError)
        crons = validate(document, _CronFile, ArchitectureError).crons
    for index, cron in enumerate(crons):
        if any(other.name == cron.name for other in crons[:index]):
            message = f"another cron is named {cron.name!r}; give this one a name of its own"
            raise document.error(ArchitectureError, message, ("crons", index, "name"))
    return crons, document


def _entries(
    architecture: Architecture, document: Document, crons: list[Cron], cron_document: Document
) -> list[_Entry]:
    """Components that name a cron take its schedule and model; a cron that none names is one itself."""
    by_name = {cron.name: cron for cron in crons}
    entries = [_Entry(c, document, ("components", n)) for n, c in enumerate(architecture.components)]
    named = {component.cron for component in architecture.components}
    for index, cron in enumerate(crons):
        if cron.name not in named:
            entries.append(_Entry(Component(name=cron.name, cron=cron.name), cron_document, ("crons", index)))
    for entry in entries:
        if entry.component.cron is not None and entry.component.cron not in by_name:
            near = did_you_mean(entry.component.cron, sorted(by_name))
            raise entry.wrong(f"there is no cron {entry.component.cron!r}{near}", "cron")
    return [replace(e, component=_complete(e.component, by_name, architecture)) for e in entries]


def _complete(component: Component, crons: dict[str, Cron], architecture: Architecture) -> Component:
    """The component with what its cron and the file's defaults say filled in; its own words win."""
    cron = crons.get(component.cron) if component.cron else None
    filled: dict[str, Any] = {}
    if cron:
        for key in ("schedule", "model", "agent", "task", "timezone", "tokens", "calibrate"):
            value = getattr(cron, key)
            if value is not None and key not in component.model_fields_set:
                filled[key] = value
    component = component.model_copy(update=filled)
    if component.tokens is None and component.calibrate is None and architecture.defaults:
        component = component.model_copy(update={"tokens": architecture.defaults})
    return component


def _check(entry: _Entry, before: list[_Entry]) -> None:
    """What only shows once the crons and defaults are in. Raises ArchitectureError."""
    component = entry.component
    if any(other.component.name == component.name for other in before):
        raise entry.wrong("another component has this name; names tell the rows of a result apart", "name")
    if (component.schedule is None) == (component.runs_per_day is None):
        raise entry.wrong("say when it runs: either schedule (a cron expression) or runs_per_day, not both")
    if (component.tokens is None) == (component.calibrate is None):
        raise entry.wrong("say what a run uses: either tokens or calibrate, not both")


def _check_plans(architecture: Architecture, document: Document) -> None:
    """A plan moves components and tasks that exist. Raises ArchitectureError."""
    components = {component.name for component in architecture.components}
    tasks = {component.task for component in architecture.components}
    tasks |= {*architecture.model_routing, "fallback"}
    for name, plan in architecture.plans.items():
        for kind, key, moved, known in (
            ("component", "components", plan.components, components),
            ("task", "model_routing", plan.model_routing, tasks),
        ):
            for what in moved:
                if what not in known:
                    message = f"there is no {kind} {what!r}{did_you_mean(what, sorted(known))}"
                    raise document.error(ArchitectureError, message, ("plans", name, key, what))


def _check_policies(entry: _Entry, routing: dict[str, str]) -> None:
    """Policies name keys of the routing, or models in full. Raises ArchitectureError."""
    for where, key in entry.component.model_keys.items():
        if key not in routing and "/" not in key:
            near = did_you_mean(key, sorted(routing))
            message = f"the routing has no key {key!r}{near}; or write a model in full, as provider/model"
            raise entry.wrong(message, *where.split("."))


def _check_chances(entry: _Entry) -> None:
    """A ttl is held against a schedule, or a Poisson rate; other runs need a stated rate. Raises ArchitectureError."""
    component = entry.component
    if component.schedule is not None or isinstance(component.runs_per_day, Poisson | LogRate):
        return
    for policy, stated in (("fresh_for", component.fresh_for), ("cache", component.cache)):
        if stated and stated.hit_rate is None:
            message = "with runs_per_day a ttl tells nothing unless runs are poisson; state a hit_rate"
            raise entry.wrong(message, policy)
