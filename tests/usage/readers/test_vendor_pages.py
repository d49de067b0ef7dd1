"""Pages of vendors' APIs that sum by day: Claude Code's analytics, GitHub's billing, Langfuse's metrics, OpenAI's units."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from costsim.analysis.spend.ledger import bring_up_to_date
from costsim.analysis.spend.spend import Query, spend
from costsim.pricing.book import open_book
from costsim.usage.load import load

DATA = Path(__file__).parents[2] / "data" / "usage"


def written(folder: Path, name: str, document: Any) -> Path:
    file = folder / name
    file.write_text(json.dumps(document))
    return file


def rows(store: duckdb.DuckDBPyConnection, columns: str) -> list[tuple[Any, ...]]:
    return store.execute(f"SELECT {columns} FROM usage_event ORDER BY recorded_usd DESC").fetchall()


def total(store: duckdb.DuckDBPyConnection) -> Decimal | None:
    bring_up_to_date(store, open_book())
    return spend(store, open_book(), Query(("model",))).total.computed_usd


def test_claude_codes_analytics_sum_by_day_user_and_model(store: duckdb.DuckDBPyConnection) -> None:
    """Costs are in cents: 131.25, 1.05 and 0.35."""
    load(store, [DATA / "claude-code-analytics"])
    assert rows(store, 'role, "user", input, cache_read, cache_write_5m, output, recorded_usd') == [
        ("bill", "ada@example.com", 100_000, 1_000_000, 50_000, 35_000, Decimal("1.3125")),
        ("bill", "ci", 1_000, 0, 0, 500, Decimal("0.0105")),
        ("bill", "ada@example.com", 2_000, 0, 0, 300, Decimal("0.0035")),
    ]
    assert rows(store, "ts, period_end")[0] == (datetime(2026, 10, 5), datetime(2026, 10, 6))


def test_analytics_are_not_added_to_claude_codes_own_log(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """Sonnet 4.6's day is in the log (1,000 x $3 a million = 0.003), Haiku 4.5's is not (2,000 x 1 + 300 x 5 = 0.0035)."""
    message = {"id": "msg_0123456789abcdefghij", "model": "claude-sonnet-4-6", "usage": {"input_tokens": 1_000}}
    entry = {
        "type": "assistant",
        "timestamp": "2026-10-05T10:00:00Z",
        "sessionId": "s",
        "uuid": "u",
        "message": message,
    }
    (tmp_path / "s.jsonl").write_text(json.dumps(entry) + "\n")
    load(store, [tmp_path, DATA / "claude-code-analytics"])
    assert total(store) == Decimal("0.0065")
    assert store.execute("SELECT count(*) FROM usage_event WHERE covered_by = 'claude-code'").fetchone() == (2,)


def test_premium_requests_of_a_month_are_a_bill_at_their_gross_amount(store: duckdb.DuckDBPyConnection) -> None:
    load(store, [DATA / "copilot-usage"])
    assert rows(store, "ts, period_end, model, team, recorded_usd, tags ->> '$.net_usd'") == [
        (datetime(2026, 5, 1), datetime(2026, 6, 1), "GPT-5", "example", Decimal(4), "2"),
        (datetime(2026, 5, 1), datetime(2026, 6, 1), "Claude Sonnet 4.6", "example", Decimal(1), "0"),
    ]


@pytest.mark.parametrize(
    ("period", "begins", "ends"),
    [
        ({"year": 2026}, datetime(2026, 1, 1), datetime(2027, 1, 1)),
        ({"year": 2026, "month": 2}, datetime(2026, 2, 1), datetime(2026, 3, 1)),
        ({"year": 2026, "month": 12, "day": 31}, datetime(2026, 12, 31), datetime(2027, 1, 1)),
    ],
)
def test_a_report_is_of_a_year_a_month_or_a_day(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, period: dict[str, int], begins: datetime, ends: datetime
) -> None:
    report = json.loads((DATA / "copilot-usage" / "premium-requests.json").read_text()) | {"timePeriod": period}
    load(store, [written(tmp_path, "r.json", report)])
    assert rows(store, "ts, period_end")[0] == (begins, ends)


def test_two_reports_of_githubs_are_one_bill(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """The report by model has May ($5), the one of all products two of its days ($0.60) and minutes of Actions."""
    load(store, [DATA / "github-usage"])
    assert rows(store, "ts, recorded_usd") == [
        (datetime(2026, 5, 1), Decimal("0.4")),
        (datetime(2026, 5, 2), Decimal("0.2")),
    ]
    load(store, [DATA / "copilot-usage"])
    bring_up_to_date(store, open_book())
    covered = store.execute("SELECT DISTINCT source, covered_by FROM usage_event ORDER BY source").fetchall()
    assert covered == [("copilot-usage", None), ("github-usage", "copilot-usage")]


def test_a_report_without_items_is_no_usage(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    empty = {"timePeriod": {"year": 2026, "month": 5}, "organization": "o", "usageItems": []}
    report = load(store, [written(tmp_path, "r.json", empty)])
    assert (report.files[0].reader, report.total("rejected"), rows(store, "1")) == ("github-usage", 0, [])


def test_langfuses_metrics_are_sums_by_day_and_model(store: duckdb.DuckDBPyConnection) -> None:
    """A cost of 0 is one of a model that Langfuse has no price for; rows without a model are spans."""
    load(store, [DATA / "langfuse-days"])
    assert rows(store, "ts::DATE::VARCHAR, model, request, input, output, recorded_usd") == [
        ("2026-10-05", "gpt-5", 4, 20_000, 10_000, Decimal("0.125")),
        ("2026-10-06", "gpt-5", 2, 3_000, 400, Decimal("0.00775")),
        ("2026-10-05", "my-model", 1, 500, 50, None),
    ]


def test_langfuses_metrics_are_not_added_to_its_observations(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    observation = {"id": "g", "traceId": "t", "type": "GENERATION", "startTime": "2026-10-05T10:00:00Z",
                   "model": "gpt-5", "usageDetails": {"input": 1_000, "output": 0, "total": 1_000}}  # fmt: skip
    load(store, [written(tmp_path, "o.json", [observation]), DATA / "langfuse-days" / "daily.json"])
    bring_up_to_date(store, open_book())
    found = store.execute("SELECT source, model, covered_by FROM usage_event ORDER BY ALL").fetchall()
    assert found == [
        ("langfuse", "gpt-5", None),
        ("langfuse-days", "gpt-5", "langfuse"),
        ("langfuse-days", "my-model", None),
    ]


def test_what_langfuses_total_has_beyond_input_and_output_is_named(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """Older versions give the uncached input alone: 5,000 cached tokens are in the total only."""
    row = {"model": "gpt-5", "inputUsage": 100, "outputUsage": 10, "totalUsage": 5_110, "totalCost": 0.01,
           "countObservations": 1, "countTraces": 1}  # fmt: skip
    day = {"date": "2026-10-05", "countTraces": 1, "countObservations": 1, "totalCost": 0.01, "usage": [row]}
    load(store, [written(tmp_path, "d.json", {"data": [day], "meta": {}})])
    assert store.execute("SELECT count(*) FROM sign").fetchone() == (1,)


def test_a_query_without_a_time_is_rejected_with_what_to_ask_for(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    row = {"providedModelName": "gpt-5", "sum_inputTokens": "10", "sum_outputTokens": "1", "sum_totalCost": 0.1}
    load(store, [written(tmp_path, "q.json", {"data": [row]})])
    assert store.execute("SELECT reason FROM reject").fetchall() == [
        ("sums without a time: ask for a timeDimension of days",)
    ]


def page(**result: Any) -> dict[str, Any]:
    """A page of OpenAI's usage with one result of 1 November 2024."""
    bucket = {"object": "bucket", "start_time": 1_730_419_200, "end_time": 1_730_505_600, "results": [result]}
    return {"object": "page", "data": [bucket], "has_more": False, "next_page": None}


