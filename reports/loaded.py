"""What `costsim load` prints: the files, what they brought, and what of them is not counted."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from ..money import format_cents
from ..months import span_words
from ..plurals import counted, first_lines, short_amount
from ..usage.passed_over import line as passed_over_line
from ..usage.signs import Sign, named

if TYPE_CHECKING:
    from ..analysis.spend.loaded import LoadedModel, LoadedUsage
    from ..usage.report import FileReport, LoadReport
    from ..usage.unread import Unread

MODELS_SHOWN = 5
SHOWN = 5
UNREAD_SHOWN = 10
UNREAD_HINT = "  If costs are too low for it, report it; if it is no usage: costsim load --acknowledge FIELD"


def lines(report: LoadReport, summary: Sequence[str] = ()) -> list[str]:
    """The report as people read it; `summary` says more of the calls than can be said without prices."""
    unchanged = sum(file.unchanged for file in report.files)
    read = [file for file in report.files if not file.unchanged]
    formats = sorted({file.reader for file in read})
    said = [f"{counted(len(read), 'file')} read ({', '.join(formats)})" if read else "no new file"]
    said += [f"{unchanged:,} unchanged"] if unchanged else []
    said += [passed_over_line(report.passed_over)] if report.passed_over else []
    rejected = counted(report.total("rejected"), "line") + " rejected (table reject), the first"
    bad = _headed(rejected, report.first_rejects)
    broken = _headed(f"{counted(len(report.unreadable), 'file')} cannot be read", report.unreadable)
    waiting = [_waiting_line(report.waiting)] if report.waiting else []
    moved = [f"{counted(report.attributed, 'call')} attributed by the rules"] if report.attributed else []
    withdrawn = f"{counted(report.withdrawn, 'call')} loaded before withdrawn: the files no longer contain them"
    fewer = [withdrawn] if report.withdrawn else []
    future = [f"NOTE: {report.future}"] if report.future else []
    silent = [*future, *_without_call(read), *_unread_lines(report.unread), *_contradictions(report.signs), *waiting]
    return [", ".join(said), *(summary or [calls_line(report)]), *fewer, *moved, *silent, *bad, *broken]


def _headed(title: str, rows: Sequence[str]) -> list[str]:
    return [f"{title}:", *rows] if rows else []


def summary(report: LoadReport, found: LoadedUsage) -> list[str]:
    """`899 calls (1,824 log entries; streaming repeats merged), 10 to 12 Feb 2026, $51.70`, then its models."""
    if not found.days:
        return [calls_line(report), *_sources(found)]
    when, cost = span_words(*found.days), _cost(found.usd, found.only_recorded_usd)
    if report.calls == report.added_calls:
        first = f"{calls_line(report)}, {when}, {cost}"
    else:
        first = f"{calls_line(report)}; all of these files: {when}, {cost}"
    return [first, _models(found), *_sources(found)]


def _models(found: LoadedUsage) -> str:
    named = [_model(model) for model in found.models[:MODELS_SHOWN]]
    more = len(found.models) - MODELS_SHOWN
    return "models: " + ", ".join(named) + (f" and {more} more" if more > 0 else "")


def _model(model: LoadedModel) -> str:
    priced = model.usd or not model.unpriced_tokens
    return f"{model.name} {_cost(model.usd, model.only_recorded_usd) if priced else 'UNPRICED'}"


def _cost(usd: Decimal, only_recorded: Decimal) -> str:
    """What was computed, and what is recorded of calls that nothing can be computed of."""
    if not only_recorded:
        return format_cents(usd)
    computed = f"{format_cents(usd)} computed and " if usd else ""
    return f"{computed}{format_cents(only_recorded)} only recorded"


def _sources(found: LoadedUsage) -> list[str]:
    return [*(f"OVERLAP: {overlap.message}" for overlap in found.sources.overlaps), *found.sources.messages]


def calls_line(report: LoadReport) -> str:
    """How many calls the files read have, or sums of calls, and how many of them are new."""
    added = report.added_calls
    known = report.calls - added
    one = "sum" if report.calls == report.sums else "call"
    entries = counted(report.entries, "log entry", "log entries") if report.entries > report.calls else ""
    merged = f" ({entries}; streaming repeats merged)" if entries else ""
    billed = [counted(report.billed, "sum of bills", "sums of bills")] if report.billed else []
    if not report.calls:
        return ", ".join(billed) or "0 calls"
    updated = f" ({report.updated:,} updated)" if report.updated else ""
    found = f"{counted(added, f'new {one}')}, {counted(known, f'{one} was', f'{one}s were')} counted already{updated}"
    found = found if known else counted(added, one)
    return ", ".join([f"{found}{merged}{_summed(report)}", *billed])


def _summed(report: LoadReport) -> str:
    """Of how many calls the sums are that a source made itself, as far as it says so."""
    of_calls = f" of {counted(report.summed, 'call')}" if report.summed else ""
    if report.sums == report.calls:
        return f",{of_calls} in all" if of_calls and report.calls > report.added_calls else of_calls
    return f", of them {counted(report.sums, 'sum')}{of_calls}" if report.sums else ""


def _without_call(read: Sequence[FileReport]) -> list[str]:
    """A line for each reason why files that were recognised have no call."""
    reasons: dict[str, list[str]] = {}
    for file in read:
        if why := file.without_call:
            reasons.setdefault(f"{file.reader}: {why}", []).append(Path(file.path).name)
    return [
        f"{counted(len(names), 'file')} without a call ({why}): "
        f"{', '.join(names[:SHOWN])}{', …' * (len(names) > SHOWN)}"
        for why, names in reasons.items()
    ]


def _waiting_line(files: Sequence[str]) -> str:
    named = ", ".join([Path(path).name for path in files[:SHOWN]] + ["…"] * (len(files) > SHOWN))
    return (
        f"NOT COUNTED YET: the last row of {counted(len(files), 'file')} ({named}) has no line end and "
        "may be half written; load again: it counts when it is ended, or where the file has not changed since"
    )


def _contradictions(found: Sequence[Sign]) -> list[str]:
    lines = [f"{sign.source}: {sign.message} ({Path(sign.path).name})" for sign in named(found)]
    return first_lines(lines, "table sign")


def _unread_lines(unread: Sequence[Unread]) -> list[str]:
    """A line for each kind of number that is not counted, over the files of this load."""
    kinds: dict[tuple[str, str], list[Unread]] = {}
    for found in unread:
        kinds.setdefault((found.source, found.field), []).append(found)
    if not kinds:
        return []
    shown = [_unread_line(source, field, parts) for (source, field), parts in islice(kinds.items(), UNREAD_SHOWN)]
    more = [f"  and {len(kinds) - UNREAD_SHOWN} more (table unread)"] if len(kinds) > UNREAD_SHOWN else []
    return [
        "NOT COUNTED, or not at its own price, though it looks like usage:",
        *shown,
        *more,
        UNREAD_HINT,
    ]


def _unread_line(source: str, name: str, parts: Sequence[Unread]) -> str:
    files, numbers = sum(part.files for part in parts), sum(part.occurrences for part in parts)
    total = short_amount(sum((part.total for part in parts), Decimal(0)))
    where = f"{Path(parts[0].path).name}{f':{parts[0].line}' if parts[0].line else ''}"
    of_files = counted(files, "file")
    return f"  {source}, {of_files}: `{name}` {parts[0].what}: {total} in {counted(numbers, 'place')} ({where})"
