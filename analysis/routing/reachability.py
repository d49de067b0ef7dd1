"""Which rules of a decision tree can ever fire: decided by reasoning, not by trying.

Every attribute has finitely many values that the tree can distinguish: the words it asks for and "any other";
no and yes; the stretches between the thresholds of its spans. A condition is then a box: a set of such values
for each attribute. A rule fires exactly on its boxes less the boxes of all rules before it, so cutting those
away piece by piece leaves either a task on which it fires (the witness) or nothing: a proof that it never
does. Pieces are disjoint, so there are never more of them than cells that words and thresholds make.

Sets of values are whole numbers, a bit for each value, and so are sets of boxes: which boxes may meet one is looked
up by its values (`covers.py`), not asked of each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from .conditions import Attributes, Condition
from .covers import Box, Covers, Space, TooManySteps
from .routing import RoutingRule


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
    """For every rule, and last for the fallback: whether it can fire, on what, and which parts cannot.

    The list ends early, before the rule of which that would take more than `MAX_STEPS` (`covers.py`).
    """
    boxes, covers = _laid_out(tree)
    found: list[Reach] = []
    try:
        for n, rule in enumerate(tree):
            found.append(_reach(n + 1, boxes[n], rule.when, covers))
        found.append(_reach(len(tree) + 1, [covers.space.whole], (), covers))
    except TooManySteps:
        pass
    return found


def firing_rule(tree: Sequence[RoutingRule]) -> Callable[[Attributes], int]:
    """What gives the number (from 1) of the rule that fires for a task, one past the last for the fallback.

    For many tasks: the rule is looked up, where `walk` of `routing.py` asks each rule.
    """
    _, covers = _laid_out(tree)

    def number(attributes: Attributes) -> int:
        holding = covers.meeting(covers.space.point(attributes), len(tree))
        return next((n for n, of_rule in enumerate(covers.of_rule, 1) if holding & of_rule), len(tree) + 1)

    return number


def _laid_out(tree: Sequence[RoutingRule]) -> tuple[list[list[Box]], Covers]:
    """Each rule's boxes, and all of them."""
    space = Space.of([condition for rule in tree for condition in rule.when])
    boxes = [[space.box(condition) for condition in rule.when or (Condition({}),)] for rule in tree]
    return boxes, Covers.of(space, boxes)


def _reach(number: int, own: list[Box], when: Sequence[Condition], covers: Covers) -> Reach:
    """What rule `number` can see, of which these are the boxes."""
    before = number - 1
    meeting = [covers.meeting(box, before) for box in own]
    left = [covers.remainder(box, near) for box, near in zip(own, meeting, strict=True)]
    piece = next((one for one in left if one is not None), None)
    if piece is None:
        return Reach(number, None, _takers(own, meeting, before, covers))
    shadows = tuple(
        shadow
        for n, condition in enumerate(when)
        for shadow in _shadows(n, condition, own[n], meeting[n], before, covers, is_covered=left[n] is None)
    )
    return Reach(number, covers.space.task(piece), shadows=shadows)


def _shadows(
    n: int, condition: Condition, box: Box, near: int, before: int, covers: Covers, *, is_covered: bool
) -> Iterator[Shadow]:
    if is_covered:
        yield Shadow(n, "", "", _takers([box], [near], before, covers))
        return
    for name, test in condition.tests.items():
        for word in sorted(test) if isinstance(test, frozenset) else ():
            part = covers.space.with_word(box, name, word)
            meeting = covers.meeting(part, before)
            if covers.remainder(part, meeting) is None:
                yield Shadow(n, name, word, _takers([part], [meeting], before, covers))


def _takers(own: Sequence[Box], meeting: Sequence[int], before: int, covers: Covers) -> tuple[int, ...]:
    """Rules that together leave nothing of the boxes, none too many; the later ones are kept first."""
    of_rule = covers.of_rule
    takers = [n for n in range(before) if any(near & of_rule[n] for near in meeting)]
    kept = sum(of_rule[n] for n in takers)
    for n in reversed(takers.copy()):
        fewer = kept & ~of_rule[n]
        if all(covers.remainder(box, near & fewer) is None for box, near in zip(own, meeting, strict=True)):
            takers.remove(n)
            kept = fewer
    return tuple(n + 1 for n in takers)
