"""Claude Code's metrics of tokens and cost: sums without single calls, for sessions that no record or span reports.

https://docs.claude.com/en/docs/claude-code/monitoring-usage. `claude_code.token.usage` has one series a type of token.
With delta temporality every point counts, with cumulative the last of each series. Metrics repeat the calls of the log
events: sessions that have these are left out.
"""

from __future__ import annotations

from .claude_model import provider_of

TYPES = {"input": "input", "cacheRead": "cache_read", "cacheCreation": "cache_write_5m", "output": "output"}


def _attribute(name: str) -> str:
    texts = (f"value.{kind}" for kind in ("stringValue", "intValue", "doubleValue"))
    found = "list_filter(attributes, lambda item: item.key = '{0}')[1].{1}"
    return f"coalesce({', '.join(found.format(name, text) for text in texts)})"


_SUMS = ", ".join(
    f"(sum(value) FILTER (name = 'claude_code.token.usage' AND token_type = '{kind}'))::HUGEINT AS {column}"
    for kind, column in TYPES.items()
)

# A value whose sum might not be a DECIMAL is a count, and an amount, that the loader refuses.
_VALUE = """CASE WHEN coalesce(asInt, asDouble) IS NOT NULL
                THEN coalesce(TRY_CAST(coalesce(asInt, asDouble) AS DECIMAL(28, 12)), 1000000000000000) END"""

_EACH = """(
    SELECT file_id, line, unnest(metrics, max_depth := 2)
    FROM (
        SELECT file_id, line, unnest(scopeMetrics, max_depth := 2)
        FROM (SELECT file_id, line, unnest(resourceMetrics, max_depth := 2) FROM entry
            WHERE resourceMetrics IS NOT NULL)
    )
)"""
OTHERS = f"""
SELECT file_id, min(line) AS line, 'otel:metric:' || name AS event_id, 'tokens as the metric ' || name
    || ', which repeats or sums calls: they are counted from spans or log records, export these' AS fault
FROM {_EACH}
WHERE contains(name, 'token') AND name <> 'claude_code.token.usage'
    AND coalesce(len("sum".dataPoints), len(histogram.dataPoints)) > 0
    AND NOT EXISTS (SELECT 1 FROM call WHERE used)
    AND NOT EXISTS (SELECT 1 FROM usage_event WHERE source = 'otel' AND NOT aggregated)
GROUP BY file_id, name
"""  # noqa: S608 (constants only)
"""A query that names metrics of tokens where no call was found that they could be the sum of."""

METRICS = f"""
SELECT file_id, line, 'otel:metric:' || md5(concat_ws('|', session, model, series, started)) AS event_id,
    max(ts) AS ts, session, {provider_of("model")} AS provider, model, TRUE AS aggregated, {_SUMS}, 0 AS request,
    (sum(value) FILTER (name = 'claude_code.cost.usage'))::VARCHAR AS recorded_usd,
    json_object('user', any_value(user_name), 'query_source', any_value(query_source)) AS tags
FROM (
    SELECT DISTINCT ON (name, session, model, series, token_type, started, CASE WHEN delta THEN ts END) *
    FROM (
        SELECT file_id, line, name, {_VALUE} AS value,
            {_attribute("session.id")} AS session, {_attribute("model")} AS model, {_attribute("type")} AS token_type,
            {_attribute("query_source")} AS query_source, coalesce({_attribute("user.email")}, {_attribute("user.id")})
                AS user_name,
            list_sort(list_transform(list_filter(attributes, lambda item: item.key <> 'type'),
                lambda item: item.key || '=' || coalesce(item.value.stringValue, item.value.intValue, '')))::VARCHAR
                AS series,
            utc_epoch(timeUnixNano) AS ts, temporality IN ('1', 'AGGREGATION_TEMPORALITY_DELTA') AS delta,
            CASE WHEN delta THEN timeUnixNano ELSE startTimeUnixNano END AS started
        FROM (
            SELECT file_id, line, name, "sum".aggregationTemporality AS temporality,
                unnest("sum".dataPoints, max_depth := 2)
            FROM {_EACH}
        )
    )
    WHERE name IN ('claude_code.token.usage', 'claude_code.cost.usage')
    ORDER BY ts DESC
) AS point
WHERE NOT EXISTS (SELECT 1 FROM call WHERE call.emitter = 'claude-code' AND call.session = point.session)
    AND NOT EXISTS (
        SELECT 1 FROM usage_event AS event
        WHERE event.session = point.session AND NOT event.aggregated AND event.source IN ('otel', 'claude-code'))
GROUP BY file_id, line, session, model, series, started
"""  # noqa: S608 (constants only)
"""A query that yields one sum a model, series and time, in the columns of `usage_event`; it reads `entry`, `call`."""
