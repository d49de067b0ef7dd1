-- The attribution rules that were applied last (JSON), so that calls loaded later follow them too.
CREATE TABLE attribution (rules VARCHAR NOT NULL);
