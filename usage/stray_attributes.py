"""Attributes in a list that are in another form than `key` and `value`: no reader takes anything from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

LEVELS = 3  # of objects around an attribute


def stray_attributes(listed: list[Any], *, all_stray: bool) -> Iterator[tuple[str, Any]]:
    """The names and values in a list that call them otherwise, or have them in an object more.

    In a list within the list of attributes they are `all_stray`."""
    if all_stray:
        yield from _within(listed, LEVELS)
        return
    for item in listed:
        if isinstance(item, dict):
            value = item["value"] if "key" in item and "value" in item else item
            yield from _within([value], LEVELS) if value is item or _is_pair(value) else ()


def _within(values: Iterable[Any], levels: int) -> Iterator[tuple[str, Any]]:
    """The names and values in objects, but for those within a value, which may be content."""
    for item in values if levels else ():
        if not isinstance(item, dict):
            continue
        if not _is_pair(item):
            yield from _within(item.values(), levels - 1)
        elif _is_pair(item["value"]):
            yield from _within([item["value"]], levels - 1)
        else:
            yield _name(item), item["value"]


def _is_pair(item: Any) -> bool:
    return isinstance(item, dict) and "value" in item and isinstance(_name(item), str)


def _name(item: dict[str, Any]) -> Any:
    return item.get("key", item.get("name"))
