-- Calls that a file had, and that others of its entries state by now.
CREATE OR REPLACE TEMP TABLE replaced AS
SELECT usage_event.rowid AS place, ts
FROM usage_event SEMI JOIN read_again USING (file_id) SEMI JOIN covered USING (file_id, event_id)
    ANTI JOIN found USING (file_id, event_id);
