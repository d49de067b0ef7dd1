"""How many log lines a check allows to have been rejected."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from ...errors import CostsimError

WRITTEN = re.compile(r"[0-9]{1,12}|[0-9]{1,3}(\.[0-9]{1,12})?%")
"""A share of a thousand percent or more is a slip of the pen."""


@dataclass(frozen=True)
class Rejects:
    """How many log lines may have been refused: a `count`, or a `share` of all entries."""

    count: int = 0
    share: Fraction | None = None

    @classmethod
    def parse(cls, text: str) -> Rejects:
        """`25`, or `0.5%` of all entries. Raises CostsimError."""
        if not WRITTEN.fullmatch(text.strip()):
            raise CostsimError(f"{text!r} is neither a number of lines, such as 25, nor a share, such as 0.5%")
        number, share, _ = text.strip().partition("%")
        return cls(share=Fraction(number) / 100) if share else cls(int(number))

    def allowed(self, entries: int) -> int:
        """How many of so many entries."""
        return self.count if self.share is None else int(self.share * entries)
