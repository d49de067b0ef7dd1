"""What a cause changed, in words: `runs_per_day: Poisson 140 -> Poisson 120`, `input $3 -> $2.70`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from ...money import format_price
from ...pricing.book import PriceBook
from ...tokens import BILLED_TOKENS
from .results import Cause, CauseLabel
from .sides import FIELDS, Pair, Side

SHOWN = 160
"""Characters of a described change."""
SPAWNED = "runs per day, spawned ones included"
_VOLUME = frozenset({"runs_per_day", SPAWNED})
_RANGES = {"poisson": "Poisson {}", "p50": "P50 {}", "p95": "P95 {}", "mode": "most often {}"}


def label(pair: Pair, name: str, cause: Cause) -> CauseLabel:
    """`volume` where only the number of runs changed, not when they happen."""
    if cause != "schedule":
        return cause
    changed = _changed(pair, name, cause)
    return "volume" if changed and set(changed) <= _VOLUME else "schedule"


def message(pair: Pair, name: str, cause: Cause) -> str:
    """What changed of a component as to one cause, before and after."""
    if cause == "prices":
        return _prices(pair, name)[:SHOWN]
    if cause == "model":
        return f"{pair.base.plan.models[name]} -> {pair.head.plan.models[name]}"
    changed = _changed(pair, name, cause)
    text = "; ".join(f"{key}: {plain(before)} -> {plain(after)}" for key, (before, after) in changed.items())
    if text:
        return text[:SHOWN]
    if cause == "tokens":
        return (
            "solved anew from the daily cost" if pair.head.calibrated_on(name) else "the log that they are drawn from"
        )
    return "the models that policies name, or the plan's policies"


def plain(value: Any) -> str:
    """A stated value as a person would write it; nothing is a dash.

    `{"poisson": "140"}` is `Poisson 140`, `{"low": "100", "high": "200"}` is `100 to 200`.
    """
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case Mapping():
            return _mapping({key: part for key, part in value.items() if part not in (None, "0", 0)}) or "0"
        case list() | tuple():
            return ", ".join(plain(part) for part in value)
        case _:
            return _number(str(value))


def _mapping(stated: Mapping[str, Any]) -> str:
    parts, left = [], dict(stated)
    if {"low", "high"} <= left.keys():
        parts.append(f"{plain(left.pop('low'))} to {plain(left.pop('high'))}")
    for key, part in left.items():
        parts.append(_RANGES.get(key, f"{key} {{}}").format(plain(part)))
    return ", ".join(parts)


def _number(text: str) -> str:
    """A whole number of four digits or more with separators; all else as it stands."""
    return f"{int(text):,}" if text.isdigit() and len(text) > 3 else text


def _changed(pair: Pair, name: str, cause: Cause) -> dict[str, tuple[Any, Any]]:
    """The keys that the two sides state differently; of tokens, class by class."""
    before, after = (_stated(side, name, cause) for side in (pair.base, pair.head))
    keys = dict.fromkeys([*before, *after])
    return {key: (before.get(key), after.get(key)) for key in keys if before.get(key) != after.get(key)}


def _stated(side: Side, name: str, cause: Cause) -> dict[str, Any]:
    fields = side.components[name].model_dump(mode="json", exclude_none=True)
    if source := (fields.get("tokens") or {}).get("from_usage"):  # not the folder that a revision lies in
        source |= {key: Path(source[key]).name for key in ("file", "store") if key in source}
    stated = {key: fields[key] for key in fields if key in FIELDS[cause] and key != "cron"}
    if cause == "schedule":
        spawned = side.runs(name)
        runs = {SPAWNED: f"{float(spawned.per_day):.4g}"} if spawned else {}
        return {"timezone": side.architecture.timezone, **runs, **stated}
    if isinstance(tokens := stated.get("tokens"), dict):
        stated |= stated.pop("tokens") and {f"{key} tokens": part for key, part in tokens.items()}
    return stated


def _prices(pair: Pair, name: str) -> str:
    """The prices of the component's models that differ, at the first moment at which they do."""
    sides = (pair.base, pair.head)
    models = dict.fromkeys(model for side in sides for model in side.plan.choice(side.components[name]).models)
    processing = pair.head.components[name].processing
    found = [text for model in models if (text := _model_prices(pair, model, processing))]
    return "; ".join(found) or "context tiers or counted units of its models' prices"


def _model_prices(pair: Pair, model: str, processing: str) -> str:
    start, end = (datetime.fromtimestamp(int(pair.head.horizon.edges[edge]) * 60, UTC) for edge in (0, -1))
    edges = {edge for side in (pair.base, pair.head) for edge in _edges(side.book, model, processing, start, end)}
    for moment in [start, *sorted(edges)]:
        before, after = (_rates(side.book, model, processing, moment) for side in (pair.base, pair.head))
        if before != after:
            since = "" if moment == start else f" from {moment:%Y-%m-%d}"
            return f"{model}{since}: {_differences(before, after)} per million tokens"
    return ""


def _edges(book: PriceBook, model: str, processing: str, start: datetime, end: datetime) -> list[datetime]:
    key = book.resolve(model)
    return book.boundaries(key, processing, start, end) if key else []


def _rates(book: PriceBook, model: str, processing: str, at: datetime) -> dict[str, Decimal]:
    """USD per million tokens of each class, in the base tier."""
    key = book.resolve(model)
    rows = {name: book.price(key, name, at=at, processing=processing) for name in BILLED_TOKENS} if key else {}
    return {name: row.usd for name, row in rows.items() if row and row.token_class == name}


def _differences(before: Mapping[str, Decimal], after: Mapping[str, Decimal]) -> str:
    """`input $3 -> $2.70, output $15 -> $13.50`; cache prices by name only where these two are the same."""
    changed = [name for name in BILLED_TOKENS if before.get(name) != after.get(name)]
    main = [name for name in changed if name in ("input", "output")] or changed
    rates = [f"{name} {format_price(before.get(name))} -> {format_price(after.get(name))}" for name in main]
    return ", ".join(rates) + (" (and cache prices)" if len(main) < len(changed) else "")
