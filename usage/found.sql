-- Entries of a batch as their reader projects them. `reason` says why one is no usable entry.
CREATE OR REPLACE TEMP TABLE found (
    file_id BIGINT, line BIGINT, source VARCHAR, role VARCHAR, event_id VARCHAR, ts TIMESTAMP, component VARCHAR, agent VARCHAR, task VARCHAR,
    session VARCHAR, "user" VARCHAR, team VARCHAR, project VARCHAR, repository VARCHAR, branch VARCHAR,
    response_id VARCHAR, request_id VARCHAR, period_end TIMESTAMP, provider VARCHAR, model VARCHAR,
    processing VARCHAR, status VARCHAR, aggregated BOOLEAN,
    context_tier BIGINT, input BIGINT, input_audio BIGINT, input_image BIGINT, cache_read BIGINT, cache_read_audio BIGINT,
    cache_read_image BIGINT, cache_write_5m BIGINT, cache_write_1h BIGINT, output BIGINT, output_audio BIGINT,
    output_image BIGINT, web_search BIGINT, request BIGINT, recorded_usd DECIMAL(38, 18),
    tags VARCHAR, tokens BIGINT, reason VARCHAR,
    unnamed BOOLEAN,  -- whether the source has no id of it
    stated_total HUGEINT, media_beyond HUGEINT, unfinished BOOLEAN  -- for signs.sql
);
