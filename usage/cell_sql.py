"""SQL for a cell of a table as a reader's type."""

from __future__ import annotations

from .fits import NUMBERS
from .reader import identifier

# No whole number: a fraction, and 4.000, which is four thousand where a comma is the decimal point.
FRACTION = r"\.[0-9]*[1-9]|^[+-]?[0-9]{1,3}(\.000)+$"
EXACT = 2**53  # below it, a DOUBLE is the whole number that was written


def why_misfit(name: str, kind: str) -> str:
    """Why a cell of a column is none of its type."""
    return f"{name} is not a whole number" if kind.lower() in NUMBERS else f"{name} does not fit its type"


def as_kind(cell: str, kind: str, own: str = "VARCHAR") -> str:
    """A cell as a column's type, NULL where it is none; a fraction is no whole number, which a cast would make it.

    `own` is the cell's type in the table.
    """
    cast = f"TRY_CAST({cell} AS {kind})"
    if kind.lower() not in NUMBERS:
        return cast
    if own == "DOUBLE":
        return _whole_double(cell, kind)
    fraction = f"contains({cell}, '.') AND regexp_matches({cell}, '{FRACTION}')"  # alone it takes ten times as long
    return f"""CASE WHEN contains({cell}, 'e') OR contains({cell}, 'E')
            THEN {_whole_double(f"TRY_CAST({cell} AS DOUBLE)", kind)}
        WHEN NOT ({fraction}) THEN {cast} END"""


def _whole_double(number: str, kind: str) -> str:
    """A DOUBLE as a whole number: as a quick reading of a CSV has it, so that one with an exponent is read alike."""
    return f"CASE WHEN {number} = trunc({number}) AND abs({number}) < {EXACT} THEN TRY_CAST({number} AS {kind}) END"


def checked_cell(cell: str, kind: str, own: str) -> str:
    """SQL for a cell as a type; it fails where the cell is no such value."""
    if kind == "VARCHAR":
        return cell
    if kind.lower() not in NUMBERS:
        return f"{cell}::{kind}"
    return f"coalesce({as_kind(cell, kind, own)}, CASE WHEN {cell} IS NOT NULL THEN error('no {kind}') END)"


def plain_cell(name: str, kind: str, wanted: str) -> str:
    """A cell as text, but for a DOUBLE where a whole number is wanted: an empty one of a CSV is no value, a nested one
    of Parquet is JSON. To look for spaces at its ends takes a fraction of what it takes to trim it."""
    cell = identifier(name)
    if kind == "DOUBLE" and wanted.lower() in NUMBERS:
        return cell
    if kind.endswith("]"):
        return f"to_json({cell})::VARCHAR"
    if kind.startswith(("STRUCT", "MAP")):  # what a row has no value for is no key of its object
        return f"json_merge_patch('{{}}'::JSON, to_json({cell}))::VARCHAR"
    trimmed = f"nullif(trim({cell}::VARCHAR), '')"
    if kind != "VARCHAR" or wanted not in ("VARCHAR", "JSON"):
        return trimmed
    plain = f"{cell} >= '!' AND NOT suffix({cell}, ' ') AND strlen({cell}) = length({cell})"  # no space, and not empty
    return f"CASE WHEN {plain} THEN {cell} ELSE {trimmed} END"
