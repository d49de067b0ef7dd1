-- Which calls of the touched days are in several sources, and count once. Reads settle_day (day) and standing (source, rank);
-- same_calls.py says what is meant, and runs this statement by statement. Ids are only looked at closely (what they look
-- like, how often a source has them) where two sources share them.

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

-- `position` orders the witnesses, the best first.
CREATE OR REPLACE TEMP TABLE witness_call AS
WITH call AS (
    SELECT rowid AS place, source, witness(source, event_id) AS witness, ts, response_id, request_id, session,
        [prompt] AS prompt, [output] AS output, [input] AS input, [read] AS cache_read
    FROM usage_event
    WHERE role = 'calls' AND NOT aggregated
        AND ts >= (SELECT min(day) - 1 FROM near_day) AND ts < (SELECT max(day) + 2 FROM near_day)
        AND ts::DATE IN (SELECT DISTINCT day + unnest([-1, 0, 1]) FROM near_day)
),
witness AS (
    SELECT source, witness, row_number() OVER (ORDER BY coalesce(standing.rank, 0), witness) AS position
    FROM (SELECT DISTINCT source, witness FROM call) LEFT JOIN standing USING (source)
)
SELECT call.* EXCLUDE (witness), position FROM call JOIN witness USING (source, witness);

-- The ids that two witnesses have, numbered; `repeats` where one of them has it for several calls.
CREATE OR REPLACE TEMP TABLE shared_id AS
WITH named AS (
    SELECT 'response' AS id_of, response_id AS id, position FROM witness_call
    WHERE response_id IS NOT NULL
        AND (SELECT min(position) < max(position) FROM witness_call WHERE response_id IS NOT NULL)
    UNION ALL
    SELECT 'request', request_id, position FROM witness_call
    WHERE request_id IS NOT NULL
        AND (SELECT min(position) < max(position) FROM witness_call WHERE request_id IS NOT NULL)
),
counted AS (
    SELECT id_of, id, count(*) AS calls, bit_count(bit_or(1::BIGINT << position)) AS witnesses
    FROM named GROUP BY id_of, id
)
SELECT id_of, id, row_number() OVER () AS key, calls > witnesses AS repeats FROM counted
WHERE witnesses > 1 AND own_id(id) IS NOT NULL;

-- Calls of the sessions that several witnesses have, where some call of the session has no id: of those with the same
-- tokens, the first is the first elsewhere too.
CREATE OR REPLACE TEMP TABLE session_call AS
WITH shared_session AS (
    SELECT session FROM witness_call WHERE length(session) >= 6 GROUP BY session
    HAVING min(position) < max(position) AND count(coalesce(own_id(response_id), own_id(request_id))) < count(*)
),
alike AS (
    SELECT place, source, position, ts, prompt, output, response_id, request_id,
        (session, input, cache_read, prompt, output) AS used,
        row_number() OVER (PARTITION BY position, session, input, cache_read, prompt, output, ts::DATE
            ORDER BY ts, place) AS nth
    FROM witness_call SEMI JOIN shared_session USING (session) WHERE prompt + output > 0
),
shared AS (
    SELECT used, nth, row_number() OVER () AS key FROM alike GROUP BY used, nth HAVING min(position) < max(position)
)
SELECT alike.* EXCLUDE (used, nth), -key AS key FROM alike JOIN shared USING (used, nth);

-- The names that a call goes by: numbers, those of sessions below zero.
CREATE OR REPLACE TEMP TABLE call_key AS
WITH by_id AS (
    SELECT key, repeats, place, source, position, ts, prompt, output
    FROM witness_call JOIN shared_id ON id_of = 'response' AND id = response_id
    UNION ALL
    SELECT key, repeats, place, source, position, ts, prompt, output
    FROM witness_call JOIN shared_id ON id_of = 'request' AND id = request_id
)
SELECT * EXCLUDE (repeats), NULL::VARCHAR AS response_id, NULL::VARCHAR AS request_id FROM by_id WHERE NOT repeats
UNION ALL BY NAME
SELECT * EXCLUDE (repeats) FROM by_id WHERE repeats
QUALIFY count(*) OVER (  -- an id that one source has for several calls is no call's own
    PARTITION BY position, key ORDER BY ts RANGE BETWEEN INTERVAL 1 DAY PRECEDING AND INTERVAL 1 DAY FOLLOWING
) = 1
UNION ALL BY NAME SELECT * FROM session_call;

-- An entry with the prompt of another and less of the output was written before the answer had ended: the other counts.
CREATE OR REPLACE TEMP TABLE cut_short AS
WITH uneven AS (SELECT key FROM call_key GROUP BY key HAVING min(output) < max(output)),
uneven_call AS (SELECT * FROM call_key SEMI JOIN uneven USING (key))
SELECT DISTINCT call.place
FROM uneven_call AS call JOIN uneven_call AS other
    ON other.key = call.key AND other.position <> call.position AND other.prompt = call.prompt
    AND other.output > call.output AND abs(epoch(call.ts) - epoch(other.ts)) <= 86400;

-- Calls and the better witnesses of each; a pair that shares several names stands here several times.
CREATE OR REPLACE TEMP TABLE same_call AS
WITH ordered AS (
    SELECT call_key.*, position + CASE WHEN cut_short.place IS NULL THEN 0 ELSE 1000 END AS standing
    FROM call_key LEFT JOIN cut_short USING (place)
)
SELECT call.place, call.source, other.place AS other_place, other.source AS other_source, other.standing
FROM ordered AS call JOIN ordered AS other ON other.key = call.key AND other.standing < call.standing
WHERE CASE WHEN call.key < 0
    THEN abs(epoch(call.ts) - epoch(other.ts)) <= 3600
        -- ids of one kind that differ are of two calls
        AND NOT coalesce(kind(own_id(call.response_id)) = kind(own_id(other.response_id)), FALSE)
        AND NOT coalesce(kind(own_id(call.request_id)) = kind(own_id(other.request_id)), FALSE)
    ELSE abs(epoch(call.ts) - epoch(other.ts)) <= 86400 END;
