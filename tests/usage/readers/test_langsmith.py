"""LangSmith: one run from its parts, leaves of the tree only, cached tokens inside the input."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from costsim.usage.load import load

pytestmark = pytest.mark.slow

RUN = "0192b7c1-1111-7000-8000-0000000000"
COLUMNS = "model, status, input, cache_read, cache_write_5m, cache_write_1h, output, request, recorded_usd"


def loaded(store: duckdb.DuckDBPyConnection, folder: Path, *lines: dict[str, Any]) -> list[tuple[Any, ...]]:
    file = folder / "runs.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in lines))
    assert load(store, [file]).files[0].reader == "langsmith"
    return store.execute(f"SELECT {COLUMNS} FROM usage_event ORDER BY ts, input").fetchall()


def run(number: int, **fields: Any) -> dict[str, Any]:
    order = f"20260904T0137{number:02}000000Z{RUN}{number:02}"
    meta = {"ls_model_name": "claude-sonnet-4-5", "ls_provider": "anthropic"}
    common = {"id": f"{RUN}{number:02}", "trace_id": f"{RUN}01", "dotted_order": order, "run_type": "llm"}
    times = {"start_time": f"2026-09-04T01:37:{number:02}", "end_time": f"2026-09-04T01:38:{number:02}"}
    return {**common, **times, "extra": {"metadata": meta}, **fields}


def test_a_run_begun_in_one_batch_and_ended_in_another_is_one_call(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    begun = {key: value for key, value in run(1).items() if key != "end_time"}
    usage = {
        "input_tokens": 900,
        "output_tokens": 70,
        "total_tokens": 970,
        "input_token_details": {"cache_read": 500, "ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200},
    }
    ended = {"dotted_order": begun["dotted_order"], "trace_id": begun["trace_id"], "end_time": 1788485830000}
    batches = ({"post": [begun], "patch": []}, {"post": [], "patch": [{**ended, "outputs": {"usage_metadata": usage}}]})
    # 900 - 500 - 100 - 200
    assert loaded(store, tmp_path, *batches) == [("claude-sonnet-4-5", "ok", 100, 500, 100, 200, 70, 1, None)]


def test_sums_above_count_no_more_and_failures_stay(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    counts = {"prompt_tokens": 400, "completion_tokens": 30, "total_tokens": 430, "total_cost": "0.5"}
    lines = (
        run(1, run_type="chain", **counts),
        run(2, parent_run_id=f"{RUN}01", **counts),  # a model that calls a model
        run(3, run_type="chain", parent_run_id=f"{RUN}02", **counts),
        run(4, parent_run_id=f"{RUN}03", prompt_token_details={"cache_read": 150}, **counts),
        run(5, parent_run_id=f"{RUN}01", error="rate limit", status="error"),
    )
    assert loaded(store, tmp_path, *lines) == [
        ("claude-sonnet-4-5", "ok", 250, 150, 0, 0, 30, 1, Decimal("0.5")),
        ("claude-sonnet-4-5", "error", 0, 0, 0, 0, 0, 1, None),
    ]
