"""What a load saw and did not count: the table `unread`, kept in the transaction that keeps the calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from .fits import column_kinds
from .likeness import Likeness
from .line_shapes import LineShapes
from .places import Number, Places
from .store import scalar

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from .reader import Reader

MOST = Decimal(10) ** 28  # what the table's sum holds
RAW_CHARACTERS = 100

KEEP = """
INSERT INTO unread SELECT unnest($ids), $reader, unnest($fields), unnest($counts), unnest($totals)::DECIMAL(38, 9),
    unnest($lines), unnest($raws), unnest($as_text)
ON CONFLICT (file_id, field) DO UPDATE SET occurrences = occurrences + excluded.occurrences,
    total = total + excluded.total
"""
ANY = "SELECT count(*) FROM unread"
KINDS = """
SELECT unread.source, unread.field, count(DISTINCT file_id), sum(occurrences)::BIGINT, sum(total)::VARCHAR,
    arg_min(load.path, file_id), arg_min(line, file_id), arg_min(raw, file_id), bool_or(as_text)
FROM unread JOIN load USING (file_id) ANTI JOIN acknowledged ON unread.field = acknowledged.field
WHERE $ids IS NULL OR file_id IN (SELECT unnest($ids))
GROUP BY ALL ORDER BY sum(total) DESC, 1, 2
"""


@dataclass
class Tally:
    """One field of one file: how often, the sum, and the first of it."""

    line: int | None
    raw: str
    occurrences: int = 0
    total: Decimal = Decimal(0)


@dataclass(frozen=True)
class Unread:
    """A kind of number that looks like usage and is not counted, over the files of a source; `total` is its sum.

    `as_text` says that it is counted, within another figure, at the price of text: audio and images have prices of
    their own. `path`, `line` (from 1; None where the format has no lines) and `raw` show one of them.
    """

    source: str
    field: str
    files: int
    occurrences: int
    total: Decimal
    path: str
    line: int | None
    raw: str
    as_text: bool = False

    @property
    def what(self) -> str:
        """What becomes of it, in words."""
        return "is priced as text" if self.as_text else "is not counted"


@dataclass
class Watch:
    """The unread numbers of the files of one batch, by file and field.

    `unfit` are files that need care: one has something else in a column of whole numbers, or may have.
    """

    reader: Reader
    found: dict[int, dict[str, Tally]] = field(default_factory=dict)
    unfit: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.likeness = Likeness(self.reader)
        self.columns = column_kinds(self.reader)
        self.places = Places(self.likeness)
        self.shapes = LineShapes(self.places)

    def see(self, file_id: int, line: int | None, record: Any) -> None:
        """Note what a record holds."""
        for number in self.places.numbers(record):
            self.note(file_id, line, number)

    def note(self, file_id: int, line: int | None, number: Number, times: int = 1) -> None:
        """Note a number that was met so many times."""
        self.add(file_id, number.field, times, amount(number.written) * times, line, number.written)

    def add(self, file_id: int, name: str, occurrences: int, total: Decimal, line: int | None, raw: str) -> None:
        """Note so many numbers of one field; half a character in its name is no text that a store takes."""
        name, raw = _text(name), _text(raw)
        fields = self.found.setdefault(file_id, {})
        tally = fields.get(name) or fields.setdefault(name, Tally(line, raw[:RAW_CHARACTERS]))
        tally.occurrences += occurrences
        tally.total = max(-MOST, min(MOST, tally.total + total))

    def forget(self, file_id: int) -> None:
        """Forget a file, because it is read again."""
        self.found.pop(file_id, None)
        self.unfit.discard(file_id)

    def keep(self, store: DuckDBPyConnection) -> None:
        """Add what was noted of these files to what is known of them."""
        rows = [(file_id, name, tally) for file_id, fields in self.found.items() for name, tally in fields.items()]
        if not rows:
            return
        values = {
            "reader": self.reader.name,
            "ids": [file_id for file_id, _, _ in rows],
            "fields": [name for _, name, _ in rows],
            "counts": [tally.occurrences for _, _, tally in rows],
            "totals": [f"{tally.total:.9f}" for _, _, tally in rows],
            "lines": [tally.line for _, _, tally in rows],
            "as_text": [self.likeness.is_media(name) for _, name, _ in rows],
            "raws": [tally.raw for _, _, tally in rows],
        }
        store.execute(KEEP, values)


def _text(written: str) -> str:
    return written if written.isascii() else written.encode("utf-8", "replace").decode()


def amount(written: str) -> Decimal:
    """A number as written, as far as the table holds it."""
    value = Decimal(written)
    return value if value.is_finite() and abs(value) < MOST else Decimal(0)


def kinds(store: DuckDBPyConnection, files: Sequence[int] | None = None) -> list[Unread]:
    """What is unread and not acknowledged, the largest sum first; of all files, or of these."""
    if not scalar(store, ANY):
        return []
    rows = store.execute(KINDS, {"ids": None if files is None else list(files)}).fetchall()
    return [Unread(source, name, files, n, Decimal(total), *first) for source, name, files, n, total, *first in rows]


def acknowledge(store: DuckDBPyConnection, fields: Sequence[str]) -> None:
    """Keep in the store that the user knows these fields; they are reported no more."""
    for name in fields:
        store.execute("INSERT OR IGNORE INTO acknowledged VALUES (?)", [name])
