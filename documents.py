"""Read what people write by hand (YAML, JSON, TOML).

A document keeps the line of every key, so that an error can name it. Documents are untrusted: only safe
YAML, bounded in size, no aliases that unfold into millions of nodes.
"""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from .errors import InputError
from .fail_fast import failing_fast, is_large
from .yaml_nodes import MAX_NODES, TOO_LONG, KeyPath, merge_maps, unfolded, unreadable, values, walk

if TYPE_CHECKING:
    import yaml
    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails

    Model = TypeVar("Model", bound=BaseModel)

MAX_BYTES = 16 * 1024 * 1024
MAX_BITS = 1_000
"""Of a whole number that an error shows: Python writes out no more than 4,300 digits."""
MAX_SHOWN = 300
"""Characters of a value that an error shows."""

HALF = re.compile(r"\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]")
"""Half of a pair of escapes that only together stand for a character; it may also be a backslash that is escaped."""
_PART = r"""(?:[\w-]+|"(?:\\.|[^"\\\n])*"|'[^'\n]*')"""
DOTTED = re.compile(rf"""#.*|"{{3}}[\s\S]*?"{{3}}|'{{3}}[\s\S]*?'{{3}}|{_PART}(?:[ \t]*\.[ \t]*(?P<more>{_PART}))*""")
"""What stands in a file of TOML: comments, texts, and keys, some of them in several parts."""
MAX_PARTS = 100
DIRECTIVES = re.compile(r"^%TAG\b", re.MULTILINE)
MAX_DIRECTIVES = 100
PLAIN_KEY = re.compile(r"[\w.-]{1,60}")
"""A name, and no line of a file of another kind, such as `login ana password hunter2`."""


@dataclass(frozen=True)
class Document:
    """A parsed file: its data, and the line (from 1) at which each key stands, where the format has it."""

    file: Path
    data: Any
    lines: dict[KeyPath, int] = field(default_factory=dict)

    def line(self, path: KeyPath) -> int | None:
        """The line of the key at `path`, or of the nearest key around it that has one."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)

    def error(self, kind: type[InputError], message: str, path: KeyPath = ()) -> InputError:
        """An error of `kind` that names this file, the line and the key at `path`."""
        return kind(message, file=self.file, line=self.line(path), key=dotted(path) or None)


def dotted(path: KeyPath) -> str:
    """`("components", 2, "schedule")` as people write it: `components[2].schedule`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def read_document(file: Path, kind: type[InputError] = InputError) -> Document:
    """Parse a YAML, JSON or TOML file, distinguished by its ending (YAML where it says nothing).

    Raises `kind` where the file is missing, empty, too large, not UTF-8 or not well-formed.
    """
    return parse_document(file, _read_text(file, kind), kind)


def read_named(file: Path, document: Document, *key: str | int, kind: type[InputError] = InputError) -> Document:
    """The document that another one names under `key`. Raises `kind` with the place that names it."""
    try:
        return read_document(file, kind)
    except kind as error:
        raise document.error(kind, str(error), key) from None


def parse_document(file: Path, text: str, kind: type[InputError] = InputError) -> Document:
    """The document that a file of this name is, or would be, with this text. Raises `kind` as `read_document`."""
    if not text.strip():
        raise kind("the file is empty", file=file)
    match file.suffix.lower():
        case ".json":
            return Document(file, _parse_json(file, text, kind))
        case ".toml":
            return Document(file, _parse_toml(file, text, kind))
        case _:
            return _parse_yaml(file, text, kind)


def _read_text(file: Path, kind: type[InputError]) -> str:
    try:
        return read_bounded(file, MAX_BYTES, kind).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise kind(f"byte {error.start} is not UTF-8 text; save the file as UTF-8", file=file) from None


def read_bounded(file: Path, most: int = MAX_BYTES, kind: type[InputError] = InputError) -> bytes:
    """All of a file of at most `most` bytes. Raises `kind`: it is missing, no regular file, or larger."""
    try:
        check_regular(file, kind)
        with file.open("rb") as stream:
            content = stream.read(most + 1)
    except FileNotFoundError:
        raise kind("there is no such file", file=file) from None
    except IsADirectoryError:
        raise kind("this is a folder, not a file", file=file) from None
    except OSError as error:
        raise kind(f"the file cannot be read: {error.strerror}", file=file) from None
    if len(content) > most:
        raise kind(f"the file is larger than {most // 2**20} MiB", file=file)
    return content


def check_regular(file: Path, kind: type[InputError] = InputError) -> None:
    """Raises `kind` where a file is a device, a socket, or a pipe that no shell made; OSError where it is missing."""
    mode = file.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or (stat.S_ISFIFO(mode) and _is_of_shell(file))):
        raise kind("this is a device, a pipe or a socket, not a file", file=file)


