"""What looks like usage in a record: numbers under names of tokens, costs and credits, and beside counted fields.

A field is named by its dotted path from the record's top, through lists alike. A dotted key (an attribute) counts as
several parts. What is declared of attributes may leave out the way to them: `gen_ai.usage.input_tokens` is also
`resourceSpans.scopeSpans.spans.attributes.gen_ai.usage.input_tokens`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..shown import shortened_line
from .fits import read_kinds
from .named_things import without_ids

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
_no_usage = re.compile("|".join(f"(?:{pattern})" for pattern in NO_USAGE), re.IGNORECASE).fullmatch

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
NUMBER = re.compile(r"\s*-?[$€£¥]?-?(\d{1,3}(,\d{3}){1,9}|\d{1,30})(\.\d{1,30})?([eE][-+]?\d{1,3})?\s*[$€£¥]?\s*")
SIGNS = re.compile(r"[$€£¥,\s]")  # of an amount, no part of its number
WITHIN_TEXT = ("{", "[", "d")  # "data: {" begins an event of a streamed reply
ATTRIBUTES = "attributes."
UNTYPED = re.compile('[\\x00-\\x1f"\\\\\\ud800-\\udfff]')
HAS_DIGIT = re.compile("[0-9]").search
DOT = "\x1f"  # within a part of a path
QUOTE = '"'
VALUES = ("intValue", "doubleValue", "stringValue")
ANY_KEY = r"[^.]*(?:\.\d[^.]*)*"
PATHS = 16_384  # judged and remembered: a path may have thousands of characters
LONGEST_NAME = 500
"""Characters of a key, or of a column's name, that are judged and kept: no field has more."""


def bounded(name: str) -> str:
    """A key as it is judged and kept: of one that is too long the beginning, the end, and a word that says usage."""
    if len(name) <= LONGEST_NAME:
        return name
    short, word = shortened_line(name, LONGEST_NAME), NAMES.search(name)
    return f"{word.group()}: {short}" if word and not NAMES.search(short) else short


def is_untyped(name: str) -> bool:
    """Whether a name is no field's in a type of msgspec's, or longer than any is."""
    return len(name) > LONGEST_NAME or bool(UNTYPED.search(name))


@lru_cache(4096)
def is_no_usage(name: str) -> bool:
    """Whether a name looks like usage and is none; one name is asked of several times in a row."""
    return _no_usage(name) is not None


