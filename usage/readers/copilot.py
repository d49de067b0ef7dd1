"""GitHub Copilot CLI: events.jsonl of a session, and the store of requests (session-store.db) beside all sessions.

https://docs.github.com/copilot/how-tos/copilot-cli: usage by model stands in `session.shutdown`, by leg or running on
(see `copilot_legs`); `inputTokens` includes cache reads and writes, `outputTokens` reasoning. The store has a row for
each request of the same sessions: where it stands in the folder above them, its rows are read with the events, under
the ids that they have in the store, and only what a shutdown has beyond them counts beside. 10^11 nano AI units are a
dollar (an AI unit, or credit, is $0.01: https://docs.github.com/billing/concepts/product-billing/github-copilot).
Premium requests are no USD.
"""

from __future__ import annotations

import re
import sqlite3
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from operator import itemgetter
from pathlib import Path
from typing import Any

from ..file_names import shown
from ..reader import Reader, Sample
from ..unfold import beside, json_lines, no_objects, rows, state, whole
from .copilot_legs import COUNTS, Legs, Sum

STORE = "session-store.db"
REQUESTS = "SELECT usage.* FROM assistant_usage_events AS usage"
LATE = timedelta(minutes=2)  # a request's row may be written so long after its message
UUID = re.compile(r"\b[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}\b")
NANO_PER_USD = "100000000000"

COLUMNS = {
    "call": """STRUCT(id VARCHAR, session VARCHAR, model VARCHAR, "time" VARCHAR, requests BIGINT, input BIGINT,
        cache_read BIGINT, cache_write BIGINT, "output" BIGINT, nano_aiu BIGINT, aggregated BOOLEAN, stated BOOLEAN,
        premium VARCHAR)""",
    "place": "STRUCT(cwd VARCHAR, repository VARCHAR, branch VARCHAR)",
}

SQL = f"""
SELECT file_id, line,
    'copilot:' || call.id AS event_id,
    utc(replace(call."time", ' ', 'T') || CASE WHEN regexp_matches(call."time", '(Z|[+-]\\d\\d:?\\d\\d)$') THEN ''
        ELSE 'Z' END) AS ts,
    call.session AS session,
    nullif(call.model, '') AS model,
    call.aggregated AS aggregated,
    call.input AS input,
    call.cache_read AS cache_read,
    call.cache_write AS cache_write_5m,
    call."output" AS output,
    call.requests AS request,
    CASE WHEN call.nano_aiu <> 0 THEN (call.nano_aiu::DECIMAL(38, 11) / {NANO_PER_USD})::DECIMAL(38, 18)::VARCHAR END
        AS recorded_usd,
    place.cwd AS project,
    place.repository AS repository,
    place.branch AS branch,
    json_object('premium_requests', call.premium, 'input', CASE WHEN NOT call.stated THEN 'not stated' END) AS tags
FROM record WHERE call IS NOT NULL
"""  # noqa: S608 (constants only)


def unfold(content: Path, file: Path) -> Iterator[dict[str, Any] | str]:
    """The events as they stand, then the sums of the legs and the requests of the store."""
    events: list[dict[str, Any]] = []
    for event in json_lines(content):
        if isinstance(event, dict):
            events.append(_slim(event))
            yield _listed(event)
            yield from _no_objects(event)
        else:
            yield event
    yield from calls(events, file)


def calls(events: Sequence[dict[str, Any]], file: Path) -> Iterator[dict[str, Any]]:
    """A session's requests as the store has them, and what its events have beyond."""
    starts = [event["data"] for event in events if event.get("type") in ("session.start", "session.resume")]
    session = str(next((start["sessionId"] for start in starts if start.get("sessionId")), shown(file.parent.name)))
    place = next((_place(start["context"]) for start in starts if isinstance(start.get("context"), dict)), {})
    requests = _stored(file, session)
    yield from ({"call": request, "place": place} for request in requests)
    stored = _summed(requests)
    for one in Legs().read(events):
        if left := _beyond(one, stored):
            yield {"call": _call(left, session), "place": place}


def _slim(event: dict[str, Any]) -> dict[str, Any]:
    """What counting needs of an event."""
    data = event.get("data")
    kept = (
        {key: value for key, value in data.items() if key not in ("content", "toolRequests")}
        if isinstance(data, dict)
        else {}
    )
    return {**event, "data": kept}


