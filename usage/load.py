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
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UsageLogError
from .attribution import Rule, attribute, kept_rules
from .files import Format, LogFile, find_files, reader_named, tell_format
from .reader import DEFAULTS, TOKEN_COLUMNS, Reader
from .readers import READERS
from .records import Source, fill_record, read_again

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from .readers.mapped import Mapping

BATCH_BYTES = 320 * 1024 * 1024
BATCH_FILES = 256
MERGE = [part for part in files(__package__).joinpath("merge.sql").read_text("utf-8").split(";\n") if part.strip()]
UNPLACED = "SELECT DISTINCT file_id FROM judged WHERE reason IS NOT NULL AND line IS NULL"

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
        return [", ".join(said), calls, *bad]


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
    from .readers.mapped import mapped_reader

    forced = mapped_reader(mapping) if mapping else reader_named(format) if format else None
    report = LoadReport()
    with tempfile.TemporaryDirectory() as folder:
        spool = Path(folder)
        found = find_files(paths, spool)
        total = sum(file.size for file in found) or 1
        done = 0
        for batch in _batches(store, found, forced, report):
            _load_batch(store, batch, spool, report, strict)
            done += sum(file.size for file, _, _ in batch)
            if progress:
                progress(done, total)
    rules = attribution if attribution is not None else kept_rules(store)
    if rules:
        attribute(store, rules)
    return report


Told = tuple[LogFile, Format, str]
"""A file, its format, its sha256."""


def _batches(
    store: DuckDBPyConnection, found: Sequence[LogFile], forced: Reader | None, report: LoadReport
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
            _tell(store, file, forced, told, report)
    told.sort(key=lambda pair: (pair[1].reader.name, pair[1].layout, pair[1].compression))
    for _, group in groupby(told, key=lambda pair: (pair[1].reader.name, pair[1].layout, pair[1].compression)):
        for chunk in _chunks(list(group)):
            fresh = []
            for (file, format), sha in zip(chunk, _hashes([file for file, _ in chunk]), strict=True):
                if (before := loaded.get(file.label)) and before[2] == sha:
                    report.files.append(FileReport(file.label, before[3], unchanged=True))
                else:
                    fresh.append((file, format, sha))
            if fresh:
                yield fresh


def _tell(
    store: DuckDBPyConnection,
    file: LogFile,
    forced: Reader | None,
    told: list[tuple[LogFile, Format]],
    report: LoadReport,
) -> None:
    format = tell_format(file, store, forced)
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


def _hashes(found: Sequence[LogFile]) -> list[str]:
    """sha256 of each file; hashing lets other threads run."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(_sha256, found))


def _sha256(file: LogFile) -> str:
    try:
        with Path(file.path).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise UsageLogError(f"the file cannot be read: {error.strerror}", file=file.path) from None


def _load_batch(store: DuckDBPyConnection, batch: list[Told], spool: Path, report: LoadReport, strict: bool) -> None:
    """Read outside, then one transaction: the calls, rejects and hashes of these files, or nothing of them."""
    sources = [Source(_number(store, file, sha), file, format) for file, format, sha in batch]
    rejects = fill_record(store, sources, spool)
    _project(store, batch[0][1].reader)
    store.execute(MERGE[0])
    unplaced = {row[0] for row in store.execute(UNPLACED).fetchall()}
    if unplaced:  # a bad count found on the fast way: read those files again by lines, to say which line it is
        rejects += read_again(store, [source for source in sources if source.file_id in unplaced], spool)
        _project(store, batch[0][1].reader)
    store.execute("BEGIN")
    try:
        _keep_files(store, sources, [sha for _, _, sha in batch])
        if rejects:
            store.executemany("INSERT INTO reject VALUES (?, ?, ?, ?)", rejects)
        for statement in MERGE:
            store.execute(statement)
        reports = _reports(store, sources)
        if strict:
            _refuse_rejects(store, sources)
        store.execute("COMMIT")
    except BaseException:
        store.execute("ROLLBACK")
        raise
    report.files += reports
    report.first_rejects += _shown_rejects(store, sources)[: 5 - len(report.first_rejects)]


def _label(file: LogFile, sha: str) -> str:
    return f"stdin {sha[:12]}" if file.label == "stdin" else file.label


def _number(store: DuckDBPyConnection, file: LogFile, sha: str) -> int:
    """The file's number: the one it had, or a new one."""
    row = store.execute("SELECT file_id FROM load WHERE path = ?", [_label(file, sha)]).fetchone()
    row = row or store.execute("SELECT nextval('file_number')").fetchone()
    return int(row[0]) if row else 0


def _keep_files(store: DuckDBPyConnection, sources: Sequence[Source], hashes: Sequence[str]) -> None:
    """What the files are now; the rejects of what they were are forgotten."""
    ids = [source.file_id for source in sources]
    store.execute("DELETE FROM reject WHERE file_id IN (SELECT unnest(?))", [ids])
    labels = [_label(source.file, sha) for source, sha in zip(sources, hashes, strict=True)]
    sizes = [source.file.size for source in sources]
    times = [source.file.mtime_ns for source in sources]
    store.execute(KEEP_FILES, [ids, labels, list(hashes), sizes, times, sources[0].format.reader.name])


def _project(store: DuckDBPyConnection, reader: Reader) -> None:
    """The reader's SQL over `record`, into `found`: canonical columns, counts wide enough that none overflows."""
    parameters = dict(reader.parameters)
    described = store.execute(f"SELECT column_name FROM (DESCRIBE {reader.sql})", parameters or None)  # noqa: S608
    given = {row[0] for row in described.fetchall()}

    def column(name: str) -> str:
        value = name if name in given else DEFAULTS[name]
        if name in TOKEN_COLUMNS:
            return f"coalesce(TRY_CAST({value} AS HUGEINT), 0) AS {name}"
        kind = {"ts": "TIMESTAMP", "aggregated": "BOOLEAN", "context_tier": "BIGINT"}.get(name, "VARCHAR")
        return f"({value})::{kind} AS {name}"

    recorded = "recorded_usd" if "recorded_usd" in given else "NULL"
    columns = ", ".join(column(name) for name in DEFAULTS if name != "recorded_usd")
    store.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE found AS
        SELECT file_id, line, '{reader.name}' AS source, {columns},
            ({recorded})::VARCHAR AS recorded_text,
            coalesce(
                TRY_CAST(({recorded}) AS DECIMAL(38, 18)),
                TRY_CAST(TRY_CAST(({recorded}) AS DOUBLE) AS DECIMAL(38, 18)) -- 5e-06
            ) AS recorded_usd
        FROM ({reader.sql})
        """,  # noqa: S608 (the reader's own SQL; constants of a user are bound)
        parameters or None,
    )


def _reports(store: DuckDBPyConnection, sources: Sequence[Source]) -> list[FileReport]:
    """Count what each file told, and keep it in `load`."""
    store.execute("""
        UPDATE load SET
            entries = (SELECT count(*) FROM identified WHERE identified.file_id = load.file_id),
            added = (SELECT count(*) FROM better ANTI JOIN known USING (event_id) WHERE better.file_id = load.file_id),
            rejected = (SELECT count(*) FROM reject WHERE reject.file_id = load.file_id)
        WHERE file_id IN (SELECT unnest(?))
    """, [[source.file_id for source in sources]])  # fmt: skip
    rows = store.execute(
        "SELECT path, reader, entries, added, rejected FROM load WHERE file_id IN (SELECT unnest(?)) ORDER BY path",
        [[source.file_id for source in sources]],
    )
    return [FileReport(*row) for row in rows.fetchall()]


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
