"""The SQL behind each part, for readers to run on the store: `duckdb costsim.duckdb`, after a review was made.

They read `spend_cell` and `spend_price` (cells.py), and the loaded logs' own tables. The month's days stand in them as
literals that are made here from dates, and nothing else does: names never enter a text.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from ...tokens import UNITS
from ..spend.priced import AS_BILLED
from .results import FigureQuery

if TYPE_CHECKING:
    from ..compare.bridge import Span

EXPRESSIONS = {
    "as_billed": AS_BILLED,
    "name": "coalesce(provider || '/' || model, model, '(no model)')",
    "calls": "coalesce(sum(units) FILTER (token_class = 'request'), 0)::BIGINT",
    "tokens": f"coalesce(sum(units) FILTER (token_class NOT IN ({UNITS})), 0)::BIGINT",
    # a call without a price per call costs nothing, which is no price
    "usd": f"sum(usd) FILTER (price_id IS NOT NULL OR token_class = '{AS_BILLED}')",
    "unpriced": "coalesce(sum(units) FILTER (usd IS NULL), 0)::BIGINT",
}

HEADLINE = """SELECT strftime(day, '%Y-%m') AS month, min(day) AS first, max(day) AS last, sum(usd) AS usd,
    {calls} AS calls,
    {tokens} AS tokens,
    {unpriced} AS unpriced_tokens,
    coalesce(sum(usd) FILTER (token_class = '{as_billed}'), 0) AS only_billed_usd
FROM spend_cell WHERE {both}
GROUP BY month ORDER BY month"""
BRIDGE = """SELECT strftime(day, '%Y-%m') AS month, component, agent, task, {name} AS model, processing, tier,
    token_class,
    sum(units)::BIGINT AS units, sum(usd) AS usd
FROM spend_cell WHERE {bridged}
GROUP BY ALL ORDER BY ALL"""
WHERE = """SELECT component, coalesce(agent, '') AS agent, {name} AS model,
    {calls} AS calls,
    {tokens} AS tokens,
    {usd} AS usd
FROM spend_cell WHERE {month}
GROUP BY ALL ORDER BY usd DESC NULLS LAST, component, agent, model"""
DAYS = """SELECT day, component, coalesce(agent, '') AS agent, {usd} AS usd
FROM spend_cell WHERE {both}
GROUP BY ALL ORDER BY ALL"""
CLASSES = """SELECT token_class, sum(units)::BIGINT AS units,
    {usd} AS usd,
    {unpriced} AS unpriced_units
FROM spend_cell WHERE {month} AND (units > 0 OR token_class = '{as_billed}')
GROUP BY ALL HAVING token_class <> 'request' OR usd > 0 ORDER BY usd DESC NULLS LAST, token_class"""
ROUTING = """SELECT component, coalesce(task, '') AS task, {name} AS model,
    {calls} AS calls,
    min(day) AS first, max(day) AS last, sum(usd) AS usd
FROM spend_cell WHERE {month}
GROUP BY ALL ORDER BY ALL"""
PERFORMANCE = """SELECT strftime(ts, '%Y-%m') AS month, task, model, count(*) AS runs,
    count(*) FILTER (success AND NOT escalated) AS successes, count(*) FILTER (success) AS solved,
    count(*) FILTER (escalated) AS escalated, sum(usd) AS usd
FROM outcome WHERE {moments}
GROUP BY ALL ORDER BY ALL"""
STATUSES = """SELECT strftime(day, '%Y-%m') AS month, coalesce(task, '') AS task, {name} AS model, status,
    {calls} AS calls
FROM spend_cell WHERE {both}
GROUP BY ALL ORDER BY ALL"""
PRICES = """SELECT price_id, price.provider || '/' || price.model AS model, price.token_class, price.processing,
    price.min_input_tokens, price.valid_from, price.valid_to, price.usd, price.per, price.source,
    sum(spend_cell.units)::BIGINT AS units, sum(spend_cell.usd) AS cost_usd
FROM spend_cell JOIN spend_price AS price USING (price_id) WHERE {month} AND units > 0
GROUP BY ALL ORDER BY cost_usd DESC, price_id"""
QUALITY = """WITH line AS (
    SELECT day, component, agent, task, provider, model, processing, status, tier,
        {calls} AS calls,
        {unpriced} AS unpriced,
        sum(usd) AS usd
    FROM spend_cell WHERE {month}
    GROUP BY ALL
)
SELECT component, {name} AS model, sum(calls)::BIGINT AS calls, sum(usd) AS usd,
    coalesce(sum(calls) FILTER (unpriced > 0), 0)::BIGINT AS unpriced_calls, sum(unpriced)::BIGINT AS unpriced_tokens
FROM line
GROUP BY ALL HAVING sum(unpriced) > 0 OR component = 'unattributed'
ORDER BY ALL"""
REJECTED = """SELECT load.path AS file, reject.reason, count(*) AS lines
FROM reject LEFT JOIN load USING (file_id)
GROUP BY ALL ORDER BY lines DESC, file, reason"""
RECORDED = """SELECT day, source, component, coalesce(task, '') AS task, model,
    sum(calls)::BIGINT AS entries, sum(recorded_calls)::BIGINT AS recorded_entries, sum(recorded_usd) AS recorded_usd
FROM usage_daily WHERE {month} AND recorded_usd IS NOT NULL
GROUP BY ALL ORDER BY ALL"""

TEXTS = (
    ("headline", "What we spent", HEADLINE, ""),
    ("bridge", "Why it changed", BRIDGE, "the two months' units, unit costs and shares, whose effects are averaged"),
    ("where", "Where it goes", WHERE, ""),
    ("days", "Day by day", DAYS, "each day is compared with its weekday's usual"),
    ("classes", "By token class", CLASSES, ""),
    ("routing", "What routing saved", ROUTING, "each sum is priced again, at its own moment, on the other model"),
    ("performance", "Model performance", PERFORMANCE, "rates with their Wilson interval, changes by Fisher's test"),
    ("prices", "Prices behind the month", PRICES, ""),
    ("quality", "Unpriced and unattributed", QUALITY, ""),
    ("rejected", "Rejected lines", REJECTED, "only those of files that have calls in the month, or no calls at all"),
    ("recorded", "Recorded costs", RECORDED, "compared with the computed cost of rows whose calls all have one"),
)


def days(first: date, last: date) -> str:
    """The condition that a day lies from `first` to `last`; dates are the only literals."""
    return f"day BETWEEN DATE '{first:%Y-%m-%d}' AND DATE '{last:%Y-%m-%d}'"


def queries(before: date, month: Span, held: tuple[Span, Span], *, outcomes: bool) -> list[FigureQuery]:
    """The review's queries: of a month's days, some of those from `before` on; the bridge's is of the two `held`.

    Without `outcomes` in the store, performance shows the calls' statuses.
    """
    values = EXPRESSIONS | {
        "month": days(*month),
        "both": days(before, month[1]),
        "bridged": " OR ".join(days(*span) for span in held),
        "moments": f"ts::DATE BETWEEN DATE '{before:%Y-%m-%d}' AND DATE '{month[1]:%Y-%m-%d}'",
    }
    return [_query(*text, values, outcomes=outcomes) for text in TEXTS]


def _query(id: str, title: str, sql: str, message: str, values: dict[str, str], *, outcomes: bool) -> FigureQuery:
    if id == "performance" and not outcomes:
        sql, message = STATUSES, "no outcomes are loaded; these are the calls' statuses"
    return FigureQuery(id=id, title=title, sql=sql.format(**values), message=message)
