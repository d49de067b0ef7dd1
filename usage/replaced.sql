-- Calls that their file states in another way by now: what it sums up, or lists beside, is not its past. `before` is an
-- entry of `gone`, `now` one of the new reading.
CREATE OR REPLACE TEMP TABLE replaced AS
SELECT DISTINCT before.place, before.ts
FROM gone AS before JOIN found AS now ON now.file_id = before.file_id AND now.event_id <> before.event_id
WHERE [condition];
