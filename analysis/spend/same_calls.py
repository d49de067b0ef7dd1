"""The same call in several sources counts once: which entries of the store count, and which bills are not added.

Calls that carry the same id of the provider (of its response, or of the request) within a day are one call, whichever
sources have it; so are calls of one session with the same tokens within an hour, where their ids do not differ. The
best source counts: an agent's own log, then telemetry, the provider's log, a gateway, a tracer; but not one that has
the same prompt and less of the output than another, for it was written before the answer had ended.

An entry that sums up others beneath it, such as an agent's span, is not counted beside them (beneath.sql).

A source's own sums by day (`SUMS_OF`) are not counted where the calls of that day and model are, sums of a run
(`RUNS_OF`) not where calls of its session are; of sums of a session (`SESSIONS_OF`) and its calls, those count that
have more of its output.

A sum of a bill is not counted where calls of its provider, days and model are (of any model, where the bill names
none that is known; of the same account, where both state one of AWS); a second bill of the same provider, days and
model is not counted either. What is not counted keeps its row in `usage_event`, and `covered_by` names the source that
counts.

Two sources with calls of one provider, day and model that nothing distinguishes are both counted, and the cell is kept
in the table `overlap`: two agents' own logs are never the same calls, and calls whose ids are of one kind are compared.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from ...tokens import INPUT_SUM, OUTPUT_SUM, PROMPT_SUM, READ_SUM, TOKEN_SUM
from ...usage.reader import MAPPED, Origin
from ...usage.store import in_memory, is_read_only, scalar
from .names import BILLER, KNOWN_AS, name_models

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from duckdb import DuckDBPyConnection

SUMS_OF = {
    "litellm-daily": "litellm",
    "litellm-activity": "litellm",
    "langfuse-days": "langfuse",
    "openrouter-days": "openrouter",
}
"""Sources that are another's calls, summed by day and model."""

RUNS_OF = {
    "claude-print": ("claude-code", "otel", "amp"),
    "codex-exec": ("codex", "otel"),
    "gemini-print": ("gemini-cli", "otel"),
    "qwen-print": ("qwen-code", "otel"),
    "opencode-run": ("opencode",),
}
"""Sources that are others' calls, summed by run: the session names it."""

SESSIONS_OF = {"copilot": "otel"}
"""Sources that have another's calls in sums of sessions, any of which may be missing in either."""


def _statements(file: str) -> str:
    """SQL of a file beside this one, its [sums] of tokens filled in."""
    sql = Path(__file__).with_name(file).read_text("utf-8")
    sums = {"prompt": PROMPT_SUM, "output": OUTPUT_SUM, "input": INPUT_SUM, "read": READ_SUM, "tokens": TOKEN_SUM}
    for name, sum_ in sums.items():
        sql = sql.replace(f"[{name}]", sum_)
    return sql


