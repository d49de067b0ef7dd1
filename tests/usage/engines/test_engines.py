"""ClickHouse and Spark give DuckDB's sums, row for row, from the one statement: chDB and Spark run in this process."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from clickhouse_over_http import USER, WORD, served
from costsim.analysis.spend.rollup_file import Wanted, make_rollup
from costsim.errors import CostsimError
from costsim.pricing.book import open_book
from costsim.usage.engines.engine import Engine
from costsim.usage.engines.named import engine_of
from rollups import rows_apart

if TYPE_CHECKING:
    from conftest import Run

BOOK = open_book()
# 300 entries of 285 calls, among them calls below, at and above a tier, without an agent, and priced by the hour.
CALLS = """
SELECT 'e' || (i % 285) AS event_id, TIMESTAMP '2026-10-01' + INTERVAL (i * 797 % 200000) SECOND AS ts,
    CASE i % 3 WHEN 0 THEN 'anthropic' WHEN 1 THEN 'deepseek' ELSE 'google' END AS provider,
    CASE i % 3 WHEN 0 THEN 'claude-sonnet-4-5' WHEN 1 THEN 'deepseek-chat' ELSE 'gemini-2.5-pro' END AS model,
    'c' || (i % 2) AS component, CASE WHEN i % 7 = 0 THEN 'cto' END AS agent, 'u' || (i % 2) AS "user",
    (i * 37123 % 250000)::BIGINT AS input, (i % 90)::BIGINT AS output, (i % 100)::INTEGER AS cache_read,
    CASE WHEN i % 4 = 0 THEN ((i % 100) * 0.001)::DECIMAL(20, 10) END AS recorded_usd
FROM range(300) t(i)
"""
WANTED = Wanted(keep=["user"])


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("lake") / "calls.parquet"
    duckdb.connect().execute(f"COPY ({CALLS}) TO '{file}' (FORMAT parquet)")
    return file


@pytest.fixture(scope="module")
def local(calls: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """DuckDB's rollup."""
    return make_rollup(
        engine_of("local", str(calls)), BOOK, tmp_path_factory.mktemp("local") / "r.parquet", WANTED
    ).file


@pytest.fixture
def in_clickhouse(calls: Path) -> Iterator[Any]:
    """The engine of ClickHouse in this process, with the table llm.calls."""
    session = pytest.importorskip(
        "chdb.session", reason="chDB is not installed (pip install 'costsim[engines]')"
    ).Session()
    session.query("CREATE DATABASE llm")
    session.query(
        f"CREATE TABLE llm.calls ENGINE = MergeTree ORDER BY tuple() AS SELECT * FROM file('{calls}', Parquet)"
    )
    yield session
    session.close()


@pytest.fixture
def clickhouse(in_clickhouse: Any) -> Engine:
    """The engine in the place of its client."""
    from costsim.usage.engines.clickhouse import ClickHouse

    return ClickHouse(
        lambda sql: in_clickhouse.query(sql, "Parquet").bytes(), "llm.calls", "clickhouse://here/llm.calls"
    )


@pytest.mark.slow
def test_clickhouse_gives_the_sums_of_duckdb(clickhouse: Engine, local: Path, tmp_path: Path) -> None:
    made = make_rollup(clickhouse, BOOK, tmp_path / "r.parquet", WANTED)
    assert (made.calls, rows_apart(made.file, local)) == (285, 0)


@pytest.mark.slow
def test_a_column_that_clickhouse_does_not_have_is_one_line(clickhouse: Engine, tmp_path: Path) -> None:
    with pytest.raises(CostsimError, match=r"clickhouse://here/llm.calls: there is no column 'event'; did you mean"):
        make_rollup(clickhouse, BOOK, tmp_path / "r.parquet", Wanted(unique_by="event"))


@pytest.fixture
def client() -> None:
    pytest.importorskip(
        "clickhouse_connect", reason="clickhouse-connect is not installed (pip install 'costsim[clickhouse]')"
    )


@pytest.mark.slow
@pytest.mark.usefixtures("client")
def test_the_client_brings_the_sums_of_duckdb_from_a_server(
    in_clickhouse: Any, local: Path, costsim: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(in_clickhouse) as host:
        asked = (
            "rollup",
            "calls",
            "--engine",
            f"clickhouse://{USER}@{host}/llm",
            "--keep",
            "user",
            "--out",
            "r.parquet",
        )
        refused = costsim(*asked)
        monkeypatch.setenv("CLICKHOUSE_PASSWORD", WORD)
        made = costsim(*asked)
    assert (refused.code, refused.err.count("\n"), "Authentication failed" in refused.err) == (2, 1, True), refused
    assert (made.code, "195 sums of 285 calls" in made.out) == (0, True), made
    assert rows_apart(Path("r.parquet"), local) == 0
    assert WORD.encode() not in Path("r.parquet").read_bytes()


@pytest.mark.slow
@pytest.mark.usefixtures("client")
@pytest.mark.parametrize(
    ("table", "dying_of", "before", "said"),
    [
        ("calls", "GROUP BY", "", "Connection broken"),
        ("cals", "", "", "Table llm.cals does not exist"),
        ("calls", "", "SET readonly = 1", "a user who only reads needs readonly = 2 there, not 1"),
    ],
    ids=["dies in the middle", "no such table", "may set nothing"],
)
def test_what_a_server_refuses_or_breaks_off_is_one_line_and_leaves_no_file(
    in_clickhouse: Any, costsim: Run, table: str, dying_of: str, before: str, said: str
) -> None:
    if before:
        in_clickhouse.query(before)
    with served(in_clickhouse, dying_of) as host:
        failed = costsim("rollup", table, "--engine", f"clickhouse://{USER}:{WORD}@{host}/llm", "--out", "r.parquet")
    assert (failed.code, failed.err.count("\n"), said in failed.err) == (2, 1, True), failed
    assert WORD not in failed.err
    assert not Path("r.parquet").exists()


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("COSTSIM_SPARK"), reason="starting Spark takes long: COSTSIM_SPARK=1 runs it")
@pytest.mark.filterwarnings("ignore")
def test_spark_gives_the_sums_of_duckdb(calls: Path, local: Path, tmp_path: Path) -> None:
    sql = pytest.importorskip("pyspark.sql", reason="PySpark is not installed (pip install 'costsim[spark]')")
    settings = {"spark.master": "local[2]", "spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "2",
                "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}  # fmt: skip
    builder = sql.SparkSession.builder
    for name, value in settings.items():
        builder = builder.config(name, value)
    try:
        session = builder.getOrCreate()
    except Exception as error:  # no Java
        pytest.skip(f"Spark does not start: {error}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = make_rollup(engine_of("spark", str(calls)), BOOK, tmp_path / "r.parquet", WANTED)
            with pytest.raises(CostsimError, match="Spark cannot read this"):
                engine_of("spark", str(tmp_path / "none.parquet"))
    finally:
        session.stop()
    assert (made.calls, rows_apart(made.file, local)) == (285, 0)


def test_an_engine_that_there_is_not_is_named_with_those_there_are() -> None:
    with pytest.raises(CostsimError, match="there is no engine 'sparc'; did you mean 'spark'"):
        engine_of("sparc", "calls")


@pytest.mark.usefixtures("client")
def test_a_server_that_does_not_answer_is_one_line_without_the_password() -> None:
    with pytest.raises(CostsimError, match=r"^clickhouse://127.0.0.1:9/llm: ") as failed:
        engine_of("clickhouse://me:secret@127.0.0.1:9/llm", "calls")
    assert "secret" not in str(failed.value)
