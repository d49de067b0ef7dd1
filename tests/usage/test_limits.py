"""Bombs: what is read of a file is bounded, the bound is stated, and can be raised."""

from __future__ import annotations

import gzip
import json
import resource
import zlib
from pathlib import Path

import duckdb
import pytest
import zstandard
from costsim.errors import InputError, UsageLogError
from costsim.usage import packing, parquet_bounds, table_watch
from costsim.usage.engines.local import Local
from costsim.usage.limits import MAX_LINE
from costsim.usage.line_watch import LineWatch
from costsim.usage.load import load
from costsim.usage.parquet import open_calls
from costsim.usage.readers.mapped import parse_mapping
from costsim.usage.report import FileReport
from costsim.usage.store import open_store as open_file
from emptied import open_store

MAPPING = parse_mapping("ts=ts,input=input,output=output,model=:gpt-4o")
CALL = json.dumps({"ts": "2026-10-05T10:00:00Z", "input": 1, "output": 2}).encode() + b"\n"
MIB = 2**20


def loaded(folder: Path, file: Path) -> tuple[int, list[str]]:
    """How many calls a file has, and why lines of it are rejected."""
    with open_store(folder / "costsim.duckdb") as store:
        load(store, [file], mapping=MAPPING)
        (calls,) = store.execute("SELECT count(*) FROM usage_event").fetchone() or (0,)
        return calls, [reason for (reason,) in store.execute("SELECT reason FROM reject").fetchall()]


def bomb(how: str, size: int) -> bytes:
    """A call, then one endless line of x, packed."""
    packer = zstandard.ZstdCompressor().compressobj() if how == "zst" else zlib.compressobj(9, wbits=31)
    pieces = [packer.compress(CALL), *(packer.compress(b"x" * MIB) for _ in range(size // MIB)), packer.flush()]
    return b"".join(pieces)


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["zst", "gz"])
def test_a_bomb_is_unpacked_up_to_its_limit_and_keeps_its_whole_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    file = tmp_path / f"a.jsonl.{ending}"
    file.write_bytes(bomb(ending, 256 * MIB))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    monkeypatch.setenv("COSTSIM_MAX_LINE", "4MiB")
    calls, reasons = loaded(tmp_path, file)
    assert calls == 1
    assert len(reasons) == 1
    assert "COSTSIM_MAX_" in reasons[0]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400 * 1024  # KiB


@pytest.mark.parametrize("line", [b"x\n", b"{}\n"])
def test_lines_that_are_no_entries_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: bytes) -> None:
    """A packed file of 400 kB may hold 30 million of them."""
    monkeypatch.setenv("COSTSIM_MAX_REJECTS", "10")
    file = tmp_path / "a.jsonl"
    file.write_bytes(CALL + line * 1000 + CALL)
    calls, reasons = loaded(tmp_path, file)
    assert (calls, len(reasons)) == (1, 12)  # the eleventh of these lines is the last that is read
    assert reasons.count("the file cannot be read from here on: over 10 (raise it with COSTSIM_MAX_REJECTS) of its lines "
                         "are no entries") == 1  # fmt: skip


def test_rows_that_are_none_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COSTSIM_MAX_REJECTS", "10")
    file = tmp_path / "a.csv"
    file.write_text("ts,input,output\n2026-10-05T10:00:00Z,1,2\n" + "1,2\n" * 1000)
    calls, reasons = loaded(tmp_path, file)
    assert (calls, len(reasons)) == (1, 12)
    assert "COSTSIM_MAX_REJECTS" in reasons[-1]


@pytest.mark.slow
def test_a_ratio_is_bounded_where_lines_are_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "FREE_BYTES", MIB)
    file = tmp_path / "a.jsonl.zst"
    packer = zstandard.ZstdCompressor().compressobj()
    parts = [packer.compress(CALL + b'{"type": "user", "sessionId": "s"}\n' * 20_000) for _ in range(16)]
    file.write_bytes(b"".join([*parts, packer.flush()]))
    calls, reasons = loaded(tmp_path, file)
    assert 1 <= calls < 16
    assert "times its size: 1,000 (raise it with COSTSIM_MAX_RATIO)" in reasons[0]


