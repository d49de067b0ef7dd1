-- The prices as a table: one row per price row of the book. The rows come as one JSON array, because binding
-- them one by one takes a hundred times as long; the strict cast refuses a value that does not fit its type.
SELECT row.*
FROM (
    SELECT unnest(from_json_strict(?::JSON, '[{
        "price_id": "INTEGER",
        "provider": "VARCHAR",
        "model": "VARCHAR",
        "token_class": "VARCHAR",
        "processing": "VARCHAR",
        "min_input_tokens": "BIGINT",
        "valid_from": "TIMESTAMP",
        "valid_to": "TIMESTAMP",
        "utc_from": "TIME",
        "utc_to": "TIME",
        "usd": "DECIMAL(38,18)",
        "per": "BIGINT",
        "source": "VARCHAR",
        "source_version": "VARCHAR",
        "layer": "BIGINT",
        "shadow_usd": "DECIMAL(38,18)",
        "note": "VARCHAR",
        "usd_per_unit": "DECIMAL(38,24)",
        "shadow_usd_per_unit": "DECIMAL(38,24)"
    }]')) AS row
)
