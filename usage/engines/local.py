"""DuckDB in this process: Parquet files of calls, or a store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from weakref import finalize

import duckdb

from ...errors import UsageLogError
from ..lake_tables import refuse_remote_table
from ..object_stores import allow, is_remote, said
from ..parquet import SUMMED, parquet_files, spellings
from ..parquet_bounds import check_summed
from ..store import SESSION, open_store
from ..store_file import connect
from .engine import copy_to
from .statement import SOURCE, RollupStatement


@dataclass(frozen=True)
class Local:
    """Calls that DuckDB reads where they lie; `spellings` of columns of which it takes only the first by its name."""

    connection: duckdb.DuckDBPyConnection
    origin: str
    unique: bool
    spellings: Sequence[str] = ()

    @classmethod
    def open(cls, source: str) -> Local:
        """A store (a DuckDB file), or a Parquet file, folder or glob. Raises UsageLogError, StoreError."""
        path = Path(source)
        if path.is_file() and _is_store(path):
            with open_store(path, read_only=True):
                pass  # it is one of ours, and its schema is known
            connection = connect(path, read_only=True, wait_seconds=0)
            connection.execute(SESSION)
            connection.execute(f"CREATE TEMP VIEW {SOURCE} AS FROM usage_event")
            return cls(connection, str(path.resolve()), unique=True)
        connection = duckdb.connect()
        connection.execute(SESSION)
        if is_remote(source):
            allow(connection, source)
            refuse_remote_table(connection, source)
            return cls._over(connection, [source], source)
        links = mkdtemp()  # to names that DuckDB does not take, for as long as it reads them
        finalize(connection, rmtree, links, ignore_errors=True)
        files = parquet_files([source], Path(links))
        if not files:
            raise UsageLogError("there is no Parquet file and no store here", file=source)
        return cls._over(connection, files, str(path.resolve()))

    @classmethod
    def _over(cls, connection: duckdb.DuckDBPyConnection, files: list[str], origin: str) -> Local:
        try:
            calls = connection.read_parquet(files, union_by_name=len(files) > 1, hive_partitioning=False)
            calls.create_view(SOURCE)
            found = spellings(connection, files)
            check_summed(connection, files, SUMMED)
        except duckdb.Error as error:
            raise UsageLogError(f"the file cannot be read: {said(error)}", file=files[0]) from None
        return cls(connection, origin, unique=False, spellings=found)

    def columns(self) -> dict[str, str]:
        """The columns of the files or of the store's table."""
        names = self.connection.execute(f"SELECT column_name, column_type FROM (DESCRIBE {SOURCE})").fetchall()  # noqa: S608
        return dict.fromkeys(self.spellings, "") | dict(names)

    def models(self, model: str, provider: str) -> list[tuple[str | None, str]]:
        """The providers and models of all calls."""
        sql = f"SELECT DISTINCT {provider}, {model} FROM {SOURCE} WHERE {model} IS NOT NULL"  # noqa: S608 (see statement.py)
        return self._query(sql).fetchall()

    def run(self, statement: RollupStatement, out: Path) -> None:
        """Sum and write to Parquet."""
        self._query(f"CREATE TEMP TABLE made AS {statement.sql}")
        copy_to(self.connection, "made", out)

    def _query(self, sql: str) -> duckdb.DuckDBPyConnection:
        try:
            return self.connection.execute(sql)
        except duckdb.Error as error:
            raise UsageLogError(f"the calls cannot be summed: {str(error).splitlines()[0]}", file=self.origin) from None


def _is_store(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(12)[8:] == b"DUCK"
