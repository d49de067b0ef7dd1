"""A component of the architecture file, or a cron: when it runs, what a run uses, how that is known."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from ...documents import Document
from ...named_files import beside, is_beside
from ...pricing.book import SHIPPED
from .amounts import Amount, DailyUsd, LogRate, Named, Part, RunsPerDay, Spread, Tokens
from .growth import Growth
from .policies import Policies, named_file
from .schedule import parse_cron, time_zone
from .session import Session
from .spawn import Spawn


def folder_of(info: ValidationInfo) -> Path:
    """The folder of the file that is read; the working folder where none is."""
    document: Document | None = (info.context or {}).get("document")
    return document.file.parent if document else Path()


def _book(given: Any, info: ValidationInfo) -> Any:
    """A shipped book's name, or a book's file beside the architecture. Raises ValueError where it is neither."""
    document: Document | None = (info.context or {}).get("document")
    if not isinstance(given, str) or given in ("list", *SHIPPED) or document is None:
        return given
    is_path = Path(given).suffix or len(Path(given).parts) > 1
    if not is_path and not is_beside(document.file.parent, given):
        raise ValueError(f"this is not a price book; the books are list, {', '.join(SHIPPED)}, or a file")
    return str(beside(document.file.parent, given, needed=False))


BookName = Annotated[str, BeforeValidator(_book)]


class FromUsage(Part):
    """Tokens as a log has them: every run draws one logged session, its calls together, or one call.

    `by` says which: sessions where the source has them (calls without one are each a run), else calls. Rates and
    schedules count such runs.

    Either a `file`, CSV, JSONL or Parquet, whose `columns` map costsim's names (`ts`, `input`, `output`,
    `cache_read`, …) to its own (`input_includes_cached` says whether its input figure counts cached tokens too);
    or a `store` that `costsim load` has filled, and `where` its fields (component, agent, task, model) are these,
    of the days (UTC) from `since` to `until`, both included.
    """

    file: Path | None = None
    columns: dict[str, str] = Field(default={})
    input_includes_cached: bool = False
    store: Path | None = None
    where: dict[Literal["component", "agent", "task", "provider", "model", "source"], str] = Field(default={})
    since: date | None = None
    until: date | None = None
    by: Literal["session", "call"] | None = Field(
        default=None, description="what a run is; default: session where the source has sessions, else call"
    )

    @field_validator("file", "store", mode="before")
    @classmethod
    def _beside_the_architecture(cls, given: Any, info: ValidationInfo) -> Any:
        return named_file(given, info)

    @model_validator(mode="after")
    def _one_source(self) -> FromUsage:
        if (self.file is None) == (self.store is None):
            raise ValueError("name either the file of a log or a store")
        if self.file and (self.since or self.until):
            raise ValueError("since and until are of a store")
        if self.by == "session" and self.file and "session" not in self.columns:
            raise ValueError("by: session needs columns: {session: …}, the file's column of session ids")
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
    input_audio: Tokens = Field(default=Decimal(0), description="beside `input`; so are the five below beside theirs")
    input_image: Tokens = Decimal(0)
    cache_read_audio: Tokens = Decimal(0)
    cache_read_image: Tokens = Decimal(0)
    output_audio: Tokens = Decimal(0)
    output_image: Tokens = Decimal(0)
    from_usage: FromUsage | None = None
    session: Session | None = Field(default=None, description="a run of several turns whose context grows")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        self._not_both()
        if not self.from_usage and not self.session and not self.counted:
            raise ValueError("no token count is given; write at least input and output")
        return self

    def _not_both(self) -> None:
        if self.from_usage and self.counted:
            raise ValueError("give either from_usage or token counts, not both")
        if self.session and (self.counted or self.from_usage):
            raise ValueError("give either a session or tokens of a run, not both")

    @property
    def counted(self) -> list[str]:
        """The token classes that the file gives, in the order of every array."""
        return [name for name in TokenProfile.model_fields if name in self.model_fields_set - {"from_usage", "session"}]


class Calibrate(Part):
    """Solve for a run's tokens from a known daily cost: output = cost / (ratio x input price + output price).

    `daily_usd` is the cost of a day on which the component runs; a range is what we do not know about its
    mean. Prices are those of `book` at the run's start, for `model` (default: the model that routing gives).
    """

    daily_usd: DailyUsd
    input_per_output: Annotated[Amount, Field(le=10**6, description="input tokens per output token")]
    book: BookName = "list"
    model: Named | None = None


class Defaults(TokenProfile, Policies):
    """Tokens and policies of every component that does not set them itself.

    To opt out of a policy stated here, a component writes `cache: null`.
    """

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        self._not_both()
        if not self.model_fields_set:
            raise ValueError("say tokens, such as input and output, or policies")
        return self

    @property
    def profile(self) -> TokenProfile | None:
        """The tokens, if it says any."""
        said = {name: getattr(self, name) for name in TokenProfile.model_fields if name in self.model_fields_set}
        return TokenProfile.model_construct(**said) if said else None


class Cron(Policies):
    """An entry of a `crons:` list, as the article writes it; further keys, policies too, as in a component."""

    name: str = Field(min_length=1, max_length=200)
    schedule: str
    model: Named | None = None
    agent: Named | None = None
    task: Named | None = None
    timezone: str | None = None
    tokens: TokenProfile | None = None
    session: Session | None = None
    calibrate: Calibrate | None = None

    @field_validator("schedule")
    @classmethod
    def _is_cron(cls, schedule: str) -> str:
        return parse_cron(schedule)

    @field_validator("timezone")
    @classmethod
    def _is_zone(cls, name: str | None) -> str | None:
        return name if name is None else time_zone(name).key


UNKNOWN_FACTOR = (
    "an unknown factor on its cost, drawn once per trial; its mean is in the expected cost: {low: 1, high: 3} doubles "
    "it, {low: 0.7, high: 1.3} leaves it"
)
SLOW = ("batch", "flex")
"""Processing whose answers may take hours."""


class Component(Policies):
    """One recurring piece of work: who does it, what kind of task it is, when it runs, what a run uses."""

    name: str = Field(min_length=1, max_length=200)
    agent: Named = "unassigned"
    task: Named = Field(default="fallback", description="the key of the routing that picks the model")
    model: Named | None = Field(default=None, description="pins the model, whatever the routing says")
    processing: Literal["standard", "batch", "flex", "priority", "fast"] = "standard"
    cron: Named | None = Field(default=None, description="takes schedule and model from the cron of this name")
    schedule: str | None = Field(default=None, description="a cron expression")
    timezone: str | None = None
    runs_per_day: RunsPerDay | None = None
    weekdays_only: bool = False
    start: date | None = None
    end: date | None = Field(default=None, description="the last day on which it runs")
    tokens: TokenProfile | None = None
    session: Session | None = Field(default=None, description="instead of tokens: a run of several turns")
    calibrate: Calibrate | None = None
    uncertainty: Spread | None = Field(
        default=None,
        description=UNKNOWN_FACTOR,
    )
    growth: Growth | None = None
    spawns: list[Spawn] = Field(default=[], description="components that its runs spawn")
    interactive: bool = Field(default=False, description="people wait for its answers: never batch, never flex")
    needs: list[Literal["tools", "images"]] = Field(default=[], description="what its model must be able to take")
    tags: dict[str, str] = Field(default={}, description="words to budget by, such as {team: growth}")
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
        slow = "batch_with" if self.batch_with else f"processing: {self.processing}"
        if self.interactive and (self.batch_with or self.processing in SLOW):
            raise ValueError(f"interactive: true says that people wait, but {slow} lets them wait for hours")
        if self.session and (self.tokens or self.calibrate):
            raise ValueError("say what a run uses: either tokens or calibrate, or a session")
        if isinstance(self.runs_per_day, LogRate) and not (self.tokens and self.tokens.from_usage):
            raise ValueError("runs_per_day.from_usage needs tokens.from_usage, the log whose calls it counts")
        if self.uncertainty and self.calibrate and isinstance(self.calibrate.daily_usd, Spread):
            raise ValueError("calibrate.daily_usd is a range already; leave out uncertainty")
        return self
