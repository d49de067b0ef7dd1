-- The entries that count (`better`, which may be all) into the store.
INSERT INTO usage_event BY NAME
SELECT found.* EXCLUDE (rowid, [not_kept])
        REPLACE (coalesce(component, 'unattributed') AS component),
    component AS logged_component, agent AS logged_agent, task AS logged_task
FROM found [better];

INSERT OR IGNORE INTO touched_day
SELECT DISTINCT ts::DATE FROM found [better]
[before];
