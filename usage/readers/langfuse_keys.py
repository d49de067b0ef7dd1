"""The keys of Langfuse's `usageDetails`: which are counted, and SQL for what stands under them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence

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
from ..reader import text
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

# Most observations have no other keys. To look for all of them in each would take a third of a load's time.
_COMMON = (
    *("input", "output", "total", "input_cached_tokens", "input_cache_read", "input_cache_creation"),
    *("cache_read_input_tokens", "cache_creation_input_tokens", "output_reasoning_tokens", "output_reasoning"),
)
_RARE = tuple(name for name in _NAMES if name not in _COMMON)
_RARE_WAYS = tuple(f'$."{name}"' for name in _RARE) + tuple(f"$.{name}" for name in _RARE if "." in name)

_COMMON_STATED = " + ".join(f"((stated).{name} IS NOT NULL)::INTEGER" for name in _COMMON)
FOUND = f"""
    json_transform(counts, {text(json.dumps(dict.fromkeys(_COMMON, "VARCHAR")))}) AS stated,
    len(json_keys(counts)) > {_COMMON_STATED} AS uncommon,
    CASE WHEN uncommon THEN json_extract_string(counts, [{", ".join(map(text, _RARE_WAYS))}]) END AS rare,
    CASE WHEN uncommon THEN {media_counts("counts", _WAYS, "|".join(_MEDIA_WORDS), _MEDIA_WORDS)} END AS media"""
"""SQL for what stands under the keys of `counts`: the common ones, whether there are others, what stands under these,
and under those of media (`by_medium`), each as it is and as the way to it."""


def _stated(name: str) -> str:
    """A count by its key; a dotted one may also stand in an object of its own."""
    if name in _COMMON:
        return f"stated.{name}"
    at = [f"rare[{_RARE_WAYS.index(way) + 1}]" for way in (f'$."{name}"', f"$.{name}") if way in _RARE_WAYS]
    return f"coalesce({', '.join(at)})" if len(at) > 1 else at[0]


def _under(names: Sequence[str], sql: Callable[[Sequence[str]], str]) -> str:
    """What `sql` makes of the counts under these keys, of the common ones alone where there are no others."""
    common = [name for name in names if name in _COMMON]
    few = sql([_stated(name) for name in common]) if common else "0"
    return few if common == [*names] else f"CASE WHEN uncommon THEN {sql([*map(_stated, names)])} ELSE {few} END"


def largest(where: str, measure: str) -> str:
    """The largest count under the keys of a measure: they are names of one thing."""
    names = [key.name for key in LANGFUSE if (key.where, key.measure) == (where, measure)]
    return _under(names, _largest) if names else "0"


def _largest(texts: Sequence[str]) -> str:
    counts = ", ".join(map(count_in_text, texts))
    found = f"CASE WHEN least({counts}) < 0 THEN -1 ELSE greatest({counts}) END"
    return f"CASE WHEN coalesce({', '.join(texts)}) IS NULL THEN 0 ELSE {found} END"


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


def _together(texts: Sequence[str]) -> str:
    counts = [*map(count_in_text, texts)]
    return f"CASE WHEN least({', '.join(counts)}) < 0 THEN -1 ELSE {' + '.join(counts)} END"


def first(names: Sequence[str]) -> str:
    """The count under the first of these names that is there."""
    return _under(names, lambda texts: count_in_text(f"coalesce({', '.join(texts)})"))


def sum_of(names: Sequence[str]) -> str:
    """The sum of counts, each under its name; -1 where one is none."""
    return _under(names, _together)


def more(start: str) -> str:
    """The sum of `input_audio_tokens`, `output_reasoning` and so on: what stands beside `input` or `output`.

    A count that is none or negative must not vanish in it.
    """
    keys = f"""list_filter(json_keys(counts), lambda k: regexp_full_match(k, '{start}_\\w+') AND k <> '{start}_tokens'
        AND k NOT LIKE '%cache%' AND k NOT LIKE '%ephemeral%')"""
    cache = "[^c]|c(?:[^a]|a(?:[^c]|c(?:[^h]|h[^e])))"  # how a key goes on that is none of a cache's
    counts = f"list_transform({keys}, lambda k: {count_in_text('(counts ->> k)')})"
    found = f"CASE WHEN list_min({counts}) < 0 THEN -1 ELSE coalesce(list_sum({counts}), 0) END"
    some = f"CASE WHEN regexp_matches(counts::VARCHAR, '\"{start}_(?:{cache})') THEN {found} ELSE 0 END"
    common = [_stated(name) for name in _COMMON if re.match(f"{start}_(?!cache)", name)]
    return f"CASE WHEN uncommon THEN {some} ELSE {_together(common) if common else 0} END"
