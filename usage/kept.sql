-- The entries that count (`better`) into the store.
INSERT INTO usage_event BY NAME
SELECT found.* EXCLUDE (line, tokens, reason, unnamed, stated_total, unfinished)
        REPLACE (coalesce(component, 'unattributed') AS component),
    component AS logged_component, agent AS logged_agent, task AS logged_task
FROM found SEMI JOIN better ON found.rowid = better.place;

INSERT OR IGNORE INTO touched_day
SELECT DISTINCT ts::DATE FROM found SEMI JOIN better ON found.rowid = better.place
UNION SELECT DISTINCT ts_before::DATE FROM better WHERE NOT added;
