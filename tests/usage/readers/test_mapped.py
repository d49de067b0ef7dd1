"""Logs of one's own: a mapping says what their columns hold, and a wrong one is reported in one line."""

from __future__ import annotations

import io
import json
import shutil
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from costsim.cli.arguments import EXAMPLES
from costsim.errors import UsageLogError
from costsim.reports.loaded import lines as lines_of
from costsim.usage.load import LoadReport, load
from costsim.usage.readers.mapped import Mapping, parse_mapping

TRACE = EXAMPLES / "azure-code-completion" / "AzureLLMInferenceTrace_code.csv"
AZURE = "ts=TIMESTAMP,input=ContextTokens,output=GeneratedTokens,model=:openai/gpt-4o"
CALLS = 8_819


def written(folder: Path, text: str, name: str = "calls.csv") -> Path:
    file = folder / name
    file.write_text(text)
    return file


def stated(store: duckdb.DuckDBPyConnection, mapping: str, *files: Path) -> LoadReport:
    return load(store, files, mapping=parse_mapping(mapping))


def values(store: duckdb.DuckDBPyConnection, columns: str) -> list[tuple[Any, ...]]:
    return store.execute(f"SELECT {columns} FROM usage_event ORDER BY ts, event_id").fetchall()


@pytest.mark.slow
def test_the_azure_trace_is_8819_calls_with_the_sums_that_pandas_finds(store: duckdb.DuckDBPyConnection) -> None:
    import pandas as pd  # in tests, not for every worker that collects them

    report = stated(store, AZURE, TRACE)
    trace = pd.read_csv(TRACE)
    sums = "SELECT count(*), sum(request), sum(input), sum(output), min(ts), max(ts) FROM usage_event"
    [(calls, requests, read, generated, first, last)] = store.execute(sums).fetchall()
    times = pd.to_datetime(trace["TIMESTAMP"])
    assert (calls, requests, report.total("rejected")) == (CALLS, CALLS, 0)
    assert len(trace) == CALLS
    assert read == trace["ContextTokens"].sum()
    assert generated == trace["GeneratedTokens"].sum()
    assert abs(first - times.min()) < pd.Timedelta("1us")
    assert abs(last - times.max()) < pd.Timedelta("1us")


