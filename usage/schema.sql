-- The store's tables. Nothing has been released: change them here and count SCHEMA_VERSION (usage/store.py) up, and
-- older stores say that their logs are to be loaded again.

-- One logged call, or one bucket of calls that its source had already summed (aggregated).
-- DuckDB finds a compression by trying all. Stated are those that are known: zstd makes half of ids, in a third of the
-- time, and columns that are of one value in most files need no other than rle.
CREATE TABLE usage_event (
    event_id       VARCHAR NOT NULL USING COMPRESSION zstd, -- the call's identity across files, prefixed by the reader
    ts             TIMESTAMP NOT NULL,        -- UTC
    file_id        BIGINT NOT NULL USING COMPRESSION rle, -- load.file_id: the file whose entry counts
    source         VARCHAR NOT NULL,          -- the reader
    role           VARCHAR NOT NULL DEFAULT 'calls', -- calls | bill: what the provider says it charged
    covered_by     VARCHAR,                   -- the source that has the same call, or the calls of this bill: it is
                                              -- not counted; NULL: counted. See analysis/spend/same_calls.py
    response_id    VARCHAR USING COMPRESSION zstd, -- the provider's own id of its response, where a source has it
    request_id     VARCHAR,                   -- the provider's own id of the request
    period_end     TIMESTAMP USING COMPRESSION rle, -- of a bill's sum of more than its first day (UTC, exclusive)
    component      VARCHAR NOT NULL,          -- by the attribution rules, else 'unattributed'
    agent          VARCHAR,                   -- by the rules, else as logged
    task           VARCHAR,
    logged_component VARCHAR,                 -- as logged, so that rules can be applied anew
    logged_agent   VARCHAR,
    logged_task    VARCHAR,
    session        VARCHAR,
    "user"         VARCHAR,                   -- who: dimensions, as far as the source has them
    team           VARCHAR,
    project        VARCHAR,
    repository     VARCHAR,
    branch         VARCHAR,
    provider       VARCHAR,
    model          VARCHAR,                   -- as logged
    processing     VARCHAR NOT NULL,          -- standard | batch | flex | priority | fast
    status         VARCHAR NOT NULL,          -- ok | error | as logged
    aggregated     BOOLEAN NOT NULL,          -- a sum over calls: it has no request's own size
    context_tier   BIGINT USING COMPRESSION rle, -- least total input of each call, where a sum's source states it
    input          BIGINT NOT NULL,           -- uncached tokens: text, and what no medium is stated of
    input_audio    BIGINT NOT NULL DEFAULT 0 USING COMPRESSION rle,
    input_image    BIGINT NOT NULL DEFAULT 0 USING COMPRESSION rle,
    cache_read     BIGINT NOT NULL,
    cache_read_audio BIGINT NOT NULL DEFAULT 0 USING COMPRESSION rle,
    cache_read_image BIGINT NOT NULL DEFAULT 0 USING COMPRESSION rle,
    cache_write_5m BIGINT NOT NULL,
    cache_write_1h BIGINT NOT NULL,
    output         BIGINT NOT NULL,           -- reasoning included
    output_audio   BIGINT NOT NULL DEFAULT 0 USING COMPRESSION rle,
    output_image   BIGINT NOT NULL DEFAULT 0 USING COMPRESSION rle,
    web_search     BIGINT NOT NULL USING COMPRESSION rle, -- searches
    request        BIGINT NOT NULL USING COMPRESSION rle, -- calls: 1, or the sum's count
    recorded_usd   DECIMAL(38, 18),           -- what the source says it cost; NULL where it says nothing
    tags           VARCHAR                    -- JSON object of what else the source has, to attribute and group by
);

-- One file (or the standard input) as last read.
CREATE SEQUENCE file_number;
CREATE TABLE load (
    file_id   BIGINT PRIMARY KEY,
    path      VARCHAR NOT NULL UNIQUE,
    content_hash    VARCHAR NOT NULL,
    bytes     BIGINT NOT NULL,
    mtime_ns  BIGINT NOT NULL,                -- when it was last written to; -1: it is to be read again as it is
    ctime_ns  BIGINT NOT NULL,                -- when its content, name or place last changed, as its disk says; else 0
    reader    VARCHAR NOT NULL,
    entries   BIGINT NOT NULL,                -- calls found in the file, repeated ones included
    added     BIGINT NOT NULL,                -- calls that no file had before
    rejected  BIGINT NOT NULL,
    role      VARCHAR NOT NULL,               -- calls | bill
    loaded_at TIMESTAMP NOT NULL,
    declared  VARCHAR                         -- how the user said to read it: a format's name, or a mapping (JSON)
);

-- A line that is no usable entry, and why.
CREATE TABLE reject (
    file_id BIGINT NOT NULL,
    line    BIGINT,                           -- from 1; NULL where the format has no lines
    reason  VARCHAR NOT NULL,
    raw     VARCHAR                           -- the beginning of it
);

