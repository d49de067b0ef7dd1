"""Calls in object stores (`s3://`, `gs://`, `az://`), read by DuckDB's extensions, fetched only when one is named."""

from __future__ import annotations

import duckdb

from ..errors import UsageLogError

EXTENSIONS = {"s3": "httpfs", "gs": "httpfs", "az": "azure"}


def is_remote(path: str) -> bool:
    """Whether a path is in an object store."""
    return path.partition("://")[0] in EXTENSIONS and "://" in path


def allow(connection: duckdb.DuckDBPyConnection, path: str) -> None:
    """Let the connection read such paths. Raises UsageLogError where the extension cannot be installed."""
    kind = path.partition("://")[0]
    name = EXTENSIONS[kind]
    try:
        connection.execute(f"INSTALL {name}")
        connection.execute(f"LOAD {name}")
    except duckdb.Error as error:
        said = str(error).splitlines()[0]
        raise UsageLogError(
            f"{kind}:// needs DuckDB's extension {name}, which cannot be installed here ({said}); copy the files first",
            file=path,
        ) from None
