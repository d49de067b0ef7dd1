"""gptme: a conversation (conversation.jsonl), each answer with its usage.

https://github.com/gptme/gptme (gptme/message.py, gptme/llm): `metadata.usage`, in older versions in `metadata` itself;
the classes are disjoint, whatever the provider. `cost` is gptme's own figure, absent where it knows no price. A fork
copies the conversation: time and figures name an answer. Times are the machine's own, and have no offset: they are read
as UTC.
"""

from __future__ import annotations

from ..reader import Reader, Sample

TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_creation_tokens")
_USAGE = ", ".join(f"{name} BIGINT" for name in TOKENS)
COLUMNS = {
    **dict.fromkeys(("role", "timestamp"), "VARCHAR"),
    "metadata": f"STRUCT(model VARCHAR, resolved_model VARCHAR, cost VARCHAR, usage STRUCT({_USAGE}), {_USAGE})",
}

SQL = f"""
WITH answer AS (
    SELECT file_id, line, path, "timestamp", metadata.model, metadata.resolved_model AS resolved, metadata.cost,
        {", ".join(f"coalesce(metadata.usage.{name}, metadata.{name}) AS {name}" for name in TOKENS)}
    FROM record WHERE role = 'assistant'
)
SELECT file_id, line,
    concat_ws(':', 'gptme', "timestamp", model, {", ".join(f"coalesce({name}, 0)" for name in TOKENS)}) AS event_id,
    utc("timestamp") AS ts,
    parse_path(path)[-2] AS session,
    model,
    input_tokens AS input,
    cache_read_tokens AS cache_read,
    cache_creation_tokens AS cache_write_5m,
    output_tokens AS output,
    cost AS recorded_usd,
    json_object('resolved_model', resolved) AS tags
FROM answer WHERE coalesce({", ".join(TOKENS)}) IS NOT NULL
"""  # noqa: S608 (constants only)


def recognises(sample: Sample) -> bool:
    """Messages with gptme's metadata."""
    return sample.layout in ("ndjson", "json") and any(
        sample.has("role", "timestamp", "metadata.model", f"metadata.{at}input_tokens") for at in ("usage.", "")
    )


READER = Reader(
    name="gptme",
    origin="agent",
    doc="https://gptme.org/docs/",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=False,
    counted=(*(f"metadata.{at}{name}" for at in ("usage.", "") for name in TOKENS), "metadata.cost"),
    left_out={"metadata.timings": "how long it took"},
    unique_by="the answer's time, model and figures",
    kept_at="~/.local/share/gptme/logs/CONVERSATION/conversation.jsonl (GPTME_LOGS_HOME)",
    no_call="a conversation with no answer that states usage",
    sample="made: after the code that writes it",
)
