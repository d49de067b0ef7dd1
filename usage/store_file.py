"""The file of a store before it is open: what it is by its first bytes, and a connection to it.

DuckDB locks the file that it has open, by a lock of the process (POSIX) that any closing of that file in the process
gives up: so no file that is open here as a store is opened otherwise (`is_open_here`).
"""

from __future__ import annotations

import os
import stat
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shlex import quote

import duckdb

from ..errors import StoreError
from ..memory import check_engine
from .unfold import SQLITE

# No extension is fetched or loaded behind the user's back: what a log needs is built in.
CONFIG = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "write_buffer_row_group_count": "1",  # of what is written at once: five of 50 columns are a third of a gigabyte
}
LOCKED, INVALID = "lock on file", "not a valid DuckDB"
"""Of DuckDB's errors: another process has the file, or is just making it."""
MAKING_SECONDS = 1.0  # longer than another process takes to begin a file
HEADER_BYTES = 3 * 4096
MAGIC = slice(8, 12)
OTHERS = {
    SQLITE: "this is a SQLite database, and a store is a DuckDB one; `costsim load FILE` reads the calls in it. "
    "Name another file for the store",
    b"PAR1": "this is a Parquet file, and a store is a DuckDB database; `costsim load FILE` reads the calls in it. "
    "Name another file for the store",
}
NO_DATABASE = "this is no DuckDB database; name another file for the store"
IN_MEMORY = Path(":memory:")
HANDLES = "/dev/fd"  # of this process, on Linux and macOS
ASIDE = "move it away: mv {log} {aside}"
CUT_LOG = "costsim store repair cuts it there and keeps the damaged one; then load the logs again"
WRONG_ENTRY = "Corrupt WAL file: entry at byte position"
REFUSED = {
    WRONG_ENTRY: f"the log of changes beside it, {{log}}, is damaged within an entry; {CUT_LOG}",
    "encrypted database": "this DuckDB database is encrypted, and a store is not; name another file for the store",
    "newer version of DuckDB": "a newer DuckDB than the one installed ({version}) wrote this file; upgrade it: "
    "pip install --upgrade duckdb",
    "WAL does not match": "the log of changes beside it, {log}, is of another database, or of another copy of this "
    f"one; {ASIDE}",
    INVALID: NO_DATABASE,
}
"""What DuckDB says of a file, and what it means to a user."""
NO_LOG = f"{{log}}, beside it, is no log of changes of DuckDB, which would drop it unread; {ASIDE}"

DAMAGED_LOG = "the log of changes beside it, {log}, is damaged at byte {at:,} of {size:,}"
IN_SILENCE = "DuckDB would drop what stands behind it in silence"


def connect(path: Path, read_only: bool, wait_seconds: float, *, any_log: bool = False) -> duckdb.DuckDBPyConnection:
    """A connection to the database at `path`; made new where there is none or an empty file, unless `read_only`.
    Of a log that is damaged, `any_log` takes what DuckDB reads of it.

    Raises StoreError where `path` is no file for a store, and DuckDB's own errors where it cannot be opened; waits up
    to `wait_seconds` while another process has it open.
    """
    check_engine()
    new = is_new(path)
    if not any_log:
        _check_log(path)
    if read_only and new:
        raise StoreError(f"{path}: there is no store here; `costsim load` makes one")
    mode = _make_room(path) if new and path != IN_MEMORY else None
    config: dict[str, str | bool | int | float | list[str]] = {**CONFIG}
    if read_only:
        config["temp_directory"] = str(Path(tempfile.gettempdir()) / "costsim.tmp")
    last = time.monotonic() + wait_seconds
    connection = _waiting(path, read_only, config, last)
    while not (read_only or path == IN_MEMORY or _is_held(path)):  # another process removed or replaced it meanwhile
        connection.close()
        connection = _waiting(path, read_only, config, last)
    if mode is not None:
        path.chmod(mode)
    return connection


