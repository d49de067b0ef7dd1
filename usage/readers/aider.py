"""aider: its analytics as a log (`--analytics-log FILE`), whose `message_send` events state what each message cost.

https://github.com/Aider-AI/aider (aider/analytics.py, aider/coders/base_coder.py): `prompt_tokens` is all that was
sent, cached or not, which nothing tells apart; where a server stated no usage, both figures are aider's own count.
`cost` is LiteLLM's or aider's figure, 0 where it knows no price. A model that LiteLLM's list does not know is
`SERVER/REDACTED`.
"""

from __future__ import annotations

from ..reader import Reader, Sample
from .nested import priced

COLUMNS = {
    **dict.fromkeys(("event", "user_id", "time"), "VARCHAR"),
    "properties": """STRUCT(main_model VARCHAR, edit_format VARCHAR, prompt_tokens BIGINT, completion_tokens BIGINT,
        cost VARCHAR, total_cost VARCHAR)""",
}

SQL = f"""
SELECT file_id, line,
    concat_ws(':', 'aider', user_id, "time", properties.prompt_tokens, properties.completion_tokens,
        properties.total_cost) AS event_id,
    utc_epoch("time") AS ts,
    user_id AS "user",
    CASE WHEN properties.main_model NOT IN ('None', '') AND NOT suffix(properties.main_model, '/REDACTED')
        THEN properties.main_model END AS model,
    properties.prompt_tokens AS input,
    properties.completion_tokens AS output,
    {priced("properties.cost", "properties.prompt_tokens + properties.completion_tokens")} AS recorded_usd,
    json_object('edit_format', properties.edit_format) AS tags
FROM record WHERE event = 'message_send'
"""  # noqa: S608 (constants only)


def recognises(sample: Sample) -> bool:
    """Events with their properties, of aider's own kinds."""
    own = {"message_send", "message_send_starting", "launched", "cli session", "gui session", "auto_commits", "no-repo"}
    return (
        sample.layout in ("ndjson", "json")
        and sample.has("event", "properties", "user_id", "time")
        and any(isinstance(event, str) and event in own for event in sample.values("event"))
    )


READER = Reader(
    name="aider",
    origin="agent",
    doc="https://aider.chat/docs/more/analytics.html",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=True,
    counted=("properties.prompt_tokens", "properties.completion_tokens", "properties.cost"),
    left_out={
        "properties.total_tokens": "the sum",
        "properties.total_cost": "the cost of the run until then",
        "properties.num_files": "how many files a repository has",
    },
    unique_by="the user, the time, the figures and the run's cost until then",
    kept_at="where aider --analytics-log FILE writes it (its chat history has only rounded figures)",
    undercounts="which tokens were cached; calls of the weak model (commit messages, summaries)",
    no_call="a run in which no message was sent",
    sample="made: after the code that writes it",
)
