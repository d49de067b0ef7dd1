"""Months of a small fleet as rows of the rollup: a monitor on Haiku, a brief on Sonnet, 1M tokens each per day."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import duckdb
from costsim.months import month_span
from costsim.tokens import TOKEN_CLASSES
from costsim.usage.store import insert_rows

OPUS, SONNET, HAIKU = (f"anthropic/claude-{name}" for name in ("opus-4-6", "sonnet-4-6", "haiku-4-5"))
COLUMNS = (
    "day", "slot", "source", "component", "agent", "task", "provider", "model", "processing", "status", "tier",
    "calls", *TOKEN_CLASSES, "recorded_usd", "recorded_calls",
)  # fmt: skip
TOKENS = {"input": 1_000_000, "output": 0}
FLEET = {
    "name": "fleet",
    "model_routing": {"monitoring": HAIKU, "orchestration": SONNET, "fallback": OPUS},
    "components": [
        {"name": "monitor", "agent": "cto", "task": "monitoring", "runs_per_day": 50, "tokens": TOKENS},
        {"name": "brief", "agent": "coo", "task": "orchestration", "runs_per_day": 50, "tokens": TOKENS},
    ],
}
Row = dict[str, Any]


def summed(model: str, day: date, **given: Any) -> Row:
    """A row of the rollup: 50 calls of the monitor on a day, 1M input tokens in all."""
    provider, name = model.split("/")
    row: Row = dict.fromkeys(TOKEN_CLASSES, 0)
    row |= {"day": day, "slot": -1, "source": "test", "component": "monitor", "agent": "cto", "task": "monitoring",
            "provider": provider, "model": name, "processing": "standard", "status": "ok", "tier": 0, "calls": 50,
            "request": 50, "input": 1_000_000, "recorded_usd": None, "recorded_calls": 0}  # fmt: skip
    return row | given


def days(*months: str) -> list[date]:
    spans = [month_span(month) for month in months]
    return [first + timedelta(n) for first, last in spans for n in range((last - first).days + 1)]


def brief(day: date, **given: Any) -> Row:
    return summed(SONNET, day, component="brief", agent="coo", task="orchestration", **given)


def calm(*months: str) -> list[Row]:
    """Each day the monitor on Haiku, 1M x $1, and the brief on Sonnet, 1M x $3: $4 per day."""
    return [row for day in days(*months) for row in (summed(HAIKU, day), brief(day))]


def fill(store: duckdb.DuckDBPyConnection, rows: list[Row]) -> None:
    store.execute("DELETE FROM usage_daily")
    insert_rows(store, "usage_daily", rows)
