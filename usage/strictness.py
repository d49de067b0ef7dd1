"""What `load --strict` refuses: rejected lines, usage that is not counted, contradictions, files that may be logs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import UsageLogError
from .signs import Sign, contradictions

if TYPE_CHECKING:
    from .report import LoadReport
    from .unread import Unread


def refuse(rejects: Sequence[str], unread: Sequence[Unread], signs: Sequence[Sign]) -> None:
    """Raises UsageLogError on the first of these that there is; `rejects` are as they are shown."""
    if rejects:
        raise UsageLogError(f"a line cannot be read: {rejects[0].strip()}")
    if unread:
        _refuse_unread(unread)
    if found := contradictions(signs):
        raise UsageLogError(f"{found[0].message}; load without --strict to count it so", file=found[0].path)


def refuse_passed_over(path: str, reason: str) -> None:
    """Raises UsageLogError for a file of a folder that may be a log."""
    raise UsageLogError(
        f"the file is passed over: {reason}; name its columns with --map, move it, or load without --strict", file=path
    )


def refuse_waiting(labels: Sequence[str], report: LoadReport, strict: bool) -> None:
    """Note files whose last row may be half written; raises UsageLogError where that is an error."""
    if strict and labels:
        raise UsageLogError("the last row has no line end and may be half written; load again", file=labels[0])
    report.waiting += labels


def _refuse_unread(unread: Sequence[Unread]) -> None:
    first = unread[0]
    others = f"; and {len(unread) - 1} other fields" if len(unread) > 1 else ""
    raise UsageLogError(
        f"`{first.field}` {first.what} ({first.raw}{others}); take note of it with --acknowledge {first.field}, "
        "or load without --strict",
        file=first.path,
        line=first.line,
    )
