"""`costsim rollup` in each engine: the same sums as DuckDB's, in time that grows with the calls, of one size.

    python tests/bench/bench_rollup.py [--calls 1000000 10000000 100000000] [--engines duckdb chdb spark]

Calls are generated in the engine (30 days, 3 models with tiers and prices by the half hour, 5 components; one in 20
repeats an identity), so that nothing but the engine's own work is timed. Spark is a standalone master with two workers
of one core each on loopback, which the bench starts and stops. Every run is a process of its own; the rows of an
engine's rollup are compared with those of DuckDB's. Targets: no row apart; time per call of the largest run at most
1.2 of that of the one before, from 10^7 calls on (below, starting costs more than summing); the file's size
independent of the calls.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

sys.path.insert(0, str(Path(__file__).parents[1]))
from rollups import rows_apart

if TYPE_CHECKING:
    from costsim.usage.engines.engine import Engine

MOST_PER_CALL = 1.2
MASTER = "spark://127.0.0.1:7077"
WORKER_MEMORY = "5g"
CALLS = """
SELECT 'e' || {unique} AS event_id, {ts} AS ts,
    CASE i % 3 WHEN 0 THEN 'anthropic' WHEN 1 THEN 'deepseek' ELSE 'google' END AS provider,
    CASE i % 3 WHEN 0 THEN 'claude-sonnet-4-5' WHEN 1 THEN 'deepseek-chat' ELSE 'gemini-2.5-pro' END AS model,
    'c' || {component} AS component, CAST(i * 37123 % 250000 AS BIGINT) AS input,
    CAST(i % 900 AS BIGINT) AS output, CAST(i % 1000 AS BIGINT) AS cache_read,
    CASE WHEN i % 4 = 0 THEN CAST(i % 3 AS DECIMAL(20, 10)) END AS recorded_usd
FROM {source}
"""
SECONDS = "i * 797 % 2592000"


def _calls(count: int, source: str, ts: str, text: str) -> str:
    """SQL for so many rows in an engine's words; `text` casts a number to text."""
    unique, component = (text.format(number) for number in (f"(i % {max(1, count * 19 // 20)})", "(i % 5)"))
    return CALLS.format(source=source, ts=ts, unique=unique, component=component)


def in_duckdb(count: int) -> Engine:
    """A view in this process."""
    from costsim.usage.engines.local import Local
    from costsim.usage.engines.statement import SOURCE
    from costsim.usage.store import SESSION

    connection = duckdb.connect()
    connection.execute(SESSION)
    ts = f"TIMESTAMP '2026-10-01' + to_seconds({SECONDS})"
    calls = _calls(count, f"range({count}) AS t(i)", ts, "{}")
    connection.execute(f"CREATE TEMP VIEW {SOURCE} AS {calls}")
    return Local(connection, "generated", unique=False)


def in_chdb(count: int) -> Engine:
    """A view in ClickHouse's engine in this process; what does not fit in memory goes to disk."""
    import chdb.session as chdb
    from costsim.usage.engines.clickhouse import ClickHouse

    start: Any = chdb.Session  # has no types, where it is installed at all
    session = start()
    session.query("CREATE DATABASE llm")
    session.query(f"SET max_bytes_before_external_group_by = {8 * 2**30}, max_bytes_before_external_sort = {8 * 2**30}")
    ts = f"toDateTime64('2026-10-01 00:00:00', 6, 'UTC') + toIntervalSecond({SECONDS})"
    source = f"(SELECT toInt64(number) AS i FROM numbers_mt({count}))"
    session.query(f"CREATE VIEW llm.calls AS {_calls(count, source, ts, 'toString({})')}")
    return ClickHouse(lambda sql: session.query(sql, "Parquet").bytes(), "llm.calls", "generated")


