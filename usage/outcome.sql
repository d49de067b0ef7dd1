-- One row: how one run of a task went on one model. `source` is the file that said so.
CREATE TABLE IF NOT EXISTS outcome (
    ts TIMESTAMP NOT NULL,
    request_id VARCHAR,
    task VARCHAR NOT NULL,
    model VARCHAR NOT NULL,
    success BOOLEAN NOT NULL,
    escalated BOOLEAN NOT NULL,
    human_score DOUBLE,
    usd DECIMAL(38, 24),
    source VARCHAR NOT NULL
)
