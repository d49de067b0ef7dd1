"""Records as CSV that is safe to open in a spreadsheet: names of columns come from files too."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from .escaping import inert


def as_sheet(rows: Sequence[Mapping[str, object]]) -> str:
    """A row per record, under the keys of the first; no text and no heading is a formula. Without records, nothing."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    headings: list[Iterable[object]] = [rows[0].keys()] if rows else []
    for values in [*headings, *(row.values() for row in rows)]:
        writer.writerow([inert(value) if isinstance(value, str) else value for value in values])
    return text.getvalue()