_open: Counter[tuple[int, int]] = Counter()
"""The files that are open here as stores, by device and number."""


@contextmanager
def kept_open(path: Path) -> Iterator[None]:
    """Note that a store's file is open."""
    at = _identity(path)
    if at:
        _open[at] += 1
    try:
        yield
    finally:
        if at:
            _open.subtract([at])
            if not _open[at]:
                del _open[at]


def is_open_here(path: str | Path) -> bool:
    """Whether a file, whatever its name or links, is a store that is open: who opens it gives up its lock."""
    return bool(_open) and _identity(path) in _open


def _identity(path: str | Path) -> tuple[int, int] | None:
    """The device and the number of a file; None where there is none."""
    with suppress(OSError):
        looked = os.stat(path)
        return looked.st_dev, looked.st_ino
    return None


def _is_held(path: Path) -> bool:
    """Whether the file that is open here is the one that is at `path` now."""
    there = _identity(path)
    if not os.path.isdir(HANDLES):
        return there is not None
    return there is not None and any(_identity_of(handle) == there for handle in os.listdir(HANDLES))


def _identity_of(handle: str) -> tuple[int, int] | None:
    with suppress(OSError):
        looked = os.fstat(int(handle))
        return looked.st_dev, looked.st_ino
    return None


def remove_made(path: Path) -> None:
    """Remove a file that was just made for a store, and its log."""
    with suppress(OSError):
        os.unlink(os.path.realpath(path))
        log_of(path).unlink(missing_ok=True)


def log_of(path: Path) -> Path:
    """Where DuckDB keeps the log of changes of a store: beside the file itself, not beside a link to it."""
    return Path(f"{os.path.realpath(path)}.wal")


def refusal(error: duckdb.Error, path: Path) -> str | None:
    """Why DuckDB does not take a file, in the user's words; None where it is a fault."""
    meant = next((meant for word, meant in REFUSED.items() if word in str(error)), None)
    return meant and _with_log(meant, path)


def _with_log(meant: str, path: Path) -> str:
    log = log_of(path)
    return meant.format(version=duckdb.__version__, log=quote(str(log)), aside=quote(f"{log}.other"))


def _waiting(
    path: Path, read_only: bool, config: dict[str, str | bool | int | float | list[str]], last: float
) -> duckdb.DuckDBPyConnection:
    begun = False
    while True:
        try:
            return duckdb.connect(_address(path), read_only=read_only, config=config)
        except duckdb.Error as error:
            making = not begun and path != IN_MEMORY and (INVALID in str(error) or never_begun(path))
            if not (LOCKED in str(error) or making) or time.monotonic() > last:
                raise
            begun = making and path.exists() and not never_begun(path)  # another process has made it since: once more
            if making and not read_only:
                _make_room(path)
            time.sleep(0.1)


def _address(path: Path) -> str:
    """The path as DuckDB takes it for nothing else: `md:x` is an address of another server, /here/md:x a file."""
    return str(path) if path == IN_MEMORY else os.path.abspath(path)


def is_new(path: Path) -> bool:
    """Whether nothing is there, or a database that was never begun. Raises StoreError for another kind of file."""
    if path == IN_MEMORY:
        return True
    whole = os.path.abspath(path)
    if whole != whole.encode("utf-8", "replace").decode():  # DuckDB takes no such path
        raise StoreError(f"{whole}: the name is not UTF-8 text; name another file for the store")
    if os.sep != "\\" and ("\\" in whole or "\\" in os.path.realpath(path)):
        raise StoreError(f"{whole}: DuckDB takes the backslash in it for a slash; name another file for the store")
    try:
        kind = path.stat().st_mode
    except FileNotFoundError:
        return True
    except OSError as error:
        raise StoreError(f"{path}: cannot be opened: {error.strerror}") from None
    if is_open_here(path):
        return False
    if stat.S_ISDIR(kind):
        raise StoreError(f"{path}: this is a folder; name a file for the store")
    if not stat.S_ISREG(kind):
        raise StoreError(f"{path}: this is no regular file; name a file for the store")  # a pipe would wait for ever
    try:
        head = _head(path)
    except FileNotFoundError:  # another process has just removed it
        return True
    if _never_begun(head):
        return True
    if head[MAGIC] != b"DUCK":
        why = next((why for magic, why in OTHERS.items() if head.startswith(magic)), NO_DATABASE)
        raise StoreError(f"{path}: {why}")
    return False


