"""Find model names in source code: the article's "never hardcode model names, always reference a config key".

Names are found by their shapes (claude-…, gpt-4…, gemini-…, provider/model) and by the routing's own models.
Routing files, price books and architectures are where models belong, so they are not looked into.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path

from ...errors import InputError
from ..findings import Finding
from ..routing.resolve import FALLBACK
from ..routing.routing import RoutingConfig
from .rules import finding_of
from .source import Line, code_lines, language, read_source, source_files

IGNORE = "costsim: ignore"
"""A line that says so, in a comment, is not a finding."""

_PROVIDERS = (
    "anthropic|openai|google|gemini|vertex_ai|vertex|bedrock|azure|azure_ai|openrouter|kimi-coding|moonshot|"
    "moonshotai|mistral|mistralai|meta-llama|deepseek|x-ai|xai|cohere|groq|together|together_ai|fireworks_ai|"
    "ollama|qwen|z-ai|litellm|litellm_proxy|perplexity|replicate|cerebras"
)
_FAMILIES = "|".join(
    (
        r"claude-(?!code|desktop|agent)(?:[a-z]+-)?v?\d[\w.-]*",
        r"claude-(?:opus|sonnet|haiku)-latest",
        r"gpt-(?:\d|oss-)[\w.-]*",
        r"chatgpt-\d[\w.-]*",
        r"o[134]-(?:mini|pro|preview|deep-research)[\w.-]*",
        r"gemini-(?:\d|pro|flash|ultra)[\w.-]*",
        r"kimi-(?:for-coding|latest|thinking|k\d)[\w.-]*",
        r"moonshot-v\d[\w.-]*",
        r"deepseek-(?:chat|coder|reasoner|[vr]\d)[\w.-]*",
        r"(?:open-)?(?:mistral|mixtral|ministral|codestral|devstral|magistral|pixtral)-"
        r"(?:tiny|small|medium|large|nemo|saba|latest|\d)[\w.-]*",
        r"(?:meta-)?llama-?[2-9][\w.-]*",
        r"qwen-?(?:\d|max|plus|turbo)[\w.-]*",
        r"grok-(?:\d|beta|code)[\w.-]*",
        r"command-r(?:-plus|7b)?(?:-\d[\w.-]*)?",
        r"glm-\d[\w.-]*",
        r"text-embedding-(?:ada|\d)[\w.-]*",
        r"amazon\.nova-(?:micro|lite|pro|premier)[\w.-]*",
    )
)
_HINTS = (
    *(
        "claude-",
        "gpt-",
        "o1-",
        "o3-",
        "o4-",
        "gemini-",
        "kimi-",
        "moonshot-",
        "deepseek-",
        "stral-",
        "xtral-",
        "llama",
    ),
    *("qwen", "grok-", "command-r", "glm-", "text-embedding-", "nova-"),
    *(quote + name for quote in "\"'`" for name in ("o1", "o3", "o4")),
)
"""No name without one of these: a plain search for these passes over nearly every line quickly."""
_REGION = r"(?:(?:us|eu|apac|jp|au|global)\.)?(?:anthropic\.|meta\.|deepseek\.|mistral\.)?"
_PREFIXES = 8
"""Of providers before a model, one in another: more are no name, and a chain of them is read once."""
_START, _END = r"(?<![\w./@+-])", r"(?![\w/(-]|\.\w)"
_HEAD, _LONGEST = 5, 200
"""Characters of a routing's own model by which it is looked up, and of the longest that is: a name, no text."""
_HEADS, _ENDED = re.compile(rf"{_START}(?=(.{{{_HEAD}}}))"), re.compile(_END)
_SHAPE = re.compile(
    rf"{_START}(?:(?:{_PROVIDERS})[/:]){{0,{_PREFIXES}}}{_REGION}(?:{_FAMILIES})(?::\d+)?(?:@\d+)?{_END}", re.IGNORECASE
)
_ONLY_NAME = re.compile(r"o[134]")  # too short to be known by its shape: only as the whole value of a model
_KEY_BACKWARDS = re.compile(r"[\"'`]?\s*[:=(]\s*[\"']?(\w*)")
_ENDINGS = "py|js|ts|jsonl?|ya?ml|toml|md|txt|html?|csv|png|jpe?g|svg|pdf|sh|log|css|gguf|safetensors"
_FILE_NAME = re.compile(rf"\.(?:{_ENDINGS})$", re.IGNORECASE)
_CONFIGS = frozenset({"json", "json5", "jsonc", "yaml", "yml", "toml"})
_MODEL_FILE = re.compile(
    r"""^\s*["']?(?:model_routing|usd_per_mtok|usd_per_thousand)["']?\s*[:=]|[{,]\s*"?usd_per_mtok"?\s*:|^\[+model_routing""",
    re.MULTILINE,
)
_ARCHITECTURE = (
    re.compile(r"""^["']?components["']?\s*[:=]|^\s{1,4}"components"\s*:|^\[\[components""", re.MULTILINE),
    re.compile(r"""^\s{0,4}["']?(?:routing|crons|book|prices|claims|plans)["']?\s*[:=]""", re.MULTILINE),
)

