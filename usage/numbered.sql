-- Entries without an id of their own: their content, and how often their file has repeated it before, are the id.
UPDATE found_row SET event_id = left(event_id, -1) || number
FROM (
    SELECT found.rowid AS place, row_number() OVER (PARTITION BY file_id, event_id ORDER BY line) AS number
    FROM found SEMI JOIN alike USING (file_id, event_id)
) AS numbered
WHERE found_row.rowid = numbered.place AND number > 1;
