-- Entries that are the sums of others beneath them: an agent's span and the spans of its calls, in other files or loads
-- (of those in one file its reader sees to it). An entry is such a sum by its kind, or where those beneath it add up to
-- it, or one of them repeats it; in a [nested] source, whatever it is. What is above what is kept in `span`.
INSERT INTO repeated
WITH RECURSIVE entry AS MATERIALIZED (
    SELECT usage_event.rowid AS place, source, ts::DATE AS day, coalesce(span.own, usage_event.event_id) AS own,
        span.above, coalesce(span.is_sum, FALSE) OR source IN (SELECT unnest($nested)) AS is_sum,
        [prompt] AS prompt, [output] AS output
    FROM usage_event LEFT JOIN span USING (event_id)
    WHERE role = 'calls' AND ts >= (SELECT min(day) - 1 FROM near_day) AND ts < (SELECT max(day) + 2 FROM near_day)
),
way AS (
    SELECT place, above FROM entry WHERE above IS NOT NULL
    UNION
    SELECT place, span.above FROM way JOIN span ON span.own = way.above WHERE span.above IS NOT NULL
),
link AS (
    SELECT DISTINCT sum.place, below.place AS below_place FROM way JOIN entry AS sum ON sum.own = way.above
        JOIN entry AS below ON below.place = way.place
    WHERE sum.place <> below.place AND sum.own <> below.own AND sum.day IN (SELECT day FROM near_day)
)
SELECT sum.place, min(below.source)
FROM link JOIN entry AS sum ON sum.place = link.place JOIN entry AS below ON below.place = below_place
WHERE sum.place NOT IN (SELECT place FROM repeated)
GROUP BY sum.place
HAVING any_value(sum.is_sum)
    OR (any_value(sum.prompt), any_value(sum.output)) = (sum(below.prompt), sum(below.output))
    OR bool_or(sum.prompt = below.prompt AND sum.output = below.output);
