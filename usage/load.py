"""Load usage logs into the store: each call once, each file whole, nothing lost.

Files of one format are read in batches, a batch in one transaction, so that a file is in the store with all its
calls, rejects and its hash, or not at all: after a crash at any moment, loading again ends in the same totals.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from ..errors import StoreError, UsageLogError, is_full
from .changes import KnownFile, batches, there
from .fast_json import deep_values
from .file_rows import forget, keep_files, numbered
from .files import LogFile, reader_named
from .foreign import foreign
from .future import future_of_files
from .lake_tables import refuse_table_files
from .listing import find_files
from .merge import Merged, entry_facts, merge
from .object_stores import fetched, is_remote
from .passed_over import CANNOT_READ, keep
from .postgres import is_address, new_rows
from .read import read_snapshots
from .reader import Reader, Role
from .records import Read
from .report import FileReport, LoadReport
from .roles import SourceRoles, keep_roles, set_file_roles
from .signs import find_signs
from .signs import signs as signs_of
from .source import Reject, Source
from .store import any_order, insert_rows, scalar
from .strictness import refuse, refuse_passed_over, refuse_waiting
from .unread import Watch, acknowledge, kinds, watch_of

__all__ = ["FileReport", "LoadReport", "Progress", "load"]

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from .attribution import Rule
    from .readers.mapped import Mapping

ENTRIES = "SELECT file_id, count(*) FROM found GROUP BY file_id"
ADDED = """
SELECT file_id, count(*) FROM found SEMI JOIN (FROM better WHERE added) AS new ON found.rowid = new.place
GROUP BY file_id
"""
REJECTED = "SELECT file_id, count(*) FROM reject WHERE file_id IN (SELECT unnest(?)) GROUP BY file_id"
KEEP_COUNTS = """
UPDATE load SET added = counts.added, rejected = counts.rejected,
    entries = counts.entries + CASE WHEN counts.grown THEN load.entries ELSE 0 END
FROM (SELECT unnest($ids) AS file_id, unnest($entries) AS entries, unnest($added) AS added,
    unnest($rejected) AS rejected, unnest($grown) AS grown) AS counts
