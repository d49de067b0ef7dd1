"""From a format's own columns to those of `usage_event`: a reader's SQL, completed and judged, into `found`."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

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


TOO_MANY = f"costsim {secrets.token_hex(8)}"  # no log can know it, and look as if it had too many
BOUNDED = f"""CASE WHEN reason IS NULL THEN NULL WHEN nextval('refused_entry') > $most THEN error('{TOO_MANY}')
    ELSE reason END"""
"""Counts on while rows come, so that no millions of refused entries are held before anything can be said of them."""
EVERY = 2**62
NEW_COUNT = "CREATE OR REPLACE TEMP SEQUENCE refused_entry"

_YIELDED: dict[str, dict[str, str]] = {}


class TooManyRefusedError(Exception):
    """More entries are refused than may be; nothing of them was appended."""


class Projector:
    """What a reader's SQL makes of records, into the table `found`."""

    def __init__(self, store: DuckDBPyConnection, reader: Reader) -> None:
        self.store, self.reader = store, reader
        self._nothing: tuple[str | None] | None = None  # of one file as of another

    def append(self, record: str, parameters: dict[str, object], most: int = EVERY) -> None:
        """Append to `found` what comes of `record`, SQL for a relation of the reader's columns.

        Raises TooManyRefusedError where over `most` of it is refused.
        """
        self.store.execute(NEW_COUNT)
        sql, bound = _projected(self.store, self.reader, record, parameters, BOUNDED)
        try:
            self.store.execute(f"INSERT INTO found BY NAME {sql}", {**bound, "most": most})
        except duckdb.Error as error:
            if TOO_MANY in str(error):
                raise TooManyRefusedError from None
            raise

    def of_something(self, file_id: int, most: int) -> str:
        """SQL for whether a record has any of the reader's columns, or is one of `most` without that are refused."""
        something = f"NOT ({' AND '.join(f'{identifier(name)} IS NULL' for name in self.reader.columns)})"
        if self.reason_of_nothing(file_id) is None:
            return something
        return f"({something} OR CASE WHEN nextval('refused_entry') > {most} THEN error('{TOO_MANY}') ELSE TRUE END)"

    def line_after(self, record: str, parameters: dict[str, object], most: int) -> int | None:
        """The line of the entry that is refused after so many others; None where there are not as many, or no lines."""
        sql, bound = _projected(self.store, self.reader, record, parameters)
        found = self.store.execute(
            f"SELECT line FROM ({sql}) WHERE reason IS NOT NULL ORDER BY line LIMIT 1 OFFSET {most}",  # noqa: S608 (ours)
            bound,
        ).fetchone()
        return found[0] if found else None

    def reason_of_nothing(self, file_id: int) -> str | None:
        """Why a record of a file without any of the reader's columns is refused; None where it is passed over."""
        if self._nothing is not None:
            return self._nothing[0]
        columns = ", ".join(f"NULL::{kind} AS {identifier(name)}" for name, kind in self.reader.columns.items())
        record = f"SELECT {file_id}::BIGINT AS file_id, 1::BIGINT AS line, ''::VARCHAR AS path, {columns}"
        sql, bound = _projected(self.store, self.reader, record, {})
        found = self.store.execute(f"SELECT reason FROM ({sql})", bound).fetchone()  # noqa: S608 (ours)
        self._nothing = found or (None,)
        return self._nothing[0]


def _projected(
    store: DuckDBPyConnection, reader: Reader, record: str, parameters: dict[str, object], reason: str = "reason"
) -> tuple[str, dict[str, object]]:
    """SQL for what the reader's SQL makes of `record`, as `found` has it, and its parameters.

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
    sql = f"""
        WITH counted AS (SELECT file_id, line, {own_role} AS own_role, {counted} FROM ({entry})),
        judged AS (SELECT * EXCLUDE (recorded_text, fault) REPLACE ({", ".join([*wide, FAST])}), {REASON} AS reason
            FROM counted)
        SELECT * EXCLUDE (own_role) REPLACE (CASE WHEN reason IS NULL AND event_id IS NULL
                THEN concat($reader, ':', md5({content}), ':1') ELSE event_id END AS event_id, {reason} AS reason),
            event_id IS NULL AS unnamed, $reader AS source,
            CASE WHEN own_role = 'bill' THEN 'bill' ELSE $role END AS role,
            CASE WHEN reason IS NULL
                THEN {BUT_TEXT_OUTPUT} ELSE 0 END AS tokens
        FROM judged
        """  # noqa: S608 (as above)
    return sql, {**bound, "reader": reader.name, "role": reader.role}


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