@pytest.mark.slow
def test_a_limit_is_raised_by_its_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(CALL + b'{"x": "' + b"x" * MIB + b'"}\n' + b"{torn\n" + CALL.replace(b"2}", b"3}"))
    monkeypatch.setenv("COSTSIM_MAX_LINE", "512KiB")
    calls, reasons = loaded(tmp_path, file)
    assert (calls, sorted(reasons)) == (2, ["a line of over 512 KiB (raise it with COSTSIM_MAX_LINE)", "not JSON"])
    monkeypatch.setenv("COSTSIM_MAX_LINE", "2MiB")
    (tmp_path / "b").mkdir()
    assert "a line of over" not in "".join(loaded(tmp_path / "b", file)[1])
    monkeypatch.setenv("COSTSIM_MAX_LINE", "plenty")
    with pytest.raises(InputError, match="COSTSIM_MAX_LINE: 'plenty' is not a limit"):
        _ = MAX_LINE.value


@pytest.mark.slow
def test_a_table_is_read_up_to_a_line_that_is_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COSTSIM_MAX_LINE", "1MiB")
    file = tmp_path / "a.csv"
    row = "2026-10-05T10:00:00Z,1,2\n"
    file.write_text(f"ts,input,output\n{row}{'x' * 5 * MIB}\n{row}")
    calls, reasons = loaded(tmp_path, file)
    assert calls == 1
    assert "a line of over 1 MiB (raise it with COSTSIM_MAX_LINE): the file is not read from here on" in reasons[-1]


def test_a_document_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COSTSIM_MAX_DOCUMENT", "100KiB")
    file = tmp_path / "a.json.gz"
    file.write_bytes(gzip.compress(json.dumps([json.loads(CALL)] * 5000).encode()))
    with pytest.raises(UsageLogError, match="read as one document, and holds over 100 KiB"):
        loaded(tmp_path, file)


def test_values_of_a_document_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A comma within a text parts no values."""
    monkeypatch.setenv("COSTSIM_MAX_VALUES", "100")
    file = tmp_path / "a.json"
    file.write_bytes(langfuse(b', {"x": "%s"}' % (b'a,\\",' * 300_000), b"[", b"]"))
    assert sum(report.entries for report in read(tmp_path)) == 1
    file.write_bytes(langfuse(b", {}" * 300_000, b"[", b"]"))
    with pytest.raises(UsageLogError, match=r"so many values: 100 \(raise it with COSTSIM_MAX_VALUES\)"):
        read(tmp_path)


def test_values_of_a_line_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty objects take 33 times as much memory as in the file. No line that is read in bulk can have so many."""
    monkeypatch.setenv("COSTSIM_MAX_VALUES", "500000")
    file = tmp_path / "a.jsonl"
    long = b'{"x": [' + b",".join([b"{}"] * 600_000) + b"], " + CALL.lstrip()[1:]
    file.write_bytes(CALL + long + b'{"broken": \n')
    calls, reasons = loaded(tmp_path, file)
    assert calls == 1
    assert "over so many values: 500,000 (raise it with COSTSIM_MAX_VALUES)" in reasons


@pytest.mark.slow
@pytest.mark.parametrize("depth", [985, 1015])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
@pytest.mark.parametrize("name", ["codex/codex_alpha.jsonl", "copilot/events.jsonl", "bedrock/invocations.jsonl"])
def test_a_value_that_is_nested_deeply_keeps_no_other_line_from_being_read(
    tmp_path: Path, name: str, opening: str, closing: str, depth: int
) -> None:
    """Deeper than Python's own functions go by themselves, and not as deep as JSON is read: 1,024 levels."""
    sample = Path(__file__).parent.parent / "data" / "usage" / name
    file = tmp_path / "a.jsonl"
    value = opening * depth + "1" * (opening != "[") + closing * depth
    file.write_text('{"type": "x", "zz": ' + value + "}\n" + sample.read_text())
    with open_store() as store:
        [there] = load(store, [sample]).files
    with open_store() as store:
        [deep] = load(store, [file]).files
    assert deep.added == there.added > 0


def read(folder: Path) -> list[FileReport]:
    """What a load says of the log in a folder."""
    with open_store() as store:
        return load(store, [folder / "a.json"]).files


