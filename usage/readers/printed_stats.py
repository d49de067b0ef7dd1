"""What Gemini CLI and Qwen Code sum up of a process, by model, in what they print at a run's end: SQL of its counts.

https://github.com/google-gemini/gemini-cli (packages/core/src/telemetry/uiTelemetry.ts): `prompt` includes cached
tokens, `tool` are tokens of tool results beside it, unless the total proves them inside; `total` is the sum of all.
"""

from __future__ import annotations

from .nested import JsonTexts, members

NAMES = ("prompt", "candidates", "cached", "thoughts", "tool", "total")
STREAMED = {"prompt": "input_tokens", "candidates": "output_tokens", "cached": "cached", "total": "total_tokens"}
REQUESTS = ("api.totalRequests", "api.totalErrors", "api.totalLatencyMs")
OF_MODEL = JsonTexts("stated", (*(f"tokens.{name}" for name in NAMES), *STREAMED.values(), *REQUESTS))

COUNTED = (
    *(f"stats.models.*.tokens.{name}" for name in NAMES if name != "total"),
    *(f"stats.models.*.{name}" for name in STREAMED.values()),
    *(f"stats.{name}" for name in STREAMED.values()),
)
LEFT_OUT = {
    "stats.models.*.tokens.total": "the sum",
    "stats.models.*.tokens.input": "the prompt without its cached tokens",
    "stats.models.*.input": "the prompt without its cached tokens",
    "stats.input": "the prompt without its cached tokens",
    "stats.models.*.roles": "the same by what the calls were for",
    "stats.models.*.bySource": "the same by who asked",
    "stats.models.*.api": "how many requests, and how long they took",
    "stats.tools": "calls of tools",
    "stats.files": "lines that were changed",
}


def by_model(relation: str) -> str:
    """CTEs that end in `counted`: of the rows of `relation`, which have `stats` (JSON) and `asked` (a model), each
    model's counts in `stats`; where it names no model, the sum as the model that was asked.

    -1 is a count that cannot be read. `rest` is what a streamed total has beyond prompt and output.
    """
    own = ", ".join(f"{OF_MODEL.count(f'tokens.{name}')} AS {name}_of_model" for name in NAMES)
    streamed = ", ".join(f"{OF_MODEL.count(path)} AS {name}_streamed" for name, path in STREAMED.items())
    either = ", ".join(
        f"CASE WHEN streamed THEN {name}_streamed ELSE {name}_of_model END AS {name}" for name in STREAMED
    )
    return f"""
summed AS (
    SELECT *, {members("stats -> '$.models'")} AS models FROM {relation} WHERE json_type(stats) = 'OBJECT'
),
listed AS (
    SELECT * EXCLUDE (of_model), of_model[1] AS used, of_model[2] AS own
    FROM (SELECT * EXCLUDE (stats, models), unnest(models) AS of_model FROM summed)
    UNION ALL BY NAME
    SELECT * EXCLUDE (stats, models), asked AS used, stats AS own FROM summed WHERE len(models) = 0
),
read AS (
    SELECT *, {own}, {streamed}, (own -> '$.tokens') IS NULL AS streamed,
        {OF_MODEL.count("api.totalRequests")} - {OF_MODEL.count("api.totalErrors")} AS answered,
        {OF_MODEL.text("api.totalLatencyMs")} AS latency
    FROM (SELECT *, {OF_MODEL.listed("own")} FROM listed)
),
counted AS (
    SELECT * EXCLUDE (own), {either}, thoughts_of_model AS thoughts, tool_of_model AS tool,
        CASE WHEN streamed AND least(prompt_streamed, candidates_streamed) >= 0
            THEN greatest(total_streamed - prompt_streamed - candidates_streamed, 0) ELSE 0 END AS rest
    FROM read
)"""  # noqa: S608 (names)


INPUT = """CASE WHEN least(prompt, cached, tool) < 0 THEN -1
        ELSE prompt - CASE WHEN cached > prompt THEN 0 ELSE cached END
            + CASE WHEN total = prompt + candidates + thoughts THEN 0 ELSE tool END END"""
"""SQL for the input of a row of `counted`."""