def _listed(event: dict[str, Any]) -> dict[str, Any]:
    """An event whose models are a list: their names have dots, as the paths of fields do."""
    data = event.get("data")
    if not isinstance(data, dict) or not isinstance(data.get("modelMetrics"), dict):
        return event
    of_models = [one if isinstance(one, dict) else {key: one} for key, one in data["modelMetrics"].items()]
    return {**event, "data": {**data, "modelMetrics": of_models}}


def _no_objects(event: dict[str, Any]) -> Iterator[str]:
    """What stands where the objects with an event's counts are expected, and is none."""
    data = event.get("data")
    metrics = data.get("modelMetrics") if isinstance(data, dict) else None
    yield from no_objects(data, metrics)
    for model in metrics.values() if isinstance(metrics, dict) else ():
        yield from no_objects(model)
        if isinstance(model, dict):
            yield from no_objects(*map(model.get, ("usage", "requests", "tokenDetails")))


def _place(context: dict[str, Any]) -> dict[str, Any]:
    return {name: context.get(name) for name in ("cwd", "repository", "branch")}


def _call(one: Sum, session: str) -> dict[str, Any]:
    counts = {name: count for name, count in one.counts.items() if name != "requests"}
    own = one.id if UUID.search(one.id) else f"{session}:{one.id}"  # a fork's events have the ids of those it copies
    head = {"id": own, "session": session, "model": one.model, "time": one.time}
    return {**head, **counts, "requests": one.counts["requests"], "aggregated": True, "stated": one.stated,
            "premium": one.premium}  # fmt: skip


def _summed(requests: Sequence[dict[str, Any]]) -> dict[str, tuple[list[datetime], list[Counter[str]]]]:
    """Of each model the times of its requests, in order, and what is counted up to each; before the first, nothing."""
    timed = [(time, request) for request in requests if (time := instant(request["time"]))]
    found: dict[str, tuple[list[datetime], list[Counter[str]]]] = {}
    for time, request in sorted(timed, key=itemgetter(0)):
        times, sums = found.setdefault(request["model"], ([], [Counter()]))
        times.append(time)
        sums.append(sums[-1] + Counter({name: max(request[name], 0) for name in COUNTS}))
    return found


def _beyond(one: Sum, stored: Mapping[str, tuple[list[datetime], list[Counter[str]]]]) -> Sum | None:
    """What a leg's sum has beyond the requests that the store has of its model and time; None for nothing."""
    begun, ended = instant(one.begun), instant(one.time)
    if not stored or ended is None or min(one.counts.values()) < 0:
        return one
    times, sums = stored.get(one.model, ([], [Counter()]))
    first = bisect_right(times, begun) if begun else 0
    covered = sums[max(first, bisect_right(times, ended + (timedelta(0) if one.stated else LATE)))] - sums[first]
    left = {name: max(count - covered[name], 0) for name, count in one.counts.items()}
    return replace(one, counts=left) if any(left.values()) else None


def _stored(file: Path, session: str) -> list[dict[str, Any]]:
    """The session's requests in the store that stands above `session-state`, if one does."""
    root = next((folder for folder in file.parents if folder.name == "session-state"), None)
    store = beside(root, STORE, whole=False) if root else None
    if store is None:
        return []
    try:
        return [_request(row) for row in _sessions(store, state(store)).get(session, [])]
    except sqlite3.Error:
        return []


