"""How many log lines a check allows to have been rejected."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from ...errors import CostsimError


@dataclass(frozen=True)
class Rejects:
    """How many log lines may have been refused: a `count`, or a `share` of all entries."""

    count: int = 0
    share: Fraction | None = None

    @classmethod
    def parse(cls, text: str) -> Rejects:
        """`25`, or `0.5%` of all entries. Raises CostsimError."""
        number = text.strip().removesuffix("%")
        try:
            share = Fraction(number) / 100
            if share < 0 or (text.strip() == number and not number.isdigit()):
                raise ValueError
        except (ValueError, ZeroDivisionError):
            raise CostsimError(
                f"{text!r} is neither a number of lines, such as 25, nor a share, such as 0.5%"
            ) from None
        return cls(share=share) if "%" in text else cls(int(number))

    def allowed(self, entries: int) -> int:
        """How many of so many entries."""
        return self.count if self.share is None else int(self.share * entries)
