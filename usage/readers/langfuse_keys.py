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
    LANGFUSE_TOOL_INPUTS,
    LANGFUSE_TOTALS,
)
from ..reader import identifier, text
from .counts import count_in_text

COUNTED = (
    *(*LANGFUSE_INPUTS, *LANGFUSE_OUTPUTS, *LANGFUSE_TOTALS, *(key.name for key in LANGFUSE)),
    *(*LANGFUSE_CACHED_PARTS, *LANGFUSE_THOUGHTS, *LANGFUSE_TOOL_INPUTS, *LANGFUSE_REASONING, *LANGFUSE_SEARCHES),
)
_NAMES = tuple(dict.fromkeys(COUNTED))
_MEDIA_NAMES = (*(name for names in LANGFUSE_MEDIA.values() for name in names), *LANGFUSE_CACHED_MODALITIES)
_MEDIA_PATHS = tuple(path for name in _MEDIA_NAMES for path in (f'$."{name}"', f"$.{name}"))
COUNTED = (*COUNTED, *_MEDIA_NAMES)
MEDIA = f"""CASE WHEN regexp_matches(counts::VARCHAR, 'audio|image|modality')
    THEN json_extract_string(counts, [{", ".join(map(text, _MEDIA_PATHS))}]) END"""
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
    columns = {part: _sum_of_media(names) for part, names in LANGFUSE_MEDIA.items()}
    for medium in ("audio", "image"):
        columns[f"{medium}_in"] = _together(f"{medium}_fresh", f"{medium}_read", f"{medium}_in_input")
        columns[f"{medium}_out"] = _together(f"{medium}_answered", f"{medium}_in_output")
    columns["modal"] = _sum_of_media(LANGFUSE_CACHED_MODALITIES)
    return ", ".join(f"{sql} AS {name}" for name, sql in columns.items())


def _together(*counts: str) -> str:
    return f"CASE WHEN least({', '.join(counts)}) < 0 THEN -1 ELSE {' + '.join(counts)} END"


def _sum_of_media(names: tuple[str, ...]) -> str:
    places = (2 * _MEDIA_NAMES.index(name) + 1 for name in names)
    counts = [count_in_text(f"coalesce(media[{place}], media[{place + 1}])") for place in places]
    return f"CASE WHEN media IS NULL THEN 0 ELSE {_together(*counts)} END"


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
