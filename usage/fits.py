"""Whether a value of JSON fits the type of a reader's column, and what of it the reader takes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .fast_json import TEXT, TooMuchError, parsed, with_every_key

if TYPE_CHECKING:
    from .reader import Reader

LONG = 2**63 - 1
NUMBERS = {"bigint": LONG, "hugeint": 2**126, "integer": 2**31 - 1}
LAST_COMMA = re.compile(rf"({TEXT})|,(?=\s*[}}\]])", re.DOTALL)  # within a text a comma is none before an end
WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,38})")


def column_kinds(reader: Reader) -> dict[str, Any]:
    """The types of a reader's columns, by the name that the file has for them."""
    import duckdb

    return {reader.key(name): duckdb.dtype(kind) for name, kind in reader.columns.items()}


def read_kinds(reader: Reader) -> dict[str, Any]:
    """The types of a reader's columns, and of what is read of its records before they are columns."""
    import duckdb

    return {**column_kinds(reader), **{key: duckdb.dtype(kind) for key, kind in reader.read_as.items()}}


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


def all_whole(value: Any, kind: Any) -> bool:
    """Whether each whole number that a type has in a value is written as one of 64 bits.

    DuckDB would take `true` for 1 and `" 12 "` for 12. What this does not take may still be a number (1.0): the line is
    then looked at by itself.
    """
    if value is None:
        return True
    if isinstance(kind, dict):
        return isinstance(value, dict) and all(all_whole(value.get(key), of) for key, of in kind.items())
    if kind.id == "struct":
        return not isinstance(value, dict) or all(all_whole(value.get(child), of) for child, of in kind.children)
    if kind.id == "list":
        return not isinstance(value, list) or all(all_whole(item, kind.children[0][1]) for item in value)
    return kind.id not in NUMBERS or is_plain_whole(value)


def is_plain_whole(value: Any) -> bool:
    """Whether a value is a whole number of 64 bits, or a text of nothing else."""
    if isinstance(value, str):
        return bool(WHOLE.fullmatch(value)) and abs(int(value)) <= LONG
    return type(value) is int and abs(value) <= LONG


def has_numbers(kind: Any) -> bool:
    """Whether a whole number is part of a column's type, or of one of these columns."""
    if isinstance(kind, dict):
        return any(map(has_numbers, kind.values()))
    of = getattr(kind, "id", "")
    if of in ("struct", "list"):
        return any(has_numbers(child) for _, child in kind.children)
    return of in NUMBERS


def loaded(text: str) -> Any:
    """A value of JSON, with a comma before an end too, as DuckDB has it. Raises ValueError, RecursionError."""
    try:
        return parsed(text)
    except TooMuchError:
        raise
    except ValueError:
        return parsed(LAST_COMMA.sub(r"\1", text))


def as_columns_take(text: str, entry: Any, kinds: Mapping[str, Any]) -> Any:
    """The same record, where an object in a column of JSON or text has all its keys: of two with one name, SQL finds
    the first in it.

    DuckDB reads the bytes themselves, so what is written for it has to be the same."""
    if not any(_holds_keys(entry.get(key), kind) for key, kind in kinds.items()):
        return entry
    try:
        return with_every_key(text)
    except ValueError:
        return with_every_key(LAST_COMMA.sub(r"\1", text))


def _holds_keys(value: Any, kind: Any) -> bool:
    """Whether a column, or a part of it, takes an object of a value, or a list, as it is written."""
    if kind.id == "struct":
        return isinstance(value, dict) and any(_holds_keys(value.get(child), of) for child, of in kind.children)
    if kind.id == "list":
        return isinstance(value, list) and any(_holds_keys(item, kind.children[0][1]) for item in value)
    return isinstance(value, dict | list) and kind.id not in NUMBERS


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
    """A whole number that fits, `10.0` too; DuckDB would round a fraction."""
    if isinstance(value, str):  # int() takes more than a database does: 0012, 1_000, digits of other scripts
        return bool(WHOLE.fullmatch(value)) and abs(int(value)) <= largest
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return abs(value) <= largest and value == int(value)
