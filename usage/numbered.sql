-- Entries without an id of their own: their content, and how often their file has repeated it before, are the id.
-- They are written anew: an update would keep what it replaces until the end of the transaction.
CREATE OR REPLACE TEMP TABLE repetition AS
SELECT entry.rowid AS place, row_number() OVER (PARTITION BY kind ORDER BY line, hash(*COLUMNS(entry.* EXCLUDE (file_id)))) AS number
FROM found_row AS entry JOIN alike USING (file_id, event_id)
QUALIFY number > 1;

CREATE OR REPLACE TEMP TABLE numbered AS
SELECT found_row.* REPLACE (CASE WHEN number IS NULL THEN event_id ELSE left(event_id, -1) || number END AS event_id)
FROM found_row LEFT JOIN repetition ON found_row.rowid = repetition.place;

DROP TABLE repetition;

DROP TABLE found_row;

ALTER TABLE numbered RENAME TO found_row;