def _head(path: Path) -> bytes:
    """The first bytes of a file. Raises FileNotFoundError, and StoreError where it cannot be read."""
    try:
        with path.open("rb") as stream:
            return stream.read(HEADER_BYTES)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror}") from None


def _check_log(path: Path) -> None:
    """Raises StoreError where something else stands where DuckDB keeps a store's log of changes.

    Of one that was cut short within its first entry nothing was ever in the store.
    """
    log = log_of(path)
    if path == IN_MEMORY or not os.path.exists(log):
        return
    if os.path.isfile(log):
        from .change_log import BEGINS  # seldom is there one

        with suppress(FileNotFoundError):  # another process has just taken its changes into the store
            if not BEGINS.startswith(_head(log)[: len(BEGINS)]):
                raise StoreError(f"{path}: {_with_log(NO_LOG, path)}")
            if why := damage_of_log(path):
                raise StoreError(f"{path}: {why}; {CUT_LOG}")
    else:
        kind = "a folder" if os.path.isdir(log) else "no regular file"
        raise StoreError(
            f"{log}: this is {kind}, where the store's log of changes is to be; move it away, or name another file "
            "for the store"
        )


def damage_of_log(path: Path) -> str | None:
    """Where a store's log of changes is damaged, if it is. Raises FileNotFoundError where there is none."""
    from .change_log import damaged_at

    log = log_of(path)
    at = damaged_at(log)
    return None if at is None else f"{said_of_log(log, at)}, and {IN_SILENCE}"


def state_of(path: Path) -> list[tuple[int, ...]]:
    """What every writing to a store changes: its file's and its log's number, size and times."""
    found: list[tuple[int, ...]] = []
    for file in (path, log_of(path)):
        with suppress(OSError):
            at = file.stat()
            found.append((at.st_ino, at.st_size, at.st_mtime_ns, at.st_ctime_ns))
    return found


def said_of_log(log: Path, at: int) -> str:
    """That a log of changes is damaged at a byte, in words."""
    return DAMAGED_LOG.format(log=quote(str(log)), at=at, size=log.stat().st_size)


def never_begun(path: Path) -> bool:
    """Whether there is a file that holds less than a database's headers: its making was cut short."""
    with suppress(FileNotFoundError):
        return path.is_file() and not is_open_here(path) and _never_begun(_head(path))
    return False


def _never_begun(head: bytes) -> bool:
    """Whether a file holds less than a database's headers: its making was cut short, so nothing was ever in it."""
    return len(head) < HEADER_BYTES and (head[MAGIC] == b"DUCK" or not head.strip(b"\0"))


def _make_room(path: Path) -> int | None:
    """Take away a file that was never begun, unless another process is just making it; who may use it, if it was there.

    Where a link leads to it, the link stays. Raises StoreError where it cannot be taken away.
    """
    try:
        while never_begun(path) and time.time() - path.stat().st_mtime < MAKING_SECONDS:
            time.sleep(0.1)
        if not never_begun(path):
            return None
        mode = stat.S_IMODE(path.stat().st_mode)
        os.unlink(os.path.realpath(path))
    except FileNotFoundError:  # another process took it away meanwhile
        return None
    except OSError as error:
        raise StoreError(f"{path}: this empty file cannot be made a store: {error.strerror}") from None
    return mode
