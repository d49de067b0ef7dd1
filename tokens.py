"""The token classes: what a call is billed by. Disjoint, in the order in which tables and reports show them."""

from __future__ import annotations

from typing import Literal, get_args

TokenClass = Literal["input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "web_search", "request"]
TOKEN_CLASSES: tuple[str, ...] = get_args(TokenClass)
"""`input` is what is not cached, `output` includes reasoning; the last two are counted units (see UNIT_CLASSES)."""

CACHE_CLASSES = ("cache_read", "cache_write_5m", "cache_write_1h")
PROMPT_CLASSES = ("input", *CACHE_CLASSES)
"""What a request sends; together they decide its context tier."""

UNIT_CLASSES = ("web_search", "request")
"""What is counted one by one: searches and requests, no tokens."""

CALL_CLASSES = TOKEN_CLASSES[:-1]
"""What differs from call to call: all but the request, which is one a call."""

BILLED_TOKENS = (*PROMPT_CLASSES, "output")
"""The classes that are tokens."""

# The classes are columns of `usage_event` and `usage_daily` too: these are SQL.
COLUMNS = ", ".join(TOKEN_CLASSES)
PROMPT_SUM = " + ".join(PROMPT_CLASSES)
SUMMED = ", ".join(f"sum({name})::BIGINT AS {name}" for name in TOKEN_CLASSES)
UNITS = ", ".join(f"'{name}'" for name in UNIT_CLASSES)
