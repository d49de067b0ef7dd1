"""What spend says of its sources: bills that are not added, sums only a bill has, calls in two sources, overlap.

Amounts are USD at the prices of their day, exact; of a bill's sum without tokens, what it states. Days are UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ...money import format_cents, strip
from ...months import span_words
from ...usage.store import scalar
from .names import BILLER, KNOWN_AS, name_models
from .same_calls import SUMS_OF

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duckdb import DuckDBPyConnection

    from .ledger import Ledger

CENT = Decimal("0.01")
ANY = """
SELECT (SELECT count(*) FROM covered_daily) + (SELECT count(*) FROM overlap)
    + (SELECT count(*) FROM usage_daily WHERE role = 'bill')
"""
NOT_COUNTED = """
SELECT source, role, covered_by, sum(CASE WHEN role = 'bill' AND recorded_calls = calls THEN recorded_usd ELSE usd END),
    coalesce(sum(calls), 0)::BIGINT, min(shown_day), max(shown_day),
    list_sort(list(DISTINCT coalesce(priced_provider || '/' || priced_model, model, ''))),
    sum(unpriced_tokens)::BIGINT
FROM priced
GROUP BY ALL ORDER BY 4 DESC, 1
"""
CELLS = """
SELECT source, shown_day AS day, coalesce(priced_provider || '/' || priced_model, model, '') AS name,
    sum(recorded_usd) AS recorded_usd
FROM priced WHERE role = 'calls' AND recorded_usd IS NOT NULL
"""
SUMMED = f"""
CREATE OR REPLACE TEMP TABLE summed AS {CELLS} AND source IN (SELECT unnest($sums::VARCHAR[])) GROUP BY ALL
"""
BEYOND_ROWS = f"""
WITH own AS ({CELLS} GROUP BY ALL)
SELECT summed.source, sum(summed.recorded_usd - own.recorded_usd)
FROM summed JOIN own ON (own.day, own.name) = (summed.day, summed.name) AND own.source = $calls
WHERE summed.recorded_usd - own.recorded_usd > greatest(0.000001, 0.001 * own.recorded_usd)
GROUP BY summed.source
"""  # noqa: S608 (ours; sums of a proxy are doubles, so a difference has to be more than their noise)
COVERED_CELLS = f"""
CREATE OR REPLACE TEMP TABLE covered_cell AS
WITH ends AS (
    SELECT source, ts::DATE AS day, max(period_end - INTERVAL 1 MICROSECOND)::DATE AS last_day
    FROM usage_event WHERE role = 'bill' AND covered_by IS NOT NULL GROUP BY ALL
)
SELECT DISTINCT priced.source, priced.day, greatest(priced.day, coalesce(last_day, priced.day)) AS last_day,
    {BILLER.format("priced")} AS provider, known.model, known.called
FROM priced LEFT JOIN ends USING (source, day)
{KNOWN_AS.format("priced")}
WHERE role = 'bill'
"""  # noqa: S608 (constants only)
COUNTED_THERE = f"""
WITH counted AS (
    SELECT priced.source, day, {BILLER.format("priced")} AS provider, known.model, known.called, sum(usd) AS usd
    FROM priced {KNOWN_AS.format("priced")}
    GROUP BY ALL
)
SELECT bill.source, sum(counted.usd)
FROM (SELECT DISTINCT source FROM covered_cell) AS bill JOIN counted ON counted.source <> bill.source
WHERE EXISTS (
    FROM covered_cell AS cell WHERE cell.source = bill.source
        AND counted.day BETWEEN cell.day AND cell.last_day
        AND CASE WHEN cell.provider IS NULL OR counted.provider IS NULL
            THEN cell.called = counted.called AND counted.called <> ''
            ELSE cell.provider = counted.provider
                AND (cell.model IS NULL OR counted.model IS NULL OR cell.model = counted.model) END
)
GROUP BY bill.source
"""  # noqa: S608 (constants only)
ONLY_BILLED = """
SELECT source, sum(usd), min(shown_day), max(shown_day),
    list_sort(list(DISTINCT coalesce(priced_provider || '/' || priced_model, model, '')))
FROM priced WHERE role = 'bill' GROUP BY source ORDER BY 2 DESC, 1
"""
ANY_CALLS = "SELECT count(*) FROM usage_daily WHERE role = 'calls'"
OVERLAPPING = f"""
WITH sums AS (
    SELECT day, source, coalesce(known.provider, '') AS provider,
        coalesce(known.called, '') AS model, sum(usd) AS usd
    FROM priced {KNOWN_AS.format("priced")}
    WHERE role = 'calls' GROUP BY ALL
)
SELECT overlap.source, overlap.other, sum(one.usd), sum(two.usd), min(overlap.day), max(overlap.day),
    list_sort(list(DISTINCT concat_ws('/', nullif(overlap.provider, ''), nullif(overlap.model, ''))))