@pytest.mark.slow
def test_the_trace_under_another_name_is_the_same_calls(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    stated(store, AZURE, TRACE)
    again = stated(store, AZURE, shutil.copy2(TRACE, tmp_path / "copy.csv"))  # type: ignore[arg-type]
    assert again.total("entries") == CALLS
    assert again.total("added") == 0
    assert store.execute("SELECT count(*) FROM usage_event").fetchone() == (CALLS,)


def test_equal_rows_of_one_file_are_different_calls(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    row = "2026-10-05T10:00:00Z,100,10\n"
    report = stated(store, "ts=at,input=in,output=out", written(tmp_path, "at,in,out\n" + 3 * row))
    assert report.total("added") == 3
    assert store.execute("SELECT sum(input), sum(output) FROM usage_event").fetchone() == (300, 30)


@pytest.mark.slow
def test_a_grown_file_adds_only_its_new_rows(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    rows = ["2026-10-05T10:00:00Z,100,10\n", "2026-10-05T10:00:00Z,100,10\n", "2026-10-05T11:00:00Z,5,1\n"]
    mapping = "ts=at,input=in,output=out"
    stated(store, mapping, written(tmp_path, "at,in,out\n" + "".join(rows[:2])))
    assert stated(store, mapping, written(tmp_path, "at,in,out\n" + "".join(rows))).total("added") == 1


@pytest.mark.slow
def test_an_id_column_names_the_call_in_any_file(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    text = "id,at,in\na,2026-10-05T10:00:00Z,100\nb,2026-10-05T10:00:00Z,100\na,2026-10-05T10:00:00Z,100\n"
    assert stated(store, "id=id,ts=at,input=in", written(tmp_path, text)).total("added") == 2
    other = written(tmp_path, text.replace("b,", "c,"), "other.csv")
    assert stated(store, "id=id,ts=at,input=in", other).total("added") == 1


def test_a_wrong_column_is_named_with_the_nearest_name(store: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(UsageLogError, match=r"no column 'ContextToken'.*ContextTokens") as raised:
        stated(store, "ts=TIMESTAMP,input=ContextToken", TRACE)
    assert "\n" not in str(raised.value)
    assert TRACE.name in str(raised.value)


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ("ts=a,imput=b", "imput.*input"),
        ("input=b", "ts=COLUMN"),
        ("ts=a,model=:x", "at least one count"),
        ("ts=a,input=b,recorded_unit=euro", "usd"),
        ("ts=a,output=:1k", "output is a count; '1k' is not a whole number"),
    ],
)
def test_a_mapping_that_cannot_work_says_why_in_one_line(mapping: str, said: str) -> None:
    with pytest.raises(UsageLogError, match=said) as raised:
        parse_mapping(mapping)
    assert "\n" not in str(raised.value)


def test_input_that_includes_cached_tokens_is_counted_once(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    # 1,000 in all = 300 uncached + 600 read + 100 written; an empty cell is none
    file = written(tmp_path, "at,in,read,write\n2026-10-05T10:00:00Z,1000,600,100\n2026-10-05T11:00:00Z,50,,\n")
    stated(store, "ts=at,input=in,cache_read=read,cache_write_5m=write,input_includes_cached=true", file)
    assert values(store, "input, cache_read, cache_write_5m") == [(300, 600, 100), (50, 0, 0)]


def test_more_cached_than_input_is_rejected_not_clamped(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    file = written(tmp_path, "at,in,read\n2026-10-05T10:00:00Z,10,11\n")
    report = stated(store, "ts=at,input=in,cache_read=read,input_includes_cached=true", file)
    assert report.total("rejected") == 1
    assert "negative" in report.first_rejects[0]


def test_cents_are_hundredths_of_a_dollar_exactly(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    file = written(tmp_path, "at,in,cost\n2026-10-05T10:00:00Z,1,123.78912\n")
    stated(store, "ts=at,input=in,recorded_usd=cost,recorded_unit=cents", file)
    assert values(store, "recorded_usd") == [(Decimal("1.2378912"),)]


@pytest.mark.parametrize(
    "unit",
    ["usd", "cents"],
)
def test_a_cost_that_is_no_amount_is_rejected(store: duckdb.DuckDBPyConnection, tmp_path: Path, unit: str) -> None:
    file = written(tmp_path, "at,in,cost\n2026-10-05T10:00:00Z,1,a lot\n")
    report = stated(store, f"ts=at,input=in,recorded_usd=cost,recorded_unit={unit}", file)
    assert (report.total("added"), report.total("rejected")) == (0, 1)


def test_unix_times_are_read_where_the_mapping_says_so(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    # 1730419200 s = 2024-11-01 00:00 UTC; milliseconds are known by their size
    file = written(tmp_path, "at,in\n1730419200,1\n1730419200500,2\n")
    stated(store, "ts=at,input=in,time_unit=epoch", file)
    assert [str(ts) for (ts,) in values(store, "ts")] == ["2024-11-01 00:00:00", "2024-11-01 00:00:00.500000"]


def test_an_offset_is_honoured_and_no_offset_is_utc(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    file = written(tmp_path, "at,in\n2026-10-05T10:00:00+02:00,1\n2026-10-05 10:00:00,2\n")
    stated(store, "ts=at,input=in", file)
    assert [str(ts) for (ts,) in values(store, "ts")] == ["2026-10-05 08:00:00", "2026-10-05 10:00:00"]


def test_a_mapping_file_means_what_the_option_means(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        "columns: {ts: TIMESTAMP, input: ContextTokens, output: GeneratedTokens}\nconstants: {model: openai/gpt-4o}\n",
        "azure.yaml",
    )
    assert parse_mapping(str(file)) == parse_mapping(AZURE)


@pytest.mark.slow
def test_csv_json_lines_and_parquet_of_one_table_are_the_same_calls(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    # constants and unusual column names cannot leave their quotes
    import pandas as pd

    rows = [{"at": "2026-10-05T10:00:00Z", 'in "put"': n, "who": "o'brien"} for n in (1, 2, 3)]
    frame = pd.DataFrame(rows)
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_json(tmp_path / "b.jsonl", orient="records", lines=True)
    duckdb.sql("SELECT * FROM frame").write_parquet(str(tmp_path / "c.parquet"))  # type: ignore[union-attr]
    mapping = Mapping(columns={"ts": "at", "input": 'in "put"', "agent": "who"}, constants={"model": "x'; DROP"})
    reports = [load(store, [tmp_path / name], mapping=mapping) for name in ("a.csv", "b.jsonl", "c.parquet")]
    assert [report.total("entries") for report in reports] == [3, 3, 3]
    assert sorted(values(store, "input, agent, model")) == [(n, "o'brien", "x'; DROP") for n in (1, 2, 3)]


def test_a_cell_that_is_no_number_is_one_reject_with_its_line(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    file = written(tmp_path, "at,in\n2026-10-05T10:00:00Z,1\n2026-10-05T10:00:00Z,many\n")
    report = stated(store, "ts=at,input=in", file)
    assert (report.total("added"), report.total("rejected")) == (1, 1)
    assert f"{file}:3: in is not a whole number" in report.first_rejects[0]


def test_an_empty_cell_has_the_value_that_a_call_has_by_itself(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    file = written(tmp_path, "ts,in,how,id\n2026-10-05T10:00:00Z,7,,\n2026-10-05T10:00:01Z,7,batch,\n")
    assert stated(store, "ts=ts,input=in,processing=how,id=id", file).total("rejected") == 0
    assert values(store, "processing, status") == [("standard", "ok"), ("batch", "ok")]


def test_a_way_of_processing_is_known_however_it_is_written(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    rows = [{"ts": "2026-10-05T10:00:00Z", "in": 7, "how": how} for how in ("Batch", " batch", "", None)]
    file = written(tmp_path, "".join(json.dumps(row) + "\n" for row in rows), "calls.jsonl")
    stated(store, "ts=ts,input=in,processing=how", file)
    found = {row[0] for row in values(store, "processing")}
    assert (found, len(values(store, "processing"))) == ({"batch", "standard"}, 4)


def test_spaces_around_the_names_of_a_header_are_not_part_of_them(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    file = written(tmp_path, "ts, in, out\r\n2026-10-05T10:00:00Z,1000000,3\r\n")
    stated(store, "ts=ts,input=in,output= out", file)
    assert values(store, "input, output") == [(1_000_000, 3)]


@pytest.mark.slow
def test_columns_that_differ_in_their_case_only_are_different(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    stated(store, "ts=ts,input=in", written(tmp_path, "ts,In,in\n2026-10-05T10:00:00Z,1,1000000\n"))
    assert values(store, "input") == [(1_000_000,)]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["calls.csv", "calls.jsonl", "calls.json", "calls.parquet"])
def test_columns_may_have_any_name(store: duckdb.DuckDBPyConnection, tmp_path: Path, name: str) -> None:
    row = {"ts": "2026-10-05T10:00:00Z", "line": 5, "LINE ": 6, "path": "claude-haiku-4-5", "file_id": 7, "misfit": "s"}
    if name.endswith("jsonl"):
        (tmp_path / name).write_text(json.dumps(row) + "\n")
    elif name.endswith("json"):
        (tmp_path / name).write_text(json.dumps([row]))
    elif name.endswith("csv"):
        (tmp_path / name).write_text(",".join(row) + "\n" + ",".join(map(str, row.values())) + "\n")
    else:
        import pandas as pd

        duckdb.from_df(pd.DataFrame([row])).write_parquet(str(tmp_path / name))
    second = "LINE" if name.endswith("csv") else "LINE "
    columns = {
        "ts": "ts",
        "input": "line",
        "output": second,
        "model": "path",
        "cache_read": "file_id",
        "task": "misfit",
    }
    load(store, [tmp_path / name], mapping=Mapping(columns=columns))
    assert values(store, "input, output, model, cache_read, task") == [(5, 6, "claude-haiku-4-5", 7, "s")]


def test_two_fields_may_be_read_from_one_column(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    stated(store, "ts=ts,input=n,output=n", written(tmp_path, "ts,n\n2026-10-05T10:00:00Z,5\n"))
    assert values(store, "input, output") == [(5, 5)]


def test_a_mapped_column_that_stands_twice_is_an_error(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    with pytest.raises(UsageLogError, match="the column 'in' stands twice in the header"):
        stated(store, "ts=ts,input=in", written(tmp_path, "ts,in,in\n2026-10-05T10:00:00Z,1,2\n"))


def test_rejects_of_a_table_name_their_lines(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    rows = [
        "ts,in",
        "2026-10-05T10:00:00Z",
        "2026-10-05T10:00:01Z,x",
        "2026-10-05T10:00:02Z,1",
        "1,2,3",
        "2026-10-05T10:00:03Z,-1",
    ]
    stated(store, "ts=ts,input=in", written(tmp_path, "\n".join(rows) + "\n"))
    lines = store.execute("SELECT line FROM reject ORDER BY line").fetchall()
    assert [line for (line,) in lines] == [2, 3, 5, 6]
    assert values(store, "input") == [(1,)]


@pytest.mark.slow
def test_a_mapping_that_was_wrong_is_put_right_by_loading_again(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    row = "2026-10-05T10:00:00Z,1,500\n"
    file = written(tmp_path, "ts,in,out\n" + row)
    stated(store, "ts=ts,input=out,output=in", file)
    assert stated(store, "ts=ts,input=out,output=in", file).files[0].unchanged
    right = stated(store, "ts=ts,input=in,output=out", file)
    assert "1 call loaded before withdrawn: the files no longer contain them" in lines_of(right)
    assert values(store, "input, output") == [(1, 500)]
    stated(store, "ts=ts,input=out,output=in", written(tmp_path, "ts,in,out\n" + row + row))
    assert values(store, "input, output") == [(500, 1), (500, 1)], "a grown file too"
    assert load(store, [file]).files[0].unchanged, "without a mapping, it is the log that it was"


@pytest.mark.slow
def test_a_row_that_was_being_written_is_not_a_call_of_its_own(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    text = "ts,out\n2026-10-05T10:00:00Z,1234\n2026-10-05T10:00:01Z,56"
    stated(store, "ts=ts,output=out", written(tmp_path, text))
    stated(store, "ts=ts,output=out", written(tmp_path, text + "78\n"))
    assert values(store, "output") == [(1234,), (5678,)]


def test_a_log_that_starts_anew_under_its_old_name_takes_nothing_away(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    stated(store, "ts=ts,output=out", written(tmp_path, "ts,out\n2026-10-05T10:00:00Z,1\n2026-10-05T10:00:01Z,2\n"))
    stated(store, "ts=ts,output=out", written(tmp_path, "ts,out\n2026-10-06T10:00:00Z,3\n"))
    assert values(store, "output") == [(1,), (2,), (3,)]


@pytest.mark.slow
def test_what_a_log_had_before_it_began_anew_outlives_its_growth_and_another_mapping(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    first, second, third = (f"2026-10-0{day}T10:00:00Z,{day},9\n" for day in (1, 2, 3))
    stated(store, "ts=ts,input=in", written(tmp_path, "ts,in,out\n" + first))
    stated(store, "ts=ts,input=in", written(tmp_path, "ts,in,out\n" + second))
    stated(store, "ts=ts,input=in", written(tmp_path, "ts,in,out\n" + second + third))
    assert values(store, "input, output") == [(1, 0), (2, 0), (3, 0)]
    stated(store, "ts=ts,input=in,output=out", tmp_path / "calls.csv")
    assert values(store, "input, output") == [(1, 0), (2, 9), (3, 9)]


@pytest.mark.slow
def test_a_table_that_has_grown_is_read_as_it_was_mapped_where_no_mapping_is_named(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    row = "2026-10-05T10:00:00Z,1,500\n"
    for name, mapping in (("a.csv", "ts=ts,input=in,output=out"), ("b.csv", "ts=ts,input=out,output=in")):
        stated(store, mapping, written(tmp_path, "ts,in,out\n" + row, name))
        written(tmp_path, "ts,in,out\n" + row * 2, name)
    assert load(store, [tmp_path]).total("added") == 2
    assert sorted(values(store, "input, output")) == [(1, 500)] * 2 + [(500, 1)] * 2
    assert all(file.unchanged for file in load(store, [tmp_path]).files)


@pytest.mark.slow
def test_a_call_that_one_file_takes_back_counts_as_the_other_tells_it(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    larger = written(tmp_path, "ts,call,row,out\n2026-10-05T10:00:00Z,1,2,60\n", "larger.csv")
    other = written(tmp_path, "ts,call,row,out\n2026-10-05T10:00:00Z,1,3,56\n", "other.csv")
    stated(store, "ts=ts,id=call,output=out", larger, other)
    assert values(store, "event_id, output") == [("mapped:1", 60)]
    stated(store, "ts=ts,id=row,output=out", larger)
    assert load(store, [tmp_path]).total("added") == 1
    assert values(store, "event_id, output") == [("mapped:1", 56), ("mapped:2", 60)]
    assert all(file.unchanged for file in load(store, [tmp_path]).files)


def test_a_wrong_mapping_of_the_standard_input_is_put_right_too(
    store: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    for mapping in ("ts=ts,input=out,output=in", "ts=ts,input=in,output=out", "ts=ts,input=in,output=out"):
        piped = io.BytesIO(b"ts,in,out\n2026-10-05T10:00:00Z,1,500\n")
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=piped))
        report = stated(store, mapping, Path("-"))
    assert values(store, "input, output") == [(1, 500)]
    assert report.files[0].unchanged


ROW = "2026-10-05T10:00:00Z,7,"


@pytest.mark.parametrize(
    "text",
    [
        f"\n\nts,in,note\n{ROW}\n",
        f"\r\nts,in,note\r\n{ROW}\r\n",
        f"ts,in,note\r\n{ROW}\n",
        f"ts,in,note\r{ROW}\r",
        f'ts,in,"no\nte"\n{ROW}\n',
        f"ts,in,note\n{ROW}{'x' * 2_500_000}\n",
        f"ts,in,note,\n{ROW},\n",
        f"ts, in,note\n{ROW.replace(',', ' , ')}\n",
    ],
    ids=["empty lines first", "and CRLF", "mixed ends", "CR", "a header of two lines", "long", "empty ends", "spaces"],
)
def test_a_table_is_read_however_its_lines_are_laid_out(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, text: str
) -> None:
    (tmp_path / "calls.csv").write_bytes(text.encode())
    assert stated(store, "ts=ts,input=in", tmp_path / "calls.csv").total("rejected") == 0
    assert values(store, "input") == [(7,)]


def test_rejects_name_their_lines_below_rows_of_several_lines(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    rows = ["ts,in,note", f'{ROW}"of\nthree\nlines"', "", "2026-10-05,x,", "2026-10-05", f'{ROW}"a"b', "2026-10-05,-1,"]
    stated(store, "ts=ts,input=in", written(tmp_path, "\n".join(rows) + "\n"))
    rejected = store.execute("SELECT line, reason FROM reject ORDER BY line").fetchall()
    assert [line for line, _ in rejected] == [6, 7, 8, 9]
    assert rejected[1][1] == "the row has 1 cells, the header 3"
    assert values(store, "input") == [(7,)]


def test_what_is_no_table_at_all_is_said_in_one_line(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    with pytest.raises(UsageLogError, match="there is no column 'ts'"):
        stated(store, "ts=ts,input=in", written(tmp_path, "x" * 300_000))


def test_a_quote_that_nothing_closes_is_said_and_what_stands_above_is_kept(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    report = stated(store, "ts=ts,input=in", written(tmp_path, f'ts,in,note\n{ROW}\n{ROW}"open\n{ROW}\n'))
    assert "calls.csv:3: a quote opens here that nothing closes" in report.first_rejects[0]
    assert values(store, "input") == [(7,)]
