-- What sums of usage cost: `usage_sum` (see store.py) in, one row of `sum_cost` out for each of its rows.
-- The row that prices a sum is the one that PriceBook.price finds: of the rows in force at that moment, those of the
-- class, else of the one that pays for it; of these the sum's own processing level and region's, else the level's, else
-- the standard ones; of these the highest layer's, then the highest tier not above the request's input. Unpriced is
-- NULL, never 0; only a call without a price per call is free.
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
-- audio and images of a model without a price of theirs are priced as another class: see PRICED_AS of tokens.py
pays (token_class, priced_class, place) AS (VALUES [pays]),
asked AS (
    SELECT numbered.*, pays.priced_class, pays.place FROM numbered JOIN pays USING (token_class)
),
in_force AS (
    SELECT
        asked.line,
        asked.tier_input,
        price.*,
        4 * asked.place + list_position(asked.processings, price.processing) AS choice,
        min(choice) OVER (PARTITION BY asked.line) AS first_choice
    FROM asked
    JOIN price
        ON price.provider = asked.provider
        AND price.model = asked.model
        AND price.token_class = asked.priced_class
        AND list_contains(asked.processings, price.processing)
        AND asked.at >= coalesce(price.valid_from, '-infinity'::TIMESTAMP)
        AND asked.at < coalesce(price.valid_to, 'infinity'::TIMESTAMP)
        AND CASE
            WHEN price.utc_from IS NULL OR price.utc_to IS NULL THEN true
            WHEN price.utc_from < price.utc_to
                THEN asked.at::TIME >= price.utc_from AND asked.at::TIME < price.utc_to
            ELSE asked.at::TIME >= price.utc_from OR asked.at::TIME < price.utc_to
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
