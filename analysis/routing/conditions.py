"""The attributes of a task that routing rules ask about, and the conditions that ask.

    kind            text    what sort of work it is: code_writing, monitoring, …
    agent           text    who does it: ceo, coo, …
    strategic       yes/no  a strategic decision of the CEO's kind
    complex         yes/no  needs more than pattern matching
    needs_web       yes/no  needs web search or real-time information
    needs_images    yes/no  looks at images
    context_tokens  number  tokens of context that the task brings
    runs_per_day    number  how often it runs

They are the questions of the article's decision tree. What is not said is not so: a missing yes/no is no, a
missing number 0, a missing text matches no word.

This module is on the way of `costsim route`, which answers a shell: it imports the standard library only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ...documents import Document, did_you_mean
from ...errors import ArchitectureError, InputError
from ...yaml_nodes import KeyPath

Value = str | bool | int
Attributes = Mapping[str, Value]
Sort = Literal["text", "flag", "number"]

VOCABULARY: dict[str, Sort] = {
    "kind": "text",
    "agent": "text",
    "strategic": "flag",
    "complex": "flag",
    "needs_web": "flag",
    "needs_images": "flag",
    "context_tokens": "number",
    "runs_per_day": "number",
}
MAX_NUMBER = 10**15
_YES, _NO = ("true", "yes", "1"), ("false", "no", "0")
_FACTORS = {"k": 1_000, "m": 1_000_000}


@dataclass(frozen=True)
class Span:
    """Numbers more than `over` (None: from 0 on) and at most `at_most` (None: without end)."""

    over: int | None = None
    at_most: int | None = None

    def __contains__(self, number: int) -> bool:
        return (self.over is None or number > self.over) and (self.at_most is None or number <= self.at_most)

    def __str__(self) -> str:
        parts = [] if self.over is None else [f"over {self.over:,}"]
        parts += [] if self.at_most is None else [f"at most {self.at_most:,}"]
        return " and ".join(parts)


Test = frozenset[str] | bool | Span
"""One attribute's demand: one of these words; yes or no; within a span."""


@dataclass(frozen=True)
class Condition:
    """Demands on several attributes, all of which must hold; without any it always holds."""

    tests: Mapping[str, Test]

    def holds(self, attributes: Attributes) -> bool:
        """Whether a task with these attributes meets it."""
        return all(_meets(test, attributes.get(name)) for name, test in self.tests.items())

    def __str__(self) -> str:
        return ", ".join(f"{name} {_words(test)}" for name, test in self.tests.items()) or "anything"


def _meets(test: Test, value: Value | None) -> bool:
    if isinstance(test, bool):
        return bool(value) is test
    if isinstance(test, Span):
        return isinstance(value, int | None) and (value or 0) in test
    return value in test


def _words(test: Test) -> str:
    if isinstance(test, bool):
        return "yes" if test else "no"
    if isinstance(test, Span):
        return str(test)
    return f"is {' or '.join(sorted(test))}"


def read_conditions(document: Document, given: Any, path: KeyPath) -> tuple[Condition, ...]:
    """A `when`: one mapping, or a list of mappings of which one must hold. Raises ArchitectureError."""
    if not isinstance(given, list):
        return (_condition(document, given, path),)
    if not given:
        raise document.error(
            ArchitectureError, "the list of conditions is empty; leave `when` out to mean always", path
        )
    return tuple(_condition(document, one, (*path, index)) for index, one in enumerate(given))


def _condition(document: Document, given: Any, path: KeyPath) -> Condition:
    if not isinstance(given, dict) or not given:
        raise document.error(ArchitectureError, "write a condition as {attribute: demand}", path)
    return Condition({name: _test(document, name, demand, (*path, name)) for name, demand in given.items()})


def _test(document: Document, name: str, demand: Any, path: KeyPath) -> Test:
    match attribute_sort(name, document, path):
        case "flag" if isinstance(demand, bool):
            return demand
        case "flag":
            message = f"{name} asks yes or no: write true or false"
        case "text":
            words = demand if isinstance(demand, list) else [demand]
            if words and all(isinstance(word, str) and word for word in words):
                return frozenset(words)
            message = f"write {name} as a word or a list of words"
        case _:
            if isinstance(demand, dict) and demand and demand.keys() <= {"over", "at_most"}:
                return Span(**{edge: whole_number(document, n, (*path, edge)) for edge, n in demand.items()})
            message = f"write {name} as {{over: 50000}}, {{at_most: 50000}} or both"
    raise document.error(ArchitectureError, message, path)


def attribute_sort(name: Any, document: Document, path: KeyPath) -> Sort:
    """What values the attribute takes. Raises ArchitectureError for one that is not in the vocabulary."""
    if name in VOCABULARY:
        return VOCABULARY[name]
    message = f"there is no attribute {name!r}{did_you_mean(str(name), sorted(VOCABULARY))}"
    raise document.error(ArchitectureError, message, path)


def whole_number(document: Document, given: Any, path: KeyPath) -> int:
    """A whole number from 0. Raises ArchitectureError."""
    if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given <= MAX_NUMBER:
        raise document.error(ArchitectureError, f"{given!r} is not a whole number from 0", path)
    return given


def read_attributes(document: Document, given: Any, path: KeyPath) -> Attributes:
    """What a file says of a task: `{kind: code_writing, context_tokens: 62000}`. Raises ArchitectureError."""
    if not isinstance(given, dict):
        raise document.error(ArchitectureError, "write attributes as {kind: code_writing}", path)
    return {name: _value(document, name, value, (*path, name)) for name, value in given.items()}


def _value(document: Document, name: str, value: Any, path: KeyPath) -> Value:
    sort = attribute_sort(name, document, path)
    if sort == "number":
        return whole_number(document, value, path)
    if (sort == "flag" and isinstance(value, bool)) or (sort == "text" and isinstance(value, str) and value):
        return bool(value) if sort == "flag" else str(value)
    raise document.error(ArchitectureError, f"write {name} as {'true or false' if sort == 'flag' else 'a word'}", path)


def parse_attributes(pairs: Sequence[str]) -> dict[str, Value]:
    """`["kind=code_writing", "needs_web", "context_tokens=62k"]` as attributes; a bare yes/no means yes.

    Raises InputError on an unknown attribute, a value of the wrong sort, or one that stands twice.
    """
    attributes: dict[str, Value] = {}
    for pair in pairs:
        name, equals, text = (part.strip() for part in pair.partition("="))
        if name not in VOCABULARY:
            raise InputError(
                f"there is no attribute {name!r}{did_you_mean(name, sorted(VOCABULARY))}", key="--describe"
            )
        if name in attributes:
            raise InputError(f"{name} stands twice", key="--describe")
        attributes[name] = _parse(name, text if equals else "true")
    return attributes


def _parse(name: str, text: str) -> Value:
    match VOCABULARY[name]:
        case "text" if text and text != "true":  # a name alone, "kind", says no word
            return text
        case "flag" if text.lower() in (*_YES, *_NO):
            return text.lower() in _YES
        case "number":
            digits = text.lower().replace("_", "").replace(",", "")
            factor = _FACTORS.get(digits[-1:], 1)
            digits = digits[:-1] if factor > 1 else digits
            if digits.isascii() and digits.isdigit() and len(digits) < 16 and int(digits) * factor <= MAX_NUMBER:
                return int(digits) * factor
    wanted = {"text": "a word", "flag": "true or false", "number": "a whole number such as 62000 or 62k"}
    raise InputError(f"{name} takes {wanted[VOCABULARY[name]]}, not {text!r}", key="--describe")
