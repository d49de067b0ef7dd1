"""What lies in a budget's scope, and whether a scope names something that there is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from ...documents import Document, did_you_mean, read_document, validate
from ...errors import ArchitectureError
from ...usage.tags import TAG
from ...yaml_nodes import KeyPath
from ..architecture.budgets import Budget, BudgetFile, Scope
from ..spend.query import UNATTRIBUTED, Filter

if TYPE_CHECKING:
    from ...pricing.book import PriceBook
    from ..architecture.model import Architecture

AnyScope = Literal["total"] | Scope


class Labels(NamedTuple):
    """Whose a cost is. `model` is the priced name where there is one (see `canonical`); `tags` are `team=growth`.

    `own` is what a logged call itself says, by dimension (`team`, `tags.env`), as pairs.
    """

    component: str
    agent: str
    task: str
    model: str
    tags: frozenset[str] = frozenset()
    own: tuple[tuple[str, str], ...] = ()

    def of(self, dimension: str) -> str:
        """The value of a dimension: the call's own, else the component's tag of that name, else `unattributed`."""
        if dimension in NAMED:
            return str(getattr(self, dimension))
        if dimension == "provider":
            return self.model.partition("/")[0] if "/" in self.model else ""
        own = dict(self.own).get(dimension, UNATTRIBUTED)
        if own != UNATTRIBUTED:
            return own
        name = dimension.removeprefix(TAG)
        return next((tag.partition("=")[2] for tag in self.tags if tag.partition("=")[0] == name), UNATTRIBUTED)

    def values(self) -> Iterator[tuple[str, str]]:
        """Each dimension in which it has a value, with it; of all others it is `unattributed`."""
        tags = [tag.partition("=")[0] for tag in self.tags]
        own = [name for name, _ in self.own]
        for dimension in dict.fromkeys((*NAMED, "provider", *own, *tags, *(TAG + name for name in tags))):
            yield dimension, self.of(dimension)


NAMED = ("component", "agent", "task", "model")


def tags_of(tags: Mapping[str, str]) -> frozenset[str]:
    """Tags as scopes name them: `team=growth`."""
    return frozenset(f"{key}={value}" for key, value in tags.items())


def of_calls(stated: Sequence[StatedBudget]) -> tuple[str, ...]:
    """The dimensions that the budgets' scopes ask of the logged calls, beside those that every sum has."""
    asked = (entry.budget.scope.dimension for entry in stated if entry.budget.scope != "total")
    return tuple(dict.fromkeys(name for name in asked if name not in (*NAMED, "provider")))


def canonical(model: str, book: PriceBook) -> str:
    """The model's name in the price book, `provider/model`; as it is where the book does not know it."""
    key = book.resolve(model)
    return str(key) if key else model


def in_scope(scope: AnyScope, labels: Labels, book: PriceBook) -> bool:
    """Whether the scope counts a cost with these labels."""
    return counts(scope, book)(labels)


def counts(scope: AnyScope, book: PriceBook) -> Callable[[Labels], bool]:
    """As `in_scope`, for many labels."""
    if scope == "total":
        return lambda _: True
    model = canonical(scope.pattern, book) if scope.kind == "model" else None
    dimension, condition = scope.dimension, Filter(scope.dimension, scope.pattern)
    return lambda labels: (model is not None and labels.model == model) or condition.holds(labels.of(dimension))


@dataclass(frozen=True)
class StatedBudget:
    """A budget, and where it stands."""

    budget: Budget
    document: Document = field(repr=False)
    path: KeyPath

    @property
    def line(self) -> int | None:
        """The line of the entry, where the format has it."""
        return self.document.line(self.path)


def read_budgets(file: Path) -> list[StatedBudget]:
    """The budgets in a file that has only these. Raises ArchitectureError."""
    document = read_document(file, ArchitectureError)
    budgets = validate(document, BudgetFile, ArchitectureError).budgets
    return [StatedBudget(budget, document, ("budgets", n)) for n, budget in enumerate(budgets)]


def stated_budgets(architecture: Architecture, document: Document) -> list[StatedBudget]:
    """The budgets of an architecture: its own, or those of the file that it names. Raises ArchitectureError."""
    if isinstance(architecture.budgets, Path):
        return read_budgets(architecture.budgets)
    return [StatedBudget(budget, document, ("budgets", n)) for n, budget in enumerate(architecture.budgets)]


def check_names(
    stated: Sequence[StatedBudget], known: Mapping[str, set[str]], book: PriceBook, *, logs_read: bool
) -> None:
    """Every scope names something that there is. Raises ArchitectureError: file, line, key, what was meant.

    A model needs only a price: a limit on a model that nothing uses keeps it so. A glob may match what is to come.
    """
    for entry in stated:
        scope = entry.budget.scope
        if scope == "total" or scope.is_glob:
            continue
        names = known.get(scope.dimension, set())
        if scope.pattern in names or scope.pattern == UNATTRIBUTED:
            continue
        if scope.kind == "model" and (book.resolve(scope.name) or canonical(scope.name, book) in names):
            continue
        if not names and not logs_read and scope.kind not in NAMED:
            continue  # only logs can know it
        message = f"there is no {scope.kind} {scope.name!r}{did_you_mean(scope.name, _as_written(scope, names))}"
        raise entry.document.error(ArchitectureError, message, (*entry.path, "scope", scope.kind))


def _as_written(scope: Scope, names: Collection[str]) -> list[str]:
    key = scope.name.partition("=")[0]
    return sorted(f"{key}={name}" if scope.kind == "tag" else name for name in names)


def known_names(labels: Sequence[Labels], stated: Sequence[StatedBudget]) -> dict[str, set[str]]:
    """The names that the scopes of these budgets may use, by dimension."""
    found: dict[str, set[str]] = {name: set() for name in (*NAMED, "provider", *of_calls(stated))}
    for entry in labels:
        for name, value in entry.values():
            if name in found and value not in ("", UNATTRIBUTED):
                found[name].add(value)
    return found
