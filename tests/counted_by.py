"""Which sources count where several report the same calls."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from costsim.analysis.spend.ledger import bring_up_to_date
from costsim.analysis.spend.spend import Query, spend
from costsim.pricing.book import open_book
from costsim.usage.load import load
from emptied import open_store


def counted_sources(files: Sequence[Path]) -> list[tuple[str, ...]]:
    """The sources that `costsim spend` counts once these files were loaded, one after the other."""
    book = open_book()
    with open_store(Path(":memory:")) as store:
        for file in files:
            load(store, [file])
            bring_up_to_date(store, book)
        return [row.keys for row in spend(store, book, Query(by=("source",))).rows]
