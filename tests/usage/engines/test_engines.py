"""ClickHouse and Spark give DuckDB's sums, row for row, from the one statement: chDB and Spark run in this process."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from costsim.analysis.spend.rollup_file import Wanted, make_rollup
from costsim.errors import CostsimError
from costsim.pricing.book import open_book
from costsim.usage.engines.engine import Engine
from costsim.usage.engines.named import engine_of
from rollups import rows_apart

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
def clickhouse(calls: Path) -> Iterator[Engine]:
    """The engine of ClickHouse in this process, in the place of its client."""
    session = pytest.importorskip(
        "chdb.session", reason="chDB is not installed (pip install 'costsim[engines]')"
    ).Session()
    from costsim.usage.engines.clickhouse import ClickHouse

    session.query("CREATE DATABASE llm")
    session.query(
        f"CREATE TABLE llm.calls ENGINE = MergeTree ORDER BY tuple() AS SELECT * FROM file('{calls}', Parquet)"
    )
    yield ClickHouse(lambda sql: session.query(sql, "Parquet").bytes(), "llm.calls", "clickhouse://here/llm.calls")
    session.close()


@pytest.mark.slow
def test_clickhouse_gives_the_sums_of_duckdb(clickhouse: Engine, local: Path, tmp_path: Path) -> None:
    made = make_rollup(clickhouse, BOOK, tmp_path / "r.parquet", WANTED)
    assert (made.calls, rows_apart(made.file, local)) == (285, 0)


@pytest.mark.slow
def test_a_column_that_clickhouse_does_not_have_is_one_line(clickhouse: Engine, tmp_path: Path) -> None:
    with pytest.raises(CostsimError, match=r"clickhouse://here/llm.calls: there is no column 'event'; did you mean"):
        make_rollup(clickhouse, BOOK, tmp_path / "r.parquet", Wanted(unique_by="event"))


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


def test_a_server_that_does_not_answer_is_one_line_without_the_password() -> None:
    pytest.importorskip(
        "clickhouse_connect", reason="clickhouse-connect is not installed (pip install 'costsim[clickhouse]')"
    )
    with pytest.raises(CostsimError, match=r"^clickhouse://127.0.0.1:9/llm: ") as failed:
        engine_of("clickhouse://me:secret@127.0.0.1:9/llm", "calls")
    assert "secret" not in str(failed.value)
