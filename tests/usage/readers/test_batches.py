"""Outputs of batches: each call at the price of batches, in the classes of its reply; what failed costs nothing."""

from __future__ import annotations

import csv
import json
import os
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from costsim.analysis.spend.ledger import bring_up_to_date
from costsim.analysis.spend.spend import Query, spend
from costsim.errors import UsageLogError
from costsim.pricing.book import open_book
from costsim.usage.load import load

DATA = Path(__file__).parents[2] / "data" / "usage"
CLASSES = "input, cache_read, cache_write_5m, cache_write_1h, output, web_search"
OCTOBER = 1_791_200_000  # 2026-10-05


def dated(folder: Path, lines: list[Any], name: str = "b.jsonl") -> Path:
    """A file of these lines, of October 2026."""
    file = folder / name
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    os.utime(file, (OCTOBER, OCTOBER))
    return file


def rows(store: duckdb.DuckDBPyConnection, columns: str) -> list[tuple[Any, ...]]:
    return store.execute(f"SELECT {columns} FROM usage_event ORDER BY input DESC").fetchall()


def cost(store: duckdb.DuckDBPyConnection) -> Decimal:
    bring_up_to_date(store, open_book())
    return spend(store, open_book(), Query(("model",))).total.computed_usd


def test_results_of_anthropics_batches_cost_half(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """Sonnet 4.6 and Haiku 4.5 at half of $3, 6 (1 h), 0.30, 15 and of $1, 5; searches at $10 a thousand.

    (900 x 1.5 + 500 x 3 + 2,000 x 0.15 + 120 x 7.5) / 10^6 + 2 x 0.01 + (300 x 0.5 + 40 x 2.5) / 10^6 = 0.0243
    """
    sample = [json.loads(line) for line in (DATA / "anthropic-batch" / "results.jsonl").read_text().splitlines()]
    report = load(store, [dated(tmp_path, sample)])
    assert (report.files[0].reader, report.total("rejected")) == ("anthropic-batch", 0)
    assert rows(store, CLASSES) == [(900, 2_000, 0, 500, 120, 2), (300, 0, 0, 0, 40, 0)]
    assert rows(store, "ts::DATE::VARCHAR, processing, response_id")[0] == ("2026-10-05", "batch", "msg_batch_1")
    assert cost(store) == Decimal("0.0243")


def test_results_fetched_again_on_another_day_are_the_same_calls(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    for name in ("anthropic-batch", "bedrock-batch", "gemini-batch"):
        load(store, [DATA / name])
        [before] = store.execute("SELECT count(*) FROM usage_event").fetchone() or ()
        for file in (DATA / name).iterdir():
            dated(tmp_path, [json.loads(line) for line in file.read_text().splitlines()], f"{name}-{file.name}")
        assert load(store, [tmp_path]).total("added") == 0
        assert store.execute("SELECT count(*) FROM usage_event").fetchone() == (before,)


def test_each_family_of_bedrocks_models_counts_in_its_own_words(store: duckdb.DuckDBPyConnection) -> None:
    """Claude, Converse, Llama, OpenAI's open weights and Titan; the record with an error has no call."""
    load(store, [DATA / "bedrock-batch"])
    assert rows(store, "input, output, model") == [
        (700, 60, "claude-haiku-4-5-20251001"),
        (500, 50, None),
        (400, 40, None),
        (300, 30, "openai.gpt-oss-120b-1:0"),
        (8, 3, None),
    ]
    assert {level for (level,) in rows(store, "processing")} == {"batch"}


def test_a_reply_of_bedrock_without_usage_is_named(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    embedded = {"recordId": "1", "modelInput": {}, "modelOutput": {"embedding": [0.25, 0.5]}}
    load(store, [dated(tmp_path, [embedded])])
    [(reason,)] = store.execute("SELECT reason FROM reject").fetchall()
    assert reason == "a reply without usage: the sums of its job are in the manifest"


def test_the_manifest_of_a_bedrock_job_is_no_log_beside_its_output(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    file = tmp_path / "manifest.json.out"
    file.write_text(json.dumps({"totalRecordCount": 1, "processedRecordCount": 1, "inputTokenCount": 5}))
    with pytest.raises(UsageLogError, match=r"the sums of a batch job of Bedrock.*\.jsonl\.out"):
        load(store, [file])


def test_vertex_says_when_it_processed_a_line_and_the_gemini_api_does_not(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """Gemini 2.5 Flash's batches: (600 x 0.15 + 400 cached x 0.03 + 150 x 1.25) / 10^6 = 0.0002895."""
    [vertex, failed, _] = (DATA / "gemini-batch" / "predictions.jsonl").read_text().splitlines()
    load(store, [dated(tmp_path, [json.loads(vertex), json.loads(failed)])])
    assert rows(store, f"{CLASSES}, ts") == [(600, 400, 0, 0, 150, 0, datetime(2026, 10, 5, 10, 0, 0, 123_000))]
    assert cost(store) == Decimal("0.0002895")
    [api, _] = (DATA / "gemini-batch" / "gemini-api.jsonl").read_text().splitlines()
    load(store, [dated(tmp_path, [json.loads(api)], "api.jsonl")])
    assert rows(store, "input, output, ts::DATE::VARCHAR, tags ->> '$.time_from'")[1] == (
        200,
        20,
        "2026-10-05",
        "the file",
    )


def test_claude_on_vertex_answers_in_anthropics_words(store: duckdb.DuckDBPyConnection) -> None:
    load(store, [DATA / "gemini-batch" / "predictions.jsonl"])
    assert rows(store, "input, output, model, provider, processing")[1] == (
        70,
        7,
        "claude-haiku-4-5-20251001",
        "google",
        "batch",
    )


def test_bigquerys_table_of_a_batch_may_be_a_csv(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    usage = {"promptTokenCount": 100, "candidatesTokenCount": 5, "totalTokenCount": 105}
    reply = {"candidates": [], "modelVersion": "gemini-2.5-flash", "responseId": "r1", "usageMetadata": usage}
    with (tmp_path / "b.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["request", "status", "response", "processed_time"])
        table.writerow(["{}", "", json.dumps(reply), "2026-10-05 10:00:00.000000 UTC"])
    load(store, [tmp_path / "b.csv"])
    assert rows(store, "input, output, ts") == [(100, 5, datetime(2026, 10, 5, 10))]
