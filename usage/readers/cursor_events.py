"""Cursor's usage events: pages of the Admin API (filtered-usage-events), and of the dashboard, as JSON.

https://cursor.com/docs/account/teams/admin-api: `chargedCents` is what is charged in cents, the model's cost
(`tokenUsage.totalCents`) with Cursor's token fee (`cursorTokenFee`); the events' sum is the team's spend. The classes
of `tokenUsage` are disjoint. An event that is billed by requests has no tokens. There is no id of an event.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..fast_json import parsed_file
from ..reader import Reader, Sample
from ..unfold import json_lines, loaded
from .counts import usd_from_cents
from .cursor import SAME_REQUEST, named
from .nested import JsonTexts

PAGES = ("usageEvents", "usageEventsDisplay")
TOKENS = ("inputTokens", "outputTokens", "cacheWriteTokens", "cacheReadTokens")
TEXTS = (
    "timestamp", "userEmail", "model", "kind", "maxMode", "isHeadless", "isChargeable", "conversationId",
    "chargedCents", "cursorTokenFee", "requestsCosts", "usageBasedCosts", "owningUser", "serviceAccountId",
)  # fmt: skip

STATED = JsonTexts("stated", (*TOKENS, "totalCents"))

# what is charged, else the model's cost and the fee; the dashboard's older events have a text, "$0.12"
MODEL_CENTS = STATED.text("totalCents")
CENTS = f"""coalesce(chargedCents, CASE WHEN TRY_CAST({MODEL_CENTS} AS DECIMAL(34, 16)) <> 0 THEN
    (TRY_CAST({MODEL_CENTS} AS DECIMAL(34, 16)) + coalesce(TRY_CAST(cursorTokenFee AS DECIMAL(34, 16)), 0))::VARCHAR
    ELSE {MODEL_CENTS} END)"""

TIME = 'coalesce(utc_epoch("timestamp"), utc("timestamp"))'
INPUT, OUTPUT, WRITTEN, READ = map(STATED.count, TOKENS)

SQL = f"""
WITH entry AS (
    SELECT *, lower(coalesce(kind, '')) AS sort, {CENTS} AS cents, ltrim(nullif(usageBasedCosts, '-'), '$') AS usd
    FROM (SELECT *, {STATED.listed("tokenUsage")} FROM record)
)
SELECT file_id, line,
    {named(TIME, "lower(model)", INPUT, READ, WRITTEN, OUTPUT)} AS event_id,
    TRUE AS numbered,
    {TIME} AS ts,
    conversationId AS session,
    model,
    CASE WHEN sort LIKE '%error%' THEN 'error' WHEN sort LIKE '%abort%' THEN 'cancelled' ELSE 'ok' END AS status,
    {INPUT} AS input,
    {READ} AS cache_read,
    {WRITTEN} AS cache_write_5m,
    {OUTPUT} AS output,
    CASE WHEN cents IS NOT NULL THEN {usd_from_cents("cents")}
         WHEN regexp_full_match(usd, '[0-9.]+') THEN usd END AS recorded_usd,
    coalesce(userEmail, owningUser, serviceAccountId) AS "user",
    json_object('kind', kind, 'max_mode', maxMode,
        'headless', isHeadless, 'chargeable', isChargeable, 'requests', requestsCosts,
        'fee_cents', cursorTokenFee) AS tags
FROM entry
"""  # noqa: S608 (constants only)


def unfold(content: Path, _file: Path) -> Iterator[dict[str, Any] | str]:
    """The events of pages, in a document, a list or a page a line."""
    try:
        found = parsed_file(content.read_bytes())
    except ValueError:
        with content.open(encoding="utf-8-sig", errors="replace") as lines:
            if isinstance(loaded(next(filter(str.strip, lines), "").strip()), str):
                raise  # the first line is no page: documents over several lines
        for page in json_lines(content):
            yield from _events(page) if isinstance(page, dict) else [page]
        return
    for page in found if isinstance(found, list) else [found]:
        yield from _events(page) if isinstance(page, dict) else [json.dumps(page)]


def _events(page: dict[str, Any]) -> Iterator[dict[str, Any] | str]:
    """The events of a page; what is none is one. What is no object is handed on, to be rejected."""
    listed = next((page[name] for name in PAGES if isinstance(page.get(name), list)), None)
    for event in [page] if listed is None else listed:
        yield event if isinstance(event, dict) else json.dumps(event)


def recognises(sample: Sample) -> bool:
    """Pages of events, or the events themselves."""
    if sample.layout not in ("json", "ndjson"):
        return False
    within = any(sample.has(f"{page}.timestamp", f"{page}.model") for page in PAGES)
    return within or sample.has("timestamp", "model", "kind", "tokenUsage.totalCents")


READER = Reader(
    name="cursor-events",
    origin="agent",
    doc="https://cursor.com/docs/account/teams/admin-api",
    columns={**dict.fromkeys(TEXTS, "VARCHAR"), "tokenUsage": "JSON"},
    sql=SQL,
    recognises=recognises,
    input_includes_cached=False,
    unfold=unfold,
    counted=(*(f"tokenUsage.{name}" for name in (*TOKENS, "totalCents")), "chargedCents", "cursorTokenFee"),
    left_out={
        "requestsCosts": "requests of the plan, not USD; kept as a tag",
        "usageBasedCosts": "the same in the dashboard's older events: counts where nothing else states a cost",
        "tokenUsage.discountPercentOff": "a ratio",
    },
    replaced=(SAME_REQUEST,),
    unique_by="time, model and figures, in its exports and events alike",
    sample="made: the documented response",
    kept_at="exported: POST https://api.cursor.com/teams/filtered-usage-events",
    undercounts="tokens of requests that are billed by number",
    no_call="a page without events",
)
