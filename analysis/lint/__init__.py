"""`costsim lint`: what is wrong or doubtful in a routing, an architecture, or code that names models."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any, Literal

from ...errors import ArchitectureError, InputError
from ..findings import Finding
from .rules import RULES

__all__ = ["RULES", "exit_code", "lint", "target_of"]

Target = Literal["routing", "architecture", "code"]
_DOCUMENTS = {".json", ".yaml", ".yml", ".toml"}
_ORDER = {"error": 0, "warning": 1, "note": 2}
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
    """The findings for a routing file, an architecture, a source file or a folder of code, in order of place.

    Without a path, for the shipped routing. `config` is the routing whose keys code should use (default: the
    shipped one); `book` and `prices` are the price book and overlays (an architecture has its own overlays);
    `start` is the first of the 30 days whose cost is told. Raises InputError and its kinds.
    """
    from ...pricing.book import open_book
    from ..routing.routing import SHIPPED, read_routing
    from .routing import lint_routing

    match target_of(path):
        case "architecture" if path:
            from .architecture import lint_architecture

            found = lint_architecture(path, start, book)
        case "code" if path:
            from .hardcoded import lint_code

            stack = open_book(book or "list", prices)
            found = lint_code(path, read_routing(config or SHIPPED), stack.resolve, exclude)
        case _:
            overlays = prices if path or prices else [_EXAMPLE_PRICES]
            found = lint_routing(
                read_routing(path or SHIPPED, needs_fallback=False), open_book(book or "list", overlays)
            )
    return sorted(found, key=_place)


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
    if path is None:
        return "routing"
    if not path.exists():
        raise InputError("there is no such file or folder", file=path)
    if path.is_dir() or path.suffix.lower() not in _DOCUMENTS:
        return "code"
    from ...documents import read_document

    data = read_document(path, ArchitectureError).data
    if isinstance(data, dict) and "components" in data:
        return "architecture"
    return "routing" if isinstance(data, dict) and "model_routing" in data else "code"


def exit_code(findings: Sequence[Finding]) -> int:
    """1 if any finding is an error, else 0: warnings and notes do not fail a build."""
    return int(any(finding.severity == "error" for finding in findings))
