"""Postgres: `--engine postgresql://USER@HOST/DATABASE`, read-only; the password comes from PGPASSWORD or ~/.pgpass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import CostsimError
from ..postgres import connected, origin_of, said
from .dialects import table_in, transpiled
from .engine import write_rows
from .statement import SOURCE, RollupStatement


@dataclass(frozen=True)
class Postgres:
    """A table that Postgres has."""

    connection: Any
    address: str
    table: str
    origin: str
    unique: bool = False

    @classmethod
    def connect(cls, address: str, table: str) -> Postgres:
        """The table of a database. Raises UsageLogError where it does not answer."""
        connection = connected(address)
        return cls(connection, address, table, f"{origin_of(address, connection)}/{table}")

    def columns(self) -> dict[str, str]:
        """The columns of the table, with Postgres' names of their types."""
        described = f"SELECT * FROM {table_in(self.table, 'postgres')} LIMIT 0"  # noqa: S608 (a table's name, quoted)
        names = self._description(described)
        rows = self._rows("SELECT oid, typname FROM pg_type")
        kinds = dict(rows)
        return {name: kinds.get(number, "") for name, number in names}

    def models(self, model: str, provider: str) -> list[tuple[str | None, str]]:
        """The providers and models of all calls."""
        sql = f"SELECT DISTINCT {provider} AS p, {model} AS m FROM {SOURCE} WHERE {model} IS NOT NULL"  # noqa: S608 (see statement.py)
        return [(row[0], row[1]) for row in self._rows(transpiled(sql, self.table, "postgres"))]

    def run(self, statement: RollupStatement, out: Path) -> None:
        """Sum there; the sums come to this process and are written to Parquet."""
        with self.connection:
            write_rows(self._rows(transpiled(statement.sql, self.table, "postgres")), statement.names, out)

    def _rows(self, sql: str) -> Sequence[Any]:
        return self._asked(sql, lambda cursor: cursor.fetchall())  # type: ignore[no-any-return]

    def _description(self, sql: str) -> list[tuple[str, int]]:
        return self._asked(sql, lambda cursor: [(column.name, column.type_code) for column in cursor.description])  # type: ignore[no-any-return]

    def _asked(self, sql: str, taken: Callable[[Any], Any]) -> Any:
        import psycopg

        try:
            return taken(self.connection.execute(sql.encode()))
        except psycopg.Error as error:
            self.connection.close()
            raise CostsimError(f"{self.origin}: {said(self.address, error)}") from None