class Likeness:
    """What a reader declares of usage, and with it what else of a record looks like usage.

    `acknowledged` are fields that the user knows of: they are reported no more than those left out.
    """

    def __init__(self, reader: Reader) -> None:
        declared = [path.replace("[]", "") for path in (*reader.counted, *reader.left_out)]
        self.declared = (reader.counted, (*reader.left_out, *reader.own), reader.texts, reader.listed)
        self.lists = {path.rpartition("[]")[0].replace("[]", "") for path in reader.counted} | {*reader.listed}
        self.moved = {path.rpartition(".")[2] for path in declared[: len(reader.counted)]} - CONTENT
        self.text_names = {path.rpartition(".")[2] for path in reader.texts}
        self.nested = {path.rpartition("[][]")[0].replace("[]", "") for path in reader.counted}
        self.texts = frozenset(reader.texts)
        self.known = _pattern(reader.counted)
        self.alike = _pattern(reader.counted, any_case=True)
        self.every_path = declared[: len(reader.counted)]
        self.dotted_keys = reader.dotted_keys
        self.left_out = _pattern((*reader.left_out, *reader.own), below=True)
        self.ways = frozenset(
            ".".join(path.split(".")[:end]) for path in declared for end in range(1, path.count(".") + 1)
        )
        self.any_way = _pattern(tuple(path for path in self.ways if "*" in path))
        self.any_key = _pattern(tuple(path for path in self.ways if path.endswith("*")))
        self.holders = _holders(reader.counted)
        self.holder = _pattern(tuple(self.holders))
        self.kinds = read_kinds(reader)
        paths = (*(path for paths in self.declared for path in paths), *self.kinds)
        self.with_digits = {part for path in paths for part in path.casefold().split(".") if HAS_DIGIT(part)}
        self.judge = lru_cache(PATHS)(self._judged)
        self.silent = lru_cache(PATHS)(self._silent)
        self.declares_alike = lru_cache(PATHS)(self._declared_alike)

    def is_way(self, path: str) -> bool:
        """Whether a declared field stands below."""
        return path in self.ways or self.any_way(path)

    def holds_usage(self, key: str, path: str) -> bool:
        """Whether every number below this key is usage."""
        return path in self.holders or (bool(NAMES.search(key)) and not is_no_usage(key))

    def holds_one(self, path: str) -> bool:
        """Whether what holds counted fields here, or is on the way to them, is an object and no list of objects."""
        return (self.is_way(path) or self.holder(path)) and path not in self.lists

    def part(self, path: str, key: str) -> str:
        """A key as a part of a path: one part, where any key may stand here (`us.anthropic.claude-opus-4-8`)."""
        return key.replace(".", DOT) if "." in key and self.any_key(f"{path}.") else key

    def as_thing(self, key: str) -> str:
        """A key without its ids; as it is where its digits are those of a declared field."""
        declared = self.with_digits and not self.with_digits.isdisjoint(key.casefold().split("."))
        return key if declared else without_ids(key)

    def is_astray(self, path: str, key: str, keys: Collection[str] | None) -> bool:
        """Whether a reader takes nothing from a key here, though a declared path is spelt so.

        A key that begins like a version is a level below a model's name and no part of it, and one with dots is no way
        through objects. `keys` are those of the object that the reader takes; None where its columns do not say.
        """
        if key[:1].isdigit() and self.any_key(path):
            return True
        return "." in key and (self._joins(path, key) if keys is None else key not in keys)

    def _joins(self, path: str, key: str) -> bool:
        """Whether a key is the names of several levels that a counted path has below this one."""
        if self.dotted_keys:
            return False
        named = f".{key}"
        ways = [counted.partition(named) for counted in self.every_path if named in counted]
        return any(_pattern((above,))(path) for above, _, below in ways if above and below[:1] in ("", "."))

    def has_attributes(self, path: str) -> bool:
        """Whether a list here is one of attributes."""
        return self.dotted_keys and path.rpartition(".")[2] == "attributes"

    def refuses_text(self, path: str) -> bool:
        """Whether a reader takes nothing from JSON in a text that stands here in a column of JSON."""
        return self.is_way(path) and path not in self.texts

    def refuses_lists(self, path: str) -> bool:
        """Whether a reader takes nothing from a list in the list that stands here in a column of JSON."""
        return self.is_way(path) and path not in self.nested

    def holds_text(self, path: str) -> bool:
        """Whether JSON in a text is looked at: on the way to a declared field, or under a name of usage or of a text
        that a reader takes elsewhere."""
        name = path.rpartition(".")[2]
        elsewhere = name in self.text_names and path not in self.texts
        return self.is_way(path) or elsewhere or self.holds_usage(name, path)

    def opens(self, key: str, path: str) -> bool:
        """Whether objects and lists under a key are looked at: not those that hold what was said."""
        return key not in CONTENT or self.is_way(path)

    def telling(self, path: str, value: dict[str, Any], first: int) -> Iterable[str]:
        """The keys of an object of very many under which something may be usage, and so many of the first."""
        silent = self.silent(path)
        if silent is None:
            return value
        return [
            key
            for place, (key, of_key) in enumerate(value.items())
            if place < first
            or isinstance(of_key, dict | list)
            or "." in key
            or NAMES.search(key)
            or key.casefold() in silent
        ]

    def _silent(self, path: str) -> frozenset[str] | None:
        """The keys of an object that may hold usage and do not say so, in lower case; None where any key may."""
        if NAMES.search(path) or "attributes" in path.casefold() or path in self.holders or path in self.texts:
            return None
        above = f"{path.casefold()}." if path else ""
        declared = [one.replace("[]", "").casefold() for paths in self.declared for one in paths]
        heads = [one.partition("*")[0] for one in declared if "*" in one]
        if any(above.startswith(head) or head.startswith(above) for head in heads):
            return None
        below = {one[len(above) :].partition(".")[0] for one in declared if one.startswith(above)}
        return frozenset(below | {name.casefold() for name in self.moved | self.text_names})

    def leaves_out(self, path: str) -> bool:
        """Whether all that is in an object is known and left out."""
        return bool(path and self.left_out(path) and not MEDIA.search(path))

    def _declared_alike(self, path: str, other: str) -> bool:
        """Whether the same is declared below two keys of one object, of which neither itself says usage or content."""
        names = (path.rpartition(".")[2], other.rpartition(".")[2])
        if "attributes" in path + other or any(map(NAMES.search, names)) or not CONTENT.isdisjoint(names):
            return False
        return not any(map(MEDIA.search, names)) and all(
            _below(declared, path) == _below(declared, other) and not _by_any_key(declared, (path, other))
            for declared in self.declared
        )

    def is_media(self, path: str) -> bool:
        """Whether a path is of audio, images or video that has no class: it is priced as text within its figure."""
        return bool(MEDIA.search(path) and "token" in path.lower() and self.left_out(path) and not self.known(path))

    def _judged(self, path: str, usage: bool, astray: bool = False) -> bool:
        """Whether a number at this path would be unread usage; `astray` where the reader takes nothing from it."""
        parts = path.split(".")
        if self.is_media(path):
            return not is_no_usage(parts[-1])
        named = (
            usage
            or (self.alike(path) and (astray or not self.known(path)))
            or ".".join(parts[:-1]) in self.holders
            or (parts[-1] in self.moved and self.is_way(".".join(parts[:-1])))
            or any(map(NAMES.search, parts))
        )
        return named and not is_no_usage(parts[-1]) and (astray or not self.known(path)) and not self.left_out(path)


