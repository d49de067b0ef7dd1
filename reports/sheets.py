"""Tables as CSV that is safe to open in a spreadsheet: names of columns come from files too."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from .escaping import inert


def as_sheet(*rows: Iterable[object]) -> str:
    """Rows, the first of them the headings; no text is a formula, and None is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for values in rows:
        writer.writerow([inert(value) if isinstance(value, str) else value for value in values])
    return text.getvalue()


def records_as_sheet(records: Sequence[Mapping[str, object]]) -> str:
    """A row per record, under the keys of the first; without records, nothing."""
    return as_sheet(*(record.keys() for record in records[:1]), *(record.values() for record in records))
