-- Counts and exact sums by task, model and calendar month (UTC). `priced` counts the rows whose cost is known.
SELECT
    task,
    model,
    CAST(date_trunc('month', ts) AS DATE) AS month,
    count(*) AS trials,
    count(*) FILTER (success AND NOT escalated) AS successes,
    count(*) FILTER (success) AS solved,
    count(*) FILTER (escalated) AS escalated,
    count(usd) AS priced,
    coalesce(sum(usd), 0) AS usd,
    count(human_score) AS human_scores,
    coalesce(sum(human_score), 0) AS human_score_sum
FROM outcome
WHERE ($since IS NULL OR ts >= $since) AND ($until IS NULL OR ts < $until)
GROUP BY task, model, month
ORDER BY task, model, month
