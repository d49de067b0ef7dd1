"""Tables of Delta and Iceberg: their own log says which of the Parquet files below them still count.

Files that the table replaced or deleted stay for days, so summing all of them counts calls twice, or deleted ones.
"""

from __future__ import annotations

import glob
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from ..errors import UsageLogError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LOGS = {"Delta": "_delta_log/*.json", "Iceberg": "metadata/*.metadata.json"}


def refuse_table_files(files: Iterable[str]) -> None:
    """Raises UsageLogError for a Parquet file anywhere below a table's folder."""
    for folder, file in {Path(file).parent: file for file in files}.items():
        if kind := table_of(folder):
            raise refused(kind, file)


def table_of(folder: Path) -> str | None:
    """The kind of table that a folder is, or is a part of; None where it is in none."""
    for place in (folder.resolve(), *folder.resolve().parents):
        for kind, log in LOGS.items():
            if next(glob.iglob(log, root_dir=place), None):
                return kind
    return None


def refused(kind: str, file: str) -> UsageLogError:
    """The error that says what to do."""
    return UsageLogError(
        f"this is a file of a table of {kind}, whose log says which of its files count: read the table with "
        f"costsim rollup {kind.lower()}:FOLDER --engine spark",
        file=file,
    )


def refuse_remote_table(connection: DuckDBPyConnection, path: str) -> None:
    """The same for files in an object store, by the folders above what the path names."""
    base = path.partition("*")[0].rpartition("/")[0]
    while base.count("/") >= 2:
        for kind, log in LOGS.items():
            try:
                found = connection.execute("SELECT 1 FROM glob(?) LIMIT 1", [f"{base}/{log}"]).fetchall()
            except duckdb.Error:
                return  # reading the files themselves says why
            if found:
                raise refused(kind, path)
        base = base.rpartition("/")[0]
