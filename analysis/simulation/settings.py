"""How to run a projection, and where progress goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path

from ...errors import CostsimError
from ...usage.limits import Bound
from .scale import Scale

Progress = Callable[[int, int], None]
"""Called with (components done, components in all)."""

MAX_DRAWS = Bound("COSTSIM_MAX_DRAWS", 12_500_000)  # 100 MB for each token class of a component
SUMS = 20
"""How many sums of so many draws are kept at once: those of plans, or of budgets."""


def check_draws(days: int, trials: int, sums: int = 1, of: str = "every component") -> None:
    """Raises CostsimError where so many draws, of so many sums at once, do not fit in memory."""
    most = MAX_DRAWS.value * (1 if sums == 1 else SUMS) // sums
    if days * trials > most:
        raise CostsimError(
            f"{trials:,} trials of {days:,} days are {days * trials:,} draws of {of}; at most {most:,} fit in memory: "
            f"{most // days:,} trials, or fewer days (raise it with {MAX_DRAWS.variable})"
        )


@dataclass
class Settings:
    """How to run: `start` is the first day, quantiles come from `trials` draws seeded with `seed`.

    `book` overrides the architecture's base book; `naive` its baseline model (default: the one of the named
    models on which the whole architecture would cost most). `prices` are overlays on top of its own, `scale` how many
    times as often it runs, `baseline` the plan or model that savings are compared with, `what_if` all of this in words.
    `uncertainty` is a share: how much more or less components cost that state none themselves.
    """

    start: date
    days: int = 30
    trials: int = 10_000
    seed: int = 1
    book: str | None = None
    naive: str | None = None
    prices: tuple[Path, ...] = ()
    scale: Scale = field(default_factory=Scale)
    baseline: str | None = None
    what_if: tuple[str, ...] = ()
    uncertainty: Decimal | None = None

    def check(self) -> None:
        """Raises CostsimError on settings out of bounds."""
        for name, value, low, high in (
            ("days", self.days, 1, 1096),
            ("trials", self.trials, 1, 1_000_000),
            ("seed", self.seed, 0, 2**63 - 1),
        ):
            if not low <= value <= high:
                raise CostsimError(f"{name} must be from {low} to {high:,}, not {value:,}")
        check_draws(self.days, self.trials)
        if self.start.year > 9000 or self.start.year < 1971:
            raise CostsimError(f"the start {self.start} is out of bounds; give a date from 1971 on")
