"""docs/formats.md, made from what the readers declare. A test holds the file to it; COSTSIM_GOLDEN=1 writes it anew."""

from __future__ import annotations

from collections.abc import Iterable

from .reader import Reader
from .readers import READERS

HEAD = """# Log formats

Made from the readers in `usage/readers/`: do not edit it. `costsim load` knows a file's format by its content, whatever
its name. A number that looks like usage and stands neither under *counted* nor under *left out* is reported by `load`,
`spend` and the review as unread. *Role*: `calls` are one row per call or sums of them; a `bill` is what the provider
says it charged, never added to calls of the same days and models.
"""


CACHED = {
    True: "its input figures include them",
    False: "its input figures exclude them",
    None: "whether its input figures include them depends on who wrote them, and is found out",
}


def page() -> str:
    """The whole page: a list of all formats, then a section for each."""
    rows = [f"| [{reader.name}](#{reader.name}) | {reader.role} | {_reality(reader)} |" for reader in READERS]
    table = ["| format | role | tested with |", "| --- | --- | --- |", *rows]
    return "\n".join([HEAD, *table, "", *(_section(reader) for reader in READERS)])


def _reality(reader: Reader) -> str:
    return "a real sample" if reader.sample.startswith("real") else "a made sample"


def _section(reader: Reader) -> str:
    lines = {
        "Documentation": f"<{reader.doc}>",
        "Where": _cell(reader.kept_at),
        "Counted": _names(reader.counted),
        "Left out": _left_out(reader),
        "Cached tokens": CACHED[reader.input_includes_cached],
        "One call": _cell(reader.unique_by),
        "Tested with": _cell(reader.sample),
        "Known to lack": _cell(reader.undercounts),
        "A file without a call": reader.no_call,
    }
    return "\n".join([f"## {reader.name}", "", *(f"- **{name}**: {text}" for name, text in lines.items() if text), ""])


def _names(paths: Iterable[str]) -> str:
    """The fields, each once, by the last two parts of their paths: the way to them differs between exports."""
    return ", ".join(dict.fromkeys(f"`{'.'.join(path.split('.')[-2:])}`" for path in paths))


def _left_out(reader: Reader) -> str:
    reasons: dict[str, list[str]] = {}
    for path, reason in reader.left_out.items():
        reasons.setdefault(reason, []).append(path)
    return "; ".join(f"{_names(paths)} ({_cell(reason)})" for reason, paths in reasons.items())


def _cell(text: str) -> str:
    return text.replace("<", "&lt;").replace("|", "\\|")
