-- Entries that are none become rejects, but those that others of their file state.
INSERT INTO reject
SELECT file_id, line, reason, left(concat_ws(' ', event_id, model), 500) FROM found
WHERE reason IS NOT NULL AND reason <> '[covered]';

CREATE OR REPLACE TEMP TABLE covered AS SELECT file_id, event_id FROM found WHERE reason = '[covered]';

DELETE FROM found_row WHERE reason IS NOT NULL;
