"""From naive to routed, policy by policy: what each step saves in a given order, and the split that knows no order.

The Shapley value of a policy is the mean over all orders of what it saves when it comes in. Costs add up over
components, and so do their Shapley values: each component is a game of the policies that it states, at most 2^6 exact
evaluations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import combinations, compress, product
from typing import TYPE_CHECKING

from ...money import to_usd
from ..architecture.policies import MODEL_POLICIES, POLICIES, Policy
from ..exact import total
from ..projection import WaterfallStep
from ..shapley import shapley

if TYPE_CHECKING:
    from ..architecture.model import Architecture
    from .costs import Costs
    from .plans import Plan


@dataclass(frozen=True)
class Game:
    """What one part of the whole costs under every set of its `players`: USD per day."""

    players: frozenset[Policy]
    usd_of: Callable[[frozenset[Policy]], Fraction | None]

    @cached_property
    def usd_by_set(self) -> dict[frozenset[Policy], Fraction | None]:
        """The cost under each subset of the players; None where something has no price."""
        return {chosen: self.usd_of(chosen) for chosen in _subsets(self.players)}

    @property
    def priced(self) -> bool:
        """Whether every subset has a price."""
        return None not in self.usd_by_set.values()

    def usd(self, policies: frozenset[Policy]) -> Fraction:
        """The cost under those of the policies that play here."""
        return self.usd_by_set[policies & self.players] or Fraction(0)

    @cached_property
    def saved_by_policy(self) -> dict[Policy, Fraction]:
        """What each player saves, averaged over all orders of the players."""
        order = sorted(self.players)
        costs = {chosen: self.usd(frozenset(compress(order, chosen))) for chosen in product((0, 1), repeat=len(order))}
        return {policy: -added for policy, added in zip(order, shapley(costs), strict=True)}

    def shapley(self, policy: Policy) -> Fraction:
        """What the policy saves; nothing where it does not play."""
        return self.saved_by_policy.get(policy, Fraction(0))


@dataclass(frozen=True)
class ExactStep:
    """A step in exact USD per day: the cost after it, what it saves, its Shapley value if it is a policy."""

    name: str
    usd: Fraction
    saved: Fraction
    shapley: Fraction | None = None


def waterfall(costs: Costs, naive: Plan, routed: Plan) -> list[WaterfallStep]:
    """The steps from naive to routed, as results; empty where no component states a policy."""
    order = policy_order(costs.architecture)
    if not order:
        return []
    found, before = [], None
    for step in steps(costs, naive, routed, order):
        after = to_usd(step.usd)  # differences of rounded totals add up to the last digit
        shapley = None if step.shapley is None else to_usd(step.shapley)
        found.append(
            WaterfallStep.model_validate(
                {
                    "step": step.name,
                    "expected_usd_per_day": after,
                    "saved_usd_per_day": to_usd(0 if before is None else before - after),
                    "shapley_usd_per_day": shapley,
                }
            )
        )
        before = after
    return found


def policy_order(architecture: Architecture) -> list[Policy]:
    """The policies that components state, in the order of the file, then in the default one."""
    stated = {policy for component in architecture.components for policy in component.stated}
    return [policy for policy in dict.fromkeys([*architecture.policy_order, *POLICIES]) if policy in stated]


def steps(costs: Costs, naive: Plan, routed: Plan, order: Sequence[Policy]) -> list[ExactStep]:
    """Naive, the routing's models without policies, then every policy on top of those before it, exact."""
    games, naive_usd = _games(costs, naive, routed)
    found = [ExactStep("naive", naive_usd, Fraction(0))]
    active: frozenset[Policy] = frozenset()
    found.append(_step("routing", found[-1], games, active))
    for policy in order:
        active |= {policy}
        step = _step(policy, found[-1], games, active)
        found.append(replace(step, shapley=total(game.shapley(policy) for game in games)))
    return found


def _step(name: str, before: ExactStep, games: list[Game], active: frozenset[Policy]) -> ExactStep:
    after = total(game.usd(active) for game in games)
    return ExactStep(name, after, before.usd - after)


def _games(costs: Costs, naive: Plan, routed: Plan) -> tuple[list[Game], Fraction]:
    """One game per component that has a price throughout, one for subscriptions; and what they cost naively."""
    games, naive_usd = [], costs.flat_usd_per_day(naive)
    under: dict[frozenset[Policy], Plan] = {}
    stated: frozenset[Policy] = frozenset()
    for component in costs.architecture.components:
        skipped: set[Policy] = (
            {"fresh_for"} if costs.skipping(component.name) else set()
        )  # what is skipped spawns nothing
        game = Game(
            (component.stated | skipped) & routed.policies, _component_usd(costs, routed, component.name, under)
        )
        base = costs.plan_usd_per_day(naive, costs.run_book, component.name)
        if base is not None and game.priced:
            games.append(game)
            naive_usd += base
            stated |= game.players
    limited = any(entry.included for entry in costs.book(costs.run_book).subscriptions)
    playing = stated if limited else stated & MODEL_POLICIES  # any of them changes what is beyond an allowance
    flat = Game(playing, lambda chosen: costs.flat_usd_per_day(replace(routed, policies=chosen)))
    return [*games, flat], naive_usd


def _component_usd(
    costs: Costs, plan: Plan, name: str, under: dict[frozenset[Policy], Plan]
) -> Callable[[frozenset[Policy]], Fraction | None]:
    """A component's cost by the policies of the plan; plans `under` the same ones are shared."""

    def usd_of(chosen: frozenset[Policy]) -> Fraction | None:
        if chosen not in under:
            under[chosen] = replace(plan, policies=chosen)
        return costs.plan_usd_per_day(under[chosen], costs.run_book, name)

    return usd_of


def _subsets(policies: Iterable[Policy]) -> list[frozenset[Policy]]:
    listed = sorted(policies)
    return [frozenset(chosen) for size in range(len(listed) + 1) for chosen in combinations(listed, size)]
