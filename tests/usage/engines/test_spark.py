"""Spark gives DuckDB's sums, row for row: of Parquet, of tables, and of Iceberg and Delta where their jars are.

COSTSIM_SPARK=1 starts Spark; COSTSIM_SPARK_JARS names jars for it, with commas (iceberg-spark-runtime, delta-spark).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from costsim.analysis.spend.rollup_file import make_rollup
from costsim.errors import CostsimError
from costsim.usage.engines.named import engine_of
from rollups import BOOK, CALLS, WANTED, rows_apart

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not os.environ.get("COSTSIM_SPARK"), reason="starting Spark takes long: COSTSIM_SPARK=1 runs it"
    ),
    pytest.mark.filterwarnings("ignore"),
]
JARS = os.environ.get("COSTSIM_SPARK_JARS", "")
PLAIN = {"spark.master": "local[2]", "spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "2",
         "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}  # fmt: skip
ICEBERG = {"spark.sql.catalog.lake": "org.apache.iceberg.spark.SparkCatalog", "spark.sql.catalog.lake.type": "hadoop"}
DELTA = {"spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
         "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog"}  # fmt: skip


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the file calls.parquet and DuckDB's rollup of it, sums.parquet."""
    folder = tmp_path_factory.mktemp("lake")
    file = folder / "calls.parquet"
    duckdb.connect().execute(f"COPY ({CALLS}) TO '{file}' (FORMAT parquet)")
    make_rollup(engine_of("local", str(file)), BOOK, folder / "sums.parquet", WANTED)
    return folder


@pytest.fixture(scope="module")
def session(lake: Path) -> Iterator[Any]:
    sql = pytest.importorskip("pyspark.sql", reason="PySpark is not installed (pip install 'costsim[spark]')")
    settings = {**PLAIN, "spark.sql.warehouse.dir": str(lake / "tables")}
    if JARS:
        settings["spark.jars"] = JARS
    if "iceberg" in JARS:
        settings |= {**ICEBERG, "spark.sql.catalog.lake.warehouse": str(lake / "iceberg")}
    if "delta" in JARS:
        settings |= DELTA
    builder = sql.SparkSession.builder
    for name, value in settings.items():
        builder = builder.config(name, value)
    try:
        session = builder.getOrCreate()
    except Exception as error:  # no Java
        pytest.skip(f"Spark does not start: {error}")
    yield session
    session.stop()


def apart(lake: Path, source: str, out: Path) -> int:
    """In how many rows Spark's rollup of a source differs from DuckDB's."""
    made = make_rollup(engine_of("spark", source), BOOK, out, WANTED)
    assert made.calls == 285
    return rows_apart(made.file, lake / "sums.parquet")


def test_parquet_gives_the_sums_of_duckdb(session: Any, lake: Path, tmp_path: Path) -> None:
    assert apart(lake, str(lake / "calls.parquet"), tmp_path / "r.parquet") == 0
    assert apart(lake, f"{lake}/call*.parquet", tmp_path / "r.parquet") == 0


def test_a_table_gives_the_sums_of_duckdb(session: Any, lake: Path, tmp_path: Path) -> None:
    session.read.parquet(str(lake / "calls.parquet")).write.mode("overwrite").saveAsTable("calls")
    assert apart(lake, "calls", tmp_path / "r.parquet") == 0


@pytest.mark.skipif("iceberg" not in JARS, reason="COSTSIM_SPARK_JARS names no jar of Iceberg")
def test_a_table_of_iceberg_counts_what_it_still_has(session: Any, lake: Path, tmp_path: Path) -> None:
    calls = session.read.parquet(str(lake / "calls.parquet"))
    calls.union(calls.limit(0)).writeTo("lake.llm.calls").using("iceberg").createOrReplace()
    calls.withColumn("event_id", calls.model).writeTo("lake.llm.calls").append()
    session.sql("DELETE FROM lake.llm.calls WHERE event_id NOT LIKE 'e%'")
    assert apart(lake, "lake.llm.calls", tmp_path / "r.parquet") == 0
    assert apart(lake, f"iceberg:{lake}/iceberg/llm/calls", tmp_path / "r.parquet") == 0
    with pytest.raises(CostsimError, match="a table of Iceberg"):
        engine_of("spark", f"{lake}/iceberg/llm/calls/data/*.parquet")
    with pytest.raises(CostsimError, match="a table of Iceberg"):
        engine_of("local", f"{lake}/iceberg/llm/calls")


@pytest.mark.skipif("delta" not in JARS, reason="COSTSIM_SPARK_JARS names no jar of Delta")
def test_a_table_of_delta_counts_what_it_still_has(session: Any, lake: Path, tmp_path: Path) -> None:
    calls = session.read.parquet(str(lake / "calls.parquet"))
    for written in (calls.withColumn("event_id", calls.model), calls):
        written.write.format("delta").mode("overwrite").save(f"{lake}/delta")
    assert apart(lake, f"delta:{lake}/delta", tmp_path / "r.parquet") == 0
    with pytest.raises(CostsimError, match="a table of Delta"):
        engine_of("spark", f"{lake}/delta")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{}/none.parquet", "Spark cannot read this: .*Path does not exist"),
        ("no_such_table", "Spark cannot read this: .*cannot be found"),
        pytest.param(
            "delta:{}/none", "; give Spark its jar: spark-submit --packages io.delta:delta-spark",
            marks=pytest.mark.skipif("delta" in JARS, reason="the jar is there"),
        ),
    ],
    ids=["no file", "no table", "no jar"],
)  # fmt: skip
def test_what_spark_cannot_read_is_one_line(session: Any, lake: Path, source: str, said: str) -> None:
    with pytest.raises(CostsimError, match=said) as failed:
        engine_of("spark", source.format(lake))
    assert "\n" not in str(failed.value)


def test_a_count_that_no_call_has_is_named_and_no_sum_overflows(session: Any, tmp_path: Path) -> None:
    # 2 * 9 * 10^18 tokens are more than a BIGINT holds
    session.sql(
        "SELECT TIMESTAMP '2026-10-05' AS ts, 'claude-haiku-4-5' AS model, 9000000000000000000 AS input, '' AS user "
        "FROM range(2)"
    ).createOrReplaceTempView("large")
    made = make_rollup(engine_of("spark", "large"), BOOK, tmp_path / "r.parquet", WANTED)
    assert (made.calls, made.faults) == (0, (("a count over 10^12", 2),))
