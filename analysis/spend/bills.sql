-- Which sums of bills are not counted, because calls of their provider, days and models are. Reads known_name
-- (names.py), and [biller] stands for the SQL of who bills a row; same_calls.py says what is meant.

-- Calls that state their account are not what another account of the bill is charged for.
CREATE OR REPLACE TEMP MACRO aws_account(tags) AS nullif(regexp_extract(tags ->> '$.account', '^\d{12}$'), '');

CREATE OR REPLACE TEMP TABLE bill_part AS
WITH sums AS (
    SELECT usage_event.rowid AS place, source, ts::DATE AS first_day,
        greatest(ts, coalesce(period_end - INTERVAL 1 MICROSECOND, ts))::DATE AS last_day, [biller] AS provider, known.model,
        known.called, usage_event.covered_by AS covered_before,
        [tokens] > 0 AS has_tokens,
        CASE WHEN [biller] = 'aws' THEN aws_account(tags) END AS account
    FROM usage_event LEFT JOIN known_name AS known
        ON known.provider_ref IS NOT DISTINCT FROM usage_event.provider
        AND known.model_ref IS NOT DISTINCT FROM usage_event.model
    WHERE role = 'bill'
)
SELECT *, FALSE AS covered, NULL::VARCHAR AS covered_by FROM sums;

-- What is counted so far: calls first, then bill by bill, those that have tokens first.
CREATE OR REPLACE TEMP TABLE counted_cell AS
SELECT DISTINCT source, ts::DATE AS first_day, ts::DATE AS last_day, [biller] AS provider, known.model, known.called,
    FALSE AS usage_of_bill,  -- tokens of a bill: what its provider's costs of these days are for, of whatever model
    CASE WHEN source = 'bedrock' THEN aws_account(tags) END AS account
FROM usage_event JOIN known_name AS known
    ON known.provider_ref IS NOT DISTINCT FROM usage_event.provider
    AND known.model_ref IS NOT DISTINCT FROM usage_event.model
WHERE role = 'calls' AND usage_event.covered_by IS NULL
    AND ts >= (SELECT min(first_day) FROM bill_part) AND ts < (SELECT max(last_day) + 1 FROM bill_part)
