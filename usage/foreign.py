"""Files that were said to be of a format and hold nothing of it: their first line is a reject, not silence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ..errors import UsageLogError
from .files import head, records_of, tell_format
from .readers import READERS
from .source import Reject, Source

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SHOWN = 200
"""Characters of the first line that are kept."""


def foreign(store: DuckDBPyConnection, sources: Sequence[Source], rejects: Sequence[Reject]) -> Iterator[Reject]:
    """A reject of line 1 for each file with content, no entry in `found`, no reject, and by its content another format.

    `sources` are files of one format that the user named.
    """
    reader = sources[0].format.reader
    if reader not in READERS:
        return
    found = {number for (number,) in store.execute("SELECT DISTINCT file_id FROM found").fetchall()}
    found |= {reject[0] for reject in rejects}
    for source in sources:
        if source.file_id in found or source.tail or not source.file.size or _is(source, store):
            continue
        content, _, _ = head(source.file, SHOWN)
        line = content.decode("utf-8", "replace").partition("\n")[0][:SHOWN]
        yield source.file_id, 1, f"this is no {reader.name} log: nothing in the file has that format", line


def _is(source: Source, store: DuckDBPyConnection) -> bool:
    """Whether the content may be of the format that was named: recognised as it, or with a key that it has."""
    reader = source.format.reader
    if source.format.layout in ("csv", "ndjson", "json"):
        records = records_of(source.file)
        known = {
            *map(reader.key, reader.columns),
            *(path.split(".")[0] for path in (*reader.counted, *reader.left_out)),
        }
        if any(known & record.keys() for record in records) or (records and reader.unfold):
            return True
    try:
        found = tell_format(source.file, store)
    except UsageLogError:
        return False
    return found is not None and found.reader is reader
