"""The keys of Langfuse's `usageDetails`: which are counted, and SQL for what stands under them."""

from __future__ import annotations

import json

from ..aliases import (
    LANGFUSE,
    LANGFUSE_CACHED_MODALITIES,
    LANGFUSE_CACHED_PARTS,
    LANGFUSE_INPUTS,
    LANGFUSE_MEDIA,
    LANGFUSE_OUTPUTS,
    LANGFUSE_REASONING,
    LANGFUSE_SEARCHES,
    LANGFUSE_THOUGHTS,
    LANGFUSE_TIERS,
    LANGFUSE_TOOL_INPUTS,
    LANGFUSE_TOTALS,
)
from ..reader import identifier
from .counts import count_in_text
from .nested import media_counts

COUNTED = (
    *(*LANGFUSE_INPUTS, *LANGFUSE_OUTPUTS, *LANGFUSE_TOTALS, *(key.name for key in LANGFUSE)),
    *(*LANGFUSE_CACHED_PARTS, *LANGFUSE_THOUGHTS, *LANGFUSE_TOOL_INPUTS, *LANGFUSE_REASONING, *LANGFUSE_SEARCHES),
)
_NAMES = tuple(dict.fromkeys(COUNTED))
_MEDIA = {**LANGFUSE_MEDIA, "modal": LANGFUSE_CACHED_MODALITIES}
COUNTED = (*COUNTED, *LANGFUSE_TIERS, *dict.fromkeys(name for names in _MEDIA.values() for name in names))
_WAYS = {
    part: [way for name in names for way in ([f'"{name}"', name] if "." in name else [name])]
    for part, names in _MEDIA.items()
}
_MEDIA_WORDS = ("audio", "image", "modality")
MEDIA = media_counts("counts", _WAYS, "|".join(_MEDIA_WORDS), _MEDIA_WORDS)
"""SQL for what stands under the keys of media (`by_medium`), each as it is and as the way to it; few rows have any."""


def _counted(*names: str) -> list[str]:
    return [count_in_text(_stated(name)) for name in names]


# A struct is quicker than a list of paths by half; few counts stand in an object of their own.
SHAPE = json.dumps(dict.fromkeys(_NAMES, "VARCHAR"))
NESTED = tuple(f"$.{name}" for name in _NAMES if "." in name)


def _stated(name: str) -> str:
    """A count by its key; a dotted one may also stand in an object of its own."""
    flat = f"stated.{identifier(name)}"
    return f"coalesce({flat}, nested[{NESTED.index(f'$.{name}') + 1}])" if "." in name else flat


def largest(where: str, measure: str) -> str:
    """The largest count under the keys of a measure: they are names of one thing."""
    texts = [_stated(key.name) for key in LANGFUSE if (key.where, key.measure) == (where, measure)]
    counts = ", ".join(map(count_in_text, texts))
    found = f"CASE WHEN least({counts}) < 0 THEN -1 ELSE greatest({counts}) END"
    return f"CASE WHEN coalesce({', '.join(texts)}) IS NULL THEN 0 ELSE {found} END" if texts else "0"


def by_medium() -> str:
    """SQL for the columns of audio and images (PARTS of media.py), and `modal`, all that was cached by modality."""
    columns, start = {}, 1
    for part, ways in _WAYS.items():
        own = f"media[{start}:{start + len(ways) - 1}]"
        columns[part] = f"CASE WHEN media IS NULL THEN 0 WHEN list_min(media) < 0 THEN -1 ELSE list_sum({own}) END"
        start += len(ways)
    for medium in ("audio", "image"):
        columns[f"{medium}_in"] = f"{medium}_fresh + {medium}_read + {medium}_in_input"
        columns[f"{medium}_out"] = f"{medium}_answered + {medium}_in_output"
    return ", ".join(f"{sql} AS {name}" for name, sql in columns.items())


def _together(*counts: str) -> str:
    return f"CASE WHEN least({', '.join(counts)}) < 0 THEN -1 ELSE {' + '.join(counts)} END"


def first(names: tuple[str, ...]) -> str:
    """The count under the first of these names that is there."""
    return count_in_text(f"coalesce({', '.join(map(_stated, names))})")


def sum_of(names: tuple[str, ...]) -> str:
    """The sum of counts, each under its name; -1 where one is none."""
    return _together(*_counted(*names))


def more(start: str) -> str:
    """The sum of `input_audio_tokens`, `output_reasoning` and so on: what stands beside `input` or `output`.

    A count that is none or negative must not vanish in it.
    """
    keys = f"""list_filter(json_keys(counts), lambda k: regexp_full_match(k, '{start}_\\w+') AND k <> '{start}_tokens'
        AND k NOT LIKE '%cache%' AND k NOT LIKE '%ephemeral%')"""
    cache = "[^c]|c(?:[^a]|a(?:[^c]|c(?:[^h]|h[^e])))"  # how a key goes on that is none of a cache's
    counts = f"list_transform({keys}, lambda k: {count_in_text('(counts ->> k)')})"
    found = f"CASE WHEN list_min({counts}) < 0 THEN -1 ELSE coalesce(list_sum({counts}), 0) END"
    return f"CASE WHEN regexp_matches(counts::VARCHAR, '\"{start}_(?:{cache})') THEN {found} ELSE 0 END"
