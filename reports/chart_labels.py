"""Labels of a chart that has characters beyond the Basic Multilingual Plane: emoji, and letters of many scripts.

Vega cuts a label that is too wide between any two UTF-16 units, and so in the middle of such a character: a browser
shows half of it, and a chart cannot be drawn without one. So where there are any, labels are cut here, by an
expression of Vega's own, between characters as people see them, and Vega cuts none.
"""

from __future__ import annotations

import json
import re
from typing import Any

BEYOND = re.compile("[\U00010000-\U0010ffff]")
UNIT_PX = 12
"""About as wide as an emoji, a Chinese character or two Latin letters of a label (11 px)."""
DATA = ("datasets", "data")
_MARKS = r"[\p{M}\p{Emoji_Modifier}]{0,8}"
_UNIT = rf"(?:[\u0020-\u02ff\u0370-\u10ff]{_MARKS}){{1,2}}|\p{{RI}}{{2}}|.{_MARKS}(?:\u200d.{_MARKS}){{0,4}}"
"""Two narrow characters, a flag (two letters) or a wide character, with what is drawn over it or joined to it."""


def cut_between_characters(spec: dict[str, Any]) -> dict[str, Any]:
    """The specification as it is, or where it has such characters, with labels that Vega need not cut."""
    if not _has_any(spec):
        return spec
    config = spec.get("config", {})
    guides = {guide: {**config.get(guide, {}), "labelLimit": 0} for guide in ("axis", "legend")}
    return {**_cut(spec), "config": {**config, **guides}}


def _has_any(part: Any) -> bool:
    if isinstance(part, str):
        return BEYOND.search(part) is not None
    if isinstance(part, dict):
        return any(_has_any(key) or _has_any(value) for key, value in part.items())
    return isinstance(part, list | tuple) and any(map(_has_any, part))


def _cut(part: Any) -> Any:
    """A part of the specification; its axes and legends of names state how wide a label may be."""
    if isinstance(part, list | tuple):
        return [_cut(one) for one in part]
    if not isinstance(part, dict):
        return part
    inner = {key: value if key in DATA else _cut(value) for key, value in part.items()}
    if width := part.get("labelLimit"):
        inner |= {"labelLimit": 0, "labelExpr": _expression(width)}
    return inner


def _expression(width: int) -> str:
    pattern = f"^((?:(?=({_UNIT}))\\2){{{width // UNIT_PX}}}).+$"  # what looks ahead is never tried in another way
    return f"replace(datum.label, regexp({json.dumps(pattern)}, 'su'), '$1\u2026')"
