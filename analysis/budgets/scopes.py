"""What lies in a budget's scope, and whether a scope names something that there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from ...documents import Document, KeyPath, did_you_mean, read_document, validate
from ...errors import ArchitectureError
from ..architecture.budgets import KINDS, Budget, BudgetFile, Kind, Scope

if TYPE_CHECKING:
    from ...pricing.book import PriceBook
    from ..architecture.model import Architecture

AnyScope = Literal["total"] | Scope


class Labels(NamedTuple):
    """Whose a cost is. `model` is the priced name where there is one (see `canonical`); `tags` are `team=growth`."""

    component: str
    agent: str
    task: str
    model: str
    tags: frozenset[str] = frozenset()


def tags_of(tags: Mapping[str, str]) -> frozenset[str]:
    """Tags as scopes name them: `team=growth`."""
    return frozenset(f"{key}={value}" for key, value in tags.items())


def canonical(model: str, book: PriceBook) -> str:
    """The model's name in the price book, `provider/model`; as it is where the book does not know it."""
    key = book.resolve(model)
    return str(key) if key else model


def in_scope(scope: AnyScope, labels: Labels, book: PriceBook) -> bool:
    """Whether the scope counts a cost with these labels."""
    if scope == "total":
        return True
    if scope.tag is not None:
        return scope.tag in labels.tags
    if scope.model is not None:
        return labels.model == canonical(scope.model, book)
    return bool(getattr(labels, scope.kind) == scope.name)


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


def check_names(stated: Sequence[StatedBudget], known: Mapping[Kind, set[str]], book: PriceBook) -> None:
    """Every scope names something that there is. Raises ArchitectureError: file, line, key, what was meant.

    A model needs only a price: a limit on a model that nothing uses keeps it so.
    """
    for entry in stated:
        scope = entry.budget.scope
        if scope == "total" or scope.name in known[scope.kind]:
            continue
        if scope.kind == "model" and (book.resolve(scope.name) or canonical(scope.name, book) in known["model"]):
            continue
        message = f"there is no {scope.kind} {scope.name!r}{did_you_mean(scope.name, sorted(known[scope.kind]))}"
        raise entry.document.error(ArchitectureError, message, (*entry.path, "scope", scope.kind))


def known_names(labels: Sequence[Labels]) -> dict[Kind, set[str]]:
    """The names that scopes may use, by kind."""
    known: dict[Kind, set[str]] = {kind: set() for kind in KINDS}
    for entry in labels:
        for kind in KINDS:
            if kind != "tag":
                known[kind].add(getattr(entry, kind))
        known["tag"] |= entry.tags
    return {kind: names - {""} for kind, names in known.items()}
