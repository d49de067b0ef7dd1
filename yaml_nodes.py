"""The nodes of a YAML document: how many it has, and the line of each key; bounded before they become values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from .shown import MAX_NAME, shortened

if TYPE_CHECKING:
    import yaml

MAX_NODES = 1_000_000
MAX_DIGITS = 4_300
"""Characters of a number in a file: Python reads no more, and YAML's base 60 (`1:30`) takes time by their square."""
TOO_LONG = f"a number of more than {MAX_DIGITS:,} digits"
NUMBERS = {"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"}
MERGE = "tag:yaml.org,2002:merge"
TIMES = "tag:yaml.org,2002:timestamp"
OPEN = -1  # the count of a node whose parts are being counted
BASE_8 = re.compile(r"[-+]?0[0-7_]+")

KeyPath = tuple[str | int, ...]


def values(events: Iterator[yaml.Event]) -> int:
    """How many values a document has, counted no further than it takes to know that they are too many."""
    import yaml

    nodes = (event for event in events if isinstance(event, yaml.NodeEvent))
    return sum(1 for _ in islice(nodes, MAX_NODES + 1))


def _is_too_long(node: yaml.Node) -> bool:
    """Whether it is a number that takes longer to compute than its length: of base 10 or 60, not of 16, 8 or 2."""
    text = node.value
    if not isinstance(text, str) or len(text) <= MAX_DIGITS or node.tag not in NUMBERS:
        return False
    return ":" in text or text.lstrip("+-")[:1] != "0"


def _check_number(node: yaml.Node) -> None:
    """Raises ValueError for a number that takes too long to compute, or that YAML reads in another base than people."""
    text = node.value
    if not isinstance(text, str) or node.tag not in NUMBERS:
        return
    line = node.start_mark.line + 1
    if _is_too_long(node):
        raise ValueError(f"{TOO_LONG}, in line {line}")
    if ":" in text:
        raise ValueError(f"{text} in line {line} is a number of base 60 in YAML; write it in base 10, or quote a text")
    plain = text.replace("_", "")
    if BASE_8.fullmatch(text) and int(plain, 8) != int(plain):
        raise ValueError(f"{text} in line {line} is {int(plain, 8)} in YAML, of base 8; write it without the leading 0")


def unfolded(node: yaml.Node, known: dict[int, int]) -> int:
    """How many nodes it is with every alias written out; `known` counts each node once. Raises ValueError."""
    if known.get(id(node)) == OPEN:
        raise ValueError(f"the list or map in line {node.start_mark.line + 1} holds itself; write out what is meant")
    if id(node) not in known:
        _check_number(node)
        known[id(node)] = OPEN
        children = node.value if isinstance(node.value, list) else ()
        each = [part for child in children for part in (child if isinstance(child, tuple) else (child,))]
        known[id(node)] = 1 + sum(unfolded(part, known) for part in each)
    return known[id(node)]


def walk(node: yaml.Node, path: KeyPath) -> Iterator[tuple[KeyPath, int]]:
    """Each key below `path` and its line. Raises ValueError where one stands twice."""
    import yaml

    yield path, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            if name in seen:
                raise ValueError(f"the key {name!r} stands twice, again in line {key.start_mark.line + 1}")
            seen.add(name)
            yield (*path, name), key.start_mark.line + 1
            yield from walk(value, (*path, name))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from walk(value, (*path, index))


def unreadable(loader: yaml.SafeLoader, node: yaml.Node, path: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
    """The key of each value or key that is not what its tag says, and what to do."""
    import yaml

    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from unreadable(loader, key, (*path, str(key.value)))
            yield from unreadable(loader, value, (*path, str(key.value)))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from unreadable(loader, value, (*path, index))
    else:
        loader.recursive_objects.clear()  # what failed before is open there for ever
        try:
            loader.construct_object(node)
        except (AttributeError, LookupError, OverflowError, TypeError, ValueError):
            yield path, _no_value(node)


def _no_value(node: yaml.Node) -> str:
    text = repr(shortened(node.value, MAX_NAME))
    if node.tag == TIMES:
        return f"{text} is no day or time that exists; write a day as YYYY-MM-DD, and quotes around a text"
    return f"{text} is not what its tag !!{node.tag.rpartition(':')[2]} says; take the tag out"


def merge_maps(node: yaml.Node, done: set[int]) -> None:
    """Replace each `<<` by the pairs of the maps that it names: own keys win, then those of the map named first.

    PyYAML takes the last map's, or the first's, by where its strings lie in memory. Raises ValueError.
    """
    import yaml

    if id(node) in done or not isinstance(node.value, list):
        return
    done.add(id(node))
    for child in node.value:
        for part in child if isinstance(child, tuple) else (child,):
            merge_maps(part, done)
    if isinstance(node, yaml.MappingNode) and any(key.tag == MERGE for key, _ in node.value):
        own = [pair for pair in node.value if pair[0].tag != MERGE]
        taken = [pair for key, value in node.value if key.tag == MERGE for pair in _pairs(value)]
        found = {(key.tag, key.value if isinstance(key.value, str) else id(key)): (key, value)
                 for key, value in reversed([*own, *taken])}  # fmt: skip
        node.value = [*reversed(found.values())]


def _pairs(value: yaml.Node) -> list[tuple[yaml.Node, yaml.Node]]:
    """The pairs of the map under `<<`, or of a list of maps."""
    import yaml

    maps = value.value if isinstance(value, yaml.SequenceNode) else [value]
    if not all(isinstance(one, yaml.MappingNode) for one in maps):
        raise ValueError(f"<< in line {value.start_mark.line + 1} takes a map, or a list of maps")
    return [pair for one in maps for pair in one.value]