def in_spark(count: int) -> Engine:
    """A view in the session of the standalone master."""
    from costsim.usage.engines.spark import SETTINGS, Spark
    from costsim.usage.engines.statement import SOURCE
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master(MASTER).appName("bench").config("spark.ui.enabled", "false")
    settings = {"spark.executor.memory": "4g", "spark.sql.shuffle.partitions": "16", "spark.log.level": "ERROR"}
    for name, value in {**settings, **SETTINGS}.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.range(count).withColumnRenamed("id", "i").createOrReplaceTempView("generated")
    ts = f"TIMESTAMP '2026-10-01 00:00:00' + make_dt_interval(0, 0, 0, {SECONDS})"
    session.sql(f"CREATE OR REPLACE TEMP VIEW {SOURCE} AS {_calls(count, 'generated', ts, 'CAST({} AS STRING)')}")
    return Spark(session, "generated")


ENGINES = {"duckdb": in_duckdb, "chdb": in_chdb, "spark": in_spark}


def run_one(engine: str, count: int, out: Path) -> None:
    """Roll up in this process and print the seconds, without the engine's start."""
    from costsim.analysis.spend.rollup_file import Wanted, make_rollup
    from costsim.pricing.book import open_book

    book, there = open_book(), ENGINES[engine](count)
    start = time.perf_counter()
    made = make_rollup(there, book, out, Wanted())
    print(json.dumps({"seconds": time.perf_counter() - start, "calls": made.calls, "rows": made.rows}))


def _timed(engine: str, count: int, out: Path) -> dict[str, float]:
    """A run in a process of its own, with its peak memory in GiB (Spark's is its workers')."""
    command = [sys.executable, __file__, "--one", engine, str(count), str(out)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout
    said = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{engine} failed on {count:,} calls")
    return {**json.loads(said.splitlines()[-1]), "gib": used.ru_maxrss / 2**20}


@contextmanager
def cluster(wanted: bool) -> Iterator[None]:
    """A standalone master with two workers on loopback."""
    if not wanted:
        yield
        return
    import pyspark

    spark = [str(Path(pyspark.__file__).parent / "bin" / "spark-class")]
    deploy = "org.apache.spark.deploy"
    commands = [[*spark, f"{deploy}.master.Master", "--host", "127.0.0.1", "--port", "7077"]]
    worker = [*spark, f"{deploy}.worker.Worker", "--host", "127.0.0.1", "--cores", "1", "--memory", WORKER_MEMORY]
    commands += [[*worker, MASTER]] * 2
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_WORKER_DIR": folder}
        processes = []
        for command in commands:
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            processes.append(subprocess.Popen(command, env=environment, **quiet))  # type: ignore[call-overload]
            time.sleep(5)
        try:
            yield
        finally:
            for process in reversed(processes):
                process.terminate()
            for process in processes:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(20)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a line for each run, and how time per call grew."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, nargs="+", default=[10**6, 10**7, 10**8])
    parser.add_argument("--engines", choices=ENGINES, nargs="+", default=list(ENGINES))
    parser.add_argument("--one", nargs=3, metavar=("ENGINE", "CALLS", "FILE"), help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.one:
        run_one(given.one[0], int(given.one[1]), Path(given.one[2]))
        return
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    engines = ["duckdb", *(engine for engine in given.engines if engine != "duckdb")]
    with tempfile.TemporaryDirectory() as folder, cluster("spark" in engines):
        per_call: dict[str, float] = {}
        for count in given.calls:
            for engine in engines:
                out = Path(folder) / f"{engine}-{count}.parquet"
                run = _timed(engine, count, out)
                now = run["seconds"] / count
                grown = f"{now / per_call[engine]:.2f} of the time per call before" if engine in per_call else ""
                apart = rows_apart(out, Path(folder) / f"duckdb-{count}.parquet")
                print(
                    f"{engine:7} {count:12,} calls {run['seconds']:8.1f} s {run['gib']:6.2f} GiB  {run['rows']:,} rows, "
                    f"{out.stat().st_size / 1024:,.0f} KiB, {apart} apart from DuckDB's  {grown}",
                    flush=True,
                )
                per_call[engine] = now


if __name__ == "__main__":
    main()
