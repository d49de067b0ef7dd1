"""MLflow: the calls of a trace, not the sums above them, in attributes that hold JSON as text."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from costsim.usage.load import load
from emptied import open_store


def span(own: str, parent: str | None, **attributes: Any) -> dict[str, Any]:
    text = {name.replace("__", "."): json.dumps(value) for name, value in attributes.items()}
    return {"trace_id": "tr-1", "span_id": own, "parent_span_id": parent, "name": own, "start_time_unix_nano":
            1764694340818061307, "status": {"code": "STATUS_CODE_OK"}, "attributes": text}  # fmt: skip


def test_sums_above_do_not_count_and_cached_tokens_are_taken_out_once(tmp_path: Path) -> None:
    stated = {"input_tokens": 1500, "output_tokens": 60, "total_tokens": 1560}
    inside = {"input_tokens": 1000, "output_tokens": 40, "total_tokens": 1040, "cache_read_input_tokens": 600}
    beside = {"input_tokens": 500, "output_tokens": 20, "total_tokens": 1320, "cache_read_input_tokens": 800}
    spans = [
        span("agent", None, mlflow__chat__tokenUsage=stated),
        span("step", "agent"),
        span("one", "step", mlflow__chat__tokenUsage=inside, mlflow__llm__model="gpt-5",
             mlflow__llm__cost={"input_cost": 0.1, "output_cost": 0.2, "total_cost": 0.3}),
        span("two", "agent", mlflow__chat__tokenUsage=beside, mlflow__llm__model="claude-sonnet-4-5"),
    ]  # fmt: skip
    sums = {"mlflow.trace.tokenUsage": json.dumps(stated)}
    trace = {"info": {"trace_id": "tr-1", "state": "OK", "trace_metadata": sums}, "data": {"spans": spans}}
    file = tmp_path / "traces.jsonl"
    file.write_text(json.dumps(trace))
    with open_store(tmp_path / "costsim.duckdb") as store:
        assert load(store, [file]).files[0].reader == "mlflow"
        sql = "SELECT model, input, cache_read, output, recorded_usd FROM usage_event ORDER BY model"
        found = store.execute(sql).fetchall()
    assert found == [
        ("claude-sonnet-4-5", 500, 800, 20, None),  # 500 + 800 + 20 is its total
        ("gpt-5", 400, 600, 40, Decimal("0.3")),
    ]


def test_a_searchs_table_has_each_trace_as_text(tmp_path: Path) -> None:
    """As `search_traces` makes it: in a CSV its list of spans is no JSON, in JSON it repeats the trace's."""
    spans = [
        span("s1", None, mlflow__chat__tokenUsage={"input_tokens": 100, "output_tokens": 10}, mlflow__llm__model="m")
    ]
    trace = json.dumps({"info": {"trace_id": "tr-1", "trace_metadata": {}}, "data": {"spans": spans}})
    with (tmp_path / "t.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            [["trace_id", "trace", "trace_metadata", "spans"], ["tr-1", trace, "{}", "[Span(name='s1')]"]]
        )
    row = {"trace_id": "tr-1", "trace": trace, "trace_metadata": {}, "spans": spans}
    (tmp_path / "t.jsonl").write_text(json.dumps(row) + "\n" + json.dumps(row | {"trace": None}) + "\n")
    with open_store(tmp_path / "s.duckdb") as store:
        for name in ("t.csv", "t.jsonl"):
            report = load(store, [tmp_path / name])
            found = store.execute("SELECT input, output, model FROM usage_event").fetchall()
            assert (found, report.total("rejected"), report.unread) == ([(100, 10, "m")], 0, [])
