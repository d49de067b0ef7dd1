"""The counts of a sample wherever they stand, to be changed: in objects, in JSON texts, in OTLP's lists of attributes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from costsim.usage.likeness import NAMES

AMOUNT = re.compile(r"[0-9]+\.[0-9]+")


class Text(dict[str, Any]):
    """An object that stands as JSON in a text."""


class Attributes(dict[str, Any]):
    """OTLP's list of keys and values."""


def opened(value: Any) -> Any:
    """A document with its JSON texts and lists of attributes as objects."""
    match value:
        case dict():
            return {key: opened(item) for key, item in value.items()}
        case [{"key": str(), "value": dict()}, *_]:
            return Attributes({item["key"]: _read(item["value"]) for item in value})
        case list():
            return [opened(item) for item in value]
        case str() if value[:1] == "{":
            try:
                return Text(opened(json.loads(value)))
            except ValueError:
                return value
    return value


def closed(value: Any) -> Any:
    """The document again."""
    match value:
        case Attributes():
            return [{"key": key, "value": _written(item)} for key, item in value.items()]
        case Text():
            return json.dumps({key: closed(item) for key, item in value.items()})
        case dict():
            return {key: closed(item) for key, item in value.items()}
        case list():
            return [closed(item) for item in value]
    return value


def _read(value: dict[str, Any]) -> Any:
    return int(value["intValue"]) if "intValue" in value else value


def _written(value: Any) -> Any:
    match value:
        case bool() | int() | float() | str():
            kind = {bool: "boolValue", int: "intValue", float: "doubleValue", str: "stringValue"}[type(value)]
            return {kind: str(value) if kind == "intValue" else value}
        case list():
            return {"arrayValue": {"values": [_written(item) for item in value]}}
        case dict() if not any(key.endswith("Value") for key in value):
            return {"kvlistValue": {"values": [{"key": key, "value": _written(item)} for key, item in value.items()]}}
    return value


def is_count(key: str, value: Any, within: bool = False) -> bool:
    """Whether a field is a count: a number above 0 under a name of usage, or `within` an object of such a name."""
    number = float(value) if isinstance(value, str) and AMOUNT.fullmatch(value) else value
    counts = isinstance(number, int | float) and not isinstance(number, bool) and number > 0
    return counts and (within or bool(NAMES.search(key)) or key == "amount")


def holders(value: Any, within: bool = False) -> Iterator[tuple[dict[str, Any], list[str]]]:
    """The objects with counts, each with the keys of these."""
    if isinstance(value, dict):
        if keys := [key for key, item in value.items() if is_count(key, item, within)]:
            yield value, keys
        for key, item in value.items():
            yield from holders(item, bool(NAMES.search(key)) or key == "amount")
    elif isinstance(value, list):
        for item in value:
            yield from holders(item, within)


def documents(file: Path) -> list[Any]:
    """The lines of a sample, or the document that it is, opened."""
    text = file.read_text()
    lines = [line for line in text.splitlines() if line.strip()] if file.suffix == ".jsonl" else [text]
    return [opened(json.loads(line)) for line in lines]


def as_line(document: Any) -> str:
    """An opened document as a line of JSON."""
    return json.dumps(closed(document)) + "\n"
