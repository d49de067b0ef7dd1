-- Calls that their file states in another way by now: what it sums up, or lists beside, is not its past. `before` is an
-- entry as the store has it, `now` one of the new reading. What is stated still, and has not fallen, is left to `merit`.
CREATE OR REPLACE TEMP TABLE replaced AS
SELECT DISTINCT before.rowid AS place, before.ts
FROM usage_event AS before JOIN read_again USING (file_id)
    JOIN found AS now ON now.file_id = before.file_id AND now.event_id <> before.event_id AND [condition]
WHERE NOT EXISTS (
    SELECT 1 FROM found AS still WHERE still.file_id = before.file_id AND still.event_id = before.event_id
        AND still.output >= before.output AND still.input + still.cache_read >= before.input + before.cache_read
);

INSERT OR IGNORE INTO touched_day SELECT DISTINCT ts::DATE FROM replaced;

DELETE FROM usage_event WHERE rowid IN (SELECT place FROM replaced);
