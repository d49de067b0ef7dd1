"""Load usage logs into the store: each call once, each file whole, nothing lost.

Files of one format are read in batches, a batch in one transaction, so that a file is in the store with all its
calls, rejects and its hash, or not at all: after a crash at any moment, loading again ends in the same totals.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UsageLogError
from .files import Format, LogFile, find_files, reader_named, tell_format
from .fingerprint import Fingerprint, Tail, begins_with, fingerprint, new_lines
from .packing import unpack
from .project import FOUND, project
from .reader import Reader
from .readers import READERS
from .records import Source, read_entries
from .store import scalar

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from .attribution import Rule
    from .readers.mapped import Mapping

BATCH_BYTES = 2 * 1024 * 1024 * 1024  # whole row groups go straight to the file: smaller batches are written twice
BATCH_FILES = 256
SHOWN = 5
PACKED_RATIO = 8  # what is unpacked for a batch takes about so many times its size
MERGE = Path(__file__).with_name("merge.sql").read_text("utf-8")
COUNT_ENTRIES = """
WITH told AS (SELECT file_id, count(*) AS entries FROM found GROUP BY file_id),
fresh AS (
    SELECT file_id, count(*) AS added FROM found SEMI JOIN (FROM better WHERE added) AS new ON found.rowid = new.place
    GROUP BY file_id
),
bad AS (SELECT file_id, count(*) AS rejected FROM reject WHERE file_id IN (SELECT unnest($1)) GROUP BY file_id)
UPDATE load SET added = counts.added, rejected = counts.rejected,
    entries = counts.entries + CASE WHEN load.file_id IN (SELECT unnest($2)) THEN load.entries ELSE 0 END
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
SELECT unnest($ids), unnest($labels), unnest($hashes), unnest($sizes), unnest($times), $reader, 0, 0, 0,
    now() AT TIME ZONE 'UTC', $declared
ON CONFLICT (file_id) DO UPDATE SET sha256 = excluded.sha256, bytes = excluded.bytes, mtime_ns = excluded.mtime_ns,
    reader = excluded.reader, loaded_at = excluded.loaded_at, declared = excluded.declared
