-- One row per run, plan, day and component of a projection. See analysis/simulation/table.py.
CREATE TABLE IF NOT EXISTS projection (
    run VARCHAR,
    architecture VARCHAR,
    price_book VARCHAR,
    computed_at TIMESTAMP,
    plan VARCHAR,
    day DATE,
    component VARCHAR,
    agent VARCHAR,
    task VARCHAR,
    model VARCHAR,
    runs DECIMAL(38, 12),
    expected_usd DECIMAL(38, 12),
    p10_usd DECIMAL(38, 12),
    p50_usd DECIMAL(38, 12),
    p90_usd DECIMAL(38, 12)
)
