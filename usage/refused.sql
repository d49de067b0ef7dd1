-- Entries that are none become rejects.
INSERT INTO reject
SELECT file_id, line, reason, left(concat_ws(' ', event_id, model), 500) FROM found WHERE reason IS NOT NULL;

DELETE FROM found_row WHERE reason IS NOT NULL;
