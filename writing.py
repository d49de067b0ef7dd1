"""Write what was asked for: a file whole or not at all, a device or a pipe as a stream."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep

from .errors import OutputError
from .interrupts import undivided

ENDING = ".costsim"
"""Of a temporary file's name."""
NAME_LENGTH = 40
"""Characters of the file's own name in it: a name may have 255 bytes."""
WAIT_SECONDS = 10.0  # for another process


def write_file(file: Path, content: str | bytes) -> None:
    """Write all or nothing. Raises OutputError."""
    with replacing(file) as temporary:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)


@contextmanager
def replacing(file: Path) -> Iterator[Path]:
    """A temporary path in the same folder that takes the file's place if the block ends well. Raises OutputError.

    A link stays one: the file that it leads to is replaced. A device or a pipe is written to, never replaced.
    """
    temporary: Path | None = None
    handle = None
    try:
        stream = file.exists() and not (file.is_file() or file.is_dir())
        _check_replaceable(file)
        place = Path(os.path.realpath(file))
        prefix = f".{file.name[:NAME_LENGTH]}."
        if not stream:
            remove_left(place.parent, prefix, ENDING)
        with undivided():
            handle, name = tempfile.mkstemp(dir=None if stream else place.parent, prefix=prefix, suffix=ENDING)
            temporary = Path(name)
        _lock(handle, waiting=True)
        yield temporary
        if stream:
            with temporary.open("rb") as content, file.open("wb", buffering=0) as target:
                shutil.copyfileobj(content, target)
        else:
            temporary.chmod(_mode_of(place))
            with undivided():
                temporary.replace(place)
                temporary = None
    except OSError as error:
        raise OutputError(f"{file}: cannot be written: {error.strerror}") from None
    finally:
        if temporary:
            temporary.unlink(missing_ok=True)
        if handle is not None:
            os.close(handle)


def _check_replaceable(file: Path) -> None:
    """Raises OutputError for a database: a result takes the place of an earlier one, never that of a store."""
    if file.is_file():
        with file.open("rb") as stream:
            head = stream.read(16)
        if head[8:12] == b"DUCK" or head.startswith(b"SQLite format"):
            raise OutputError(f"{file}: there is a database, which no result replaces; name another file")


def remove_left(folder: Path, prefix: str, ending: str = "") -> None:
    """Remove what writers that were killed left in a folder: files of such names that no process has locked."""
    with suppress(OSError):
        left = [file for file in os.scandir(folder) if file.name.startswith(prefix) and file.name.endswith(ending)]
        for file in left:
            if file.is_file(follow_symlinks=False):
                _remove_unlocked(file.path)


def _remove_unlocked(path: str) -> None:
    with suppress(OSError):
        handle = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
        try:
            if _lock(handle):
                os.unlink(path)
        finally:
            os.close(handle)


def _lock(handle: int, *, waiting: bool = False) -> bool | None:
    """Whether this process has a file to itself now, or another one has; None where the system has no such locks."""
    try:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | (0 if waiting else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except (ImportError, OSError):
        return None
    return True


@contextmanager
def one_writer(folder: Path) -> Iterator[None]:
    """Wait until no other process is between reading and writing a file of this folder. Needs a POSIX system.

    Raises OutputError where one is for over WAIT_SECONDS: whoever may read a folder can hold it.
    """
    if os.name == "nt":  # a folder cannot be opened: whoever writes last wins
        yield
        return
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be opened: {error.strerror}") from None
    try:
        until = monotonic() + WAIT_SECONDS
        while _lock(handle) is False:
            if monotonic() > until:
                raise OutputError(f"{folder}: another process is writing there; wait until it is done")
            sleep(0.05)
        yield
    finally:
        os.close(handle)


def _mode_of(file: Path) -> int:
    """Who may read a file that is written: who may read it now, else what is usual (mkstemp allows its owner only)."""
    if file.is_file():
        return stat.S_IMODE(file.stat().st_mode)
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask
