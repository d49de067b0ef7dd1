"""Spark: a table, or a path of Parquet, Delta or Iceberg, summed by the session that is there or a local one.

`--engine spark` takes the session of `spark-submit` or Spark's own settings where there are such; else it starts one
in this process on all cores. SOURCE is a table's name, or a path; `delta:PATH` and `iceberg:PATH` are of that format.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import CostsimError
from ..lake_tables import LOGS, refused
from ..store_faults import first_line
from .dialects import transpiled
from .engine import write_rows
from .statement import SOURCE, RollupStatement

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row, SparkSession

FORMATS = ("parquet", "delta", "iceberg")
JARS = {
    "delta": "io.delta:delta-spark_2.13:VERSION",
    "iceberg": "org.apache.iceberg:iceberg-spark-runtime-SPARK_2.13:VERSION",
}
# What it must not do silently: take times in another zone, or let a sum overflow.
SETTINGS = {"spark.sql.session.timeZone": "UTC", "spark.sql.ansi.enabled": "true"}


@dataclass(frozen=True)
class Spark:
    """Calls that a Spark session reads."""

    session: SparkSession
    origin: str
    unique: bool = False

    @classmethod
    def open(cls, source: str) -> Spark:
        """A table or a path. Raises CostsimError where Spark or Java is missing, or the source is not there."""
        try:
            from pyspark.sql import SparkSession
        except ImportError:
            raise CostsimError("--engine spark needs PySpark: pip install 'costsim[spark]'") from None
        try:
            builder = SparkSession.builder.appName("costsim rollup").config("spark.ui.showConsoleProgress", "false")
            session = builder.getOrCreate()
        except Exception as error:
            raise CostsimError(f"Spark does not start (it needs Java 17 or later): {_said(error)}") from None
        logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)  # what it says is in the error
        for name, value in SETTINGS.items():
            session.conf.set(name, value)
        try:
            _read(session, source).createOrReplaceTempView(SOURCE)
        except CostsimError:
            raise
        except Exception as error:  # PySpark has many kinds, none of them ours
            raise CostsimError(f"{source}: Spark cannot read this: {_said(error)}{_jar_of(source, error)}") from None
        return cls(session, source)

    def columns(self) -> dict[str, str]:
        """The columns of the table."""
        return dict(self.session.table(SOURCE).dtypes)

    def models(self, model: str, provider: str) -> list[tuple[str | None, str]]:
        """The providers and models of all calls."""
        sql = f"SELECT DISTINCT {provider} AS p, {model} AS m FROM {SOURCE} WHERE {model} IS NOT NULL"  # noqa: S608 (see statement.py)
        return [(row[0], row[1]) for row in self._rows(sql)]

    def run(self, statement: RollupStatement, out: Path) -> None:
        """Sum there; the sums come to this process and are written to Parquet."""
        write_rows(self._rows(statement.sql), statement.names, out)

    def _rows(self, sql: str) -> Iterator[Row]:
        try:
            yield from self.session.sql(transpiled(sql, SOURCE, "spark")).toLocalIterator()
        except CostsimError:
            raise
        except Exception as error:  # as above
            raise CostsimError(f"{self.origin}: Spark cannot sum this: {_said(error)}") from None


def _read(session: SparkSession, source: str) -> DataFrame:
    kind, colon, path = source.partition(":")
    if colon and kind in FORMATS:
        return session.read.format(kind).load(path)
    if "/" in source or source.endswith(".parquet"):
        _refuse_table(session, source)
        return session.read.parquet(source)
    return session.table(source)


def _refuse_table(session: SparkSession, source: str) -> None:
    """Raises UsageLogError where the files are those of a table, as far as the folders above may be listed."""
    java: Any = session._jvm
    path_of = java.org.apache.hadoop.fs.Path
    place = path_of(source.partition("*")[0].rpartition("/")[0] if "*" in source else source)
    while place is not None and place.depth():
        for kind, log in LOGS.items():
            if _is_there(session, path_of(place, log)):
                raise refused(kind, source)
        place = place.getParent()


def _is_there(session: SparkSession, pattern: Any) -> bool:
    try:
        return bool(pattern.getFileSystem(session._jsc.hadoopConfiguration()).globStatus(pattern))
    except Exception:  # reading the files themselves says why
        return False


def _said(error: Exception) -> str:
    """What an error of Spark says: the first cause in Java, where Python was told only that something was thrown."""
    cause = getattr(error, "java_exception", None)
    if cause is None:
        return first_line(error)
    while cause.getCause() is not None:
        cause = cause.getCause()
    return first_line(RuntimeError(str(cause.getMessage() or cause.toString())))


def _jar_of(source: str, error: Exception) -> str:
    """What to do where Spark does not know the format."""
    kind = source.partition(":")[0]
    if kind not in JARS or "DATA_SOURCE_NOT_FOUND" not in str(error):
        return ""
    return f"; give Spark its jar: spark-submit --packages {JARS[kind]}, see docs/scale.md"
