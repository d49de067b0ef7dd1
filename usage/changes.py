"""Which files of a load need reading: new ones, those that grew, and those to be read otherwise; in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ChangingError, DatabaseLogError, UsageLogError
from .files import Format, LogFile, is_blank, reader_named, tell_format
from .fingerprint import Tail, begins_with, fingerprint, new_lines
from .passed_over import EMPTY, MAY_BE_LOGS, what_else
from .reader import Reader, Role
from .report import FileReport, LoadReport
from .roles import roles_of_files
from .snapshot import looked_at, settled, time_to_keep
from .sqlite_log import log_beside
from .store import TO_BE_READ_AGAIN
from .strictness import passing_over, refuse_passed_over, refuse_waiting

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

BATCH_BYTES = 2 * 1024 * 1024 * 1024  # whole row groups go straight to the file: smaller batches are written twice
BATCH_FILES = 20_000
PACKED_RATIO = 8  # what is unpacked for a batch takes about so many times its size

SEEN = """
UPDATE load SET mtime_ns = seen.mtime_ns, ctime_ns = seen.ctime_ns
FROM (SELECT unnest($1) AS path, unnest($2) AS mtime_ns, unnest($3) AS ctime_ns) AS seen
WHERE load.path = seen.path
"""


@dataclass(frozen=True)
class Loaded:
    """A file as the store knows it."""

    bytes: int
    mtime_ns: int
    ctime_ns: int
    content_hash: str
    reader: str
    declared: str | None

    @property
    def again(self) -> bool:
        """Whether it is to be read again, though it may be what it was."""
        return self.mtime_ns == TO_BE_READ_AGAIN

    def looks_like(self, file: LogFile) -> bool:
        """Whether a file need not be read to know that it is the one that was loaded."""
        return (self.bytes, self.mtime_ns, self.ctime_ns) == (file.size, file.mtime_ns, file.ctime_ns)


@dataclass(frozen=True)
class KnownFile:
    """A file and its format. `declared` is what the user said of it: a format's name, or a mapping (JSON).

    Beside what was loaded of it before: `tail` are the lines it grew by. Where it is read as a whole, `stands` says
    whether all that it held then (`before`: so many bytes, with that hash) still stands in it; if not, it began anew
    under its old name. `unchanged` needs no reading. `content_hash` is that of the standard input, else empty.
    """

    file: LogFile
    format: Format
    declared: str | None
    content_hash: str = ""
    tail: Tail | None = None
    stands: bool | None = None
    before: tuple[int, str] | None = None
    unchanged: bool = False

    @property
    def label(self) -> str:
        """As stored: what came by the standard input is known by its content."""
        return label_of(self.file, self.content_hash)


def batches(
    store: DuckDBPyConnection,
    found: Sequence[LogFile],
    forced: Reader | None,
    declared: str | None,
    spool: Path,
    report: LoadReport,
    strict: bool,
    role: Role | None = None,
) -> Iterator[list[KnownFile]]:
    """Changed files of one format and role together, up to a size that keeps memory small."""
    with_role = roles_of_files(store, role)
    rows = store.execute("SELECT path, bytes, mtime_ns, ctime_ns, content_hash, reader, declared FROM load").fetchall()
    loaded = {path: Loaded(*row) for path, *row in rows}
    known_files: list[KnownFile] = []
    likely: dict[str, Format] = {}
    for file in found:
        before = loaded.get(file.label)
        if before and before.declared == declared and before.looks_like(file):
            report.files.append(FileReport(file.label, before.reader, unchanged=True))
        elif not file.size:
            report.passed_over[file.shown] = EMPTY
        else:
            ending = Path(file.path).suffix
            with passing_over(file, report, strict):
                one = _known_file(store, file, forced, declared, before, report, strict, likely.get(ending))
                if one:
                    known_files.append(one)
                    likely[ending] = one.format
    known_files = [_with_role(one, with_role) for one in known_files]
    known_files.sort(key=_kind)
    for _, group in groupby(known_files, key=_kind):
        for chunk in _chunks(list(group)):
            compared = []
            for known_file in chunk:
                with passing_over(known_file.file, report, strict):
                    compared.append(_compared(known_file, loaded, spool))
            refuse_waiting(sorted(known_file.label for known_file in compared if known_file.file.waits), report, strict)
            same = {known_file.label: known_file.file for known_file in compared if known_file.unchanged}
            report.files += [FileReport(label, loaded[label].reader, unchanged=True) for label in sorted(same)]
            if same:
                times = [time_to_keep(file) for file in same.values()], [file.ctime_ns for file in same.values()]
                store.execute(SEEN, [list(same), *times])
            if fresh := [known_file for known_file in compared if not known_file.unchanged]:
                yield fresh


def _with_role(known_file: KnownFile, with_role: Callable[[str, Reader], Reader]) -> KnownFile:
    reader = with_role(known_file.label, known_file.format.reader)
    if reader is known_file.format.reader:  # of most files: a copy of each takes longer than a look at it
        return known_file
    return replace(known_file, format=replace(known_file.format, reader=reader))


def _kind(known_file: KnownFile) -> tuple[str, str, str, str, tuple[str, ...]]:
    """What files of one batch have in common."""
    return (
        known_file.format.reader.name,
        known_file.format.layout,
        known_file.declared or "",
        known_file.format.reader.role,
        tuple(known_file.format.reader.columns),  # of a reader that is narrowed for some files
    )


def _compared(known_file: KnownFile, loaded: dict[str, Loaded], spool: Path) -> KnownFile:
    """The file beside what was loaded of it: as much content as before may be the same, more of it may be grown."""
    format = known_file.format
    if known_file.file.label == "stdin":
        known_file = replace(known_file, content_hash=fingerprint(known_file.file.path).content_hash)
    before = loaded.get(known_file.label)
    file = settled(looked_at(known_file.file), format, (before.bytes, before.mtime_ns) if before else None)
    known_file = known_file if file is known_file.file else replace(known_file, file=file)
    if before is None:
        return known_file
    alike = not before.again and (before.reader, before.declared) == (format.reader.name, known_file.declared)
    line_by_line = format.layout == "ndjson" and format.packing is None and format.reader.apart
    if alike and line_by_line and file.size / 2 < before.bytes < file.size:
        tail = new_lines(file.path, before.bytes, before.content_hash, spool, file.size)
        if tail:
            return replace(known_file, tail=tail)
    stands = file.size >= before.bytes and begins_with(file.path, before.bytes, before.content_hash)
    same = stands and alike and file.size == before.bytes and not log_beside(file.path)  # the log is in no hash
    return replace(known_file, stands=stands, before=(before.bytes, before.content_hash), unchanged=same)


def _known_file(
    store: DuckDBPyConnection,
    file: LogFile,
    forced: Reader | None,
    declared: str | None,
    before: Loaded | None,
    report: LoadReport,
    strict: bool,
    likely: Format | None,
) -> KnownFile | None:
    """The file with its format: by what is said of it, else by its content, else by what was said of it before.

    None where it has none, which is noted. Raises UsageLogError and OSError.
    """
    format = tell_format(file, store, forced or (reader_named(file.reader) if file.reader else None), likely)
    if format is None and before and before.declared:
        declared = before.declared
        format = tell_format(file, store, _declared_reader(declared))
    if format:
        return KnownFile(file, format, declared)
    if is_blank(file):
        report.passed_over[file.shown] = EMPTY
    elif file.named:
        from .unknown_files import message  # only for an error

        raise UsageLogError(message(file), file=file.label)
    else:
        reason = what_else(Path(file.path))
        if strict and reason in MAY_BE_LOGS:
            refuse_passed_over(file.shown, reason)
        report.passed_over[file.shown] = reason
    return None


def there(batch: Sequence[KnownFile], report: LoadReport, strict: bool, fault: Exception) -> list[KnownFile]:
    """The files that can still be read, once there was a fault: all but those that are gone, change too fast or are
    refused."""
    at_fault = str(fault.file) if isinstance(fault, ChangingError | DatabaseLogError) else None
    found: list[KnownFile] = []
    for known_file in batch:
        with passing_over(known_file.file, report, strict), Path(known_file.file.path).open("rb"):
            if at_fault in (known_file.file.path, known_file.file.shown):
                raise fault
            found.append(known_file)
    return found


def _chunks(files: list[KnownFile]) -> Iterator[list[KnownFile]]:
    chunk: list[KnownFile] = []
    size = 0
    for known_file in files:
        weight = known_file.file.size * (PACKED_RATIO if known_file.format.packing else 1)
        if chunk and (size + weight > BATCH_BYTES or len(chunk) >= BATCH_FILES):
            yield chunk
            chunk, size = [], 0
        chunk.append(known_file)
        size += weight
    if chunk:
        yield chunk


def _declared_reader(declared: str) -> Reader:
    """The reader that a user named before: a mapping is kept as JSON, a format by its name."""
    if not declared.startswith("{"):
        return reader_named(declared)
    from .readers.mapped import Mapping, mapped_reader

    return mapped_reader(Mapping.model_validate_json(declared))


def label_of(file: LogFile, sha: str) -> str:
    """The name that a file has in the store; what came by standard input is distinguished by its content."""
    return f"stdin {sha[:12]}" if file.label == "stdin" else file.label
