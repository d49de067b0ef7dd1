"""Write what was asked for: a file whole or not at all, a device or a pipe as a stream."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import OutputError


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
    try:
        stream = file.exists() and not (file.is_file() or file.is_dir())
        place = Path(os.path.realpath(file))
        handle, name = tempfile.mkstemp(dir=None if stream else place.parent, prefix=f".{file.name}.")
        os.close(handle)
        temporary = Path(name)
        yield temporary
        if stream:
            with temporary.open("rb") as content, file.open("wb", buffering=0) as target:
                shutil.copyfileobj(content, target)
        else:
            temporary.chmod(_mode_of(place))
            temporary.replace(place)
            temporary = None
    except OSError as error:
        raise OutputError(f"{file}: cannot be written: {error.strerror}") from None
    finally:
        if temporary:
            temporary.unlink(missing_ok=True)


@contextmanager
def one_writer(folder: Path) -> Iterator[None]:
    """Wait until no other process is between reading and writing a file of this folder. Needs a POSIX system."""
    try:
        import fcntl
    except ImportError:  # Windows: whoever writes last wins
        yield
        return
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be opened: {error.strerror}") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
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