@pytest.mark.slow
def test_what_is_no_bomb_is_read_whole(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl.gz"
    file.write_bytes(gzip.compress(CALL * 5_000))
    assert loaded(tmp_path, file) == (5_000, [])


@pytest.mark.slow
def test_a_small_parquet_file_of_very_many_rows_is_refused(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """3,000,000 rows of 4 columns that say one thing: 96 MB in memory of some kilobytes, ratio over 1,000."""
    file = tmp_path / "logs" / "calls.parquet"
    file.parent.mkdir()
    made = "SELECT TIMESTAMP '2026-10-05' AS ts, 'gpt-4o' AS model, 1 AS input, 1 AS output FROM range(3000000)"
    store.execute(f"COPY ({made}) TO '{file}' (FORMAT parquet)")
    with pytest.raises(UsageLogError, match="its 3,000,000 rows are over so many times its size: 1,000"):
        load(store, [file], mapping=MAPPING)
    assert load(store, [file.parent], mapping=MAPPING).total("rejected") == 1


def table_with(store: duckdb.DuckDBPyConnection, file: Path, value: str, rows: int = 200, codec: str = "zstd") -> Path:
    """A Parquet file of calls, each of a second; `value` is SQL for its column `component`."""
    made = f"""
        SELECT TIMESTAMP '2026-10-05' + to_seconds(n) AS ts, 'gpt-4o' AS model, 1 AS input, 1 AS output,
            {value} AS component
        FROM range({rows}) t(n)
        """
    store.execute(f"COPY ({made}) TO '{file}' (FORMAT parquet, COMPRESSION {codec})")
    return file


LONG = f"repeat('x', {20 * 1024})"  # 200 of them are 4 MB, of a file of some 2 KB
MAPPED = parse_mapping("ts=ts,input=input,output=output,model=model,component=component")


@pytest.mark.parametrize(
    "value",
    [
        LONG,
        f"{LONG} || n % 2",
        f"CASE WHEN n > 1 THEN {LONG} END",
        f"{LONG}::BLOB",
        f"{{'a': {LONG}}}",
        f"{{'a': [1], 'b': [[{LONG}]]}}",
        f"[{LONG}]",
        f"CASE WHEN n = 7 THEN [{LONG} FOR i IN range(200)] END",
        "CASE WHEN n = 7 THEN [NULL::BIGINT FOR i IN range(500_000)] END",
        f"map {{'a': [{LONG}]}}",
        f"map {{{LONG}: 1}}",
    ],
)
def test_what_a_small_parquet_file_unpacks_to_is_bounded(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    """One long text stands once in the file, whatever the rows that have it; so does a list of one value."""
    monkeypatch.setattr(parquet_bounds, "FREE_BYTES", MIB)
    file = table_with(store, tmp_path / "logs.parquet", value)
    with pytest.raises(
        UsageLogError, match=r"its column 'component' unpacks to over so many times the file's size: 1,000"
    ):
        load(store, [file], mapping=MAPPED)
    monkeypatch.setenv("COSTSIM_MAX_RATIO", "100000")
    assert load(store, [file], mapping=MAPPED).calls == 200


def test_a_small_parquet_file_that_unpacks_to_much_is_not_summed_where_it_lies(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By `spend --events` and by `rollup`, which name the one file of two; a text of another column is not unpacked."""
    monkeypatch.setattr(parquet_bounds, "FREE_BYTES", MIB)
    table_with(store, tmp_path / "a.parquet", "'triage'")
    table_with(store, tmp_path / "b.parquet", f"'triage' AS note, {LONG}")
    with (
        pytest.raises(UsageLogError, match=r"b\.parquet: .* its column 'component' unpacks to"),
        open_calls([tmp_path]),
    ):
        pass
    with pytest.raises(UsageLogError, match=r"b\.parquet: .* its column 'component' unpacks to"):
        Local.open(str(tmp_path))
    table_with(store, tmp_path / "b.parquet", f"{LONG} AS note, 'triage'")
    with open_calls([tmp_path]) as calls:
        assert calls.models() == [(None, "gpt-4o")]


def test_texts_that_share_their_beginnings_are_bounded(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of each text the file has only what the one before does not begin with."""
    arrow, arrows = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr(parquet_bounds, "FREE_BYTES", MIB)
    calls = {"ts": ["2026-10-05"] * 200, "input": [1] * 200, "output": [1] * 200, "model": ["gpt-4o"] * 200}
    texts = ["x" * 20 * 1024 + str(n) for n in range(200)]
    arrows.write_table(
        arrow.table({**calls, "component": texts}),
        tmp_path / "a.parquet",
        compression="zstd",
        use_dictionary=False,
        column_encoding={"component": "DELTA_BYTE_ARRAY"} | dict.fromkeys(calls, "PLAIN"),
    )
    with pytest.raises(UsageLogError, match="its column 'component' unpacks to over so many times the file's size"):
        load(store, [tmp_path / "a.parquet"], mapping=MAPPED)


def test_a_small_parquet_file_that_unpacks_to_much_keeps_no_other_from_being_read(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_bounds, "FREE_BYTES", MIB)
    table_with(store, tmp_path / "a.parquet", LONG)
    table_with(store, tmp_path / "b.parquet", "'triage'", rows=3)
    report = load(store, [tmp_path], mapping=MAPPED)
    assert (report.calls, report.total("rejected")) == (3, 1)


def test_a_parquet_file_is_sound_whose_texts_are_as_long_as_they_take_room(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """200 texts of 20 KB from a dictionary of 20 KB, not packed: a file of 22 KB may hold 22 MB. And 20,000 short texts
    from a dictionary with one long one: as many as there are, each as long as that, would be 400 MB."""
    monkeypatch.setattr(parquet_bounds, "FREE_BYTES", MIB)
    file = table_with(store, tmp_path / "a.parquet", LONG, codec="uncompressed")
    assert load(store, [file], mapping=MAPPED).calls == 200
    file = table_with(store, tmp_path / "b.parquet", f"CASE WHEN n = 7 THEN {LONG} ELSE 'triage' END", rows=20_000)
    assert load(store, [file], mapping=MAPPED).calls == 20_000


def test_a_text_that_is_not_wanted_is_not_unpacked(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_bounds, "FREE_BYTES", MIB)
    assert load(store, [table_with(store, tmp_path / "a.parquet", LONG)], mapping=MAPPING).calls == 200


def test_a_cell_of_a_parquet_file_that_holds_more_than_a_line_is_refused(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """20,000 values at 8 bytes are 160 kB."""
    monkeypatch.setenv("COSTSIM_MAX_VALUES", "10000")
    monkeypatch.setenv("COSTSIM_MAX_LINE", "100KiB")
    file = table_with(store, tmp_path / "a.parquet", "CASE WHEN n = 7 THEN range(20_000) END")
    with pytest.raises(UsageLogError, match="its column 'component' has a cell of over 100 KiB"):
        load(store, [file], mapping=MAPPING)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_columns_of_a_table_are_bounded(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    """Four columns are as many as are allowed, a fifth is one too many."""
    monkeypatch.setenv("COSTSIM_MAX_COLUMNS", "4")
    made = "SELECT TIMESTAMP '2026-10-05' AS ts, 'x' AS model, 1 AS input, 1 AS output"
    calls, wide = tmp_path / f"a.{ending}", tmp_path / f"b.{ending}"
    store.execute(f"COPY ({made}) TO '{calls}' (FORMAT {ending})")
    store.execute(f"COPY ({made}, 1 AS e) TO '{wide}' (FORMAT {ending})")
    assert load(store, [calls], mapping=MAPPING).calls == 1
    with pytest.raises(UsageLogError, match=r"its columns are over 4 \(raise it with COSTSIM_MAX_COLUMNS\): 5"):
        load(store, [wide], mapping=MAPPING)


def langfuse(rest: bytes, before: bytes = b"", after: bytes = b"") -> bytes:
    """A log of Langfuse: one call, then so many lines, or items of a document."""
    call = {"id": "a", "type": "GENERATION", "traceId": "t", "startTime": "2026-10-05T10:00:00Z", "model": "gpt-4o"}
    return before + json.dumps({**call, "usageDetails": {"input": 1, "output": 2}}).encode() + rest + after


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", langfuse(b"\n{}" * 1000, after=b"\n")),
        ("a.jsonl", langfuse(b'\n{"x": 1}' * 1000, after=b"\n")),
        ("a.jsonl", langfuse(b'\n{"model": "gpt-4o"}' * 1000, after=b"\n")),
        ("a.jsonl.gz", gzip.compress(langfuse(b"\n{}" * 1000, after=b"\n"))),
        ("a.json", langfuse(b", {}" * 1000, b"[", b"]")),
        ("a.json", langfuse(b", 0" * 1000, b"[", b"]")),
    ],
)
def test_entries_that_are_refused_are_bounded_in_every_layout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes
) -> None:
    """Eleven are rejected, and one line says where the file is read no further."""
    monkeypatch.setenv("COSTSIM_MAX_REJECTS", "10")
    (tmp_path / name).write_bytes(content)
    with open_store(tmp_path / "costsim.duckdb") as store:
        load(store, [tmp_path / name])
        rejects = store.execute("SELECT line, reason FROM reject ORDER BY ALL").fetchall()
        assert store.execute("SELECT count(*), sum(input) FROM usage_event").fetchone() == (1, 1)
    assert [line for line, _ in rejects] == [*range(2, 13), 12]
    assert sum("over 10 (raise it with COSTSIM_MAX_REJECTS) of its lines" in reason for _, reason in rejects) == 1


def test_rows_that_are_refused_are_bounded_in_a_table_and_others_count_up_to_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows 3 to 12 are refused within the limit, the eleventh ends the reading: the call after it does not count."""
    monkeypatch.setenv("COSTSIM_MAX_REJECTS", "10")
    file, call = tmp_path / "a.csv", "2026-10-05T10:00:00Z,1,2\n"
    for rest in (",,\n", ",1,2\n", "2026-10-05T10:00:00Z,-1,2\n", "2026-10-05T10:00:00Z,x,2\n"):
        file.write_text("ts,input,output\n" + call + rest * 1000 + call)
        calls, reasons = loaded(tmp_path, file)
        assert (calls, len(reasons)) == (1, 12), rest
        assert sum("COSTSIM_MAX_REJECTS" in reason for reason in reasons) == 1


def test_two_files_with_many_refused_lines_are_each_read_up_to_their_own_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COSTSIM_MAX_REJECTS", "10")
    for name, refused in (("a", 6), ("b", 8), ("c", 30)):
        (tmp_path / f"{name}.jsonl").write_bytes(langfuse(b'\n{"model": "x"}' * refused, after=b"\n"))
    with open_store(tmp_path / "costsim.duckdb") as store:
        report = load(store, [tmp_path])
        assert [file.rejected for file in report.files] == [6, 8, 12]


@pytest.mark.slow
@pytest.mark.parametrize("reader", ["codex", "kimi-code", "openclaw", "otel", "litellm"])
def test_millions_of_lines_of_nothing_take_no_memory(tmp_path: Path, reader: str) -> None:
    """Held as rows they would take gigabytes, in windows over them more."""
    data = sorted((Path(__file__).parent.parent / "data" / "usage" / reader).glob("*.jsonl"))[0].read_bytes()
    (tmp_path / "a.jsonl").write_bytes(data.rstrip(b"\n") + b"\n" + b"{}\n" * 1_000_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with open_store(tmp_path / "costsim.duckdb") as store:
        load(store, [tmp_path / "a.jsonl"])
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300 * 1024  # KiB


@pytest.mark.slow
def test_long_cells_of_a_table_are_looked_at_some_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """64 texts of 4 MiB are 256 MiB, and a file of 4 MiB: they share one. The last says something of its own."""
    rows = """SELECT 'r' || i AS request_id, 'acompletion' AS call_type, 'gpt-4o' AS model, 10 AS prompt_tokens,
        5 AS completion_tokens, 0.001 AS spend, TIMESTAMP '2026-10-01' + INTERVAL (i) SECOND AS "startTime",
        CASE WHEN i = 63 THEN '{"my_input_tokens": 7}' ELSE '{"a": "' || repeat('x', 4194304) || '"}' END AS metadata
        FROM range(64) rows(i) ORDER BY i"""
    file = tmp_path / "a.parquet"
    duckdb.connect().execute(f"COPY ({rows}) TO '{file}' (COMPRESSION uncompressed)")
    assert file.stat().st_size < 5 * MIB
    fed: list[int] = []

    class Measured(LineWatch):
        def feed(self, piece: bytes, newlines: int) -> None:
            fed.append(len(piece))
            super().feed(piece, newlines)

    monkeypatch.setattr(table_watch, "LineWatch", Measured)
    with open_store(tmp_path / "costsim.duckdb") as store:
        assert load(store, [file]).calls == 64
        assert store.execute("SELECT line FROM unread WHERE field LIKE '%my_input_tokens'").fetchall() == [(64,)]
    assert max(fed) < 65 * MIB
    assert sum(fed) > 252 * MIB


@pytest.mark.slow
@pytest.mark.parametrize("alike", [False, True])
def test_a_million_small_rows_take_a_few_hundred_bytes_each(tmp_path: Path, alike: bool) -> None:
    """Rows that are alike are numbered: what that replaces is not kept until the end of the load."""
    rows = (
        f"2026-10-05T10:{0 if alike else n // 60 % 60:02}:00Z,{1 if alike else n % 999},1\n" for n in range(1_000_000)
    )
    (tmp_path / "a.csv").write_text("ts,input,output\n" + "".join(rows))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with open_file(tmp_path / "costsim.duckdb") as store:
        assert load(store, [tmp_path / "a.csv"], mapping=MAPPING).calls == 1_000_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400 * 1024  # KiB
