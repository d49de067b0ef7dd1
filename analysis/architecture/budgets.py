"""Budgets as the architecture, or a file of their own, states them: what may be spent, by what, in which period."""

from __future__ import annotations

from collections import Counter
from datetime import date
from fractions import Fraction
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BeforeValidator, ConfigDict, Discriminator, Field, Tag, field_validator, model_validator

from .amounts import Amount, Named, Part

Period = Literal["run", "day", "week", "month"]
At = Literal["mean", "p50", "p90", "p99"]
Severity = Literal["fail", "warn"]
Kind = Literal[
    "agent", "component", "task", "model", "tag", "provider", "source", "processing", "session", "user", "team",
    "project", "repository", "branch",
]  # fmt: skip
KINDS: tuple[Kind, ...] = get_args(Kind)


ONE_KIND = (
    "a scope is total, or one of agent, component, task, model, provider, user, team, project, repository, branch, "
    "session, source, processing, tags.NAME, as in {agent: cto}"
)
TAGS = "tags."
MAX_BUDGETS = 20_000
"""In one file: each is a row of every report, at about a millisecond."""


class Scope(Part):
    """What a budget counts: what one agent, component, task, model, team or tag spends; a value may be a glob.

    A team, user, project, repository, branch or tag is the logged call's own, else the tag of that name of its
    component. `{tags.env: prod}` is `{tag: env=prod}`.
    """

    model_config = ConfigDict(json_schema_extra={"patternProperties": {"^tags\\..+": {"type": "string"}}})

    agent: Named | None = None
    component: Named | None = None
    task: Named | None = None
    model: Named | None = None
    provider: Named | None = None
    user: Named | None = None
    team: Named | None = None
    project: Named | None = None
    repository: Named | None = None
    branch: Named | None = None
    session: Named | None = Field(default=None, description="of logged calls")
    source: Named | None = Field(default=None, description="of logged calls: the log format")
    processing: Named | None = Field(default=None, description="of logged calls: standard, batch, flex, priority, fast")
    tag: Named | None = Field(default=None, description="team=growth; tags.team: growth says the same")

    @model_validator(mode="before")
    @classmethod
    def _named_tag(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        named = [key for key in given if isinstance(key, str) and key.startswith(TAGS) and key != TAGS]
        rest = {key: value for key, value in given.items() if key not in named}
        if len(named) > 1 or (named and "tag" in rest):
            raise ValueError(ONE_KIND)
        return rest | ({"tag": f"{named[0].removeprefix(TAGS)}={given[named[0]]}"} if named else {})

    @field_validator("tag")
    @classmethod
    def _key_and_value(cls, tag: str | None) -> str | None:
        if tag is not None and tag.find("=") < 1:
            raise ValueError("a tag is written as key=value, such as team=growth")
        return tag

    @model_validator(mode="after")
    def _one_kind(self) -> Scope:
        if sum(getattr(self, kind) is not None for kind in KINDS) != 1:
            raise ValueError(ONE_KIND)
        return self

    @property
    def kind(self) -> Kind:
        """Which one it is."""
        return next(kind for kind in KINDS if getattr(self, kind) is not None)

    @property
    def name(self) -> str:
        """Whose: the agent's name, the component's, `team=growth`."""
        return str(getattr(self, self.kind))

    @property
    def dimension(self) -> str:
        """The dimension of spend that it chooses by: `agent`, `team`, `tags.env`."""
        return TAGS + self.name.partition("=")[0] if self.kind == "tag" else self.kind

    @property
    def pattern(self) -> str:
        """What that dimension's value must be, or match as a glob."""
        return self.name.partition("=")[2] if self.kind == "tag" else self.name

    @property
    def is_glob(self) -> bool:
        """Whether it is a pattern, which may match what is still to come."""
        return any(character in self.pattern for character in "*?[")

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def _way(given: Any) -> str:
    return "|total" if isinstance(given, str) else "|scope"


def _total_or_scope(given: Any) -> Any:
    if isinstance(given, str) and given != "total":
        raise ValueError(ONE_KIND)
    return given


AnyScope = Annotated[
    Annotated[Literal["total"], Tag("|total")] | Annotated[Scope, Tag("|scope")],
    Discriminator(_way),
    BeforeValidator(_total_or_scope),
]


class BudgetException(Part):
    """Until that day, included, the limit is `usd`, or `raise_percent` percent higher; the reason is always said."""

    until: date
    reason: str = Field(min_length=1)
    usd: Amount | None = None
    raise_percent: Annotated[Amount, Field(gt=0, le=10**6)] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> BudgetException:
        if (self.usd is None) == (self.raise_percent is None):
            raise ValueError("say the limit until then: either usd or raise_percent, not both")
        return self

    def limit_usd(self, limit_usd: Fraction) -> Fraction:
        """What the limit is while the exception holds, where it is `limit_usd` otherwise."""
        if self.usd is not None:
            return Fraction(self.usd)
        return limit_usd * (1 + Fraction(self.raise_percent or 0) / 100)


class Budget(Part):
    """A limit on what a scope spends in a period: breached where the cost at `at` is beyond it.

    `percent_of_last_period` is of what the logs say that the period before cost. An expired budget is no longer
    enforced, which is said as a warning; an expired exception no longer excuses, which is said too.
    """

    name: str = Field(min_length=1, max_length=200)
    scope: AnyScope = "total"
    period: Period = Field(
        default="month",
        description="of a day, a week (Monday to Sunday) or a month; or one run",
    )
    with_spawned: bool = Field(default=False, description="of one run: with all that it spawns, directly or not")
    usd: Amount | None = Field(default=None, description="the limit")
    percent_of_last_period: Annotated[Amount, Field(gt=0, le=10**6)] | None = None
    at: At = Field(default="p90", description="the figure compared with the limit: p90 is exceeded 1 time in 10")
    severity: Severity = Field(default="fail", description="whether a breach fails the check, or warns")
    owner: str | None = Field(default=None, description="who answers for it")
    expires: date | None = Field(default=None, description="the last day on which it is enforced")
    exceptions: list[BudgetException] = Field(default=[])
    note: str = ""

    @model_validator(mode="after")
    def _one_limit(self) -> Self:
        if (self.usd is None) == (self.percent_of_last_period is None):
            raise ValueError("a budget needs its limit: either usd or percent_of_last_period, not both")
        if self.with_spawned and self.period != "run":
            raise ValueError("with_spawned is of one run; write period: run")
        if self.percent_of_last_period is not None and self.period == "run":
            raise ValueError("a run has no period before it; give the limit of a run in usd")
        return self

    def enforced(self, today: date) -> bool:
        """Whether the budget has not expired."""
        return self.expires is None or today <= self.expires

    def exception(self, limit_usd: Fraction, today: date) -> BudgetException | None:
        """The exception that holds today and allows most, if it allows more than the limit."""
        holding = [entry for entry in self.exceptions if today <= entry.until]
        best = max(holding, key=lambda entry: entry.limit_usd(limit_usd), default=None)
        return best if best and best.limit_usd(limit_usd) > limit_usd else None


def unique_names(budgets: list[Budget]) -> list[Budget]:
    """The budgets as they are. Raises ValueError where two have one name, or they are too many."""
    if len(budgets) > MAX_BUDGETS:
        raise ValueError(f"{len(budgets):,} budgets are too many: at most {MAX_BUDGETS:,} in one file")
    count = Counter(budget.name for budget in budgets)
    twice = next((name for name, times in count.items() if times > 1), None)
    if twice:
        raise ValueError(f"two budgets are named {twice!r}; give each a name of its own")
    return budgets


class BudgetFile(Part):
    """A file with budgets only."""

    budgets: list[Budget] = Field(min_length=1)

    _unique = field_validator("budgets")(unique_names)
