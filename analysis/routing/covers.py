"""What boxes of a decision tree's conditions leave of one another: sets of values, and of boxes, as bits of numbers."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from math import prod
from operator import and_, or_
from typing import cast

from .conditions import VOCABULARY, Attributes, Condition, Span, Test, Value

OTHER = ""
"""Any word that no rule asks for; a task whose word is not said is such a task."""
MAX_STEPS = 1_000_000
"""Boxes that are cut out of one another, or looked at for it, before a tree is too large: some seconds."""

Box = tuple[int, ...]
"""For each attribute the values that are allowed: bit n is the n-th."""


class TooManySteps(Exception):
    """The tree is too large to be decided."""


@dataclass(frozen=True)
class Space:
    """The values that a tree can distinguish, of each attribute that it asks about, in order; `whole` has them all."""

    values: Mapping[str, Sequence[Value]]
    places: Mapping[str, Mapping[Value, int]] = field(repr=False)
    whole: Box

    @classmethod
    def of(cls, conditions: Iterable[Condition]) -> Space:
        """That of a tree with these conditions."""
        tests: dict[str, list[Test]] = {}
        for condition in conditions:
            for name, test in condition.tests.items():
                tests.setdefault(name, []).append(test)
        values = {name: _values(name, of) for name, of in sorted(tests.items())}
        places = {name: {value: n for n, value in enumerate(each)} for name, each in values.items()}
        return cls(values, places, tuple((1 << len(each)) - 1 for each in values.values()))

    def box(self, condition: Condition) -> Box:
        """What the condition allows."""
        tests = [condition.tests.get(name) for name in self.values]
        return tuple(
            whole if test is None else self._allowed(name, test)
            for name, test, whole in zip(self.values, tests, self.whole, strict=True)
        )

    def _allowed(self, name: str, test: Test) -> int:
        if isinstance(test, Span):
            edges = cast("Sequence[int]", self.values[name])
            first = 0 if test.over is None else bisect_right(edges, test.over)
            past = len(edges) if test.at_most is None else bisect_right(edges, test.at_most)
            return (1 << past) - (1 << first) if first < past else 0
        return sum(1 << self.places[name][value] for value in ([test] if isinstance(test, bool) else test))

    def with_word(self, box: Box, name: str, word: str) -> Box:
        """The box with one word of that attribute only."""
        only = 1 << self.places[name][word]
        return tuple(only if own == name else allowed for own, allowed in zip(self.values, box, strict=True))

    def point(self, attributes: Attributes) -> Box:
        """The box of one task; what it does not say is no, 0 or any other word."""
        return tuple(1 << self._place(name, attributes.get(name)) for name in self.values)

    def _place(self, name: str, value: Value | None) -> int:
        places = self.places[name]
        match VOCABULARY[name]:
            case "flag":
                return places[bool(value)]
            case "text":
                return places.get(value or OTHER, places[OTHER])
        edges = cast("Sequence[int]", self.values[name])
        return min(bisect_left(edges, int(value or 0)), len(edges) - 1)

    def task(self, box: Box) -> Attributes:
        """A task in the box, saying no more than it must: what is left out is no, 0 or any other word."""
        parts = zip(self.values.items(), box, self.whole, strict=True)
        least = {name: values[_lowest(allowed)] for (name, values), allowed, whole in parts if allowed != whole}
        return {name: value for name, value in least.items() if value}


def _values(name: str, tests: Sequence[Test]) -> Sequence[Value]:
    match VOCABULARY[name]:
        case "flag":
            return [False, True]
        case "text":
            return sorted({OTHER}.union(*(test for test in tests if isinstance(test, frozenset))))
        case _:
            spans = [test for test in tests if isinstance(test, Span)]
            edges = {edge for span in spans for edge in (span.over, span.at_most) if edge is not None}
            # A threshold stands for the numbers up to it, down to the one before: nothing distinguishes them.
            return sorted(edges | {max(edges, default=0) + 1})


def _lowest(bits: int) -> int:
    return (bits & -bits).bit_length() - 1


def _each(bits: int) -> Iterator[int]:
    while bits:
        yield _lowest(bits)
        bits &= bits - 1


class _Words:
    """Of a word or a flag: the boxes that allow any of some values."""

    def __init__(self, size: int, allowed: Sequence[int]) -> None:
        whole = (1 << size) - 1
        self.everywhere, self.by_value = 0, [0] * size
        for n, values in enumerate(allowed):
            self.everywhere |= (values == whole) << n
            for value in _each(values if values != whole else 0):
                self.by_value[value] |= 1 << n

    def meeting(self, values: int) -> int:
        found = self.everywhere
        for value in _each(values):
            found |= self.by_value[value]
        return found


class _Numbers:
    """Of a number: the boxes that allow any of a stretch; every box allows one stretch."""

    def __init__(self, size: int, allowed: Sequence[int]) -> None:
        first, last = [0] * size, [0] * size
        for n, values in enumerate(allowed):
            if values:
                first[_lowest(values)] |= 1 << n
                last[values.bit_length() - 1] |= 1 << n
        self.from_up_to: list[int] = list(accumulate(first, or_))
        self.to_at_least: list[int] = list(accumulate(reversed(last), or_))[::-1]

    def meeting(self, values: int) -> int:
        return self.from_up_to[values.bit_length() - 1] & self.to_at_least[_lowest(values)]


@dataclass
class Covers:
    """The boxes of all rules, the largest first; sets of them have bit n for the n-th. Empty ones are in none."""

    space: Space
    boxes: Sequence[Box]
    of_rule: Sequence[int]
    up_to_rule: Sequence[int]
    indexes: Sequence[_Words | _Numbers]
    steps: int = 0

    @classmethod
    def of(cls, space: Space, rules: Sequence[Sequence[Box]]) -> Covers:
        """Those of a tree's rules, in order."""
        stated = [(box, rule) for rule, boxes in enumerate(rules) for box in boxes if all(box)]
        stated.sort(key=lambda one: -_size(one[0]))
        boxes, of_rule = [box for box, _ in stated], [0] * len(rules)
        for n, (_, rule) in enumerate(stated):
            of_rule[rule] |= 1 << n
        indexes = [
            (_Numbers if VOCABULARY[name] == "number" else _Words)(len(values), [box[n] for box in boxes])
            for n, (name, values) in enumerate(space.values.items())
        ]
        return cls(space, boxes, of_rule, list(accumulate(of_rule, or_, initial=0)), indexes)

    def meeting(self, box: Box, before: int) -> int:
        """Which boxes of the first `before` rules have something in common with this one."""
        found = self.up_to_rule[before] if all(box) else 0
        for values, whole, index in zip(box, self.space.whole, self.indexes, strict=True):
            if found and values != whole:
                found &= index.meeting(values)
        return found

    def remainder(self, box: Box, covers: int) -> Box | None:
        """A part of the box that none of those holds, or None where they cover it all; depth first.

        Raises TooManySteps.
        """
        todo = [(box, covers)] if all(box) else []
        while todo:
            piece, rest = todo.pop()
            cover, rest = self._next(piece, rest)
            if cover is None:
                return piece
            todo += [(outside, rest) for outside in _outside(piece, cover)]
        return None

    def _next(self, piece: Box, covers: int) -> tuple[Box | None, int]:
        """The largest that has something in common with the piece, and those after it."""
        self._step()
        while covers:
            self._step()
            cover = self.boxes[_lowest(covers)]
            covers &= covers - 1
            if all(map(and_, piece, cover)):
                return cover, covers
        return None, 0

    def _step(self) -> None:
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise TooManySteps


def _size(box: Box) -> int:
    return prod(values.bit_count() for values in box)


def _outside(box: Box, cover: Box) -> Iterator[Box]:
    """The box less the cover, as disjoint boxes: one for each attribute in which something sticks out."""
    inside = list(box)
    for n, (values, covered) in enumerate(zip(box, cover, strict=True)):
        if outside := values & ~covered:
            yield (*inside[:n], outside, *inside[n + 1 :])
        inside[n] = values & covered
