"""What a batch of files says, from `found` into the store: of the statements, those that have something to do.

DuckDB takes longer to plan a statement of many columns than to run it on the entries of a small file. So what there
is nothing to do for is not asked: entries that are none or have no id, calls that a file no longer contains, calls
that the batch repeats or the store has already.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..tokens import TOKEN_CLASSES, of
from .found import COLUMNS, NOT_KEPT
from .reader import DIMENSIONS, STATED_BY_OTHERS, identifier
from .store import LET_READ_AGAIN, scalar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from duckdb import DuckDBPyConnection

    from .reader import Reader

MERIT, REFUSED, COVERED, NUMBERED, GONE, REPLACED, WITHDRAWN, INCOMING, REPEATED, KEPT, SUPERSEDED = (
    Path(__file__).with_name(f"{name}.sql").read_text("utf-8")
    for name in (
        "merit",
        "refused",
        "covered",
        "numbered",
        "gone",
        "replaced",
        "withdrawn",
        "incoming",
        "repeated",
        "kept",
        "superseded",
    )
)
BESIDE_OUTPUT = tuple(name for name in TOKEN_CLASSES if name != "output")
MERIT = MERIT.replace("[classes]", ", ".join(f"entry.{name}" for name in BESIDE_OUTPUT)).replace(
    "[told]", ", ".join(f"entry.{identifier(name)}" for name in DIMENSIONS)
)
KEPT = KEPT.replace("[not_kept]", ", ".join(NOT_KEPT))
REFUSED = REFUSED.replace("[covered]", STATED_BY_OTHERS)
REPEATED = REPEATED.replace("[tokens]", of("before", BESIDE_OUTPUT))
OWN = ("component", "agent", "task")  # which rules may have changed since
STATED = [name for name in COLUMNS if name not in (*NOT_KEPT, "file_id")]
RESTATED = f"""
    before.file_id IN (SELECT file_id FROM read_again) AND NOT EXISTS (FROM past_call WHERE event_id = before.event_id)
    AND EXISTS (FROM found AS own WHERE own.file_id = before.file_id AND own.event_id = before.event_id)
    AND ({", ".join(f"before.{identifier('logged_' * (name in OWN) + name)}" for name in STATED)})
        IS DISTINCT FROM ({", ".join(f"found.{identifier(name)}" for name in STATED)})
    AND (NOT before.aggregated OR before.role = 'bill' OR [by_day]
        OR (SELECT stands FROM read_again WHERE read_again.file_id = before.file_id)
        OR (found.output >= before.output AND found.tokens >= {of("before", BESIDE_OUTPUT)}
            AND coalesce(found.recorded_usd, 0) >= coalesce(before.recorded_usd, 0)))
"""  # noqa: S608 (ours)
"""A session's sum that is less has lost what was deleted: that was spent. A gateway's sum of a day was corrected."""
TAKE_AWAY = """
INSERT OR IGNORE INTO touched_day SELECT DISTINCT ts::DATE FROM {calls};
DELETE FROM usage_event WHERE rowid IN (SELECT place FROM {calls});
"""
ELSEWHERE = f"""
{LET_READ_AGAIN}
WHERE reader IN ({{sources}}) AND file_id NOT IN (SELECT file_id FROM read_again)
    AND entries > (SELECT count(*) FROM usage_event WHERE usage_event.file_id = load.file_id)
"""  # noqa: S608 (ours)
"""Other files may have calls that a file states no more, or as less: those with entries that stand under other files
are to be read again."""
LOWERED = """
    SELECT source FROM before JOIN known USING (place) JOIN incoming ON incoming.event_id = known.event_id
    WHERE restated AND (incoming.merit, known.claim_now) < (known.merit, known.claim)
"""
ALIKE = """
CREATE OR REPLACE TEMP TABLE alike AS
SELECT file_id, event_id, row_number() OVER () AS kind FROM found WHERE unnamed AND event_id IS NOT NULL
GROUP BY file_id, event_id HAVING count(*) > 1
"""
TOLD_BY_METRICS = ("otel", "claude-code")  # sources of calls that Claude Code's metrics sum
METRICS = "SELECT count(*) FROM usage_event WHERE source = 'otel' AND aggregated"
SPANS = f"""
CREATE OR REPLACE TEMP TABLE spanned AS
SELECT event_id, min(coalesce(span, event_id)) AS own, max(above) AS above, bool_or(is_sum) AS is_sum FROM found
WHERE (coalesce(span, above) IS NOT NULL OR is_sum) AND event_id IS NOT NULL
    AND (reason IS NULL OR reason = '{STATED_BY_OTHERS}')
