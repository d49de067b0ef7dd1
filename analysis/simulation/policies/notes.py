"""What a user should know about a component's policies: exact facts, in a sentence each.

Every figure is of the plan as it is: with the other policies on, unless the sentence says otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from ....tokens import PROMPT_CLASSES
from ...architecture.escalation import in_words
from ...architecture.policies import Policy
from ...projection import PolicyNote
from .calls import Call, Costed

if TYPE_CHECKING:
    from ....pricing.book import PriceBook
    from ...architecture.model import Component
    from ..costs import Costs
    from ..plans import Plan

UNTIL_ESCALATION: frozenset[Policy] = frozenset({"batch_with", "large_context"})
"""The policies that change what a direct call on the more expensive model would cost."""


def policy_notes(costs: Costs, plan: Plan) -> list[PolicyNote]:
    """The notes on every component that states policies, under that plan."""
    return [
        note
        for component in costs.architecture.components
        if component.stated & plan.policies
        for note in _Notes(costs, plan, component).all()
    ]


@dataclass(frozen=True)
class PlannedComponent:
    """A component under a plan, and the costs to look it up in."""

    costs: Costs
    plan: Plan
    component: Component

    @property
    def costing(self) -> Costed:
        """What it costs under the plan."""
        return self.costs.planned(self.component.name, self.plan)

    @property
    def book(self) -> PriceBook:
        """The prices of the run."""
        return self.costs.book(self.costs.run_book)


class _Notes(PlannedComponent):
    def all(self) -> Iterator[PolicyNote]:
        writers = {
            "fresh_for": self._fresh,
            "batch_with": self._batch,
            "large_context": self._large,
            "escalate": self._escalate,
            "cache": self._cache,
            "retry": self._retry,
        }
        for policy, write in writers.items():
            if policy in self.component.stated & self.plan.policies:
                yield from write()

    def _note(self, policy: Policy, message: str, warns: bool = False) -> PolicyNote:
        name = self.component.name
        return PolicyNote(component=name, policy=policy, message=f"{name}: {message}", warns=warns)

    def _saved(self, policy: Policy) -> Fraction | None:
        """USD per day that the policy saves as the last one to come in; None where something has no price."""
        costs = [
            self.costs.plan_usd_per_day(
                replace(self.plan, policies=self.plan.policies - without), self.costs.run_book, self.component.name
            )
            for without in ({policy}, set())
        ]
        return None if costs[0] is None or costs[1] is None else costs[0] - costs[1]

    def _fresh(self) -> Iterator[PolicyNote]:
        runs, kept = self.costing.base.runs.per_day, self.costing.spawns.kept.per_day
        message = f"fresh_for skips {_count(runs - kept)} of {_count(runs)} runs per day"
        yield self._note("fresh_for", f"{message}, {_gain(self._saved('fresh_for'))}")

    def _batch(self) -> Iterator[PolicyNote]:
        batch = self.component.batch_with
        assert batch  # noqa: S101
        saved = self._saved("batch_with")
        message = f"{batch.tasks} runs to a spawn, {_gain(saved)}"
        crossing = self._crossing()
        if crossing is None:
            yield self._note("batch_with", message, warns=saved is not None and saved < 0)
            return
        start, tasks = crossing
        crosses = batch.tasks >= tasks
        message += (
            f"; from {tasks:,} on a spawn's mean input is in the more expensive price tier from {start:,} tokens on"
        )
        yield self._note("batch_with", message, warns=crosses or (saved is not None and saved < 0))

    def _crossing(self) -> tuple[int, int] | None:
        """The first price tier start of the plan's models, and the least tasks n whose spawn reaches it.

        n x input - (n - 1) x overhead >= start, so n >= (start - overhead) / (input - overhead).
        """
        batch, choice = self.component.batch_with, self.costing.choice
        mean = self.costing.base.profile.mean
        own = sum((amount for name, amount in mean.items() if name in PROMPT_CLASSES), Fraction(0))
        keys = [key for model in choice.models if (key := self.book.resolve(model))]
        starts = [start for key in keys for start in self.book.thresholds(key, self.component.processing)]
        overhead = Fraction(batch.overhead_tokens) if batch else Fraction(0)
        if not starts or own <= overhead:
            return None
        return min(starts), max(1, math.ceil((min(starts) - overhead) / (own - overhead)))

    def _large(self) -> Iterator[PolicyNote]:
        large, costing = self.component.large_context, self.costing
        assert large  # noqa: S101
        over = [costing.cuts[n] for call in costing.calls if call.kind == "large_context" for n in call.cuts]
        share = float(sum((cut.bracket.probability for cut in over), Fraction(0)))
        message = f"{share:.1%} of runs have more than {large.over:,} input tokens and go to"
        yield self._note("large_context", f"{message} {costing.choice.target('large_context.use')}")

    def _escalate(self) -> Iterator[PolicyNote]:
        escalate = self.component.escalate
        assert escalate  # noqa: S101
        start, to = (self.costing.choice.target(f"escalate.{where}") for where in ("start", "to"))
        rate = self.break_even()
        if rate is None:
            return
        ends = "always costs more" if rate <= 0 else "always pays" if rate >= 1 else f"pays below {float(rate):.1%}"
        message = (
            f"starting on {start} {ends} against {to} for everything; {float(escalate.chance):.1%} of runs escalate"
        )
        if escalate.evidence:
            low, high = escalate.evidence.interval
            message += f" ({in_words(escalate.evidence)})"
            message += ", and the evidence leaves open which it is" if low < rate < high else ""
        yield self._note("escalate", message, warns=escalate.chance > rate)

    def break_even(self) -> Fraction | None:
        """The chance of escalation at which starting cheap costs what the more expensive model alone costs.

        (direct call on the more expensive model - first call) / escalated call, fresh_for, cache and retry left out.
        """
        escalate, name = self.component.escalate, self.component.name
        kept = self.plan.policies & UNTIL_ESCALATION
        escalating = self.costs.planned(name, replace(self.plan, policies=kept | {"escalate"}))
        to = self.costing.choice.target("escalate.to")
        direct_plan = replace(self.plan, policies=kept, models=self.plan.models | {name: to})
        direct = self.costs.planned(name, direct_plan)
        if not (escalate and escalate.chance and escalating.priced and direct.priced):
            return None
        paid = _usd(escalating.calls, "escalated") / escalate.chance
        return (_usd(direct.calls, "first") - _usd(escalating.calls, "first")) / paid if paid else None

    def _cache(self) -> Iterator[PolicyNote]:
        cache, costing = self.component.cache, self.costing
        assert cache  # noqa: S101
        cached = [call for call in costing.calls if call.cached]
        saved, found = self._saved("cache"), _warm_share(cached)
        if found == 0:
            message = f"never finds its {cache.ttl} cache warm, so that every run writes it anew, {_gain(saved)}"
            hint = "; a ttl of 1h may hold, or leave the cache out" if cache.ttl == "5m" else "; leave the cache out"
            yield self._note("cache", message + hint, warns=True)
            return
        message = f"finds its {cache.ttl} cache warm in {float(found):.1%} of calls, {_gain(saved)}"
        yield self._note("cache", message, warns=saved is not None and saved < 0)

    def _retry(self) -> Iterator[PolicyNote]:
        retry = self.component.retry
        assert retry  # noqa: S101
        message = f"{float(retry.attempts):.4g} calls are paid for each that is made, {_gain(self._saved('retry'))}"
        yield self._note("retry", message)


def _usd(calls: tuple[Call, ...], kind: str) -> Fraction:
    return sum((call.expected_usd for call in calls if call.kind == kind), Fraction(0))


def _warm_share(calls: list[Call]) -> Fraction:
    made = sum((_count_of(call, n) for call in calls for n in (0, 1)), Fraction(0))
    warm = sum((_count_of(call, 0) for call in calls), Fraction(0))
    return warm / made if made else Fraction(0)


def _count_of(call: Call, way: int) -> Fraction:
    costing = call.ways[way].costing
    share = sum((bracket.probability for bracket in costing.brackets), Fraction(0))
    return share * sum(costing.work.runs.expected, Fraction(0))


def _count(amount: Fraction) -> str:
    return f"{float(amount):.4g}"


def _gain(saved: Fraction | None) -> str:
    if saved is None:
        return "at an unknown price"
    if not saved:
        return "which saves nothing"
    return f"which {'saves' if saved >= 0 else 'costs'} ${abs(float(saved)):,.4f} per day"
