"""Lint the policies that components state: models without a price, targets that do not help, caches never warm."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ...documents import dotted
from ..architecture.load import LoadedArchitecture
from ..findings import Finding
from ..projection import PolicyNote
from ..routing.routing import RoutingConfig
from ..simulation.costs import Costs
from ..simulation.plans import routed_plan
from ..simulation.policies.notes import PlannedComponent, policy_notes
from ..simulation.profiles import largest_input
from .routing import context_window, unpriced
from .rules import finding_of


def lint_policies(costs: Costs, config: RoutingConfig, loaded: LoadedArchitecture) -> list[Finding]:
    """What is wrong or idle in the policies of the routed plan."""
    plan = routed_plan(costs.architecture)
    notes: dict[str, list[PolicyNote]] = {}
    for note in policy_notes(costs, plan):
        notes.setdefault(note.component, []).append(note)
    return [
        finding
        for component in costs.architecture.components
        if component.stated
        for finding in _Policies(costs, plan, component, config, loaded).all(notes.get(component.name, []))
    ]


@dataclass(frozen=True)
class _Policies(PlannedComponent):
    config: RoutingConfig
    loaded: LoadedArchitecture

    def all(self, notes: list[PolicyNote]) -> Iterator[Finding]:
        yield from self._unpriced()
        yield from self._escalation()
        yield from self._large_context()
        yield from self._freshness()
        yield from self._batch()
        for note in notes:
            if note.warns:
                yield self._finding(
                    "cold-cache" if note.policy == "cache" else "losing-policy", note.message, note.policy
                )

    def _finding(self, rule: str, message: str, *where: str, fix: str = "") -> Finding:
        """At the policy where the component states it itself, else at the component (a cron's, or a default)."""
        name = self.component.name
        own = self.loaded.place_of(name) or ("components",)
        path = (*own, *where) if self._stands(*own, *where) else own
        document = self.loaded.document
        message = message if message.startswith(f"{name}: ") else f"{name}: {message}"
        return finding_of(rule, message, fix, document.file, document.line(path), key=dotted(path) or None)

    def _stands(self, *path: str | int) -> bool:
        spot: Any = self.loaded.document.data
        try:
            for part in path:
                spot = spot[part]
        except (KeyError, IndexError, TypeError):
            return False
        return True

    def _unpriced(self) -> Iterator[Finding]:
        known = self.config.model_routing
        for where, key in self.component.model_keys.items():
            if key not in known and key not in self.config.models and self.book.resolve(key) is None:
                yield self._finding("unpriced-model", unpriced(key, self.book), *where.split("."))

    def _escalation(self) -> Iterator[Finding]:
        if self.component.escalate is None:
            return
        start, to = (self.costing.choice.target(f"escalate.{where}") for where in ("start", "to"))
        if start == to:
            yield self._finding("pointless-escalation", f"escalates from {start} to {to}, the same model", "escalate")
            return
        first, second = (self.costs.usd_per_day(self.component.name, model) for model in (start, to))
        if first is not None and second is not None and second <= first:
            message = f"escalates from {start} to {to}, which costs no more for the same tokens"
            yield self._finding("pointless-escalation", message, "escalate")

    def _large_context(self) -> Iterator[Finding]:
        large = self.component.large_context
        if large is None:
            return
        model = self.costing.choice.target("large_context.use")
        window, largest = context_window(self.config, self.book, model), largest_input(self.costing.base.profile)
        runs = f"runs over {large.over:,} input tokens go to {model}"
        if not any(call.kind == "large_context" for call in self.costing.calls):
            yield self._finding("idle-policy", f"no run has more than {large.over:,} input tokens", "large_context")
        elif window is not None and large.over >= window:
            message = f"{runs}, whose window of {window:,} tokens holds none of them"
            yield self._finding("context-window", message, "large_context")
        elif window is not None and largest is not None and largest > window:
            message = f"{runs}, also those of {largest:,}, which its window of {window:,} tokens does not hold"
            yield self._finding(
                "open-ended-context", message, "large_context", fix="send fewer there, or use a larger window"
            )

    def _freshness(self) -> Iterator[Finding]:
        costing, fresh = self.costing, self.component.fresh_for
        if fresh and costing.spawns.kept.per_day == costing.base.runs.per_day:
            message = "every run finds its last result stale: fresh_for skips none"
            yield self._finding("idle-policy", message, "fresh_for")

    def _batch(self) -> Iterator[Finding]:
        batch, kept = self.component.batch_with, self.costing.spawns.kept.per_day
        if batch and 0 < kept < batch.tasks:
            days = float(Fraction(batch.tasks) / kept)
            message = f"a batch of {batch.tasks} runs gathers for {days:.1f} days, at {float(kept):.3g} runs per day"
            yield self._finding("slow-batch", message, "batch_with")
