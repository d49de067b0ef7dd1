-- What a batch of files tells (`found`, see found.sql) into the store. The same call repeated counts once: the
-- entry of the greatest merit (the largest output, then the latest, then the most tokens); among equals the one with
-- the greatest claim (the larger recorded cost, then a mark of its figures, then of its file), so that no order, split
-- or repetition of files changes what counts.
CREATE OR REPLACE TEMP MACRO merit(output, ts, tokens) AS
    -- output < 2^40, milliseconds since 2000 < 2^43, tokens < 2^43: together 126 bits
    (output::HUGEINT << 86) + ((epoch_ms(ts) - 946684800000)::HUGEINT << 43) + tokens::HUGEINT;
CREATE OR REPLACE TEMP MACRO figures(entry) AS  -- marks what an entry costs beside output and time
    hash(entry.model, entry.processing, entry.status, entry.context_tier, entry.input, entry.cache_read,
        entry.cache_write_5m, entry.cache_write_1h, entry.web_search, entry.request);
CREATE OR REPLACE TEMP MACRO claim(recorded_usd, figures, path) AS
    -- billionths of a dollar, and one where there is any, < 2^60; 24 bits of each mark
    ((coalesce(greatest(recorded_usd::DECIMAL(38, 9), -1) + 1, 0) * 1000000000)::HUGEINT << 48)
        + (((figures & 16777215) << 24) + (hash(path) & 16777215))::HUGEINT;

INSERT INTO reject
SELECT file_id, line, reason, left(concat_ws(' ', event_id, model), 500) FROM found WHERE reason IS NOT NULL;

DELETE FROM found WHERE reason IS NOT NULL;

-- Entries without an id of their own: their content and how often the file has told it before are the id.
UPDATE found SET event_id = numbered.event_id
FROM (
    WITH hashed AS (
        SELECT rowid AS place, file_id, line, source, md5(to_json(row(ts, model, provider, session, component, agent, task,
            processing, status, input, cache_read, cache_write_5m, cache_write_1h, output, web_search, request,
            recorded_usd, "user", team, project, repository, branch,
            tags))::VARCHAR) AS content
        FROM found WHERE event_id IS NULL
    )
    SELECT place,
        concat_ws(':', source, content, row_number() OVER (PARTITION BY file_id, content ORDER BY line)) AS event_id
    FROM hashed
) AS numbered
WHERE found.rowid = numbered.place;

-- What a file told before and tells no more. Where it began anew, that is its past, and stays. Where all that it held
-- still stands, it was read otherwise: a row was cut, or a mapping was wrong.
CREATE OR REPLACE TEMP TABLE told_no_more AS
SELECT usage_event.rowid AS place, event_id, source, ts, stands
FROM usage_event JOIN read_again USING (file_id) ANTI JOIN found USING (file_id, event_id) ANTI JOIN past_call USING (event_id);

INSERT INTO past_call SELECT event_id FROM told_no_more WHERE NOT stands;

CREATE OR REPLACE TEMP TABLE withdrawn AS SELECT place, source, ts FROM told_no_more WHERE stands;

INSERT OR IGNORE INTO touched_day SELECT DISTINCT ts::DATE FROM withdrawn;

DELETE FROM usage_event WHERE rowid IN (SELECT place FROM withdrawn);

-- Another file may have told such a call too: those with entries that stand under other files are to be read again.
UPDATE load SET content_hash = '', mtime_ns = 0
WHERE reader IN (SELECT source FROM withdrawn) AND file_id NOT IN (SELECT file_id FROM read_again)
    AND entries > (SELECT count(*) FROM usage_event WHERE usage_event.file_id = load.file_id);

-- Claims are computed for the few entries that need one: those that tie with another.
CREATE OR REPLACE TEMP TABLE incoming AS
WITH top AS MATERIALIZED (
    SELECT event_id, max(merit(output, ts, tokens)) AS merit, arg_max(rowid, merit(output, ts, tokens)) AS place
    FROM found GROUP BY event_id
),
tied AS MATERIALIZED (
    SELECT event_id, found.rowid AS place FROM found JOIN top USING (event_id)
    WHERE merit(output, ts, tokens) = merit AND found.rowid <> place
),
settled AS (
    SELECT tied.event_id, arg_max(tied.place, claim(recorded_usd, figures(found), path)) AS place
    FROM (FROM tied UNION ALL SELECT event_id, place FROM top SEMI JOIN tied USING (event_id)) AS tied
        JOIN found ON found.rowid = tied.place JOIN load USING (file_id)
    GROUP BY tied.event_id
)
SELECT event_id, merit, coalesce(settled.place, top.place) AS place FROM top LEFT JOIN settled USING (event_id);

-- Calls of the store that are repeated. Ids are looked up first: of the others, nothing more is read.
CREATE OR REPLACE TEMP TABLE again AS
SELECT usage_event.rowid AS place FROM usage_event SEMI JOIN incoming USING (event_id);

CREATE OR REPLACE TEMP TABLE before AS
SELECT rowid AS place, * EXCLUDE (tags) FROM usage_event WHERE rowid IN (SELECT place FROM again);

CREATE OR REPLACE TEMP TABLE known AS
SELECT event_id, before.place, before.ts,
    merit(before.output, before.ts, before.input + before.cache_read + before.cache_write_5m + before.cache_write_1h
        + before.web_search + before.request) AS merit,
    claim(before.recorded_usd, figures(before), load_before.path) AS claim,
    claim(found.recorded_usd, figures(found), load.path) AS claim_now
FROM before JOIN load AS load_before ON load_before.file_id = before.file_id
    JOIN incoming USING (event_id) JOIN found ON found.rowid = incoming.place JOIN load ON load.file_id = found.file_id;

CREATE OR REPLACE TEMP TABLE better AS
SELECT incoming.event_id, incoming.place, known.event_id IS NULL AS added, known.place AS place_before,
    known.ts AS ts_before
FROM incoming LEFT JOIN known USING (event_id)
WHERE known.event_id IS NULL OR (incoming.merit, known.claim_now) > (known.merit, known.claim);

DELETE FROM usage_event WHERE rowid IN (SELECT place_before FROM better WHERE NOT added);

INSERT INTO usage_event BY NAME
SELECT found.* EXCLUDE (line, tokens, reason, stated_total, unfinished)
        REPLACE (coalesce(component, 'unattributed') AS component),
    component AS logged_component, agent AS logged_agent, task AS logged_task
FROM found SEMI JOIN better ON found.rowid = better.place;

INSERT OR IGNORE INTO touched_day
SELECT DISTINCT ts::DATE FROM found SEMI JOIN better ON found.rowid = better.place
UNION SELECT DISTINCT ts_before::DATE FROM better WHERE NOT added;
