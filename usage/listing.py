"""The files that a load is asked for: paths, folders, globs, pipes, the standard input. Nothing named is ignored."""

from __future__ import annotations

import errno
import glob
import os
import re
import select
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from ..errors import UsageLogError, is_full
from .file_names import shown, unpacked_name
from .files import LogFile, escaped
from .fingerprint import fingerprint
from .limits import MAX_UNPACKED
from .passed_over import CANNOT_READ, files_below, no_log
from .sqlite_log import changed_at, written_at
from .store_file import is_open_here

SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet", ".prom", ".db")
CHUNK_BYTES = 256 * 1024
STDIN, CLOSED = "-", "the standard input (-) is closed"
ENDING = re.compile(r"\.\w{1,10}\Z", re.ASCII)
WAIT_SECONDS = 10.0  # for somebody to write to a pipe
THE_STORE = "the store"
NO_MATCH = "there is no such file, folder or match"
NO_WHERE = "this link leads nowhere, or round in a circle"


class FoundPath(str):
    """A path that was found, not named by the user: where it is no log it is passed over."""

    __slots__ = ()


def find_files(paths: Sequence[str | Path], spool: Path, passed: dict[str, str] | None = None) -> Sequence[LogFile]:
    """The files that `paths` name, each once, sorted; the standard input (`-`) and pipes are copied to `spool`.

    A folder stands for what may be a log anywhere beneath it, whatever its name; `passed` gets the others, each with
    the reason. Raises UsageLogError for what is not there, or is no file.
    """
    _refuse_pipes_named_twice(list(map(str, paths)))
    found: dict[str, LogFile] = {}
    for path in paths:
        for file, given, piped in _expand(str(path), spool, {} if passed is None else passed, passed is not None):
            named = given and not isinstance(path, FoundPath)
            real = str(file.resolve() if named or file.is_symlink() else file)
            if real not in found or named:
                try:
                    found[real] = _log_file(file, real, named, piped, spool)
                except OSError as error:
                    if named or passed is None or is_full(error):
                        raise UsageLogError(f"the file cannot be read: {error.strerror}", file=shown(file)) from None
                    passed[shown(file)] = f"{CANNOT_READ} ({error.strerror})"
    return _pipes_once([found[real] for real in sorted(found)])


def _refuse_pipes_named_twice(paths: Sequence[str]) -> None:
    """Raises UsageLogError where a pipe, or the standard input, is named twice, under another name too."""
    seen: set[tuple[int, int] | None] = set()
    for path in paths:
        pipe = _pipe(path)
        if pipe and pipe in seen:
            name = "the standard input (-)" if path == STDIN else f"the pipe {shown(path)}"
            raise UsageLogError(f"{name} is named twice, and can be read once; name it once")
        seen.add(pipe)


def _pipe(path: str) -> tuple[int, int] | None:
    """What the system knows a pipe by; None where a path is none."""
    try:
        looked = os.fstat(sys.__stdin__.fileno()) if path == STDIN and sys.__stdin__ else os.stat(path)
    except (OSError, ValueError):
        return None
    return (looked.st_dev, looked.st_ino) if path == STDIN or stat.S_ISFIFO(looked.st_mode) else None


def _pipes_once(files: Sequence[LogFile]) -> Sequence[LogFile]:
    """The files, and of pipes through which the same came only one: they are known by their content."""
    if sum(file.label == "stdin" for file in files) < 2:
        return files
    by_content = {
        fingerprint(file.path).content_hash if file.label == "stdin" else file.path: file for file in reversed(files)
    }
    return [*by_content.values()][::-1]


def _log_file(file: Path, real: str, named: bool, piped: bool, spool: Path) -> LogFile:
    """`real` where it is a name in UTF-8, else a link to it, shown with its bytes written out."""
    looked = file.stat()
    with file.open("rb"):
        pass
    label = "stdin" if piped else shown(real)
    real = linked(real, spool)
    return LogFile(real, named, looked.st_size, written_at(real, looked), label, ctime_ns=changed_at(real, looked))


def linked(real: str, spool: Path) -> str:
    """The path, or a link in `spool` to one that DuckDB does not take as it is, with its ending."""
    if shown(real) == real and ("\\" not in real or escaped(real) == real):
        return real
    ending = ENDING.search(real)
    link = spool / f"{len(list(spool.iterdir()))}.link{ending[0] if ending else ''}"
    link.symlink_to(os.fsencode(real).decode(errors="surrogateescape"))
    return str(link)


def _expand(path: str, spool: Path, passed: dict[str, str], refusing: bool) -> Iterator[tuple[Path, bool, bool]]:
    """Files, each with whether it was named, and whether it came through a pipe."""
    if path == STDIN:
        if sys.stdin is None:  # as Python has it where it was closed
            raise UsageLogError(CLOSED)
        yield _copied(sys.stdin.buffer, spool), True, True
        return
    kind = _kind(path)
    if kind == "folder":
        if is_of_system(path):
            raise UsageLogError("this is no folder on a disk, its system makes its content; name the logs", file=path)
        yield from ((file, False, False) for file in _logs_below(Path(path), passed, refusing=refusing))
    elif kind == "file":
        if is_open_here(path):
            raise UsageLogError(
                f"this is {THE_STORE} that the logs are to be loaded into; name the logs", file=shown(path)
            )
        _check_size(Path(path))
        yield Path(path), True, False
    elif kind == "pipe":
        yield _from_pipe(path, spool), True, True
    elif kind:
        raise UsageLogError(kind, file=shown(path))
    else:
        yield from ((match, False, False) for match in _matches(path, passed))


