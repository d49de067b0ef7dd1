"""Names of columns as SQL takes them: letters of either case are the same."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import UsageLogError


def column_named(name: str, there: Iterable[str], place: str) -> str | None:
    """The column that a name means, as the table spells it; None where there is none.

    Raises UsageLogError, naming `place`, where several columns have that name.
    """
    found = sorted(column for column in there if column.lower() == name.lower())
    if len(found) > 1:
        raise UsageLogError(
            f"the columns {' and '.join(map(repr, found))} differ in their case only; make a view or a file that has "
            "one of them",
            file=place,
        )
    return found[0] if found else None
