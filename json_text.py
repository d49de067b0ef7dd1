"""JSON that costsim writes: no character in it that a terminal, a page, an editor or a CI would act upon."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

NOT_PLAIN = re.compile(r"[^\x20-\x7e\n]")
COMMANDS_WITHIN = re.compile(r"##(?=\[|vso\[|teamcity\[)")
"""What GitHub's and Azure's runners take for a command anywhere in a line."""


def json_text(value: Any, *, indent: int | None = 2, default: Callable[[Any], Any] | None = None) -> str:
    """A result (a pydantic model) or plain data as JSON, with a line end; `default` turns what JSON has no form for."""
    if hasattr(value, "model_dump_json"):
        return harmless(value.model_dump_json(indent=indent)) + "\n"
    return harmless(json.dumps(value, indent=indent, default=default)) + "\n"


def readable(value: Any, *, indent: int | None = None, default: Callable[[Any], Any] | None = None) -> str:
    """Plain data as JSON that a person edits: letters beyond ASCII stay letters."""
    return harmless(json.dumps(value, indent=indent, default=default, ensure_ascii=False))


def harmless(text: str) -> str:
    r"""JSON with the same values, where what does not print is written \uXXXX: controls, turned text, rare spaces."""
    return COMMANDS_WITHIN.sub(r"#\\u0023", NOT_PLAIN.sub(_printed, text))


def _printed(found: re.Match[str]) -> str:
    char = found[0]
    return char if char.isprintable() else json.dumps(char)[1:-1].replace("\x7f", "\\u007f")
