"""Large fleets: each component is drawn fewer times, and sums put these draws together anew for every trial.

Families (a component with all that it spawns and is spawned by) are independent of one another. So a trial of their
sum takes any one draw of each: block by block of trials, each family's draws are taken from another place on, all its
days and plans together. The sum of many such families has the moments of the fully drawn sum, and near enough its
quantiles, as long as no family decides them alone: those that do are drawn as often as there are trials.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..architecture.amounts import Range, Spread
from ..architecture.distributions import Floats
from .streams import generator

if TYPE_CHECKING:
    from ..architecture.component import Component, TokenProfile
    from ..architecture.model import Architecture

LARGE = 200
"""Components beyond which a fleet is large."""
DRAWN, FEW = 1_000, 250
"""How often each component of a large fleet is drawn; and one whose runs and tokens are drawn anew every day."""
FEW_DAYS = 4
"""On fewer days, these are too few draws."""
POOL = 4_096
"""Entries of the pools that its sums of runs are put together from."""
PRECISION = 0.01
"""The standard error of a sum's width, relative to it, that the fewer draws may leave: about that of 10,000 trials."""
LANES = 64
"""Into how many parts families are gathered that take their draws from the same places, so that sums are quick."""

METHOD = (
    f"The fleet has more than {LARGE} components: each is drawn {DRAWN:,} times ({FEW} times where every day is drawn "
    "anew), those that decide the width of a sum as often as there are trials, and every trial of a sum takes one draw "
    "of each; P10 and P90 of sums are within about 1% of those of drawing all of them."
)


def is_large(fleet: Architecture, trials: int) -> bool:
    """Whether drawing every component for every trial would take long, and its components are independent.

    Those whose runs are a store's forecast share the draws of it.
    """
    return len(fleet.components) > LARGE and trials > DRAWN and fleet.forecast is None


def method(fleet: Architecture, trials: int) -> str:
    """How the fleet is drawn, in a sentence; empty where it is not large."""
    return METHOD if is_large(fleet, trials) else ""


def families(components: Iterable[Component]) -> list[list[Component]]:
    """The components, those that spawn one another together, in the order of their first."""
    listed = list(components)
    root = {component.name: component.name for component in listed}

    def find(name: str) -> str:
        while root[name] != name:
            root[name] = name = root[root[name]]
        return name

    for component in listed:
        for spawn in component.spawns:
            root[find(spawn.component)] = find(component.name)
    found: dict[str, list[Component]] = {}
    for component in listed:
        found.setdefault(find(component.name), []).append(component)
    return list(found.values())


class Family(NamedTuple):
    """By whose name a component's draws are put together, that of its family's first, and how often it is drawn."""

    name: str
    draws: int


def family_of(components: Iterable[Component], days: int) -> dict[str, Family]:
    """Each component's family."""
    known = [(members, Family(members[0].name, draws_of(members, days))) for members in families(components)]
    return {member.name: family for members, family in known for member in members}


def draws_of(family: Iterable[Component], days: int) -> int:
    """How often a family of a large fleet is drawn: more often where something is drawn once for all days."""
    return DRAWN if days < FEW_DAYS or any(_drawn_once(component) for component in family) else FEW


def _drawn_once(component: Component) -> bool:
    """Whether something about it is the same on all days of a trial; sessions vary so much that they count too."""
    tokens, calibrated, escalate = component.tokens, component.calibrate, component.escalate
    return (
        component.uncertainty is not None
        or (isinstance(component.runs_per_day, Range) and component.runs_per_day.varies != "run")
        or (calibrated is not None and isinstance(calibrated.daily_usd, Spread))
        or (escalate is not None and escalate.evidence is not None)
        or (tokens is not None and (tokens.session is not None or tokens.from_usage is not None or _unknown(tokens)))
    )


def _unknown(tokens: TokenProfile) -> bool:
    return any(getattr(getattr(tokens, name), "varies", None) == "mean" for name in tokens.counted)


def spread(drawn: Floats, trials: int, family: str, seed: int) -> Floats:
    """A component's draws, (..., draws), as they are put together: (..., trials); what does not vary stays."""
    if drawn.shape[-1] == 1:
        return drawn
    total = np.zeros((*drawn.shape[:-1], trials))
    put_together(total, drawn, family, seed)
    return total


def put_together(total: Floats, drawn: Floats, family: str, seed: int, sign: int = 1) -> None:
    """Add a family's draws, (..., draws), to the sum, (..., trials); `sign` -1 takes the same ones out again."""
    draws, trials = drawn.shape[-1], total.shape[-1]
    twice = np.concatenate([drawn, drawn], axis=-1) * sign
    starts = generator(seed, f"{family}\nlarge fleet").integers(0, draws, -(-trials // draws)).tolist()
    for first, start in zip(range(0, trials, draws), starts, strict=True):
        block = total[..., first : first + draws]
        block += twice[..., start : start + block.shape[-1]]


def variance_and_kurtosis(drawn: Floats) -> Floats:
    """Of sums, (sums, …, draws), around the mean of each row: variance and excess kurtosis, (sums, 2)."""
    squared = (drawn - drawn.mean(axis=-1, keepdims=True)) ** 2
    inner = tuple(range(1, drawn.ndim))
    variance, fourth = squared.mean(axis=inner), (squared * squared).mean(axis=inner)
    kurtosis = np.divide(fourth, variance**2, out=np.full_like(variance, 3.0), where=variance > 0) - 3
    return np.stack([variance, kurtosis], axis=-1)


def dominant(moments: Mapping[str, Floats], draws: Mapping[str, int]) -> list[str]:
    """The families to draw in full: of every sum, the largest until the others leave its width known well enough.

    `moments` are variance and excess kurtosis of each family in each sum, (sums, 2), known from so many `draws`. The
    variance of a sum of independent parts with shares s of it, each known from n draws, has the relative variance sum
    of s^2 (kurtosis + 2) / n. Families may leave half of it; equal lanes of them leave 2 / LANES / n, less than that.
    """
    names = list(moments)
    variances, kurtoses = np.moveaxis(np.array([moments[name] for name in names]), -1, 0)
    totals = variances.sum(axis=0)
    shares = np.divide(variances, totals, out=np.zeros_like(variances), where=totals > 0)
    known = np.array([[draws[name]] for name in names])
    open_ = shares**2 * np.maximum(kurtoses + 2, 0) / known
    chosen: dict[str, None] = {}
    for left in open_.T:
        order = np.argsort(-left, kind="stable")
        rest = left.sum() - np.cumsum(left[order])
        enough = (2 * PRECISION) ** 2 / 2
        count = 0 if left.sum() <= enough else int(np.argmax(rest <= enough)) + 1
        chosen |= dict.fromkeys(names[n] for n in order[:count].tolist())
    return [name for name in names if name in chosen]
