"""What lies in an object store is loaded as a file here is; DuckDB's own `file://` stands for one."""

from __future__ import annotations

import os
import time
from pathlib import Path

import duckdb
import pytest
from costsim.errors import UsageLogError
from costsim.usage import object_stores, parquet
from costsim.usage.load import LoadReport, load
from costsim.usage.parquet import open_calls
from costsim.usage.store import open_store

LINE = (
    '{{"type": "assistant", "timestamp": "2026-05-15T10:00:00Z", "sessionId": "s", "message": {{"id": "{id}", '
    '"model": "claude-haiku-4-5", "usage": {{"input_tokens": 100, "output_tokens": 10}}}}}}\n'
)


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setitem(object_stores.EXTENSIONS, "file", "none")
    for module in (object_stores, parquet):
        monkeypatch.setattr(module, "allow", lambda connection, path: None)
    folder = tmp_path / "bucket"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.jsonl").write_text(LINE.format(id="msg_1"))
    (folder / "deep" / "b.jsonl").write_text(LINE.format(id="msg_2"))
    (folder / "readme.md").write_text("no log")
    return folder


def _load(path: str, **given: str) -> tuple[LoadReport, int]:
    with open_store(Path("s.duckdb")) as store:
        report = load(store, [path], **given)  # type: ignore[arg-type]
        row = store.execute("SELECT count(*) FROM usage_event").fetchone()
    assert row
    return report, row[0]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_folder_of_an_object_store_is_read_below_and_what_is_no_log_is_named(bucket: Path) -> None:
    report, calls = _load(f"file://{bucket}/")
    assert calls == 2
    assert list(report.passed_over.values()) == [object_stores.NO_LOG]
    paths = [file.path for file in report.files]
    assert paths == [f"{bucket}/a.jsonl", f"{bucket}/deep/b.jsonl"]  # DuckDB drops file://


def test_a_file_that_is_named_twice_is_one(bucket: Path) -> None:
    """By the same words, or by a pattern that matches it too."""
    paths = [f"file://{bucket}/", f"file://{bucket}/a.jsonl", f"file://{bucket}/a.jsonl", f"file://{bucket}/*.jsonl"]
    with open_store(Path(":memory:")) as store:
        report = load(store, paths)
        assert store.execute("SELECT count(*) FROM usage_event").fetchone() == (2,)
    assert [file.path for file in report.files] == [f"{bucket}/a.jsonl", f"{bucket}/deep/b.jsonl"]


