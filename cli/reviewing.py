"""The review as `report`, `chart` and `decide` ask for it: its options, and how it is made."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import StoreError
from .arguments import HERE, day_of, existing, stack_of
from .screen import with_progress

if TYPE_CHECKING:
    from ..analysis.architecture.model import Architecture
    from ..analysis.decided.results import DecisionRecord
    from ..analysis.review.results import Review
    from ..analysis.review.review import Progress
    from ..pricing.book import PriceBook

ArchitectureOption = Annotated[
    Path | None,
    typer.Option(
        "--architecture",
        metavar="FILE",
        help="The configured fleet: its routing, prices and budgets. Default: architecture.yaml here.",
    ),
]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="A routing file, in place of the architecture's.")
]
TodayOption = Annotated[
    str | None, typer.Option("--today", metavar="DATE", help="The day that ends a running month. Default: today.")
]
DecisionsOption = Annotated[
    Path | None,
    typer.Option(
        "--decisions",
        metavar="FILE",
        help="The decisions that were taken. Default: decisions.yaml beside the architecture, else here.",
    ),
]


@dataclass(frozen=True)
class ReviewAsked:
    """What the options of a command ask for."""

    month: str | None
    db: Path
    architecture: Path | None = None
    config: Path | None = None
    decisions: Path | None = None
    book: str | None = None
    prices: list[Path] | None = None
    today: str | None = None
    title: str | None = None

    @property
    def file(self) -> Path | None:
        """The architecture that is named, else the working folder's, else none."""
        return self.architecture or (HERE if HERE.is_file() else None)

    @property
    def decisions_file(self) -> Path:
        """Where decisions are recorded."""
        from ..analysis.decided.file import NAME

        return self.decisions or (self.file.parent / NAME if self.file else Path(NAME))

    def records(self) -> list[DecisionRecord]:
        """The decisions that were recorded; none where there is no file, unless one is named. Raises InputError."""
        from ..analysis.decided.file import read_decisions

        if not self.decisions_file.exists() and self.decisions is None:
            return []
        return read_decisions(self.decisions_file)


def review_of(asked: ReviewAsked) -> Review:
    """The review that is asked for; what its queries read is kept in the store. Raises CostsimError."""
    return with_progress("reviewing", lambda progress: _review(asked, asked.records(), progress))


def proposals(asked: ReviewAsked) -> Review:
    """As `review_of`, with all that can be decided on, whatever was decided before; past forecasts are left out."""
    return with_progress("reviewing", lambda progress: _review(asked, [], progress, calibrated=False))


def fleet_of(asked: ReviewAsked) -> Architecture | None:
    """The architecture of the project, if it has one."""
    from ..analysis.architecture.load import read_architecture

    return read_architecture(asked.file) if asked.file else None


def _review(
    asked: ReviewAsked, records: list[DecisionRecord], progress: Progress | None, *, calibrated: bool = True
) -> Review:
    from ..analysis.routing.routing import read_routing
    from ..store import open_store

    fleet = fleet_of(asked)
    routing = read_routing(asked.config) if asked.config else None
    stack = stack_of(asked.book, asked.prices, asked.file)
    with open_store(existing(asked.db), stack, read_only=True) as store:
        reviewed = asked.month or store.newest_month(day_of(asked.today))
        if reviewed is None:
            raise StoreError(f"{asked.db}: no usage is loaded; load some: costsim load LOGS")
        name = (asked.title or "").strip() or (fleet.name if fleet and fleet.name else asked.db.stem)
        found = store.review(
            reviewed, today=day_of(asked.today), name=name, architecture=fleet, routing=routing, records=records,
            calibrated=calibrated, progress=progress,
        )  # fmt: skip
    _keep_cells(asked.db, stack, reviewed)
    return found


def _keep_cells(db: Path, stack: PriceBook, month: str) -> None:
    """The tables that the review's queries read, into the store, where it can be written to now."""
    from ..analysis.review.cells import fill_cells
    from ..months import month_span
    from ..usage.store import open_store

    with suppress(StoreError), open_store(db, wait_seconds=0) as connection:
        fill_cells(connection, stack, month_span(month)[0] - timedelta(days=31))
