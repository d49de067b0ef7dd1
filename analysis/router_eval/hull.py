"""The non-decreasing convex hull of (cost, value) points, and its steps in order of what they pay.

One geometry serves twice: a router over queries (`evaluation`) and a routing over tasks (`allocation`). The
best a sum of independent choices can do at each price of quality is the sum of their hulls (the Minkowski
sum), and that is all hulls' steps laid end to end, steepest first. Numbers are exact: int or Fraction,
never float.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

Number = int | Fraction


class Point(NamedTuple):
    """A cost and the quality that it buys; both exact, both means per query or sums over a month."""

    cost: Fraction
    quality: Fraction


class Step(NamedTuple):
    """On the hull of choice `group`: from option `before` to option `after`, for `slope` value per cost."""

    slope: Fraction
    group: int
    before: int
    after: int


def hull_options(costs: Sequence[Number], values: Sequence[Number]) -> list[int]:
    """The options on the non-decreasing convex hull, cheapest first: indices into `costs` and `values`.

    The first is the best of the cheapest, the last the cheapest of the best; slopes fall strictly, so a
    point on a chord is left out. Of equal options the first stands. (RouterBench, arXiv:2403.12031, Sec.
    3.)
    """
    hull: list[int] = []
    for option in sorted(range(len(costs)), key=lambda i: (costs[i], -values[i], i)):
        if hull and values[option] <= values[hull[-1]]:
            continue
        while len(hull) > 1 and _under_chord(costs, values, hull[-2], hull[-1], option):
            hull.pop()
        hull.append(option)
    return hull


def _under_chord(costs: Sequence[Number], values: Sequence[Number], left: int, middle: int, right: int) -> bool:
    first = (values[middle] - values[left]) * (costs[right] - costs[middle])
    second = (values[right] - values[middle]) * (costs[middle] - costs[left])
    return first <= second


def convex_hull(points: Iterable[Point]) -> list[Point]:
    """The vertices of the non-decreasing convex hull of `points`, cheapest first."""
    known = list(points)
    return [known[i] for i in hull_options([p.cost for p in known], [p.quality for p in known])]


def steps_by_slope(groups: Sequence[tuple[Sequence[Number], Sequence[Number]]]) -> list[Step]:
    """The hull steps of every choice (its costs, its values), steepest first, then in the order of `groups`.

    Begin with each group's first hull option; after any number of whole slopes taken, the sum of the
    choices is a vertex of the hull of all combinations.
    """
    steps = [
        Step(Fraction(values[after] - values[before], costs[after] - costs[before]), group, before, after)
        for group, (costs, values) in enumerate(groups)
        for before, after in pairwise(hull_options(costs, values))
    ]
    return sorted(steps, key=lambda step: step.slope, reverse=True)  # stable: groups stay in order
