"""Forge (forgecode.dev): what each conversation used of each model, from its database (.forge.db).

https://github.com/antinomyhq/forge (crates/forge_repo/src/conversation/conversation_record.rs,
forge_app/src/compact.rs): a message that a model wrote has the usage of its call, the summary of a compaction the sum
of those that it replaced, without a model: it counts as the one that the conversation asked most. Nothing has a time
but the conversation, whose calls are summed. `prompt_tokens` includes `cached_tokens` and what was written to the
cache, which no field tells apart (Bedrock's `cached_tokens` include it); a total has Gemini's thoughts beyond prompt
and completion. `cost` is what a provider stated, often none. Counts are `{"actual": n}`, or `{"approx": n}` where Forge
estimated them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..reader import Reader, Sample
from ..unfold import loaded, no_objects, plain_rows
from .nested import JsonTexts, items, priced

NAMES = ("prompt_tokens", "completion_tokens", "cached_tokens", "total_tokens")
KINDS = ("actual", "approx", "Actual", "Approx")
CONVERSATIONS = "SELECT conversation_id, created_at, updated_at, context FROM conversations"
COLUMNS = {**dict.fromkeys(("id", "created_at", "updated_at"), "VARCHAR"), "used": "JSON"}
USAGE = JsonTexts("stated", ("model", "cost", *(f"usage.{name}.{kind}" for name in NAMES for kind in KINDS)))


def _count(name: str) -> str:
    """SQL for a count, in whichever of its forms: -1 where it is none."""
    each = [USAGE.count(f"usage.{name}.{kind}") for kind in KINDS]
    return f"CASE WHEN least({', '.join(each)}) < 0 THEN -1 ELSE {' + '.join(each)} END"


AMOUNT = (
    "coalesce(TRY_CAST(cost AS DECIMAL(28, 18)), TRY_CAST(TRY_CAST(cost AS DOUBLE) AS DECIMAL(28, 18)))"  # sums fit
)

SQL = f"""
WITH call AS (
    SELECT file_id, line, id, created_at, updated_at, nullif({USAGE.text("model")}, '') AS model,
        {USAGE.text("cost")} AS cost, {", ".join(f"{_count(name)} AS {name}" for name in NAMES)}
    FROM (SELECT *, {USAGE.listed("one")} FROM (SELECT *, unnest({items("used")}) AS one FROM record))
),
most AS (
    SELECT file_id, id, arg_max(model, asked) AS asked_most
    FROM (SELECT file_id, id, model, sum(prompt_tokens) AS asked FROM call WHERE model IS NOT NULL GROUP BY ALL)
    GROUP BY ALL
),
summed AS (
    SELECT file_id, min(line) AS line, id, coalesce(model, asked_most) AS used_model,
        any_value(coalesce(utc(updated_at), utc(created_at))) AS ts, count(*) FILTER (model IS NOT NULL) AS request,
        {", ".join(f"CASE WHEN min({name}) < 0 THEN -1 ELSE sum({name})::HUGEINT END AS {name}" for name in NAMES)},
        CASE WHEN count(cost) < count(*) THEN NULL
             WHEN count(amount) < count(*) THEN min(cost) FILTER (amount IS NULL) ELSE sum(amount)::VARCHAR END AS cost
    FROM (SELECT *, {AMOUNT} AS amount FROM call) LEFT JOIN most USING (file_id, id) GROUP BY file_id, id, used_model
)
SELECT file_id, line,
    'forge:' || nullif(id, '') || ':' || coalesce(used_model, '') AS event_id,
    ts, id AS session,
    used_model AS model,
    TRUE AS aggregated,
    request,
    CASE WHEN least(prompt_tokens, cached_tokens) < 0 THEN -1
        ELSE prompt_tokens - CASE WHEN cached_tokens > prompt_tokens THEN 0 ELSE cached_tokens END END AS input,
    cached_tokens AS cache_read,
    CASE WHEN least(prompt_tokens, completion_tokens, total_tokens) < 0 THEN -1
        ELSE completion_tokens + greatest(total_tokens - prompt_tokens - completion_tokens, 0) END AS output,
    {priced("cost", "prompt_tokens + completion_tokens")} AS recorded_usd
FROM summed
WHERE prompt_tokens <> 0 OR completion_tokens <> 0 OR cached_tokens <> 0 OR total_tokens <> 0
"""  # noqa: S608 (constants only)

REPLACED = """
now.session = before.session AND now.output >= before.output
    AND now.input + now.cache_read >= before.input + before.cache_read
"""
"""A compaction puts one usage of no model in the place of many: the model that counts it holds what others had."""


def unfold(content: Path, _file: Path) -> Iterator[dict[str, Any] | str]:
    """The usages of each conversation, with the model of the message, and no more of it."""
    for id, created, updated, text in plain_rows(content, CONVERSATIONS):
        context = loaded(str(text)) if text else {}
        if not isinstance(context, dict):
            yield f"conversation {id}: not JSON"
            continue
        messages = context.get("messages")
        entries = [entry for entry in messages if isinstance(entry, dict)] if isinstance(messages, list) else []
        used = [_used(entry) for entry in entries if entry.get("usage")]
        yield {"id": id, "created_at": created, "updated_at": updated, "used": used}
        for entry in entries:
            yield from no_objects(entry.get("usage"))


def _used(entry: dict[str, Any]) -> dict[str, Any]:
    message = entry.get("message")
    text = message.get("text") if isinstance(message, dict) else None
    usage = entry["usage"]
    cost = usage.get("cost") if isinstance(usage, dict) else None
    return {"model": text.get("model") if isinstance(text, dict) else None, "cost": cost, "usage": usage}


def recognises(sample: Sample) -> bool:
    """The database's table, and that of the library that changes it."""
    return sample.layout == "sqlite" and sample.has("conversations", "__diesel_schema_migrations")


READER = Reader(
    name="forge",
    origin="agent",
    doc="https://forgecode.dev/docs/",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=True,
    unfold=unfold,
    replaced=(REPLACED,),
    counted=(*(f"used.usage.{name}.{kind}" for name in NAMES for kind in KINDS), "used.cost"),
    listed=("used",),
    left_out={"used.usage.cost": "the call's cost, which counts"},
    unique_by="the conversation and the model",
    kept_at="~/.forge/.forge.db, ~/forge/.forge.db (FORGE_CONFIG)",
    undercounts="sums of conversations; tokens written to a cache count as input; what older versions compacted",
    no_call="no conversation with usage",
    sample="made: the table and a conversation as its code writes them",
)
