"""CC Switch: the requests that went through its proxy, from its database (cc-switch.db).

https://github.com/farion1231/cc-switch (src-tauri/src/database/schema.rs, services/sql_helpers.rs, proxy/usage):
`proxy_request_logs` has a row for each, for 30 days; rows of another `data_source` repeat what it read in the logs of
agents, which costsim reads itself. `input_token_semantics` says what the input has: 1 is all of it, 2 what was not
cached; where it is 0 (older rows), cache reads are within it for Codex, Gemini and Grok, and nothing for others. An id
ends in that of the provider's response. The cost is by its own list of prices, times the user's factor.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..reader import Reader, Sample
from ..unfold import rows
from .nested import priced

TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_creation_tokens")
COLUMNS = {
    **dict.fromkeys(("request_id", "app_type", "model", "request_model", "session_id", "created_at", "total_cost_usd",
                     "provider_id", "provider_type", "status_code"), "VARCHAR"),
    **dict.fromkeys((*TOKENS, "input_token_semantics"), "HUGEINT"),
}  # fmt: skip
INPUT, OUTPUT, READ, WRITTEN = (f"coalesce({name}, 0)" for name in TOKENS)
INCLUSIVE = "app_type IN ('codex', 'gemini', 'grokbuild')"
MESSAGE = r"(?:^session:|:)((?:msg|resp|chatcmpl)[-_][^:]+)$"

SQL = f"""
SELECT file_id, line,
    'cc-switch:' || nullif(request_id, '') AS event_id,
    utc_epoch(created_at) AS ts,
    app_type AS agent,
    nullif(session_id, '') AS session,
    nullif(regexp_extract(request_id, '{MESSAGE}', 1), '') AS response_id,
    nullif(model, 'unknown') AS model,
    CASE WHEN TRY_CAST(status_code AS INTEGER) BETWEEN 200 AND 299 THEN 'ok' ELSE 'error' END AS status,
    CASE WHEN least({INPUT}, {READ}, {WRITTEN}) < 0 THEN -1
        WHEN {INCLUSIVE} AND input_token_semantics = 1 AND {INPUT} >= {READ} + {WRITTEN}
        THEN {INPUT} - {READ} - {WRITTEN}
        WHEN {INCLUSIVE} AND coalesce(input_token_semantics, 0) = 0 AND {INPUT} >= {READ} THEN {INPUT} - {READ}
        ELSE {INPUT} END AS input,
    {READ} AS cache_read,
    {WRITTEN} AS cache_write_5m,
    {OUTPUT} AS output,
    {priced("total_cost_usd", " + ".join((INPUT, OUTPUT, READ, WRITTEN)))} AS recorded_usd,
    json_object('provider', provider_id, 'provider_type', provider_type, 'asked', nullif(request_model, model)) AS tags
FROM record
"""  # noqa: S608 (constants only)


def unfold(content: Path, _file: Path) -> Iterator[dict[str, Any]]:
    """The requests that went through the proxy."""
    for row in rows(content, "SELECT * FROM proxy_request_logs"):
        if (row.get("data_source") or "proxy") == "proxy":
            yield row


def recognises(sample: Sample) -> bool:
    """The database's tables."""
    return sample.layout == "sqlite" and sample.has("proxy_request_logs", "providers")


READER = Reader(
    name="cc-switch",
    origin="gateway",
    doc="https://github.com/farion1231/cc-switch",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=None,
    unfold=unfold,
    counted=(*TOKENS, "total_cost_usd"),
    left_out={
        **dict.fromkeys(
            ("input_cost_usd", "output_cost_usd", "cache_read_cost_usd", "cache_creation_cost_usd", "cost_multiplier"),
            "a part of the cost; the total counts",
        ),
        "input_token_semantics": "says what the input has",
    },
    unique_by="the request's id",
    kept_at="~/.cc-switch/cc-switch.db",
    undercounts="requests of over 30 days ago, of which it keeps sums by day; what did not go through its proxy",
    no_call="no request that went through its proxy",
    sample="made: the tables as its code makes them",
)
