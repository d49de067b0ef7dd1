"""How much of a log is read: limits that are stated where they are met, and that an environment variable raises."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError

UNITS = {"": 1, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}
WRITTEN = re.compile(r"([0-9]{1,15})\s*(|[KMGT]iB)", re.IGNORECASE)


@dataclass(frozen=True)
class Bound:
    """A limit in bytes (or, where it has no unit, a number), and the variable that raises it."""

    variable: str
    default: int

    @property
    def value(self) -> int:
        """What holds now. Raises InputError where the variable is no size."""
        given = os.environ.get(self.variable)
        if not given:
            return self.default
        read = WRITTEN.fullmatch(given.strip())
        if not read or not int(read[1]):
            raise InputError(f"{given!r} is not a limit; write a number, or a size as 512MiB", key=self.variable)
        return int(read[1]) * UNITS[read[2].upper()]

    def __str__(self) -> str:
        """The limit as people write it, and how to raise it."""
        value, unit = self.value, ""
        for name, size in UNITS.items():
            if value >= size and value % size == 0:
                unit = name
        shown = f"{self.value // UNITS[unit]:,}{' ' + unit.replace('IB', 'iB') if unit else ''}"
        return f"{shown} (raise it with {self.variable})"


MAX_LINE = Bound("COSTSIM_MAX_LINE", 64 * 2**20)  # one line of a log
MAX_DOCUMENT = Bound("COSTSIM_MAX_DOCUMENT", 512 * 2**20)  # a file that is read as one JSON document or text
MAX_VALUES = Bound("COSTSIM_MAX_VALUES", 9_000_000)  # of JSON that is read at once: more than any 16 MiB can hold
MAX_UNPACKED = Bound("COSTSIM_MAX_UNPACKED", 64 * 2**30)  # what a packed file or a pipe holds
MAX_RATIO = Bound("COSTSIM_MAX_RATIO", 1000)  # of a packed file, its content to its size
MAX_REJECTS = Bound("COSTSIM_MAX_REJECTS", 200_000)  # lines of a file that are no entries
MAX_COLUMNS = Bound("COSTSIM_MAX_COLUMNS", 10_000)  # of a table: a database takes a second for so many, hours for more
MAX_FIELDS = Bound("COSTSIM_MAX_FIELDS", 1_000)  # of a source, not counted and kept apart: others are summed together
FREE_BYTES = 64 * 2**20  # so much is unpacked whatever its ratio


def end_of_reading(wrong: int) -> str | None:
    """Why a file of which so many lines are no entries is read no further; None where it is."""
    if wrong <= MAX_REJECTS.value:
        return None
    return f"the file cannot be read from here on: over {MAX_REJECTS} of its lines are no entries"


def object_size(file: Path) -> int:
    """What DuckDB may need for the longest line of a file that was written here: no more than the file holds."""
    return max(2**20, min(4 * MAX_LINE.value, file.stat().st_size + 1))
