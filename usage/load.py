"""Load usage logs into the store: each call once, each file whole, nothing lost.

Files of one format are read in batches, a batch in one transaction, so that a file is in the store with all its
calls, rejects and its hash, or not at all: after a crash at any moment, loading again ends in the same totals.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UsageLogError
from .files import Format, LogFile, find_files, reader_named, tell_format
from .project import FOUND, project
from .reader import Reader
from .readers import READERS
from .records import Source, read_entries
from .store import scalar

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from .attribution import Rule
    from .readers.mapped import Mapping

BATCH_BYTES = 1024 * 1024 * 1024  # whole row groups go straight to the file: smaller batches are written twice
BATCH_FILES = 256
CHUNK_BYTES = 1024 * 1024
MERGE = files(__package__).joinpath("merge.sql").read_text("utf-8")
COUNT_ENTRIES = """
WITH told AS (SELECT file_id, count(*) AS entries FROM found GROUP BY file_id),
fresh AS (
    SELECT file_id, count(*) AS added FROM found SEMI JOIN (FROM better WHERE added) AS new ON found.rowid = new.place
    GROUP BY file_id
),
bad AS (SELECT file_id, count(*) AS rejected FROM reject WHERE file_id IN (SELECT unnest($1)) GROUP BY file_id)
UPDATE load SET entries = counts.entries, added = counts.added, rejected = counts.rejected
FROM (
    SELECT file_id, coalesce(told.entries, 0) AS entries, coalesce(fresh.added, 0) AS added,
        coalesce(bad.rejected, 0) AS rejected
    FROM (SELECT unnest($1) AS file_id) LEFT JOIN told USING (file_id) LEFT JOIN fresh USING (file_id)
        LEFT JOIN bad USING (file_id)
) AS counts
WHERE load.file_id = counts.file_id
"""
READ_COUNTS = """
SELECT path, reader, entries, added, rejected FROM load WHERE file_id IN (SELECT unnest($1)) ORDER BY path
"""

KEEP_FILES = """
INSERT INTO load
SELECT unnest(?), unnest(?), unnest(?), unnest(?), unnest(?), ?, 0, 0, 0, now() AT TIME ZONE 'UTC'
ON CONFLICT (file_id) DO UPDATE SET sha256 = excluded.sha256, bytes = excluded.bytes, mtime_ns = excluded.mtime_ns,
    reader = excluded.reader, loaded_at = excluded.loaded_at
