"""Signs that a source states less than was used, or contradicts itself: found in each load, kept in `sign`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from ..plurals import counted
from ..tokens import OUTPUT_CLASSES, PROMPT_CLASSES, TOKEN_SUM, of
from .store import scalar

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FIND = (
    Path(__file__)
    .with_name("signs.sql")
    .read_text("utf-8")
    .replace("[prompt]", of("found", PROMPT_CLASSES))
    .replace("[output]", of("found", OUTPUT_CLASSES))
)
ABOVE, BELOW = "total above its parts", "total below its parts"
UNFINISHED, TOO_SMALL = "no stop reason", "output too small"
UNKNOWN_LEVEL = "processing "  # and the level
COST_ONLY = "a cost without tokens"
NO_USAGE = "no usage"
MEDIA_BEYOND = "media beyond their figure"
CONTRADICTIONS = (ABOVE, BELOW, MEDIA_BEYOND)

FOUND = """
SELECT sign.source, kind, count(*), sum(calls)::BIGINT, sum(compared)::BIGINT, sum(amount)::DECIMAL(38, 0),
    arg_max(load.path, calls)
FROM sign JOIN load USING (file_id) WHERE $ids IS NULL OR file_id IN (SELECT unnest($ids))
GROUP BY ALL ORDER BY abs(sum(amount)) DESC, 1, 2
"""

# What may be a sign of some kind, SQL over an entry, and the SQL that finds it in `call`. Most logs have none, and each
# takes long to plan.
KINDS = {
    f"stated_total <> {TOKEN_SUM}": """
        SELECT file_id, source, 'total above its parts', count(*) FILTER (beyond > 0), count(beyond),
            sum(beyond) FILTER (beyond > 0)
        FROM call GROUP BY ALL
        UNION ALL
        SELECT file_id, source, 'total below its parts', count(*) FILTER (beyond < 0), count(beyond),
            sum(beyond) FILTER (beyond < 0)
        FROM call GROUP BY ALL""",
    "media_beyond > 0": """
        SELECT file_id, source, 'media beyond their figure', count(*) FILTER (media_beyond > 0), count(media_beyond),
            sum(media_beyond)
        FROM call GROUP BY ALL""",
    "unfinished": """
        SELECT file_id, source, 'no stop reason', count(*) FILTER (unfinished), count(unfinished), 0
        FROM call GROUP BY ALL""",
    "role = 'calls' AND recorded_usd > 0 AND tokens + output = request": """
        SELECT file_id, source, 'a cost without tokens', count(*) FILTER (cost_only), count(*), 0
        FROM call GROUP BY ALL""",
    "tokens + output = request AND request > 0 AND status = 'ok' AND NOT aggregated": """
        SELECT file_id, source, 'no usage', count(*) FILTER (without_usage AND other IS NULL), count(*), 0
        FROM call LEFT JOIN (  -- an answer's first entries may lack the usage that its last one states
            SELECT DISTINCT response_id, TRUE AS other FROM found
            WHERE response_id IS NOT NULL AND tokens + output > request
        ) AS answered USING (response_id)
        GROUP BY ALL""",
    """CASE WHEN processing <> 'standard'
        THEN split_part(processing, '/', 1) NOT IN ('standard', 'batch', 'flex', 'priority', 'fast') END""": """
        SELECT file_id, source, 'processing ' || level, count(*), count(*), 0
        FROM call WHERE level NOT IN ('standard', 'batch', 'flex', 'priority', 'fast') GROUP BY ALL""",
    "output BETWEEN 1 AND 10 AND cache_read > 0": """
        SELECT file_id, source, 'output too small',
            count(*) FILTER (output BETWEEN 1 AND 10 AND growth > output + 64 AND gap < INTERVAL 1 MINUTE),
            count(growth), 0
        FROM (
            SELECT file_id, source, output, lead(context) OVER next - context AS growth, lead(ts) OVER next - ts AS gap
            FROM call SEMI JOIN (
                SELECT file_id FROM call GROUP BY file_id
                HAVING count(*) FILTER (cached AND output BETWEEN 1 AND 10) * 50 > count(*)
            ) AS short USING (file_id)
            WHERE cached WINDOW next AS (PARTITION BY file_id, session, agent ORDER BY ts)
        )
        GROUP BY ALL""",
}
MAY_BE = f"SELECT {', '.join(f'count(*) FILTER ({may_be})' for may_be in KINDS)} FROM found"  # noqa: S608 (ours)
ANY = "SELECT count(*) FROM sign"
ELSEWHERE = """
ANTI JOIN (
    SELECT event_id, before.file_id AS elsewhere FROM before ANTI JOIN better USING (event_id)
) AS kept ON kept.event_id = incoming.event_id AND kept.elsewhere <> found.file_id
"""  # calls whose better entry another file has already


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
        of = f"{self.calls:,} of {counted(self.compared, 'call')}"
        have, state, it = ("has", "states", "it") if self.calls == 1 else ("have", "state", "they")
        level = self.kind.removeprefix(UNKNOWN_LEVEL)
        sentences = {
            ABOVE: f"{of} {state} a total of {self.amount:,} more tokens than their parts: these are in no cost",
            BELOW: f"{of} {state} a total of {-self.amount:,} fewer tokens than their parts: the parts count, "
            "some may be counted twice (cached tokens within the input, reasoning within the output)",
            MEDIA_BEYOND: f"{of} {state} {self.amount:,} more tokens of audio or images than the figure that they are "
            "part of has: these are in no class",
            COST_ONLY: f"{of} {have} a recorded cost and no tokens: it is in no computed cost",
            NO_USAGE: f"{of} {state} no usage at all: what {it} used is in no total",
            UNFINISHED: f"{of} {have} no stop reason: their output may be a first count",
            TOO_SMALL: f"{of} {have} an output of 10 tokens or fewer, too few for how the context grows after them",
            UNKNOWN_LEVEL + level: f"{counted(self.calls, 'call was', 'calls were')} processed as `{level}`, "
            "which no price list knows: at standard prices",
        }
        return sentences[self.kind]


def find_signs(store: DuckDBPyConnection, repeated: bool) -> None:
    """Keep the signs of a batch that was merged (see signs.sql); `repeated`: the store had some of its calls before."""
    counts = store.execute(MAY_BE).fetchone() or ()
    kinds = [sql for sql, count in zip(KINDS.values(), counts, strict=True) if count]
    if kinds:
        kept = ELSEWHERE if repeated else ""
        store.execute(FIND.replace("[kept]", kept).replace("[kinds]", "\nUNION ALL".join(kinds)))


def signs(store: DuckDBPyConnection, files: Sequence[int] | None = None) -> list[Sign]:
    """The signs of all files, or of these; the largest amount first."""
    if not scalar(store, ANY):
        return []
    rows = store.execute(FOUND, {"ids": None if files is None else list(files)}).fetchall()
    return [Sign(*row) for row in rows]


def named(found: Sequence[Sign]) -> list[Sign]:
    """Those that a load and every total name: contradictions, calls without usage, costs that cannot be computed."""
    return [*contradictions(found), *(sign for sign in found if sign.kind in (NO_USAGE, COST_ONLY))]


def contradictions(found: Sequence[Sign]) -> list[Sign]:
    """Those that say that stated totals differ from their parts, or that a price is not known."""
    return [sign for sign in found if sign.kind in CONTRADICTIONS or sign.kind.startswith(UNKNOWN_LEVEL)]
