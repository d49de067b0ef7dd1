-- Which calls of the touched days are in several sources, and count once. Reads settle_day (day) and standing (source, rank);
-- witnesses.py says what is meant, and runs this statement by statement.

CREATE OR REPLACE TEMP MACRO witness(source, event_id) AS
    -- records, spans and metrics come by one reader, and are witnesses of their own
    CASE WHEN source <> 'otel' THEN source
         WHEN event_id LIKE 'otel:metric:%' THEN 'otel metrics'
         WHEN regexp_matches(event_id, '^otel:[0-9a-f]{8,}:') THEN 'otel spans'
         ELSE 'otel' END;

CREATE OR REPLACE TEMP MACRO own_id(text) AS CASE WHEN regexp_full_match(text, '[A-Za-z0-9_.:/+=-]{6,}') THEN text END;

CREATE OR REPLACE TEMP MACRO kind(id) AS nullif(regexp_extract(id, '^[A-Za-z]+(_[a-z]+)?[-_]'), '');

CREATE OR REPLACE TEMP TABLE near_day AS
SELECT DISTINCT day + unnest([-1, 0, 1]) AS day FROM settle_day;

CREATE OR REPLACE TEMP TABLE witness_call AS
SELECT place, source, witness, coalesce(standing.rank, 0) AS rank, ts, own_id(response_id) AS response,
    own_id(request_id) AS request, session, tokens, prompt, output
FROM (
    SELECT rowid AS place, source, witness(source, event_id) AS witness, ts, response_id, request_id, session,
        concat_ws('/', input, cache_read, cache_write_5m + cache_write_1h, output) AS tokens,
        input + cache_read + cache_write_5m + cache_write_1h AS prompt, output
    FROM usage_event
    WHERE role = 'calls' AND NOT aggregated
        AND ts >= (SELECT min(day) - 1 FROM near_day) AND ts < (SELECT max(day) + 2 FROM near_day)
        AND ts::DATE IN (SELECT DISTINCT day + unnest([-1, 0, 1]) FROM near_day)
) AS call LEFT JOIN standing USING (source);

-- The names that a call goes by. Of calls in one session with the same tokens, the first is the first elsewhere too.
CREATE OR REPLACE TEMP TABLE call_key AS
WITH named AS (
    SELECT place, 'response:' || response AS key FROM witness_call WHERE response IS NOT NULL
    UNION ALL SELECT place, 'request:' || request FROM witness_call WHERE request IS NOT NULL
    UNION ALL
    SELECT place, concat_ws(':', 'session', session, tokens,
        row_number() OVER (PARTITION BY witness, session, tokens, ts::DATE ORDER BY ts, place))
    FROM witness_call
    WHERE length(session) >= 6 AND tokens <> '0/0/0/0'
        -- only where some call of the session has no id
        AND session IN (SELECT session FROM witness_call WHERE response IS NULL AND request IS NULL)
),
known AS (SELECT named.*, call.* EXCLUDE (place) FROM named JOIN witness_call AS call USING (place)),
shared AS (SELECT key FROM known GROUP BY key HAVING min(witness) <> max(witness))
SELECT * FROM known SEMI JOIN shared USING (key)
-- an id that one source has for several calls is no call's own
QUALIFY key LIKE 'session:%' OR count(*) OVER (
    PARTITION BY witness, key ORDER BY ts RANGE BETWEEN INTERVAL 1 DAY PRECEDING AND INTERVAL 1 DAY FOLLOWING) = 1;

-- An entry with the prompt of another and less of the output was written before the answer had ended: the other counts.
CREATE OR REPLACE TEMP TABLE cut_short AS
SELECT DISTINCT call.place
FROM call_key AS call JOIN call_key AS other
    ON other.key = call.key AND other.witness <> call.witness AND other.prompt = call.prompt
    AND other.output > call.output AND abs(epoch(call.ts) - epoch(other.ts)) <= 86400;

CREATE OR REPLACE TEMP TABLE same_call AS
WITH ordered AS (SELECT call_key.*, cut_short.place IS NOT NULL AS cut FROM call_key LEFT JOIN cut_short USING (place))
SELECT DISTINCT call.place, call.source, other.place AS other_place, other.source AS other_source, other.cut, other.rank,
    other.witness
FROM ordered AS call JOIN ordered AS other
    ON other.key = call.key AND (other.cut, other.rank, other.witness) < (call.cut, call.rank, call.witness)
WHERE CASE WHEN call.key LIKE 'session:%'
    THEN abs(epoch(call.ts) - epoch(other.ts)) <= 3600
        -- ids of one kind that differ are of two calls
        AND NOT coalesce(kind(call.response) = kind(other.response), FALSE)
        AND NOT coalesce(kind(call.request) = kind(other.request), FALSE)
    ELSE abs(epoch(call.ts) - epoch(other.ts)) <= 86400 END;
