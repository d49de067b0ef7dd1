-- What a file had before and states no more, or as less: with more, `merit` chooses.
CREATE OR REPLACE TEMP TABLE gone AS
SELECT usage_event.rowid AS place, usage_event.* FROM usage_event SEMI JOIN read_again USING (file_id)
WHERE NOT EXISTS (
    SELECT 1 FROM found AS still
    WHERE still.file_id = usage_event.file_id AND still.event_id = usage_event.event_id
        AND still.output >= usage_event.output
        AND still.input + still.cache_read >= usage_event.input + usage_event.cache_read
);
