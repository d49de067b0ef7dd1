"""The token classes: what a call is billed by. Disjoint, in the order in which tables and reports show them."""

from __future__ import annotations

from typing import Literal, get_args

TokenClass = Literal[
    "input", "input_audio", "input_image", "cache_read", "cache_read_audio", "cache_read_image",
    "cache_write_5m", "cache_write_1h", "output", "output_audio", "output_image", "web_search", "request",
]  # fmt: skip
TOKEN_CLASSES: tuple[str, ...] = get_args(TokenClass)
"""`input` is what is not cached, `output` includes reasoning; the last two are counted units (see UNIT_CLASSES).

Those of audio and images are what a source states as such; the class without a medium is text, and all else."""

PRICED_AS: dict[str, tuple[str, ...]] = {
    "input_audio": ("input",),
    "input_image": ("input",),
    "cache_read_audio": ("cache_read", "input_audio", "input"),
    "cache_read_image": ("cache_read", "input_image", "input"),
    "output_audio": ("output",),
    "output_image": ("output",),
}
"""Of audio and images: the classes whose price pays where a model has none of their own, the first that it has.

So genai-prices decomposes usage (its decompose.py), and the first of them is the class that they are else part of."""


def paying(name: str) -> tuple[str, ...]:
    """The classes whose price pays for a class, the first that a model has."""
    return (name, *PRICED_AS.get(name, ()))


MEDIA_CLASSES = tuple(PRICED_AS)
TEXT_CLASSES = tuple(name for name in TOKEN_CLASSES if name not in PRICED_AS)
"""The classes that every model with a price may have one of; those of MEDIA_CLASSES few models price apart."""

INPUT_CLASSES = ("input", "input_audio", "input_image")
READ_CLASSES = ("cache_read", "cache_read_audio", "cache_read_image")
WRITE_CLASSES = ("cache_write_5m", "cache_write_1h")
CACHE_CLASSES = (*READ_CLASSES, *WRITE_CLASSES)
PROMPT_CLASSES = (*INPUT_CLASSES, *CACHE_CLASSES)
"""What a request sends; together they decide its context tier."""

OUTPUT_CLASSES = ("output", "output_audio", "output_image")
"""What a model answers."""

UNIT_CLASSES = ("web_search", "request")
"""What is counted one by one: searches and requests, no tokens."""

CALL_CLASSES = TOKEN_CLASSES[:-1]
"""What differs from call to call: all but the request, which is one a call."""

BILLED_TOKENS = (*PROMPT_CLASSES, *OUTPUT_CLASSES)
"""The classes that are tokens."""

# The classes are columns of `usage_event` and `usage_daily` too: these are SQL.
COLUMNS = ", ".join(TOKEN_CLASSES)
PROMPT_SUM = " + ".join(PROMPT_CLASSES)
INPUT_SUM = " + ".join(INPUT_CLASSES)
READ_SUM = " + ".join(READ_CLASSES)
OUTPUT_SUM = " + ".join(OUTPUT_CLASSES)
MEDIA_SUM = " + ".join(MEDIA_CLASSES)
TOKEN_SUM = " + ".join(BILLED_TOKENS)
BUT_TEXT_OUTPUT = " + ".join(name for name in TOKEN_CLASSES if name != "output")
SUMMED = ", ".join(f"sum({name})::BIGINT AS {name}" for name in TOKEN_CLASSES)
UNITS = ", ".join(f"'{name}'" for name in UNIT_CLASSES)


def of(relation: str, classes: tuple[str, ...]) -> str:
    """SQL of the sum of some classes of a relation."""
    return " + ".join(f"{relation}.{name}" for name in classes)
