"""What `costsim load` says that it brought: calls, days, cost and models, at the prices of the working folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import CostsimError
from .arguments import stack_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from ..analysis.spend.sources import Overlap
    from ..usage.report import LoadReport


def brought_by(connection: DuckDBPyConnection, report: LoadReport) -> list[str]:
    """What the load brought, at the prices of this folder; a fault in them does not undo the load."""
    from ..analysis.spend.loaded import loaded
    from ..reports.loaded import calls_line, summary

    if not report.file_ids:
        return []
    try:
        return summary(report, loaded(connection, stack_of(None, None), report.file_ids))
    except CostsimError as error:
        return [calls_line(report), f"loaded, but not priced: {error}"]


def first_overlap(connection: DuckDBPyConnection) -> Overlap | None:
    """The largest overlap of two sources that nothing distinguishes."""
    from ..analysis.spend.ledger import Ledger
    from ..analysis.spend.sources import sources_of

    found = sources_of(Ledger.open(connection, stack_of(None, None)), None, None).overlaps
    return found[0] if found else None
