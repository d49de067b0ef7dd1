"""How much memory a process may address (`ulimit -v`): libraries end a process that finds too little, with no error."""

from __future__ import annotations

import os

from .errors import CostsimError

MEBIBYTE = 2**20
LEAST_MIB = 192
"""What any command needs (measured: arrays of a projection do not begin with 100 MiB)."""
ENGINE_MIB, THREAD_MIB = 768, 32
"""What DuckDB needs for a small store, and for each processor more (measured: 830 MiB with two); a load of many files
takes twice as much, and says so where it is not there."""


def address_space() -> int | None:
    """The bytes of memory that this process may address; None where that is not bounded."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    bound = resource.getrlimit(resource.RLIMIT_AS)[0]
    return None if bound == resource.RLIM_INFINITY else bound


def check_address_space(what: str = "costsim", mebibytes: int = LEAST_MIB) -> None:
    """Raises CostsimError where there is less than `what` needs."""
    bound = address_space()
    if bound is not None and bound < mebibytes * MEBIBYTE:
        raise CostsimError(
            f"{what} needs {mebibytes:,} MiB of address space, and ulimit -v allows {bound // MEBIBYTE:,}; raise it: "
            f"ulimit -v {mebibytes * 1024}"
        )


def check_engine() -> None:
    """Raises CostsimError where DuckDB would find no room even to begin."""
    check_address_space("a store", ENGINE_MIB + THREAD_MIB * (os.cpu_count() or 1))