"""

Progress = Callable[[int, int], None]
"""Called with (bytes done, bytes in all)."""


@dataclass
class FileReport:
    """One file: `entries` are calls found in it, repeated ones included; `unchanged` was loaded before as it is."""

    path: str
    reader: str
    entries: int = 0
    added: int = 0
    rejected: int = 0
    unchanged: bool = False


@dataclass
class LoadReport:
    """What a load did. `repeated` entries are calls that were known already, from this or another file."""

    files: list[FileReport] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    first_rejects: list[str] = field(default_factory=list)

    def total(self, name: str) -> int:
        """The sum of `entries`, `added` or `rejected` over all files."""
        return sum(getattr(file, name) for file in self.files)

    def lines(self) -> list[str]:
        """The report as people read it."""
        unchanged = sum(file.unchanged for file in self.files)
        read = [file for file in self.files if not file.unchanged]
        formats = sorted({file.reader for file in read})
        said = [f"{len(read):,} files read ({', '.join(formats)})" if read else "no new file"]
        said += [f"{unchanged:,} unchanged"] if unchanged else []
        said += [f"{len(self.skipped):,} without usage skipped"] if self.skipped else []
        added, entries = self.total("added"), self.total("entries")
        calls = f"{added:,} new calls, {entries - added:,} entries of calls known already"
        rejected = self.total("rejected")
        bad = [f"{rejected:,} lines rejected (table reject), the first:", *self.first_rejects] if rejected else []
        broken = [f"{len(self.unreadable):,} files cannot be read:", *self.unreadable] if self.unreadable else []
        return [", ".join(said), calls, *bad, *broken]


def load(
    store: DuckDBPyConnection,
    paths: Sequence[str | Path],
    *,
    format: str | None = None,
    mapping: Mapping | None = None,
    attribution: Sequence[Rule] | None = None,
    strict: bool = False,
    progress: Progress | None = None,
) -> LoadReport:
    """Load files, folders, globs or the standard input (`-`) into an open store.

    `format` names a reader, `mapping` describes columns of a log of one's own; else content tells. `attribution`
    rules are kept and applied to the whole store; without any, those kept are applied. Raises UsageLogError (with
    `strict`, on the first reject too), StoreError.
    """
    forced = _forced(format, mapping)
    report = LoadReport()
    with tempfile.TemporaryDirectory() as folder:
        spool = Path(folder)
        found = find_files(paths, spool)
        total = sum(file.size for file in found) or 1
        done = 0
        for batch in _batches(store, found, forced, report, strict):
            _load_batch(store, batch, spool, report, strict)
            done += sum(file.size for file, _, _ in batch)
            if progress:
                progress(done, total)
    if attribution or scalar(store, "SELECT count(*) FROM attribution"):
        from .attribution import attribute, kept_rules  # loads pydantic: not for a store without rules

        attribute(store, attribution or kept_rules(store))
    return report


def _forced(format: str | None, mapping: Mapping | None) -> Reader | None:
    if mapping:
        from .readers.mapped import mapped_reader  # loads pydantic: not for a log of a known format

        return mapped_reader(mapping)
    return reader_named(format) if format else None


Told = tuple[LogFile, Format, str]
"""A file, its format, its sha256 (empty: not known yet)."""


def _batches(
    store: DuckDBPyConnection, found: Sequence[LogFile], forced: Reader | None, report: LoadReport, strict: bool
) -> Iterator[list[Told]]:
    """Changed files of one format together, up to a size that keeps memory small."""
    rows = store.execute("SELECT path, bytes, mtime_ns, sha256, reader FROM load").fetchall()
    loaded = {path: row for path, *row in rows}
    told: list[tuple[LogFile, Format]] = []
    for file in found:
        before = loaded.get(file.label)
        if before and before[:2] == [file.size, file.mtime_ns]:
            report.files.append(FileReport(file.label, before[3], unchanged=True))
        elif file.size:
            _tell(store, file, forced, told, report, strict)
    told.sort(key=lambda pair: (pair[1].reader.name, pair[1].layout, pair[1].compression))
    for _, group in groupby(told, key=lambda pair: (pair[1].reader.name, pair[1].layout, pair[1].compression)):
        for chunk in _chunks(list(group)):
            hashed = [(file, format, _early_hash(file, loaded.get(file.label))) for file, format in chunk]
            fresh = [told for told in hashed if not told[2] or told[2] != loaded.get(told[0].label, [0, 0, ""])[2]]
            same = {file.label for file, _, _ in hashed} - {file.label for file, _, _ in fresh}
            report.files += [FileReport(label, loaded[label][3], unchanged=True) for label in sorted(same)]
            if fresh:
                yield fresh


def _early_hash(file: LogFile, before: list[Any] | None) -> str:
    """The hash where it must be known before reading: as much content as before may be the same content."""
    return _fingerprint(file)[0] if file.label == "stdin" or (before and before[0] == file.size) else ""


def _tell(
    store: DuckDBPyConnection,
    file: LogFile,
    forced: Reader | None,
    told: list[tuple[LogFile, Format]],
    report: LoadReport,
    strict: bool,
) -> None:
    try:
        format = tell_format(file, store, forced)
    except UsageLogError as error:
        if file.named or strict:
            raise
        report.unreadable.append(f"  {error}")  # one broken file of a folder keeps no other from being read
        return
    if format:
        told.append((file, format))
    elif file.named:
        known = ", ".join(reader.name for reader in READERS)
        raise UsageLogError(f"this is no log that costsim knows ({known}); name its columns with --map", file=file.path)
    else:
        report.skipped.append(file.path)


def _chunks(told: list[tuple[LogFile, Format]]) -> Iterator[list[tuple[LogFile, Format]]]:
    chunk: list[tuple[LogFile, Format]] = []
    size = 0
    for pair in told:
        if chunk and (size + pair[0].size > BATCH_BYTES or len(chunk) >= BATCH_FILES):
            yield chunk
            chunk, size = [], 0
        chunk.append(pair)
        size += pair[0].size
    if chunk:
        yield chunk


def _fingerprint(file: LogFile) -> tuple[str, int]:
    """sha256 and lines of a file (the last one with or without an end); hashing lets other threads run."""
    hashed, lines, last = hashlib.sha256(), 0, b"\n"
    try:
        with Path(file.path).open("rb") as stream:
            while chunk := stream.read(CHUNK_BYTES):
                hashed.update(chunk)
                lines, last = lines + _line_ends(chunk), chunk[-1:]
    except OSError as error:
        raise UsageLogError(f"the file cannot be read: {error.strerror}", file=file.path) from None
    return hashed.hexdigest(), lines + (last != b"\n")


def _line_ends(chunk: bytes) -> int:
    """How many lines end in it: with lines this long, finding them is faster than bytes.count."""
    count, place = 0, chunk.find(b"\n")
    while place >= 0:
        count, place = count + 1, chunk.find(b"\n", place + 1)
    return count


def _load_batch(store: DuckDBPyConnection, batch: list[Told], spool: Path, report: LoadReport, strict: bool) -> None:
    """Read outside, then one transaction: the calls, rejects and hashes of these files, or nothing of them."""
    sources = _numbered(store, batch)
    store.execute(FOUND)
    with ThreadPoolExecutor(1) as pool:
        prints = {s.file_id: pool.submit(_fingerprint, s.file) for s in sources}  # beside the reading
        to_found = partial(project, store, batch[0][1].reader)
        rejects = read_entries(store, sources, spool, to_found, lambda source: prints[source.file_id].result()[1])
        hashes = [prints[source.file_id].result()[0] for source in sources]
    store.execute("BEGIN")
    store.execute("SET preserve_insertion_order = false")
    try:
        _keep_files(store, sources, hashes)
        if rejects:
            store.executemany("INSERT INTO reject VALUES (?, ?, ?, ?)", rejects)
        store.execute(MERGE)
        reports = _reports(store, sources)
        if strict:
            _refuse_rejects(store, sources)
        store.execute("COMMIT")
    except BaseException:
        store.execute("ROLLBACK")
        raise
    finally:
        store.execute("RESET preserve_insertion_order")
    report.files += reports
    report.first_rejects += _shown_rejects(store, sources)[: 5 - len(report.first_rejects)]


def _label(file: LogFile, sha: str) -> str:
    return f"stdin {sha[:12]}" if file.label == "stdin" else file.label


def _numbered(store: DuckDBPyConnection, batch: Sequence[Told]) -> list[Source]:
    """The files under their numbers: those they had, or new ones."""
    labels = [_label(file, sha) for file, _, sha in batch]
    known = dict(store.execute("SELECT path, file_id FROM load WHERE path IN (SELECT unnest(?))", [labels]).fetchall())
    new = store.execute("SELECT nextval('file_number') FROM range(?)", [len(batch) - len(known)]).fetchall()
    numbers = iter(new)
    return [
        Source(known[label] if label in known else next(numbers)[0], file, format)
        for label, (file, format, _) in zip(labels, batch, strict=True)
    ]


def _keep_files(store: DuckDBPyConnection, sources: Sequence[Source], hashes: Sequence[str]) -> None:
    """What the files are now; the rejects of what they were are forgotten."""
    ids = [source.file_id for source in sources]
    store.execute("DELETE FROM reject WHERE file_id IN (SELECT unnest(?))", [ids])
    labels = [_label(source.file, sha) for source, sha in zip(sources, hashes, strict=True)]
    sizes = [source.file.size for source in sources]
    times = [source.file.mtime_ns for source in sources]
    store.execute(KEEP_FILES, [ids, labels, list(hashes), sizes, times, sources[0].format.reader.name])


def _reports(store: DuckDBPyConnection, sources: Sequence[Source]) -> list[FileReport]:
    """Count what each file told, and keep it in `load`."""
    ids = [source.file_id for source in sources]
    store.execute(COUNT_ENTRIES, [ids])
    return [FileReport(*row) for row in store.execute(READ_COUNTS, [ids]).fetchall()]


def _shown_rejects(store: DuckDBPyConnection, sources: Sequence[Source]) -> list[str]:
    rows = store.execute(
        "SELECT path, line, reason FROM reject JOIN load USING (file_id) WHERE file_id IN (SELECT unnest(?)) "
        "ORDER BY path, line LIMIT 5",
        [[source.file_id for source in sources]],
    )
    return [f"  {path}:{line or '?'}: {reason}" for path, line, reason in rows.fetchall()]


def _refuse_rejects(store: DuckDBPyConnection, sources: Sequence[Source]) -> None:
    shown = _shown_rejects(store, sources)
    if shown:
        raise UsageLogError(f"a line cannot be read: {shown[0].strip()}")
