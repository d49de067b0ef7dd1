"""ClickHouse, through its own client: `--engine clickhouse://USER@HOST:PORT/DATABASE` (https for clickhouses://).

The password is taken from CLICKHOUSE_PASSWORD. Nothing is written there.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from ...errors import CostsimError
from ..database_address import database_address
from ..files import escaped
from ..store_faults import first_line
from .dialects import table_in, transpiled
from .engine import write_parquet
from .statement import SOURCE, RollupStatement

LONGEST_SECONDS = 24 * 3600  # of one statement; the client's own limit is five minutes
Ask = Callable[[str], bytes]
"""Answers SQL with a Parquet file."""


@dataclass(frozen=True)
class ClickHouse:
    """A table that ClickHouse has."""

    ask: Ask
    table: str
    origin: str
    unique: bool = False

    @classmethod
    def connect(cls, address: str, table: str) -> ClickHouse:
        """The table at an address. Raises CostsimError where the client is missing or the server does not answer."""
        try:
            import clickhouse_connect
        except ImportError:
            raise CostsimError("--engine clickhouse needs its client: pip install 'costsim[clickhouse]'") from None
        logging.getLogger("clickhouse_connect").addHandler(logging.NullHandler())  # its warnings are in its errors
        parts = database_address(address)
        host, port = parts.first
        origin = f"clickhouse://{parts.hosts or 'localhost'}{parts.path.rstrip('/')}"
        try:
            client = clickhouse_connect.get_client(
                host=host or "localhost",
                port=port,
                username=parts.user or os.environ.get("CLICKHOUSE_USER", "default"),
                password=unquote(parts.word) or os.environ.get("CLICKHOUSE_PASSWORD", ""),
                database=parts.path.strip("/") or "default",
                secure=address.startswith("clickhouses:"),
                send_receive_timeout=LONGEST_SECONDS,
            )
        except Exception as error:  # the client has many kinds, none of them ours
            said = parts.without_secrets(first_line(error), ["CLICKHOUSE_PASSWORD"])
            raise CostsimError(f"{origin}: {said}") from None
        return cls(lambda sql: bytes(client.raw_query(sql, fmt="Parquet")), table, f"{origin}/{table}")

    def columns(self) -> dict[str, str]:
        """The columns of the table."""
        rows = self._rows(f"DESCRIBE TABLE {table_in(self.table, 'clickhouse')}")
        return {str(row[0]): str(row[1]) for row in rows}

    def models(self, model: str, provider: str) -> list[tuple[str | None, str]]:
        """The providers and models of all calls."""
        sql = f"SELECT DISTINCT {provider} AS p, {model} AS m FROM {SOURCE} WHERE {model} IS NOT NULL"  # noqa: S608 (see statement.py)
        return [(row[0], str(row[1])) for row in self._rows(transpiled(sql, self.table, "clickhouse"))]

    def run(self, statement: RollupStatement, out: Path) -> None:
        """Sum there and write the sums to Parquet here."""
        made = self._asked(transpiled(statement.sql, self.table, "clickhouse"))
        write_parquet(made, statement.names, out)

    def _rows(self, sql: str) -> list[tuple[str | None, ...]]:
        import tempfile

        import duckdb

        with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
            file.write(self._asked(sql))
            file.flush()
            with duckdb.connect() as connection:
                names = connection.read_parquet(escaped(file.name))
                cast = ", ".join(f'"{name}"::VARCHAR' for name in names.columns)
                return names.project(cast).fetchall()

    def _asked(self, sql: str) -> bytes:
        try:
            return self.ask(sql)
        except Exception as error:  # as above
            raise CostsimError(f"{self.origin}: {first_line(error)}") from None