@lru_cache(2)
def _sessions(store: Path, _state: tuple[int, int]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows(store, REQUESTS):
        found.setdefault(str(row.get("session_id")), []).append(row)
    return found


def _request(row: dict[str, Any]) -> dict[str, Any]:
    """A row of the store as a call; its input includes what was cached, unless that cannot be."""
    inputs, read, write = (whole(row.get(f"{name}_tokens")) for name in ("input", "cache_read", "cache_write"))
    uncached = inputs - read - write if inputs >= read + write else inputs
    session = str(row.get("session_id") or "")
    return {
        "id": f"request:{session}:{row.get('id')}:{row.get('created_at')}",
        "session": session,
        "model": str(row.get("model") or ""),
        "time": str(row.get("created_at") or ""),
        "requests": 1,
        "input": -1 if min(inputs, read, write) < 0 else uncached,
        "cache_read": read,
        "cache_write": write,
        "output": whole(row.get("output_tokens")),
        "nano_aiu": whole(row.get("total_nano_aiu")),
        "aggregated": False,
        "stated": True,
    }


def unfold_store(content: Path, _file: Path) -> Iterator[dict[str, Any]]:
    """The requests of all sessions, with where the session worked."""
    places = {row["id"]: row for row in rows(content, "SELECT * FROM sessions")}
    for row in rows(content, REQUESTS):
        yield {"row": row, "call": _request(row), "place": _place(places.get(row.get("session_id"), {}))}


def instant(text: str) -> datetime | None:
    """A time of the events or the store, in UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def recognises(sample: Sample) -> bool:
    """Events of a session."""
    kinds = ("session.start", "session.resume", "session.shutdown", "assistant.turn_start", "assistant.message")
    return (
        sample.layout == "ndjson"
        and sample.has("type", "data", "id", "timestamp")
        and any(kind in kinds for kind in sample.values("type"))
    )


def recognises_store(sample: Sample) -> bool:
    """The database's tables."""
    return sample.layout == "sqlite" and sample.has("sessions", "assistant_usage_events")


USED = tuple(f"data.modelMetrics[].usage.{name}Tokens" for name in ("input", "output", "cacheRead", "cacheWrite"))
NOT_BILLED = "not billed: the size of the context"
REPEATED = "stated again by session.shutdown"
WHERE = "~/.copilot (COPILOT_HOME)"

READER = Reader(
    name="copilot",
    origin="agent",
    doc="https://docs.github.com/copilot/how-tos/copilot-cli",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=True,
    unfold=unfold,
    replaced=("now.session = before.session AND before.aggregated",),
    counted=(
        *USED,
        "data.modelMetrics[].requests.count",
        "data.modelMetrics[].totalNanoAiu",
        "data.modelMetrics[].tokenDetails.*.tokenCount",
        "data.totalNanoAiu",
    ),
    own=("call", "place"),
    read_as={"data": "JSON"},
    left_out={
        "data.outputTokens": f"{REPEATED}; counts only where no shutdown does (a crash)",
        "data.modelMetrics.usage.reasoningTokens": "part of the output",
        "data.modelMetrics.requests.cost": "premium requests, not USD",
        "data.tokenDetails": "the sum over models",
        "data.compactionTokensUsed": "a request that session.shutdown counts",
        "data.totalPremiumRequests": "premium requests, not USD",
        **dict.fromkeys(
            (f"data.{name}Tokens" for name in ("current", "system", "conversation", "toolDefinitions")), NOT_BILLED
        ),
        **dict.fromkeys((f"data.{when}CompactionTokens" for when in ("pre", "post")), NOT_BILLED),
        "data.toolTelemetry": "about tools",
    },
    unique_by="the shutdown (or the message) and the model; a request of the store by its row",
    sample="real: CLI 1.0.14, 1.0.34 and 1.0.60",
    kept_at=f"{WHERE}/session-state/*/events.jsonl",
    undercounts="input of requests before a crash or a compaction, unless session-store.db has them",
    no_call="a session that no session.shutdown has ended, and whose messages state no output",
)  # fmt: skip

STORED = Reader(
    name="copilot-store",
    origin="agent",
    doc="https://docs.github.com/copilot/how-tos/copilot-cli",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises_store,
    input_includes_cached=True,
    unfold=unfold_store,
    counted=(
        *(f"row.{name}_tokens" for name in ("input", "output", "cache_read", "cache_write")),
        "row.total_nano_aiu",
    ),
    own=("call", "place"),
    left_out={
        "row.reasoning_tokens": "part of the output",
        "row.request_multiplier": "of premium requests",
    },
    unique_by="the row: session, id and time",
    sample="made: a row on the newer table",
    kept_at=f"{WHERE}/{STORE}",
    undercounts="requests of CLI versions before the table was there",
    no_call="a store whose table of requests is empty: load session-state/*/events.jsonl",
)  # fmt: skip
