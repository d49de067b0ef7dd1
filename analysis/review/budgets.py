"""The budgets compared with the month."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from ...documents import Document
from ..budgets.results import BudgetUse

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from ...pricing.book import PriceBook
    from ..architecture.model import Architecture


def budgets_used(
    connection: DuckDBPyConnection,
    book: PriceBook,
    architecture: Architecture | None,
    days: tuple[date, date],
    today: date,
) -> list[BudgetUse]:
    """The architecture's monthly budgets against the month.

    `days` are the month's first and the last one known whole. Replaces the table `price`. Raises ArchitectureError.
    """
    from ..budgets.scopes import of_calls, stated_budgets
    from ..budgets.spent import budget_uses, read_usage

    stated = stated_budgets(architecture, Document(Path(), None)) if architecture else ()
    if architecture is None or not stated:
        return []
    tags = {component.name: component.tags for component in architecture.components}
    return budget_uses(stated, read_usage(connection, book, *days, tags, of_calls(stated)), today)
