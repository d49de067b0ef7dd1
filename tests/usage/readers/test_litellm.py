"""LiteLLM SpendLogs: cached tokens come out of the prompt's, and the proxy's own cache costs nothing."""

from __future__ import annotations

import json
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from costsim.analysis.spend.ledger import bring_up_to_date
from costsim.analysis.spend.spend import Query, spend
from costsim.errors import UsageLogError
from costsim.pricing.book import open_book
from costsim.usage.load import LoadReport, load
from costsim.usage.readers import READERS
from costsim.usage.readers.litellm import OTHER_TABLES
from emptied import open_store

DATA = Path(__file__).parents[2] / "data" / "usage" / "litellm"
ROWS = [json.loads(line) for line in (DATA / "spend_logs.jsonl").read_text().splitlines()]
TOKENS = "input, cache_read, cache_write_5m, cache_write_1h, output, request"


def loaded(folder: Path, *files: Path, sql: str) -> tuple[LoadReport, list[tuple[Any, ...]]]:
    with open_store(folder / "costsim.duckdb") as store:
        report = load(store, files)
        return report, store.execute(sql).fetchall()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["spend_logs.jsonl", "spend_logs.csv"])
def test_every_token_class_of_a_row_is_counted_once(tmp_path: Path, name: str) -> None:
    report, rows = loaded(tmp_path, DATA / name, sql=f"SELECT {TOKENS}, recorded_usd FROM usage_event ORDER BY ts")
    assert report.files[0].reader == "litellm"
    assert report.total("rejected") == 0
    assert rows == [
        (20, 0, 0, 0, 10, 1, Decimal("0.000225")),
        (86, 1920, 0, 0, 300, 1, Decimal("0.0036")),  # 2006 - 1920
        (44, 1000, 1000, 51, 503, 1, Decimal("0.0117")),  # 2095 - 1000 - 1051
        (31, 0, 1253, 0, 467, 1, Decimal("0.01179675")),  # an older proxy: writes beside prompt_tokens
        (0, 0, 0, 0, 0, 0, Decimal(0)),  # a hit of the proxy's cache
        (0, 0, 0, 0, 0, 1, Decimal(0)),  # a failure
    ]


@pytest.mark.slow
def test_team_tags_agent_and_status_can_be_attributed(tmp_path: Path) -> None:
    sql = "SELECT agent, provider, model, status, tags FROM usage_event ORDER BY ts"
    _, rows = loaded(tmp_path, DATA / "spend_logs.jsonl", sql=sql)
    assert [row[0] for row in rows[:2]] == [None, "agent-cio"]
    assert rows[2][1:4] == ("anthropic", "claude-sonnet-4-5-20250929", "ok")
    assert rows[5][3] == "error"
    tags = [json.loads(row[4]) for row in rows]
    assert tags[0]["team_id"] == "research"
    assert tags[0]["request_tags"] == ["jobID:214590dsff09fds", "taskName:run_page_classification"]
    assert [tag.get("cache_hit") for tag in tags] == [None, None, None, None, "true", None]


@pytest.mark.slow
def test_json_csv_and_parquet_of_one_table_are_the_same_calls(tmp_path: Path) -> None:
    parquet, array = tmp_path / "spend.parquet", tmp_path / "spend.json"
    csv = str(DATA / "spend_logs.csv")
    duckdb.sql("SELECT * FROM read_csv($csv)", params={"csv": csv}).write_parquet(str(parquet))  # type: ignore[union-attr]
    array.write_text(json.dumps(ROWS, indent=1))
    files = [DATA / "spend_logs.jsonl", DATA / "spend_logs.csv", parquet, array]
    report, rows = loaded(tmp_path, *files, sql="SELECT count(*), sum(input), sum(recorded_usd) FROM usage_event")
    assert (report.total("entries"), report.total("added"), report.total("rejected")) == (24, 6, 0)
    assert rows == [(6, 181, Decimal("0.02732175"))]


@pytest.mark.slow
@pytest.mark.parametrize(
    "wrong",
    [
        {"prompt_tokens": "many"},
        {"metadata": {"additional_usage_values": {"prompt_tokens_details": {"cached_tokens": "few"}}}},
        {"metadata": {"additional_usage_values": {"cache_creation_input_tokens": 1.5}}},
        {"spend": "free"},
    ],
)
def test_a_count_that_is_none_is_a_reject_and_nothing_else_is_lost(tmp_path: Path, wrong: dict[str, Any]) -> None:
    file = tmp_path / "spend.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in [ROWS[0], {**ROWS[1], **wrong}, ROWS[2]]))
    report, rows = loaded(tmp_path, file, sql="SELECT sum(input), count(*) FROM usage_event")
    assert report.total("rejected") == 1
    assert rows == [(64, 2)]


