"""An architecture with some keys set otherwise, its file untouched: `--set components.triage.runs_per_day=300`."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...documents import Document, did_you_mean, parse_document, read_document
from ...errors import ArchitectureError, InputError

INSTEAD = (("schedule", "runs_per_day", "cron"), ("tokens", "session", "calibrate"))
"""Keys of a component of which one takes the place of the others."""


def edited(file: Path, edits: Sequence[str]) -> Document:
    """The file's document with every `KEY=VALUE` set; the value is YAML, null takes the key out.

    A component, a cron, a budget or a spawn is named in the path, or counted from 0. Raises ArchitectureError, and
    InputError for an edit that cannot be made or sets what another one sets.
    """
    document = read_document(file, ArchitectureError)
    if not edits:
        return document
    data = copy.deepcopy(document.data)
    made: list[list[str | int]] = []
    for edit in edits:
        path, text = _parts(edit)
        steps = _steps(data, path, edit)
        if steps in made:
            raise InputError(f"--set {edit!r}: {path} is set twice, and has one value; set it once")
        made.append(steps)
        _set(data, steps, _value(text, edit), edit)
    return replace(document, data=data)


def _parts(edit: str) -> tuple[str, str]:
    path, equals, text = edit.partition("=")
    if not (equals and path.strip() and text.strip()):
        raise InputError(f"--set {edit!r} is not KEY=VALUE; write it like components.triage.runs_per_day=300")
    return path.strip(), text


def _value(text: str, edit: str) -> Any:
    try:
        return parse_document(Path("--set"), text).data
    except InputError as error:
        problem = error.message.replace("this is not YAML: ", "the value is not YAML: ", 1)
        raise InputError(f"--set {edit!r}: {problem}") from None


def _steps(data: Any, path: str, edit: str) -> list[str | int]:
    """The path as keys and places of lists; names may have dots, the longest that fits is meant."""
    steps: list[str | int] = []
    rest = path
    while rest:
        step: str | int
        held = _at(data, steps)
        if isinstance(held, list):
            step, rest = _entry(held, rest, steps, edit)
        else:
            known = sorted((key for key in held if _begins(rest, key)), key=len) if isinstance(held, dict) else []
            key = known[-1] if known else rest.partition(".")[0]
            step, rest = key, rest[len(key) + 1 :]
        steps.append(step)
    return steps


def _begins(rest: str, name: str) -> bool:
    return rest == name or rest.startswith(f"{name}.")


def _entry(held: list[Any], rest: str, steps: list[str | int], edit: str) -> tuple[int, str]:
    first = rest.partition(".")[0]
    if first.isdigit() and int(first) < len(held):
        return int(first), rest[len(first) + 1 :]
    names = [str(e.get("name", e.get("component", ""))) if isinstance(e, dict) else "" for e in held]
    fitting = sorted((n for n, name in enumerate(names) if name and _begins(rest, name)), key=lambda n: len(names[n]))
    if not fitting:
        where = ".".join(map(str, steps))
        raise InputError(f"--set {edit!r}: {where} has no {first!r}{did_you_mean(first, sorted(filter(None, names)))}")
    return fitting[-1], rest[len(names[fitting[-1]]) + 1 :]


def _at(data: Any, steps: Sequence[str | int]) -> Any:
    for step in steps:
        if isinstance(data, dict):
            data = data.get(str(step))
        elif isinstance(data, list) and isinstance(step, int):
            data = data[step]
        else:
            return None
    return data


def _set(data: Any, steps: list[str | int], value: Any, edit: str) -> None:
    *around, last = steps
    for n, step in enumerate(around):
        held = _at(data, steps[:n])
        if isinstance(held, dict) and not isinstance(held.get(str(step)), dict | list):
            held[str(step)] = {}
    target = _at(data, around)
    if isinstance(target, list) and isinstance(last, int):
        target[last] = value
        return
    if not isinstance(target, dict):
        raise InputError(f"--set {edit!r}: {'.'.join(map(str, around))} has no keys to set")
    for group in INSTEAD:
        if around[:1] == ["components"] and len(around) == 2 and last in group and value is not None:
            for other in group:
                target.pop(other, None)
    if value is None:
        target.pop(str(last), None)
    else:
        target[str(last)] = value