GROUP BY event_id;

DELETE FROM span WHERE event_id IN (SELECT event_id FROM spanned);

INSERT INTO span FROM spanned;
"""  # noqa: S608 (ours)
"""Of a call too that others of its file state: what stands beneath it elsewhere stands beneath these."""
FACTS = """
SELECT count(*), count(*) FILTER (reason IS NOT NULL), count(*) FILTER (unnamed), count(*) FILTER (aggregated),
    count(*) FILTER (coalesce(span, above) IS NOT NULL OR is_sum)
FROM found
"""
SUMS = """
SELECT count(*), coalesce(sum(request), 0)::BIGINT FROM found JOIN incoming ON found.rowid = incoming.place
WHERE aggregated
"""
UPDATED = "SELECT count(*) FROM better WHERE updated"
ONE_A_LINE = "SELECT count(*) = count(DISTINCT hash(file_id, line)) FROM found_row"
WHOLE = "line, hash(*COLUMNS(entry.* EXCLUDE (file_id)))"
"""An order of entries that does not hang on the threads that read them: their lines, else all that they hold."""
DISTINCT = "SELECT count(DISTINCT hash(event_id)) FROM found"
EACH = """
CREATE OR REPLACE TEMP TABLE incoming AS SELECT rowid AS place FROM found
"""
AGAIN = """
CREATE OR REPLACE TEMP TABLE again AS
SELECT usage_event.rowid AS place FROM usage_event SEMI JOIN {entries} USING (event_id)
"""
IS_AGAIN = "SELECT count(*) FROM again"
READ_AGAIN = """
CREATE OR REPLACE TEMP TABLE read_again AS
SELECT * FROM (SELECT unnest(?::BIGINT[]) AS file_id, unnest(?::BOOLEAN[]) AS stands) WHERE stands IS NOT NULL
"""
ALL_NEW = """
CREATE OR REPLACE TEMP TABLE better AS
SELECT event_id, place, TRUE AS added, NULL::BIGINT AS place_before, NULL::TIMESTAMP AS ts_before FROM incoming
"""
SOME = "SEMI JOIN better ON found.rowid = better.place"
BEFORE = "UNION SELECT DISTINCT ts_before::DATE FROM better WHERE NOT added"


@dataclass(frozen=True)
class Merged:
    """What a batch came to: its usable entries, the calls they are, and how many calls were withdrawn or `updated`.

    Of the calls, `sums` are sums that their source made, of `summed` calls as far as it states how many.

    `refused` says that an entry became a reject, `repeated` that the store had one of the calls already, `all_new` that
    each entry is a call that the store did not have: then there is no `better`.
    """

    entries: int
    calls: int
    withdrawn: int
    updated: int
    refused: bool
    repeated: bool
    all_new: bool
    sums: int
    summed: int


@dataclass(frozen=True)
class EntryFacts:
    """Entries of `found`: how many are usable, whether some were `refused`, some are sums, and some have a span that
    entries of other files may stand above or beneath.

    `distinct` says that each is a call of its own; of entries of which some are refused this is not known yet.
    """

    entries: int
    refused: bool
    distinct: bool
    aggregated: bool
    spans: bool


def merge(store: DuckDBPyConnection, reader: Reader, again: Mapping[int, bool | None], facts: EntryFacts) -> Merged:
    """Put the entries of `found`, all of one reader, into the store.

    `again` says of each file whether all that it held before still stands; None for one that was not there.
    """
    entries, distinct = facts.entries, facts.distinct
    if facts.spans:
        store.execute(SPANS)
    if facts.refused:
        store.execute(REFUSED)
        distinct = _distinct(store, entries)
    any_again = any(stands is not None for stands in again.values())
    if any_again:
        store.execute(READ_AGAIN, [list(again), list(again.values())])
        _replace(store, reader.replaced, facts.refused)
    withdrawn = _withdraw(store) if any_again else 0
    repeated = _incoming(store, distinct)
    of_calls = facts.aggregated and reader.role != "bill"  # of a bill's rows nothing is said of calls
    sums, summed = (store.execute(SUMS).fetchone() if of_calls else None) or (0, 0)
    all_new = distinct and not repeated
    if not all_new:
        store.execute(_better(any_again, reader) if repeated else ALL_NEW)
    if repeated and any_again:
        store.execute(ELSEWHERE.format(sources=LOWERED))
    store.execute(KEPT.replace("[better]", "" if all_new else SOME).replace("[before]", BEFORE if repeated else ""))
    if reader.name in TOLD_BY_METRICS and scalar(store, METRICS):
        store.execute(SUPERSEDED)
    calls = entries if distinct else scalar(store, "SELECT count(*) FROM incoming")
    updated = scalar(store, UPDATED) if repeated else 0
    return Merged(entries, calls, withdrawn, updated, facts.refused, repeated, all_new, sums, summed)


def _better(any_again: bool, reader: Reader) -> str:
    """SQL for which entries count; tags are read only where a file is read again, and may state others."""
    restated, but_tags = (RESTATED, "") if any_again else ("FALSE", "EXCLUDE (tags)")
    restated = restated.replace("[by_day]", "TRUE" if reader.origin == "gateway's sums" else "FALSE")
    return REPEATED.replace("[restated]", restated).replace("[but_tags]", but_tags)


def _incoming(store: DuckDBPyConnection, distinct: bool) -> bool:
    """Fill `incoming`, of entries that are `distinct` or not: whether the store has one of the calls already."""
    if distinct:
        store.execute(EACH)
        store.execute(AGAIN.format(entries="found"))
        if not scalar(store, IS_AGAIN):
            return False
    store.execute(MERIT)
    store.execute(INCOMING)
    store.execute(AGAIN.format(entries="incoming"))
    return scalar(store, IS_AGAIN) > 0


def entry_facts(store: DuckDBPyConnection) -> EntryFacts:
    """Look at the entries of `found`, and number those without an id of their own that are alike.

    Before the transaction that `merge` is in: what is dropped within one stays in memory until its end.
    """
    entries, refused, unnamed, aggregated, spans = store.execute(FACTS).fetchone() or (0,) * 5
    if refused:
        if unnamed:
            _number(store)  # one that is refused has its number too: so it is the same one in every load
        return EntryFacts(entries - refused, True, False, aggregated > 0, spans > 0)
    distinct = _distinct(store, entries)
    if unnamed and not distinct and _number(store):
        distinct = _distinct(store, entries)
    return EntryFacts(entries, False, distinct, aggregated > 0, spans > 0)


def _distinct(store: DuckDBPyConnection, entries: int) -> bool:
    """Whether no two of so many entries are the same call; in one column, it is quicker than to rank them.

    Ids of one hash may still differ: then they are ranked, and none is taken for another."""
    return scalar(store, DISTINCT) == entries


def _number(store: DuckDBPyConnection) -> int:
    """Distinguish entries without an id of their own that are alike; how many contents had several."""
    store.execute(ALIKE)
    alike = scalar(store, "SELECT count(*) FROM alike")
    if alike:
        by_line = scalar(store, ONE_A_LINE)
        store.execute(NUMBERED.replace("[order]", "line" if by_line else WHOLE))
    return alike


def _replace(store: DuckDBPyConnection, conditions: Sequence[str], refused: bool) -> None:
    """Take away the calls that files state in another way than before."""
    if refused:
        store.execute(COVERED)
        store.execute(TAKE_AWAY.format(calls="replaced"))
    if conditions:
        store.execute(GONE)
    for condition in conditions if conditions and scalar(store, "SELECT count(*) FROM gone") else ():
        store.execute(REPLACED.replace("[condition]", condition))
        store.execute(TAKE_AWAY.format(calls="replaced"))


def _withdraw(store: DuckDBPyConnection) -> int:
    """Take away the calls that files state no more; how many."""
    store.execute(WITHDRAWN)
    store.execute(TAKE_AWAY.format(calls="withdrawn"))
    store.execute(ELSEWHERE.format(sources="SELECT source FROM withdrawn"))
    return scalar(store, "SELECT count(*) FROM withdrawn")
