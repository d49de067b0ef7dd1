-- What looks like usage in a file and is neither counted nor known to be left out.
CREATE TABLE unread (
    file_id     BIGINT NOT NULL,
    source      VARCHAR NOT NULL,             -- the reader
    field       VARCHAR NOT NULL,             -- its dotted path from the record's top
    occurrences BIGINT NOT NULL,              -- numbers other than 0
    total       DECIMAL(38, 9) NOT NULL,      -- their sum
    line        BIGINT,                       -- of the first; NULL where it is not known
    raw         VARCHAR NOT NULL,             -- the first number, as written
    PRIMARY KEY (file_id, field)
);
-- Fields that the user knows not to be counted.
CREATE TABLE acknowledged (field VARCHAR PRIMARY KEY);