-- The rollup: exact sums of usage_event. See rollup.py. Dimensions few questions need are not
-- in it (session, user, team, project, repository, branch, tags): they are asked of the calls.
CREATE TABLE usage_daily (
    day            DATE NOT NULL,             -- UTC
    slot           SMALLINT NOT NULL,         -- half hour of the day, for models priced by the hour; else -1
    source         VARCHAR NOT NULL,
    role           VARCHAR NOT NULL DEFAULT 'calls',
    component      VARCHAR NOT NULL,
    agent          VARCHAR,
    task           VARCHAR,
    provider       VARCHAR,
    model          VARCHAR,
    processing     VARCHAR NOT NULL,
    status         VARCHAR NOT NULL,
    tier           BIGINT NOT NULL,           -- the largest tier start not above each request's total input
    calls          BIGINT NOT NULL,           -- usage_event rows
    input          BIGINT NOT NULL,
    input_audio    BIGINT NOT NULL DEFAULT 0,
    input_image    BIGINT NOT NULL DEFAULT 0,
    cache_read     BIGINT NOT NULL,
    cache_read_audio BIGINT NOT NULL DEFAULT 0,
    cache_read_image BIGINT NOT NULL DEFAULT 0,
    cache_write_5m BIGINT NOT NULL,
    cache_write_1h BIGINT NOT NULL,
    output         BIGINT NOT NULL,
    output_audio   BIGINT NOT NULL DEFAULT 0,
    output_image   BIGINT NOT NULL DEFAULT 0,
    web_search     BIGINT NOT NULL,
    request        BIGINT NOT NULL,
    recorded_usd   DECIMAL(38, 18),           -- sum over the rows that have one
    recorded_calls BIGINT NOT NULL            -- how many rows have one
);

-- The same sums of what is not counted, and why: another source has the call, or the calls of the bill.
CREATE TABLE covered_daily AS SELECT *, NULL::VARCHAR AS covered_by FROM usage_daily;

-- Cells of which two sources have calls, and nothing says whether they are the same calls: both are counted.
CREATE TABLE overlap (
    day      DATE NOT NULL,
    provider VARCHAR NOT NULL,                -- as the price book calls it, else as logged
    model    VARCHAR NOT NULL,
    source   VARCHAR NOT NULL,
    other    VARCHAR NOT NULL
);

-- The role that the user gave a source, by its name.
CREATE TABLE source_role (source VARCHAR PRIMARY KEY, role VARCHAR NOT NULL);

-- Days whose rollup is out of date, and the parameters the rollup was built with.
CREATE TABLE touched_day (day DATE PRIMARY KEY);
CREATE TABLE rollup_state (parameters VARCHAR NOT NULL);

-- The attribution rules that were applied last (JSON), so that calls loaded later follow them too.
CREATE TABLE attribution (rules VARCHAR NOT NULL);

-- Calls that a file held before it began anew under its old name: no later reading of that file takes them away.
CREATE TABLE past_call (event_id VARCHAR NOT NULL);

-- Spans, runs or calls whose entries may be sums of others, or stand beneath such a one, in another file: see
-- analysis/spend/beneath.sql. Most entries have none: their file says it all.
CREATE TABLE span (
    event_id VARCHAR NOT NULL,
    own      VARCHAR NOT NULL,                -- what those beneath it call it
    above    VARCHAR,                         -- the nearest one above it that is not in its file
    is_sum   BOOLEAN NOT NULL                 -- by its kind the sum of the calls beneath it
);

-- What looks like usage in a file and is neither counted nor known to be left out.
CREATE TABLE unread (
    file_id     BIGINT NOT NULL,
    source      VARCHAR NOT NULL,             -- the reader
    field       VARCHAR NOT NULL,             -- its dotted path from the record's top
    occurrences BIGINT NOT NULL,              -- numbers other than 0
    total       DECIMAL(38, 9) NOT NULL,      -- their sum
    line        BIGINT,                       -- of the first; NULL where it is not known
    raw         VARCHAR NOT NULL,             -- the first number, as written
    as_text     BOOLEAN NOT NULL,             -- counted within another figure, at the price of text (audio, images)
    PRIMARY KEY (file_id, field)
);

-- Fields that the user knows not to be counted.
CREATE TABLE acknowledged (field VARCHAR PRIMARY KEY);

-- Files of folders that were loaded and are no logs, and what they are.
CREATE TABLE passed_over (path VARCHAR PRIMARY KEY, reason VARCHAR NOT NULL);

-- What says that a file states less than was used, or contradicts itself. See signs.sql.
CREATE TABLE sign (
    file_id  BIGINT NOT NULL,
    source   VARCHAR NOT NULL,                -- the reader
    kind     VARCHAR NOT NULL,
    calls    BIGINT NOT NULL,                 -- calls in which it was seen
    compared BIGINT NOT NULL,                 -- calls in which it could be seen
    amount   DECIMAL(38, 0) NOT NULL,         -- tokens, where the kind has such
    PRIMARY KEY (file_id, kind)
);

-- What a format is known to lack.
CREATE TABLE source_note (source VARCHAR PRIMARY KEY, undercounts VARCHAR NOT NULL);