def _is_of_shell(file: Path) -> bool:
    """Whether a pipe is one that a shell made for `<(command)`, or the standard input."""
    return str(file).startswith(("/dev/fd/", "/proc/self/fd/", "/dev/stdin"))


def _parse_json(file: Path, text: str, kind: type[InputError]) -> Any:
    try:
        data = json.loads(text, object_pairs_hook=unique_keys)
        if HALF.search(text):
            json.dumps(data, ensure_ascii=False).encode()
        return data
    except UnicodeEncodeError:
        found = HALF.search(text)
        line = text.count("\n", 0, found.start() if found else 0) + 1
        raise kind(r"a \uD800 to \uDFFF without its other half is no text; remove it", file=file, line=line) from None
    except json.JSONDecodeError as error:
        message = f"this is not JSON: {error.msg} at column {error.colno}"
        raise kind(message, file=file, line=error.lineno) from None
    except ValueError as error:
        raise kind(f"this is not usable JSON: {plainly(error)}", file=file) from None
    except RecursionError:
        raise kind("the file is nested too deeply", file=file) from None


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON, for `object_pairs_hook`. Raises ValueError where a key stands twice."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the key {name!r} stands twice")
        found[name] = value
    return found


def _parse_toml(file: Path, text: str, kind: type[InputError]) -> Any:
    import tomllib  # few documents are TOML

    for key in DOTTED.finditer(text):
        if key["more"] and key[0].count(".") > MAX_PARTS:  # it takes time by the cube of a key's parts
            line = text.count("\n", 0, key.start()) + 1
            raise kind(f"a key of more than {MAX_PARTS} parts", file=file, line=line)
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # TOMLDecodeError is a ValueError; so is a number too long
        raise kind(f"this is not TOML: {plainly(error)}", file=file) from None


def plainly(error: Exception) -> str:
    """What a parser says, but for Python's advice on numbers that are too long."""
    return TOO_LONG if "set_int_max_str_digits" in str(error) else str(error)


def _parse_yaml(file: Path, text: str, kind: type[InputError]) -> Document:
    import yaml

    if len(DIRECTIVES.findall(text)) > MAX_DIRECTIVES:  # each is compared with all before it
        raise kind(f"the file has more than {MAX_DIRECTIVES} lines that begin with %TAG", file=file)
    made = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    loader = made(text)
    try:
        if len(text) > MAX_NODES and values(yaml.parse(text, made)) > MAX_NODES:  # before they fill the memory
            raise kind(f"the file has more than {MAX_NODES:,} values", file=file)
        root = loader.get_single_node()
        if root is None:
            raise kind("the file holds nothing but comments", file=file)
        lines = _lines_of(root, file, kind)
        merge_maps(root, set())
        return Document(file, _constructed(loader, root, Document(file, None, lines), kind), lines)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise kind(f"this is not YAML: {error.problem or error.context}", file=file, line=line) from None
    except (yaml.YAMLError, ValueError) as error:
        raise kind(f"this is not YAML: {' '.join(str(error).split())}", file=file) from None
    except RecursionError:
        raise kind("the file is nested too deeply", file=file) from None
    finally:
        loader.dispose()


def _constructed(loader: yaml.SafeLoader, root: yaml.Node, document: Document, kind: type[InputError]) -> Any:
    """The values of a document. PyYAML raises bare errors for a day that no month has, and where a tag such as `!!bool`
    stands on what is none: `kind` names the key."""
    try:
        return loader.construct_document(root)
    except (AttributeError, LookupError, OverflowError, TypeError, ValueError):
        for path, message in unreadable(loader, root):
            raise document.error(kind, message, path) from None
        raise ValueError("a tag (!!bool, !!int, !!float, !!timestamp) stands on a value that is not one") from None


def _lines_of(root: yaml.Node, file: Path, kind: type[InputError]) -> dict[KeyPath, int]:
    """The line of every key; counting unfolded nodes stops an alias bomb before it is built."""
    if unfolded(root, {}) > MAX_NODES:
        raise kind(f"the file unfolds into more than {MAX_NODES:,} values", file=file)
    lines: dict[KeyPath, int] = {}
    for path, line in walk(root, ()):
        lines.setdefault(path, line)
    return lines


