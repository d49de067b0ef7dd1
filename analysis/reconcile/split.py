"""The difference of a cell, split into items that add up to it exactly: theirs less ours, USD as Fractions.

With tokens on both sides, a class has (theirs - ours) tokens at ours' own price a token, and what is left at equal
tokens is the mix: batch, region, tier. What a bill states beyond its own tokens at the price book is the price: a
discount where one ratio holds throughout, else a rate. Without tokens only amounts can be compared: the ratio that most
of them share is the price, and what is left of a cell are calls that one side lacks.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from .sides import CellKey, SideCell

if TYPE_CHECKING:
    from .results import Part, Reason

HALF_CENT = Fraction(1, 200)
NEAR = Fraction(1, 10**6)
EMPTY = SideCell()


@dataclass(frozen=True)
class Item:
    """A part of the difference of one cell and class. `subject` is what it is said of."""

    day: date
    provider: str
    model: str
    token_class: str
    part: Part
    reason: Reason
    usd: Fraction
    subject: str = ""
    tokens: int = 0


Quantities = dict[tuple[CellKey, str], int]
"""Theirs less ours, in tokens, by cell and class."""


def quantities(ours: Mapping[CellKey, SideCell], theirs: Mapping[CellKey, SideCell]) -> Quantities:
    """What tokens differ, where both sides count tokens."""
    found = {}
    for key in {*ours} | {*theirs}:
        mine, other = ours.get(key, EMPTY), theirs.get(key, EMPTY)
        for kind in {*mine.tokens} | {*other.tokens}:
            less = other.tokens.get(kind, 0) - mine.tokens.get(kind, 0)
            if less:
                found[key, kind] = less
    return found


def token_price(mine: SideCell, other: SideCell, kind: str) -> Fraction:
    """What one token of a class costs on our side, else on theirs."""
    for cell in (mine, other):
        if cell.tokens.get(kind):
            return cell.usd[kind] / cell.tokens[kind]
    return Fraction()


def mix_items(ours: Mapping[CellKey, SideCell], theirs: Mapping[CellKey, SideCell]) -> Iterable[Item]:
    """What equal tokens cost otherwise on their side, at the same price book."""
    for key, other in theirs.items():
        mine = ours.get(key, EMPTY)
        for kind, tokens in other.tokens.items():
            usd = other.usd[kind] - tokens * token_price(mine, other, kind)
            if usd:
                yield Item(*key, kind, "price", _mix_reason(mine, other), usd, _attributes(mine, other))


def _mix_reason(mine: SideCell, other: SideCell) -> Reason:
    levels, places = _levels(mine) ^ _levels(other), _regions(mine) ^ _regions(other)
    if levels:
        return "batch" if "batch" in levels else "processing"
    if places:
        return "region"
    return "tier" if mine.tiers != other.tiers else "rate"


def _attributes(mine: SideCell, other: SideCell) -> str:
    return f"{'/'.join(sorted(mine.processing))} here, {'/'.join(sorted(other.processing))} there"


def _levels(cell: SideCell) -> set[str]:
    return {name.partition("/")[0] for name in cell.processing}


def _regions(cell: SideCell) -> set[str]:
    return {name.partition("/")[2] for name in cell.processing}


def unlisted_levels(
    ours: Mapping[CellKey, SideCell], theirs: Mapping[CellKey, SideCell], mixed: Iterable[Item]
) -> dict[CellKey, Reason]:
    """Cells that theirs has at another level or for another region, at which the price list has no price of its own."""
    priced = {*map(_cell, mixed)}
    pairs = {key: (ours[key], other) for key, other in theirs.items() if key in ours and key not in priced}
    return {
        key: _mix_reason(mine, other)
        for key, (mine, other) in pairs.items()
        if _levels(mine) != _levels(other) or _regions(mine) != _regions(other)
    }


def stated_items(theirs: Mapping[CellKey, SideCell], levels: Mapping[CellKey, Reason] | None = None) -> list[Item]:
    """What a bill states beyond its own tokens at the price book; at these `levels`, it is the price of the level."""
    items: list[Item] = []
    for provider in sorted({key[1] for key in theirs}):
        cells = {key: cell for key, cell in theirs.items() if key[1] == provider and cell.stated is not None}
        pairs = {key: (cell.book_usd, cell.stated or Fraction(), cell.rows) for key, cell in cells.items()}
        shared = ratios(pairs)
        for key, (book, stated, rows) in pairs.items():
            items += _priced(key, book, stated, rows, shared[key[2]])
    return [replace(item, reason=(levels or {}).get(_cell(item), item.reason)) for item in items]


def _cell(item: Item) -> CellKey:
    return item.day, item.provider, item.model


def _priced(key: CellKey, book: Fraction, stated: Fraction, rows: int, ratio: Fraction) -> Iterable[Item]:
    left = stated - book * ratio
    if ratio != 1:
        yield _ratio_item(key, book, ratio)
    if left and _is_rounding(left, stated, rows):
        yield Item(*key, "", "unexplained", "rounding", left)
    elif left:
        yield Item(*key, "", "price", "rate", left)


def _ratio_item(key: CellKey, book: Fraction, ratio: Fraction) -> Item:
    return Item(*key, "", "price", "discount" if ratio < 1 else "rate", book * (ratio - 1), percent_words(ratio))


def percent_words(ratio: Fraction) -> str:
    """`10 % less`, `5.5 % more`."""
    size = abs(float(ratio - 1)) * 100
    return f"{size:.2f}".rstrip("0").rstrip(".") + (" % less" if ratio < 1 else " % more")


def _is_rounding(left: Fraction, stated: Fraction, rows: int) -> bool:
    """Whether a bill that states whole cents (or less exactly) may differ by so much."""
    return abs(left) <= _slack(stated, rows)


def _slack(stated: Fraction, rows: int) -> Fraction:
    exact = (stated * 100).denominator != 1
    return max(NEAR, abs(stated) * NEAR) if exact else HALF_CENT * max(rows, 1)


Pair = tuple[Fraction, Fraction, int]
Pairs = Mapping[CellKey, Pair]
"""Computed, stated, and how many amounts the stated one adds up, by cell."""


def ratios(pairs: Pairs) -> dict[str, Fraction]:
    """Stated over computed, by model: what most of the provider's cost shares, unless a model has one of its own."""
    common = common_ratio(pairs)
    by_model: dict[str, dict[CellKey, Pair]] = defaultdict(dict)
    for key, pair in pairs.items():
        by_model[key[2]][key] = pair
    found = {}
    for model, own in by_model.items():
        found[model] = max((common, common_ratio(own), Fraction(1)), key=lambda ratio: _weight(own, ratio))
    return found


