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