FROM overlap
JOIN sums AS one ON (one.day, one.provider, one.model, one.source)
    = (overlap.day, overlap.provider, overlap.model, overlap.source)
JOIN sums AS two ON (two.day, two.provider, two.model, two.source)
    = (overlap.day, overlap.provider, overlap.model, overlap.other)
GROUP BY ALL ORDER BY least(sum(one.usd), sum(two.usd)) DESC, 1, 2
"""  # noqa: S608 (constants only)
STATED = """
SELECT coalesce(sum(recorded_usd) FILTER (recorded_usd > 0), 0),
    coalesce(sum(recorded_usd) FILTER (recorded_usd < 0), 0)
FROM chosen WHERE as_billed
"""
NAMED = 3


@dataclass(frozen=True)
class Overlap:
    """Two sources with calls of the same days and models, which nothing distinguishes: both are counted."""

    source: str
    other: str
    usd: Decimal
    other_usd: Decimal
    first: date
    last: date
    models: tuple[str, ...]

    @property
    def message(self) -> str:
        """The line for people, with the option that chooses."""
        return f"{self.statement}. {self.choice}"

    @property
    def choice(self) -> str:
        """The option that chooses."""
        calls = f"costsim load --role {self.other}=calls"
        return f"If they are the same: costsim load --role {self.other}=bill; if not: {calls}"

    @property
    def statement(self) -> str:
        """What overlaps, with both amounts."""
        return (
            f"{self.source} ({format_cents(self.usd)}) and {self.other} ({format_cents(self.other_usd)}) both have "
            f"calls of {_named(self.models)} on {span_words(self.first, self.last)}, and nothing says whether they are "
            f"the same calls: both are counted"
        )


@dataclass(frozen=True)
class NotCounted:
    """What `source` has and `covered_by` counts: single calls (`role` calls), or the bill of its calls.

    `beyond_usd` is what a source of sums records more than the calls that cover it: some of these were not loaded.
    `counted_usd` is, of a bill, what is counted of its provider, days and models, whichever sources have it, and
    `further_usd` how much more the whole bill states; stated once where several sources cover it.
    """

    source: str
    role: str
    covered_by: str
    usd: Decimal
    calls: int
    first: date
    last: date
    models: tuple[str, ...]
    unpriced_tokens: int = 0
    beyond_usd: Decimal | None = None
    counted_usd: Decimal | None = None
    further_usd: Decimal = Decimal(0)

    @property
    def _amount(self) -> str:
        """`$60.29`, or `1,200 tokens without a price`, or both."""
        lacks = f"{self.unpriced_tokens:,} tokens without a price"
        if not self.unpriced_tokens:
            return format_cents(self.usd)
        return f"{format_cents(self.usd)} and {lacks}" if self.usd else lacks

    @property
    def message(self) -> str:
        """The line for people."""
        when = span_words(self.first, self.last)
        if self.role == "bill":
            return (
                f"{self.source} ({self._amount}, {when}) is the bill of what {self.covered_by} has: it is "
                f"not added{self._further}; costsim reconcile compares them"
            )
        calls = f"{self.calls:,} call{'s' * (self.calls != 1)}"
        whose = f"{self.source} ({self._amount}, {when})"
        if self.source == self.covered_by:
            return f"{whose} sums up calls of its own that are in other files: not counted beside them"
        return f"{calls} of {whose} are calls of {self.covered_by} too: counted once{self._beyond()}"

    def _beyond(self) -> str:
        if not self.beyond_usd:
            return ""
        return (
            f"; it records {format_cents(self.beyond_usd)} more than them: some calls are not in what was loaded of "
            f"{self.covered_by}, and not counted. Load all of it, or {self.source} alone"
        )

    @property
    def _further(self) -> str:
        """How much more or less a bill states than is counted of the same days and models."""
        if abs(self.further_usd) < CENT:
            return ""
        than = f"than the {format_cents(self.counted_usd)} that are counted for it"
        return f", and states {format_cents(abs(self.further_usd))} {'more' if self.further_usd > 0 else 'less'} {than}"


@dataclass(frozen=True)
class OnlyBilled:
    """What only a bill has: no calls cover these days or models, so it is counted."""

    source: str
    usd: Decimal
    first: date
    last: date
    models: tuple[str, ...]

    @property
    def message(self) -> str:
        """The line for people."""
        return (
            f"{format_cents(self.usd)} of {self.source} ({span_words(self.first, self.last)}, {_named(self.models)}) "
            "is only on the bill, no calls cover it: counted"
        )


@dataclass(frozen=True)
class Sources:
    """All that is to be said of the sources of a spend."""

    overlaps: tuple[Overlap, ...] = ()
    not_counted: tuple[NotCounted, ...] = ()
    only_billed: tuple[OnlyBilled, ...] = ()

    @property
    def messages(self) -> tuple[str, ...]:
        """The lines on what is not added, and on what only a bill has."""
        parts: tuple[NotCounted | OnlyBilled, ...] = (*self.not_counted, *self.only_billed)
        return tuple(part.message for part in parts)

    def as_data(self) -> dict[str, list[dict[str, Any]]]:
        """For JSON: money as decimal strings, days as ISO texts."""
        return {
            field.name: [{**_plain(part), "message": part.message} for part in getattr(self, field.name)]
            for field in fields(self)
        }


def sources_of(ledger: Ledger, since: date | None, until: date | None) -> Sources:
    """What is to be said of the days from `since` to `until` (UTC). Costs next to nothing for one source."""
    connection = ledger.connection
    if not scalar(connection, ANY):
        return Sources()
    ledger.choose(since, until, relation="covered_daily")
    ledger.price_rows()
    not_counted = [_made(NotCounted, row) for row in connection.execute(NOT_COUNTED).fetchall()]
    sums = [one.source for one in not_counted if one.source in SUMS_OF]
    if sums:
        connection.execute(SUMMED, {"sums": sums})
    bills = any(part.role == "bill" for part in not_counted)
    if bills:
        name_models(connection, "covered_daily")
        connection.execute(COVERED_CELLS)
    ledger.choose(since, until)
    ledger.price_rows()
    found = connection.execute(BEYOND_ROWS, {"calls": SUMS_OF[sums[0]]}).fetchall() if sums else []
    beyond = {source: strip(usd) for source, usd in found}
    not_counted = [replace(one, beyond_usd=beyond.get(one.source)) for one in not_counted]
    if bills:
        not_counted = _with_counted(connection, not_counted)
    billed = connection.execute(ONLY_BILLED).fetchall() if scalar(connection, ANY_CALLS) else []
    name_models(connection, "usage_daily")
    overlaps = tuple(_made(Overlap, row) for row in connection.execute(OVERLAPPING).fetchall())
    in_range = [one for one in overlaps if (not since or one.last >= since) and (not until or one.first <= until)]
    return Sources(tuple(in_range), tuple(not_counted), tuple(_made(OnlyBilled, row) for row in billed))


def _with_counted(connection: DuckDBPyConnection, parts: Sequence[NotCounted]) -> list[NotCounted]:
    """Bills with what is counted of their days and models, and how much more they state, if all of it has a price."""
    name_models(connection, "usage_daily")
    counted = dict(connection.execute(COUNTED_THERE).fetchall())
    bills = [part for part in parts if part.role == "bill"]
    first = {part.source: part for part in reversed(bills)}

    def with_it(part: NotCounted) -> NotCounted:
        usd = counted.get(part.source)
        own = [one for one in bills if one.source == part.source]
        if first.get(part.source) is not part or usd is None or any(one.unpriced_tokens for one in own):
            return part
        further = sum((one.usd for one in own), Decimal(0)) - usd
        return replace(part, counted_usd=strip(usd), further_usd=strip(further))

    return [with_it(part) for part in parts]


def stated_by_bills(ledger: Ledger, since: date | None, until: date | None) -> str | None:
    """What bills state without tokens that have a price, and no calls cover, in words; None where there is nothing.

    `spend` and the review count it as stated; a replay, which is computed from tokens, cannot, and names it instead.
    """
    ledger.choose(since, until)
    charged, credited = ledger.connection.execute(STATED).fetchone() or (Decimal(0), Decimal(0))
    parts = [f"{format_cents(usd)} of {what}" for usd, what in ((charged, "charges"), (credited, "credits")) if usd]
    if not parts:
        return None
    return f"{' and '.join(parts)} that only a bill states, without priced tokens"


def _made(kind: type[Any], row: Sequence[Any]) -> Any:
    return kind(
        *(strip(cell) if isinstance(cell, Decimal) else tuple(cell) if isinstance(cell, list) else cell for cell in row)
    )


def _plain(part: Any) -> dict[str, Any]:
    found = {field.name: getattr(part, field.name) for field in fields(part)}
    return {
        name: f"{value:f}" if isinstance(value, Decimal) else value.isoformat() if isinstance(value, date) else value
        for name, value in found.items()
    }


def _named(models: Sequence[str]) -> str:
    known = [name for name in models if name] or ["no model"]
    more = f" and {len(known) - NAMED} more" if len(known) > NAMED else ""
    return ", ".join(known[:NAMED]) + more
