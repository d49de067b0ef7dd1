"""Anthropic's usage of one answer, in SQL: the calls that it bills, and how they were processed.

https://docs.claude.com/en/api/messages: `usage.iterations` lists what a request sampled on the server: its own
messages, whose sum the usage states (or, in some versions, the first of them only), and calls that no other field shows
(an advisor at its own model, a compaction). Each of the latter is a call of its own; where the usage states the sum of
all, it is not counted twice. Where a model declined and another served (`fallback_message`), the usage states the
serving attempt alone; the declined one is billed at its own model, unless it declined before any output.
https://platform.claude.com/docs/en/build-with-claude/refusals-and-fallback, https://github.com/ccusage/ccusage/issues/1552
"""

from __future__ import annotations

from ..processing import processing

_COUNTS = """
    input_tokens BIGINT, output_tokens BIGINT, cache_creation_input_tokens BIGINT, cache_read_input_tokens BIGINT,
    cache_creation STRUCT(ephemeral_5m_input_tokens BIGINT, ephemeral_1h_input_tokens BIGINT)"""
USAGE = f"""STRUCT({_COUNTS},
    server_tool_use STRUCT(web_search_requests BIGINT), service_tier VARCHAR, speed VARCHAR, inference_geo VARCHAR,
    iterations STRUCT("type" VARCHAR, model VARCHAR, {_COUNTS})[])"""

COUNTED = (
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "cache_creation.ephemeral_5m_input_tokens",
    "cache_creation.ephemeral_1h_input_tokens",
)

LEFT_OUT = {
    "server_tool_use.web_fetch_requests": "fetching a page costs only its tokens",
    "iterations.server_tool_use": "as in the usage of the whole answer",
    "output_tokens_details": "parts of the output",
}

# USAGE is a struct of counts; writes that are not distinguished are five-minute ones.
_CLASSES = {
    "input": "USAGE.input_tokens",
    "cache_read": "USAGE.cache_read_input_tokens",
    "cache_write_5m": """CASE WHEN USAGE.cache_creation.ephemeral_5m_input_tokens < 0 THEN -1
        ELSE greatest(USAGE.cache_creation.ephemeral_5m_input_tokens, USAGE.cache_creation_input_tokens
            - coalesce(USAGE.cache_creation.ephemeral_1h_input_tokens, 0)) END""",
    "cache_write_1h": "USAGE.cache_creation.ephemeral_1h_input_tokens",
    "output": "USAGE.output_tokens",
}


def _of(usage: str) -> str:
    """The classes of a struct of counts, as a struct."""
    classes = (f"{name}: coalesce({sql}, 0)" for name, sql in _CLASSES.items())
    return f"{{{', '.join(classes)}}}".replace("USAGE", usage)


def _sums(listed: str, where: str = "TRUE") -> str:
    """The sums of a list of such structs, as a struct."""
    sums = (f"{name}: coalesce(list_sum([x.{name} for x in {listed} if {where}]), 0)::BIGINT" for name in _CLASSES)
    return f"{{{', '.join(sums)}}}"


_LARGER = ", ".join(f"{name}: greatest(stated.{name}, own.{name})" for name in _CLASSES)
_OWN = "x.kind IN ('message', 'fallback_message') AND x.model IS NULL"

PROCESSING = processing(
    "message.usage.service_tier",
    "CASE WHEN call.model IS NULL THEN message.usage.speed END",
    "message.usage.inference_geo",
)
"""SQL for how a call of BILLED was processed: a sample at another model has that model's usual speed."""

ENTRY = f"""{_of("message.usage")} AS stated,
        -- one message alone says what the usage says
        coalesce(len(message.usage.iterations) > 1 OR message.usage.iterations[1]."type" <> 'message', FALSE)
            AS several,
        [x for x in message.usage.iterations if x."type" = 'fallback_message'][-1] AS fallback,
        coalesce(nullif(struct_extract(fallback, 'model'), ''), message.model) AS served_by"""
"""What BILLED needs of an entry, beside its `message`: columns of SQL."""

BILLED = f"""
iterated AS (
    SELECT *, CASE WHEN several THEN [
        struct_insert({_of("x")}, place := i, kind := coalesce(x."type", 'message'),
            model := nullif(nullif(x.model, ''), served_by)) for x, i in message.usage.iterations
            -- declined before any output: free
            if NOT (x."type" = 'message' AND coalesce(x.output_tokens, 0) = 0 AND fallback IS NOT NULL)] END AS sampled
    FROM entry
),
summed AS (
    SELECT *, CASE WHEN several THEN {_sums("sampled")} END AS everything,
        CASE WHEN several THEN {_sums("sampled", _OWN)} END AS own
    FROM iterated
),
billed AS (
    SELECT *, unnest(CASE WHEN several
        THEN list_concat(
            [struct_insert(CASE WHEN stated = everything THEN own ELSE {{{_LARGER}}} END,
                place := 0::BIGINT, kind := 'message', model := NULL::VARCHAR)],
            [x for x in sampled if NOT ({_OWN})])
        ELSE [struct_insert(stated, place := 0::BIGINT, kind := 'message', model := NULL::VARCHAR)] END) AS call
    FROM summed
)
"""  # noqa: S608 (fixed text)
"""CTEs that end in `billed`, of the relation `entry`: a row for each call of an entry, which `call` has, its `place` 0
for the answer itself; a `model` of NULL is `served_by`."""
