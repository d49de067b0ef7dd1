"""Change a routing file as a person would: the models of the tasks that move, and not a character besides."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from difflib import unified_diff
from typing import Any

from ...errors import ArchitectureError
from ...json_text import readable

NO_NEWLINE = "\n\\ No newline at end of file\n"


def rewrite_routing(text: str, changes: Mapping[str, str], file: str | None = None) -> str:
    """The routing JSON `text` with `changes` (task: model) in its `model_routing`, all else as it stands.

    A task that has no key yet (it ran on the fallback) gets one at the end. Raises ArchitectureError where
    `text` is no routing file; `file` is its name in that message.
    """
    try:
        document = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ArchitectureError(f"this is not JSON: {error}", file=file) from None
    routing = document.get("model_routing") if isinstance(document, dict) else None
    if not isinstance(routing, dict):
        raise ArchitectureError("there is no mapping called model_routing", file=file)
    wanted = {**document, "model_routing": {**routing, **changes}}
    for start, end in _spans(text, routing):
        edited = text[:start] + _edited(text[start:end], routing, changes) + text[end:]
        if _parsed(edited) == wanted:
            return edited
    return readable(wanted, indent=2) + "\n"


def _spans(text: str, routing: dict[str, Any]) -> Iterator[tuple[int, int]]:
    """Where the object of `model_routing` may stand in the text."""
    for match in re.finditer(r'"model_routing"\s*:\s*(?=\{)', text):
        found, end = json.JSONDecoder().raw_decode(text, match.end())
        if found == routing:
            yield match.end(), end


def _edited(span: str, routing: Mapping[str, Any], changes: Mapping[str, str]) -> str:
    for task, model in changes.items():
        value = readable(model)
        if task in routing:
            ways = {readable(task), json.dumps(task), json.dumps(task, ensure_ascii=False)}
            key = "|".join(map(re.escape, ways))
            span = re.sub(rf'((?:{key})\s*:\s*)"(?:[^"\\]|\\.)*"', lambda m, v=value: m[1] + v, span, count=1)  # type: ignore[misc]
        else:
            body = span[:-1].rstrip()
            lead = re.match(r"\{(\s*)", span)
            comma = "" if body == "{" else ","
            entry = f"{readable(task)}: {value}"
            span = f"{body}{comma}{lead[1] if lead else ''}{entry}{span[len(body) :]}"
    return span


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return None


def routing_diff(before: str, after: str, name: str) -> str:
    """The unified diff of two texts of the file `name`, as `git apply` takes it; empty where they are the same."""
    lines = unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{name}", f"b/{name}", n=1
    )
    return "".join(line if line.endswith("\n") else line + NO_NEWLINE for line in lines)
