"""Projections in DuckDB: the table `projection`, a row per run, plan, day and component."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from ...errors import StoreError
from ...usage.shape import statement
from ...usage.store import explained, open_database
from ..projection import Projection
from .plan_sums import ProjectionDay

DELETE = "DELETE FROM projection WHERE run = ?"
INSERT = """
INSERT INTO projection
SELECT ?, ?, ?, ?::TIMESTAMP, row.*
FROM (SELECT unnest(from_json(?, '[{
    "plan": "VARCHAR", "day": "DATE", "component": "VARCHAR", "agent": "VARCHAR", "task": "VARCHAR",
    "model": "VARCHAR", "runs": "DECIMAL(38,12)", "expected_usd": "DECIMAL(38,12)",
    "p10_usd": "DECIMAL(38,12)", "p50_usd": "DECIMAL(38,12)", "p90_usd": "DECIMAL(38,12)"
}]')) AS row)
"""


def store_projection(file: Path, projection: Projection, rows: list[ProjectionDay]) -> None:
    """Write the rows of a projection to the store; the same run again replaces itself. Raises StoreError.

    A run is an architecture at a price book over some days: `run` is its readable key.
    """
    import duckdb

    book = projection.price_book.hash
    run = f"{projection.name} {projection.start} +{projection.days}d seed {projection.seed} {book[:12]}"
    data = json.dumps([row._asdict() for row in rows], default=str)
    now = datetime.now(UTC).replace(tzinfo=None)
    try:
        with open_database(file) as connection, explained(connection, file):
            connection.execute("BEGIN")
            connection.execute(statement("projection"))
            connection.execute(DELETE, [run])
            connection.execute(INSERT, [run, projection.name, book, now, data])
            connection.execute("COMMIT")
    except duckdb.Error as error:
        raise StoreError(f"{file}: {str(error).splitlines()[0]}") from None
