"""What all tests share: the command line in this process, and a folder of its own for each test."""

from __future__ import annotations

import gc
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from costsim.cli.entry import main
from costsim.store import open_store as open_priced_store
from costsim.usage.store_file import CONFIG
from duckdb import DuckDBPyConnection
from emptied import open_store
from hypothesis import settings

IN_MEMORY, ROOM = Path("/dev/shm"), 4 * 2**30  # pytest makes a folder of its own in it
if os.access(IN_MEMORY, os.W_OK) and shutil.disk_usage(IN_MEMORY).free > ROOM:
    # a store's every commit waits for its disk, which a test has no reason to
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(IN_MEMORY))
KEPT = Path(tempfile.gettempdir()) / f"costsim-tests-{getattr(os, 'getuid', int)()}"
os.environ.setdefault("COSTSIM_CACHE", str(KEPT))  # nothing in anybody's home
SESSIONS = sorted((Path(__file__).parent / "data" / "usage" / "claude-code").glob("p*.jsonl"))
settings.register_profile("costsim", deadline=None)  # how long an example takes says nothing of the domain
settings.load_profile("costsim")
CONFIG["threads"] = "1"  # stores of a few rows: the suite's own processes are what uses the cores


def pytest_collection_finish() -> None:
    """Thousands of tests live to the end: leave them out of every later search for garbage."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def clock() -> Iterator[None]:
    """A day after all logs of tests that mean none of the future: what is printed of them is the same on every day."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("costsim.usage.future.this_day", lambda: date(2027, 1, 1))
        yield


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
            main()
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 1
        printed = capsys.readouterr()
        return Outcome(code, printed.out, printed.err)

    return run


@pytest.fixture(scope="session")
def store_of_sessions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with two real sessions of Claude Code, as `costsim load` makes it."""
    path = tmp_path_factory.mktemp("sessions") / "costsim.duckdb"
    with open_priced_store(path) as store:
        store.load(SESSIONS)
    return path


@pytest.fixture
def sessions(costsim: Run, store_of_sessions: Path, tmp_path: Path) -> Run:
    """The command line in a folder whose store has two real sessions of Claude Code: a copy, loaded once for all."""
    shutil.copy(store_of_sessions, tmp_path)
    return costsim


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DuckDBPyConnection]:
    """A store without calls, open: in memory, and the same one for all tests of the process (emptied.py)."""
    with open_store(tmp_path / "costsim.duckdb") as connection:
        yield connection
