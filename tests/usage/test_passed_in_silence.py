"""What a file's unfolding cannot use is still named: usage as a text, in a list, or under another name, is no silence.

Each case changes one object of counts in a shipped sample. Either the total holds, or more is rejected or unread.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest
from costsim.usage.load import load
from costsim.usage.store import open_store
from counts_in import as_line, documents

DATA = Path(__file__).parents[1] / "data" / "usage"
Way = tuple[str | int, ...]

SAMPLES: dict[str, tuple[str, Sequence[Way]]] = {
    "amp": ("T-current.json", [("messages", 1, "usage"), ("messages", 1)]),
    "cline": ("roo_messages.json", [(1, "text"), (2, "contextCondense")]),
    "cline-session": ("1791194400000_ab12c.messages.json", [("messages", 1, "metrics")]),
    "copilot": ("events.jsonl", [(-1, "data", "modelMetrics", "claude-sonnet-4.6", "usage"), (-1, "data")]),
    "droid": ("session-1.settings.json", [("tokenUsage",)]),
    "gemini-cli": ("session-2026-04-23.jsonl", [(19, "tokens")]),
    "gemini-print": ("stream.jsonl", [(-1, "stats"), (-1, "stats", "models", "gemini-2.5-pro")]),
    "kimi-cli": ("wire.jsonl", [(2, "message", "payload", "token_usage")]),
    "mux": ("chat.jsonl", [(1, "metadata"), (1, "metadata", "usage"), (1, "metadata", "toolModelUsages", 0, "usage")]),
    "opencode": ("msg_test001.json", [("tokens",), ("tokens", "cache")]),
    "opencode-run": ("run.jsonl", [(2, "part"), (2, "part", "tokens"), (2, "part", "tokens", "cache")]),
    "qwen-print": ("stream.jsonl", [(-1, "usage")]),
    "vibe": ("meta.json", [("stats",)]),
}
"""By format, a sample and the ways to its objects of counts."""

CHANGES: dict[str, Callable[[Any], Any]] = {
    "text": json.dumps,
    "padded text": lambda counts: f" {json.dumps(counts)}",
    "list": lambda counts: [counts],
    "list of text": lambda counts: [json.dumps(counts)],
    "deeper": lambda counts: {"details": counts},
}
NAMED = """
SELECT (SELECT coalesce(sum(input + cache_read + cache_write_5m + cache_write_1h + output), 0)::BIGINT
        FROM usage_event),
    (SELECT coalesce(sum(recorded_usd), 0) FROM usage_event),
    (SELECT coalesce(sum(occurrences), 0)::BIGINT FROM unread) + (SELECT count(*) FROM reject)
"""


@pytest.fixture(scope="module")
def store() -> Iterator[duckdb.DuckDBPyConnection]:
    """One store for all, emptied between."""
    with open_store(Path(":memory:")) as connection:
        yield connection


def measured(store: duckdb.DuckDBPyConnection, name: str, found: list[Any], file: Path) -> tuple[Any, ...]:
    """The tokens, the USD, and how much is rejected or unread."""
    file.write_text("".join(map(as_line, found)))
    for table in ("usage_event", "load", "unread", "reject", "sign", "touched_day"):
        store.execute(f"DELETE FROM {table}")
    load(store, [file], format=name)
    return store.execute(NAMED).fetchone() or ()


def changed(found: Any, way: Way, change: Callable[[Any], Any]) -> Any:
    """A copy with what stands at the end of a way changed."""
    if not way:
        return change(found)
    copy: Any = list(found) if isinstance(found, list) else dict(found)
    copy[way[0]] = changed(copy[way[0]], way[1:], change)
    return copy


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLES)
def test_a_total_never_falls_in_silence(store: duckdb.DuckDBPyConnection, tmp_path: Path, name: str) -> None:
    sample, ways = SAMPLES[name]
    found = documents(DATA / name / sample)
    tokens, usd, named = measured(store, name, found, tmp_path / sample)
    assert tokens
    single = sample.endswith(".json")
    for way in ways:
        for kind, change in CHANGES.items():
            others = changed(found, (0, *way) if single else way, change)
            after = measured(store, name, others, tmp_path / sample)
            assert after[:2] == (tokens, usd) or after[2] > named, (way, kind, after)


def test_usage_under_a_name_in_another_case_is_named(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    (thread,) = documents(DATA / "amp" / "T-current.json")
    usage = thread["messages"][1].pop("usage")
    thread["messages"][1]["USAGE"] = usage
    # 12,546 of 24,593 tokens are in the message: its four counts are unread, and the sum that it states
    assert measured(store, "amp", [thread], tmp_path / "T-1.json") == (12_047, 0, 5)


def test_kinds_that_are_no_text_are_no_crash(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    (messages,) = documents(DATA / "cline" / "roo_messages.json")
    messages[0]["say"], messages[2]["modelInfo"], messages[1]["ts"] = ["text"], "none", [1]
    # the request of 5,100 tokens has no time that can be read: it is rejected
    assert measured(store, "cline", [messages], tmp_path / "ui_messages.json")[2] == 1
