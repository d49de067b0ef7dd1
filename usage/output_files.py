"""Files that DuckDB writes: a failure is the output's, not the store's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from ..errors import OutputError, reason


@contextmanager
def failing_as_output(file: Path) -> Iterator[None]:
    """As OutputError: a disk that is full or cannot be written to while DuckDB writes a file, a name it refuses."""
    whole = os.path.realpath(file)
    if whole != whole.encode("utf-8", "replace").decode():
        raise OutputError(f"{whole}: the name is not UTF-8 text, so no such file can be written there; name another")
    try:
        yield
    except duckdb.IOException as error:
        raise OutputError(f"{file}: cannot be written: {reason(error)}") from None
