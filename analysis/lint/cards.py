"""The article's do/don't cards and its capability matrix, and what they say of a task on a model."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ...documents import Document, read_document
from ...yaml_nodes import KeyPath
from ..routing.conditions import Attributes, Condition, Span, read_conditions

CARDS = Path(__file__).with_name("article-cards.yaml")


@dataclass(frozen=True)
class Dont:
    """A kind of task that a card's model is not for, in the article's words; the family to use instead."""

    message: str
    when: tuple[Condition, ...]
    instead: str


@dataclass(frozen=True)
class Card:
    """One model's card. `family` is how its models are called; `version` what the do-side is about."""

    name: str
    family: str
    version: str
    do: tuple[Condition, ...]
    dont: tuple[Dont, ...]


@dataclass(frozen=True)
class Capability:
    """A row of the matrix: `weak` families with the article's remark, and the family that is best."""

    name: str
    when: tuple[Condition, ...]
    weak: Mapping[str, str]
    best: str


@dataclass(frozen=True)
class CardVerdict:
    """What the article says against a task on a model: a lint rule's id, its words, the better family."""

    rule: str
    message: str
    instead: str


OfFamily = Callable[[str], str | None]
"""The routing's first model of a family, if it has one."""


def of_family(models: Iterable[str]) -> OfFamily:
    """The same of these models; each family is looked for once."""
    return cache(lambda family: next((model for model in models if is_of(model, family)), None))


def is_of(model: str, family: str) -> bool:
    """Whether a model is of a family: `anthropic/claude-3-haiku@20240307` is of `haiku`."""
    name = model.lower().rpartition("/")[2].replace(".", "-")
    return re.search(rf"(?<![a-z0-9]){re.escape(family)}(?![a-z0-9])", name) is not None


def judge(attributes: Attributes, model: str, of_family: OfFamily) -> Iterator[CardVerdict]:
    """The article's objections to a task on a model, the gravest first; `of_family` are the routing's models.

    The matrix is asked only where no card objects, and the other cards only where neither does.
    """
    cards, matrix = article()
    objections = [
        CardVerdict("card-dont", f"the card of {card.name} says not for {dont.message}", dont.instead)
        for card in cards
        if is_of(model, card.family)
        for dont in card.dont
        if _holds(dont.when, attributes)
    ]
    yield from (objections or _weaknesses(attributes, model, matrix) or _claims(attributes, model, of_family, cards))


def _weaknesses(attributes: Attributes, model: str, matrix: Sequence[Capability]) -> list[CardVerdict]:
    return [
        CardVerdict("capability", f"the capability matrix marks {row.name.lower()} as weak{_remark(remark)}", row.best)
        for row in matrix
        for family, remark in row.weak.items()
        if is_of(model, family) and _holds(row.when, attributes)
    ]


def _remark(remark: str) -> str:
    return f' ("{remark}")' if remark else ""


def _claims(attributes: Attributes, model: str, of_family: OfFamily, cards: Sequence[Card]) -> list[CardVerdict]:
    claiming = [card for card in cards if _holds(card.do, attributes)]
    if any(is_of(model, card.version) for card in claiming):
        return []
    return [
        CardVerdict("card-elsewhere", f"the card of {card.name} claims it", card.version)
        for card in claiming
        if of_family(card.version) is not None
    ]


def _holds(conditions: Sequence[Condition], attributes: Attributes) -> bool:
    """As in routing, but numbers that nobody stated are not judged."""
    return any(
        condition.holds(attributes)
        and all(name in attributes for name, test in condition.tests.items() if isinstance(test, Span))
        for condition in conditions
    )


@cache
def article() -> tuple[tuple[Card, ...], tuple[Capability, ...]]:
    """The shipped cards and matrix."""
    document = read_document(CARDS)
    data: dict[str, Any] = document.data
    cards = tuple(_card(document, given, ("cards", n)) for n, given in enumerate(data["cards"]))
    return cards, tuple(_capability(document, given, ("matrix", n)) for n, given in enumerate(data["matrix"]))


def _card(document: Document, given: dict[str, Any], path: KeyPath) -> Card:
    dont = [
        Dont(one["says"], read_conditions(document, one["when"], (*path, "dont", n, "when")), one["instead"])
        for n, one in enumerate(given["dont"])
    ]
    do = read_conditions(document, given["do"], (*path, "do"))
    return Card(given["name"], given["family"], given.get("version", given["family"]), do, tuple(dont))


def _capability(document: Document, given: dict[str, Any], path: KeyPath) -> Capability:
    when = read_conditions(document, given["when"], (*path, "when"))
    return Capability(given["capability"], when, given.get("weak", {}), given["best"])