def _weight(pairs: Pairs, ratio: Fraction) -> Fraction:
    """How much of the cost has this ratio."""
    usable = [(book, stated, rows) for book, stated, rows in pairs.values() if book > 0 and stated > 0]
    return sum((book for book, usd, rows in usable if _is_rounding(usd - book * ratio, usd, rows)), Fraction())


def common_ratio(pairs: Pairs) -> Fraction:
    """Stated over computed that most of the cost shares; 1 where nothing shows one.

    One cell alone shows a ratio only in whole percents: 90 % of the price list is a discount, 73.4 % is not.
    """
    usable = sorted((p for p in pairs.values() if p[0] > 0 and p[1] > 0), key=lambda p: -p[0])[:200]
    if not usable:
        return Fraction(1)
    weigh = _weighing(usable)
    weight, ratio = max(((weigh(r), r) for r in _ratios(usable)), key=lambda one: (one[0], one[1] == 1, one[1]))
    agreeing = sum(_is_rounding(s - b * ratio, s, n) for b, s, n in usable)
    whole = abs(ratio * 100 - round(ratio * 100)) <= Fraction(1, 200) and Fraction(1, 2) <= ratio <= Fraction(3, 2)
    enough = weight * 2 >= sum((b for b, _, _ in usable), Fraction())
    return ratio if enough and (agreeing > 1 or whole) else Fraction(1)


