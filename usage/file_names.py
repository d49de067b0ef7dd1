"""What files are called: on one line, without the ending of their packing, and where a link leads."""

from __future__ import annotations

import os
import re
from pathlib import Path

PACKED = (".gz", ".zst")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def shown(path: str | Path) -> str:
    """A path as text on one line: bytes that are no UTF-8, and control characters, are written \\xff."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def real(path: str) -> str:
    """Where a file is whose name DuckDB does not take, so that `path` is a link to it: others stand beside it there."""
    return os.path.realpath(path) if os.path.islink(path) else path


def unpacked_name(path: str) -> str:
    """The name that a packed file has once it is unpacked."""
    for packing in PACKED:
        path = path.removesuffix(packing)
    return path