def _kind(path: str) -> str | None:
    """What a path is: a folder, a file, a pipe, or why it is none; None where nothing has that name."""
    try:
        mode = os.stat(path).st_mode
    except PermissionError:  # of a folder above it
        return "the file cannot be read: Permission denied"
    except OSError as error:
        if os.path.lexists(path):
            return NO_WHERE if os.path.islink(path) else f"the file cannot be read: {error.strerror}"
        return None
    if stat.S_ISDIR(mode):
        return "folder"
    if stat.S_ISREG(mode):
        return "file"
    return "pipe" if stat.S_ISFIFO(mode) else "this is a device or a socket; name a file, a pipe, or - for stdin"


def is_of_system(folder: str) -> bool:
    """Whether a folder is in /proc or /sys, whose files have no end."""
    device = os.stat(folder).st_dev
    return any(os.path.ismount(of) and os.stat(of).st_dev == device for of in ("/proc", "/sys"))


def _check_size(file: Path) -> None:
    """Raises UsageLogError for a file of /proc and the like, which has content and no size: none of it would count."""
    if file.stat().st_size:
        return
    handle = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        made = os.read(handle, 1) and not os.fstat(handle).st_size  # a log may have been begun meanwhile
    except OSError as error:
        raise UsageLogError(f"the file cannot be read: {error.strerror}", file=shown(file)) from None
    finally:
        os.close(handle)
    if made:
        raise UsageLogError(
            "this is no file on a disk, its system makes its content; copy what is to be read", file=shown(file)
        )


def _logs_below(folder: Path, passed: dict[str, str], *, refusing: bool = False) -> Iterator[Path]:
    """What may be a log in a folder. Raises UsageLogError where it cannot be read, or, if `refusing`, holds nothing."""
    if not os.access(folder, os.R_OK | os.X_OK):
        raise UsageLogError("the folder cannot be read: Permission denied", file=shown(folder))
    unread: list[Path] = []
    empty = True
    for file in files_below(folder.resolve(), unread):
        empty = False
        if _may_be_log(file, passed):
            yield file
    if refusing and empty and not unread:
        raise UsageLogError("there is no file in this folder", file=shown(folder))
    passed |= {shown(path): f"{CANNOT_READ} (a folder)" for path in unread}


def _matches(pattern: str, passed: dict[str, str]) -> Iterator[Path]:
    """What a glob means: files, and what folders hold. Raises UsageLogError where that is nothing."""
    matches = sorted(glob.glob(pattern, recursive=True))
    if not matches:
        raise UsageLogError(_why_nothing(pattern), file=shown(pattern))
    others: dict[str, str] = {}
    nothing = True
    for file in _matched(matches, "**" not in pattern, others):
        nothing = False
        yield file
    if nothing and not others:
        raise UsageLogError("there is no file in what this matches", file=shown(pattern))
    passed |= others


def _why_nothing(pattern: str) -> str:
    """Why nothing matches: a folder above cannot be read, or there is no such thing."""
    above = (folder for folder in reversed(Path(pattern).parents) if os.path.isdir(folder))
    closed = next((folder for folder in above if not os.access(folder, os.R_OK | os.X_OK)), None)
    return f"the folder {shown(closed)} cannot be read: Permission denied" if closed else NO_MATCH


def _matched(matches: Sequence[str], folders: bool, passed: dict[str, str]) -> Iterator[Path]:
    for match in matches:
        kind = _kind(match)
        if is_open_here(match):
            passed[shown(match)] = THE_STORE
        elif kind == "file":
            yield Path(match).resolve()
        elif kind == "folder" and folders:
            yield from _logs_below(Path(match), passed)
        elif kind != "folder":
            passed[shown(match)] = "no regular file"


def _may_be_log(file: Path, passed: dict[str, str]) -> bool:
    """By the ending of its name, else by its first bytes; if not, it is noted."""
    if is_open_here(file):
        passed[shown(file)] = THE_STORE
        return False
    why = None if has_name_of_log(file.name) and file.is_file() else no_log(file)
    if why:
        passed[shown(file)] = why
    return why is None


def has_name_of_log(name: str) -> bool:
    """Whether a name ends as logs do, packed or not."""
    return unpacked_name(name.lower()).endswith(SUFFIXES)


def _from_pipe(path: str, spool: Path) -> Path:
    """What comes through a pipe, copied. Raises UsageLogError where nobody writes to it."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as stream:
        waiting = select.poll()
        waiting.register(handle, select.POLLIN)
        if not waiting.poll(WAIT_SECONDS * 1000):
            raise UsageLogError(f"nothing came through this pipe in {WAIT_SECONDS:.0f} seconds", file=shown(path))
        os.set_blocking(handle, True)
        return _copied(stream, spool)


def _copied(stream: IO[bytes], spool: Path) -> Path:
    try:
        with tempfile.NamedTemporaryFile(dir=spool, delete=False) as copy:
            while piece := stream.read(CHUNK_BYTES):
                copy.write(piece)
                if copy.tell() > MAX_UNPACKED.value:
                    raise UsageLogError(f"the standard input holds over {MAX_UNPACKED}")
    except OSError as error:
        if is_full(error):
            raise
        said = CLOSED if error.errno == errno.EBADF else f"the standard input cannot be read: {error.strerror}"
        raise UsageLogError(said) from None
    return Path(copy.name)