def _weighing(usable: Sequence[Pair]) -> Callable[[Fraction], Fraction]:
    """How much of the cost has a ratio. A cell has those between two bounds, so each ratio is two searches."""
    lowest = _running(((s - _slack(s, n)) / b, b) for b, s, n in usable)
    highest = _running(((s + _slack(s, n)) / b, b) for b, s, n in usable)

    def weight(ratio: Fraction) -> Fraction:
        begun = lowest.sums[bisect_right(lowest.bounds, ratio)]
        return begun - highest.sums[bisect_left(highest.bounds, ratio)]

    return weight


class _Running(NamedTuple):
    """Bounds in order, and what all before each of them, and before the end, weigh."""

    bounds: list[Fraction]
    sums: list[Fraction]


def _running(weighed: Iterable[tuple[Fraction, Fraction]]) -> _Running:
    ordered = sorted(weighed)
    return _Running([bound for bound, _ in ordered], [Fraction(), *accumulate(weight for _, weight in ordered)])


def _ratios(usable: Sequence[Pair]) -> set[Fraction]:
    """Candidates: the ratio of every cell, in hundredths of a percent where the cell allows that."""
    found = {Fraction(1)}
    for book, stated, rows in usable:
        exact = stated / book
        rounded = Fraction(round(exact * 10_000), 10_000)
        found.add(rounded if _is_rounding(stated - book * rounded, stated, rows) else exact)
    return found


def amount_items(ours: Mapping[CellKey, SideCell], theirs: Mapping[CellKey, SideCell]) -> list[Item]:
    """The items of cells whose bill counts no tokens: only amounts can be compared."""
    items: list[Item] = []
    for provider in sorted({key[1] for key in (*ours, *theirs)}):
        keys = sorted(key for key in {*ours} | {*theirs} if key[1] == provider)
        pairs = {
            key: (ours.get(key, EMPTY).book_usd, theirs.get(key, EMPTY).total, theirs.get(key, EMPTY).rows)
            for key in keys
        }
        shared = ratios(pairs)
        left = {key: stated - book * shared[key[2]] for key, (book, stated, _) in pairs.items() if book or stated}
        billed = {key for key in keys if pairs[key][1]}
        scaled = [key for key in keys if shared[key[2]] != 1 and pairs[key][0]]
        items += [_ratio_item(key, pairs[key][0], shared[key[2]]) for key in scaled]
        items += _left_over(left, pairs, _moved(left, pairs), billed)
    return items


def _moved(left: dict[CellKey, Fraction], pairs: Mapping[CellKey, tuple[Fraction, Fraction, int]]) -> set[CellKey]:
    """Cells whose difference is the opposite of the next day's: calls that are on the next day's bill, or before."""
    found: set[CellKey] = set()
    for key in sorted(left):
        after = (date.fromordinal(key[0].toordinal() + 1), key[1], key[2])
        if key in found or after not in left:
            continue
        both, rows = left[key] + left[after], pairs[key][2] + pairs[after][2]
        if not _is_rounding(left[key], pairs[key][1], rows) and _is_rounding(both, pairs[after][1], rows):
            found |= {key, after}
    return found


def _left_over(
    left: Mapping[CellKey, Fraction],
    pairs: Mapping[CellKey, tuple[Fraction, Fraction, int]],
    moved: set[CellKey],
    billed: set[CellKey],
) -> Iterable[Item]:
    for key, usd in left.items():
        if key in moved:
            yield Item(*key, "", "timing", "another day", usd)
        elif key in billed and _is_rounding(usd, pairs[key][1], pairs[key][2]):
            if usd:
                yield Item(*key, "", "unexplained", "rounding", usd)
        else:
            yield Item(*key, "", "missing_in_ours" if usd > 0 else "missing_in_theirs", "missing calls", usd)
