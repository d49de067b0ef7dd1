"""What all tests share: the command line in this process, and a folder of its own for each test."""

from __future__ import annotations

import gc
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from costsim import cli
from costsim.usage.store import CONFIG, open_store
from duckdb import DuckDBPyConnection

KEPT = Path(tempfile.gettempdir()) / f"costsim-tests-{getattr(os, 'getuid', int)()}"
os.environ.setdefault("COSTSIM_CACHE", str(KEPT))  # nothing in anybody's home
CONFIG["threads"] = "1"  # stores of a few rows: the suite's own processes are what uses the cores


def pytest_collection_finish() -> None:
    """Thousands of tests live to the end: leave them out of every later search for garbage."""
    gc.collect()
    gc.freeze()


@dataclass(frozen=True)
class Outcome:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture
def costsim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`costsim("run", "--days", "7")` in an empty folder, by the entry point that users call."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("NO_COLOR", "1")

    def run(*arguments: str | Path) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["costsim", *map(str, arguments)])
        capsys.readouterr()
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 1
        printed = capsys.readouterr()
        return Outcome(code, printed.out, printed.err)

    return run


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DuckDBPyConnection]:
    """A new store, `costsim.duckdb` in the test's folder, open."""
    with open_store(tmp_path / "costsim.duckdb") as connection:
        yield connection
