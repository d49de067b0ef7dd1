-- Calls that a file told before it began anew under its old name: no later reading of that file takes them away.
CREATE TABLE past_call (event_id VARCHAR NOT NULL);
