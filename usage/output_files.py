"""Files that DuckDB writes: a failure is the output's, not the store's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from ..errors import OutputError, reason


@contextmanager
def failing_as_output(file: Path) -> Iterator[None]:
    """A disk that is full or cannot be written to, while DuckDB writes a file, as OutputError."""
    try:
        yield
    except duckdb.IOException as error:
        raise OutputError(f"{file}: cannot be written: {reason(error)}") from None