def validate(document: Document, model: type[Model], kind: type[InputError] = InputError) -> Model:
    """`document.data` as `model`; raises `kind` with the first problem: its file, line, key and fix."""
    from pydantic import ValidationError

    if not isinstance(document.data, dict):
        raise kind("the file must be a mapping of keys to values", file=document.file, line=1)
    known = {name for key, field in model.model_fields.items() for name in (key, field.alias) if name}
    foreign = any(not PLAIN_KEY.fullmatch(str(key)) for key in document.data)
    if foreign and not known & {*document.data}:  # another file than is meant: what it holds is not shown
        raise kind(f"none of its keys is known here: {', '.join(sorted(known)[:12])}", file=document.file, line=1)
    context = {"document": document}
    try:
        if is_large(document.data):
            return failing_fast(model).validate_python(document.data, context=context)  # type: ignore[no-any-return]
        return model.model_validate(document.data, context=context)
    except ValidationError as error:
        problem = _first_problem(error)
        raise document.error(kind, _said(problem, model), _in_data(problem, document.data)) from None
    except ValueError as error:
        raise kind(str(error), file=document.file) from None


def _first_problem(error: ValidationError) -> ErrorDetails:
    problems = error.errors(include_url=False)
    typo = next((p for p in problems if p["type"] == "extra_forbidden"), None)  # a typo explains the rest
    return typo or problems[0]


def _in_data(problem: ErrorDetails, data: Any) -> KeyPath:
    """The problem's path as the file has it: pydantic also names alternatives of unions, which no file holds."""
    path = problem["loc"]
    found: list[str | int] = []
    for part in path[:-1] if problem["type"] == "missing" else path:
        held = data if isinstance(data, dict | list) else ()
        if part in (range(len(held)) if isinstance(held, list) else held):
            data = held[part]  # type: ignore[index]
            found.append(part)
    return (*found, path[-1]) if problem["type"] == "missing" else tuple(found)


def _said(problem: ErrorDetails, model: type[BaseModel]) -> str:
    path = problem["loc"]
    if problem["type"] == "extra_forbidden":
        known = _keys_near(model, path[:-1])
        return f"unknown key {str(path[-1])!r}{did_you_mean(str(path[-1]), known)}"
    if problem["type"] == "missing":
        return f"the key {str(path[-1])!r} is missing"
    if problem["type"] == "path_type":
        return "this should be the path of a file, relative to this one's folder"
    message = problem["msg"].removeprefix("Value error, ").replace("Input should", "this should")
    return message[:1].lower() + message[1:] + _given(problem.get("input"), message)


def _given(given: Any, message: str) -> str:
    """` (it is 7)`: the value as the file has it, where it is short enough to help."""
    if isinstance(given, int) and given.bit_length() > MAX_BITS:
        return f" (it is a number of {given.bit_length():,} bits)"
    if not isinstance(given, str | int | float) or str(given) in message:
        return ""
    text = repr(given)
    return f" (it is {text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + '…'})"


def _keys_near(model: type[BaseModel], path: KeyPath) -> list[str]:
    """The keys that the model knows at `path`: read from its JSON Schema, which resolves every alias."""
    schema = model.model_json_schema()
    spots = [schema]
    for part in path:
        spots = [deeper for spot in spots for deeper in _step(spot, part, schema)] or spots
    alternatives = [alternative for spot in spots for alternative in _flatten(spot, schema)]
    return sorted({key for alternative in alternatives for key in alternative.get("properties", {})})


def _flatten(spot: dict[str, Any], root: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "$ref" in spot:
        spot = root["$defs"][spot["$ref"].rsplit("/", 1)[-1]]
    yield spot
    for alternative in (*spot.get("anyOf", ()), *spot.get("oneOf", ())):
        yield from _flatten(alternative, root)


def _step(spot: dict[str, Any], part: str | int, root: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for alternative in _flatten(spot, root):
        if isinstance(part, int) and isinstance(alternative.get("items"), dict):
            yield alternative["items"]
        elif part in alternative.get("properties", {}):
            yield alternative["properties"][part]
        elif isinstance(alternative.get("additionalProperties"), dict):
            yield alternative["additionalProperties"]


def shown_name(name: str) -> str:
    """A key or column of a file, for an error; not where it may be the text of a file of another kind."""
    return repr(name) if PLAIN_KEY.fullmatch(name) else "(a text that is no name)"


def plain_names(names: Iterable[str]) -> list[str]:
    """Those keys or columns of a file that are names; no single one, which may be the text of a file of any kind."""
    listed = list(names)
    return [name for name in listed if PLAIN_KEY.fullmatch(name)] if len(listed) > 1 else []


def nearest(word: str, known: Sequence[str]) -> str:
    """`; did you mean 'tokens'?` where a known word is near, else nothing: for errors that list the known ones."""
    near = get_close_matches(word.lower(), known, n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """`; did you mean 'tokens'?` where a known word is near, else the known words, else nothing."""
    near = nearest(word, known)
    if near:
        return near
    return f"; known here: {', '.join([*known[:12], *['…'] * (len(known) > 12)])}" if known else ""
