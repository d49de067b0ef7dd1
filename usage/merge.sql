-- What a batch of files tells (`found`: entries as their reader projects them) into the store.
-- An entry without a time, or with a count that no call has, is a reject; the same call told again counts once:
-- the entry with the largest output, then the latest, then (so that no order of files matters) by its figures.
CREATE OR REPLACE TEMP VIEW judged AS
SELECT
    *,
    CASE
        WHEN ts IS NULL THEN 'no time'
        WHEN ts < '2000-01-01' OR ts > '2100-01-01' THEN 'a time that no call has'
        WHEN least(input, cache_read, cache_write_5m, cache_write_1h, output, web_search, request) < 0
            THEN 'a negative count'
        WHEN greatest(input, cache_read, cache_write_5m, cache_write_1h, output, web_search, request) > 1000000000000
            THEN 'a count over 10^12'
        WHEN recorded_text IS NOT NULL AND recorded_usd IS NULL THEN 'a recorded cost that is no amount'
        WHEN recorded_usd < 0 THEN 'a negative recorded cost'
    END AS reason
FROM found;

INSERT INTO reject
SELECT file_id, line, reason, left(concat_ws(' ', event_id, model), 500) FROM judged WHERE reason IS NOT NULL;

-- Entries without an id of their own: their content and how often the file has told it before are the id.
CREATE OR REPLACE TEMP TABLE identified AS
SELECT * EXCLUDE (recorded_text, reason) FROM judged WHERE reason IS NULL AND event_id IS NOT NULL
UNION ALL BY NAME
SELECT * EXCLUDE (content, event_id),
    source || ':' || content || ':' || row_number() OVER (PARTITION BY file_id, content ORDER BY line) AS event_id
FROM (
    SELECT * EXCLUDE (recorded_text, reason), md5(concat_ws('|', ts, model, provider, session, agent, task,
        processing, status, input, cache_read, cache_write_5m, cache_write_1h, output, web_search, request,
        recorded_usd, tags)) AS content
    FROM judged WHERE reason IS NULL AND event_id IS NULL
);

-- Only entries that tie for the largest output need to be ranked, and only by their place in the table.
CREATE OR REPLACE TEMP TABLE incoming AS
WITH top AS (
    SELECT event_id, max(output) AS output FROM identified GROUP BY event_id
),
best AS (
    SELECT entry.rowid AS place
    FROM identified AS entry JOIN top USING (event_id, output)
    QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY ts DESC, input DESC, cache_read DESC,
        cache_write_5m DESC, cache_write_1h DESC, web_search DESC, request DESC, recorded_usd DESC NULLS LAST, model,
        file_id) = 1
)
SELECT identified.* EXCLUDE (line) FROM identified SEMI JOIN best ON identified.rowid = best.place;

CREATE OR REPLACE TEMP TABLE known AS
SELECT usage_event.* FROM usage_event SEMI JOIN incoming USING (event_id);

CREATE OR REPLACE TEMP TABLE better AS
SELECT incoming.* FROM incoming LEFT JOIN known USING (event_id)
WHERE known.event_id IS NULL
    OR (incoming.output, incoming.ts, incoming.input, incoming.cache_read, incoming.cache_write_5m,
        incoming.cache_write_1h, incoming.web_search, incoming.request, coalesce(incoming.recorded_usd, -1))
     > (known.output, known.ts, known.input, known.cache_read, known.cache_write_5m, known.cache_write_1h,
        known.web_search, known.request, coalesce(known.recorded_usd, -1));

INSERT OR IGNORE INTO touched_day
SELECT DISTINCT ts::DATE FROM better
UNION SELECT DISTINCT known.ts::DATE FROM known SEMI JOIN better USING (event_id);

DELETE FROM usage_event WHERE event_id IN (SELECT event_id FROM known SEMI JOIN better USING (event_id));

INSERT INTO usage_event BY NAME
SELECT *, 'unattributed' AS component, agent AS logged_agent, task AS logged_task FROM better;