def _pattern(paths: Sequence[str], *, below: bool = False, any_case: bool = False) -> Callable[[str], bool]:
    """What says whether a path is one of these, or stands `below` one; or is so below attributes.

    `*` is any key, with a version too (`gpt-5.6`). Of paths without one, no pattern is compiled: there are hundreds.
    """
    if not paths:
        return lambda _: False
    spelt = str.casefold if any_case else str
    flat = [path.replace("[]", "") for path in paths]
    exact = frozenset(spelt(path) for path in flat if "*" not in path)
    starred = _compiled([path for path in flat if "*" in path], below, any_case)

    def is_one(path: str) -> bool:
        alike = spelt(path)
        if any(one in exact and "\n" not in rest for one, rest in _ends(alike, below)):
            return True
        return starred is not None and starred(path) is not None

    return lru_cache(PATHS)(is_one)


def _ends(path: str, below: bool) -> Iterator[tuple[str, str]]:
    """The path, and what of it stands below attributes; with `below`, also the ways to these, each with the rest."""
    start = 0
    while True:
        one = path[start:]
        yield one, ""
        place = one.find(".") if below else -1
        while place >= 0:
            yield one[:place], one[place:]
            place = one.find(".", place + 1)
        start = path.find(ATTRIBUTES, start) + len(ATTRIBUTES)
        if start < len(ATTRIBUTES) or "\n" in path[:start]:
            return


def _compiled(paths: Sequence[str], below: bool, any_case: bool) -> Callable[[str], Any] | None:
    if not paths:
        return None
    one = "|".join(re.escape(path).replace(r"\*", ANY_KEY) for path in paths)
    end = r"(\..*)?" if below else ""
    return re.compile(rf"(?:.*attributes\.)?(?:{one}){end}", re.IGNORECASE if any_case else 0).fullmatch


def _below(declared: Sequence[str], path: str) -> set[str]:
    """What is declared at a path and below it; whole, where lists are marked above."""
    flat = [(one, one.replace("[]", "")) for one in declared if path in one.replace("[]", "")]
    below = [one for one, plain in flat if plain.startswith(path) and plain[len(path) :][:1] in ("", ".")]
    return {one[len(path) :] if one.startswith(path) else one for one in below}


def _by_any_key(declared: Sequence[str], paths: Sequence[str]) -> bool:
    """Whether one of these paths, or what is above it, is declared by a key that may be any."""
    heads = [one.replace("[]", "").partition("*")[0] for one in declared if "*" in one]
    return any(path.startswith(head) for head in heads for path in paths)


def _holders(counted: Sequence[str]) -> frozenset[str]:
    """The objects that hold counted fields: beside these, every number is usage. Not those that hold anything else."""
    above = {path.replace("[]", "").rpartition(".")[0] for path in counted}
    return frozenset(
        path for path in above if path and path.rpartition(".")[2] not in ("attributes", "metadata", "data")
    )
