-- Signs that a file states less than was used, of the calls of a batch (`found`, each by its entry that counts):
-- * a total that differs from the sum of its parts (`amount` is total less parts),
-- * answers whose end the log does not contain (no stop reason): their output may be a first count,
-- * outputs of a few tokens after which the session's next call, within a minute, has far more context: what was added
--   in so short a time is what the model wrote, and what its tools gave back to a call that it must have written.
-- * tokens of audio and images beyond the figure that they are part of: they are in no class (`amount`),
-- * a processing level that no price list has (`processing turbo`).
-- * a recorded cost without tokens (images, characters, a request's fee): it is in no computed cost,
-- * calls that went well and state neither tokens nor a cost (a stream that was not asked for its usage).
-- Contexts are compared only in files with more than one such output in 50 calls: the others need no order.
INSERT INTO sign
WITH call AS MATERIALIZED (
    SELECT found.file_id, found.source, found.session, found.agent, found.ts, [output] AS output, found.unfinished,
        found.media_beyond,
        split_part(found.processing, '/', 1) AS level,
        found.tokens + found.output = found.request AND found.recorded_usd > 0 AND found.role = 'calls' AS cost_only,
        found.tokens + found.output = found.request AND found.request > 0 AND found.role = 'calls'
            AND NOT found.aggregated AND found.status = 'ok' AND coalesce(found.recorded_usd, 0) = 0 AS without_usage,
        found.response_id,
        found.cache_read > 0 AND NOT found.aggregated AND found.session IS NOT NULL AS cached,
        [prompt] AS context,
        found.stated_total::HUGEINT - ([prompt] + [output]) AS beyond
    FROM found JOIN incoming ON found.rowid = incoming.place
        [kept]
),
seen (file_id, source, kind, calls, compared, amount) AS (
    [kinds]
)
SELECT file_id, source, kind, calls, compared, coalesce(amount, 0)::DECIMAL(38, 0) FROM seen WHERE calls > 0
ON CONFLICT (file_id, kind) DO UPDATE SET calls = sign.calls + excluded.calls,
    compared = sign.compared + excluded.compared, amount = sign.amount + excluded.amount;
