"""JSON that stands in a text: a document, or the events of a streamed reply."""

from __future__ import annotations

import json
from typing import Any


def events(text: str) -> list[str]:
    """The events of a streamed reply, as JSON."""
    return [line[5:].strip() for line in text.splitlines() if line[:5] == "data:" and "{" in line]


def loads(text: str) -> Any:
    """What JSON in a text says, None where it is none; of the events of a streamed reply, a list."""
    if text[:1] == "d":
        return [loads(event) for event in events(text)]
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
