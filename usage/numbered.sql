-- Entries without an id of their own: their content, and how often their file has repeated it before, are the id.
-- The update is a transaction of its own: what it replaces would be kept until the end of a longer one.
CREATE OR REPLACE TEMP TABLE repetition AS
SELECT entry.rowid AS place, row_number() OVER (PARTITION BY kind ORDER BY [order]) AS number
FROM found_row AS entry JOIN alike USING (file_id, event_id)
QUALIFY number > 1;

UPDATE found_row SET event_id = left(event_id, -1) || number
FROM repetition WHERE found_row.rowid = repetition.place;

DROP TABLE repetition;