def test_no_other_reader_takes_it() -> None:
    from costsim.usage.reader import Sample

    sample = Sample("x", "ndjson", tuple(ROWS))
    assert [reader.name for reader in READERS if reader.recognises(sample)] == ["litellm"]


@pytest.mark.slow
@pytest.mark.parametrize("more", [None, {}, {"prompt_tokens_details": None}])
def test_a_detail_that_is_null_hides_no_other(tmp_path: Path, more: dict[str, Any] | None) -> None:
    usage = {"prompt_tokens_details": {"cached_tokens": 90}}
    row = ROWS[0] | {"prompt_tokens": 100, "metadata": {"additional_usage_values": more, "usage_object": usage}}
    (tmp_path / "a.jsonl").write_text(json.dumps(row))
    _, rows = loaded(tmp_path, tmp_path / "a.jsonl", sql="SELECT input, cache_read FROM usage_event")
    assert rows == [(10, 90)]


@pytest.mark.slow
def test_calls_without_an_id_are_distinguished(tmp_path: Path) -> None:
    calls = [ROWS[0] | {"request_id": "", "completion_tokens": tokens} for tokens in (1, 2, 3)]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, calls)))
    _, rows = loaded(tmp_path, tmp_path / "a.jsonl", sql="SELECT count(*), sum(output) FROM usage_event")
    assert rows == [(3, 6)]


@pytest.mark.slow
def test_the_flex_tier_and_batches_have_their_own_processing(tmp_path: Path) -> None:
    usage = {"prompt_tokens": 100, "completion_tokens": 10, "service_tier": "flex"}
    rows = [
        ROWS[0] | {"request_id": "usage", "metadata": {"usage_object": usage}},
        ROWS[0] | {"request_id": "answer", "response": json.dumps({"service_tier": "priority"})},
        ROWS[0] | {"request_id": "asked", "proxy_server_request": {"service_tier": "flex"}},
        ROWS[0] | {"request_id": "auto", "metadata": {"usage_object": usage | {"service_tier": "default"}}},
        ROWS[0] | {"request_id": "batch", "call_type": "aretrieve_batch"},
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    sql = "SELECT response_id, processing FROM usage_event ORDER BY event_id"
    _, found = loaded(tmp_path, tmp_path / "a.jsonl", sql=sql)
    assert found == [
        ("answer", "priority"),
        ("asked", "flex"),
        ("auto", "standard"),
        ("batch", "batch"),
        ("usage", "flex"),
    ]


@pytest.mark.slow
def test_one_hour_writes_may_be_stated_without_their_sum(tmp_path: Path) -> None:
    usage = {"prompt_tokens": 2000, "cache_creation": {"ephemeral_1h_input_tokens": 700}}
    row = ROWS[0] | {"prompt_tokens": 2000, "metadata": {"usage_object": usage}}
    (tmp_path / "a.jsonl").write_text(json.dumps(row))
    _, rows = loaded(tmp_path, tmp_path / "a.jsonl", sql=f"SELECT {TOKENS} FROM usage_event")
    assert rows == [(1300, 0, 0, 700, row["completion_tokens"], 1)]  # 2000 - 700


DAILY = DATA.parent / "litellm-daily" / "daily_user_spend.csv"


def test_a_daily_table_is_sums_of_requests(tmp_path: Path) -> None:
    report, rows = loaded(tmp_path, DAILY, sql=f"SELECT {TOKENS}, aggregated FROM usage_event ORDER BY model")
    assert report.files[0].reader == "litellm-daily"
    assert rows == [
        (44, 1000, 1051, 0, 503, 2, True),  # 2095 - 1000 - 1051
        (86, 1920, 0, 0, 300, 3, True),  # 2006 - 1920
    ]


@pytest.mark.parametrize(("column", "table"), OTHER_TABLES.items())
def test_the_other_daily_tables_repeat_the_users_and_are_refused_by_name(
    tmp_path: Path, column: str, table: str
) -> None:
    other = tmp_path / "daily.csv"
    other.write_text(DAILY.read_text().replace("user_id", column, 1))
    with open_store(tmp_path / "costsim.duckdb") as store:
        with pytest.raises(UsageLogError, match=f"{table} has the same requests as LiteLLM_DailyUserSpend"):
            load(store, [other])
        shutil.copyfile(DAILY, tmp_path / "users.csv")
        report = load(store, [tmp_path])  # in a folder, the users' table is loaded, and the other named
    assert [Path(file.path).name for file in report.files] == ["users.csv"]
    assert table in report.unreadable[0]


@pytest.mark.slow
def test_an_id_that_a_server_gives_to_all_of_its_answers_swallows_no_call(tmp_path: Path) -> None:
    rows = [ROWS[0] | {"request_id": "chatcmpl-0", "startTime": f"2026-10-05T10:0{n}:00Z"} for n in range(4)]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in [*rows, rows[0]]))
    _, found = loaded(tmp_path, tmp_path / "a.jsonl", sql="SELECT count(*) FROM usage_event")
    assert found == [(4,)]  # five rows, one of them twice


