"""Everything that costsim raises on purpose.

    CostsimError            one clear line for the user; the command line exits with 2
    ├── InputError          a file that the user wrote or pointed at is not usable
    │   ├── ArchitectureError   an architecture, routing or cron file
    │   ├── PriceBookError      a price book or overlay
    │   └── UsageLogError       a usage log
    │       ├── ChangingError       one that its program changes faster than it can be copied
    │       └── DatabaseLogError    a database that has no end, or would run what others wrote
    ├── UnpricedError       a model has no price where one is indispensable
    ├── StoreError          the DuckDB file cannot be opened, read or written
    └── OutputError         a result cannot be written where it was asked for

An error is a sentence for its reader: what is wrong, where (file, line, key) and how to fix it.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable
from pathlib import Path

from .plurals import quoted_names

NO_SPACE = "No space left on device"


def is_full(error: OSError) -> bool:
    """Whether it is a disk or a quota that is full."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def reason(error: Exception) -> str:
    """What an error of DuckDB says, on one line: of a disk that is full no more than that."""
    text = " ".join(str(error).split())
    return NO_SPACE if NO_SPACE in text else text


class CostsimError(Exception):
    """The root of every error that costsim raises on purpose; `str()` of it is one line for the user."""


class InputError(CostsimError):
    """A file that the user wrote or pointed at is not usable.

    `file`, `line` (from 1) and `key` say where, as far as known; the message reads
    ``architecture.yaml:14 components[2].schedule: "*/75 * * * *" is not a cron expression``.
    """

    def __init__(
        self, message: str, *, file: str | Path | None = None, line: int | None = None, key: str | None = None
    ) -> None:
        self.message, self.file, self.line, self.key = message, file, line, key
        super().__init__(f"{self._where()}{message}")

    def _where(self) -> str:
        place = "" if self.file is None else str(self.file) + (f":{self.line}" if self.line else "")
        where = " ".join(part for part in (place, self.key) if part)
        return f"{where}: " if where else ""


class ArchitectureError(InputError):
    """An architecture, routing or cron file is not usable."""


class PriceBookError(InputError):
    """A price book or a price overlay is not usable."""


class UsageLogError(InputError):
    """A usage log is not usable."""


class ChangingError(UsageLogError):
    """A usage log changes faster than it can be copied; the next load may find it at rest."""


class DatabaseLogError(UsageLogError):
    """A log that is a database, and damaged so that it has no end, or would run what whoever wrote it chose."""


class UnpricedError(CostsimError):
    """A model has no price where one is indispensable, as in solving for tokens from a cost."""

    @classmethod
    def of(
        cls, models: Iterable[str | None], lacking: str = "their tokens are in no cost", book: str = ""
    ) -> UnpricedError:
        """That these models have no price in a `book`, and what is `lacking` for it."""
        where = f" in {book}" if book else ""
        return cls(
            f"no price for {quoted_names(models)}{where}; {lacking}. Check the name with `costsim prices list`, "
            "or price it in an overlay: --prices FILE"
        )


class StoreError(CostsimError):
    """The DuckDB file cannot be opened, read or written."""


class OutputError(CostsimError):
    """A result cannot be written where it was asked for; nothing was written in its place."""
