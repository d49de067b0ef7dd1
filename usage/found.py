"""Entries of a batch as their reader projects them: `found`, a view of a table of what its reader states.

Most readers yield a third of the columns. Those of one value throughout take as long to write as others, so they stand
in the view alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..tokens import TOKEN_CLASSES
from .reader import DEFAULTS, Reader, identifier, text

if TYPE_CHECKING:
    from collections.abc import Collection

    from duckdb import DuckDBPyConnection

KINDS = {
    **dict.fromkeys(("file_id", "line", "context_tier", "tokens", *TOKEN_CLASSES), "BIGINT"),
    **dict.fromkeys(("ts", "period_end"), "TIMESTAMP"),
    **dict.fromkeys(("aggregated", "unfinished", "numbered", "unnamed", "is_sum"), "BOOLEAN"),
    **dict.fromkeys(("stated_total", "media_beyond"), "HUGEINT"),
    "recorded_usd": "DECIMAL(38, 18)",
}
"""The types of its columns; the rest are texts."""

JUDGED = ("tokens", "reason", "unnamed")
"""What `project` says of an entry: its tokens (but for text answered), why it is none, whether it has no own id."""

COLUMNS = ("file_id", "line", *(name for name in DEFAULTS if name not in ("fault", "numbered")), "role", *JUDGED)
NOT_KEPT = ("line", "stated_total", "media_beyond", "unfinished", "span", "above", "is_sum", *JUDGED)
"""What is looked at before an entry is kept."""

ALWAYS = ("file_id", "line", "event_id", "ts", *JUDGED)


def kept(given: Collection[str]) -> list[str]:
    """The columns of `found` that are written for each entry of a reader that yields those that are `given`."""
    named_by_model = {"processing"} if "model" in given else set()
    return [name for name in COLUMNS if name in ALWAYS or name in given or name in named_by_model]


def make_found(store: DuckDBPyConnection, reader: Reader, given: Collection[str]) -> None:
    """An empty `found` for the entries of a reader that yields these columns; they are written to `found_row`."""
    own = kept(given)
    columns = ", ".join(f"{identifier(name)} {kind_of(name)}" for name in own)
    constant = {**DEFAULTS, "role": text(reader.role), **reader.fixed}
    shown = ", ".join(
        identifier(name) if name in own else f"({constant[name]})::{kind_of(name)} AS {identifier(name)}"
        for name in COLUMNS
    )
    store.execute(f"CREATE OR REPLACE TEMP TABLE found_row ({columns})")
    store.execute(
        f"CREATE OR REPLACE TEMP VIEW found AS SELECT rowid, {text(reader.name)} AS source, {shown} FROM found_row"  # noqa: S608 (names are quoted)
    )


def kind_of(name: str) -> str:
    """The type of a column."""
    return KINDS.get(name, "VARCHAR")