_SHOWN = 10
"""Of the keys that a fix names."""

Canonical = Callable[[str], object | None]
"""A model's identity at a price book: equal for two names of the same model, None for an unknown one."""


@dataclass(frozen=True)
class Named:
    """A model's name in a text: its line and column, from 1."""

    model: str
    line: int
    column: int


@dataclass(frozen=True)
class _Names:
    """The names of a routing's own models: by their first characters, then by length, longest first, in lower case."""

    by_head: Mapping[str, Mapping[int, Collection[str]]]

    def may_be_in(self, text: str) -> bool:
        """Whether a name may stand in the text: one of these, or one of the others, which all have a hint."""
        lower = text.lower()
        return any(hint in lower for hint in _HINTS) or any(True for _ in self._heads(text, 0, len(text)))

    def spans(self, text: str, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Where these names stand in a stretch of a line: the longest at each place, none within another."""
        past = first
        for start, by_length in self._heads(text, first, last):
            ends = (
                start + length
                for length, names in by_length.items()
                if start + length <= last and text[start : start + length].lower() in names
            )
            end = next((end for end in ends if _ENDED.match(text, end, last)), past)
            if start >= past and end > past:
                yield start, end
                past = end

    def _heads(self, text: str, first: int, last: int) -> Iterator[tuple[int, Mapping[int, Collection[str]]]]:
        for found in _HEADS.finditer(text, first, last) if self.by_head else ():
            if by_length := self.by_head.get(found[1].lower()):
                yield found.start(), by_length


def lint_code(
    path: Path, config: RoutingConfig, canonical: Canonical | None = None, exclude: Sequence[str] = ()
) -> list[Finding]:
    """Every model name hard-coded in a file, or in the source files of a folder, with the routing key to use.

    `canonical` (such as `PriceBook.resolve`) knows a model by its other names; `exclude` are globs on names and
    on paths relative to the folder. Raises InputError where the path does not exist.
    """
    if not path.exists():
        raise InputError("there is no such file or folder", file=path)
    files = source_files(path, exclude) if path.is_dir() else [path]
    own, keys, routing = _own_names(config), keys_of(config, canonical), config.document.file.resolve()
    return [
        _finding(file, named, keys(named.model), config)
        for file in files
        if file.resolve() != routing
        for named in _named_in(file, own)
    ]


def keys_of(config: RoutingConfig, canonical: Canonical | None = None) -> Callable[[str], tuple[str, ...]]:
    """What gives the routing keys whose model a name means: as written, without its provider, or canonically."""
    known = list(config.model_routing.items())
    by_bare = _places(_bare(model) for _, model in known)
    by_meaning = _places(canonical(model) for _, model in known) if canonical else {}

    @cache
    def keys(model: str) -> tuple[str, ...]:
        meant = canonical(model) if canonical else None
        same = {*by_bare.get(_bare(model), ()), *(by_meaning.get(meant, ()) if meant is not None else ())}
        return tuple(known[n][0] for n in sorted(same))

    return keys


def _places(names: Iterable[object | None]) -> dict[object | None, list[int]]:
    found: dict[object | None, list[int]] = {}
    for n, name in enumerate(names):
        found.setdefault(name, []).append(n)
    return found


def _bare(model: str) -> str:
    """Without its provider, written `openai/gpt-4o` or `openai:gpt-4o`; Bedrock's `…-v1:0` is no provider's."""
    return re.sub(rf"^(?:{_PROVIDERS}):", "", model.lower().rpartition("/")[2])


def _finding(file: Path, named: Named, keys: Sequence[str], config: RoutingConfig) -> Finding:
    tasks = [key for key in keys if key != FALLBACK] or list(keys)
    message = f"{named.model!r} is hard-coded"
    fix = f"look up {' or '.join(f'model_routing.{key}' for key in tasks[:_SHOWN])}"
    fix += f" or {len(tasks) - _SHOWN:,} more" if len(tasks) > _SHOWN else ""
    if not tasks:
        message += ", and the routing does not name it"
        fix = f"give it a key in {config.document.file.name} and look that up"
    end = named.column + len(named.model)
    return finding_of("hardcoded-model", message, fix, file, named.line, (named.column, end), keys=tuple(tasks))


def _named_in(file: Path, own: _Names) -> list[Named]:
    text, ending = read_source(file), language(file) or "sh"
    if text is None or (ending in _CONFIGS and _names_models_by_right(text)):
        return []
    if not own.may_be_in(text):
        return []
    source = text.split("\n")
    lines = (line for line in code_lines(text, ending) if IGNORE not in source[line.number - 1])
    return [named for line in lines if own.may_be_in(line.text) for named in _named(line, own)]


def _names_models_by_right(text: str) -> bool:
    """Whether it is a routing, a price book or an architecture."""
    return bool(_MODEL_FILE.search(text)) or all(part.search(text) for part in _ARCHITECTURE)


def _named(line: Line, own: _Names) -> list[Named]:
    """The names in a line, in order, none within another (as the model within provider/model is)."""
    found: list[Named] = []
    for start, end in sorted(set(_matches(line, own)), key=lambda span: (span[0], -span[1])):
        inside = found and start < found[-1].column - 1 + len(found[-1].model)
        if not inside and line.in_use(start, end):
            found.append(Named(line.text[start:end], line.number, start + 1))
    return found


def _matches(line: Line, own: _Names) -> Iterator[tuple[int, int]]:
    for first, last in line.spans():
        shaped = (match.span() for match in _SHAPE.finditer(line.text, first, last))
        for start, end in chain(own.spans(line.text, first, last), shaped):
            name = line.text[start:end].rstrip(".-")
            if not _FILE_NAME.search(name):
                yield start, start + len(name)
        if _ONLY_NAME.fullmatch(line.text, first, last) and _is_of_a_model(line.text[:first]):
            yield first, last


def _is_of_a_model(before: str) -> bool:
    """Whether what stands before a value is a key with `model` in it; read from its end, for it may be long."""
    key = _KEY_BACKWARDS.match(before[::-1])
    return bool(key and "ledom" in key[1].lower())


def _own_names(config: RoutingConfig) -> _Names:
    """The routing's own models, with and without provider; plain words say too little to be recognised."""
    models = config.model_routing.values()
    names = {
        name for model in models for name in (model, _bare(model)) if len(name) >= _HEAD and re.search(r"\d|-|/", name)
    }
    by_head: dict[str, dict[int, set[str]]] = {}
    for name in sorted(names, key=len, reverse=True):
        if len(name) <= _LONGEST:
            by_head.setdefault(name[:_HEAD].lower(), {}).setdefault(len(name), set()).add(name.lower())
    return _Names(by_head)
