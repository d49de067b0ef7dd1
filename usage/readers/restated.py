"""Rows that have no id of their own and are stated anew: SQL for whether a file has a row in another's place by now.

A bill of a month that is not over, and a table of sums by day, are exported again under the same name: the row of a day
that was not over has larger figures then, and so another name. All else that it says is the same.
"""

from __future__ import annotations

from collections.abc import Sequence

WHAT = ("ts", "provider", "model", "processing", "session", "user", "team", "project", "repository", "branch", "tags")
_LOGGED = ("component", "agent", "task")


def same(one: str, other: str, names: Sequence[str] = WHAT) -> str:
    """SQL for whether two entries are of the same, whatever they count."""
    return " AND ".join(f'{one}."{name}" IS NOT DISTINCT FROM {other}."{name}"' for name in names)


ROW_OF_A_BILL = same("now", "before")
"""Whatever a bill says of a day last is what it says of it."""

ROW_OF_A_TABLE = f"""
{same("now", "before")} AND {" AND ".join(f"now.{name} IS NOT DISTINCT FROM before.logged_{name}" for name in _LOGGED)}
    AND NOT EXISTS (SELECT 1 FROM found AS other WHERE other.file_id = now.file_id AND other.event_id <> now.event_id
        AND {same("other", "now", (*WHAT, *_LOGGED))})
    AND (before.ts = date_trunc('day', before.ts) OR EXISTS (
        SELECT 1 FROM found AS kept JOIN usage_event AS known ON known.file_id = kept.file_id
            AND known.event_id = kept.event_id WHERE kept.file_id = before.file_id))
"""  # noqa: S608 (constants only)
"""Of a table, only where one row is of the same, for of calls of one day some may just be gone; and where it is of a
whole day, or the table still has another row that it had: else it began anew."""
