"""From a format's own columns to those of `usage_event`: a reader's SQL, completed and judged, into `found`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..tokens import BUT_TEXT_OUTPUT, COLUMNS, TOKEN_CLASSES
from .media import BEYOND, DIVIDED, PARTS, divided
from .reader import DEFAULTS, DIMENSIONS, Reader, identifier
from .tags import with_known_tags

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duckdb import DuckDBPyConnection

FOUND = Path(__file__).with_name("found.sql").read_text("utf-8")
REASON = f"""
CASE
    WHEN fault IS NOT NULL THEN fault
    WHEN ts IS NULL THEN 'no time, or none that can be read'
    WHEN ts < TIMESTAMP '2000-01-01' OR ts >= TIMESTAMP '2200-01-01' THEN 'a time outside 2000 to 2199'
    WHEN least({COLUMNS}) < 0
        THEN 'a negative count'
    WHEN greatest({COLUMNS}) > 1000000000000
        THEN 'a count over 10^12'
    WHEN recorded_text IS NOT NULL AND recorded_usd IS NULL THEN 'a recorded cost that is no amount'
    WHEN recorded_usd < 0 AND $role <> 'bill' AND own_role IS DISTINCT FROM 'bill'
        THEN 'a negative recorded cost'  -- a bill has credits
    WHEN abs(recorded_usd) > 100000000 THEN 'a recorded cost over 10^8 USD'
END
"""
FAST = """CASE WHEN processing = 'standard' AND suffix(model, '-fast')
            AND regexp_matches(model, '^(openai/)?(claude|gpt)-.*-fast$') THEN 'fast'
        ELSE processing END AS processing"""
"""A model's name may say that it answered fast, which has a price of its own."""

CONTENT = (
    "ts",
    "model",
    "provider",
    "session",
    "component",
    "agent",
    "task",
    "processing",
    "status",
    *TOKEN_CLASSES,
    "recorded_usd",
    *DIMENSIONS,
    "tags",
)
"""What is the id of an entry without one of its own, with how often its file has repeated it before (`merge`)."""

NUMBERS = tuple(map(identifier, ("ts", *TOKEN_CLASSES, "recorded_usd")))

KINDS = {
    "ts": "TIMESTAMP",
    "period_end": "TIMESTAMP",
    "aggregated": "BOOLEAN",
    "context_tier": "BIGINT",
    "unfinished": "BOOLEAN",
}  # the rest are texts


_YIELDED: dict[str, dict[str, str]] = {}


def project(store: DuckDBPyConnection, reader: Reader, record: str, parameters: dict[str, object]) -> None:
    """Append to `found` what the reader's SQL makes of `record`, SQL for a relation of its columns.

    Counts that may not be BIGINT are judged as HUGEINT, so that none overflows unseen; all are kept as BIGINT.
    """
    bound = {**reader.parameters, **parameters}
    kept = "NOT MATERIALIZED " * record.startswith("FROM ")  # a table is there already, and need not be copied
    entry = f"WITH record AS {kept}({record}) SELECT * FROM ({reader.sql})"  # noqa: S608 (ours; user's constants are bound)
    given = _yields(store, reader, entry, bound)
    if not given.keys().isdisjoint(PARTS):
        entry = divided(entry, given)
        given = given | dict.fromkeys((*DIVIDED, "input", "cache_read", "output", BEYOND), "HUGEINT")
    content = _content([name for name in CONTENT if name in given])
    if "tags" in given and not reader.own_tags and not given.keys() & {*DIMENSIONS}:
        entry, given = with_known_tags(entry), given | dict.fromkeys(DIMENSIONS, "VARCHAR")
    narrow = [name for name in TOKEN_CLASSES if given.get(name, "BIGINT") == "BIGINT"]
    counted = ", ".join(_column(name, name if name in given else DEFAULTS[name], name in narrow) for name in DEFAULTS)
    wide = [f"coalesce(TRY_CAST({name} AS BIGINT), 0) AS {name}" for name in TOKEN_CLASSES if name not in narrow]
    own_role = "role" if "role" in given else "NULL"  # of sums of a bill among sums of calls
    store.execute(
        f"""
        INSERT INTO found BY NAME
        WITH counted AS (SELECT file_id, line, {own_role} AS own_role, {counted} FROM ({entry})),
        judged AS (SELECT * EXCLUDE (recorded_text, fault) REPLACE ({", ".join([*wide, FAST])}), {REASON} AS reason
            FROM counted)
        SELECT * EXCLUDE (own_role) REPLACE (CASE WHEN reason IS NULL AND event_id IS NULL
                THEN concat($reader, ':', md5({content}), ':1') ELSE event_id END AS event_id),
            event_id IS NULL AS unnamed, $reader AS source,
            CASE WHEN own_role = 'bill' THEN 'bill' ELSE $role END AS role,
            CASE WHEN reason IS NULL
                THEN {BUT_TEXT_OUTPUT} ELSE 0 END AS tokens
        FROM judged
        """,  # noqa: S608 (as above)
        {**bound, "reader": reader.name, "role": reader.role},
    )


def _content(names: Sequence[str]) -> str:
    """SQL for a text that says what an entry holds: no two contents have the same. A length is before each text."""
    parts = [f"{name}, '|'" if name in NUMBERS else f"strlen({name}), ':', {name}" for name in map(identifier, names)]
    return f"concat({', '.join(parts)})"


def _yields(store: DuckDBPyConnection, reader: Reader, entry: str, bound: dict[str, object]) -> dict[str, str]:
    """The columns of a reader's SQL and their types, found out once."""
    if reader.sql not in _YIELDED:
        described = store.execute(f"SELECT column_name, column_type FROM (DESCRIBE {entry})", bound or None)  # noqa: S608
        _YIELDED[reader.sql] = dict(described.fetchall())
    return _YIELDED[reader.sql]


def _column(name: str, value: str, narrow: bool) -> str:
    if narrow:
        return f"coalesce({value}, 0)::BIGINT AS {name}"
    if name in TOKEN_CLASSES:
        return f"coalesce(TRY_CAST({value} AS HUGEINT), 0) AS {name}"
    if name == "recorded_usd":  # the second cast reads 5e-06
        return f"""
            coalesce(TRY_CAST({value} AS DECIMAL(38, 18)), TRY_CAST(TRY_CAST({value} AS DOUBLE) AS DECIMAL(38, 18)))
                AS recorded_usd,
            ({value})::VARCHAR AS recorded_text"""
    if name in ("stated_total", BEYOND):
        return f"TRY_CAST({value} AS HUGEINT) AS {name}"
    if DEFAULTS[name] not in ("NULL", value):
        value = f"coalesce({value}, {DEFAULTS[name]})"
    return f"({value})::{KINDS.get(name, 'VARCHAR')} AS {name}"
