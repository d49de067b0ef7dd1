"""From the files of a batch to entries in `found`, each file as one snapshot: hashed, read and watched at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import DatabaseLogError
from .careful import FORGET
from .fingerprint import ENDLESS, Fingerprint, begins_with, fingerprint
from .items import items
from .line_watch import LineWatch
from .packing import cut_last_line, unpack
from .project import Projector, begin
from .records import Read, read_entries
from .sifted import Portion, sifting
from .snapshot import changed, copied, is_fresh
from .source import Source, check_document, has_many_lines
from .sqlite_guard import EndlessError, RefusedError, damaged
from .store import as_written
from .unfold import unfolded
from .zeros import copy_without_zeros, has_zeros

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Prints = Callable[[Source], Fingerprint]
LINES = ("ndjson", "csv")  # layouts that are read line by line
TEXTS = (*LINES, "json")

FILE_TIME = """
CREATE OR REPLACE TEMP TABLE file_time AS
SELECT unnest($ids::BIGINT[]) AS file_id, make_timestamp(unnest($times::BIGINT[]) // 1000) AS modified
"""  # for readers of logs without times


def read_snapshots(
    store: DuckDBPyConnection, sources: Sequence[Source], spool: Path
) -> tuple[list[Source], Read, list[str]]:
    """Fill `found` with the entries of files of one format; returns the files as read, what is no entry, the hashes.

    A file that changed meanwhile is read once more, from a copy of what it was, or is now where it is shorter.
    """
    if "file_time" in sources[0].format.reader.sql:
        store.execute(FILE_TIME, {"ids": [s.file_id for s in sources], "times": [s.file.mtime_ns for s in sources]})
    begin(store, sources[0].format.reader)
    taken = [_copied(source, spool) if source.file.waits else source for source in sources]
    known, read, hashes = _read(store, taken, spool)
    moved = [s for s in taken if not s.copy and (not s.tail or s.file_id in read.whole) and changed(s.file)]
    if moved:
        ids = {source.file_id for source in moved}
        store.execute(FORGET, [list(ids)])
        for source in moved:
            source.watch.forget(source.file_id)
        copies = [_copied(source, spool) for source in moved]
        again, read_again, hashes_again = _read(store, copies, spool)
        known, hashes = known | again, hashes | hashes_again
        kept = [reject for reject in read.rejects if reject[0] not in ids]
        read = Read([*kept, *read_again.rejects], read.whole | read_again.whole)
    for source in known.values():
        for file in (source.content, source.copy):
            if file:
                file.unlink(missing_ok=True)
    return [known[s.file_id] for s in sources], read, [hashes[s.file_id] for s in sources]


def _read(
    store: DuckDBPyConnection, sources: Sequence[Source], spool: Path
) -> tuple[dict[int, Source], Read, dict[int, str]]:
    opened = [_unfolded(_text(_unpacked(source, spool), spool), spool) for source in sources]
    projection = Projector(store, opened[0].format.reader)
    with as_written(store, _bytes_of_text(opened)), _parts(opened, spool) as (parts, prints):
        read = read_entries(store, opened, parts, spool, projection, lambda source: prints(source).lines)
        hashes = {source.file_id: prints(source).content_hash for source in opened}
    return {source.file_id: source for source in opened}, read, hashes


def _bytes_of_text(sources: Sequence[Source]) -> int | None:
    """How much text these files hold; None of a layout whose few bytes may be many rows."""
    if sources[0].format.layout not in LINES:
        return None
    return sum(source.content.stat().st_size if source.content else source.file.size for source in sources)


def _copied(source: Source, spool: Path) -> Source:
    """A copy of a file, which may be of other content than what was there when the file was looked at."""
    copy = spool / f"{source.file_id}.copy"
    file = copied(source.file, source.format, copy)
    stands = source.stands if source.before is None else begins_with(str(copy), *source.before)
    return replace(source, file=file, copy=copy, tail=None, stands=stands)


@contextmanager
def _parts(sources: Sequence[Source], spool: Path) -> Iterator[tuple[Iterator[Portion], Prints]]:
    """The parts that DuckDB can read at once, none where lines are read one by one; and the fingerprints."""
    format = sources[0].format
    lines = format.layout == "ndjson" and not format.reader.keys
    if lines and format.reader.usage_key:
        known: dict[int, Fingerprint] = {}
        with sifting(sources, spool, known) as parts:
            yield parts, lambda source: known[source.file_id]
        return
    with _fingerprints(sources) as prints:
        many = [source for source in sources if lines and format.reader.apart and has_many_lines(source)]
        few = [source for source in sources if source not in many] if many else sources
        part = Portion(few, lambda: sum(prints(source).lines for source in few), torn=many)
        yield iter([part] if lines else []), prints


@contextmanager
def _fingerprints(sources: Sequence[Source]) -> Iterator[Prints]:
    """The fingerprint of each file, taken beside the reading; those of grown ones are known."""
    known = {source.file_id: source.tail.fingerprint for source in sources if source.tail}
    for source in sources:
        if source.tail and _watched(source):
            _fingerprint_of_lines(source, str(source.tail.path))
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
        return _fingerprint_of_lines(source, source.own, source.file.size)
    lines = _fingerprint_of_lines(source, str(source.content)).lines
    return Fingerprint(fingerprint(source.own, size=source.file.size).content_hash, lines)


def _fingerprint_of_lines(source: Source, path: str, size: int = ENDLESS) -> Fingerprint:
    """The hash and lines of a file; lines that DuckDB reads are watched on the way."""
    if not _watched(source):
        return fingerprint(path, size=size)
    lines = LineWatch(source.watch, source.file_id, columns=source.watch.columns)
    found = fingerprint(path, lines.feed, size)
    lines.finish()
    return found


def _watched(source: Source) -> bool:
    """Whether DuckDB reads the lines, so that they are watched in the bytes; a careful reading shows every record."""
    return source.format.layout == "ndjson" and not source.format.reader.keys


def _unpacked(source: Source, spool: Path) -> Source:
    if source.format.packing is None:
        return source
    content = spool / f"{source.file_id}.content"
    fault = unpack(source.own, source.format.packing, source.file.size, content, lines=source.format.layout in LINES)
    waits = source.format.layout == "csv" and not fault and is_fresh(source.file) and cut_last_line(content)
    return replace(source, content=content, fault=fault, waits=waits)


def _text(source: Source, spool: Path) -> Source:
    """A text without zero bytes before it, or its lines: those of JSON lines are left to who reads them one by one."""
    within = source.format.layout != "ndjson" or source.format.reader.unfold is not None
    if source.format.layout not in TEXTS or source.tail or not has_zeros(source.opened, within):
        return source
    text = spool / f"{source.file_id}.text"
    with source.opened() as stream, text.open("wb") as out:
        first = copy_without_zeros(stream, out, within)
    if source.content:
        source.content.unlink()
    return replace(source, content=text, zeros=first)


def _unfolded(source: Source, spool: Path) -> Source:
    """A file that is no list of records, or a document of them, as JSON lines."""
    reader = source.format.reader
    unfold = reader.unfold or (partial(items, pages=reader.pages) if source.format.layout == "json" else None)
    if unfold is None:
        return source
    out = spool / f"{source.file_id}.unfolded"
    if source.format.layout != "sqlite":
        check_document(source)
    try:
        fault = unfolded(unfold, Path(source.whole), source.place, out)
    except RefusedError as error:
        why = damaged(str(error)) if isinstance(error, EndlessError) else str(error)
        raise DatabaseLogError(why, file=source.file.shown) from None
    if source.content:
        source.content.unlink()
    return replace(source, format=replace(source.format, layout="ndjson"), content=out, fault=source.fault or fault)