@pytest.mark.slow
def test_what_is_unchanged_is_not_fetched_again_and_what_grew_is(bucket: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _load(f"file://{bucket}/*.jsonl")
    with monkeypatch.context() as patched:
        patched.setattr(object_stores, "FETCH", "SELECT error('fetched')")
        report, calls = _load(f"file://{bucket}/*.jsonl")
    assert ([file.unchanged for file in report.files], calls) == ([True], 1)
    with (bucket / "a.jsonl").open("a") as log:
        log.write(LINE.format(id="msg_3"))
    os.utime(bucket / "a.jsonl", ns=(10**18, 10**18))
    assert _load(f"file://{bucket}/*.jsonl")[1] == 2


@pytest.mark.parametrize(
    ("name", "message"), [("none.jsonl", "there is no such file"), ("*.csv", "there is no such file, folder or match")]
)
def test_what_is_not_there_is_one_line(bucket: Path, name: str, message: str) -> None:
    with pytest.raises(UsageLogError, match=message):
        _load(f"file://{bucket}/{name}")


def test_a_file_too_large_to_pass_through_memory_is_one_line(bucket: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COSTSIM_MAX_FETCHED", "100")
    with pytest.raises(UsageLogError, match=r"a.jsonl: it is over 100 \(raise it with COSTSIM_MAX_FETCHED\)"):
        _load(f"file://{bucket}/a.jsonl")


@pytest.mark.parametrize(
    "fetch",
    [
        "SELECT if(contains(filename, 'b.jsonl'), error('HTTP 404 Not Found'), content) FROM read_blob(?) WHERE filename = ?",
        "SELECT content FROM read_blob(?) WHERE filename = ? AND NOT contains(filename, 'b.jsonl')",
    ],
    ids=["refused", "gone"],
)
def test_a_file_that_cannot_be_read_keeps_no_other_from_being_loaded(
    bucket: Path, monkeypatch: pytest.MonkeyPatch, fetch: str
) -> None:
    monkeypatch.setattr(object_stores, "FETCH", fetch)
    report, calls = _load(f"file://{bucket}/")
    assert calls == 1
    assert report.passed_over[f"{bucket}/deep/b.jsonl"].startswith("cannot be read (")
    with pytest.raises(UsageLogError, match=r"b\.jsonl"):
        _load(f"file://{bucket}/", strict=True)  # type: ignore[arg-type]
    for named in ("deep/b.jsonl", "deep/"):
        with pytest.raises(UsageLogError, match=r"b\.jsonl"):
            _load(f"file://{bucket}/{named}")


def test_an_extension_that_cannot_be_installed_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(object_stores.EXTENSIONS, "s3", "no_such_extension")
    for read in (lambda: _load("s3://logs/"), lambda: open_calls(["s3://logs/calls.parquet"]).__enter__()):
        with pytest.raises(UsageLogError, match=r"^s3://logs/.*needs DuckDB's extension no_such_extension"):
            read()


def test_the_file_of_that_very_name_comes_before_a_match(bucket: Path) -> None:
    """`a[1].jsonl` matches a1.jsonl, `*.jsonl` itself too, and `x[1]/` what is below x1."""
    for name, tokens in {"a1.jsonl": 1, "a[1].jsonl": 2, "*.jsonl": 3, "x1/c.jsonl": 4, "x[1]/c.jsonl": 5}.items():
        (bucket / name).parent.mkdir(exist_ok=True)
        (bucket / name).write_text(LINE.format(id=name).replace('"input_tokens": 100', f'"input_tokens": {tokens}'))
    named = {"a[1].jsonl": 2, "*.jsonl": 3, "x[1]/": 5, "a[[]1].jsonl": 2, "a[12].jsonl": 1, "x[12]/": 4, "a?.jsonl": 1}
    for path, tokens in named.items():
        with open_store(Path(":memory:")) as store:
            load(store, [f"file://{bucket}/{path}"])
            assert store.execute("SELECT list(input) FROM usage_event").fetchone() == ([tokens],), path


def test_calls_of_the_parquet_file_of_that_very_name_are_summed(bucket: Path) -> None:
    for name, tokens in {"a1": 1, "a[1]": 2}.items():
        rows = f"SELECT TIMESTAMP '2026-05-15' AS ts, 'claude-haiku-4-5' AS model, {tokens} AS input"
        duckdb.execute(f"COPY ({rows}) TO '{bucket / name}.parquet'")
    with open_calls([f"file://{bucket}/a[1].parquet"]) as calls:
        assert calls.connection.execute("SELECT sum(input) FROM usage_event").fetchone() == (2,)


@pytest.mark.parametrize("seconds_ago", [0, 60])
def test_an_object_that_was_just_written_may_be_another_of_its_size_under_the_same_second(
    bucket: Path, seconds_ago: int
) -> None:
    """Stores count whole seconds. What was at rest for a while is known by its size and time."""
    written = int(time.time()) - seconds_ago
    found = []
    for id in ("msg_1", "msg_2", "msg_2"):
        (bucket / "a.jsonl").write_text(LINE.format(id=id))
        os.utime(bucket / "a.jsonl", (written, written))
        report, calls = _load(f"file://{bucket}/a.jsonl")
        found.append((calls, report.files[0].unchanged))
    assert found == ([(1, False), (2, False), (2, True)] if not seconds_ago else [(1, False), (1, True), (1, True)])


def test_what_is_named_without_wildcards_is_one_file_however_the_store_spells_it(
    bucket: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of several, one whose name no log has is passed over; one that is named is read or an error."""
    monkeypatch.setattr(object_stores, "LIST", object_stores.LIST.replace("filename,", "'azure:/' || filename,", 1))
    with duckdb.connect() as connection:
        [file], several = object_stores._listed_as(connection, f"file://{bucket}/readme.md")
    assert (file.name, several) == (f"azure:/{bucket}/readme.md", False)
