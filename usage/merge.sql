-- What a batch of files tells (`found`, see found.sql) into the store. The same call told again counts once: the
-- entry of the greatest merit (the largest output, then the latest, then the most tokens); among equals the one with
-- the greatest claim (the larger recorded cost, then a mark of its figures, then of its file), so that no order, split
-- or repetition of files changes what counts.
CREATE OR REPLACE TEMP MACRO merit(output, ts, tokens) AS
    -- output < 2^40, milliseconds since 2000 < 2^43, tokens < 2^43: together 126 bits
    (output::HUGEINT << 86) + ((epoch_ms(ts) - 946684800000)::HUGEINT << 43) + tokens::HUGEINT;
CREATE OR REPLACE TEMP MACRO claim(recorded_usd, figures, path) AS
    -- billionths of a dollar, and one where there is any, < 2^60; 24 bits of each mark
    ((coalesce(recorded_usd::DECIMAL(38, 9) + 1, 0) * 1000000000)::HUGEINT << 48)
        + (((figures & 16777215) << 24) + (hash(path) & 16777215))::HUGEINT;

INSERT INTO reject
SELECT file_id, line, reason, left(concat_ws(' ', event_id, model), 500) FROM found WHERE reason IS NOT NULL;

DELETE FROM found WHERE reason IS NOT NULL;

-- Entries without an id of their own: their content and how often the file has told it before are the id.
UPDATE found SET event_id = numbered.event_id
FROM (
    WITH hashed AS (
        SELECT rowid AS place, file_id, line, source, md5(to_json(row(ts, model, provider, session, agent, task,
            processing, status, input, cache_read, cache_write_5m, cache_write_1h, output, web_search, request,
            recorded_usd, tags))::VARCHAR) AS content
        FROM found WHERE event_id IS NULL
    )
    SELECT place,
        concat_ws(':', source, content, row_number() OVER (PARTITION BY file_id, content ORDER BY line)) AS event_id
    FROM hashed
) AS numbered
WHERE found.rowid = numbered.place;

CREATE OR REPLACE TEMP TABLE incoming AS
WITH top AS (
    SELECT event_id, max(merit(output, ts, tokens)) AS merit FROM found GROUP BY event_id
)
SELECT event_id, merit, max(claim(recorded_usd, figures, path)) AS claim,
    arg_max(found.rowid, claim(recorded_usd, figures, path)) AS place
FROM found JOIN load USING (file_id) JOIN top USING (event_id)
WHERE merit(output, ts, tokens) = merit
GROUP BY event_id, merit;

CREATE OR REPLACE TEMP TABLE known AS
SELECT event_id, ts,
    merit(output, ts, input + cache_read + cache_write_5m + cache_write_1h + web_search + request) AS merit,
    claim(recorded_usd, figures(model, processing, status, context_tier, input, cache_read, cache_write_5m,
        cache_write_1h, web_search, request), path) AS claim
FROM usage_event SEMI JOIN incoming USING (event_id) JOIN load USING (file_id);

CREATE OR REPLACE TEMP TABLE better AS
SELECT incoming.event_id, incoming.place, known.event_id IS NULL AS added, known.ts AS ts_before
FROM incoming LEFT JOIN known USING (event_id)
WHERE known.event_id IS NULL OR (incoming.merit, incoming.claim) > (known.merit, known.claim);

DELETE FROM usage_event WHERE event_id IN (SELECT event_id FROM better WHERE NOT added);

INSERT INTO usage_event BY NAME
SELECT found.* EXCLUDE (line, tokens, figures, reason), 'unattributed' AS component, agent AS logged_agent,
    task AS logged_task
FROM found SEMI JOIN better ON found.rowid = better.place;

INSERT OR IGNORE INTO touched_day
SELECT DISTINCT ts::DATE FROM found SEMI JOIN better ON found.rowid = better.place
UNION SELECT DISTINCT ts_before::DATE FROM better WHERE NOT added;
