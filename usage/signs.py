"""Signs that a source states less than was used, or contradicts itself: found in each load, kept in `sign`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from ..plurals import counted
from .store import scalar

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FIND = Path(__file__).with_name("signs.sql").read_text("utf-8")
# Whether a batch has an entry that may be a sign of some kind: of most logs none has, and `FIND` takes long to plan.
MAY_BE = """
SELECT count(*) FROM found
WHERE stated_total IS NOT NULL OR unfinished OR output BETWEEN 1 AND 10 AND cache_read > 0
    OR recorded_usd > 0 AND tokens + output = request OR processing <> 'standard'
"""
ABOVE, BELOW = "total above its parts", "total below its parts"
UNFINISHED, TOO_SMALL = "no stop reason", "output too small"
UNKNOWN_LEVEL = "processing "  # and the level
COST_ONLY = "a cost without tokens"
CONTRADICTIONS = (ABOVE, BELOW)

FOUND = """
SELECT sign.source, kind, count(*), sum(calls)::BIGINT, sum(compared)::BIGINT, sum(amount)::DECIMAL(38, 0),
    arg_max(load.path, calls)
FROM sign JOIN load USING (file_id) WHERE $ids IS NULL OR file_id IN (SELECT unnest($ids))
GROUP BY ALL ORDER BY abs(sum(amount)) DESC, 1, 2
"""


@dataclass(frozen=True)
class Sign:
    """One kind of sign over the files of a source: `calls` have it, of `compared` that could; `amount` is in tokens.

    `path` is the file with the most of them.
    """

    source: str
    kind: str
    files: int
    calls: int
    compared: int
    amount: Decimal
    path: str

    @property
    def message(self) -> str:
        """The sign in words."""
        if self.kind.startswith(UNKNOWN_LEVEL):
            level = self.kind.removeprefix(UNKNOWN_LEVEL)
            were = counted(self.calls, "call was", "calls were")
            return f"{were} processed as `{level}`, which no price list knows: at standard prices"
        of = f"{self.calls:,} of {counted(self.compared, 'call')}"
        have, state = ("has", "states") if self.calls == 1 else ("have", "state")
        if self.kind == COST_ONLY:
            return f"{of} {have} a recorded cost and no tokens: it is in no computed cost"
        match self.kind:
            case "total above its parts":
                return f"{of} {state} a total of {self.amount:,} more tokens than their parts: these are in no cost"
            case "total below its parts":
                return (
                    f"{of} {state} a total of {-self.amount:,} fewer tokens than their parts: the parts count, "
                    "some may be counted twice (cached tokens within the input, reasoning within the output)"
                )
            case "no stop reason":
                return f"{of} {have} no stop reason: their output may be a first count"
            case _:
                return f"{of} {have} an output of 10 tokens or fewer, too few for how the context grows after them"


def find_signs(store: DuckDBPyConnection) -> None:
    """Keep the signs of a batch that was merged: see signs.sql."""
    if scalar(store, MAY_BE):
        store.execute(FIND)


def signs(store: DuckDBPyConnection, files: Sequence[int] | None = None) -> list[Sign]:
    """The signs of all files, or of these; the largest amount first."""
    rows = store.execute(FOUND, {"ids": None if files is None else list(files)}).fetchall()
    return [Sign(*row) for row in rows]


def named(found: Sequence[Sign]) -> list[Sign]:
    """Those that a load and every total name: contradictions, and costs that cannot be computed."""
    return [*contradictions(found), *(sign for sign in found if sign.kind == COST_ONLY)]


def contradictions(found: Sequence[Sign]) -> list[Sign]:
    """Those that say that stated totals differ from their parts, or that a price is not known."""
    return [sign for sign in found if sign.kind in CONTRADICTIONS or sign.kind.startswith(UNKNOWN_LEVEL)]
