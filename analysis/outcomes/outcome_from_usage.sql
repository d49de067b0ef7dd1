-- A logged call with a status is an outcome: 'ok' solved its task, unless another model had to be called after it.
-- A sum over calls, or a call without a model, is no evidence. What someone has said about a call themselves (a
-- loaded file, by its event_id) stands above what the log says.
INSERT INTO outcome
WITH call AS (
    SELECT
        ts, event_id AS request_id, status, recorded_usd, attempt_of,
        coalesce(nullif(task, ''), 'fallback') AS task,
        CASE
            WHEN coalesce(provider, '') = '' OR starts_with(model, provider || '/') THEN model
            ELSE provider || '/' || model
        END AS model
    FROM usage_event
    WHERE NOT aggregated AND model IS NOT NULL
),
judged AS (
    SELECT
        call.*,
        EXISTS (
            FROM call AS later WHERE later.attempt_of = call.request_id AND later.model <> call.model
        ) AS escalated
    FROM call
    WHERE coalesce(status, '') <> ''
)
SELECT
    ts, request_id, task, model, status = 'ok' AND NOT escalated, escalated, NULL,
    CAST(recorded_usd AS DECIMAL(38, 24)), 'usage_event'
FROM judged
WHERE NOT EXISTS (FROM outcome AS said WHERE said.request_id = judged.request_id)
