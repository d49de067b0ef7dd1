"""What a load brought, in a few lines: calls, days, cost, models, and what is counted once or not added."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..money import format_cents
from ..months import span_words

if TYPE_CHECKING:
    from ..analysis.spend.loaded import LoadedModel, LoadedUsage
    from ..usage.report import LoadReport

MODELS_SHOWN = 5


def summary(report: LoadReport, found: LoadedUsage) -> list[str]:
    """`899 calls (1,824 log entries; streaming repeats merged), 10 to 12 Feb 2026, $51.70`, then its models."""
    if not found.days:
        return [report.calls_line, *_sources(found)]
    when, cost = span_words(*found.days), format_cents(found.usd)
    if report.calls == report.added_calls:
        first = f"{report.calls_line}, {when}, {cost}"
    else:
        first = f"{report.calls_line}; all of these files: {when}, {cost}"
    return [first, _models(found), *_sources(found)]


def _models(found: LoadedUsage) -> str:
    named = [_model(model) for model in found.models[:MODELS_SHOWN]]
    more = len(found.models) - MODELS_SHOWN
    return "models: " + ", ".join(named) + (f" and {more} more" if more > 0 else "")


def _model(model: LoadedModel) -> str:
    cost = format_cents(model.usd) if model.usd or not model.unpriced_tokens else "UNPRICED"
    return f"{model.name} {cost}"


def _sources(found: LoadedUsage) -> list[str]:
    return [*(f"OVERLAP: {overlap.message}" for overlap in found.sources.overlaps), *found.sources.messages]
