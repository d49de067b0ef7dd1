"""SQL for the count of a measure in a span or a log record, under one name or several, or in a JSON text."""

from __future__ import annotations

import re

from ..aliases import Measure
from .counts import count_in_text
from .otel_json import IN_JSON, JSON_TEXTS
from .otel_names import MEASURES, USUAL


def texts_of(measure: Measure) -> str:
    """SQL for the list of what a record has under all names of a measure, those of one emitter only first."""
    named = f"list_select(texts, several_places[{MEASURES.index(measure) + 1}])"
    named = f"coalesce({named}, {f'[texts[at_{measure}]]' if measure in USUAL else '[]'})"
    if measure not in IN_JSON:
        return named
    in_json = f"CASE WHEN {_may_be_in_json(measure)} THEN [{', '.join(IN_JSON[measure])}] ELSE [] END"
    return f"list_concat({named}, {in_json})"


def _may_be_in_json(measure: Measure) -> str:
    """SQL for whether a record has a JSON text that may state a measure."""
    texts = " ".join(IN_JSON.get(measure, ()))
    return " OR ".join(f"{name} IS NOT NULL" for name in JSON_TEXTS if re.search(rf"\b{name}\b", texts)) or "FALSE"


def may_be_listed(measure: Measure) -> str:
    """SQL for whether a record may state a measure under several names."""
    return f"(several_places IS NOT NULL OR {_may_be_in_json(measure)})"


def counts_of(measure: Measure) -> str:
    """SQL for the counts under all names of a measure, where these may be several."""
    counts = f"list_transform({texts_of(measure)}, lambda t: {count_in_text('t')})"
    return f"CASE WHEN {may_be_listed(measure)} THEN {counts} END"


def count_of(measure: Measure) -> str:
    """SQL for the count under the one name of a measure that most records have: a list of it takes far longer."""
    count = count_in_text(f"texts[at_{measure}]") if measure in USUAL else "0"
    return f"CASE WHEN NOT {may_be_listed(measure)} THEN {count} END"


def largest(measure: Measure) -> str:
    """The largest count under the names of a measure: they are names of one thing."""
    return _chosen(measure, f"list_max({measure})")


def first(measure: Measure) -> str:
    """The first count under the names of a measure that is not 0."""
    return _chosen(measure, f"list_filter({measure}, lambda c: c > 0)[1]")


def _chosen(measure: Measure, of_several: str) -> str:
    alone, several = f"{measure}_alone", f"CASE WHEN list_min({measure}) < 0 THEN -1 ELSE {of_several} END"
    return f"CASE WHEN {alone} < 0 THEN -1 WHEN {alone} IS NOT NULL THEN {alone} ELSE coalesce({several}, 0) END"
