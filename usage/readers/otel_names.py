"""The names that attributes of OpenTelemetry's spans and log records have, and SQL for where each stands in a list."""

from __future__ import annotations

from .. import aliases
from .otel_fields import FIELDS
from .otel_tags import constants

EMITTERS = ("claude-code", "codex", "gemini-cli")  # of records in which a plain name means usage
MEDIA: tuple[aliases.Measure, ...] = ("audio_in", "image_in", "audio_read", "image_read", "audio_out", "image_out")
MEASURES: tuple[aliases.Measure, ...] = (
    *("input", "output", "cached", "written", "written_1h", "reasoning", "tool", "total"),
    *MEDIA,
    "cost",
)
USUAL: tuple[aliases.Measure, ...] = ("input", "output", "cached", "written", "reasoning", "total", "cost")
"""Most records state no other measure, and each of these under one name."""
COMMON = ("provider", "model", "agent", "session", "operation", "sort", "failure", "response", "user_id")
OTHERS = tuple(short for short in FIELDS if short not in (*COMMON, "service"))
"""Of FIELDS, those of one emitter or of few calls: most records have none, and a column for each takes time."""
_ALL = (*aliases.names(), *(name for listed in FIELDS.values() for name in listed if name != "service.name"))
READ = tuple(dict.fromkeys(_ALL))
NAMES = (*READ, "service.name")  # which may be an attribute of the resource


def place_of_first(names: tuple[str, ...]) -> str:
    """SQL for the place of the first of these names in `keys`; NULL where it has none."""
    return f"coalesce({', '.join(place_of(name) for name in names)})"


def list_of_any(places: list[str]) -> str:
    """SQL for a list of places; NULL where all are."""
    listed = f"[{', '.join(places)}]"
    return f"CASE WHEN len(list_filter({listed}, lambda place: place IS NOT NULL)) > 0 THEN {listed} END"


def place_of(name: str, keys: str = "keys") -> str:
    """SQL for the place of a name in a list of keys; NULL where it is not there."""
    return f"nullif(list_position({keys}, '{name}'), 0)"


def places_of(measure: aliases.Measure) -> str:
    """SQL for the places of all names of a measure, those of one emitter only first; NULL where there are none."""
    names = {
        emitter: [a.name for a in aliases.ATTRIBUTES if a.measure == measure and a.only == emitter]
        for emitter in (*EMITTERS, None)
    }
    of_emitter = [
        f"WHEN '{emitter}' THEN {constants([*own, *names[None]])}" for emitter, own in names.items() if emitter and own
    ]
    listed = constants(names[None]) if names[None] else "[]::VARCHAR[]"
    listed = f"CASE emitter {' '.join(of_emitter)} ELSE {listed} END" if of_emitter else listed
    places = f"list_transform({listed}, lambda name: list_position(keys, name))"
    return f"nullif(list_filter({places}, lambda place: place > 0), [])"


def field_of(short: str) -> str:
    """SQL for an attribute: what stands under its best name, else under the next that has a text."""
    if short in OTHERS:
        place = f"at_others[{OTHERS.index(short) + 1}]"
        return f"CASE WHEN at_others IS NOT NULL THEN {_text_at(place, FIELDS[short])} END"
    return _text_at(f"at_{short}", FIELDS[short])


def _text_at(place: str, names: tuple[str, ...]) -> str:
    if len(names) == 1:
        return f"texts[{place}]"
    listed = f"list_transform({constants(names)}, lambda name: texts[nullif(list_position(keyed.keys, name), 0)])"
    rest = f"CASE WHEN {place} IS NOT NULL THEN list_filter({listed}, lambda one: one IS NOT NULL)[1] END"
    return f"coalesce(texts[{place}], {rest})"
