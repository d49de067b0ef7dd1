-- What a batch of files holds (`found`, see found.py) into the store. The same call repeated counts once: the
-- entry of the greatest merit (the largest output, then the latest, then the most tokens); among equals the one with
-- the greatest claim (the larger recorded cost, then marks of its figures, its file, and whose it is), so that no order,
-- split or repetition of files changes what counts.
CREATE OR REPLACE TEMP MACRO merit(output, ts, tokens) AS
    -- output < 2^40, milliseconds since 2000 < 2^43, tokens < 2^44: together 127 bits
    (output::HUGEINT << 87) + ((epoch_ms(ts) - 946684800000)::HUGEINT << 44) + tokens::HUGEINT;
CREATE OR REPLACE TEMP MACRO figures(entry) AS  -- marks what an entry costs beside output and time, and whose it is
    hash(entry.model, entry.provider, entry.processing, entry.status, entry.context_tier, entry.session, [told],
        [classes]);
CREATE OR REPLACE TEMP MACRO claim(recorded_usd, figures, path, whose) AS
    -- billionths of a dollar, and one where there is any, < 2^60; 24 bits of two marks, and 18 of whose it is as logged:
    -- behind the path, from which many a reader has it, so that of two copies of a file one counts
    ((coalesce(greatest(recorded_usd::DECIMAL(38, 9), -1) + 1, 0) * 1000000000)::HUGEINT << 66)
        + (((figures & 16777215)::HUGEINT << 42) + ((hash(path) & 16777215)::HUGEINT << 18) + (whose & 262143)::HUGEINT);
