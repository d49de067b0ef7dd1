"""Earlier spellings of options: they go on working, and no help shows them."""

from __future__ import annotations

from collections.abc import Sequence

EARLIER: dict[str, dict[str, str]] = {
    "check": {"--output": "--out"},
    "diff": {"--output": "--out"},
    "export": {"--output": "--out", "--focus": ""},  # FOCUS is all that it writes
    "load": {"--format": "--log-format", "-f": "--log-format"},
    "prices": {"--json": "--format=json"},
    "recommend": {"--write": "--save"},
    "schema": {"--output": "run"},  # a flag: the schema of the output of `run`, or of the command named after it
    "spend": {"--output": "--out", "--price": "--costs"},
}


def today(arguments: Sequence[str]) -> list[str]:
    """The arguments (without the program's name) in today's spelling. What follows `--` is no option."""
    command = next((word for word in arguments if not word.startswith("-")), "")
    earlier = EARLIER.get(command, {})
    end = arguments.index("--") if "--" in arguments else len(arguments)
    words = [_spelled(word, earlier) for word in arguments[:end] if earlier.get(word) != ""]
    if command == "schema" and "--output" in arguments and len(words) > 2:
        words.remove("run")  # `schema --output check` names its command
    return [*words, *arguments[end:]]


def _spelled(word: str, earlier: dict[str, str]) -> str:
    option, equals, value = word.partition("=")
    return earlier[option] + equals + value if option in earlier else word
