-- Turns of logged conversations, in a temporary table: a conversation is what one agent said to one model in a session
-- (a subagent's is its own), and a call without a session is one of one turn. Names in braces are SQL of ours.
CREATE OR REPLACE TEMP TABLE profile_turn AS
WITH call AS (
    SELECT
        {name} AS name,
        coalesce(agent, '') AS agent,
        coalesce(task, '') AS task,
        coalesce(provider, '') AS provider,
        coalesce(model, '') AS model,
        session,
        coalesce(json_extract_string(tags, '$.agentId'), '') AS thread,
        CASE WHEN session IS NULL THEN event_id END AS alone,
        ts, event_id, processing, web_search,
        {input} AS input, {cache_read} AS cache_read, cache_write_5m, cache_write_1h, {output} AS output,
        {context} AS context, {media} AS media
    FROM usage_event
    WHERE covered_by IS NULL AND NOT aggregated AND request = 1
        AND ($since IS NULL OR ts >= $since::DATE) AND ($until IS NULL OR ts < $until::DATE + 1)
        AND {where}
)
SELECT
    dense_rank() OVER (ORDER BY name, agent, provider, model) - 1 AS part,
    dense_rank() OVER (ORDER BY name, agent, provider, model, session, thread, alone) - 1 AS conversation,
    row_number() OVER turn AS k,
    lag(context) OVER turn AS before,
    lag(output) OVER turn AS answered,
    epoch(ts) - epoch(lag(ts) OVER turn) AS gap,
    coalesce(2 * context < before, FALSE) AS compacted,
    *
FROM call
WINDOW turn AS (PARTITION BY name, agent, provider, model, session, thread, alone ORDER BY ts, event_id)
