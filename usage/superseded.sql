-- Sums of Claude Code's metrics for sessions whose calls this batch has: the calls count, whichever was loaded first.
CREATE OR REPLACE TEMP TABLE superseded AS
SELECT usage_event.rowid AS place, ts FROM usage_event
WHERE source = 'otel' AND aggregated AND event_id LIKE 'otel:metric:%' AND session IN (
    SELECT found.session FROM found JOIN incoming ON found.rowid = incoming.place WHERE NOT found.aggregated
);

INSERT OR IGNORE INTO touched_day SELECT DISTINCT ts::DATE FROM superseded;

DELETE FROM usage_event WHERE rowid IN (SELECT place FROM superseded);
