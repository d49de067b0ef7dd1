"""Runs of Claude Code as it prints them: a result has the sums of all calls, and repeats no session's own log."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from costsim.analysis.spend.ledger import bring_up_to_date
from costsim.analysis.spend.spend import Query, spend
from costsim.pricing.book import open_book
from costsim.usage.load import load
from costsim.usage.store import open_store

Record = dict[str, Any]
SAMPLE = Path(__file__).parents[2] / "data" / "usage" / "claude-print" / "run.jsonl"
SONNET, HAIKU = "claude-sonnet-4-6", "claude-haiku-4-5-20251001"
COUNTS = "model, input, cache_read, cache_write_5m, cache_write_1h, output, web_search, recorded_usd"


def message(id: str, prompt: int, output: int, session: str = "s", hour: int = 0) -> Record:
    usage = {"input_tokens": 10, "cache_read_input_tokens": prompt - 10 - hour, "output_tokens": output,
             "cache_creation_input_tokens": hour, "cache_creation": {"ephemeral_1h_input_tokens": hour}}  # fmt: skip
    return {"type": "assistant", "session_id": session, "parent_tool_use_id": None,
            "message": {"id": id, "model": SONNET, "usage": usage}}  # fmt: skip


def result(id: str, input: int, read: int, output: int, usd: float, written: int = 0, **more: Any) -> Record:
    stated = {"inputTokens": input, "outputTokens": output, "cacheReadInputTokens": read,
              "cacheCreationInputTokens": written, "webSearchRequests": 0, "costUSD": usd}  # fmt: skip
    return {"type": "result", "subtype": "success", "session_id": "s", "uuid": id, "total_cost_usd": usd,
            "usage": {"input_tokens": input, "output_tokens": output}, "modelUsage": {SONNET: stated}, **more}  # fmt: skip


def rows(folder: Path, *records: Record, whole: bool = False) -> list[tuple[Any, ...]]:
    file = folder / "run.jsonl"
    file.write_text(json.dumps(records) if whole else "".join(json.dumps(record) + "\n" for record in records))
    with open_store(folder / "costsim.duckdb") as store:
        load(store, [file], strict=True)
        return store.execute(f"SELECT {COUNTS} FROM usage_event ORDER BY input, output").fetchall()


def test_a_run_is_what_its_result_sums_up_by_model(tmp_path: Path) -> None:
    with open_store(tmp_path / "costsim.duckdb") as store:
        report = load(store, [SAMPLE], strict=True)
        load(store, [SAMPLE], strict=True)
        found = store.execute(f"SELECT {COUNTS} FROM usage_event ORDER BY input").fetchall()
        book = open_book()
        bring_up_to_date(store, book)
        total = spend(store, book, Query(by=("model",))).total
    assert report.files[0].reader == "claude-print"
    assert found == [
        (SONNET, 3, 20_000, 1_000, 0, 500, 0, Decimal("0.017259")),
        (HAIKU, 400, 0, 0, 0, 20, 0, Decimal("0.0005")),  # a title: no message states it
    ]
    # 3 x 3 + 20,000 x 0.3 + 1,000 x 3.75 + 500 x 15 = 17,259; 400 x 1 + 20 x 5 = 500 millionths
    assert total.computed_usd == Decimal("0.017759")


@pytest.mark.parametrize("whole", [False, True])
def test_a_run_that_was_cut_counts_by_its_messages(tmp_path: Path, whole: bool) -> None:
    parts = message("m1", 1_000, 1), message("m1", 1_000, 40), message("m2", 1_500, 60)
    assert rows(tmp_path, *parts, whole=whole) == [
        (SONNET, 10, 990, 0, 0, 40, 0, None),
        (SONNET, 10, 1_490, 0, 0, 60, 0, None),
    ]


def test_runs_of_a_resumed_session_are_runs_of_their_own(tmp_path: Path) -> None:
    found = rows(tmp_path, result("a", 10, 1_000, 100, 0.0018), result("b", 20, 5_000, 300, 0.00606))
    assert [row[1:6:2] for row in found] == [(10, 0, 100), (20, 0, 300)]


def test_results_that_run_on_count_by_what_they_add(tmp_path: Path) -> None:
    # the second turn asked 2,000 and the result states 3,000: 1,000 of them are the first turn's
    found = rows(
        tmp_path,
        message("m1", 1_000, 1),
        result("a", 10, 990, 100, 0.001827),
        message("m2", 2_000, 1),
        result("b", 20, 2_980, 150, 0.003204),
    )
    assert [(*row[1:3], row[5], row[7]) for row in found] == [
        (10, 1_990, 50, Decimal("0.001377")),
        (10, 990, 100, Decimal("0.001827")),
    ]


def test_how_long_writes_are_kept_is_what_the_messages_state(tmp_path: Path) -> None:
    found = rows(tmp_path, message("m1", 1_000, 1, hour=400), result("a", 10, 590, 100, 0.01, written=500))
    assert found[0][1:6] == (10, 590, 100, 400, 100)


def test_a_result_without_sums_by_model_is_its_messages_model(tmp_path: Path) -> None:
    old = result("a", 10, 0, 100, 0.0018)
    del old["modelUsage"]
    assert rows(tmp_path, message("m1", 10, 1), old) == [(SONNET, 10, 0, 0, 0, 100, 0, Decimal("0.0018"))]


@pytest.mark.parametrize("first", [0, 1])
def test_a_run_whose_session_has_a_log_counts_by_the_log(tmp_path: Path, first: int) -> None:
    usage = {"input_tokens": 10, "cache_read_input_tokens": 990, "output_tokens": 100}
    entry = {"type": "assistant", "timestamp": "2026-10-05T10:00:00Z", "sessionId": "s", "uuid": "u",
             "message": {"id": "msg_0123456789abcdefghij", "model": SONNET, "usage": usage}}  # fmt: skip
    log, run = tmp_path / "log.jsonl", tmp_path / "run.jsonl"
    log.write_text(json.dumps(entry))
    run.write_text(json.dumps(result("a", 10, 990, 100, 0.001827)))
    book = open_book()
    with open_store(tmp_path / "costsim.duckdb") as store:
        for file in (log, run) if first else (run, log):
            load(store, [file])
            bring_up_to_date(store, book)
        found = spend(store, book, Query(by=("source",)))
    assert [row.keys for row in found.rows] == [("claude-code",)]
    assert found.total.computed_usd == Decimal("0.001827")  # 10 x 3 + 990 x 0.3 + 100 x 15 millionths
