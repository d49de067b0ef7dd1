"""Calls of sessions, turn by turn, put into a store: what the tests of cache effects share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from costsim.tokens import TOKEN_CLASSES
from costsim.usage.store import insert_rows
from duckdb import DuckDBPyConnection

OPUS, HAIKU, GPT = "anthropic/claude-opus-4-6", "anthropic/claude-haiku-4-5", "openai/gpt-4o"
DAY = datetime(2026, 10, 5, 9)
# USD per million tokens: Opus input 5, read 0.50, write 6.25 (1 h: 10), output 25; Haiku 1, 0.10, 1.25 (2), 5;
# GPT-4o 2.50, 1.25, no price of writes (so its input price), 10


class Call(NamedTuple):
    """A logged call, by default of a session "s" on Opus; `at` is in seconds after DAY."""

    at: int
    task: str = "coding"
    read: int = 0
    write: int = 0
    output: int = 0
    input: int = 0
    long: bool = False
    model: str = OPUS
    session: str | None = "s"
    source: str = "test"
    component: str = "dev"

    @property
    def tokens(self) -> dict[str, int]:
        written = "cache_write_1h" if self.long else "cache_write_5m"
        given = {"input": self.input, "cache_read": self.read, written: self.write, "output": self.output, "request": 1}
        return dict.fromkeys(TOKEN_CLASSES, 0) | given


def fill(store: DuckDBPyConnection, calls: Sequence[Call]) -> None:
    """Let the store have these calls and no others."""
    for table in ("usage_event", "usage_daily", "rollup_state", "touched_day"):
        store.execute(f"DELETE FROM {table}")
    insert_rows(store, "usage_event", [_row(str(number), call) for number, call in enumerate(calls)])


def _row(event_id: str, call: Call) -> dict[str, object]:
    provider, model = call.model.split("/")
    return {
        "event_id": event_id, "ts": DAY + timedelta(seconds=call.at), "file_id": 1, "source": call.source,
        "component": call.component, "task": call.task, "session": call.session, "provider": provider,
        "model": model, "processing": "standard", "status": "ok", "aggregated": False, **call.tokens,
    }  # fmt: skip


THREE_TURNS = (
    Call(0, write=100_000, output=1_000),
    Call(60, "summary", read=100_000, write=10_000, output=1_000),
    Call(120, read=110_000, write=10_000, output=1_000),
)
