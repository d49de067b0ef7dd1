"""Routers measured as the field measures them: RouterBench's cost-quality plane and RouteLLM's gap recovered.

RouterBench: Hu et al. (2024), arXiv:2403.12031. RouteLLM: Ong et al. (2024), arXiv:2406.18665. All
arithmetic is exact (Fraction); results are rounded to 12 places where they are handed on.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import accumulate, groupby, pairwise
from math import floor, lcm
from typing import Literal

from ...errors import InputError
from ...money import to_usd
from ..result import Result, Usd
from .hull import Point, convex_hull, hull_options, steps_by_slope
from .query_tables import BenchTable, PairTable

Ratio = Usd
"""A share or a quality: exact like money, and in JSON a string of plain digits like it."""

STEPS = 10
SHOWN_POINTS = 101


class CurvePoint(Result):
    """Mean cost and mean quality per query."""

    cost: Ratio
    quality: Ratio


class ModelMean(CurvePoint):
    """A model answering every query; `on_hull` where no mix of other models gives as much for as little."""

    model: str
    on_hull: bool


class RouterScore(Result):
    """One router: its non-decreasing hull (at most 101 of its points) and its figures.

    `aiq` and `aiq_over_zero` (less the zero router's) are mean qualities over the cost range. APGR and CPT
    are RouteLLM's, null in RouterBench's form; `cpt_50` is null where the router never recovers half of the
    gap.
    """

    router: Literal["zero", "random", "score", "oracle"]
    message: str
    hull: list[CurvePoint]
    aiq: Ratio
    aiq_over_zero: Ratio
    apgr: Ratio | None = None
    cpt_50: Ratio | None = None
    cpt_80: Ratio | None = None


class Evaluation(Result):
    """What `costsim evaluate` computes: costs in USD per query, or shares of calls to the strong model."""

    form: Literal["routellm", "routerbench"]
    cost_unit: Literal["strong_call_share", "usd_per_query"]
    queries: int
    cost_min: Ratio
    cost_max: Ratio
    models: list[ModelMean]
    routers: list[RouterScore]


def evaluate(table: PairTable | BenchTable) -> Evaluation:
    """The models, the built-in routers and, where the table has scores, its router; worst guess first.

    Raises InputError where the figures are not defined: the strong model no better, or all costs the same.
    """
    return _evaluate_pair(table) if isinstance(table, PairTable) else _evaluate_bench(table)


def interpolate(first: Point, second: Point, share: Fraction) -> Point:
    """The router that sends `share` of the queries to `first` and the others to `second`, in expectation.

    E[c] = t·c₁ + (1-t)·c₂, E[q] = t·q₁ + (1-t)·q₂      (RouterBench Sec. 3, linear interpolation)
    """
    rest = 1 - share
    return Point(share * first.cost + rest * second.cost, share * first.quality + rest * second.quality)


def quality_at(curve: Sequence[Point], cost: Fraction) -> Fraction:
    """The quality that a budget of `cost` per query buys on `curve` (costs ascending).

    Between points by interpolation; beyond the most expensive point money buys nothing; below the cheapest one some
    queries go unanswered: cost 0, quality 0, the null router (RouterBench Sec. 3, extrapolation).
    """
    if cost >= curve[-1].cost:
        return curve[-1].quality
    right = next(i for i, point in enumerate(curve) if point.cost > cost)
    below, above = curve[right - 1] if right else Point(Fraction(0), Fraction(0)), curve[right]
    return interpolate(above, below, (cost - below.cost) / (above.cost - below.cost)).quality


def aiq(curve: Sequence[Point], cost_min: Fraction, cost_max: Fraction) -> Fraction:
    """Average improvement in quality: the mean of the non-decreasing convex hull R̃ of `curve` over the costs.

    AIQ = 1/(c_max - c_min) · ∫ R̃(c) dc from c_min to c_max      (RouterBench Sec. 3)
    """
    return _mean_height(convex_hull(curve), cost_min, cost_max)


def _mean_height(hull: Sequence[Point], cost_min: Fraction, cost_max: Fraction) -> Fraction:
    inside = [point for point in hull if cost_min < point.cost < cost_max]
    first, last = (Point(cost, quality_at(hull, cost)) for cost in (cost_min, cost_max))
    return _area([first, *inside, last]) / (cost_max - cost_min)


def _area(curve: Iterable[Point]) -> Fraction:
    """The area under a piecewise linear curve, which the trapezoid rule gives exactly."""
    pieces = ((b.cost - a.cost) * (a.quality + b.quality) / 2 for a, b in pairwise(curve))
    return sum(pieces, Fraction(0))


def pgr(quality: Fraction, weak: Fraction, strong: Fraction) -> Fraction:
    """Performance gap recovered: (r(router) - r(weak)) / (r(strong) - r(weak)). (RouteLLM Sec. 2.2)"""
    return (quality - weak) / (strong - weak)


def apgr(curve: Sequence[Point], weak: Fraction, strong: Fraction) -> Fraction:
    """Average performance gap recovered: the mean of PGR over the share of calls to the strong model.

        APGR = ∫ PGR dc over 0..1      (RouteLLM Sec. 2.2)

    By the trapezoid rule over the points of `curve`, as in its published evaluation code
    (routellm/evals/evaluate.py); the paper's own sum of ten PGRs differs from that by half a step.
    """
    gap = [Point(share, pgr(quality, weak, strong)) for share, quality in curve]
    return _area(gap) / (curve[-1].cost - curve[0].cost)


def cpt(curve: Sequence[Point], target: Fraction, weak: Fraction, strong: Fraction) -> Fraction | None:
    """Call-performance threshold: the least share of strong calls at which PGR reaches `target`.

    RouteLLM Sec. 2.2. Interpolated between the points of `curve` (shares ascending); None where it never
    gets there.
    """
    wanted = weak + target * (strong - weak)
    if curve[0].quality >= wanted:
        return curve[0].cost
    for below, above in pairwise(curve):
        if above.quality >= wanted:
            share = (wanted - below.quality) / (above.quality - below.quality)
            return interpolate(above, below, share).cost
    return None


def oracle_curve(table: PairTable, steps: int = STEPS) -> list[Point]:
    """The best that a share of strong calls can do: they go where only the strong model is right.

    Shares 0, 1/steps … 1, as RouteLLM's benchmarks draw their optimum: past those questions quality stays
    level, since an oracle need not call the strong model where it would spoil a right answer.
    """
    questions, weak = len(table.weak_ok), sum(table.weak_ok)
    only_strong = sum(s and not w for w, s in zip(table.weak_ok, table.strong_ok, strict=True))
    shares = [Fraction(i, steps) for i in range(steps + 1)]
    return [Point(share, (weak + min(share * questions, Fraction(only_strong))) / questions) for share in shares]


def random_curve(table: PairTable, steps: int = STEPS) -> list[Point]:
    """A coin that sends a share of the questions to the strong model, in expectation: the straight line."""
    weak, strong = _accuracies(table)
    ends = Point(Fraction(0), weak), Point(Fraction(1), strong)
    return [interpolate(ends[1], ends[0], Fraction(i, steps)) for i in range(steps + 1)]


def threshold_curve(table: PairTable, scores: Sequence[Fraction], steps: int = STEPS) -> list[Point]:
    """A router that is strong where its score reaches a threshold, swept over `steps` quantiles.

    The thresholds are the scores' quantiles 0, 1/steps … 1 (linear), at and above the threshold is strong,
    except at the last, which is all weak: the bins of RouteLLM's benchmarks. Tied scores move together.
    """
    order = sorted(range(len(scores)), key=lambda i: scores[i])
    ranked = [scores[i] for i in order]
    weak_below = [0, *accumulate(table.weak_ok[i] for i in order)]
    strong_below = [0, *accumulate(table.strong_ok[i] for i in order)]
    points = []
    for step in range(steps + 1):
        threshold = _quantile(ranked, Fraction(step, steps))
        cut = bisect_right(ranked, threshold) if step == steps else bisect_left(ranked, threshold)
        right = weak_below[cut] + strong_below[-1] - strong_below[cut]
        points.append(Point(Fraction(len(order) - cut, len(order)), Fraction(right, len(order))))
    return sorted(set(points))


def _quantile(ranked: Sequence[Fraction], share: Fraction) -> Fraction:
    place = share * (len(ranked) - 1)
    low = floor(place)
    high = min(low + 1, len(ranked) - 1)
    return ranked[low] + (place - low) * (ranked[high] - ranked[low])


def _accuracies(table: PairTable) -> tuple[Fraction, Fraction]:
    questions = len(table.weak_ok)
    return Fraction(sum(table.weak_ok), questions), Fraction(sum(table.strong_ok), questions)


def _evaluate_pair(table: PairTable) -> Evaluation:
    weak, strong = _accuracies(table)
    if strong <= weak:
        raise InputError("strong_ok is right no more often than weak_ok, so there is no gap to recover; swapped?")
    curves: list[tuple[Literal["random", "score", "oracle"], str, list[Point]]] = [
        ("random", "a coin decides", random_curve(table)),
        ("oracle", "knows every outcome", oracle_curve(table)),
    ]
    if table.scores is not None:
        curves.insert(1, ("score", "strong where the score is high", threshold_curve(table, table.scores)))
    span = Fraction(0), Fraction(1)
    zero = aiq(curves[0][2], *span)
    ends = {"weak": Point(span[0], weak), "strong": Point(span[1], strong)}
    routers = [
        _score(name, message, curve, span, zero).model_copy(
            update={
                "apgr": to_usd(apgr(curve, weak, strong)),
                "cpt_50": _rounded(cpt(curve, Fraction(1, 2), weak, strong)),
                "cpt_80": _rounded(cpt(curve, Fraction(4, 5), weak, strong)),
            }
        )
        for name, message, curve in curves
    ]
    return _evaluation("routellm", len(table.weak_ok), span, ends, routers)


def _rounded(value: Fraction | None) -> Ratio | None:
    return None if value is None else to_usd(value)


def model_means(table: BenchTable) -> dict[str, Point]:
    """Each model answering every query: its mean cost (USD) and mean quality."""
    (costs, cost_unit), (qualities, quality_unit) = _whole(table.costs), _whole(table.qualities)
    queries = len(table.queries)
    sums = zip(zip(*costs, strict=True), zip(*qualities, strict=True), strict=True)
    points = [Point(Fraction(sum(c), cost_unit * queries), Fraction(sum(q), quality_unit * queries)) for c, q in sums]
    return dict(zip(table.models, points, strict=True))


def zero_router(means: Mapping[str, Point]) -> list[Point]:
    """The router that knows nothing: a mix of models by a coin, the hull of their means.

    A router is worth its work only above this. (RouterBench Sec. 3, zero router)
    """
    return convex_hull(means.values())


def oracle_router(table: BenchTable) -> list[Point]:
    """Knows what each model would answer and cost: the hull of all routers, exact (sum of queries' hulls)."""
    return _sweep(table, _whole(table.costs)[0], _whole(table.qualities)[0])


def score_router(table: BenchTable, scores: Sequence[Sequence[Fraction]]) -> list[Point]:
    """Each query to the model with the greatest λ·score - cost, swept over all λ from 0 (willingness to pay).

    The cost that it decides by is the model's mean (a call's own is not known before it); the curve is what
    those decisions really cost and earned. (RouterBench Sec. 4, predictive routers)
    """
    costs, _ = _whole(table.costs)
    totals = [sum(column) for column in zip(*costs, strict=True)]
    return _sweep(table, [totals] * len(costs), _whole(scores)[0])


def _whole(rows: Sequence[Sequence[Fraction]]) -> tuple[list[list[int]], int]:
    """The numbers over their common denominator, and that: whole numbers add many times faster."""
    unit = lcm(*(number.denominator for row in rows for number in row))
    return [[number.numerator * (unit // number.denominator) for number in row] for row in rows], unit


def _sweep(table: BenchTable, decided_by: Sequence[Sequence[int]], worth: Sequence[Sequence[int]]) -> list[Point]:
    """What decisions cost and earned: from each query's cheapest model on, a point per slope of worth per cost."""
    (costs, cost_unit), (qualities, quality_unit) = _whole(table.costs), _whole(table.qualities)
    queries = len(table.queries)
    first = [hull_options(*pair)[0] for pair in zip(decided_by, worth, strict=True)]
    cost = sum(row[i] for row, i in zip(costs, first, strict=True))
    quality = sum(row[i] for row, i in zip(qualities, first, strict=True))
    sums = [(cost, quality)]
    for _, steps in groupby(steps_by_slope(list(zip(decided_by, worth, strict=True))), lambda step: step.slope):
        for step in steps:
            cost += costs[step.group][step.after] - costs[step.group][step.before]
            quality += qualities[step.group][step.after] - qualities[step.group][step.before]
        sums.append((cost, quality))
    return [Point(Fraction(c, cost_unit * queries), Fraction(q, quality_unit * queries)) for c, q in sums]


def _evaluate_bench(table: BenchTable) -> Evaluation:
    means = model_means(table)
    costs = [point.cost for point in means.values()]
    span = min(costs), max(costs)
    if span[0] == span[1]:
        raise InputError("all models cost the same on average: there is no trade of cost for quality")
    zero = zero_router(means)
    base = aiq(zero, *span)
    routers = [_score("zero", "mixes models by a coin", zero, span, base)]
    if table.scores is not None:
        curve = score_router(table, table.scores)
        routers.append(_score("score", "the greatest λ·score - mean cost", curve, span, base))
    routers.append(_score("oracle", "knows every outcome", oracle_router(table), span, base))
    return _evaluation("routerbench", len(table.queries), span, means, routers)


def _score(
    name: Literal["zero", "random", "score", "oracle"],
    message: str,
    curve: Sequence[Point],
    span: tuple[Fraction, Fraction],
    zero: Fraction,
) -> RouterScore:
    hull = convex_hull(curve)
    mean = _mean_height(hull, *span)
    shown = [CurvePoint(cost=to_usd(p.cost), quality=to_usd(p.quality)) for p in _thinned(hull)]
    return RouterScore(router=name, message=message, hull=shown, aiq=to_usd(mean), aiq_over_zero=to_usd(mean - zero))


def _thinned(points: list[Point]) -> list[Point]:
    """At most 101 of the points, both ends kept: enough for a picture, small in a report."""
    if len(points) <= SHOWN_POINTS:
        return points
    return [points[i * (len(points) - 1) // (SHOWN_POINTS - 1)] for i in range(SHOWN_POINTS)]


def _evaluation(
    form: Literal["routellm", "routerbench"],
    queries: int,
    span: tuple[Fraction, Fraction],
    means: dict[str, Point],
    routers: list[RouterScore],
) -> Evaluation:
    hull = set(convex_hull(means.values()))
    models = [
        ModelMean(model=model, cost=to_usd(point.cost), quality=to_usd(point.quality), on_hull=point in hull)
        for model, point in means.items()
    ]
    return Evaluation(
        form=form,
        cost_unit="strong_call_share" if form == "routellm" else "usd_per_query",
        queries=queries,
        cost_min=to_usd(span[0]),
        cost_max=to_usd(span[1]),
        models=models,
        routers=routers,
    )
