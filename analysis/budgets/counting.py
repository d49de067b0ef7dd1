"""Which of many scopes count a cost: looked up by what it is labelled, where a scope is no pattern."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from ...errors import CostsimError
from ..spend.query import UNATTRIBUTED
from .scopes import AnyScope, Labels, canonical, counts

if TYPE_CHECKING:
    from ...pricing.book import PriceBook

MAX_COUNTED = 500_000
"""Costs of components that are added up for scopes: 20 s of a month without draws."""


class ScopesOf:
    """Scopes by the value that they name: those that count a cost are looked up, only patterns are each asked."""

    def __init__(self, scopes: Iterable[AnyScope], book: PriceBook) -> None:
        self._named: dict[tuple[str, str], list[AnyScope]] = {}
        self._asked: list[tuple[AnyScope, Callable[[Labels], bool]]] = []
        self._known: dict[Labels, list[AnyScope]] = {}
        for scope in scopes:
            if scope == "total" or scope.is_glob or scope.pattern == UNATTRIBUTED:  # it names no single value
                self._asked.append((scope, counts(scope, book)))
                continue
            names = {scope.pattern, canonical(scope.pattern, book)} if scope.kind == "model" else {scope.pattern}
            for name in names:
                self._named.setdefault((scope.dimension, name), []).append(scope)

    def counting(self, labels: Labels) -> list[AnyScope]:
        """The scopes that count a cost with these labels."""
        if labels not in self._known:
            named = [scope for of in labels.values() for scope in self._named.get(of, ())]
            self._known[labels] = [*named, *(scope for scope, counted in self._asked if counted(labels))]
        return self._known[labels]


def check_counted(scopes: ScopesOf, costs: Iterable[Labels]) -> None:
    """Raises CostsimError where the scopes count so many costs that to add them up takes minutes."""
    counted = 0
    for labels in costs:
        counted += len(scopes.counting(labels))
        if counted > MAX_COUNTED:
            raise CostsimError(
                f"the scopes of the budgets count costs of components over {MAX_COUNTED:,} times, each for every scope "
                "that it lies in: take patterns that match fewer components, or fewer of them"
            )
