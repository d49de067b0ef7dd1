-- Claims are computed for the few entries that need one: those that tie with another. Of equal ones their whole content
-- decides, so that it does not hang on the order in which threads read them; not their line, which bulk does not know.
CREATE OR REPLACE TEMP TABLE incoming AS
WITH top AS MATERIALIZED (
    SELECT event_id, max(merit(output, ts, tokens)) AS merit, arg_max(rowid, merit(output, ts, tokens)) AS place
    FROM found GROUP BY event_id
),
tied AS MATERIALIZED (
    SELECT event_id, found.rowid AS place FROM found JOIN top USING (event_id)
    WHERE merit(output, ts, tokens) = merit AND found.rowid <> place
),
settled AS (
    SELECT tied.event_id, arg_max(
            tied.place, (claim(found.recorded_usd, figures(found), path, hash(found.component, found.agent, found.task)),
                hash(*COLUMNS(entry.* EXCLUDE (file_id, line))))
        ) AS place
    FROM (FROM tied UNION ALL SELECT event_id, place FROM top SEMI JOIN tied USING (event_id)) AS tied
        JOIN found ON found.rowid = tied.place JOIN load USING (file_id)
        JOIN found_row AS entry ON entry.rowid = tied.place
    GROUP BY tied.event_id
)
SELECT event_id, merit, coalesce(settled.place, top.place) AS place FROM top LEFT JOIN settled USING (event_id);

-- Calls of the store that are repeated. Ids are looked up first: of the others, nothing more is read.
