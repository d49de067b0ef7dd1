"""Usage as the APIs of OpenAI and Anthropic state it in their replies, which gateways and tracers keep as it came.

OpenAI counts cached tokens within the input, Anthropic beside it, and some gateways give Anthropic's figures under
OpenAI's names (https://github.com/Portkey-AI/gateway, anthropic/chatComplete): the total, or cached tokens that do not
fit into the input, show it. OpenAI's writes (since gpt-5.6) are `cache_write_tokens` within its details.
"""

from __future__ import annotations

from ..aliases import API_MEDIA, API_MEDIA_TEXT
from .nested import count, has, less, media

INPUTS = ("prompt_tokens", "input_tokens")
OUTPUTS = ("completion_tokens", "output_tokens")
READS = (
    *("cache_read_input_tokens", "prompt_tokens_details.cached_tokens", "input_tokens_details.cached_tokens"),
    "input_token_details.cached_tokens",
)
WRITES = (
    *("cache_creation_input_tokens", "prompt_tokens_details.cache_write_tokens"),
    *("input_tokens_details.cache_write_tokens", "prompt_tokens_details.cache_creation_tokens"),
)
WRITES_1H = ("cache_creation.ephemeral_1h_input_tokens",)
SEARCHES = ("server_tool_use.web_search_requests",)
TOTAL = "total_tokens"
MEDIA_NAMES = tuple(name for names in API_MEDIA.values() for name in names)
COUNTED = (
    *(*INPUTS, *OUTPUTS, *READS, *WRITES, *WRITES_1H, *SEARCHES, TOTAL),
    "cache_creation.ephemeral_5m_input_tokens",
    *MEDIA_NAMES,
)
"""The fields of a usage that reach a token class."""

LEFT_OUT = {
    **{
        f"{side}_tokens_details.{part}_tokens": "part of the output"
        for side in ("completion", "output")
        for part in ("reasoning", "accepted_prediction", "rejected_prediction", "video")
    },
    **{f"{side}_tokens_details.video_tokens": "part of the input" for side in ("prompt", "input")},
    **dict.fromkeys(API_MEDIA_TEXT, "part of the input or output"),
    "output_tokens_details.thinking_tokens": "part of the output",
    "server_tool_use.web_fetch_requests": "fetching a page costs only its tokens",
}


def counts(usage: str) -> str:
    """SQL for the columns inputs, outputs, reads, writes, writes_1h, searches, total and beside of a JSON usage, and
    those of its audio and images.

    `beside` is whether cached tokens stand beside the input.
    """
    return f"""
        {count(usage, *INPUTS)} AS inputs, {count(usage, *OUTPUTS)} AS outputs,
        {count(usage, *READS)} AS reads, {count(usage, *WRITES)} AS writes,
        {count(usage, *WRITES_1H)} AS writes_1h, {count(usage, *SEARCHES)} AS searches,
        {count(usage, TOTAL)} AS total, {media(usage)},
        reads + writes > 0 AND (reads + writes > inputs OR total = inputs + outputs + reads + writes
            OR NOT {has(usage, "prompt_tokens", "input_tokens_details", TOTAL)}) AS beside"""


CLASSES = f"""
    CASE WHEN beside THEN inputs ELSE {less("inputs", "reads", "writes")} END AS input,
    reads AS cache_read,
    {less("writes", "writes_1h")} AS cache_write_5m,
    writes_1h AS cache_write_1h,
    outputs AS output,
    searches AS web_search"""
"""SQL for the token classes of a row that has such columns."""
