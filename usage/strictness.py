"""What `load --strict` refuses: rejected lines, usage that is not counted, contradictions, files that may be logs or
cannot be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..errors import UsageLogError, is_full
from .signs import Sign, contradictions

if TYPE_CHECKING:
    from .files import LogFile
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


@contextmanager
def passing_over(file: LogFile, report: LoadReport, strict: bool) -> Iterator[None]:
    """A file of a folder that cannot be read is noted, and keeps no other from being read.

    Raises UsageLogError where it was named, or with `strict`; OSError where it is the disk that is full.
    """
    try:
        yield
    except (UsageLogError, OSError) as error:
        if isinstance(error, OSError):
            if is_full(error):
                raise
            error = UsageLogError(f"the file cannot be read: {error.strerror}", file=file.shown)
        if file.named or strict:
            raise error from None
        report.unreadable.append(f"  {error}")


def refuse_waiting(labels: Sequence[str], report: LoadReport, strict: bool) -> None:
    """Note files whose last row may be half written; raises UsageLogError where that is an error."""
    if strict and labels:
        raise UsageLogError("the last row has no line end and may be half written; load again", file=labels[0])
    report.waiting += [label for label in labels if label not in report.waiting]


def _refuse_unread(unread: Sequence[Unread]) -> None:
    first = unread[0]
    others = f"; and {len(unread) - 1} other fields" if len(unread) > 1 else ""
    raise UsageLogError(
        f"`{first.field}` {first.what} ({first.raw}{others}); take note of it with --acknowledge {first.field}, "
        "or load without --strict",
        file=first.path,
        line=first.line,
    )