SAME_CALLS = _statements("same_calls.sql")  # what a source does not state by medium is compared too
BILLS = _statements("bills.sql")
BENEATH = _statements("beneath.sql")
REPEATS = """
CREATE OR REPLACE TEMP TABLE repeated AS
SELECT place, arg_min(other_source, standing) AS covered_by FROM same_call GROUP BY place
"""
SUMMED = f"""
INSERT INTO repeated
WITH named AS (
    SELECT usage_event.rowid AS place, source, ts::DATE AS day, coalesce(known.provider, '') AS provider,
        coalesce(known.called, '') AS model
    FROM usage_event {KNOWN_AS.format("usage_event")}
    WHERE role = 'calls' AND ts::DATE IN (SELECT day FROM near_day)
        AND source IN ($sums, $calls)
)
SELECT place, $calls FROM named SEMI JOIN (SELECT day, provider, model FROM named WHERE source = $calls)
    USING (day, provider, model)
WHERE source = $sums AND $sums NOT IN (SELECT source FROM source_role WHERE role = 'calls')
"""  # noqa: S608 (constants only)
OF_SESSION = """
INSERT INTO repeated
SELECT rowid, $calls FROM usage_event
WHERE source = $sums AND ts::DATE IN (SELECT day FROM near_day)
    AND session IN (SELECT session FROM usage_event WHERE source = $calls)
    AND rowid NOT IN (SELECT place FROM repeated)
    AND $sums NOT IN (SELECT source FROM source_role WHERE role = 'calls')
"""
OF_SESSIONS = """
INSERT INTO repeated
WITH used AS (
    SELECT session, sum(output) FILTER (source = $sums) <= sum(output) FILTER (source = $calls) AS called
    FROM usage_event WHERE source IN ($sums, $calls) AND session IS NOT NULL
    GROUP BY session
    HAVING bool_and(aggregated = (source = $sums)) AND NOT bool_or(rowid IN (SELECT place FROM repeated))
)
SELECT rowid, CASE WHEN called THEN $calls ELSE $sums END FROM usage_event JOIN used USING (session)
WHERE source = CASE WHEN called THEN $sums ELSE $calls END AND ts::DATE IN (SELECT day FROM near_day)
    AND $sums NOT IN (SELECT source FROM source_role WHERE role = 'calls')
"""
DAYS_OF_RUNS = "INSERT OR IGNORE INTO touched_day SELECT DISTINCT ts::DATE FROM usage_event WHERE source = $1"
NESTED = ("braintrust", "datadog", "langsmith", "weave")
"""Sources in which whatever stands above a call is its sum, of whatever kind it is."""
ANY_BENEATH = "SELECT count(*) FROM span WHERE above IS NOT NULL"
REPEAT_MARKS = """
CREATE OR REPLACE TEMP TABLE mark AS
SELECT usage_event.rowid AS place, ts::DATE AS day, repeated.covered_by
FROM usage_event LEFT JOIN repeated ON repeated.place = usage_event.rowid
WHERE role = 'calls' AND ts::DATE IN (SELECT day FROM near_day)
    AND usage_event.covered_by IS DISTINCT FROM repeated.covered_by
"""
AT_ONCE = 2_000_000
"""Calls that are compared at once: memory is that of their days and two on either side, however many there are."""
TOUCHED_CALLS = """
WITH called AS (
    SELECT ts::DATE AS day, count(*) AS calls FROM usage_event
    WHERE role = 'calls' AND ts >= (SELECT min(day) FROM touched_day) AND ts < (SELECT max(day) + 1 FROM touched_day)
    GROUP BY ALL
)
SELECT day, coalesce(calls, 0) FROM touched_day LEFT JOIN called USING (day) ORDER BY day
"""
SOME_DAYS = """
CREATE OR REPLACE TEMP TABLE settle_day AS SELECT day FROM touched_day WHERE day BETWEEN $first AND $last
"""
SOURCES = "SELECT DISTINCT source, role FROM usage_event"
MARKED = "SELECT count(*) FROM usage_event WHERE covered_by IS NOT NULL"
FIRST_AND_LAST = "SELECT count(*) FROM touched_day"
STANDINGS = "CREATE OR REPLACE TEMP TABLE standing AS SELECT unnest($1) AS source, unnest($2) AS rank"
APPLY = (
    "UPDATE usage_event SET covered_by = mark.covered_by FROM mark WHERE usage_event.rowid = mark.place",
    "INSERT OR IGNORE INTO touched_day SELECT DISTINCT day FROM mark",
)
BILL_ORDER = (
    "SELECT source FROM bill_part GROUP BY source ORDER BY NOT bool_or(has_tokens AND model IS NOT NULL), source"
)
COVER = """
UPDATE bill_part SET covered = TRUE, covered_by = found.source
FROM (
    SELECT place, min(cell.source) AS source
    FROM bill_part AS part JOIN counted_cell AS cell
        ON cell.provider = part.provider AND (part.model IS NULL OR cell.model IS NULL OR cell.model = part.model
            OR cell.usage_of_bill AND NOT part.has_tokens)
        AND cell.first_day <= part.last_day AND cell.last_day >= part.first_day
        AND (part.account IS NULL OR cell.account IS NULL OR part.account = cell.account)
    WHERE part.source = $1 GROUP BY place
) AS found WHERE found.place = bill_part.place
"""
COVER_BY_NAME = """
UPDATE bill_part SET covered = TRUE, covered_by = found.source
FROM (
    SELECT place, min(cell.source) AS source
    FROM (FROM bill_part WHERE source = $1 AND NOT covered AND called <> '') AS part
        JOIN counted_cell AS cell ON cell.called = part.called AND (cell.provider IS NULL OR part.provider IS NULL)
        AND cell.first_day <= part.last_day AND cell.last_day >= part.first_day
    GROUP BY place
) AS found WHERE found.place = bill_part.place
"""
"""Where one side does not say who serves a model that no price list knows: its name is all there is to go by."""
COUNT = """
INSERT INTO counted_cell SELECT DISTINCT source, first_day, last_day, provider, model, called, has_tokens, account
FROM bill_part WHERE source = $1 AND NOT covered
"""
BILL_MARKS = """
CREATE OR REPLACE TEMP TABLE mark AS
SELECT place, first_day AS day, covered_by FROM bill_part WHERE covered_by IS DISTINCT FROM covered_before
"""
UNMARK_CALLS = """
CREATE OR REPLACE TEMP TABLE mark AS SELECT rowid AS place, ts::DATE AS day, NULL::VARCHAR AS covered_by
FROM usage_event WHERE role = 'calls' AND covered_by IS NOT NULL
"""
OVERLAPS = f"""
DELETE FROM overlap WHERE day IN (SELECT day FROM touched_day);

INSERT INTO overlap
WITH call AS (
    SELECT ts::DATE AS day, coalesce(known.provider, '') AS provider,
        coalesce(known.called, '') AS model, source,
        usage_event.covered_by, response_id, request_id, session
    FROM usage_event {KNOWN_AS.format("usage_event")}
    WHERE role = 'calls' AND ts::DATE IN (SELECT day FROM touched_day)
        AND source NOT IN (SELECT source FROM source_role WHERE role = 'calls')
),
contested AS (  -- cells of which two sources count calls
    SELECT day, provider, model FROM call WHERE covered_by IS NULL
    GROUP BY ALL HAVING min(source) < max(source)
),
counted AS (
    SELECT *, kind(own_id(response_id)) AS response, kind(own_id(request_id)) AS request
    FROM call SEMI JOIN contested USING (day, provider, model) WHERE covered_by IS NULL
),
cell AS (
    SELECT day, provider, model, source, coalesce(standing.rank, 0) AS rank,
        CASE WHEN count(response) = count(*) AND min(response) = max(response) THEN min(response) END AS response,
        CASE WHEN count(request) = count(*) AND min(request) = max(request) THEN min(request) END AS request,
        count(session) = count(*) AS in_sessions
    FROM counted LEFT JOIN standing USING (source) GROUP BY ALL
),
matched AS (
    SELECT DISTINCT day, provider, model, source, covered_by
    FROM call SEMI JOIN contested USING (day, provider, model) WHERE covered_by IS NOT NULL
)
SELECT day, provider, model, one.source, other.source
FROM cell AS one JOIN cell AS other USING (day, provider, model)
WHERE (one.rank, one.source) < (other.rank, other.source) AND other.rank > 0
    AND NOT coalesce(one.response = other.response, FALSE) AND NOT coalesce(one.request = other.request, FALSE)
    AND NOT (one.in_sessions AND other.in_sessions AND EXISTS (
        SELECT 1 FROM matched WHERE (matched.day, matched.provider, matched.model) = (one.day, one.provider, one.model)
            AND (matched.source, matched.covered_by) = (other.source, one.source)));
"""  # noqa: S608 (constants only)


