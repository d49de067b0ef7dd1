-- Signs that a file states less than was used, of the calls of a batch (`found`, each by its entry that counts):
-- * a total that differs from the sum of its parts (`amount` is total less parts),
-- * answers whose end the log does not contain (no stop reason): their output may be a first count,
-- * outputs of a few tokens after which the session's next call, within a minute, has far more context: what was added
--   in so short a time is what the model wrote, and what its tools gave back to a call that it must have written.
-- * a processing level that no price list has (`processing turbo`).
-- * a recorded cost without tokens (images, characters, a request's fee): it is in no computed cost.
-- Contexts are compared only in files with more than one such output in 50 calls: the others need no order.
INSERT INTO sign
WITH call AS MATERIALIZED (
    SELECT found.file_id, found.source, found.session, found.agent, found.ts, found.output, found.unfinished,
        split_part(found.processing, '/', 1) AS level,
        found.tokens + found.output = found.request AND found.recorded_usd > 0 AND found.role = 'calls' AS cost_only,
        found.cache_read > 0 AND NOT found.aggregated AND found.session IS NOT NULL AS cached,
        found.input + found.cache_read + found.cache_write_5m + found.cache_write_1h AS context,
        found.stated_total::HUGEINT - (found.input + found.cache_read + found.cache_write_5m + found.cache_write_1h
            + found.output) AS beyond
    FROM found JOIN incoming ON found.rowid = incoming.place ANTI JOIN (
        SELECT event_id, before.file_id AS elsewhere FROM before ANTI JOIN better USING (event_id)
    ) AS kept ON kept.event_id = incoming.event_id AND kept.elsewhere <> found.file_id
),
short AS (
    SELECT file_id FROM call GROUP BY file_id HAVING count(*) FILTER (cached AND output BETWEEN 1 AND 10) * 50 > count(*)
),
followed AS (
    SELECT file_id, source, output, lead(context) OVER next - context AS growth, lead(ts) OVER next - ts AS gap
    FROM call SEMI JOIN short USING (file_id) WHERE cached
    WINDOW next AS (PARTITION BY file_id, session, agent ORDER BY ts)
),
seen AS (
    SELECT file_id, source, 'total above its parts' AS kind, count(*) FILTER (beyond > 0) AS calls,
        count(beyond) AS compared, sum(beyond) FILTER (beyond > 0) AS amount
    FROM call GROUP BY ALL
    UNION ALL
    SELECT file_id, source, 'total below its parts', count(*) FILTER (beyond < 0), count(beyond),
        sum(beyond) FILTER (beyond < 0)
    FROM call GROUP BY ALL
    UNION ALL
    SELECT file_id, source, 'no stop reason', count(*) FILTER (unfinished), count(unfinished), 0 FROM call GROUP BY ALL
    UNION ALL
    SELECT file_id, source, 'a cost without tokens', count(*) FILTER (cost_only), count(*), 0 FROM call GROUP BY ALL
    UNION ALL
    SELECT file_id, source, 'processing ' || level, count(*), count(*), 0
    FROM call WHERE level NOT IN ('standard', 'batch', 'flex', 'priority', 'fast') GROUP BY ALL
    UNION ALL
    SELECT file_id, source, 'output too small',
        count(*) FILTER (output BETWEEN 1 AND 10 AND growth > output + 64 AND gap < INTERVAL 1 MINUTE), count(growth),
        0
    FROM followed GROUP BY ALL
)
SELECT file_id, source, kind, calls, compared, coalesce(amount, 0)::DECIMAL(38, 0) FROM seen WHERE calls > 0
ON CONFLICT (file_id, kind) DO UPDATE SET calls = sign.calls + excluded.calls,
    compared = sign.compared + excluded.compared, amount = sign.amount + excluded.amount;
