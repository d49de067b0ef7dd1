"""Logged usage: files in, a DuckDB store of calls, their daily sums."""

from __future__ import annotations

from pathlib import Path

DEFAULT_STORE = Path("costsim.duckdb")
"""In the working folder. It stands here, so that a command line can name it without loading DuckDB."""
