"""Zed's threads: the sum of each, as JSON or packed, and what no thread can be is rejected without costing another."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import zstandard
from costsim.usage import packing
from costsim.usage.load import load
from costsim.usage.packing import BrokenOffError, unpacked_bytes
from emptied import open_store

Record = dict[str, Any]
AT = "2026-10-05T10:00:00+00:00"
COUNTS = "session, input, cache_read, cache_write_5m, output"


def usage(input: int, output: int, read: int = 0, written: int = 0) -> Record:
    return {"input_tokens": input, "output_tokens": output, "cache_read_input_tokens": read,
            "cache_creation_input_tokens": written}  # fmt: skip


def thread(sums: Record, *last: Record, provider: str = "anthropic", **more: Any) -> bytes:
    requests = {f"m{number}": used for number, used in enumerate(last)}
    model = {"provider": provider, "model": "claude-sonnet-4-6"}
    return json.dumps(
        {"model": model, "cumulative_token_usage": sums, "request_token_usage": requests, **more}
    ).encode()


def found(folder: Path, rows: dict[str, bytes], columns: str = COUNTS, kind: str = "zstd") -> list[tuple[Any, ...]]:
    """The calls of a database of threads, and how many lines were rejected."""
    file = folder / "threads.db"
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE threads (id, updated_at, data_type, data, parent_id, folder_paths)")
        for id, data in rows.items():
            database.execute("INSERT INTO threads VALUES (?, ?, ?, ?, '', '/srv/app\n/srv/lib')", (id, AT, kind, data))
    database.close()
    with open_store(folder / "costsim.duckdb") as store:
        rejected = load(store, [file]).total("rejected")
        return [*store.execute(f"SELECT {columns} FROM usage_event ORDER BY session").fetchall(), (rejected,)]


def test_a_threads_sum_counts_and_not_its_messages_last_requests(tmp_path: Path) -> None:
    packed = zstandard.compress(thread(usage(100, 50, 900, 40), usage(7, 3)))
    assert found(tmp_path, {"a": packed}) == [("a", 100, 900, 40, 50), (0,)]


def test_a_thread_from_before_there_were_sums_has_what_its_messages_state(tmp_path: Path) -> None:
    # the sum began when half of the thread was done
    rows = {"a": thread({}, usage(7, 3), usage(9, 1)), "b": thread(usage(9, 1), usage(7, 3), usage(9, 1))}
    assert found(tmp_path, rows, kind="json") == [("a", 16, 0, 0, 4), ("b", 16, 0, 0, 4), (0,)]


def test_a_hosted_model_is_its_makers_and_a_thread_of_two_folders_is_the_first_ones(tmp_path: Path) -> None:
    rows = {"a": thread(usage(1, 1), provider="zed.dev", speed="fast")}
    columns = "provider, tags ->> 'provider', project, processing, aggregated, request"
    assert found(tmp_path, rows, columns, "json") == [(None, "zed.dev", "app", "fast", True, 0), (0,)]


def test_a_damaged_thread_costs_no_other(tmp_path: Path) -> None:
    packed = zstandard.compress(thread(usage(100, 50)))
    rows = {"a": packed[: len(packed) // 2], "b": packed, "c": b"no frame", "d": zstandard.compress(b"[]")}
    assert found(tmp_path, rows) == [("b", 100, 0, 0, 50), (3,)]


@pytest.mark.parametrize("count", [-1, "12", True, 1.5, [1]])
def test_a_count_that_is_none_is_rejected(tmp_path: Path, count: object) -> None:
    broken = {"input_tokens": count, "output_tokens": 1}
    assert found(tmp_path, {"a": thread({}, broken)}, kind="json") == [(1,)]


def test_what_unpacks_to_over_many_times_its_size_is_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "FREE_BYTES", 1_000)
    with pytest.raises(BrokenOffError, match="over so many times its size"):
        unpacked_bytes(zstandard.compress(bytes(10**6)))
