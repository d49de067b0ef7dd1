"""Langfuse observations: kinds of usage are disjoint there, and reasoning is output."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from costsim.usage.load import LoadReport, load
from costsim.usage.reader import Sample
from costsim.usage.readers import READERS
from costsim.usage.store import open_store

DATA = Path(__file__).parent.parent / "data" / "usage" / "langfuse"
SHAPES = ["observations.jsonl", "observations.json", "blob_export.csv"]
ROWS = [json.loads(line) for line in (DATA / "observations.jsonl").read_text().splitlines()]


def loaded(folder: Path, *files: Path, sql: str) -> tuple[LoadReport, list[tuple[Any, ...]]]:
    with open_store(folder / "costsim.duckdb") as store:
        report = load(store, files)
        return report, store.execute(sql).fetchall()


def one(folder: Path, sql: str, **changed: Any) -> tuple[Any, ...]:
    """What the first observation gives with other fields."""
    file = folder / "one.jsonl"
    file.write_text(json.dumps({**ROWS[0], **changed}))
    return loaded(folder, file, sql=sql)[1][0]


@pytest.mark.parametrize("shape", SHAPES)
def test_input_leaves_out_what_was_cached_and_reasoning_is_output(tmp_path: Path, shape: str) -> None:
    sql = "SELECT input, cache_read, cache_write_5m, output, recorded_usd FROM usage_event ORDER BY ts"
    report, rows = loaded(tmp_path, DATA / shape, sql=sql)
    assert report.files[0].reader == "langfuse"
    assert report.total("rejected") == 0
    assert rows == [
        (86, 1920, 0, 300, Decimal("0.005615")),
        (44, 1000, 1051, 503, Decimal("0.01191825")),
        (100, 0, 0, 882, Decimal("0.0039908")),  # 50 + 832 of reasoning
        (10, 0, 0, 5, None),  # Langfuse has no price for it
        (0, 0, 0, 0, None),  # failed
    ]


@pytest.mark.parametrize("shape", SHAPES)
def test_who_called_what(tmp_path: Path, shape: str) -> None:
    sql = "SELECT task, session, provider, model, status, tags FROM usage_event ORDER BY ts"
    _, rows = loaded(tmp_path, DATA / shape, sql=sql)
    assert rows[0][:5] == ("answer", "a3f1c0de5b1e4c0f9d2e7a6b8c9d0e1f", "openai", "gpt-4o", "ok")
    assert json.loads(rows[0][5]) == {"ls_provider": "openai", "desk": "research", "environment": "production"}
    assert [row[4] for row in rows] == ["ok", "ok", "ok", "ok", "error"]


def test_an_observation_in_three_exports_is_one_call(tmp_path: Path) -> None:
    report, rows = loaded(tmp_path, *(DATA / shape for shape in SHAPES), sql="SELECT count(*) FROM usage_event")
    assert (report.total("entries"), report.total("added")) == (15, 5)
    assert rows == [(5,)]


def test_other_names_of_cached_tokens(tmp_path: Path) -> None:
    usage = {"input": 1, "input_cache_read": 2, "input_cache_creation_5m": 3, "input_cache_creation_1h": 4, "output": 5}
    sql = "SELECT input, cache_read, cache_write_5m, cache_write_1h, output FROM usage_event"
    assert one(tmp_path, sql, usageDetails=usage) == (1, 2, 3, 4, 5)


def test_audio_is_input_and_output_too(tmp_path: Path) -> None:
    usage = {"input": 1, "input_audio_tokens": 2, "output": 3, "output_audio_tokens": 4, "total": 10}
    assert one(tmp_path, "SELECT input, output FROM usage_event", usageDetails=usage) == (3, 7)


def test_older_usage_counts_only_in_tokens(tmp_path: Path) -> None:
    sql = "SELECT input, output FROM usage_event"
    tokens, characters = ({"input": 7, "output": 8, "total": 15, "unit": unit} for unit in ("TOKENS", "CHARACTERS"))
    assert one(tmp_path, sql, usageDetails={}, usage=tokens) == (7, 8)
    assert one(tmp_path, f"{sql} WHERE event_id = 'langfuse:c'", id="c", usageDetails={}, usage=characters) == (0, 0)


def test_the_total_of_the_cost_details_stands_in_for_the_cost(tmp_path: Path) -> None:
    row = one(tmp_path, "SELECT recorded_usd FROM usage_event", totalCost=None, costDetails={"total": 5e-06})
    assert row == (Decimal("0.000005"),)


@pytest.mark.parametrize(
    "wrong",
    [
        {"usageDetails": {"input": "many"}},
        {"usageDetails": {"input": "many", "input_audio_tokens": 9}},
        {"usageDetails": {"input_cache_creation": -4, "input_cache_creation_5m": 9}},
        {"usageDetails": {"input": 5, "input_cached_tokens": 1.5}},
        {"usageDetails": {"output": -1}},
        {"usageDetails": {"input": 10**13}},
        {"totalCost": "free"},
        {"startTime": "yesterday"},
    ],
)
def test_a_count_that_is_none_is_a_reject_and_nothing_else_is_lost(tmp_path: Path, wrong: dict[str, Any]) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in [ROWS[0], {**ROWS[1], **wrong}, ROWS[2]]))
    report, rows = loaded(tmp_path, file, sql="SELECT count(*), sum(input) FROM usage_event")
    assert report.total("rejected") == 1
    assert rows == [(2, 186)]


def test_counts_under_openais_names_are_counts(tmp_path: Path) -> None:
    details = {"prompt_tokens": 100, "completion_tokens": 7, "total_tokens": 107}
    assert one(tmp_path, "SELECT input, output FROM usage_event", usageDetails=details) == (100, 7)


@pytest.mark.parametrize("nothing", [{}, {"input": 0, "output": 0}, {"input": None, "output": None}])
def test_a_total_alone_is_no_usage_and_not_free(tmp_path: Path, nothing: dict[str, Any]) -> None:
    sql = "SELECT reason FROM reject"
    told = nothing | {"total": 500}
    assert one(tmp_path, sql, usageDetails=told) == ("a total of tokens that does not say what they were",)


def test_a_name_without_a_count_hides_no_other_name(tmp_path: Path) -> None:
    details = {"input": None, "output": None, "prompt_tokens": 100, "completion_tokens": 7}
    assert one(tmp_path, "SELECT input, output FROM usage_event", usageDetails=details) == (100, 7)


def test_no_other_reader_takes_it() -> None:
    sample = Sample("x", "ndjson", tuple(ROWS))
    assert [reader.name for reader in READERS if reader.recognises(sample)] == ["langfuse"]
