-- What sums of usage cost: `usage_sum` (see store.py) in, one row of `sum_cost` out for each of its rows.
-- The row that prices a sum is the one that PriceBook.price finds: of the rows in force at that moment, those of
-- the sum's own processing level and region, else of the level, else the standard ones; of these the highest layer's, then the highest tier
-- not above the request's input. Unpriced is NULL, never 0; only a call without a price per call is free.
CREATE OR REPLACE TEMP TABLE sum_cost AS
WITH numbered AS MATERIALIZED (
    SELECT
        *,
        row_number() OVER () AS line,
        -- the processing level in the region, the level, standard in the region, standard
        [processing, split_part(processing, '/', 1), 'standard' || regexp_extract(processing, '/.*'), 'standard']
            AS processings
    FROM usage_sum
),
in_force AS (
    SELECT
        numbered.line,
        numbered.tier_input,
        price.*,
        list_position(numbered.processings, price.processing) AS choice,
        min(choice) OVER (PARTITION BY numbered.line) AS first_choice
    FROM numbered
    JOIN price
        ON price.provider = numbered.provider
        AND price.model = numbered.model
        AND price.token_class = numbered.token_class
        AND list_contains(numbered.processings, price.processing)
        AND numbered.at >= coalesce(price.valid_from, '-infinity'::TIMESTAMP)
        AND numbered.at < coalesce(price.valid_to, 'infinity'::TIMESTAMP)
        AND CASE
            WHEN price.utc_from IS NULL OR price.utc_to IS NULL THEN true
            WHEN price.utc_from < price.utc_to
                THEN numbered.at::TIME >= price.utc_from AND numbered.at::TIME < price.utc_to
            ELSE numbered.at::TIME >= price.utc_from OR numbered.at::TIME < price.utc_to
        END
),
paying AS (
    SELECT * FROM in_force
    WHERE choice = first_choice AND min_input_tokens <= tier_input
    QUALIFY row_number() OVER (PARTITION BY line ORDER BY layer DESC, min_input_tokens DESC, price_id) = 1
)
SELECT
    numbered.sum_id,
    numbered.token_class,
    numbered.tokens,
    CASE
        WHEN paying.price_id IS NOT NULL THEN numbered.tokens * paying.usd_per_unit
        WHEN numbered.tokens = 0 OR numbered.token_class = 'request' THEN 0::DECIMAL(38, 24)
    END AS usd,
    CASE
        WHEN paying.price_id IS NOT NULL THEN numbered.tokens * paying.shadow_usd_per_unit
        WHEN numbered.tokens = 0 OR numbered.token_class = 'request' THEN 0::DECIMAL(38, 24)
    END AS shadow_usd,
    paying.price_id
FROM numbered
LEFT JOIN paying USING (line)
ORDER BY numbered.line;
