-- What a batch of files holds (`found`, see found.sql) into the store. The same call repeated counts once: the
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

-- Entries without an id of their own: their content and how often the file has repeated it before are the id.
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
