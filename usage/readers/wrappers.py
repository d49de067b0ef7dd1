"""Spans whose usage repeats that of spans beneath them: which of a trace's spans are no calls of their own."""

from __future__ import annotations

MAX_DEPTH = 64  # spans between a call and the next span above it that has usage

WRAPPERS = f"""
-- from every span with usage up to the next one above it that has some
up AS (
    SELECT trace, id AS child, parent AS reached, 1 AS depth FROM node WHERE inputs + outputs > 0 AND parent <> ''
    UNION ALL
    SELECT up.trace, up.child, node.parent, depth + 1
    FROM up JOIN node ON node.trace = up.trace AND node.id = up.reached
    WHERE node.inputs + node.outputs = 0 AND node.parent <> '' AND depth < {MAX_DEPTH}
),
linked AS MATERIALIZED (  -- else all spans of a trace may be joined with one another
    SELECT node.trace, node.id, node.inputs, node.outputs, node.rollup, node.is_call, link.child
    FROM (SELECT DISTINCT trace, child, reached FROM up WHERE reached <> child) AS link
        JOIN node ON node.trace = link.trace AND node.id = link.reached
    WHERE node.inputs + node.outputs > 0
),
beneath AS MATERIALIZED (
    SELECT above.trace, above.id, above.inputs, above.outputs, any_value(above.rollup) AS rollup,
        any_value(above.is_call) AS is_call, count(*) AS spans,
        sum(below.inputs) AS below_inputs, sum(below.outputs) AS below_outputs,
        sum(below.inputs) FILTER (NOT below.rollup) AS call_inputs,
        sum(below.outputs) FILTER (NOT below.rollup) AS call_outputs,
        bool_or(below.inputs = above.inputs AND below.outputs = above.outputs) AS repeated
    FROM linked AS above JOIN node AS below ON below.trace = above.trace AND below.id = above.child
    GROUP BY ALL
),
-- spans of traces that name no parent at all: there, the kind of span is all there is to go by
unlinked AS (
    SELECT trace, sum(inputs) FILTER (NOT rollup) AS inputs, sum(outputs) FILTER (NOT rollup) AS outputs
    FROM node GROUP BY trace
    HAVING bool_and(parent = '') AND bool_or(rollup) AND bool_or(NOT rollup AND inputs + outputs > 0)
),
-- calls whose way up is broken: the span above them was not exported
orphans AS (
    SELECT trace, sum(inputs) AS inputs, sum(outputs) AS outputs FROM node
    WHERE NOT rollup AND inputs + outputs > 0 AND parent <> '' AND NOT EXISTS (
        SELECT 1 FROM node AS above WHERE above.trace = node.trace AND above.id = node.parent)
    GROUP BY trace
),
wrapper AS MATERIALIZED (
    SELECT trace, id, inputs - below_inputs AS beyond_inputs, outputs - below_outputs AS beyond_outputs
    FROM beneath
    WHERE rollup OR repeated
        OR (inputs = below_inputs AND outputs = below_outputs)
        OR (inputs = call_inputs AND outputs = call_outputs)
        -- one call, repeated by another library, which counts its output in another way
        OR (spans = 1 AND inputs = below_inputs AND inputs > 0)
        -- what is no call by its kind and holds all that its calls have: some of them were not exported
        OR (NOT is_call AND inputs >= below_inputs AND outputs >= below_outputs)
    UNION ALL
    SELECT node.trace, node.id, 0, 0 FROM node JOIN unlinked USING (trace) WHERE node.rollup
    UNION
    SELECT node.trace, node.id, 0, 0 FROM node JOIN orphans USING (trace, inputs, outputs)
    WHERE node.rollup AND NOT EXISTS (FROM beneath WHERE beneath.trace = node.trace AND beneath.id = node.id)
)
"""  # noqa: S608 (constants only)
"""CTEs (of WITH RECURSIVE) that yield `wrapper` (trace, id): the spans to leave out.

They read `node`: one row a span, with trace, id, parent ('' for none), `inputs` (cached tokens included), `outputs`,
`rollup` (an agent, a chain, a workflow: by its kind no call) and `is_call` (by its kind a call). Whatever its kind, a
span is left out where the spans with usage beneath it add up to it, or one of them repeats it; a span that is no call
by its kind, where any beneath it has usage, or calls whose own parents were not exported add up to it. One without
such spans beneath it is a call: its calls were not exported.
"""

SILENT = f"""
-- calls that state no usage, or a cost alone, neither they nor the spans above and beneath them: streams that were not
-- asked for it, images
quiet AS MATERIALIZED (
    SELECT * FROM call
    WHERE (is_call OR cost IS NOT NULL AND NOT coalesce(rollup, FALSE)) AND NOT is_log AND NOT bad
        AND trace <> '' AND span <> ''
        AND input + output + cached + writes + reasoning + tool + total = 0
),
quiet_up AS (
    SELECT trace, span AS child, parent AS reached, 1 AS depth FROM quiet WHERE parent <> ''
    UNION ALL
    SELECT quiet_up.trace, child, node.parent, depth + 1
    FROM quiet_up JOIN node ON node.trace = quiet_up.trace AND node.id = reached
    WHERE node.inputs + node.outputs = 0 AND node.parent <> '' AND depth < {MAX_DEPTH}
),
silent AS (
    SELECT * FROM quiet
    WHERE NOT EXISTS (SELECT 1 FROM up WHERE up.trace = quiet.trace AND up.reached = quiet.span)
        AND NOT EXISTS (SELECT 1 FROM quiet_up JOIN node ON node.trace = quiet_up.trace AND node.id = reached
            WHERE quiet_up.trace = quiet.trace AND child = quiet.span AND node.inputs + node.outputs > 0)
        AND NOT EXISTS (SELECT 1 FROM reported
            WHERE reported.trace = quiet.trace AND reported.span = quiet.span
                OR reported.response = quiet.response AND quiet.response <> '')
)
"""  # noqa: S608 (constants only)
"""CTEs that yield `silent`, rows of `call` as `reported` has them; they read `up`, `node` and both of these."""

MORE = """
CASE WHEN beyond_inputs > 0 AND beyond_outputs >= 0 THEN 'it has ' || beyond_inputs || ' input and ' || beyond_outputs
    || ' output tokens more than the calls beneath it: some were not exported, and these tokens are not counted' END
"""
"""SQL over `wrapper`: why a span that is left out is named all the same; NULL where nothing is missing beneath it."""
