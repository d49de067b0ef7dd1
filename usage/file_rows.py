"""The row of each file in the table `load`: its number, and what it is now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .changes import KnownFile, label_of
from .snapshot import time_to_keep
from .source import Source
from .unread import Watch

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

NOTE = "SELECT undercounts FROM source_note WHERE source = ?"
KEEP_FILES = """
INSERT INTO load
SELECT unnest($ids), unnest($labels), unnest($hashes), unnest($sizes), unnest($times), unnest($changes), $reader,
    0, 0, 0, $role, now() AT TIME ZONE 'UTC', $declared
"""
REPLACE_FILES = f"""{KEEP_FILES}
ON CONFLICT (file_id) DO UPDATE SET content_hash = excluded.content_hash, bytes = excluded.bytes,
    mtime_ns = excluded.mtime_ns, ctime_ns = excluded.ctime_ns, reader = excluded.reader, role = excluded.role,
    loaded_at = excluded.loaded_at, declared = excluded.declared
"""


def numbered(store: DuckDBPyConnection, batch: Sequence[KnownFile], watch: Watch) -> tuple[list[int], list[Source]]:
    """The numbers of the files that have one; and the files under their numbers, those they had or new ones."""
    labels = [known_file.label for known_file in batch]
    known = dict(store.execute("SELECT path, file_id FROM load WHERE path IN (SELECT unnest(?))", [labels]).fetchall())
    new = store.execute("SELECT nextval('file_number') FROM range(?)", [len(batch) - len(known)]).fetchall()
    numbers = iter(new)
    return list(known.values()), [
        Source(
            known[label] if label in known else next(numbers)[0],
            known_file.file,
            known_file.format,
            watch,
            known_file.tail,
            known_file.stands,
            known_file.before,
        )
        for label, known_file in zip(labels, batch, strict=True)
    ]


def forget(store: DuckDBPyConnection, ids: Sequence[int]) -> None:
    """Forget what was noted of these files as they were."""
    for table in ("reject", "sign", "unread"):
        store.execute(f"DELETE FROM {table} WHERE file_id IN (SELECT unnest(?::BIGINT[]))", [ids])  # noqa: S608 (ours)


def keep_files(
    store: DuckDBPyConnection,
    sources: Sequence[Source],
    hashes: Sequence[str],
    declared: str | None,
    known: bool,
) -> None:
    """What the files are now; `known` says that some have been here before."""
    kept = {
        "ids": [source.file_id for source in sources],
        "labels": [label_of(source.file, sha) for source, sha in zip(sources, hashes, strict=True)],
        "hashes": list(hashes),
        "sizes": [source.file.size for source in sources],
        "times": [time_to_keep(source.file, source.waits) for source in sources],
        "changes": [source.file.ctime_ns for source in sources],
        "reader": sources[0].format.reader.name,
        "role": sources[0].format.reader.role,
        "declared": declared,
    }
    store.execute(REPLACE_FILES if known else KEEP_FILES, kept)
    reader = sources[0].format.reader
    if store.execute(NOTE, [reader.name]).fetchone() != (reader.undercounts,):
        store.execute("INSERT OR REPLACE INTO source_note VALUES (?, ?)", [reader.name, reader.undercounts])