"""

READ_AGAIN = """
CREATE OR REPLACE TEMP TABLE read_again AS
SELECT * FROM (SELECT unnest(?::BIGINT[]) AS file_id, unnest(?::BOOLEAN[]) AS stands) WHERE stands IS NOT NULL
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
    attributed: int = 0
    withdrawn: int = 0  # calls that a file told when it was read otherwise, and tells no more

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
        named = [Path(path).name for path in self.skipped[:SHOWN]] + ["…"] * (len(self.skipped) > SHOWN)
        skipped = f"{len(self.skipped):,} skipped, no known log: {', '.join(named)} (a table of yours needs --map)"
        said += [skipped] if self.skipped else []
        added, entries = self.total("added"), self.total("entries")
        calls = f"{added:,} new calls, {entries - added:,} entries of calls known already"
        rejected = self.total("rejected")
        bad = [f"{rejected:,} lines rejected (table reject), the first:", *self.first_rejects] if rejected else []
        broken = [f"{len(self.unreadable):,} files cannot be read:", *self.unreadable] if self.unreadable else []
        moved = [f"{self.attributed:,} calls attributed by the rules"] if self.attributed else []
        fewer = (
            [f"{self.withdrawn:,} calls of before withdrawn: their files do not tell them"] if self.withdrawn else []
        )
        return [", ".join(said), calls, *fewer, *moved, *bad, *broken]


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

    A file that holds all that it held before, and more or read otherwise, replaces what it told: a call that it takes
    back counts no more, but as another file tells it, from that file's next loading on. What a file told before it
    began anew under its old name stays.
    """
    forced = _forced(format, mapping)
    report = LoadReport()
    with tempfile.TemporaryDirectory() as folder:
        spool = Path(folder)
        found = find_files(paths, spool)
        total = sum(file.size for file in found) or 1
        done = 0
        declared = mapping.model_dump_json() if mapping else format
        for batch in _batches(store, found, forced, declared, spool, report, strict):
            _load_batch(store, batch, spool, report, strict)
            done += sum(told.file.size for told in batch)
            if progress:
                progress(done, total)
    if attribution or scalar(store, "SELECT count(*) FROM attribution"):
        from .attribution import attribute, kept_rules  # loads pydantic: not for a store without rules

        report.attributed = attribute(store, attribution or kept_rules(store))
    return report


def _forced(format: str | None, mapping: Mapping | None) -> Reader | None:
    if mapping:
        from .readers.mapped import mapped_reader  # loads pydantic: not for a log of a known format

        return mapped_reader(mapping)
    return reader_named(format) if format else None


def _declared_reader(declared: str) -> Reader:
    """The reader that a user named before: a mapping is kept as JSON, a format by its name."""
    if not declared.startswith("{"):
        return reader_named(declared)
    from .readers.mapped import Mapping, mapped_reader

    return mapped_reader(Mapping.model_validate_json(declared))


@dataclass(frozen=True)
class Loaded:
    """A file as the store knows it."""

    bytes: int
    mtime_ns: int
    sha256: str
    reader: str
    declared: str | None


@dataclass(frozen=True)
class Told:
    """A file and its format. `declared` is what the user said of it: a format's name, or a mapping (JSON).

    Beside what was loaded of it before: `tail` are the lines it grew by. Where it is read as a whole, `stands` says
    whether all that it held then still stands in it; if not, it began anew under its old name. `unchanged` needs no
    reading. `sha256` is that of the standard input, else empty.
    """

    file: LogFile
    format: Format
    declared: str | None
    sha256: str = ""
    tail: Tail | None = None
    stands: bool | None = None
    unchanged: bool = False

    @property
    def label(self) -> str:
        """As stored: what came by the standard input is known by its content."""
        return _label(self.file, self.sha256)


def _batches(
    store: DuckDBPyConnection,
    found: Sequence[LogFile],
    forced: Reader | None,
    declared: str | None,
    spool: Path,
    report: LoadReport,
    strict: bool,
) -> Iterator[list[Told]]:
    """Changed files of one format together, up to a size that keeps memory small."""
    rows = store.execute("SELECT path, bytes, mtime_ns, sha256, reader, declared FROM load").fetchall()
    loaded = {path: Loaded(*row) for path, *row in rows}
    told: list[Told] = []
    for file in found:
        before = loaded.get(file.label)
        if before and (before.bytes, before.mtime_ns, before.declared) == (file.size, file.mtime_ns, declared):
            report.files.append(FileReport(file.label, before.reader, unchanged=True))
        elif file.size:
            told += _told(store, file, forced, declared, before, report, strict)
    told.sort(key=_kind)
    for _, group in groupby(told, key=_kind):
        for chunk in _chunks(list(group)):
            compared = [_compared(told, loaded, spool) for told in chunk]
            same = [told.label for told in compared if told.unchanged]
            report.files += [FileReport(label, loaded[label].reader, unchanged=True) for label in sorted(same)]
            if fresh := [told for told in compared if not told.unchanged]:
                yield fresh


def _kind(told: Told) -> tuple[str, str, str]:
    """What files of one batch have in common."""
    return told.format.reader.name, told.format.layout, told.declared or ""


def _compared(told: Told, loaded: dict[str, Loaded], spool: Path) -> Told:
    """The file beside what was loaded of it: as much content as before may be the same, more of it may be grown."""
    file, format = told.file, told.format
    if file.label == "stdin":
        told = replace(told, sha256=fingerprint(file.path).sha256)
    before = loaded.get(told.label)
    if before is None or not before.sha256:  # what it tells is to be looked at again: see merge.sql
        return told
    alike = (before.reader, before.declared) == (format.reader.name, told.declared)
    line_by_line = format.layout == "ndjson" and format.packing is None and not format.reader.ordered
    if alike and line_by_line and file.size / 2 < before.bytes < file.size:
        tail = new_lines(file.path, before.bytes, before.sha256, spool)
        if tail:
            return replace(told, tail=tail)
    stands = file.size >= before.bytes and begins_with(file.path, before.bytes, before.sha256)
    return replace(told, stands=stands, unchanged=stands and alike and file.size == before.bytes)


def _told(
    store: DuckDBPyConnection,
    file: LogFile,
    forced: Reader | None,
    declared: str | None,
    before: Loaded | None,
    report: LoadReport,
    strict: bool,
) -> Iterator[Told]:
    """The file with its format: by what is said of it, else by its content, else by what was said of it before."""
    try:
        format = tell_format(file, store, forced)
        if format is None and before and before.declared:
            declared = before.declared
            format = tell_format(file, store, _declared_reader(declared))
    except UsageLogError as error:
        if file.named or strict:
            raise
        report.unreadable.append(f"  {error}")  # one broken file of a folder keeps no other from being read
        return
    if format:
        yield Told(file, format, declared)
    elif file.named:
        known = ", ".join(reader.name for reader in READERS)
        raise UsageLogError(f"this is no log that costsim knows ({known}); name its columns with --map", file=file.path)
    else:
        report.skipped.append(file.path)


def _chunks(files: list[Told]) -> Iterator[list[Told]]:
    chunk: list[Told] = []
    size = 0
    for told in files:
        weight = told.file.size * (PACKED_RATIO if told.format.packing else 1)
        if chunk and (size + weight > BATCH_BYTES or len(chunk) >= BATCH_FILES):
            yield chunk
            chunk, size = [], 0
        chunk.append(told)
        size += weight
    if chunk:
        yield chunk


def _load_batch(store: DuckDBPyConnection, batch: list[Told], spool: Path, report: LoadReport, strict: bool) -> None:
    """Read outside, then one transaction: the calls, rejects and hashes of these files, or nothing of them."""
    sources = [_unpacked(source, spool) for source in _numbered(store, batch)]
    store.execute(FOUND)
    with _fingerprints(sources) as prints:
        to_found = partial(project, store, batch[0].format.reader)
        read = read_entries(store, sources, spool, to_found, lambda source: prints(source).lines)
        hashes = [prints(source).sha256 for source in sources]
    for source in sources:
        if source.content:
            source.content.unlink()
    grown = [source.file_id for source in sources if source.tail and source.file_id not in read.whole]
    store.execute("BEGIN")
    store.execute("SET preserve_insertion_order = false")
    try:
        _keep_files(store, sources, hashes, grown, batch[0].declared)
        if read.rejects:
            store.executemany("INSERT INTO reject VALUES (?, ?, ?, ?)", read.rejects)
        again = {source.file_id: told.stands for source, told in zip(sources, batch, strict=True)}
        store.execute(READ_AGAIN, [list(again), list(again.values())])
        store.execute(MERGE)
        withdrawn = scalar(store, "SELECT count(*) FROM withdrawn")
        reports = _reports(store, sources, grown)
        if strict:
            _refuse_rejects(store, sources)
        store.execute("COMMIT")
    except BaseException:
        store.execute("ROLLBACK")
        raise
    finally:
        store.execute("RESET preserve_insertion_order")
    report.files += reports
    report.withdrawn += withdrawn
    report.first_rejects += _shown_rejects(store, sources)[: 5 - len(report.first_rejects)]


@contextmanager
def _fingerprints(sources: Sequence[Source]) -> Iterator[Callable[[Source], Fingerprint]]:
    """The fingerprint of each file, taken beside the reading; those of grown ones are known."""
    known = {source.file_id: source.tail.fingerprint for source in sources if source.tail}
    if len(known) == len(sources):
        yield lambda source: known[source.file_id]
        return
    from concurrent.futures import ThreadPoolExecutor  # loads logging: not for a few new lines

    with ThreadPoolExecutor(1) as pool:
        taken = {s.file_id: pool.submit(_fingerprint, s) for s in sources if s.file_id not in known}
        yield lambda source: known.get(source.file_id) or taken[source.file_id].result()


def _fingerprint(source: Source) -> Fingerprint:
    """The hash of the file, and the lines of what it holds."""
    if source.content is None:
        return fingerprint(source.file.path)
    return Fingerprint(fingerprint(source.file.path).sha256, fingerprint(str(source.content)).lines)


def _unpacked(source: Source, spool: Path) -> Source:
    if source.format.packing is None:
        return source
    content = spool / f"{source.file_id}.content"
    fault = unpack(source.file.path, source.format.packing, content)
    return replace(source, content=content, fault=fault)


def _label(file: LogFile, sha: str) -> str:
    return f"stdin {sha[:12]}" if file.label == "stdin" else file.label


def _numbered(store: DuckDBPyConnection, batch: Sequence[Told]) -> list[Source]:
    """The files under their numbers: those they had, or new ones."""
    labels = [told.label for told in batch]
    known = dict(store.execute("SELECT path, file_id FROM load WHERE path IN (SELECT unnest(?))", [labels]).fetchall())
    new = store.execute("SELECT nextval('file_number') FROM range(?)", [len(batch) - len(known)]).fetchall()
    numbers = iter(new)
    return [
        Source(known[label] if label in known else next(numbers)[0], told.file, told.format, told.tail)
        for label, told in zip(labels, batch, strict=True)
    ]


def _keep_files(
    store: DuckDBPyConnection,
    sources: Sequence[Source],
    hashes: Sequence[str],
    grown: Sequence[int],
    declared: str | None,
) -> None:
    """What the files are now; the rejects of what they were are forgotten, but for those that only grew."""
    ids = [source.file_id for source in sources]
    store.execute("DELETE FROM reject WHERE file_id IN (SELECT unnest(?))", [sorted({*ids} - {*grown})])
    kept = {
        "ids": ids,
        "labels": [_label(source.file, sha) for source, sha in zip(sources, hashes, strict=True)],
        "hashes": list(hashes),
        "sizes": [source.file.size for source in sources],
        "times": [source.file.mtime_ns for source in sources],
        "reader": sources[0].format.reader.name,
        "declared": declared,
    }
    store.execute(KEEP_FILES, kept)


def _reports(store: DuckDBPyConnection, sources: Sequence[Source], grown: Sequence[int]) -> list[FileReport]:
    """Count what each file told, and keep it in `load`; a file that only grew adds to its entries before."""
    ids = [source.file_id for source in sources]
    store.execute(COUNT_ENTRIES, [ids, grown])
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
