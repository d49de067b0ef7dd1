"""A server of S3's interface is listed, copied and summed by DuckDB's own extension, where this machine has it."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from costsim.analysis.spend.rollup_file import Wanted, make_rollup
from costsim.errors import CostsimError, UsageLogError
from costsim.pricing.book import open_book
from costsim.usage.engines.named import engine_of
from costsim.usage.load import LoadReport, load
from costsim.usage.parquet import open_calls
from costsim.usage.store import open_store
from object_store_server import served

LINE = (
    '{{"type": "assistant", "timestamp": "2026-05-15T10:00:00Z", "sessionId": "s", "message": {{"id": "{0}", '
    '"model": "claude-haiku-4-5", "usage": {{"input_tokens": {1}, "output_tokens": 10}}}}}}\n'
)
OBJECTS = {
    "logs/agents/a1.jsonl": LINE.format("m1", 100).encode(),
    "logs/agents/a[1].jsonl": LINE.format("m2", 200).encode(),
    "logs/agents/deep/b c+ä.jsonl": LINE.format("m3", 300).encode(),
    "logs/agents/readme.md": b"no log",
}
WORD = "hidden-word"
SECRET = """
CREATE OR REPLACE PERSISTENT SECRET costsim_test (TYPE {}, KEY_ID 'reader', SECRET '{}', ENDPOINT '{}',
    URL_STYLE 'path', USE_SSL false)
"""


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home of its own, where DuckDB keeps its secrets, with the extension that this machine has."""
    with duckdb.connect() as connection:
        try:
            connection.execute("LOAD httpfs")
        except duckdb.Error:
            pytest.skip("DuckDB's extension httpfs is not installed (duckdb -c 'INSTALL httpfs')")
    (tmp_path / ".duckdb").mkdir()
    (tmp_path / ".duckdb" / "extensions").symlink_to(Path.home() / ".duckdb" / "extensions")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)


def with_secret(host: str, kind: str = "s3") -> None:
    with duckdb.connect() as connection:
        connection.execute("LOAD httpfs")
        connection.execute(SECRET.format(kind, WORD, host))


def loaded(path: str) -> tuple[LoadReport, list[tuple[int]]]:
    with open_store(Path("s.duckdb")) as store:
        report = load(store, [path])
        return report, store.execute("SELECT input FROM usage_event ORDER BY ALL").fetchall()


@pytest.mark.slow
@pytest.mark.parametrize(("scheme", "kind"), [("s3", "s3"), ("gs", "gcs")])
def test_every_log_below_a_folder_is_copied_once_whatever_its_name(scheme: str, kind: str) -> None:
    with served(OBJECTS) as host:
        with_secret(host, kind)
        report, tokens = loaded(f"{scheme}://logs/agents/")
        assert tokens == [(100,), (200,), (300,)]
        assert list(report.passed_over) == [f"{scheme}://logs/agents/readme.md"]
        again, _ = loaded(f"{scheme}://logs/agents/")
        assert [file.unchanged for file in again.files] == [True, True, True]


@pytest.mark.slow
def test_parquet_is_summed_where_it_lies_unless_it_is_a_tables(tmp_path: Path) -> None:
    sql = "SELECT TIMESTAMP '2026-10-05' AS ts, 'claude-haiku-4-5' AS model, 1000 AS input FROM range(5)"
    duckdb.connect().execute(f"COPY ({sql}) TO '{tmp_path / 'c.parquet'}' (FORMAT parquet)")
    body = (tmp_path / "c.parquet").read_bytes()
    with served(
        {"lake/calls/c.parquet": body, "lake/table/c.parquet": body, "lake/table/_delta_log/0.json": b"{}"}
    ) as host:
        with_secret(host)
        made = make_rollup(
            engine_of("local", "s3://lake/calls/*.parquet"), open_book(), tmp_path / "r.parquet", Wanted()
        )
        assert (made.calls, made.rows) == (5, 1)
        with open_calls(["s3://lake/calls/c.parquet"]) as calls:
            assert calls.connection.execute("SELECT sum(input) FROM usage_event").fetchall() == [(5000,)]
        with pytest.raises(UsageLogError, match="a table of Delta"):
            engine_of("local", "s3://lake/table/*.parquet")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("s3://logs/agents/", 403, "HTTP 403.*the credentials do not fit"),
        ("s3://none/agents/", 200, "404"),
        ("s3://logs/none.jsonl", 200, "404|no such file"),
        ("s3://logs/none/", 200, "no such file, folder or match"),
        ("s3://logs/agents/", 500, "HTTP 500"),
    ],
)
def test_what_a_store_refuses_is_one_line_without_the_secret(path: str, status: int, said: str) -> None:
    with served(OBJECTS, status=status) as host:
        with_secret(host)
        with pytest.raises(CostsimError, match=said) as failed:
            loaded(path)
    assert "\n" not in str(failed.value)
    assert WORD not in str(failed.value)


@pytest.mark.slow
@pytest.mark.parametrize("host", ["no-such-host.invalid", "127.0.0.1:9"])
def test_a_store_that_cannot_be_reached_is_one_line(host: str) -> None:
    with_secret(host)
    with pytest.raises(CostsimError, match=r"^s3://logs/agents/\*\*: it cannot be read: ") as failed:
        loaded("s3://logs/agents/")
    assert "\n" not in str(failed.value)


@pytest.mark.slow
def test_a_listing_without_an_end_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COSTSIM_MAX_LISTED", "2500")
    with served(OBJECTS, endless=True) as host:
        with_secret(host)
        with pytest.raises(UsageLogError, match=r"over 2,500 \(raise it with COSTSIM_MAX_LISTED\) files"):
            loaded("s3://logs/agents/")