# prompt, completion, cache reads, cache writes, total: uncached input; 5,420 = 100 + 20 + 5,000 + 300
@pytest.mark.parametrize(
    ("counts", "uncached", "beyond"),
    [
        ((5_400, 20, 5_000, 300, 5_420), 100, None),  # all within the prompt
        ((100, 20, 5_000, 300, 5_420), 100, None),  # the total says that all stand beside it
        ((100, 20, 50, 10, 180), 100, None),  # though they would fit in
        ((100, 20, 50, 10, 130), 50, None),  # the total has the writes beside
        ((100, 20, 5_000, 300, 120), 100, None),  # more than the prompt: beside, whatever the total leaves out
        ((100, 20, 5_000, 300, 9_000), 100, 3_580),  # contradicted: counted as stated, and named
        ((100, 20, 50, 10, 1_000), 40, 880),
    ],
)
def test_cached_tokens_stand_where_the_rows_arithmetic_puts_them(
    tmp_path: Path, counts: tuple[int, int, int, int, int], uncached: int, beyond: int | None
) -> None:
    prompt, completion, reads, writes, total = counts
    usage = {"cache_read_input_tokens": reads, "cache_creation_input_tokens": writes}
    row = ROWS[0] | {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": total}
    (tmp_path / "a.jsonl").write_text(json.dumps(row | {"metadata": {"additional_usage_values": usage}}))
    report, rows = loaded(tmp_path, tmp_path / "a.jsonl", sql=f"SELECT {TOKENS} FROM usage_event")
    assert rows == [(uncached, reads, writes, 0, completion, 1)]
    assert [sign.amount for sign in report.signs] == ([] if beyond is None else [beyond])


DAY = {
    "id": "d1", "user_id": "u", "date": "2026-10-05", "api_key": "k", "model": "gpt-4o", "custom_llm_provider": "openai",
    "prompt_tokens": 1000, "completion_tokens": 200, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0,
    "spend": 0.0045, "api_requests": 2,
}  # fmt: skip
CALL = ROWS[0] | {"request_id": "chatcmpl-b1", "startTime": "2026-10-05T10:00:00Z", "model": "gpt-4o"}


@pytest.mark.slow
@pytest.mark.parametrize("first", ["calls", "days"])
def test_a_daily_table_counts_only_where_the_spend_logs_have_no_call(tmp_path: Path, first: str) -> None:
    # gpt-4o: 2.5 in, 10 out; the logged calls 2 x (500 x 2.5 + 100 x 10) = 4,500 millionths, and again 4,500 of the 6th
    counts = {"prompt_tokens": 500, "completion_tokens": 100, "total_tokens": 600, "custom_llm_provider": "openai"}
    calls = [CALL | counts | {"request_id": f"chatcmpl-b{n}"} for n in (1, 2)]
    days = [DAY, DAY | {"id": "d2", "date": "2026-10-06"}]
    files = {"calls": calls, "days": days}
    for name, rows in files.items():
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    book = open_book()
    with open_store(tmp_path / "s.duckdb") as store:
        for name in sorted(files, reverse=first == "days"):
            load(store, [tmp_path / f"{name}.jsonl"])
            bring_up_to_date(store, book)
        found = spend(store, book, Query(by=("source",)))
    assert {row.keys[0]: row.computed_usd for row in found.rows} == {
        "litellm": Decimal("0.0045"),
        "litellm-daily": Decimal("0.0045"),
    }
    assert found.sources.overlaps == ()
    assert [(one.covered_by, one.usd) for one in found.sources.not_counted] == [("litellm", Decimal("0.0045"))]


@pytest.mark.slow
def test_a_daily_table_larger_than_the_rows_that_cover_it_is_named(tmp_path: Path) -> None:
    counts = {"prompt_tokens": 500, "completion_tokens": 100, "total_tokens": 600, "custom_llm_provider": "openai"}
    files = {"calls": [CALL | counts | {"spend": 0.00225}], "days": [DAY]}
    for name, rows in files.items():
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    book = open_book()
    with open_store(tmp_path / "s.duckdb") as store:
        load(store, [tmp_path / "calls.jsonl", tmp_path / "days.jsonl"])
        bring_up_to_date(store, book)
        [days] = spend(store, book, Query(by=("source",))).sources.not_counted
    assert days.beyond_usd == Decimal("0.00225")  # 0.0045 of two requests, of which one is a row
    assert "it records $0.0022 more than them" in days.message


@pytest.mark.slow
def test_what_litellms_callbacks_write_is_the_row_of_the_same_request(tmp_path: Path) -> None:
    usage = {"prompt_tokens": 1000, "completion_tokens": 150, "total_tokens": 1150,
             "prompt_tokens_details": {"cached_tokens": 400}}  # fmt: skip
    row = {"request_id": "chatcmpl-9", "call_type": "acompletion", "spend": 0.0035, "prompt_tokens": 1000,
           "completion_tokens": 150, "total_tokens": 1150, "startTime": "2026-09-01T10:00:00.250Z", "model": "gpt-4o",
           "custom_llm_provider": "openai", "metadata": {"usage_object": usage}}  # fmt: skip
    logged = {"id": "chatcmpl-9", "trace_id": "t", "call_type": "acompletion", "cache_hit": None, "status": "success",
              "startTime": 1788256800.25, "endTime": 1788256801.5, "model": "gpt-4o", "custom_llm_provider": "openai",
              "response_cost": 0.0035, "saved_cache_cost": 0.0, "prompt_tokens": 1000, "completion_tokens": 150,
              "total_tokens": 1150, "metadata": {"usage_object": usage, "user_api_key_user_id": "ann"},
              "response": {"id": "chatcmpl-9", "usage": usage}, "cost_breakdown": {"total_cost": 0.0035},
              "model_map_information": {"model_map_value": {"input_cost_per_token": 2.5e-06}}}  # fmt: skip
    hit = {**logged, "id": "chatcmpl-10", "cache_hit": True, "response_cost": 0.0, "saved_cache_cost": 0.0035}
    rows, calls = tmp_path / "rows.jsonl", tmp_path / "calls.jsonl"
    rows.write_text(json.dumps(row))
    calls.write_text(f"{json.dumps(logged)}\n{json.dumps(hit)}\n")
    sql = f"SELECT {TOKENS}, recorded_usd FROM usage_event ORDER BY request DESC"
    report, events = loaded(tmp_path, rows, calls, sql=sql)
    assert {file.reader for file in report.files} == {"litellm"}
    # 1000 - 400 cached; the other was answered from the proxy's cache
    assert events == [(600, 400, 0, 0, 150, 1, Decimal("0.0035")), (0, 0, 0, 0, 0, 0, Decimal(0))]
    with open_store(tmp_path / "costsim.duckdb") as store:
        assert store.execute("SELECT field FROM unread").fetchall() == []


@pytest.mark.slow
@pytest.mark.parametrize("indent", [None, 2])
def test_a_page_of_the_proxys_api_holds_rows(tmp_path: Path, indent: int | None) -> None:
    page = tmp_path / "page.json"
    page.write_text(json.dumps({"data": ROWS, "total": len(ROWS), "page": 1, "total_pages": 1}, indent=indent))
    report, rows = loaded(tmp_path, page, sql="SELECT count(*), sum(input), sum(recorded_usd) FROM usage_event")
    assert (report.files[0].reader, report.total("rejected")) == ("litellm", 0)
    assert rows == [(6, 181, Decimal("0.02732175"))]  # as of the rows in a list


def test_a_spend_of_zero_for_tokens_is_no_known_price_and_not_free(tmp_path: Path) -> None:
    """The proxy knows no price of the model; of a failed request without tokens 0 is the cost."""
    row = {"call_type": "acompletion", "startTime": "2026-10-05T10:00:00Z", "model": "mine", "spend": 0,
           "completion_tokens": 0, "custom_llm_provider": "openai"}  # fmt: skip
    used = row | {"request_id": "a", "prompt_tokens": 100, "total_tokens": 100}
    failed = row | {"request_id": "b", "prompt_tokens": 0, "total_tokens": 0, "status": "failure"}
    (tmp_path / "l.jsonl").write_text(json.dumps(used) + "\n" + json.dumps(failed) + "\n")
    (tmp_path / "d.jsonl").write_text(json.dumps(DAY | {"spend": 0.0}) + "\n")
    with open_store(tmp_path / "s.duckdb") as store:
        load(store, [tmp_path])
        found = store.execute("SELECT source, input, recorded_usd FROM usage_event ORDER BY ALL").fetchall()
    assert found == [("litellm", 0, 0), ("litellm", 100, None), ("litellm-daily", 1_000, None)]
