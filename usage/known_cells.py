"""Cells of a table in which usage is looked for, and whose text already says that nothing is there but what is counted.

Most are small objects of numbers, under keys that the reader declares. One look at their text takes less than to keep
them for a look at what they hold; any other cell is kept for that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from .reader import text
from .table_watch import may_hold_usage

if TYPE_CHECKING:
    from .likeness import Likeness
    from .source import Source

PLAIN = re.compile(r"[A-Za-z_]\w*", re.ASCII)
NUMBER = r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"
MEANT_BY_ANY = ("", "_tokens")  # `reasoning*` means `reasoning` and `reasoning_tokens`
UNKNOWN = "a cell with something unknown"


def all_known(source: Source, places: Mapping[str, str]) -> str | None:
    """SQL for whether a row has nothing unknown in its cells where usage is looked for, failing where it has; `places`
    are the columns. None where no keys are declared of such a column: it may be of numbers, or of any objects."""
    likeness, checks = source.watch.likeness, []
    for name, place in places.items():
        if not may_hold_usage(source, name):
            continue
        keys = list(_keys(likeness, name))
        if not keys:
            return None
        known = rf'\{{\}}|\{{(?:"(?:{"|".join(keys)})": ?{NUMBER}(?:, ?|\}}))+'
        checks.append(f"({place} IS NULL OR regexp_full_match({place}, {text(known)}))")
    return f"CASE WHEN {' AND '.join(checks)} THEN TRUE ELSE error('{UNKNOWN}') END" if checks else "TRUE"


def _keys(likeness: Likeness, name: str) -> Iterator[str]:
    """The keys of a column's objects whose numbers are counted or left out, whatever stands beside them."""
    counted, left_out = likeness.declared[:2]
    declared = dict.fromkeys(path.rpartition(".")[2] for path in (*counted, *left_out))
    spelt = dict.fromkeys(key.replace("*", end) for key in declared for end in MEANT_BY_ANY)
    for key in filter(PLAIN.fullmatch, spelt):
        path = f"{name}.{key}"
        if (likeness.known(path) or likeness.left_out(path)) and not likeness.judge(path, True):
            yield key
