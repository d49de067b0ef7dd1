"""Which models a task of Cline, Roo Code or Kilo Code used when, by the files beside its messages."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from ..fast_json import parsed
from ..unfold import beside

MODEL_TAG = re.compile(r"<model>([^<]+)</model>")


def models(file: Path) -> list[tuple[float, str | None, str]]:
    """When, which provider and which model, as the task's metadata or its conversation say; in order of time."""
    return sorted(_from_metadata(file) or _from_history(file), key=lambda one: one[0])


def _from_metadata(file: Path) -> list[tuple[float, str | None, str]]:
    found = _loaded(file, "task_metadata.json")
    listed = found.get("model_usage") if isinstance(found, dict) else None
    return [
        (_time(one), _text(one.get("model_provider_id")), str(one["model_id"]))
        for one in (listed if isinstance(listed, list) else [])
        if isinstance(one, dict) and one.get("model_id")
    ]


def _from_history(file: Path) -> list[tuple[float, str | None, str]]:
    """The model stands in a tag of what the tool sends the model about its surroundings."""
    found = _loaded(file, "api_conversation_history.json")
    entries = [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []
    tagged = [(entry, MODEL_TAG.findall(json.dumps(entry.get("content")))) for entry in entries]
    return [(_time(entry), None, tags[-1]) for entry, tags in tagged if tags]


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _time(entry: dict[str, Any]) -> float:
    time = entry.get("ts")
    return time if isinstance(time, int | float) and not isinstance(time, bool) else 0


def _loaded(file: Path, name: str) -> Any:
    path = beside(file, name)
    try:
        return parsed(path.read_bytes()) if path else None
    except (OSError, ValueError, RecursionError):
        return None
