"""Members of a JSON object, whatever they are: logs are untrusted, and a list may be no list."""

from __future__ import annotations

from typing import Any


def listed(holder: dict[str, Any], name: str) -> list[Any]:
    """The list under a name; an empty one where there is none."""
    found = holder.get(name)
    return found if isinstance(found, list) else []


def object_at(holder: dict[str, Any], *path: str) -> dict[str, Any]:
    """The object at a path; an empty one where there is none."""
    for name in path:
        found = holder.get(name)
        holder = found if isinstance(found, dict) else {}
    return holder


def but(holder: dict[str, Any], *names: str) -> dict[str, Any]:
    """An object without some members: texts, and what is counted or repeated."""
    return {name: value for name, value in holder.items() if name not in names}
