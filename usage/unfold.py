"""Files that are no list of records: their reader's `unfold` yields the records, written out here as JSON lines."""

from __future__ import annotations

import sqlite3
import stat
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from .bounded import lines_of
from .fast_json import TooMuchError, leading_documents, line_of, parsed
from .garbage_collection import without_collection
from .limits import MAX_DOCUMENT, MAX_LINE
from .reader import RAW_CHARACTERS
from .sqlite_guard import Guard, RefusedError
from .sqlite_log import changed_at, copy_database, log_beside

PIECE = 2**20  # bytes that are read at a time

if TYPE_CHECKING:
    from .reader import Unfold

SQLITE = b"SQLite format 3\0"
ODD = "something in it is of another kind than this format has there"
"""Readers ask what a value is; where one forgot to, that file is cut short by it, and no other."""
WRITTEN_BYTES = 256 * 1024  # at once: a record is shorter by far
TABLES = "SELECT name FROM sqlite_master WHERE type = 'table'"


def unfolded(unfold: Unfold, content: Path, file: Path, out: Path) -> str | None:
    """Write the records of a file to `out`, a line each; returns why they could not be read to the end, if so.

    Raises RefusedError.
    """
    with out.open("wb", WRITTEN_BYTES) as lines, without_collection():
        try:
            lines.writelines(map(_line, _unfolded(unfold, content, file, lines)))
        except RefusedError:
            raise
        except (sqlite3.Error, UnicodeDecodeError, TooMuchError) as error:
            return str(error)
        except (ValueError, RecursionError):
            return "not JSON"
        except (TypeError, AttributeError, LookupError, ArithmeticError) as error:
            return f"{ODD} ({type(error).__name__})"
    return None


def _unfolded(unfold: Unfold, content: Path, file: Path, lines: IO[bytes]) -> Iterator[dict[str, Any] | str | bytes]:
    """The records of a file; where it is not one document but several, one after the other, those of each.

    What follows the last whole one is a line to be rejected. Raises as `unfold` does.
    """
    try:
        yield from unfold(content, file)
    except TooMuchError:
        raise
    except (ValueError, RecursionError):
        documents, rest = _documents(content)
        if not documents or (len(documents) == 1 and not rest):
            raise
        lines.seek(0)
        lines.truncate()
        for document in documents:
            with tempfile.NamedTemporaryFile(dir=Path(lines.name).parent) as one:
                one.write(document.encode("utf-8", "replace"))
                one.flush()
                try:
                    yield from unfold(Path(one.name), file)
                except (ValueError, RecursionError):
                    yield _in_a_line(document)
        if rest:
            yield rest


def _documents(content: Path) -> tuple[list[str], str]:
    """The JSON documents that stand one after the other in a file, and the beginning of what follows, in a line."""
    written = content.read_bytes()
    if written.startswith(SQLITE):
        return [], ""
    text = written.decode("utf-8-sig", "replace")
    ends = [0, *(end for _, end in leading_documents(text))]
    return [text[start:end] for start, end in pairwise(ends)], _in_a_line(text[ends[-1] :])


def _in_a_line(text: str) -> str:
    """The beginning of what is no record, to be rejected."""
    return " ".join(text[:RAW_CHARACTERS].split())


def _line(record: dict[str, Any] | str | bytes) -> bytes:
    if isinstance(record, dict):  # nearly all, and in millions
        return line_of(record)
    return record.encode("utf-8", "replace") + b"\n" if isinstance(record, str) else record


def json_lines(content: Path) -> Iterator[dict[str, Any] | str]:
    """The objects of JSON lines; a line that is none is handed on as it stands, to be rejected with its number."""
    with content.open("rb", buffering=PIECE) as lines:
        for line in lines_of(lines, MAX_LINE.value):
            if text := line.decode("utf-8", "replace").lstrip("\ufeff").strip():
                yield loaded(text)


def loaded(text: str) -> dict[str, Any] | str:
    """The object that a text holds, or the text."""
    try:
        found = parsed(text)
    except (ValueError, RecursionError):
        return text
    return found if isinstance(found, dict) else text


def no_objects(*values: Any) -> list[str]:
    """Those of these values that are no objects where a reader takes one, as lines to be rejected; not empty ones.

    So no record passes in silence that has something where its usage stands.
    """
    return [line_of(value).decode().rstrip("\n") for value in values if value and not isinstance(value, dict)]


def whole(value: Any) -> int:
    """A count in JSON as a number; 0 where there is none, -1 (which the loader rejects) where it is no whole number."""
    if value is None:
        return 0
    if type(value) is int:  # nearly always, and in millions
        return value if 0 <= value < 2**60 else -1
    if isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1 and 0 <= value < 2**60:
        return int(value)
    return -1


def beside(file: Path, *names: str, whole: bool = True) -> Path | None:
    """The first of these that is a file in the folder of another: regular (no link, pipe or device), and where it is
    read as a whole (a database and lines are not) of no more than COSTSIM_MAX_DOCUMENT. Any other is as none."""
    return next((path for path in (file.parent / name for name in names) if is_read(path, whole=whole)), None)


def is_read(path: Path, *, whole: bool = True) -> bool:
    """Whether a file that stands beside a log is one that a reader opens."""
    with suppress(OSError, ValueError):  # a name that a log states can be too long, or have a byte 0 in it
        found = path.lstat()
        return stat.S_ISREG(found.st_mode) and (not whole or found.st_size <= MAX_DOCUMENT.value)
    return False


def state(path: Path) -> tuple[int, int]:
    """By what a file beside a log is known to be as it was when it was read: its last change and its size."""
    with suppress(OSError):
        found = path.stat()
        return changed_at(str(path), found), found.st_size
    return 0, 0


def tables(path: Path) -> tuple[str, ...]:
    """The tables of an SQLite database; none where it is broken."""
    try:
        with _database(path) as guard:
            return tuple(name for (name,) in guard.database.execute(TABLES))
    except (sqlite3.Error, UnicodeDecodeError):
        return ()


def damage(path: Path) -> str | None:
    """Why an SQLite database cannot be opened, where it is broken or cut short."""
    try:
        with _database(path) as guard:
            guard.database.execute(TABLES).fetchall()
    except (sqlite3.Error, UnicodeDecodeError) as error:
        return str(error)
    return None


def rows(path: Path, sql: str) -> Iterator[dict[str, Any]]:
    """The rows that SQL selects from an SQLite database, by column. Raises sqlite3.Error (RefusedError for one that is
    endless or runs what others wrote)."""
    with _database(path) as guard:
        cursor = guard.execute(sql)
        names = [column[0] for column in cursor.description]
        for row in guard.counted(cursor):
            yield dict(zip(names, row, strict=True))


def plain_rows(path: Path, sql: str) -> Iterator[tuple[Any, ...]]:
    """The same without the names of the columns, for millions of rows."""
    with _database(path) as guard:
        yield from guard.counted(guard.execute(sql))


@contextmanager
def _database(path: Path) -> Iterator[Guard]:
    """A database opened without a trace beside it. What its log holds counts too, so both are copied."""
    if not log_beside(str(path)):
        with _opened(path, "mode=ro&immutable=1") as guard:
            yield guard
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.db"
        copy_database(path, copy)
        with _opened(copy, "mode=rw") as guard:
            yield guard


@contextmanager
def _opened(path: Path, how: str) -> Iterator[Guard]:
    log = log_beside(str(path))
    size = path.stat().st_size + (log.stat().st_size if log else 0)
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?{how}", uri=True)) as database:
        guard = Guard(database, size)
        with guard.watching():
            yield guard
