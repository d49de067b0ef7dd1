"""What is behind an error of DuckDB's: a disk, a damaged file or a lack of memory; and how that is said."""

from __future__ import annotations

import duckdb

from ..memory import address_space

FAULTS = (
    duckdb.IOException,
    duckdb.OutOfMemoryException,
    duckdb.FatalException,
    duckdb.InternalException,
    duckdb.SerializationException,
)
DAMAGED = ("orrupt", "checksum", "Could not read enough bytes", "database has been invalidated", "INTERNAL Error")
FULL = ("No space left", "Disk quota", "failed to offload", "Out of Memory", "out of memory", "max_temp_directory_size")
FAILED = ("Failed to commit", "Could not write", "Could not sync", "Input/output error", "Read-only file system")
SEE_REPAIR = "; see costsim store verify and costsim store repair"


def is_fault(error: duckdb.Error) -> bool:
    """Whether a disk, a damaged file or a lack of memory is behind an error, and not what was asked for."""
    return is_unwritten(error) or isinstance(error, FAULTS) or type(error) is duckdb.Error


def is_unwritten(error: duckdb.Error) -> bool:
    """Whether something could not be written: there is no space, or a disk or a limit does not let it."""
    return any(word in str(error) for word in (*FULL, *FAILED))


def is_grave(error: duckdb.Error) -> bool:
    """Whether no reading can go on after an error, whatever is read: no space, no memory, a broken store."""
    full = any(word in str(error) for word in FULL)
    return full or isinstance(error, duckdb.OutOfMemoryException | duckdb.FatalException | duckdb.InternalException)


def said(error: duckdb.Error) -> str:
    """A fault in words, with what to do."""
    message = " ".join(str(error).split())
    if any(word in message for word in FULL):
        bounded = "; ulimit -v bounds the memory: raise it" if address_space() else ""
        return (
            f"no space is left, on the store's disk or in memory and the folder for temporary files: {message}{bounded}"
        )
    if is_unwritten(error):
        return f"it cannot be written: {message}"
    if any(word in message for word in DAMAGED):
        return f"the store is damaged ({first_line(error)}){SEE_REPAIR}"
    return first_line(error)


def first_line(error: Exception) -> str:
    """What an error says first, on one line; its kind where it says nothing."""
    message = str(error).strip()
    return " ".join(message.splitlines()[0].split()) if message else type(error).__name__
