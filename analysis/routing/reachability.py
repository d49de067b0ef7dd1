"""Which rules of a decision tree can ever fire: decided by reasoning, not by trying.

Every attribute has finitely many values that the tree can distinguish: the words it asks for and "any other";
no and yes; the stretches between the thresholds of its spans. A condition is then a box: a set of such values
for each attribute. A rule fires exactly on its boxes less the boxes of all rules before it, so cutting those
away piece by piece leaves either a task on which it fires (the witness) or nothing: a proof that it never
does. Pieces are disjoint, so there are never more of them than cells that words and thresholds make.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from .conditions import VOCABULARY, Attributes, Condition, Span, Test, Value
from .routing import RoutingRule

OTHER = ""
"""Any word that no rule asks for; a task whose word is not said is such a task."""

Values = frozenset[Value]
Box = Mapping[str, Values]


@dataclass(frozen=True)
class Shadow:
    """A part of a rule that never fires: the word `word` of `attribute` (both empty: the whole condition).

    `condition` is its place in the rule's `when`, from 0; `takers` are the numbers (from 1) of the rules
    before it that take those tasks first.
    """

    condition: int
    attribute: str
    word: str
    takers: tuple[int, ...]


@dataclass(frozen=True)
class Reach:
    """What rule `number` (from 1) can see. `witness` is a task on which it fires; None: it never fires."""

    number: int
    witness: Attributes | None
    takers: tuple[int, ...] = ()
    shadows: tuple[Shadow, ...] = ()


def reach(tree: Sequence[RoutingRule]) -> list[Reach]:
    """For every rule, and last for the fallback: whether it can fire, on what, and which parts cannot."""
    space = _space(tree)
    boxes = [[_box(space, condition) for condition in rule.when or (Condition({}),)] for rule in tree]
    found = []
    for number in range(1, len(tree) + 2):
        own = boxes[number - 1] if number <= len(tree) else [space]
        found.append(_reach(number, own, boxes[: number - 1], tree[number - 1 : number], space))
    return found


def _reach(number: int, own: list[Box], before: list[list[Box]], rule: Sequence[RoutingRule], space: Box) -> Reach:
    earlier = [box for boxes in before for box in boxes]
    left = next((piece for box in own if (piece := _remainder(box, earlier)) is not None), None)
    if left is None:
        return Reach(number, None, _takers(own, before))
    shadows = tuple(_shadows(rule[0].when, own, before, earlier)) if rule else ()
    return Reach(number, _task(left, space), shadows=shadows)


def _shadows(
    when: Sequence[Condition], own: list[Box], before: list[list[Box]], earlier: list[Box]
) -> Iterator[Shadow]:
    for index, (condition, box) in enumerate(zip(when, own, strict=False)):  # no `when`: no parts
        if _remainder(box, earlier) is None:
            yield Shadow(index, "", "", _takers([box], before))
            continue
        for name, test in condition.tests.items():
            for word in sorted(test) if isinstance(test, frozenset) else ():
                part = {**box, name: frozenset({word})}
                if _remainder(part, earlier) is None:
                    yield Shadow(index, name, word, _takers([part], before))


def _takers(own: list[Box], before: list[list[Box]]) -> tuple[int, ...]:
    """Rules that together leave nothing of the boxes, none too many; the later ones are kept first."""
    takers = [n for n, boxes in enumerate(before, 1) if any(_overlap(mine, box) for mine in own for box in boxes)]
    for number in reversed(takers.copy()):
        fewer = [box for n in takers if n != number for box in before[n - 1]]
        if all(_remainder(box, fewer) is None for box in own):
            takers.remove(number)
    return tuple(takers)


def _overlap(box: Box, other: Box) -> bool:
    return not any(values.isdisjoint(other[name]) for name, values in box.items())


def _remainder(box: Box, covers: Sequence[Box]) -> Box | None:
    """A part of the box that no cover holds, or None where they cover it all; depth first, large covers first."""
    near = sorted((cover for cover in covers if _overlap(box, cover)), key=_size, reverse=True)
    todo = [(box, 0)] if all(box.values()) else []
    while todo:
        piece, start = todo.pop()
        cover = next((n for n in range(start, len(near)) if _overlap(piece, near[n])), None)
        if cover is None:
            return piece
        todo += [(rest, cover + 1) for rest in _outside(piece, near[cover])]
    return None


def _size(box: Box) -> int:
    return prod(len(values) for values in box.values())


def _outside(box: Box, cover: Box) -> Iterator[Box]:
    """The box less the cover, as disjoint boxes: one for each attribute in which something sticks out."""
    inside = dict(box)
    for name, values in box.items():
        if outside := values - cover[name]:
            yield {**inside, name: outside}
        inside[name] = values & cover[name]


def _space(tree: Sequence[RoutingRule]) -> Box:
    """The values that the tree can distinguish, of each attribute that it asks about."""
    tests: dict[str, list[Test]] = {}
    for rule in tree:
        for condition in rule.when:
            for name, test in condition.tests.items():
                tests.setdefault(name, []).append(test)
    return {name: _values(name, of) for name, of in sorted(tests.items())}


def _values(name: str, tests: Sequence[Test]) -> Values:
    match VOCABULARY[name]:
        case "flag":
            return frozenset({False, True})
        case "text":
            return frozenset({OTHER}.union(*(test for test in tests if isinstance(test, frozenset))))
        case _:
            spans = [test for test in tests if isinstance(test, Span)]
            edges = {edge for span in spans for edge in (span.over, span.at_most) if edge is not None}
            # A threshold stands for the numbers up to it, down to the one before: nothing distinguishes them.
            return frozenset(edges | {max(edges, default=0) + 1})


def _box(space: Box, condition: Condition) -> Box:
    return {name: _allowed(values, condition.tests.get(name)) for name, values in space.items()}


def _allowed(values: Values, test: Test | None) -> Values:
    match test:
        case None:
            return values
        case bool():
            return frozenset({test})
        case Span():
            return frozenset(value for value in values if isinstance(value, int) and value in test)
        case _:
            return values & test


def _task(box: Box, space: Box) -> Attributes:
    """A task in the box, saying no more than it must: what is left out is no, 0 or any other word."""
    least = {name: min(values, key=_rank) for name, values in box.items() if values != space[name]}
    return {name: value for name, value in least.items() if value}


def _rank(value: Value) -> tuple[int, str]:
    return (0, value) if isinstance(value, str) else (int(value), "")
