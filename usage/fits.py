"""Whether a value of JSON fits the type of a reader's column, and what of it the reader takes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .reader import Reader

NUMBERS = {"bigint": 2**63 - 1, "hugeint": 2**126, "integer": 2**31 - 1}
WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,38})")


def column_kinds(reader: Reader) -> dict[str, Any]:
    """The types of a reader's columns, by the name that the file has for them."""
    import duckdb

    return {reader.key(name): duckdb.dtype(kind) for name, kind in reader.columns.items()}


def misfit_of_record(record: Mapping[str, Any], kinds: Mapping[str, Any]) -> str | None:
    """Why a record does not fit the columns, by the first value that does not."""
    return next((why for key, kind in kinds.items() if (why := misfit(record.get(key), kind, key))), None)


def misfit(value: Any, kind: Any, path: str) -> str | None:
    """Where a value does not fit the column's type: a list is expected, or a whole number."""
    if value is None:
        return None
    if kind.id == "struct":
        if not isinstance(value, dict):
            return None
        parts = ((child, of) for child, of in kind.children if child in value)
        return next((why for child, of in parts if (why := misfit(value[child], of, f"{path}.{child}"))), None)
    if kind.id == "list":
        if not isinstance(value, list):
            return f"{path} is not a list"
        of = kind.children[0][1]
        return next((why for item in value if (why := misfit(item, of, path))), None)
    return None if kind.id not in NUMBERS or _is_number(value, NUMBERS[kind.id]) else f"{path} is not a whole number"


def pruned(value: Any, kind: Any) -> Any:
    """What a reader takes of a value: a text where an object is expected is another kind of entry, so nothing."""
    if kind.id == "struct":
        if not isinstance(value, dict):
            return None
        return {child: pruned(value[child], of) for child, of in kind.children if child in value}
    if kind.id == "list" and isinstance(value, list):
        return [pruned(item, kind.children[0][1]) for item in value]
    return value


def _is_number(value: Any, largest: int) -> bool:
    """A number that fits; a fraction is rounded by DuckDB, on the fast way too."""
    if isinstance(value, str):  # int() takes more than a database does: 0012, 1_000, digits of other scripts
        return bool(WHOLE.fullmatch(value)) and abs(int(value)) <= largest
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= largest
