"""Files in object stores (`s3://`, `gs://`, `az://`), read by DuckDB's extensions, fetched only when one is named.

An extension takes its credentials from the environment (AWS_ACCESS_KEY_ID and so on) or from DuckDB's own secrets;
costsim keeps none.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from ..errors import UsageLogError
from .files import LogFile, escaped
from .limits import Bound
from .listing import has_name_of_log
from .passed_over import CANNOT_READ
from .store_faults import first_line

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

EXTENSIONS = {"s3": "httpfs", "gs": "httpfs", "az": "azure"}
WILDCARDS = "*?["
NO_LOG = "in an object store, and of a name that no log has"
MAX_FETCHED = Bound("COSTSIM_MAX_FETCHED", 2 * 2**30)  # one file, which passes through memory
MAX_LISTED = Bound("COSTSIM_MAX_LISTED", 1_000_000)  # files of one folder or glob: a listing may have no end
REFUSED = "HTTP 401", "HTTP 403", "AuthenticationFailed", "AuthorizationFailure"

LIST = "SELECT filename, size, coalesce(epoch_ns(last_modified), 0) FROM read_blob(?) ORDER BY 1"
FETCH = "SELECT content FROM read_blob(?) WHERE filename = ?"
COUNT = "SELECT count(*) FROM (SELECT 1 FROM glob(?) LIMIT ?)"
KNOWN = "SELECT path, bytes, mtime_ns FROM load WHERE path IN (SELECT unnest(?)) AND declared IS NOT DISTINCT FROM ?"


@dataclass(frozen=True)
class _Remote:
    """A file as the store lists it. Without a time (0), one of the same size is taken to be the same."""

    name: str
    size: int
    mtime_ns: int


class _UnreadError(UsageLogError):
    """A file that was listed and cannot be read."""


def is_remote(path: str | Path) -> bool:
    """Whether a path is in an object store."""
    return str(path).partition("://")[0] in EXTENSIONS and "://" in str(path)


def allow(connection: DuckDBPyConnection, path: str) -> None:
    """Let the connection read such paths. Raises UsageLogError where the extension cannot be installed."""
    kind = path.partition("://")[0]
    name = EXTENSIONS[kind]
    try:
        connection.execute(f"INSTALL {name}")
        connection.execute(f"LOAD {name}")
    except duckdb.Error as error:
        raise UsageLogError(
            f"{kind}:// needs DuckDB's extension {name}, which cannot be installed here ({first_line(error)}); copy "
            "the files first",
            file=path,
        ) from None


def fetched(
    store: DuckDBPyConnection, path: str, spool: Path, declared: str | None, passed: dict[str, str]
) -> list[LogFile]:
    """A file, a folder (what ends in `/`) or a glob, copied to `spool`, but for what is as it was when last loaded.

    `passed` gets files of a folder or glob that have no log's name, or cannot be read: one that was removed, or lies in
    an archive, keeps no other from being read. Raises UsageLogError for what is not there or is over MAX_FETCHED, and
    where the one that is named, or each of several, cannot be read.
    """
    with duckdb.connect() as connection:
        allow(connection, path)
        listed, several = _listed_as(connection, path)
        logs = [file for file in listed if not several or has_name_of_log(file.name)]
        passed |= {file.name: NO_LOG for file in listed if file not in logs}
        known = _known(store, logs, declared)
        copies: list[LogFile] = []
        faults: list[tuple[_Remote, _UnreadError]] = []
        for file in logs:
            try:
                copies.append(_copied(connection, file, spool, not several, file in known))
            except _UnreadError as fault:
                faults.append((file, fault))
        if faults and not copies:
            raise faults[0][1]
        passed |= {file.name: f"{CANNOT_READ} ({fault.message})" for file, fault in faults}
        return copies


def said(error: duckdb.Error) -> str:
    """What a store or DuckDB said first, and what to do where it refuses the credentials."""
    first = first_line(error)
    if not any(word in first for word in REFUSED):
        return first
    return f"{first}: the credentials do not fit, see docs/scale.md on those of object stores"


def pattern_of(connection: DuckDBPyConnection, path: str) -> str:
    """What matches the file, or all below the folder, of that very name where there is one, else what the path matches.

    `a[1].jsonl` by itself would match `a1.jsonl`.
    """
    below = "**" if path.endswith("/") else ""
    named = f"{escaped(path)}{below}"
    try:
        if "[" in path and connection.execute(COUNT, [named, 1]).fetchall()[0][0]:
            return named
    except duckdb.Error as error:
        raise UsageLogError(f"it cannot be read: {said(error)}", file=path) from None
    return f"{path}{below}"


def _listed_as(connection: DuckDBPyConnection, path: str) -> tuple[list[_Remote], bool]:
    """What a path names, and whether it may be several: as on a disk, a file of that very name comes before a match."""
    matches = _listed(connection, pattern_of(connection, path))
    if not (path.endswith("/") or any(letter in path for letter in WILDCARDS)):
        return matches, False
    named = [file for file in matches if path.endswith(file.name)]
    return (named, False) if named else (matches, True)


def _listed(connection: DuckDBPyConnection, pattern: str) -> list[_Remote]:
    try:
        if connection.execute(COUNT, [pattern, MAX_LISTED.value + 1]).fetchall()[0][0] > MAX_LISTED.value:
            raise UsageLogError(f"these are over {MAX_LISTED} files; name a part of them", file=pattern)
        rows = connection.execute(LIST, [pattern]).fetchall()
    except duckdb.Error as error:
        raise UsageLogError(f"it cannot be read: {said(error)}", file=pattern) from None
    if not rows:
        raise UsageLogError("there is no such file, folder or match", file=pattern)
    return [_Remote(*row) for row in rows]


def _known(store: DuckDBPyConnection, files: Sequence[_Remote], declared: str | None) -> set[_Remote]:
    """Those that were loaded as they are now."""
    rows = store.execute(KNOWN, [[file.name for file in files], declared]).fetchall()
    return {_Remote(*row) for row in rows}


def _copied(connection: DuckDBPyConnection, file: _Remote, spool: Path, named: bool, known: bool) -> LogFile:
    """The file, or only its name where nothing of it will be read."""
    copy = spool / f"{len(list(spool.iterdir()))}.fetched"
    if not known:
        if file.size > MAX_FETCHED.value:
            raise UsageLogError(f"it is over {MAX_FETCHED}; copy it first", file=file.name)
        try:
            rows = connection.execute(FETCH, [escaped(file.name), file.name]).fetchall()
        except duckdb.Error as error:
            raise _UnreadError(f"it cannot be read: {said(error)}", file=file.name) from None
        if not rows:
            raise _UnreadError("it was there when the store was listed, and is not there now", file=file.name)
        copy.write_bytes(rows[0][0])
        os.utime(copy, ns=(file.mtime_ns, file.mtime_ns))
    return LogFile(str(copy), named, file.size if known else copy.stat().st_size, file.mtime_ns, file.name)
