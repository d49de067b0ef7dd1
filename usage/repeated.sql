-- Of calls that the store has already (`before`), the better entry counts. What a file that was read again said of a
-- call does not compete with what it says now: its last word counts, unless what it said is its past.
CREATE OR REPLACE TEMP TABLE before AS
SELECT rowid AS place, * [but_tags] FROM usage_event WHERE rowid IN (SELECT place FROM again);

CREATE OR REPLACE TEMP TABLE known AS
SELECT event_id, before.place, before.ts,
    merit(before.output, before.ts, [tokens]) AS merit,
    claim(before.recorded_usd, figures(before), load_before.path, hash(logged_component, logged_agent, logged_task))
        AS claim,
    claim(found.recorded_usd, figures(found), load.path, hash(found.component, found.agent, found.task)) AS claim_now,
    [restated] AS restated
FROM before JOIN load AS load_before ON load_before.file_id = before.file_id
    JOIN incoming USING (event_id) JOIN found ON found.rowid = incoming.place JOIN load ON load.file_id = found.file_id;

CREATE OR REPLACE TEMP TABLE better AS
SELECT incoming.event_id, incoming.place, known.event_id IS NULL AS added, known.place AS place_before,
    known.ts AS ts_before, known.restated OR incoming.merit > known.merit AS updated
FROM incoming LEFT JOIN known USING (event_id)
WHERE known.event_id IS NULL OR known.restated OR (incoming.merit, known.claim_now) > (known.merit, known.claim);

DELETE FROM usage_event WHERE rowid IN (SELECT place_before FROM better WHERE NOT added);