WHERE load.file_id = counts.file_id
RETURNING load.path, load.reader, load.entries, load.added, load.rejected
"""
REJECT = ("file_id", "line", "reason", "raw")
Progress = Callable[[int, int], None]
"""Called with (bytes done, bytes in all)."""


def load(
    store: DuckDBPyConnection,
    paths: Sequence[str | Path],
    *,
    format: str | None = None,
    mapping: Mapping | None = None,
    attribution: Sequence[Rule] | None = None,
    strict: bool = False,
    acknowledged: Sequence[str] = (),
    role: Role | None = None,
    roles: SourceRoles | None = None,
    progress: Progress | None = None,
    today: date | None = None,
) -> LoadReport:
    """Load files, folders, globs, the standard input (`-`), LiteLLM's table (`postgresql://…`) or what lies in an
    object store (`s3://…`, `gs://…`, `az://…`) into an open store.

    `format` names a reader, `mapping` describes columns of a log of one's own; else content decides. `attribution`
    rules are kept and applied to the whole store; without any, those kept are applied. What looks like usage and is
    not counted goes to the table `unread`; `acknowledged` are fields of it that the user knows: they are kept, and
    reported no more. `role` is that of these files, `roles` those of sources by their name, kept for later loads:
    calls, or what the provider billed (default: the format's). By `today` (default: the day, UTC) calls in the future
    are named. Raises UsageLogError (with `strict`, on the first reject, unread field, contradiction or passed-over file
    that may be a log, too), StoreError.

    A file that holds all that it held before, and more or read otherwise, replaces what it had: a call no longer
    in it stops counting; if another file has it, it counts again once that file is loaded the next time. What a file
    had before it began anew under its old name stays.
    """
    forced, report = _forced(format, mapping), LoadReport()
    with _spool() as spool, deep_values():
        declared = mapping.model_dump_json() if mapping else format
        found = _found(store, paths, spool, declared, report)
        acknowledge(store, acknowledged)
        keep_roles(store, roles or {})
        for path, reason in report.passed_over.items() if strict else ():
            if reason.startswith(CANNOT_READ):
                refuse_passed_over(path, reason)
        total, done = sum(file.size for file in found) or 1, 0
        for batch in batches(store, found, forced, declared, spool, report, strict, role):
            _load_batch(store, batch, spool, report, strict)
            done += sum(known_file.file.size for known_file in batch)
            if progress:
                progress(done, total)
        if role:
            set_file_roles(store, [file.path for file in report.files], role)
    report.future = future_of_files(store, report.file_ids, today)
    keep(store, report.passed_over, [file.path for file in report.files])
    if attribution or scalar(store, "SELECT count(*) FROM attribution"):
        from .attribution import attribute, kept_rules  # loads pydantic: not for a store without rules

        report.attributed = attribute(store, attribution or kept_rules(store))
    return report


def _found(
    store: DuckDBPyConnection, paths: Sequence[str | Path], spool: Path, declared: str | None, report: LoadReport
) -> list[LogFile]:
    """The files that the paths name; rows of a database and files of an object store as copies."""
    here = [path for path in paths if not is_address(path) and not is_remote(path)]
    found = find_files(here, spool, report.passed_over)
    if declared:  # a table that has no mapping is passed over
        refuse_table_files(file.path for file in found if file.path.endswith(".parquet"))
    rows = new_rows(store, paths, spool)
    copies: dict[str, LogFile] = {}
    for path in dict.fromkeys(map(str, filter(is_remote, paths))):
        for file in fetched(store, path, spool, declared, report.passed_over):
            if file.named or file.label not in copies:  # a file that two patterns match is one
                copies[file.label] = file
    return [*found, *rows, *copies.values()]


@contextmanager
def _spool() -> Iterator[Path]:
    """A folder for what is unpacked and copied. Raises StoreError where it cannot be made, or is full."""
    where, folder = "the folder for temporary files", ""
    try:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            where = f"{Path(folder).parent}, {where}"
            yield Path(folder)
    except OSError as error:
        of_a_log = folder and error.filename and not str(error.filename).startswith(folder)
        if of_a_log and not is_full(error):
            raise UsageLogError(f"the file cannot be read: {error.strerror}", file=error.filename) from None
        raise StoreError(f"{where}: {error.strerror}; name another: TMPDIR=FOLDER") from None


def _forced(format: str | None, mapping: Mapping | None) -> Reader | None:
    if mapping:
        from .readers.mapped import mapped_reader  # loads pydantic: not for a log of a known format

        return mapped_reader(mapping)
    return reader_named(format) if format else None


def _load_batch(
    store: DuckDBPyConnection, batch: list[KnownFile], spool: Path, report: LoadReport, strict: bool
) -> None:
    """Read outside, then one transaction: the calls, rejects and hashes of these files, or nothing of them."""
    try:
        taken = _taken(store, batch, spool)
    except (UsageLogError, OSError, duckdb.Error) as error:
        left = there(batch, report, strict, error)
        if len(left) == len(batch):
            raise
        if left:  # files of a folder are gone meanwhile
            _load_batch(store, left, spool, report, strict)
        return
    sources, read = taken.sources, taken.read
    refuse_waiting([source.file.label for source in sources if source.waits or source.file.waits], report, strict)
    grown = {source.file_id for source in sources if source.tail and source.file_id not in read.whole}
    again, facts = {source.file_id: source.stands for source in sources}, entry_facts(store)
    with _transaction(store, sum(source.file.size for source in sources)):
        if taken.known:
            forget(store, sorted({*taken.known} - grown))
        keep_files(store, sources, taken.hashes, batch[0].declared, bool(taken.known))
        if taken.rejects:
            insert_rows(store, "reject", [dict(zip(REJECT, reject, strict=True)) for reject in taken.rejects])
        merged = merge(store, batch[0].format.reader, again, facts)
        _add_calls(report, merged, batch[0].format.reader)
        find_signs(store, merged.repeated)
        taken.watch.keep(store)
        files = _reports(store, sources, grown, merged.all_new, bool(taken.rejects) or merged.refused)
        _add_files(store, report, sources, files, strict)


@dataclass(frozen=True)
class _Taken:
    """What was read of a batch: its files, which of them were `known` before, and what is none of their entries."""

    known: list[int]
    sources: list[Source]
    read: Read
    hashes: list[str]
    rejects: list[Reject]
    watch: Watch


def _taken(store: DuckDBPyConnection, batch: Sequence[KnownFile], spool: Path) -> _Taken:
    watch = watch_of(store, batch[0].format.reader)
    known, sources = numbered(store, batch, watch)
    sources, read, hashes = read_snapshots(store, sources, spool)
    rejects = [*read.rejects, *(foreign(store, sources, read.rejects) if batch[0].declared is not None else ())]
    return _Taken(known, sources, read, hashes, rejects, watch)


@contextmanager
def _transaction(store: DuckDBPyConnection, size: int) -> Iterator[None]:
    """All of a batch, of files of so many bytes, or nothing of it."""
    store.execute("BEGIN")
    try:
        with any_order(store, size):
            yield
        store.execute("COMMIT")
    except BaseException:
        with suppress(duckdb.Error):  # a disk that fails has rolled back already: its own error is the news
            store.execute("ROLLBACK")
        raise


def _add_calls(report: LoadReport, merged: Merged, reader: Reader) -> None:
    report.withdrawn += merged.withdrawn
    if reader.role == "bill":
        report.billed += merged.calls
    else:
        report.entries, report.calls = report.entries + merged.entries, report.calls + merged.calls
        report.sums, report.summed = report.sums + merged.sums, report.summed + merged.summed
        report.updated += merged.updated


def _add_files(
    store: DuckDBPyConnection,
    report: LoadReport,
    sources: Sequence[Source],
    files: Sequence[FileReport],
    strict: bool,
) -> None:
    """What the files have, and what is to be said of them."""
    ids = [source.file_id for source in sources]
    unread, signs = kinds(store, ids), signs_of(store, ids)
    shown = _shown_rejects(store, ids) if any(file.rejected for file in files) else []
    if strict:
        refuse(shown, unread, signs)
    report.files += files
    report.file_ids += ids
    report.unread += unread
    report.signs += signs
    report.first_rejects += shown[: 5 - len(report.first_rejects)]


def _reports(
    store: DuckDBPyConnection, sources: Sequence[Source], grown: set[int], all_new: bool, refused: bool
) -> list[FileReport]:
    """Count what each file has, and keep it in `load`; a file that only grew adds to its entries before.

    `all_new` and `refused` say what need not be counted: see `Merged`.
    """
    ids = [source.file_id for source in sources]
    entries = dict(store.execute(ENTRIES).fetchall())
    added = entries if all_new else dict(store.execute(ADDED).fetchall())
    rejected = dict(store.execute(REJECTED, [ids]).fetchall()) if refused or grown else {}
    counts = {"entries": entries, "added": added, "rejected": rejected}
    values = {name: [counted.get(file_id, 0) for file_id in ids] for name, counted in counts.items()}
    rows = store.execute(KEEP_COUNTS, {"ids": ids, **values, "grown": [file_id in grown for file_id in ids]}).fetchall()
    reader = sources[0].format.reader
    return [
        FileReport(path, name, entries, added, rejected, role=reader.role, no_call=reader.no_call)
        for path, name, entries, added, rejected in sorted(rows)
    ]


def _shown_rejects(store: DuckDBPyConnection, ids: Sequence[int]) -> list[str]:
    rows = store.execute(
        "SELECT path, line, reason FROM reject JOIN load USING (file_id) WHERE file_id IN (SELECT unnest(?)) "
        "ORDER BY path, line LIMIT 5",
        [ids],
    )
    return [f"  {path}:{line or '?'}: {reason}" for path, line, reason in rows.fetchall()]
