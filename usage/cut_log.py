"""A store's log of changes that is damaged is cut there: what is left is the store as it was after an earlier load."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO

import duckdb

from ..errors import StoreError
from ..writing import write_file
from .change_log import damaged_at, entry_at
from .store import LOCKED_NOW, WAIT_SECONDS, failing_as_store, version_of
from .store_file import WRONG_ENTRY, connect, log_of, said_of_log, state_of

WRITTEN_MEANWHILE = "{path}: another process wrote to the store meanwhile; run costsim store repair again"
PLACE = re.compile(rf"{WRONG_ENTRY} (\d+)")


def cut_log(path: Path, ending: str) -> str:
    """Cut a damaged log of changes where DuckDB stops reading it, and keep the whole of it; what was done, if anything.

    `path` is that of a store's file itself. What is in the store since the cut is not known to it, and is read anew.
    Raises StoreError where it is not a store's, or another process has the store.
    """
    log, before = log_of(path), _written(path)
    with failing_as_store(path):
        at = _damaged_at(path, log)
    if at is None:
        return ""
    why, kept = said_of_log(log, at), log.with_name(f"{log.name}{ending}")
    with _held(path):
        try:
            if _written(path) != before:
                raise StoreError(WRITTEN_MEANWHILE.format(path=path))
            os.link(log, kept)
            with log.open("rb") as stream:
                beginning = stream.read(at)
            write_file(log, beginning)
        except OSError as error:
            raise StoreError(f"{log}: the log of changes cannot be cut: {error.strerror}") from None
    return f"{why}; it was cut there, and is kept as {kept}"


def _written(path: Path) -> list[tuple[int, ...]]:
    """What every writing changes, and another name for the file (`_check_without_log`) does not."""
    return [at[:3] for at in state_of(path)]


def _damaged_at(path: Path, log: Path) -> int | None:
    """Where the first damage is: that which DuckDB would not name, or that which it does. The log must be a store's."""
    silent, named = damaged_at(log), None
    try:
        with closing(connect(path, True, WAIT_SECONDS, any_log=True)) as store:
            if silent is not None:
                version_of(store, path)
    except duckdb.Error as error:
        if not (place := PLACE.search(str(error))):
            raise
        named = entry_at(log, int(place[1]))
        _check_without_log(path)
    return min((at for at in (silent, named) if at is not None), default=None)


def _check_without_log(path: Path) -> None:
    """Raises StoreError where what is in the file itself is no store, or nothing: then all was in the log."""
    alone = path.with_name(f".{path.name}.alone-{os.getpid()}")
    os.link(path, alone)
    try:
        with closing(connect(alone, True, 0)) as store:
            if not version_of(store, path):
                raise StoreError(
                    f"{path}: all of the store is in its log of changes, which is damaged: move both away, and load "
                    "the logs again"
                )
    finally:
        alone.unlink()


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """Keep others from writing to a store whose log DuckDB may not read, by the lock that DuckDB takes (POSIX).

    Where there is none (Windows), a file that is open cannot be replaced.
    """
    with path.open("rb") as stream:
        with suppress(ImportError):
            _lock(stream, path)
        yield


def _lock(stream: IO[bytes], path: Path) -> None:
    import fcntl

    try:
        fcntl.lockf(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        raise StoreError(f"{path}: {LOCKED_NOW}") from None
