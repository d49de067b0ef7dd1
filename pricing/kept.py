"""Answers of the price list that are kept between runs, so that a command need not load the whole list again.

The list is a few megabytes of Python objects; a command asks for a few models of it. What it answers is kept in a
cache file of the user's own, beside those of other programs: `costsim/prices-<hash>.sqlite` in `$XDG_CACHE_HOME` or
`~/.cache`. The hash is of the list's data and of the code that reads it, so that another version never reads it. The
file may be deleted at any time; where it cannot be written, or `COSTSIM_CACHE` is empty, nothing is kept.
`COSTSIM_CACHE` names another folder.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from sqlite3 import Connection

HERE = Path(__file__).parent
TABLE = "CREATE TABLE IF NOT EXISTS answer (kind TEXT, asked TEXT, value TEXT, PRIMARY KEY (kind, asked))"
ASK = "SELECT value FROM answer WHERE kind = ? AND asked = ?"
KEEP = "INSERT OR IGNORE INTO answer VALUES (?, ?, ?)"
WAIT_SECONDS = 0.2
OLDEST_DAYS = 60
MOST = 20_000  # answers: names in a log may be of any number, and each has one

T = TypeVar("T")

_NEW: dict[tuple[str, str], str] = {}
"""What this process has found out, kept when it ends."""


def kept(
    kind: str,
    asked: tuple[str | None, ...],
    compute: Callable[[], T],
    dump: Callable[[T], Any],
    load: Callable[[Any], T],
) -> T:
    """What `compute` gives: read where it is kept, else computed and kept. `dump` and `load` go to JSON and back."""
    known = _answer(kind, json.dumps(asked))
    if known is not None:
        return load(json.loads(known))
    found = compute()
    if len(_NEW) < MOST:
        _NEW[kind, json.dumps(asked)] = json.dumps(dump(found))
    return found


def _answer(kind: str, asked: str) -> str | None:
    connection = _opened()
    if connection is None:
        return None
    from sqlite3 import Error

    try:
        row = connection.execute(ASK, (kind, asked)).fetchone()
    except Error:  # damaged, or written by another process for long
        return None
    return str(row[0]) if row else None


@cache
def _opened() -> Connection | None:
    """The cache file, made where there is none; None where nothing can be kept."""
    folder = _folder()
    if folder is None:
        return None
    import sqlite3

    file = folder / f"prices-{_stamp()[:24]}.sqlite"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _forget_old(file)
        connection = sqlite3.connect(file, timeout=WAIT_SECONDS, isolation_level=None)
        connection.execute(TABLE)
    except (OSError, sqlite3.Error):
        return None
    atexit.register(_keep, connection)
    return connection


def _folder() -> Path | None:
    given = os.environ.get("COSTSIM_CACHE")
    if given is not None:
        return Path(given) if given else None
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    with suppress(RuntimeError):  # nobody's home
        return (Path(base) if base else Path.home() / ".cache") / "costsim"
    return None


def _forget_old(file: Path) -> None:
    """Files of other versions that nothing has been added to for long."""
    if file.exists():
        return
    from time import time

    for other in file.parent.glob("prices-*.sqlite"):
        with suppress(OSError):
            if time() - other.stat().st_mtime > OLDEST_DAYS * 86_400:
                other.unlink()


def _keep(connection: Connection) -> None:
    """Write what was found out, all of it or nothing; a command never fails for it."""
    from sqlite3 import Error

    rows = [(*asked, value) for asked, value in _NEW.items()]
    _NEW.clear()
    with suppress(Error):
        if rows:
            connection.execute("BEGIN IMMEDIATE")
            (there,) = connection.execute("SELECT count(*) FROM answer").fetchone()
            connection.executemany(KEEP, rows[: max(0, MOST - there)])
            connection.execute("COMMIT")
        connection.close()


@cache
def list_file() -> Path:
    """The data file of genai-prices, found without loading the package."""
    from importlib.util import find_spec

    spec = find_spec("genai_prices")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("No module named 'genai_prices'", name="genai_prices")
    return Path(spec.submodule_search_locations[0]) / "data.py"


@cache
def list_hash() -> str:
    """sha256 of that file: equal hashes, equal prices."""
    return hashlib.sha256(list_file().read_bytes()).hexdigest()


def _stamp() -> str:
    """What the answers depend on: the list's data and its installation, our own rows, and the code that reads both."""
    parts = [list_hash(), str(list_file()), str(list_file().stat().st_mtime_ns)]
    for file in sorted([*HERE.glob("*.py"), *HERE.glob("books/*.yaml")]):
        parts.append(f"{file.name} {hashlib.sha256(file.read_bytes()).hexdigest()}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