def settle(connection: DuckDBPyConnection) -> None:
    """Mark what does not count among the entries of the touched days, and touch the days whose marks change.

    What counts is the same in whatever order and parts files were loaded. A store with one source and no bill costs
    next to nothing. In a store that is open read-only (a load was killed before it came to this), the marks are made in
    memory.
    """
    if not scalar(connection, FIRST_AND_LAST):
        return
    sources = connection.execute(SOURCES).fetchall()
    callers = sorted(name for name, role in sources if role == "calls")
    bills = len(callers) < len(sources)
    several = len(callers) > 1 or callers == ["otel"] or scalar(connection, ANY_BENEATH) > 0
    if not bills and not several and not scalar(connection, MARKED):
        return
    if is_read_only(connection):
        in_memory(connection, ["usage_event"])
    connection.execute("BEGIN")
    name_models(connection, "usage_event")
    if several:
        for runs, _ in _runs_beside(callers):
            connection.execute(DAYS_OF_RUNS, [runs])  # their calls may be of other days
        for one in (one for pair in _sessions_beside(callers) for one in pair):
            connection.execute(DAYS_OF_RUNS, [one])
        for first, last in _parts(connection):
            _mark_repeats(connection, first, last, callers)
    else:
        _apply(connection, UNMARK_CALLS)
    if bills:
        _cover_bills(connection)
    connection.execute("DELETE FROM overlap WHERE day IN (SELECT day FROM touched_day)")
    if several:
        connection.execute(OVERLAPS)
    connection.execute("COMMIT")


