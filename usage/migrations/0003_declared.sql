-- How the user said to read the file: a format's name, or a mapping (JSON); NULL where its content told.
ALTER TABLE load ADD COLUMN declared VARCHAR;
