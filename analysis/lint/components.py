"""Lint components against the article's cards, context windows and prices, with what they cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from ...documents import did_you_mean
from ..findings import Finding
from ..routing.conditions import Attributes
from ..routing.resolve import FALLBACK
from ..routing.routing import RoutingConfig
from .cards import CardVerdict, OfFamily, judge, of_family
from .routing import context_window, fix_for, task_attributes, unpriced
from .rules import finding_of

if TYPE_CHECKING:
    from ...pricing.book import PriceBook

MAX_COMPARED = 1_000
"""Of the routing's tasks that one which it does not have is compared with."""


@dataclass(frozen=True)
class AssignedComponent:
    """A component on the model it runs on.

    `context_tokens` is the largest total input of a run, None where nobody stated it. `usd_per_month`
    gives its expected cost of 30 days on any model, None where that is unpriced. `pinned`: the routing had no
    say. `file`, `line` and `key` say where it stands.
    """

    name: str
    agent: str
    task: str
    model: str
    runs_per_day: Decimal
    usd_per_month: Callable[[str], Decimal | None]
    context_tokens: int | None = None
    pinned: bool = False
    file: Path | None = None
    line: int | None = None
    key: str | None = None

    def finding(self, rule: str, message: str, fix: str = "") -> Finding:
        """A finding about this component."""
        return finding_of(rule, f"{self.name}: {message}", fix, self.file, self.line, key=self.key)


def lint_components(
    components: Sequence[AssignedComponent], config: RoutingConfig, book: PriceBook | None = None
) -> list[Finding]:
    """What breaks the article's cards and matrix (and what it costs), does not fit, or has no price."""
    own = of_family(config.model_routing.values())
    tasks = [key for key in config.model_routing if key != FALLBACK][:MAX_COMPARED]
    return [finding for component in components for finding in _lint(component, config, book, own, tasks)]


def _lint(
    component: AssignedComponent, config: RoutingConfig, book: PriceBook | None, own: OfFamily, tasks: Sequence[str]
) -> Iterator[Finding]:
    model, tokens = component.model, component.context_tokens
    if not component.pinned and component.task not in config.model_routing:
        near = did_you_mean(component.task, tasks)
        yield component.finding("unknown-task", f"the routing has no task {component.task!r}: {FALLBACK} decides{near}")
    if book and model not in config.models and book.resolve(model) is None:
        yield component.finding("unpriced-model", unpriced(model, book))
    window = context_window(config, book, model)
    if window is not None and tokens is not None and tokens > window:
        message = f"its {tokens:,} context tokens do not fit the {window:,} of {model}"
        yield component.finding("context-window", message)
    for verdict in judge(_attributes(component, config), model, own):
        if verdict.rule != "card-elsewhere" or component.pinned:  # of the routing's own choices it is said once, there
            message = f"{component.task} on {model}, {_often(component.runs_per_day)}: {verdict.message}"
            costs = _costs(component, verdict, own)
            yield component.finding(verdict.rule, message + costs, fix_for(own, verdict))


def _attributes(component: AssignedComponent, config: RoutingConfig) -> Attributes:
    stated = {} if component.context_tokens is None else {"context_tokens": component.context_tokens}
    described = {name: v for name, v in task_attributes(config, component.task).items() if name != "context_tokens"}
    return {**described, "agent": component.agent, **stated}


def _often(runs_per_day: Decimal) -> str:
    return f"{runs_per_day.quantize(Decimal('0.01')).normalize():f}x per day"


def _costs(component: AssignedComponent, verdict: CardVerdict, of_family: OfFamily) -> str:
    """`: $45.00 a month, $9.00 on anthropic/claude-haiku-4-5`."""
    paid = component.usd_per_month(component.model)
    if paid is None:
        return ""
    other = of_family(verdict.instead)
    instead = component.usd_per_month(other) if other else None
    against = f", ${instead:,.2f} on {other}" if instead is not None else ""
    return f"; ${paid:,.2f} a month{against}"
