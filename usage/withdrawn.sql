-- What a file had before and has no more. Where it began anew, that is its past, and stays. Where all that it held
-- still stands, it was read otherwise: a row was cut, or a mapping was wrong.
CREATE OR REPLACE TEMP TABLE no_longer_stated AS
SELECT usage_event.rowid AS place, event_id, source, ts, stands
FROM usage_event JOIN read_again USING (file_id) ANTI JOIN found USING (file_id, event_id) ANTI JOIN past_call USING (event_id);

INSERT INTO past_call SELECT event_id FROM no_longer_stated WHERE NOT stands;

CREATE OR REPLACE TEMP TABLE withdrawn AS SELECT place, source, ts FROM no_longer_stated WHERE stands;
