"""`costsim lint`: what is wrong or doubtful in a routing, an architecture, or code that names models."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ...documents import read_document
from ...errors import ArchitectureError, CostsimError, InputError
from ..findings import Finding
from .rules import RULES

if TYPE_CHECKING:
    from ...documents import Document

__all__ = ["RULES", "exit_code", "lint", "target_of"]

Target = Literal["routing", "architecture", "code"]
_DOCUMENTS = {".json", ".yaml", ".yml", ".toml"}
_ORDER = {"error": 0, "warning": 1, "note": 2}
_COMPONENTS = re.compile(
    r"""^\s{0,4}["']?(?:components["']?\s*:(?:\s|#.*)*[-\[]|crons["']?\s*:)|^\[\[components""", re.MULTILINE
)
_ROUTING = re.compile(r"""^\s{0,4}["']?(?:model_routing|routing)["']?\s*[:=]|^\[model_routing""", re.MULTILINE)
_EXAMPLE_PRICES = Path(__file__).parents[2] / "examples" / "c-suite" / "prices.yaml"


def lint(
    path: Path | None = None,
    *,
    config: Path | None = None,
    book: str | None = None,
    prices: Sequence[Path] = (),
    start: date,
    exclude: Sequence[str] = (),
) -> list[Finding]:
    """The findings for a routing file, an architecture, a source file or a folder, in order of place.

    A folder is its code and the architectures in it.

    Without a path, for the shipped routing. `config` is the routing whose keys code should use (default: the
    shipped one); `book` and `prices` are the price book and overlays (an architecture has its own overlays);
    `start` is the first of the 30 days whose cost is stated. Raises InputError and its kinds.
    """
    from ...pricing.book import open_book
    from ..routing.routing import SHIPPED, read_routing
    from .routing import lint_routing

    target, document = _read(path)
    match target:
        case "architecture" if path and document:
            from .architecture import lint_architecture

            found = lint_architecture(path, document, start, book)
        case "code" if path:
            from .hardcoded import lint_code

            stack = open_book(book or "list", prices)
            found = lint_code(path, read_routing(config or SHIPPED), stack.resolve, exclude)
            found += _architectures_below(path, start, book, exclude) if path.is_dir() else []
        case _:
            overlays = prices if path or prices else [_EXAMPLE_PRICES]
            found = lint_routing(
                read_routing(path or SHIPPED, document, needs_fallback=False), open_book(book or "list", overlays)
            )
    return sorted(found, key=_place)


def _architectures_below(folder: Path, start: date, book: str | None, exclude: Sequence[str]) -> list[Finding]:
    """The findings of every architecture in a folder; one that cannot be read is a finding too."""
    from .architecture import lint_architecture
    from .rules import finding_of
    from .source import source_files

    found: list[Finding] = []
    for file in source_files(folder, exclude):
        if file.suffix.lower() not in _DOCUMENTS or not _is_architecture(file):
            continue
        try:
            found += lint_architecture(file, read_document(file, ArchitectureError), start, book)
        except CostsimError as error:
            found.append(finding_of("unreadable-architecture", str(error), file=file))
    return found


def _is_architecture(file: Path) -> bool:
    """Whether it looks like one: a list of components (an API's description has a mapping) and a routing."""
    from .source import read_source

    text = read_source(file) or ""
    return bool(_COMPONENTS.search(text) and _ROUTING.search(text))


def _place(finding: Finding) -> tuple[Any, ...]:
    return (
        str(finding.file or ""),
        finding.line or 0,
        finding.column or 0,
        _ORDER[finding.severity],
        finding.rule,
    )


def target_of(path: Path | None) -> Target:
    """What a path holds: a document with components is an architecture, one with model_routing a routing."""
    return _read(path)[0]


def _read(path: Path | None) -> tuple[Target, Document | None]:
    """What a path holds, and the document that it is; None of code and of the shipped routing."""
    if path is None:
        return "routing", None
    if not path.exists():
        raise InputError("there is no such file or folder", file=path)
    if path.is_dir():
        return "code", None
    if path.suffix.lower() not in _DOCUMENTS:
        from .source import check_text

        check_text(path)
        return "code", None
    document = read_document(path, ArchitectureError)
    named = document.data if isinstance(document.data, dict) else {}
    kind: Target = "architecture" if "components" in named else "routing" if "model_routing" in named else "code"
    return kind, document


def exit_code(findings: Sequence[Finding]) -> int:
    """1 if any finding is an error, else 0: warnings and notes do not fail a build."""
    return int(any(finding.severity == "error" for finding in findings))
