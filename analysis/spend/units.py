"""Unit economics: what a session, a merged branch or any other unit cost, from spend and a list of units.

    branch,merged
    fix/login,1
    spike/search,0

Columns named after dimensions of spend are keys; all others count units. Rows of the file are a unit too, so this one
has two denominators: what a branch cost, and what a merged one did. Spend that no row claims is `unattributed`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from unicodedata import normalize

from ...csv_reading import decimal_of, read_csv
from ...documents import shown_name
from ...errors import InputError
from ...usage.tags import TAG
from .query import DIMENSIONS, UNATTRIBUTED
from .spend import Spend, SpendRow

Keys = tuple[str, ...]
RESULT_COLUMNS = ("calls", "cost", "computed_usd", "unpriced_tokens")
"""What the result has beside the columns of the file, in one form or another."""


@dataclass(frozen=True)
class Units:
    """How many units of each of `names` a combination of `keys` (dimensions) has; the first of `names` counts rows."""

    keys: Keys
    names: tuple[str, ...]
    counts: Mapping[Keys, tuple[Decimal, ...]]


@dataclass(frozen=True)
class UnitRow:
    """A unit of the list, or what none of it claims: its calls, its USD (exact), and its counts."""

    keys: Keys
    calls: int
    usd: Decimal
    unpriced_tokens: int
    counts: tuple[Decimal, ...]


@dataclass(frozen=True)
class UnitCost:
    """USD per unit. `attributed` is what the list claims; `with_spend` counts only units for which there was spend.

    `usd_per_unit` and `usd_per_unit_with_spend` share out what is attributed, `loaded_usd_per_unit` all that was spent.
    None where there are no such units. `unpriced_tokens`, of what is attributed, are in none of them.
    """

    name: str
    units: Decimal
    units_with_spend: Decimal
    usd_per_unit: Decimal | None
    usd_per_unit_with_spend: Decimal | None
    loaded_usd_per_unit: Decimal | None
    unpriced_tokens: int = 0


@dataclass(frozen=True)
class UnitEconomics:
    """The units, the most expensive first, what is unattributed, and the cost per unit of each name."""

    spend: Spend
    units: Units
    rows: tuple[UnitRow, ...]
    unattributed: UnitRow
    costs: tuple[UnitCost, ...]


def is_dimension(name: str) -> bool:
    """Whether spend has a dimension of that name."""
    return name in DIMENSIONS or (name.startswith(TAG) and name != TAG)


def read_units(file: Path) -> Units:
    """The units of a CSV file. Raises InputError: no column is a dimension, a column that counts would be taken for
    another of the result, or a count is no number or negative.
    """
    header, rows = read_csv(file)
    keys = tuple(name for name in header if is_dimension(name))
    counted = tuple(name for name in header if name not in keys)
    if not keys:
        known = ", ".join([*DIMENSIONS, f"{TAG}NAME"])
        raise InputError(f"no column is named after a dimension of spend: {known}", file=file, line=1)
    _check_names(keys, counted, file)
    counts: dict[Keys, tuple[Decimal, ...]] = {}
    for line, row in rows:
        key = tuple(row[name] or UNATTRIBUTED for name in keys)
        own = [_count(row[name], file, line, name) for name in counted]
        before = counts.get(key, (Decimal(0),) * (1 + len(counted)))
        counts[key] = tuple(a + b for a, b in zip(before, (Decimal(1), *own), strict=True))
    if not counts:
        raise InputError("there is no unit in it", file=file)
    return Units(keys, (" and ".join(keys), *counted), counts)


def _check_names(keys: Keys, counted: Iterable[str], file: Path) -> None:
    """Raises InputError where a count would stand in the place of another figure, or be taken for it."""
    rows = " and ".join(keys)
    taken = {"": "it has no name", _folded(rows): "units that are rows of the file have that name"}
    taken |= {_folded(name): f"{shown_name(name)} is what calls are grouped by" for name in (*DIMENSIONS, *keys)}
    taken |= {_folded(name): f"{name!r} is a column of the result" for name in RESULT_COLUMNS}
    for name in counted:
        why = taken.get(_folded(name))
        if why:
            raise InputError(f"the column {shown_name(name)} cannot count units: {why}; rename it", file=file, line=1)
        taken[_folded(name)] = f"{shown_name(name)} differs in case or spaces only"


def _folded(name: str) -> str:
    """A name without what a reader does not see, or a spreadsheet and a database take for the same."""
    return "".join(normalize("NFKC", name).casefold().split())


def _count(text: str, file: Path, line: int, column: str) -> Decimal:
    number = decimal_of(text or "0", file, line, column)
    if number < 0:
        raise InputError(f"{text} is less than nothing", file=file, line=line, key=column)
    return number


def units_of(name: str, spend: Spend) -> Units:
    """Every value of one dimension as a unit: `session`, of spend that is grouped by it."""
    keys = (row.keys for row in spend.rows if row.keys != (UNATTRIBUTED,))
    return Units((name,), (name,), dict.fromkeys(keys, (Decimal(1),)))


def unit_economics(spend: Spend, units: Units) -> UnitEconomics:
    """Share out spend that is grouped by the keys of `units`. Rows and `unattributed` add up to its total exactly."""
    spent = {row.keys: row for row in spend.rows}
    named = {UNATTRIBUTED} if len(units.keys) == 1 else set()
    claimed = [keys for keys in units.counts if not {*keys} <= named]
    rows = [_row(keys, [spent[keys]] if keys in spent else [], units.counts[keys]) for keys in claimed]
    rest = [row for keys, row in spent.items() if keys not in units.counts or {*keys} <= named]
    none = _row((UNATTRIBUTED,) * len(units.keys), rest, (Decimal(0),) * len(units.names))
    rows.sort(key=lambda row: (-row.usd, row.keys))
    costs = tuple(_cost(name, n, rows, spend.total.computed_usd) for n, name in enumerate(units.names))
    return UnitEconomics(spend, units, tuple(rows), none, costs)


def _row(keys: Keys, spent: Iterable[SpendRow], counts: tuple[Decimal, ...]) -> UnitRow:
    own = list(spent)
    usd = sum((row.computed_usd for row in own), Decimal(0))
    return UnitRow(keys, sum(row.calls for row in own), usd, sum(row.unpriced_tokens for row in own), counts)


def _cost(name: str, place: int, rows: Iterable[UnitRow], total_usd: Decimal) -> UnitCost:
    own = list(rows)
    units = sum((row.counts[place] for row in own), Decimal(0))
    with_spend = sum((row.counts[place] for row in own if row.calls or row.usd), Decimal(0))
    usd = sum((row.usd for row in own), Decimal(0))
    return UnitCost(
        name, units, with_spend, usd / units if units else None, usd / with_spend if with_spend else None,
        total_usd / units if units else None, sum(row.unpriced_tokens for row in own),
    )  # fmt: skip
