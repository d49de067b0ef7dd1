"""What a load saw and did not count: the table `unread`, kept in the transaction that keeps the calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any

from ..shown import shortened_line
from .fits import column_kinds
from .likeness import NAMES, Likeness
from .limits import MAX_FIELDS
from .line_shapes import LineShapes
from .places import Number, Places
from .store import scalar

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from .reader import Reader

MOST = Decimal(10) ** 28  # what the table's sum holds
RAW_CHARACTERS = 100
LONGEST_FIELD = 1_000  # characters of a path that is kept
ROOM = 200_000_000  # bytes of what is noted of one batch
TALLY_BYTES = 400  # beside its name
ROWS = 50_000  # that are kept at once
OTHERS, OTHER_MEDIA = "other-{}fields", "other-media-token-fields"
"""The fields of a source that are too many to be kept apart, with what their names say that they are (`token-`)."""

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


APART = "SELECT DISTINCT field FROM unread ANTI JOIN acknowledged USING (field) WHERE source = ?"


@dataclass(slots=True)
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

    Those of `apart` are kept each by itself, up to `COSTSIM_MAX_FIELDS` of a source; so are those that are
    `acknowledged`. Of all others only sums are kept, by what their names say that they are. `unfit` are files that need
    care: one has something else in a column of whole numbers, or may have.
    """

    reader: Reader
    apart: set[str] = field(default_factory=set)
    acknowledged: frozenset[str] = frozenset()
    found: dict[int, dict[str, Tally]] = field(default_factory=dict)
    unfit: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.likeness = Likeness(self.reader)
        self.columns = column_kinds(self.reader)
        self.places = Places(self.likeness).with_root()
        self.shapes = LineShapes(self.places)
        self.most = MAX_FIELDS.value
        self.room = ROOM

    def see(self, file_id: int, line: int | None, record: Any) -> None:
        """Note what a record holds."""
        self.places.root.find(record, _Noting(self, file_id, line))

    def note(self, file_id: int, line: int | None, number: Number, times: int = 1) -> None:
        """Note a number that was met so many times."""
        self.add(file_id, number.field, times, amount(number.written) * times, line, number.written)

    def add(self, file_id: int, name: str, occurrences: int, total: Decimal, line: int | None, raw: str) -> None:
        """Note so many numbers of one field; half a character in its name is no text that a store takes."""
        name, raw = _text(name), _text(raw)
        fields = self.found.setdefault(file_id, {})
        tally = fields.get(name) or self._tally(fields, self._kept_as(name), line, raw)
        tally.occurrences += occurrences
        tally.total = max(-MOST, min(MOST, tally.total + total))

    def is_noted(self, file_id: int, name: str) -> bool:
        """Whether a file has a number of this field already, or of those that it is kept with."""
        fields = self.found.get(file_id, {})
        return name in fields or (self.is_full and self._kept_as(_text(name)) in fields)

    @property
    def is_full(self) -> bool:
        """Whether no more fields are kept apart."""
        return len(self.apart) >= self.most or self.room <= 0

    def _tally(self, fields: dict[str, Tally], name: str, line: int | None, raw: str) -> Tally:
        if name not in fields:
            self.room -= len(name) + TALLY_BYTES
            fields[name] = Tally(line, raw[:RAW_CHARACTERS])
        return fields[name]

    def _kept_as(self, name: str) -> str:
        """The name under which a field is kept, by itself or with others."""
        short = shortened_line(name, LONGEST_FIELD)
        if self.room > 0 and (short in self.apart or short in self.acknowledged):
            return short
        if not self.is_full:
            self.apart.add(short)
            return short
        if self.likeness.is_media(name):
            return OTHER_MEDIA
        words = NAMES.findall(name)
        return OTHERS.format(f"{words[-1].lower()}-" if words else "")

    def forget(self, file_id: int) -> None:
        """Forget a file, because it is read again."""
        self.found.pop(file_id, None)
        self.unfit.discard(file_id)

    def keep(self, store: DuckDBPyConnection) -> None:
        """Add what was noted of these files to what is known of them."""
        every = ((file_id, name, tally) for file_id, fields in self.found.items() for name, tally in fields.items())
        while rows := list(islice(every, ROWS)):
            store.execute(KEEP, self._values(rows))

    def _values(self, rows: Sequence[tuple[int, str, Tally]]) -> dict[str, Any]:
        return {
            "reader": self.reader.name,
            "ids": [file_id for file_id, _, _ in rows],
            "fields": [name for _, name, _ in rows],
            "counts": [tally.occurrences for _, _, tally in rows],
            "totals": [f"{tally.total:.9f}" for _, _, tally in rows],
            "lines": [tally.line for _, _, tally in rows],
            "as_text": [name == OTHER_MEDIA or self.likeness.is_media(name) for _, name, _ in rows],
            "raws": [tally.raw for _, _, tally in rows],
        }


class _Noting:
    """Takes the numbers of a record one by one, however many there are."""

    __slots__ = ("_file_id", "_line", "_watch")

    def __init__(self, watch: Watch, file_id: int, line: int | None) -> None:
        self._watch, self._file_id, self._line = watch, file_id, line

    def append(self, number: Number) -> None:
        self._watch.note(self._file_id, self._line, number)


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


def watch_of(store: DuckDBPyConnection, reader: Reader) -> Watch:
    """A watch that knows which fields of a reader's files are kept apart already."""
    apart = store.execute(APART, [reader.name]).fetchall()
    known = store.execute("SELECT field FROM acknowledged").fetchall()
    return Watch(reader, {name for (name,) in apart}, frozenset(name for (name,) in known))


def acknowledge(store: DuckDBPyConnection, fields: Sequence[str]) -> None:
    """Keep in the store that the user knows these fields; they are reported no more."""
    for name in fields:
        store.execute("INSERT OR IGNORE INTO acknowledged VALUES (?)", [name])