def _parts(connection: DuckDBPyConnection) -> list[tuple[date, date]]:
    """The touched days, from and to, in parts of so many calls as are compared at once; a day is never split."""
    parts: list[tuple[date, date, int]] = []
    for day, calls in connection.execute(TOUCHED_CALLS).fetchall():
        first, _, before = parts[-1] if parts else (day, day, 0)
        if not parts or before + calls > AT_ONCE:
            parts.append((day, day, calls))
        else:
            parts[-1] = (first, day, before + calls)
    return [(first, last) for first, last, _ in parts]


def _mark_repeats(connection: DuckDBPyConnection, first: date, last: date, callers: Sequence[str]) -> None:
    find_same_calls(connection, SOME_DAYS, {"first": first, "last": last})
    connection.execute(REPEATS)
    for sums, calls in SUMS_OF.items():
        if {sums, calls} <= set(callers):
            connection.execute(SUMMED, {"sums": sums, "calls": calls})
    for runs, calls in _runs_beside(callers):
        connection.execute(OF_SESSION, {"sums": runs, "calls": calls})
    for sums, calls in _sessions_beside(callers):
        connection.execute(OF_SESSIONS, {"sums": sums, "calls": calls})
    if scalar(connection, ANY_BENEATH):
        connection.execute(BENEATH, {"nested": NESTED})
    _apply(connection, REPEAT_MARKS)


def _runs_beside(callers: Sequence[str]) -> list[tuple[str, str]]:
    """The sources of runs, each with a source of their calls, of those that a store has."""
    return [(runs, one) for runs, calls in RUNS_OF.items() for one in calls if {runs, one} <= set(callers)]


def _sessions_beside(callers: Sequence[str]) -> list[tuple[str, str]]:
    """The sources of sessions, each with the source of their calls, of those that a store has."""
    return [(sums, calls) for sums, calls in SESSIONS_OF.items() if {sums, calls} <= set(callers)]


def standing(source: str) -> int:
    """Which source counts of those that have a call, the best first, by who writes its logs; 0 where nobody knows."""
    return _standings().get(source, 0)


@cache
def _standings() -> dict[str, int]:
    from ...usage.readers import READERS  # all formats: only where calls are compared

    origins = {reader.name: reader.origin for reader in READERS} | {MAPPED: "own table"}
    return {name: get_args(Origin).index(origin) for name, origin in origins.items()}


def find_same_calls(connection: DuckDBPyConnection, days: str, values: Mapping[str, object] | None = None) -> None:
    """Fill `same_call` (place, source, other_place, other_source): calls and the better source of each, by rowid.

    `days` is SQL of ours that fills the temporary table `settle_day` with the days in question.
    """
    connection.execute(days, dict(values or {}))
    connection.execute(STANDINGS, [list(_standings()), list(_standings().values())])
    connection.execute(SAME_CALLS)


def _cover_bills(connection: DuckDBPyConnection) -> None:
    connection.execute(BILLS.replace("[biller]", BILLER.format("usage_event")))
    for (source,) in connection.execute(BILL_ORDER).fetchall():
        connection.execute(COVER, [source])
        connection.execute(COVER_BY_NAME, [source])
        connection.execute(COUNT, [source])
    _apply(connection, BILL_MARKS)


def _apply(connection: DuckDBPyConnection, marks: str) -> None:
    connection.execute(marks)
    for statement in APPLY:
        connection.execute(statement)
