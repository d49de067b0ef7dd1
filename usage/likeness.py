"""What looks like usage in a record: numbers under names of tokens, costs and credits, and beside counted fields.

A field is named by its dotted path from the record's top, through lists alike. A dotted key (an attribute) counts as
several parts. What is declared of attributes may leave out the way to them: `gen_ai.usage.input_tokens` is also
`resourceSpans.scopeSpans.spans.attributes.gen_ai.usage.input_tokens`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .reader import Reader

# Parts of a counted figure that price lists price apart: costsim prices them as text, and says so.
MEDIA = re.compile(r"audio|image|video", re.IGNORECASE)
NAMES = re.compile(r"token|cost|credit|usage", re.IGNORECASE)

# Names that look like usage and are none. The first that matches the last part of a path, with what it is.
NO_USAGE = {
    r"max_?(\w+_)?tokens\w*|\w*budget_?tokens|\w*token_?(limit|budget)\w*": "a limit that a request sets",
    r"\w*context_?(window|limit)\w*": "the size of a model's context",
    r"\w*_per_\w*|\w*Per[A-Z]\w*|\w*(price|rate|ratio|percent|pct|score|speed)\w*": "a price or a ratio",
    r"\$?\w*(duration|latency|elapsed|timestamp|created|updated|expires|ttft|ttl|unixnano)\w*": "a time",
    r"\$?\w*_?(ms|at|time|seconds)": "a time",
    r"\w*time_?to_?(first|last)_?\w*|\w*(first|last)_token_(time|at)\w*": "a time",
    r"\w*(status|code)|\$?\w*_call_count": "how a call went, or how many tools it called",
    r"(\w*_)?(id|ids|index|version|offset|position)|\w*(Id|Index|Version|Revision)": "a number that counts nothing",
    r"\w*cost_?(cent(er|re)|code|basis|type)\w*": "whose cost it is, or of which kind",
    r"(access|refresh|id|csrf|auth|bearer|session|api|device)_?tokens?\w*": "a secret",
    r"token_?(type|ids?|source|name|hash)\w*|logprobs?\w*": "about a token, not how many",
    r"\w*(balance|remaining|quota|limit)\w*": "what is left to be used",
}
_NO_USAGE = re.compile("|".join(f"(?:{pattern})" for pattern in NO_USAGE), re.IGNORECASE)

# Objects and lists under these hold what was said, not what it cost.
CONTENT = frozenset(
    [
        "content",
        "contents",
        "messages",
        "message_content",
        "prompt",
        "prompts",
        "completion",
        "completions",
        "arguments",
        "args",
        "parameters",
        "tools",
        "tool_input",
        "tool_calls",
        "tool_use",
        "input",
        "output",
        "text",
        "body",
        "schema",
        "input_schema",
        "request_body",
        "headers",
        "choices",
        "rate_limits",
        "rateLimits",
        "modelParameters",
        "model_parameters",
        "invocation_parameters",
    ]
)
NUMBER = re.compile(r"\s*-?(\d{1,30})(\.\d{1,30})?([eE][-+]?\d{1,3})?\s*")
WITHIN_TEXT = ("{", "[", "d")  # "data: {" begins an event of a streamed reply
VALUES = ("intValue", "doubleValue", "stringValue")
DEEPEST = 24
PATHS = 65_536  # judged and remembered


@dataclass(frozen=True)
class Number:
    """A number that looks like usage: where it stands, and as it is written."""

    field: str
    written: str


class Likeness:
    """What a reader declares of usage, and with it what else of a record looks like usage.

    `acknowledged` are fields that the user knows of: they are reported no more than those left out.
    """

    def __init__(self, reader: Reader) -> None:
        declared = (*reader.counted, *reader.left_out)
        self.known = _pattern(reader.counted, "")
        self.left_out = _pattern(tuple(reader.left_out), r"(\..*)?")
        self.ways = frozenset(
            ".".join(path.split(".")[:end]) for path in declared for end in range(1, path.count(".") + 1)
        )
        self.holders = _holders(reader.counted)
        self.judge = lru_cache(PATHS)(self._judged)

    def numbers(self, record: Any) -> Iterator[Number]:
        """The numbers in a record that look like usage, but for 0, and are neither counted nor left out."""
        return self._walk(record, "", False, DEEPEST)

    def within(self, value: Any, path: str) -> Iterator[Number]:
        """The same of a value that stands at a path of a record."""
        return self._walk(value, path, False, DEEPEST)

    def _walk(self, value: Any, path: str, usage: bool, depth: int) -> Iterator[Number]:
        if isinstance(value, dict):
            yield from self._entries(value, path, usage, depth)
        elif isinstance(value, list):
            yield from self._items(value, path, usage, depth)
        elif isinstance(value, str):
            yield from self._text(value, path, usage, depth)
        elif value and value is not True and self.judge(path, usage):
            yield Number(path, repr(value))

    def _entries(self, entries: dict[str, Any], path: str, usage: bool, depth: int) -> Iterator[Number]:
        if not depth or (path and self.left_out(path) and not MEDIA.search(path)):
            return
        for key, value in entries.items():
            if value is None or value is False:
                continue
            there = f"{path}.{key}" if path else key
            if isinstance(value, dict | list):
                within = usage or self._holds_usage(key, there)
                if within or key not in CONTENT or there in self.ways:
                    yield from self._walk(value, there, within, depth - 1)
            else:
                yield from self._walk(value, there, usage, depth)

    def _items(self, items: list[Any], path: str, usage: bool, depth: int) -> Iterator[Number]:
        for item in items:
            if isinstance(item, dict) and "key" in item and "value" in item:  # an attribute of OTLP
                yield from self._walk(_attribute(item["value"]), f"{path}.{item['key']}", usage, depth - 1)
            elif isinstance(item, dict | list) and depth:
                yield from self._walk(item, path, usage, depth - 1)

    def _text(self, value: str, path: str, usage: bool, depth: int) -> Iterator[Number]:
        """A number written as text, or JSON in a text on the way to a declared field or under a name of usage."""
        if value[:1] in WITHIN_TEXT:
            if depth and (path in self.ways or self._holds_usage(path.rpartition(".")[2], path)):
                yield from self._walk(_loads(value), path, usage, depth - 1)
        elif len(value) < 40 and self.judge(path, usage) and NUMBER.fullmatch(value) and float(value):
            yield Number(path, value.strip())

    def _holds_usage(self, key: str, path: str) -> bool:
        return path in self.holders or (bool(NAMES.search(key)) and not _NO_USAGE.fullmatch(key))

    def is_media(self, path: str) -> bool:
        """Whether a declared path is of audio or images: it is priced as text within the figure that it is part of."""
        return bool(MEDIA.search(path) and "token" in path.lower() and (self.known(path) or self.left_out(path)))

    def _judged(self, path: str, usage: bool) -> bool:
        """Whether a number at this path would be unread usage."""
        parts = path.split(".")
        if self.is_media(path):
            return not _NO_USAGE.fullmatch(parts[-1])
        named = usage or ".".join(parts[:-1]) in self.holders or any(map(NAMES.search, parts))
        return named and not _NO_USAGE.fullmatch(parts[-1]) and not self.known(path) and not self.left_out(path)


def _pattern(paths: Sequence[str], end: str) -> Any:
    """What matches one of these paths, or one below attributes."""
    if not paths:
        return lambda _: None
    one = "|".join(re.escape(path).replace(r"\*", "[^.]*") for path in paths)
    return lru_cache(PATHS)(re.compile(rf"(?:.*attributes\.)?(?:{one}){end}", re.IGNORECASE).fullmatch)


def _holders(counted: Sequence[str]) -> frozenset[str]:
    """The objects that hold counted fields: beside these, every number is usage. Not those that hold anything else."""
    above = {path.rpartition(".")[0] for path in counted}
    return frozenset(
        path for path in above if path and path.rpartition(".")[2] not in ("attributes", "metadata", "data")
    )


def _attribute(value: Any) -> Any:
    """An attribute's value without the name of its type."""
    if isinstance(value, dict):
        return next((value[kind] for kind in VALUES if kind in value), value)
    return value


def _loads(text: str) -> Any:
    """What JSON in a text says; of the events of a streamed reply, a list."""
    if text[:1] == "d":
        return [_loads(line[5:].strip()) for line in text.splitlines() if line[:5] == "data:" and "{" in line]
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