@pytest.mark.parametrize(
    ("kind", "counts", "named"),
    [
        ("images", {"images": 2, "num_model_requests": 2, "model": "dall-e-3"}, "images: 2 (dall-e-3)"),
        ("audio_speeches", {"characters": 45, "num_model_requests": 1}, "characters spoken: 45"),
        ("audio_transcriptions", {"seconds": 20, "model": "whisper-1"}, "seconds transcribed: 20 (whisper-1)"),
        ("vector_stores", {"usage_bytes": 1024}, "bytes stored: 1024"),
        ("code_interpreter_sessions", {"num_sessions": 1}, "code interpreter sessions: 1"),
        ("file_search_calls", {"num_requests": 7}, "searches of files: 7"),
    ],
)
def test_openais_usage_in_other_units_is_named_and_not_counted(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, kind: str, counts: dict[str, Any], named: str
) -> None:
    report = load(store, [written(tmp_path, "p.json", page(object=f"organization.usage.{kind}.result", **counts))])
    [(reason,)] = store.execute("SELECT reason FROM reject").fetchall()
    assert reason.startswith(f"{named}, not counted")
    assert (report.files[0].reader, rows(store, "1")) == ("openai-usage", [])


def test_openais_web_searches_have_a_price(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """12 searches of gpt-5 at $10 a thousand; its requests are in the page of completions."""
    found = {"num_requests": 12, "num_model_requests": 12, "context_level": "medium", "model": "gpt-5"}
    load(store, [written(tmp_path, "p.json", page(object="organization.usage.web_search_calls.result", **found))])
    assert rows(store, "web_search, request, input + output") == [(12, 0, 0)]
    assert total(store) == Decimal("0.12")


def test_zipkins_spans_count_by_trace(store: duckdb.DuckDBPyConnection) -> None:
    """The agent's span repeats its chat; 400 of the 1,000 were read from cache, and its tags are texts."""
    report = load(store, [DATA / "otel-export" / "lists-of-zipkin.json"])
    assert report.files[0].reader == "otel-export"
    assert rows(store, "input, cache_read, output, model, ts") == [(600, 400, 100, "gpt-5", datetime(2026, 10, 5, 10))]


def test_litellms_activity_counts_models_and_no_other_part_of_the_day(store: duckdb.DuckDBPyConnection) -> None:
    """gpt-5: 2,200 with 1,000 read and 200 written."""
    load(store, [DATA / "litellm-activity"])
    assert rows(store, "model, request, input, cache_read, cache_write_5m, output, recorded_usd") == [
        ("gpt-5", 2, 1_000, 1_000, 200, 200, Decimal("0.0425")),
        ("my-model", 1, 2_000, 0, 0, 100, Decimal("0.02")),
    ]


def test_a_generation_of_openrouters_is_the_one_of_its_export(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    export = tmp_path / "activity.csv"
    export.write_text(
        "generation_id,created_at,cost_total,tokens_prompt,tokens_completion,tokens_cached,model_permaslug\n"
        "gen-1791194400-Xk2Zr8fQm1LpT7Wd,2026-10-05 10:00:00,0.0123,1000,100,400,openai/gpt-5\n"
    )
    load(store, [export, DATA / "openrouter-generation"])
    bring_up_to_date(store, open_book())
    counted = store.execute("SELECT input, cache_read, output FROM usage_event WHERE covered_by IS NULL").fetchall()
    assert counted == [(600, 400, 100)]


def test_a_call_in_both_logs_of_api_management_counts_once(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """The gateway's own log has the reply, the one of language models its counts and the reply's id."""
    usage = {"prompt_tokens": 800, "completion_tokens": 20, "total_tokens": 820,
             "prompt_tokens_details": {"cached_tokens": 300}}  # fmt: skip
    body = {"id": "chatcmpl-1", "model": "gpt-4o-2024-08-06", "usage": usage}
    said = {"url": "https://x/openai/deployments/gpt-4o/chat/completions", "responseCode": 200,
            "backendResponseBody": json.dumps(body)}  # fmt: skip
    record = {"category": "GatewayLogs", "correlationId": "c1", "time": "2026-10-05T10:00:00Z", "properties": said}
    load(store, [written(tmp_path, "g.json", {"records": [record]}), DATA / "azure-llm"])
    bring_up_to_date(store, open_book())
    counted = store.execute(
        "SELECT source, input, cache_read, output FROM usage_event WHERE covered_by IS NULL ORDER BY input"
    ).fetchall()
    assert counted == [
        ("azure-llm", 50, 4_000, 70),
        ("azure-llm", 80, 0, 20),
        ("azure-apim", 500, 300, 20),
    ]


def test_a_trace_that_phoenixs_command_line_prints_is_its_spans(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    def span(id: str, kind: str, parent: str | None, **counts: int) -> dict[str, Any]:
        attributes: dict[str, Any] = {"openinference.span.kind": kind, "llm.model_name": "gpt-5"}
        attributes |= {f"llm.token_count.{name}": count for name, count in counts.items()}
        return {"name": kind, "context": {"trace_id": "t", "span_id": id}, "span_kind": kind, "parent_id": parent,
                "start_time": "2026-10-05T10:00:00Z", "attributes": attributes}  # fmt: skip

    spans = [span("a", "AGENT", None), span("b", "LLM", "a", prompt=100, completion=10)]
    trace = {"traceId": "t", "spans": spans, "rootSpan": spans[0], "startTime": "2026-10-05T10:00:00Z"}
    report = load(store, [written(tmp_path, "t.json", [trace])])
    assert (report.files[0].reader, rows(store, "input, output")) == ("otel-export", [(100, 10)])
